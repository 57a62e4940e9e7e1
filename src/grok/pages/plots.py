"""What several figures of a page are made of, as plotly takes it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

NEARLY_ZERO = 0.5  # steps: where a logarithmic axis may start
HEAT_HEIGHT, LABEL_HEIGHT = 330, 15  # pixels


def figure(traces: Sequence[Any], **layout: Any) -> dict[str, Any]:
    """Traces and layout as plain JSON; plotly refuses properties that it does not know."""
    text = go.Figure(list(traces), layout={"template": {}, **layout}).to_json()
    return json.loads(text)  # type: ignore[no-any-return]


def edges(steps: Sequence[float]) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Where the cells of a heat map begin and end that has a column for each of `steps`."""
    at = np.asarray(steps, dtype=float)
    first = max(at[0], NEARLY_ZERO)
    return np.concatenate([[first], (at[1:] + at[:-1]) / 2, [max(at[-1], 2 * first)]])  # one step has a width


def marks(rows: Mapping[int, float], count: int) -> list[dict[str, Any]]:
    """Names of some of `count` rows of a heat map at its right edge, in their order, set apart where they are close."""
    pixels = [row * HEAT_HEIGHT / count for row in rows.values()]
    places: list[float] = []
    for pixel in pixels:
        places.append(max(pixel, places[-1] + LABEL_HEIGHT) if places else pixel)
    if places:  # and back down from the top
        places[-1] = min(places[-1], HEAT_HEIGHT)
        for i in range(len(places) - 2, -1, -1):
            places[i] = min(places[i], places[i + 1] - LABEL_HEIGHT)
    return [
        {
            "text": f"<b>{name}</b>", "x": 1, "xref": "paper", "y": row, "yref": "y", "ax": 14, "ay": pixel - place,
            "xanchor": "left", "showarrow": True, "arrowhead": 0, "arrowwidth": 1,
        }
        for (name, row), pixel, place in zip(rows.items(), pixels, places, strict=True)
    ]  # fmt: skip
