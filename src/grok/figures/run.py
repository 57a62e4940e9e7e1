"""Pictures of a run, like the paper's: one function each, from the run's own tables."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from grok.figures.palette import COLOURS
from grok.figures.style import Phases, save, shade
from grok.measures.phases import PHASES


def progress_figure(
    metrics: pd.DataFrame, final_keys: pd.DataFrame, phases: Phases, title: str, *files: Path
) -> Figure:
    """The paper's Fig. 7 for this run.

    One should see, over the shaded phases: excluded loss (left) leave its least value where
    memorization ends and rise; restricted loss fall long before test loss does; Gini coefficients
    rise, and squared weights fall, most of all in clean-up. Solid: key-free; dashed: by the keys
    of the moment; dotted: by the final network's keys.
    """
    figure = Figure(figsize=(11, 7.4), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True).flatten()
    step = metrics["step"]
    names = [("excluded", "symmetrized_excluded_loss"), ("restricted", "symmetrized_loss")]
    for ax, (measure, key_free) in zip(axes[:2], names, strict=True):
        ax.plot(step, metrics["loss/train"], color=COLOURS["train"], lw=1, label="train loss")
        ax.plot(step, metrics["loss/test"], color=COLOURS["test"], lw=1, label="test loss")
        colour = COLOURS[measure]
        ax.plot(step, metrics[f"progress/{key_free}"], color=colour, lw=2, label=f"{measure}, key-free")
        if f"progress/{measure}_loss" in metrics:
            ax.plot(
                step, metrics[f"progress/{measure}_loss"], color=colour, lw=1, ls="--", label=f"{measure}, current keys"
            )
        if f"final_keys/{measure}_loss" in final_keys:
            ax.plot(
                final_keys["step"],
                final_keys[f"final_keys/{measure}_loss"],
                color="black",
                lw=1.4,
                ls=":",
                label=f"{measure}, final keys",
            )
        ax.set(yscale="log", ylabel="loss [nats]", title=f"{measure} loss")
    for matrix in ("W_E", "W_L"):
        if f"progress/gini_{matrix}" in metrics:
            label = f"Gini of ${matrix}$"
            axes[2].plot(step, metrics[f"progress/gini_{matrix}"], color=COLOURS[matrix], label=label)
    axes[2].set(ylim=(0, 1), ylabel="Gini coefficient", xlabel="step", title="sparsity of the Fourier norms")
    axes[3].plot(step, metrics["progress/sum_squared_weights"], color="black", label="squared weights")
    axes[3].set(ylim=(0, None), ylabel="sum of squares", xlabel="step", title="squared weights")
    for ax in axes:
        shade(ax, phases, float(step.max()))
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
