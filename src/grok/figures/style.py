"""The style of all pictures, applied in one place: fonts, sizes, widths, formats, and panels side by side."""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from grok.settings.figure_style import FigureStyle

INCH, POINT = 2.54, 2.54 / 72  # centimetres
SMALL = 0.875  # numbers and legends, to the size of text
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@contextmanager
def applied(style: FigureStyle) -> Iterator[None]:
    """Figures that are made and saved within have this style."""
    small = SMALL * style.size
    settings: Any = {
        "font.family": {"sans": "DejaVu Sans", "serif": ["STIXGeneral", "DejaVu Serif"]}[style.font],
        "mathtext.fontset": {"sans": "dejavusans", "serif": "stix"}[style.font],
        "font.size": style.size,
        "axes.titlesize": style.size,
        "axes.labelsize": style.size,
        "figure.titlesize": style.size,
        "xtick.labelsize": small,
        "ytick.labelsize": small,
        "legend.fontsize": small,
        "legend.frameon": False,
        "legend.borderpad": 0.0,
        "legend.labelspacing": 0.3,
        "legend.handletextpad": 0.5,
        "legend.columnspacing": 1.2,
        "axes.linewidth": 0.6,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.minor.width": 0.4,
        "ytick.minor.width": 0.4,
        "figure.figsize": (style.centimetres / INCH, style.centimetres / INCH),
        "figure.dpi": 130,
        "savefig.dpi": 300,
        "pdf.fonttype": 42,  # text that stays text
        "figure.constrained_layout.h_pad": 0.03,
        "figure.constrained_layout.w_pad": 0.03,
    }
    with matplotlib.rc_context(settings):
        yield


def draw(style: FigureStyle, picture: Callable[[], Figure], to: Path) -> list[Path]:
    """Make a picture and write it in every format of the style; the files, `to` with their suffixes."""
    files = [to.with_name(f"{to.name}.{suffix}") for suffix in style.formats]
    with applied(style):
        figure = picture()
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(file)
    return files


def width() -> float:
    """Of figures in the present style, in centimetres."""
    return float(matplotlib.rcParams["figure.figsize"][0]) * INCH


def small() -> float:
    """Of numbers and legends, in points."""
    return SMALL * float(matplotlib.rcParams["font.size"])


def across(panels: int, least: float) -> int:
    """How many of so many panels have room side by side, each at least so many centimetres wide."""
    room = max(1, int(width() / (least * small() / 7)))
    return max(1, min(panels, room))


def figure_of(
    panels: int, least: float, height: float, below: float = 0, **shared: Any
) -> tuple[Figure, list[Axes], int]:
    """A figure of panels in rows: itself, their axes, and how many stand in a row.

    Args:
        least: width of a panel, in centimetres, at 8 points.
        height: of a row, in centimetres, at 8 points.
        below: of a legend below all panels.
        shared: what `subplots` takes.
    """
    columns = across(panels, least)
    rows = -(-panels // columns)
    figure = new_figure(rows * height + below)
    axes = list(figure.subplots(rows, columns, squeeze=False, **shared).flatten())
    for ax in axes[panels:]:
        ax.set_axis_off()
    return figure, axes[:panels], columns


def new_figure(height: float) -> Figure:
    """A figure of the style's width and of so many centimetres at 8 points."""
    return Figure(figsize=(width() / INCH, height * (small() / 7) / INCH), layout="constrained")


def label_outside(axes: Sequence[Axes], columns: int, x: str, y: str = "") -> None:
    """Name the axes where no other panel stands below, or to the left."""
    for i, ax in enumerate(axes):
        if i + columns >= len(axes):
            ax.set_xlabel(x)
            ax.tick_params(labelbottom=True)
        if y and i % columns == 0:
            ax.set_ylabel(y)


def head(ax: Axes, number: int | None, title: str, lines: float = 0) -> None:
    """A panel's letter and title, above so many lines of small text."""
    pad = 4 + lines * 1.3 * small()
    ax.set_title(title, pad=pad)
    if number is not None:
        place = (-3 * small(), pad)  # left of what stands above the axes
        ax.annotate(
            LETTERS[number], (0, 1), place, xycoords="axes fraction", textcoords="offset points", fontweight="bold"
        )


def legend_below(figure: Figure, handles: Sequence[Any], title: str | None = None) -> None:
    """One legend below all panels, in as many columns as the width has room for."""
    if handles:
        labels = [str(handle.get_label()) for handle in handles]
        columns = columns_of(labels, width() / POINT)
        words = title and textwrap.fill(title, int(width() / POINT / (0.58 * small() / SMALL)), break_on_hyphens=False)
        legend = figure.legend(handles=list(handles), loc="outside lower center", ncols=columns, title=words)
        legend.get_title().set_multialignment("center")


def columns_of(labels: Sequence[str], points: float) -> int:
    """How many entries of a legend have room side by side in so many points."""
    letters = max(map(len, labels))
    return max(1, min(len(labels), int(points / ((0.56 * letters + 4.2) * small()))))
