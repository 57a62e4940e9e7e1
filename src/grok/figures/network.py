"""Pictures of the algorithm in one network, like the paper's Fig. 3 to 6: one function each."""

from collections.abc import Mapping

import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from grok.claims import embedding, neurons
from grok.claims.anatomy import Anatomy
from grok.claims.facts import NetworkFacts
from grok.figures.palette import COLOURS, CYCLE, OTHERS, PAGE, key_colours
from grok.measures import progress
from grok.measures.evaluation import Evaluation
from grok.measures.spectra import EXPLAINED
from grok.tasks import fourier

MOST = 5  # panels side by side
WHEEL = LinearSegmentedColormap.from_list("wheel", CYCLE)


def norms_figure(evaluation: Evaluation, facts: NetworkFacts) -> Figure:
    """Norms of the Fourier components of W_E and W_L (paper Fig. 3).

    One should see a few tall pairs of bars, cos and sin of a frequency about equally tall, over next to nothing.
    """
    named = {"W_E": evaluation.W_E_components, "W_L": evaluation.W_L_components}
    parts = {name: norms for name, norms in named.items() if norms is not None}
    figure = Figure(figsize=(10, 2.9 * len(parts)), layout="constrained")
    for ax, (name, norms) in zip(
        np.atleast_1d(figure.subplots(len(parts), 1, sharex=True)), parts.items(), strict=True
    ):
        if not evaluation.structure.has_waves:
            _representations(ax, evaluation, norms, name)
            continue
        cos, sin = norms[0::2].numpy(), norms[1::2].numpy()
        ax.bar(np.arange(1, len(cos) + 1) - 0.2, cos, 0.4, color=COLOURS["train"], label="cos")
        ax.bar(np.arange(1, len(sin) + 1) + 0.2, sin, 0.4, color=COLOURS["test"], label="sin")
        for k in facts.key_frequencies:
            top = float(norms[fourier_rows(evaluation.p, k)].max())
            ax.annotate(str(k), (k, top), ha="center", va="bottom", fontsize=9)
        ax.set(ylabel="norm", title=f"Fourier components of ${name}$  (key frequencies numbered)")
        ax.margins(x=0.01, y=0.15)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend(frameon=False, ncols=2, loc="upper right", fontsize=9)
    ax.set_xlabel("frequency $k$" if evaluation.structure.has_waves else "representation")
    return figure


def _representations(ax: Axes, evaluation: Evaluation, components: Tensor, name: str) -> None:
    """A bar for the norm of each representation."""
    norms = evaluation.basis.norms(components).numpy()
    numbers = np.arange(1, len(norms) + 1)
    ax.bar(numbers, norms, 0.7, color=COLOURS["train"])
    ax.set(ylabel="norm", title=f"Representations in ${name}$")
    ax.set_xticks(numbers, [f"{k}: {own}" for k, own in enumerate(evaluation.basis.names, 1)], rotation=45)


def fourier_rows(p: int, k: int) -> list[int]:
    """Where cos and sin of frequency k are among the components without the constant."""
    return [row - 1 for row in fourier.rows(p, [k])]


def logit_spectrum_figure(norms: Tensor, facts: NetworkFacts) -> Figure:
    """Norms of the logits' 2-D Fourier components over a and b (paper Fig. 4, right).

    One should see one bright 2×2 block on the diagonal for each key frequency, and dark elsewhere.
    """
    figure = Figure(figsize=(6.6, 5.6), layout="constrained")
    ax = figure.subplots()
    shown = norms.clone()
    shown[0, 0] = torch.nan
    scale = matplotlib.colors.PowerNorm(0.5, vmin=0)  # so that weak blocks show too
    image = ax.imshow(shown.numpy(), norm=scale, cmap="cividis", origin="lower", interpolation="nearest")
    ticks = [2 * k - 0.5 for k in facts.key_frequencies]
    labels = [str(k) for k in facts.key_frequencies]
    ax.set_xticks(ticks, labels)
    ax.set_yticks(ticks, labels)
    ax.set(xlabel="component of $b$ (cos, sin of frequency)", ylabel="component of $a$ (cos, sin of frequency)")
    ax.set_title("2-D Fourier components of the logits")
    figure.colorbar(image, ax=ax, label="norm over classes")
    return figure


