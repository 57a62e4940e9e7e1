"""Write the table "published numbers reproduced" from networks that other people published.

python docs/published.py <name>=<file> … [output=<file>.md]

The files are theirs, are not part of this project, and are given by their paths; a name without a file is a row "not
provided". Numbers are of all pairs, but for losses on training and test pairs where the split is known.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grok.analysis.arguments import KNOWN
from grok.analysis.examination import Examination, examination
from grok.claims.statements import CLAIMS
from grok.networks import layouts, weight_files
from grok.networks.subject import of_file

Value = float | list[int] | tuple[float, float]  # a number, key frequencies, or a band from … to
CLAIM = {claim.id: claim for claim in CLAIMS}
HEAD = ("network", "quantity", "published", "computed", "deviation")
NOT_PROVIDED = "not provided"


@dataclass(frozen=True)
class Quantity:
    """One published number, and what it is here."""

    name: str
    published: Value
    measure: Callable[[Examination], float | list[int] | None]


@dataclass(frozen=True)
class Published:
    """One published network: what it is, how it is read where its file does not say, and its numbers."""

    what: str
    quantities: Sequence[Quantity]
    settings: Mapping[str, Any] = field(default_factory=dict)


def claimed(*names: str, **published: float) -> list[Quantity]:
    """Numbers that are claims: the paper's own by name, others with their values."""

    def measure(name: str) -> Callable[[Examination], float | None]:
        return lambda examined: CLAIM[name].measured(examined.facts)[0]

    own = {name: number for name in names if (number := CLAIM[name].paper.number) is not None}
    return [Quantity(CLAIM[name].id, number, measure(name)) for name, number in {**own, **published}.items()]


def keys(*frequencies: int) -> Quantity:
    """The key frequencies of a network."""
    return Quantity("key frequencies", list(frequencies), lambda examined: examined.facts.key_frequencies)


def key_count(low: float, high: float) -> Quantity:
    """How many key frequencies there are, as a band over several networks."""
    return Quantity("key frequencies, how many", (low, high), lambda examined: len(examined.facts.key_frequencies))


def loss(side: str, published: float) -> Quantity:
    """The loss on the train, test or all pairs [nats]."""
    return Quantity(f"loss, {side} pairs", published, lambda examined: getattr(examined.facts.losses["original"], side))


def logits_explained(low: float, high: float) -> Quantity:
    """The share of the logits' variance in the key frequencies' cosines, as a band over several networks."""
    return Quantity("logits_fit", (low, high), lambda examined: CLAIM["logits_fit"].measured(examined.facts)[0])


PAPER = [claim.id for claim in CLAIMS if claim.level.judges and claim.paper.number is not None]
ANY_SPLIT = {"data.train_fraction": 0.8, "data.seed": 0}  # none is known: their numbers are of all pairs
GROUPS = {"data.train_fraction": 0.3, "data.seed": 0}
NETWORKS = {
    "mainline": Published(
        "2301.05217, epoch 40,000",
        [keys(14, 35, 41, 42, 52), loss("all", 2.4122e-7), *claimed(*PAPER)],
        {"step": 40_000, "data.train_fraction": 0.3, "data.seed": 0},
    ),
    "no_wd": Published(
        "2301.05217, mod_addition_no_wd.pth, which is a 90 % run",
        [loss("train", 1.681e-10), loss("test", 1.110e-6)],
        {"data.train_fraction": 0.9, "data.seed": 0},
    ),
    "pizza": Published(
        "2306.17844, model A",
        claimed(gradient_symmetricity=0.9937, distance_irrelevance=0.17),
        ANY_SPLIT,
    ),
    "clock": Published(
        "2306.17844, model B",
        claimed(gradient_symmetricity=0.3336, distance_irrelevance=0.85),
        ANY_SPLIT,
    ),
    **{
        f"C113_{number}": Published(
            f"2302.03025, transformer {number}", [keys(*frequencies), logits_explained(0.952, 0.979)], GROUPS
        )
        for number, frequencies in enumerate([(16, 30, 56), (43, 49, 52, 53), (19, 25, 33, 56), (11, 12, 18)], 1)
    },
    "C113_mlp": Published("2302.03025, an MLP", [key_count(10, 15), logits_explained(0.927, 0.981)], GROUPS),
}


def examined(name: str, file: Path) -> Examination:
    """The published network in a file."""
    settings = {**KNOWN, **NETWORKS[name].settings}
    if len(layouts.states(weight_files.content(file))) < 2:
        settings["step"] = "last"  # the one network of its file
    subject = of_file(file, settings)
    return examination(subject, None, "W_L")


def table(files: Mapping[str, Path]) -> str:
    """Every published number beside the one computed here, and how far they are apart."""
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    for name, network in NETWORKS.items():
        here = examined(name, files[name]) if name in files else None
        for quantity in network.quantities:
            value = None if here is None else quantity.measure(here)
            computed = NOT_PROVIDED if here is None else "does not apply" if value is None else written(value)
            away = "" if value is None else deviation(quantity.published, value)
            cells = f"{name} ({network.what})", quantity.name, written(quantity.published), computed, away
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def written(value: Value) -> str:
    """A number, key frequencies or a band, in words."""
    if isinstance(value, list):
        return " ".join(map(str, value)) or "none"
    return f"{value[0]:.4g} to {value[1]:.4g}" if isinstance(value, tuple) else f"{value:.4g}"


def deviation(published: Value, computed: float | list[int]) -> str:
    """How far the computed value is from the published one: in percent of that, or in frequencies."""
    if isinstance(published, list) or isinstance(computed, list):
        other = sorted({*_listed(published)} ^ {*_listed(computed)})
        return f"differ in {written(other)}" if other else "same"
    low, high = published if isinstance(published, tuple) else (published, published)
    if isinstance(published, tuple) and low <= computed <= high:
        return "inside"
    nearest = min(max(computed, low), high)
    return f"{100 * (computed / nearest - 1):+.2g} %" if nearest else f"{computed:+.2g}"


def _listed(value: Value) -> list[int]:
    return value if isinstance(value, list) else []


def published(arguments: Sequence[str]) -> str:
    """The table for files given as name=path, written to output=<file> where that is given.

    Raises `ValueError` for other arguments.
    """
    given = dict(argument.partition("=")[::2] for argument in arguments)
    output = given.pop("output", None)
    for name, path in given.items():
        if name not in NETWORKS or not path:
            raise ValueError(f"The files are name=path, with a name of {', '.join(NETWORKS)}. Got {name}={path}.")
    text = "# Published numbers reproduced\n\n" + table({name: Path(path) for name, path in given.items()})
    if output:
        Path(output).write_text(text)
    return text


if __name__ == "__main__":
    try:
        print(published(sys.argv[1:]), end="")
    except ValueError as error:
        sys.exit(str(error))
