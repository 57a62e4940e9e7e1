"""Maps over all pairs (a, b), each above its fit by waves of one frequency."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from grok.claims import neurons
from grok.claims.anatomy import Anatomy
from grok.claims.facts import NetworkFacts
from grok.figures.style import across, new_figure, small, width
from grok.measures import progress
from grok.measures.evaluation import Evaluation
from grok.tasks import fourier

MOST = 5  # maps


class FittedMap(NamedTuple):
    """A map, its fit, and what stands above each."""

    values: Tensor
    fit: Tensor
    k: int
    name: str
    explained: float


def attention_figure(network: Anatomy, facts: NetworkFacts) -> Figure:
    """Attention to a over (a, b) of each head, above its fit by waves of one frequency k (paper Fig. 4, left).

    Numbers stand in the order of their circle, at k·a mod p, so that any frequency shows one period. One should
    see the lower row like the upper: what is not of that frequency looks like noise.
    """
    to_a = network.pattern[..., 0]
    maps = []
    for h in range(min(to_a.shape[2], MOST)):
        k = int(facts.heads[h]["frequency"])
        fit = _linear_fit(to_a[..., h : h + 1], k)[..., 0]
        maps.append(FittedMap(to_a[..., h], fit, k, f"head {h}", facts.heads[h]["explained"]))
    return _figure(maps, ("attention to $a$", "fit by $wa$, $wb$"), "attention to $a$")


def neurons_figure(evaluation: Evaluation, facts: NetworkFacts) -> Figure:
    """Of each key frequency k, the neuron it explains best, over (a, b), above its polynomial (paper Fig. 4, middle).

    Numbers stand in the order of their circle, as for attention. One should see the lower row like the upper. Each
    neuron is drawn as a share of its largest activation.
    """
    assert evaluation.neurons is not None
    assert evaluation.explained is not None
    maps = []
    for k in facts.key_frequencies[:MOST]:
        n = int(evaluation.explained[k - 1].argmax())
        one = evaluation.neurons[..., n : n + 1]
        fit = progress.on_pairs(neurons.polynomial_rows(one, torch.tensor([k])))[..., 0]
        top = float(one.max()) or 1.0
        explained = float(evaluation.explained[k - 1, n])
        maps.append(FittedMap(one[..., 0] / top, fit / top, k, f"neuron {n}", explained))
    return _figure(maps, ("activation", "polynomial of degree 2"), "share of the neuron's largest activation")


def on_circle(values: Tensor, k: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Values over (a, b) with the numbers in the order of k·a mod p."""
    p = len(values)
    order = torch.from_numpy(np.argsort(k * np.arange(p) % p, kind="stable"))
    return np.asarray(values[order][:, order].numpy())


def _figure(maps: Sequence[FittedMap], rows: tuple[str, str], scale: str) -> Figure:
    columns = across(len(maps), 3.1)
    blocks = -(-len(maps) // columns)
    side = min(4.5, (width() * 7 / small() - 3.6) / columns - 0.25)  # of a map, in centimetres at 8 points
    figure = new_figure(blocks * (2 * side + 2.3) + 0.6)
    axes = figure.subplots(2 * blocks, columns, sharex=True, sharey=True, squeeze=False)
    for ax in axes.flatten():
        ax.set_axis_off()
    for i, shown in enumerate(maps):
        block, column = divmod(i, columns)
        above, below = axes[2 * block : 2 * block + 2, column]
        for ax, values in ((above, shown.values), (below, shown.fit)):
            image = ax.imshow(on_circle(values, shown.k), vmin=0, vmax=1, cmap="cividis", origin="lower")
            ax.set_axis_on()
            ax.tick_params(labelleft=column == 0, labelbottom=ax is below)
            ax.locator_params(nbins=4)
        above.set_title(shown.name)
        below.set_title(f"$k$ = {shown.k}: {100 * shown.explained:.1f} %")
        below.set_xlabel("$kb$ mod $p$")
        if column == 0:
            for ax, name in zip((above, below), rows, strict=True):
                ax.set_ylabel(f"{name}\n$ka$ mod $p$")
    figure.colorbar(image, ax=axes, label=scale, shrink=0.8, aspect=30, pad=0.02)
    return figure


def _linear_fit(values: Tensor, k: int) -> Tensor:
    """The mean plus the waves of one frequency in a and in b alone."""
    p = values.shape[0]
    rows = progress.block_rows(fourier.line_sums(values) / p, [k], "3x3")
    rows[2:] = 0
    return progress.on_pairs(rows) + values.mean((0, 1))
