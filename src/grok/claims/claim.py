"""A claim: a statement of the paper, its number there, and the function that measures it in another network."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from grok.claims.facts import NEEDS, NetworkFacts
from grok.claims.levels import Level, Rule

Measured = float | None | tuple[float | None, str]
LOSS = 2.41e-7  # of the paper's network on all pairs [nats]
FORMS = ("number", "percent", "count", "ratio", "truth")
NOTHING = "there is nothing to measure it on"


@dataclass(frozen=True)
class Paper:
    """What the paper's network has: in words, and the number where it gives one."""

    words: str
    number: float | None = None


@dataclass(frozen=True)
class Claim:
    """One claim, and the function that decides it.

    Args:
        id: its name for good; "…_ratio" is a loss over the original loss.
        section: where the paper states it; App. for its appendices.
        statement: what it says.
        paper: what the paper's network has.
        level: from which value to which it holds; `levels.reported` for a number without a verdict.
        form: how the value is written, of `FORMS`.
        in_groups: what it says of a group other than addition, in the group's own words; empty: the same.
        needs: what a network must have for the claim to apply, of `facts.NEEDS`.
        measure: the value of a network, with a note; or None, with the reason.
    """

    id: str
    section: str
    statement: str
    paper: Paper
    level: Level
    form: str
    in_groups: str
    needs: tuple[str, ...]
    measure: Callable[[NetworkFacts], Measured]

    @property
    def part(self) -> str:
        """What of the network it is about: the name of its module."""
        return self.measure.__module__.rpartition(".")[2]

    @property
    def criterion(self) -> str:
        """From which value to which the claim holds, in words."""
        if not self.level.judges:
            return "a number, no verdict"
        if self.form == "truth":
            return "yes"
        scale, unit = {"percent": (100, " %"), "ratio": (1, " × the loss")}.get(self.form, (1, ""))
        low, high = (f"{scale * x:.4g}" for x in (self.level.least, self.level.most))
        if math.isinf(self.level.most):
            return f"at least {low}{unit}"
        return f"at most {high}{unit}" if math.isinf(self.level.least) else f"{low} to {high}{unit}"

    def measured(self, facts: NetworkFacts) -> tuple[float | None, str]:
        """The value and a note; None and the reason for a network that the claim does not apply to.

        What the claim needs decides first: without it nothing is measured.
        """
        for need in self.needs:
            if need in facts.unmet:
                return None, facts.unmet[need]
        result = self.measure(facts)
        value, note = result if isinstance(result, tuple) else (result, "")
        if value is None:
            return None, note or NOTHING
        return (value, note) if math.isfinite(value) else (None, NOTHING)


def claim(
    id: str,
    section: str,
    statement: str,
    *,
    paper: Paper,
    level: Level | Rule,
    form: str = "number",
    in_groups: str = "",
    needs: tuple[str, ...] = (),
) -> Callable[[Callable[[NetworkFacts], Measured]], Claim]:
    """Make a claim of the function that measures it; a rule is applied to the paper's number."""
    if unknown := set(needs) - set(NEEDS):
        raise ValueError(f"A claim's needs must be of {', '.join(NEEDS)}. {id} has {', '.join(sorted(unknown))}.")
    if form not in FORMS:
        raise ValueError(f"A claim's form must be one of {', '.join(FORMS)}. {id} has {form!r}.")
    if form == "ratio" and "answers" not in needs:
        raise ValueError(f"A ratio to the loss needs a network that answers. {id} does not say so in its needs.")
    if not isinstance(level, Level):
        if paper.number is None:
            raise ValueError(f"A rule needs the paper's number. {id} has words alone: {paper.words!r}.")
        level = level(paper.number)

    def made(measure: Callable[[NetworkFacts], Measured]) -> Claim:
        return Claim(id, section, statement, paper, level, form, in_groups, needs, measure)

    return made


def claims_in(topics: Iterable[ModuleType]) -> list[Claim]:
    """The claims that modules define, in the order in which they define them."""
    members: Iterable[Any] = (member for topic in topics for member in vars(topic).values())
    return [member for member in members if isinstance(member, Claim)]
