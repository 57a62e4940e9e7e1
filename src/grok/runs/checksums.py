"""Whether a file still holds what was written: checksums of weights, checkpoints, tables and JSON."""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grok.runs.configuration import printable

if TYPE_CHECKING:
    from torch import Tensor


def digest_of_weights(weights: Mapping[str, "Tensor"]) -> str:
    """SHA-256 of names, types, shapes and bytes."""
    import torch  # noqa: PLC0415 - `grok.status` starts without it

    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def refuse_other_weights(weights: Mapping[str, "Tensor"], kept: Mapping[str, str], step: int) -> None:
    """`ValueError` where weights are not those that were written, or of another step; older files say neither."""
    if "sha256" in kept and kept["sha256"] != digest_of_weights(weights):
        raise ValueError("its weights do not agree with its checksum; take the file from a copy, or another step")
    if kept.get("step", str(step)) != str(step):
        raise ValueError(f"it holds step {kept['step']}, not {step}")


def refuse_damaged_zip(file: Path) -> None:
    """`ValueError` where a file of `torch.save` does not agree with the checksums that it holds of its members."""
    if not zipfile.is_zipfile(file):
        return
    with zipfile.ZipFile(file) as members:
        try:
            damaged = members.testzip()
        except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
            raise ValueError(str(error)) from error
    if damaged:
        raise ValueError(f"{damaged} in it does not agree with its checksum")


def digest_of_file(file: Path) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def sealed_json(values: Mapping[str, Any], default: Any = str) -> str:
    """JSON of `values` and, as `checksum`, of what they say."""
    plain = json.loads(json.dumps(values, allow_nan=False, default=default))
    return json.dumps({**plain, "checksum": _digest(json.dumps(plain, sort_keys=True))}, indent=2) + "\n"


def unsealed(values: Any) -> dict[str, Any]:
    """What `sealed_json` was made of. `ValueError` where it says something else now; older files have no checksum."""
    if not isinstance(values, dict):
        raise ValueError("it holds no object")
    plain = dict(values)
    kept = plain.pop("checksum", None)
    text = json.dumps(plain, sort_keys=True)
    if kept is not None and kept != _digest(text):
        raise ValueError(
            "it was edited or damaged: its values do not agree with its `checksum`; mend it, or remove that"
        )
    hidden = "\\u00" in text or "\x7f" in text  # as JSON writes what moves a terminal's cursor
    return printable(plain) if hidden else plain


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