def attention_figure(network: Anatomy, facts: NetworkFacts) -> Figure:
    """Attention to a over (a, b) of each head, above its fit by waves of one frequency k (paper Fig. 4, left).

    Numbers stand in the order of their circle, at k·a mod p, so that any frequency shows one period. One should
    see the lower row like the upper: what is not of that frequency looks like noise.
    """
    to_a = network.pattern[..., 0]
    heads = min(to_a.shape[2], MOST)
    figure = Figure(figsize=(2.7 * heads + 0.8, 5.2), layout="constrained")
    axes = figure.subplots(2, heads, sharex=True, sharey=True, squeeze=False)
    for h in range(heads):
        k = int(facts.heads[h]["frequency"])
        fit = _linear_fit(to_a[..., h : h + 1], k)
        for ax, values in zip(axes[:, h], (to_a[..., h], fit[..., 0]), strict=True):
            image = ax.imshow(on_circle(values, k), vmin=0, vmax=1, cmap="cividis", origin="lower")
        axes[0, h].set_title(f"head {h}", fontsize=10)
        axes[1, h].set_title(f"frequency {k}: {100 * facts.heads[h]['explained']:.1f} %", fontsize=10)
        axes[1, h].set_xlabel("$kb$ mod $p$")
    axes[0, 0].set_ylabel("attention to $a$\n$ka$ mod $p$")
    axes[1, 0].set_ylabel("fit by $wa$, $wb$\n$ka$ mod $p$")
    figure.colorbar(image, ax=axes, shrink=0.7)
    return figure


