"""Pictures of a network whose answers are those of a group other than addition: representations for frequencies."""

import numpy as np
from matplotlib.figure import Figure

from grok.claims import embedding
from grok.claims.facts import NetworkFacts
from grok.figures.curves import mathematical
from grok.figures.labels import above_axis
from grok.figures.palette import PAGE
from grok.figures.style import across, figure_of, head, label_outside, small, width
from grok.measures.evaluation import Evaluation

MOST = 8  # planes


def norms_figure(evaluation: Evaluation, facts: NetworkFacts) -> Figure:
    """Norms of W_E and W_L in each representation, by which keys are told.

    One should see a few tall bars over next to nothing.
    """
    named = {"W_E": evaluation.W_E_components, "W_L": evaluation.W_L_components}
    parts = {name: norms for name, norms in named.items() if norms is not None}
    figure, axes, columns = figure_of(len(parts), 12, 4.2, sharex=True)
    numbers = np.arange(1, evaluation.basis.count + 1)
    for place, (ax, (name, components)) in enumerate(zip(axes, parts.items(), strict=True)):
        ax.bar(numbers, evaluation.basis.strengths(components).numpy(), 0.7, color=PAGE["ink"])
        ax.set(ylabel=f"norm per copy in {mathematical(name)}", xlim=(0, len(numbers) + 1))
        above_axis(ax, {k: evaluation.basis.names[k - 1] for k in facts.key_frequencies})
        head(ax, place, f"{mathematical(name)}, key representations named", 1.7)
    label_outside(axes, columns, "representation")
    return figure


def planes_figure(evaluation: Evaluation, facts: NetworkFacts) -> Figure:
    """The symbols' embedding in the two largest directions of each key representation.

    One should see few places, or places with the group's symmetry: what the representation tells apart.
    """
    assert evaluation.W_E is not None
    elements = evaluation.W_E[:, evaluation.structure.first.argsort()]
    keys = facts.key_frequencies[:MOST] or [1]
    columns = across(len(keys), 2.6)
    side = min(5.0, width() * 7 / small() / columns) + 0.8  # of a plane with its title, in centimetres at 8 points
    figure, axes, _ = figure_of(len(keys), 2.6, side)
    for ax, k in zip(axes, keys, strict=True):
        x, y = embedding.plane(elements, evaluation.basis, k).numpy()
        ax.scatter(x, y, s=7, color=PAGE["ink"], alpha=0.6)
        reach = 1.15 * float(np.abs([x, y]).max() or 1)
        ax.set(title=f"{k}: {evaluation.basis.names[k - 1]}", aspect="equal", xticks=[], yticks=[])
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach))
    return figure
