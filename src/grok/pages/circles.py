"""The circles on which the network lays out the numbers, one a key frequency, at every snapshot that is kept."""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from grok.pages.record import Record
from grok.tasks import fourier

MOST = 8  # circles on a page


def circle(W_E: Float[Tensor, "d_model p"], k: int) -> Float[Tensor, "axis p"]:
    """The numbers as W_E lays them out along its own cos_k and sin_k directions (paper §4.1).

    With unit rows c and s of the Fourier basis, u = W_E c and v = W_E s; number x lies at û · W_E[:, x] and
    v̂ · W_E[:, x]. Even random weights give a ring, a faint and noisy one. Frequency p/2 has no sine: its second
    coordinate is 0.
    """
    p = W_E.shape[1]
    waves = fourier.basis(p)[fourier.rows(p, [k])]
    directions = waves @ W_E.double().T
    units = directions / directions.norm(dim=1, keepdim=True).clamp_min(torch.finfo(torch.float64).tiny)
    points = units @ W_E.double()
    return points if len(points) == 2 else torch.cat([points, torch.zeros_like(points)])


def circles(record: Record) -> dict[str, Any] | None:
    """Coordinates of all numbers on the circle of each key frequency at every snapshot, for the page's script."""
    snapshots, p = record.folder.snapshots(), record.p
    keys = _strongest(record)
    if not snapshots or not keys or p is None:
        return None
    steps, points = [], []
    for step in snapshots:
        try:
            W_E = record.folder.load_snapshot(step)["W_E"][:, :p]
        except (OSError, KeyError):  # thinned out while we read
            continue
        steps.append(step)
        points.append(torch.stack([circle(W_E, k) for k in keys]).numpy())
    if not steps:
        return None
    values = np.array(points, dtype="<f4")  # step, key, axis, number
    return {"steps": steps, "keys": keys, "p": p, "points": base64.b64encode(values.tobytes()).decode()}


def _strongest(record: Record) -> Sequence[int]:
    """The key frequencies; of more than `MOST`, those with the largest shares in W_E."""
    keys, table = record.key_frequencies, record.spectra
    if len(keys) <= MOST or "matrix" not in table:
        return keys[:MOST]
    shares = table[table["matrix"] == "W_E"].iloc[-1]
    return sorted(sorted(keys, key=lambda k: -float(shares[str(k)]))[:MOST])
