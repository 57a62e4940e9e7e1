"""The circles on which the network lays out the numbers, one a key frequency, at every snapshot that is kept."""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from grok.claims import embedding
from grok.pages.record import Record

MOST = 8  # circles on a page
BYTES = 240_000  # of their points, so that a page stays small
FEWEST = 12  # steps on the slider


def strongest(record: Record) -> Sequence[int]:
    """The key frequencies; of more than `MOST`, those with the largest shares in W_E."""
    key_frequencies, table = record.key_frequencies, record.spectra
    if len(key_frequencies) <= MOST or "matrix" not in table:
        return key_frequencies[:MOST]
    shares = table[table["matrix"] == "W_E"].iloc[-1]
    return sorted(sorted(key_frequencies, key=lambda k: -float(shares[str(k)]))[:MOST])


def circles(record: Record) -> dict[str, Any] | None:
    """Coordinates of all numbers on the circle of each key frequency over the snapshots, for the page's script."""
    frequencies, order = strongest(record), record.order
    if not frequencies or order is None:
        return None
    p = len(order)
    steps, points = [], []
    most = max(FEWEST, BYTES // (8 * p * len(frequencies)))
    for step in record.thinned(list(record.folder.snapshots()), most):
        try:
            W_E = record.in_order(record.folder.load_snapshot(step)["W_E"])
        except (OSError, KeyError):  # thinned out while we read
            continue
        steps.append(step)
        points.append(torch.stack([embedding.circles(W_E, k) for k in frequencies]).numpy())
    if not steps:
        return None
    values = np.array(points, dtype="<f4")  # step, frequency, axis, number
    encoded = base64.b64encode(values.tobytes()).decode()
    return {"steps": steps, "frequencies": frequencies, "p": p, "points": encoded}
