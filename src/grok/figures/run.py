"""Pictures of a run, like the paper's: one function each, from the run's own tables."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from grok.figures.palette import COLOURS
from grok.figures.style import Phases, draw_curve, save, shade
from grok.measures.catalogue import curves
from grok.measures.panels import FINAL_KEYS, PANELS
from grok.measures.phases import PHASES


def progress_figure(
    metrics: pd.DataFrame, final_keys: pd.DataFrame, phases: Phases, title: str, *files: Path
) -> Figure:
    """The paper's Fig. 7 for this run: every panel that the catalogue places in a run's picture.

    One should see, over the shaded phases: restricted loss fall long before test loss does; excluded loss
    leave its least value where memorization ends and rise; Gini coefficients rise, and squared weights
    fall, most of all in clean-up. Solid: key-free; dashed: by the current key frequencies; dotted: by the
    final network's.
    """
    panels = {name: panel for name, panel in PANELS.items() if panel.in_picture}
    figure = Figure(figsize=(11, 3.7 * -(-len(panels) // 2)), layout="constrained")
    axes = figure.subplots(-(-len(panels) // 2), 2, sharex=True, squeeze=False).flatten()
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    end = float(metrics["step"].max())
    for ax, (name, panel) in zip(axes, panels.items(), strict=False):
        shown = [*(curves(panel.beside) if panel.beside else []), *curves(name)]
        for metric in shown:
            table = final_keys if metric.family == FINAL_KEYS else metrics
            if metric.name in table:
                draw_curve(ax, metric, table["step"], table[metric.name])
        ax.set(ylabel=panel.axis, title=panel.title)
        if panel.log:
            ax.set_yscale("log")
        else:
            ax.set_ylim(0 if ax.dataLim.y0 >= 0 else None, panel.top and 1.02 * panel.top)
        shade(ax, phases, end)
    for ax in axes[max(0, len(panels) - 2) : len(panels)]:
        ax.set_xlabel("step")
    handles = {label: handle for ax in axes for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    labelled = dict(sorted(handles.items(), key=lambda item: item[0] in PHASES))  # curves first
    figure.legend(labelled.values(), labelled.keys(), loc="outside lower center", ncols=5, fontsize=9, frameon=False)
    figure.suptitle(title)
    save(figure, *files)
    return figure


def spectrum_figure(spectra: pd.DataFrame, key_frequencies: Sequence[int] | None, title: str, *files: Path) -> Figure:
    """The paper's Fig. 3 for this run: share of each frequency in W_E and W_L at the end.

    One should see a few tall bars, the key frequencies, over almost nothing in W_L; W_E may hold
    one more than W_L uses.
    """
    matrices = list(spectra["matrix"].unique())
    figure = Figure(figsize=(11, 2.9 * len(matrices)), layout="constrained")
    for ax, matrix in zip(np.atleast_1d(figure.subplots(len(matrices), 1, sharex=True)), matrices, strict=True):
        shares = _shares(spectra, matrix).iloc[-1]
        frequencies = shares.index.astype(int)
        keys = set(key_frequencies or [])
        colours = [COLOURS["test"] if k in keys else COLOURS["train"] for k in frequencies]
        ax.bar(frequencies, shares, color=colours)
        for k in keys:
            ax.annotate(str(k), (k, shares[str(k)]), ha="center", va="bottom", fontsize=9)
        ax.set(
            ylabel="share of squared norm", title=f"${matrix}$  (key frequencies numbered)", xlim=(0, len(shares) + 1)
        )
        ax.margins(y=0.15)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("frequency $k$")
    figure.suptitle(title)
    save(figure, *files)
    return figure


def spectra_figure(
    spectra: pd.DataFrame, key_frequencies: Sequence[int] | None, phases: Phases, title: str, *files: Path
) -> Figure:
    """The share of every frequency over time, W_E above W_L.

    One should see many faint rows at first, and a few bright ones, marked on the right, that
    remain: the frequencies that win.
    """
    matrices = list(spectra["matrix"].unique())
    figure = Figure(figsize=(11, 3.4 * len(matrices)), layout="constrained")
    for ax, matrix in zip(np.atleast_1d(figure.subplots(len(matrices), 1, sharex=True)), matrices, strict=True):
        shares = _shares(spectra, matrix)
        steps = shares.index.to_numpy(dtype=float)
        edges = np.concatenate([steps[:1], (steps[1:] + steps[:-1]) / 2, steps[-1:]])
        frequencies = np.arange(len(shares.columns) + 1) + 0.5
        colours = matplotlib.colors.LogNorm(1e-4, 1.0)
        mesh = ax.pcolormesh(edges, frequencies, shares.to_numpy().T.clip(1e-4), norm=colours, cmap="cividis")
        figure.colorbar(mesh, ax=ax, label="share of squared norm", pad=0.06)
        for k in key_frequencies or []:
            ax.annotate(f"◀ {k}", (1.005, k), xycoords=("axes fraction", "data"), va="center", fontsize=8)
        for when in phases.values():
            if when:
                ax.axvline(when[1], color="white", lw=0.8, ls=":")
        ax.set(ylabel="frequency $k$", title=f"${matrix}$")
        ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("step")
    figure.suptitle(title)
    save(figure, *files)
    return figure


def _shares(spectra: pd.DataFrame, matrix: str) -> pd.DataFrame:
    return spectra[spectra["matrix"] == matrix].set_index("step").drop(columns="matrix")
