"""Operations that bring their own symbols, groups by name and tables in a file: which those are, and how many symbols.

Pure text, so that a configuration can have the number without anything that trains.
"""

import math
import re
from pathlib import Path
from typing import Any

from grok.settings.checks import require_room

P = 113  # the modulus of the paper's task, where none is given
NAMED = re.compile(r"Z_[1-9]\d{0,5}(xZ_[1-9]\d{0,5})*|[SAD]_[1-9]\d{0,5}|Q_8")
MOST_BYTES = 50_000_000  # of a table in a file; one of 2,000 symbols has 20 MB
DEGREES = (3, 6)  # of permutations: S_6 has 720 elements, S_7 5,040


def is_group_name(operation: Any) -> bool:
    """Whether this is how a group is named here; it may be one that is too large."""
    return isinstance(operation, str) and NAMED.fullmatch(operation) is not None


def is_file(operation: Any) -> bool:
    """Whether an operation names a table in a file."""
    return isinstance(operation, str) and operation.endswith(".csv")


def degrees(name: str) -> list[int]:
    """The numbers in a group's name."""
    return [int(number) for number in re.findall(r"\d+", name)]


def group_order(name: str) -> int:
    """How many elements the named group has. `ValueError` for one that is too small or too large."""
    kind, numbers = name[0], degrees(name)
    n = numbers[0]
    if kind in "SA" and not DEGREES[0] <= n <= DEGREES[1]:
        raise ValueError(f"`operation` must be {kind}_n with n from {DEGREES[0]} to {DEGREES[1]}. Got {name!r}.")
    if kind == "D" and n < 3:
        raise ValueError(f"`operation` must be D_n with n of 3 or more, the symmetries of a polygon. Got {name!r}.")
    if kind in "SA":
        order = math.factorial(n) // (2 if kind == "A" else 1)
    else:
        order = math.prod(numbers) if kind == "Z" else {"D": 2 * n, "Q": n}[kind]
    if order < 3:
        raise ValueError(f"`operation` must be a group of 3 elements or more. Got {name!r}, which has {order}.")
    require_room("`operation`", f"{name} with its {order:,} elements", 64 * order * order)
    return order


def own_size(operation: Any) -> int:
    """The `p` of an operation that brings its own symbols; else the paper's. What cannot be is refused later."""
    try:
        if is_group_name(operation):
            return group_order(operation)
        if is_file(operation) and Path(operation).stat().st_size <= MOST_BYTES:
            lines = [line for line in Path(operation).read_text("utf-8").splitlines() if line.strip()]
            return len(lines) - bool(lines and lines[0].lstrip().startswith(","))
    except (ValueError, OSError):
        pass
    return P
