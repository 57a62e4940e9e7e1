"""The colours of all figures and pages: Okabe and Ito's, which colour-blind readers can tell apart."""

from collections.abc import Sequence

COLOURS = {
    "train": "#0072B2",
    "test": "#D55E00",
    "restricted": "#009E73",
    "excluded": "#CC79A7",
    "W_E": "#0072B2",
    "W_L": "#D55E00",
}
SHADES = ("#ececec", "#d9e8f5", "#fde9c4", "#d8efdf")
EVENT_COLOURS = {
    "fitted": "#0072B2",
    "memorization_end": "#56B4E9",
    "cleanup_start": "#E69F00",
    "generalized": "#D55E00",
    "stable": "#009E73",
}
REGIME_COLOURS = {
    "grokked": "#009E73",
    "direct": "#56B4E9",
    "partial": "#F0E442",
    "unfinished": "#E69F00",
    "memorized": "#D55E00",
    "unfitted": "#CC79A7",
    "no run": "#dddddd",  # failed, or not yet begun
}
KEY_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
OTHERS = "#9a9a9a"


def key_colours(keys: Sequence[int]) -> dict[int, str]:
    """A colour for each of the first eight key frequencies; a network that has more of them has not decided yet."""
    return dict(zip(keys, KEY_COLOURS, strict=False))
