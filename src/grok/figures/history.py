"""Pictures of how a network came to its algorithm, like the paper's Fig. 13 to 15, and a short animation."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from grok.figures.circles import MOST, draw_circle
from grok.figures.curves import DASHES, Phases, legends_above, log_values, name_phases, shade
from grok.figures.palette import COLOURS, OTHERS, key_colours, line
from grok.figures.style import new_figure
from grok.measures import spectra
from grok.measures.panels import CURRENT_KEYS, KEY_FREE
from grok.tasks import fourier

FRAMES, FRAMES_PER_SECOND = 40, 8


def _frequencies(ax: Axes, history: pd.DataFrame, prefix: str, key_frequencies: Sequence[int]) -> None:
    """A line for each frequency, the key ones in colour."""
    colours = key_colours(key_frequencies)
    suffixes = [str(name).removeprefix(prefix) for name in history if str(name).startswith(prefix)]
    named = [int(suffix) for suffix in suffixes if suffix.isdigit()]
    for k in sorted(named, key=lambda k: k in colours):
        (drawn,) = ax.plot(history["step"], history[f"{prefix}{k}"], color=colours.get(k, OTHERS), lw=0.4)
        if k in colours:
            dash = tuple(DASHES.values())[list(colours).index(k) % len(DASHES)]
            drawn.set(lw=1.4, label=f"$k$ = {k}", linestyle=dash)


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
        {"ylabel": "train loss [nats]", "title": "excluded loss of single frequencies"},
        history,
        phases,
    )


def accuracy_figure(history: pd.DataFrame, phases: Phases) -> Figure:
    """Accuracy of the network and of its key frequencies alone (paper Fig. 13).

    One should see restricted accuracy reach 1 before test accuracy does, and excluded accuracy fall from 1.
    """

    def draw(ax: Axes) -> None:
        for name, label, colour, family in (
            ("train_accuracy", "train", "train", ""),
            ("test_accuracy", "test", "test", ""),
            ("restricted_accuracy", "restricted (all)", "restricted", KEY_FREE),
            ("excluded_accuracy", "excluded (train)", "excluded", CURRENT_KEYS),
        ):
            dash, points = line(colour, family)
            ax.plot(
                history["step"], history[name], color=COLOURS[colour], ls=DASHES[dash], lw=0.75 * points, label=label
            )

    return _over_training(draw, {"ylabel": "accuracy", "ylim": (0, 1.02), "title": "accuracy"}, history, phases)


def _over_training(
    draw: Callable[[Axes], None], labels: Mapping[str, Any], history: pd.DataFrame, phases: Phases
) -> Figure:
    figure = new_figure(7)
    ax = figure.subplots()
    draw(ax)
    if "loss" in labels["title"]:
        log_values(ax)
    shade(ax, phases, history["step"])
    ax.set(xlabel="step", **labels)
    legends_above([ax], [labels["title"]], letters=False)
    name_phases(figure, phases, history["step"])
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
    figure = Figure(figsize=(2.2 * max(len(shown), 2), 4.6), layout="constrained", dpi=100)
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
        figure.suptitle(f"{title}\nstep {step:,}")
        return [*circles, spectrum]

    file.parent.mkdir(parents=True, exist_ok=True)
    FuncAnimation(figure, frame, frames=steps).save(file, PillowWriter(fps=FRAMES_PER_SECOND))
