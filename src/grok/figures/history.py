"""Pictures of how a network came to its algorithm, like the paper's Fig. 13 to 15, and a short animation."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from grok.figures.network import MOST, draw_circle
from grok.figures.palette import COLOURS, OTHERS, key_colours
from grok.figures.style import Phases, shade
from grok.measures import spectra
from grok.tasks import fourier

FRAMES, FRAMES_PER_SECOND = 40, 8


def _frequencies(ax: Axes, history: pd.DataFrame, prefix: str, key_frequencies: Sequence[int]) -> None:
    """A line for each frequency, the key ones in colour."""
    colours = key_colours(key_frequencies)
    suffixes = [str(name).removeprefix(prefix) for name in history if str(name).startswith(prefix)]
    named = [int(suffix) for suffix in suffixes if suffix.isdigit()]
    for k in sorted(named, key=lambda k: k in colours):
        (line,) = ax.plot(history["step"], history[f"{prefix}{k}"], color=colours.get(k, OTHERS), lw=0.5)
        if k in colours:
            line.set(lw=1.8, label=str(k))


def coefficients_figure(history: pd.DataFrame, key_frequencies: Sequence[int], phases: Phases) -> Figure:
    """Coefficients of cos w_k(a+b-c) in the logits over training (paper Fig. 14).

    One should see a few coloured lines, the key frequencies, rise from the grey floor from circuit formation on.
    """
    return _over_training(
        lambda ax: _frequencies(ax, history, "cos_", key_frequencies),
        {"ylabel": "coefficient of $\\cos\\,w_k(a+b-c)$", "title": "the logits' waves"},
        history,
        phases,
    )


def excluded_figure(history: pd.DataFrame, key_frequencies: Sequence[int], phases: Phases) -> Figure:
    """Train loss without the sum waves of one frequency (paper Fig. 15).

    One should see coloured lines, of the key frequencies, leave the grey ones when memorization ends, and stay above.
    """
    return _over_training(
        lambda ax: _frequencies(ax, history, "excluded_", key_frequencies),
        {"ylabel": "train loss [nats]", "yscale": "log", "title": "excluded loss of single frequencies"},
        history,
        phases,
    )


def accuracy_figure(history: pd.DataFrame, phases: Phases) -> Figure:
    """Accuracy of the network and of its key frequencies alone (paper Fig. 13).

    One should see restricted accuracy reach 1 before test accuracy does, and excluded accuracy fall from 1.
    """

    def draw(ax: Axes) -> None:
        for name, label, colour in (
            ("train_accuracy", "train", COLOURS["train"]),
            ("test_accuracy", "test", COLOURS["test"]),
            ("restricted_accuracy", "restricted (all)", COLOURS["restricted"]),
            ("excluded_accuracy", "excluded (train)", COLOURS["excluded"]),
        ):
            ax.plot(history["step"], history[name], color=colour, label=label)

    return _over_training(draw, {"ylabel": "accuracy", "ylim": (0, 1.02), "title": "accuracy"}, history, phases)


def test_set_figure(metrics: pd.DataFrame, history: pd.DataFrame, phases: Phases, p: int) -> Figure:
    """What the test set hides: accuracy, loss and key-free loss where mirrored pairs are told from unseen ones.

    One should see mirrored pairs answered while unseen ones are not, and the key-free loss over all test pairs fall
    long before that over unseen pairs, which falls with the network's own loss on them.

    Args:
        metrics: columns of metrics.csv.
        history: a row for each kept snapshot, with the key-free loss over all test pairs.
        p: the modulus; ln p is the loss of one who guesses.
    """
    figure = Figure(figsize=(7, 6.4), layout="constrained")
    axes = figure.subplots(3, 1, sharex=True)
    generalized = phases.get("generalized")
    end = min(float(metrics["step"].max()), 1.5 * generalized[1] if generalized else math.inf)
    for ax, metric, title in zip(axes, ("accuracy", "loss"), ("a  accuracy", "b  loss"), strict=False):
        for pairs, label in (("train", "trained"), ("mirrored", "mirrored"), ("unseen", "unseen")):
            ax.plot(metrics["step"], metrics[f"{metric}/{pairs}"], color=COLOURS[pairs], label=f"{label} pairs")
        ax.set_title(title, loc="left")
    axes[2].plot(history["step"], history["symmetrized_loss_test"], color=COLOURS["test"], label="all test pairs")
    axes[2].plot(
        metrics["step"], metrics["progress/symmetrized_loss"], color=COLOURS["unseen"], label="unseen pairs alone"
    )
    axes[2].set_title("c  key-free loss over", loc="left")
    for ax in axes:
        shade(ax, phases, end)
    for ax in axes[1:]:
        ax.axhline(math.log(p), color=OTHERS, lw=0.8, ls="--", label="ln p, a guess")
        ax.set(yscale="log", ylabel="nats")
    axes[0].set(ylim=(-0.02, 1.02), ylabel="share right")
    axes[2].set(xlabel="step")
    handles, labels = axes[1].get_legend_handles_labels()
    names = dict(zip(labels, handles, strict=True))
    figure.legend(names.values(), names.keys(), frameon=False, loc="outside lower center", ncols=4, fontsize=9)
    lines = axes[2].get_lines()[:2]
    axes[2].legend(lines, [str(line.get_label()) for line in lines], frameon=False, fontsize=9)
    return figure


def _over_training(
    draw: Callable[[Axes], None], labels: Mapping[str, object], history: pd.DataFrame, phases: Phases
) -> Figure:
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    ax = figure.subplots()
    draw(ax)
    shade(ax, phases, float(history["step"].max()))
    ax.set(xlabel="step", **labels)
    figure.legend(frameon=False, loc="outside lower center", ncols=6, fontsize=9)
    return figure


def animate(embeddings: Mapping[int, Tensor], key_frequencies: Sequence[int], title: str, file: Path) -> None:
    """A GIF of the numbers on the circles of the key frequencies, over the spectrum of W_E, step by step.

    One should see clouds of dots spread into circles while the bars of the key frequencies outgrow all others.

    Args:
        embeddings: W_E over the numbers at each step.
    """
    steps = list(embeddings)
    steps = [steps[i] for i in sorted(set(np.linspace(0, len(steps) - 1, FRAMES).round().astype(int).tolist()))]
    shown = list(key_frequencies[:MOST])
    figure = Figure(figsize=(2.2 * max(len(shown), 2), 4.6), layout="constrained", dpi=80)
    rows = figure.add_gridspec(2, max(len(shown), 1), height_ratios=[2, 1.4])
    circles = [figure.add_subplot(rows[0, i]) for i in range(len(shown))]
    spectrum = figure.add_subplot(rows[1, :])
    colours = key_colours(key_frequencies)

    def frame(step: int) -> list[Axes]:
        for ax, k in zip(circles, shown, strict=True):
            ax.clear()
            draw_circle(ax, embeddings[step], k)
        shares = spectra.shares(fourier.frequency_norms(fourier.component_norms(embeddings[step].T))).numpy()
        spectrum.clear()
        frequencies = range(1, len(shares) + 1)
        spectrum.bar(frequencies, shares, color=[colours.get(k, OTHERS) for k in frequencies])
        spectrum.set(ylim=(0, 0.6), xlabel="frequency $k$", ylabel="share of $W_E$")
        figure.suptitle(f"{title}\nstep {step:,}", fontsize=10)
        return [*circles, spectrum]

    file.parent.mkdir(parents=True, exist_ok=True)
    FuncAnimation(figure, frame, frames=steps).save(file, PillowWriter(fps=FRAMES_PER_SECOND))
