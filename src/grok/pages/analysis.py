"""What `grok.analyze` left in a run's folder: claims by the part of the network, ablations, and pictures."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The pictures that say what the page does not show itself.
PICTURES = {
    "norms": "Norms of the Fourier components of W_E and W_L (Fig. 3)",
    "logit_spectrum": "The logits' Fourier components over a and b (Fig. 4)",
    "attention": "Attention to a over all pairs, and its fit by one frequency (Fig. 4)",
    "neurons": "Of each key frequency, the neuron it explains best, and its polynomial (Fig. 4)",
    "histogram": "How much of each neuron its best frequency explains (Fig. 5)",
    "ablations": "Loss without one frequency at a time, and with the key frequencies alone (Fig. 6)",
    "coefficients": "The logits' cosine coefficients over training (Fig. 14)",
    "excluded": "Loss without each key frequency over training (Fig. 15)",
    "accuracy": "Restricted and excluded accuracy over training (Fig. 13)",
}
MOST = 400_000  # bytes of pictures on a page, which is to stay small enough to send
WIDTH, QUALITY = 1400, 80  # pixels; of WebP, in which a heat map takes a tenth of its PNG


@dataclass(frozen=True)
class Part:
    """The claims on one part of the network, in their order: some go on from the one before."""

    name: str
    claims: Sequence[Mapping[str, Any]]

    @property
    def judged(self) -> int:
        return sum(claim.get("holds") is not None for claim in self.claims)

    @property
    def held(self) -> int:
        return sum(claim.get("holds") is True for claim in self.claims)


def parts(analysis: Mapping[str, Any]) -> list[Part]:
    """The claims of an analysis by the part of the network."""
    claims = analysis.get("claims") or []
    names = dict.fromkeys(claim.get("part") or "claims" for claim in claims)
    return [Part(name, [c for c in claims if (c.get("part") or "claims") == name]) for name in names]


def pictures(folder: Path) -> list[tuple[str, str]]:
    """Words and the picture itself, as a data URL, of as many as have room on a page."""
    found, room = [], MOST
    for name, words in PICTURES.items():
        file = folder / f"{name}.png"
        data = _small(file) if file.exists() else b""
        if 0 < len(data) <= room:
            room -= len(data)
            found.append((words, f"data:image/webp;base64,{base64.b64encode(data).decode()}"))
    return found


def _small(file: Path) -> bytes:
    """A picture as WebP, at most `WIDTH` pixels wide; nothing of a file that is no picture."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - of use only where a run was analyzed

    made = io.BytesIO()
    try:
        with Image.open(file) as picture:
            small = picture.convert("RGB")
    except (OSError, UnidentifiedImageError):
        return b""
    small.thumbnail((WIDTH, 10 * WIDTH))
    small.save(made, "webp", quality=QUALITY)
    return made.getvalue()
