"""Pictures of the algorithm in one network, like the paper's Fig. 3 to 6: one function each."""

import matplotlib
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from grok.claims.facts import NetworkFacts
from grok.figures.curves import legends_above, log_values, mathematical
from grok.figures.labels import above_axis, beside_axis
from grok.figures.palette import OTHERS, PAGE, key_colours
from grok.figures.style import figure_of, head, label_outside, legend_below, new_figure, small, width
from grok.measures.evaluation import Evaluation
from grok.measures.spectra import EXPLAINED


def norms_figure(evaluation: Evaluation, facts: NetworkFacts) -> Figure:
    """Norms of the Fourier components of W_E and W_L (paper Fig. 3).

    One should see a few tall pairs of bars, cos and sin of a frequency about equally tall, over next to nothing.
    """
    named = {"W_E": evaluation.W_E_components, "W_L": evaluation.W_L_components}
    parts = {name: norms for name, norms in named.items() if norms is not None}
    figure, axes, columns = figure_of(len(parts), 12, 4.2, sharex=True)
    for number, (ax, (name, norms)) in enumerate(zip(axes, parts.items(), strict=True)):
        cos, sin = norms[0::2].numpy(), norms[1::2].numpy()
        bars = [
            ax.bar(np.arange(1, len(cos) + 1) - 0.2, cos, 0.4, color=PAGE["ink"], label="cos"),
            ax.bar(np.arange(1, len(sin) + 1) + 0.2, sin, 0.4, color=OTHERS, label="sin"),
        ]
        ax.set(ylabel=f"norm in {mathematical(name)}", xlim=(0, len(cos) + 1))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        above_axis(ax, {k: str(k) for k in facts.key_frequencies})
        head(ax, number, f"{mathematical(name)}, key frequencies numbered", 1.7)
    label_outside(axes, columns, "frequency $k$")
    legend_below(figure, bars)
    return figure


def logit_spectrum_figure(norms: Tensor, facts: NetworkFacts) -> Figure:
    """Norms of the logits' 2-D Fourier components over a and b (paper Fig. 4, right).

    One should see one bright 2×2 block on the diagonal for each key frequency, and dark elsewhere.
    """
    figure = new_figure(0.92 * width() * 7 / small())
    ax = figure.subplots()
    shown = norms.clone()
    shown[0, 0] = torch.nan
    scale = matplotlib.colors.PowerNorm(0.5, vmin=0)  # so that weak blocks show too
    image = ax.imshow(shown.numpy(), norm=scale, cmap="cividis", origin="lower", interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    places = {2 * k - 0.5: str(k) for k in facts.key_frequencies}
    above_axis(ax, places)
    beside_axis(ax, places)
    head(ax, None, "2-D Fourier components of the logits", 1.7)
    ax.set(xlabel="component of $b$: cos, sin of each $k$", ylabel="component of $a$: cos, sin of each $k$")
    figure.colorbar(image, ax=ax, label="norm over classes", pad=0.02)
    return figure


def histogram_figure(facts: NetworkFacts) -> Figure:
    """How much of each neuron its best frequency explains, by frequency (paper Fig. 5).

    One should see most neurons crowded at the right, beyond the dotted line, in the colours of the key frequencies.
    """
    explained, frequency = (np.array(facts.neurons[name]) for name in ("explained", "frequency"))
    colours = key_colours(facts.key_frequencies)
    groups = [explained[frequency == k] for k in colours]
    others = explained[~np.isin(frequency, list(colours))]
    figure = new_figure(6.5)
    ax = figure.subplots()
    ax.hist(
        [*groups, others],
        bins=np.linspace(0, 1, 41).tolist(),
        stacked=True,
        color=[*colours.values(), OTHERS],
        edgecolor=PAGE["paper"],
        linewidth=0.3,
        label=[*(f"$k$ = {k}" for k in colours), "others"],
    )
    ax.axvline(EXPLAINED, color=PAGE["ink"], ls=":", lw=1)
    above = int((explained > EXPLAINED).sum())
    ax.set(xlim=(0, 1), xlabel="share of variance explained by one frequency", ylabel="neurons")
    legends_above([ax], [f"{above} of {len(explained)} neurons above {100 * EXPLAINED:.0f} %"], letters=False)
    return figure


def ablations_figure(facts: NetworkFacts) -> Figure:
    """Loss on all pairs without one frequency at a time, without all keys, and with nothing else (paper Fig. 6).

    One should see all bars but those of the keys end at the network's own loss, and restricted loss below it.
    """
    colours = key_colours(facts.key_frequencies)
    original = facts.losses["original"].all
    figure = new_figure(6.5)
    ax = figure.subplots()
    for row in facts.frequencies:
        k = int(row["k"])
        colour = colours.get(k, OTHERS)
        ax.vlines(k, original, row["loss_without"], color=colour, lw=1.4)
        ax.plot(k, row["loss_without"], "o", ms=3, color=colour)
    lines = {
        "original": ("the network", "-"),
        "restricted sum": ("only the keys (restricted)", "--"),
        "excluded sum": ("without all keys (excluded)", ":"),
    }
    marks = []
    for name, (label, style) in lines.items():
        ax.axhline(facts.losses[name].all, color=PAGE["ink"], ls=style, lw=1)
        marks.append(Line2D([], [], color=PAGE["ink"], ls=style, lw=1, label=label))
    log_values(ax)
    ax.set(xlabel="frequency $k$ removed", ylabel="loss on all pairs [nats]", xlim=(0, len(facts.frequencies) + 1))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    above_axis(ax, {k: str(k) for k in colours})
    head(ax, None, "key frequencies numbered", 1.7)
    legend_below(figure, marks)
    return figure