def on_circle(values: Tensor, k: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Values over (a, b) with the numbers in the order of k·a mod p."""
    p = len(values)
    order = torch.from_numpy(np.argsort(k * np.arange(p) % p, kind="stable"))
    return np.asarray(values[order][:, order].numpy())


def _linear_fit(values: Tensor, k: int) -> Tensor:
    """The mean plus the waves of one frequency in a and in b alone."""
    p = values.shape[0]
    rows = progress.block_rows(fourier.line_sums(values) / p, [k], "3x3")
    rows[2:] = 0
    return progress.on_pairs(rows) + values.mean((0, 1))


def neurons_figure(evaluation: Evaluation, facts: NetworkFacts) -> Figure:
    """Of each key frequency k, the neuron it explains best, over (a, b), above its polynomial (paper Fig. 4, middle).

    Numbers stand in the order of their circle, as for attention. One should see the lower row like the upper.
    """
    assert evaluation.neurons is not None
    assert evaluation.explained is not None
    keys = facts.key_frequencies[:MOST]
    figure = Figure(figsize=(2.7 * max(len(keys), 1) + 0.8, 5.2), layout="constrained")
    axes = figure.subplots(2, max(len(keys), 1), sharex=True, sharey=True, squeeze=False)
    for column, k in zip(axes.T, keys, strict=False):
        n = int(evaluation.explained[k - 1].argmax())
        one = evaluation.neurons[..., n : n + 1]
        fit = progress.on_pairs(neurons.polynomial_rows(one, torch.tensor([k])))
        top = float(one.max())
        for ax, values in zip(column, (one, fit), strict=True):
            ax.imshow(on_circle(values[..., 0], k), vmin=0, vmax=top, cmap="cividis", origin="lower")
        column[0].set_title(f"neuron {n}", fontsize=10)
        column[1].set_title(f"frequency {k}: {100 * float(evaluation.explained[k - 1, n]):.1f} %", fontsize=10)
        column[1].set_xlabel("$kb$ mod $p$")
    axes[0, 0].set_ylabel("activation\n$ka$ mod $p$")
    axes[1, 0].set_ylabel("polynomial of degree 2\n$ka$ mod $p$")
    return figure


def histogram_figure(facts: NetworkFacts) -> Figure:
    """How much of each neuron its best frequency explains, by frequency (paper Fig. 5).

    One should see most neurons crowded at the right, beyond the dotted line, in the colours of the key frequencies.
    """
    explained, frequency = (np.array(facts.neurons[name]) for name in ("explained", "frequency"))
    colours = key_colours(facts.key_frequencies)
    groups = [explained[frequency == k] for k in colours]
    others = explained[~np.isin(frequency, list(colours))]
    figure = Figure(figsize=(7.5, 3.8), layout="constrained")
    ax = figure.subplots()
    labels = [f"frequency {k}" for k in colours] + ["others"]
    ax.hist(
        [*groups, others],
        bins=np.linspace(0, 1, 41).tolist(),
        stacked=True,
        color=[*colours.values(), OTHERS],
        label=labels,
    )
    ax.axvline(EXPLAINED, color="black", ls=":", lw=1)
    above = int((explained > EXPLAINED).sum())
    ax.set(
        xlim=(0, 1),
        xlabel="share of the neuron's variance explained by one frequency",
        ylabel="neurons",
        title=f"{above} of {len(explained)} neurons above {100 * EXPLAINED:.0f} %",
    )
    ax.legend(frameon=False, loc="upper left", fontsize=9)
    return figure


def ablations_figure(facts: NetworkFacts) -> Figure:
    """Loss on all pairs without one frequency at a time, without all keys, and with nothing else (paper Fig. 6).

    One should see all bars but those of the keys end at the network's own loss, and restricted loss below it.
    """
    colours = key_colours(facts.key_frequencies)
    original = facts.losses["original"].all
    figure = Figure(figsize=(10, 3.9), layout="constrained")
    ax = figure.subplots()
    for row in facts.frequencies:
        k = int(row["k"])
        colour = colours.get(k, OTHERS)
        ax.vlines(k, original, row["loss_without"], color=colour, lw=2)
        ax.plot(k, row["loss_without"], "o", ms=5, color=colour)
        if k in colours:
            ax.annotate(str(k), (k, row["loss_without"]), (0, 5), textcoords="offset points", ha="center", fontsize=9)
    lines: Mapping[str, tuple[str, str]] = {
        "original": ("the network", "-"),
        "restricted sum": ("only the keys (restricted)", "--"),
        "excluded sum": ("without all keys (excluded)", ":"),
    }
    for name, (label, style) in lines.items():
        ax.axhline(facts.losses[name].all, color="black", ls=style, lw=1, label=label)
    ax.set(yscale="log", xlabel="frequency $k$ removed", ylabel="loss on all pairs [nats]")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.margins(x=0.01, y=0.12)
    figure.legend(frameon=False, ncols=3, loc="outside lower center", fontsize=9)
    return figure


def planes_figure(evaluation: Evaluation, facts: NetworkFacts) -> Figure:
    """The symbols' embedding in the two largest directions of each key representation.

    One should see few points, or points on a figure with the group's symmetry: what the representation tells apart.
    """
    assert evaluation.W_E is not None
    elements = evaluation.W_E[:, evaluation.structure.first.argsort()]
    keys = facts.key_frequencies[:MOST] or [1]
    figure = Figure(figsize=(2.7 * len(keys), 2.9), layout="constrained")
    for ax, k in zip(figure.subplots(1, len(keys), squeeze=False)[0], keys, strict=True):
        x, y = embedding.plane(elements, evaluation.basis, k).numpy()
        ax.scatter(x, y, s=14, c=np.arange(len(x)), cmap="twilight")
        ax.set(title=f"representation {k}: {evaluation.basis.names[k - 1]}", aspect="equal", xticks=[], yticks=[])
    return figure


def circles_figure(W_E: Tensor, facts: NetworkFacts) -> Figure:
    """The numbers' embedding in the plane of each key frequency, joined in steps of one turn of p-th.

    One should see p dots on a circle, each joined to its neighbours on it alone.
    """
    keys = facts.key_frequencies[: 2 * MOST] or [1]
    columns = min(len(keys), MOST)
    figure = Figure(figsize=(2.7 * columns, 2.8 * -(-len(keys) // columns)), layout="constrained")
    axes = figure.subplots(-(-len(keys) // columns), columns, squeeze=False).flatten()
    for ax in axes[len(keys) :]:
        ax.set_axis_off()
    for ax, k in zip(axes, keys, strict=False):
        draw_circle(ax, W_E, k)
    return figure


def draw_circle(ax: Axes, W_E: Tensor, k: int) -> None:
    """The numbers in the plane of frequency k, coloured by their place on the circle."""
    p = W_E.shape[1]
    x, y = embedding.circles(W_E, k).numpy()
    order = np.argsort(k * np.arange(p) % p, kind="stable")
    closed = np.append(order, order[0])
    ax.plot(x[closed], y[closed], color=PAGE["grid"], lw=0.8, zorder=1)
    ax.scatter(x, y, c=k * np.arange(p) % p, cmap=WHEEL, s=14, zorder=2)
    for number in order[np.linspace(0, p, min(p, 8), endpoint=False).astype(int)]:
        ax.annotate(str(number), (x[number] * 1.17, y[number] * 1.17), ha="center", va="center", fontsize=7)
    reach = 1.3 * float(np.abs([x, y]).max() or 1)
    ax.set(title=f"frequency {k}", xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
