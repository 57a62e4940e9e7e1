"""The colours and lines of all figures and pages, on white and on black; the one place where they are named.

Okabe and Ito's, which colour-blind readers can tell apart. Pages take them as CSS variables and as data.
"""

from collections.abc import Sequence

from grok.measures.panels import CURRENT_KEYS, FINAL_KEYS, KEY_FREE

BLUE, ORANGE, GREEN, PINK, AMBER, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
INDIGO, OLIVE = "#4B3FA0", "#9A8C00"
COLOURS = {
    "train": BLUE,
    "test": ORANGE,
    "unseen": AMBER,
    "mirrored": SKY,
    "restricted": GREEN,
    "excluded": PINK,
    "spike": PINK,
    "waves": GREEN,
    "W_E": INDIGO,
    "W_L": OLIVE,
}
# Dash and width of a line: by what its curve is computed by, else by its colour. Print in grey tells them apart.
LINES = {KEY_FREE: ("solid", 2.4), CURRENT_KEYS: ("dash", 1.3), FINAL_KEYS: ("dot", 2.0)}
PLAIN = {"test": ("longdash", 1.5), "unseen": ("dashdot", 1.8), "mirrored": ("dot", 2.0), "W_L": ("longdash", 1.8)}
EVENT_COLOURS = {
    "fitted": BLUE,
    "memorization_end": SKY,
    "cleanup_start": AMBER,
    "generalized": ORANGE,
    "stable": GREEN,
}
# Of each regime, in the order of legends: its colour, and its mark as plotly calls it.
REGIMES = {
    "grokked": (GREEN, "circle"),
    "direct": (SKY, "diamond"),
    "partial": ("#F0E442", "triangle-up"),
    "unfinished": (AMBER, "triangle-right"),
    "memorized": (ORANGE, "square"),
    "unfitted": (PINK, "x"),
    "no run": ("#dddddd", "cross"),  # failed, or not yet begun
}
# Of each regime, so that print in grey tells it apart.
HATCHES = {
    "grokked": "",
    "direct": "----",
    "partial": "....",
    "unfinished": "////",
    "memorized": "xxxx",
    "unfitted": "++++",
    "no run": "",
}
REGIME_COLOURS = {regime: colour for regime, (colour, _) in REGIMES.items()}
CATEGORIES = (BLUE, ORANGE, GREEN, PINK, AMBER, SKY, "#000000", "#B8A800")  # of what has no colour of its own
CYCLE = (BLUE, GREEN, AMBER, ORANGE, PINK, BLUE)  # once around a circle
OTHERS = "#9a9a9a"

# On a dark page: what replaces a colour that is too dark there, or too near to one that was replaced.
ON_DARK = {
    BLUE: "#3b93e0",
    ORANGE: "#f28b3d",
    GREEN: "#2cc39a",
    PINK: "#e09ac2",
    SKY: "#aee0ff",
    "#000000": "#e7e9ec",
    "#B8A800": "#e0d24a",
    INDIGO: "#9d92f0",
    OLIVE: "#d0c040",
}
SHADES = ("#ececec", "#d9e8f5", "#fde9c4", "#d8efdf")  # of the phases in turn
SHADES_ON_DARK = ("#292d33", "#1c3248", "#443717", "#1a3a2a")
PAGE = {
    "paper": "#ffffff",
    "ground": "#f7f7f5",
    "ink": "#1d2129",
    "muted": "#5a6472",
    "line": "#dfe1e4",
    "grid": "#d5d8dc",
    "accent": "#0067a3",
    "note": "#fff6dd",
    "holds": "#00805c",
    "fails": "#c75300",
}
PAGE_ON_DARK = {
    "paper": "#1b1f25",
    "ground": "#13161a",
    "ink": "#e7e9ec",
    "muted": "#a0a9b5",
    "line": "#30363e",
    "grid": "#3a4149",
    "accent": "#6bb7ea",
    "note": "#3a3118",
    "holds": "#3fc79c",
    "fails": "#ff8d45",
}


def line(colour: str, family: str) -> tuple[str, float]:
    """Dash and width of a curve, by the name of its colour and what it is computed by."""
    return LINES.get(family) or PLAIN.get(colour, ("solid", 1.5))


def key_colours(key_frequencies: Sequence[int]) -> dict[int, str]:
    """A colour for each of the first eight key frequencies; a network that has more of them has not decided yet."""
    return dict(zip(key_frequencies, CATEGORIES, strict=False))
