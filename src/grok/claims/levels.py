"""From which value on a claim holds: the rules, applied to the paper's number.

The paper gives numbers for one network (p = 113, 30 % of the pairs, weight decay 1, epoch 40,000), and no level
at which they would stop being true. These rules are this project's own, set before its own runs were looked at.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Level:
    """A claim holds from `least` to `most`, for the reason `why`."""

    least: float = -math.inf
    most: float = math.inf
    why: str = ""

    @property
    def judges(self) -> bool:
        """Whether there is a value at which the claim would not hold."""
        return math.isfinite(self.least) or math.isfinite(self.most)

    def holds(self, value: float) -> bool:
        return self.least <= value <= self.most


Rule = Callable[[float], Level]  # of the paper's number


def explained(share: float) -> Level:
    """What is left unexplained is at most twice what the paper's network leaves."""
    return Level(least=_rounded(1 - 2 * (1 - share)), why="at most twice the paper's rest")


def small(share: float) -> Level:
    """At most twice the paper's share."""
    return Level(most=_rounded(2 * share), why="at most twice the paper's")


def costs_little(ratio: float) -> Level:
    """The loss rises by at most twice the paper's own increase; ratios are to the loss of the network."""
    return Level(most=_rounded(1 + 2 * (ratio - 1)), why="at most twice the paper's increase")


def _rounded(level: float) -> float:
    return round(level, 12)  # 1 - 2 (1 - 0.932) is 0.864


improves = Level(most=1.0, why="at most the loss itself")
changes_nothing = Level(0.9, 1.1, "within a tenth of the loss")
no_increase = Level(most=1.1, why="at most a tenth above the loss")
needed = Level(least=0.99, why="chance level, ln p, but for a hundredth")
sparse = Level(least=0.5, why="a Gini coefficient of one half")
few = Level(most=0.25, why="a quarter of all frequencies")
true = Level(least=1.0, why="as it says")
earlier = Level(least=1.0, why="a step or more")
faster = Level(least=1.0, why="the later rate is at least the earlier")


def reported(why: str) -> Level:
    """No level: the number is given, and why it is no verdict."""
    return Level(why=f"none: {why}")


def ours(least: float = -math.inf, most: float = math.inf, *, why: str) -> Level:
    """A level that no rule gives, and the reason for it."""
    return Level(least, most, f"ours: {why}")
