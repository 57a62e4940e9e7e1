"""Every task as a table: its symbols, the answer of each pair of them, and what kind of table that is."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor

from grok.settings.checks import require_pairs_fit, require_whole
from grok.settings.orders import MOST_BYTES, is_file, is_group_name
from grok.tasks import groups, operations
from grok.tasks.named_groups import named_group

UNITS = ("multiplication", "division")  # of numbers that have an inverse mod p
RANDOM = "random"
LARGEST = 2_000  # symbols of a table in a file


@dataclass(frozen=True)
class Table:
    """The answer of every pair of symbols, and what the symbols are called."""

    answers: Int[Tensor, "a=n b=n"]
    symbols: tuple[str, ...]


def table(operation: str, p: int, seed: int = 0) -> Table:
    """The table of an operation: a name, a group's name, a Cayley table's file, or a function's import path.

    Args:
        operation: see `operations.CHOICES`.
        p: the modulus; for a group or a file, the number of its elements.
        seed: of the table `random`.
    """
    require_whole("p", p, 3)
    if is_group_name(operation) or is_file(operation):
        answers, names = named_group(operation) if is_group_name(operation) else read_table(Path(operation))
        if p != len(answers):
            raise ValueError(
                f"`p` must be the number of symbols of {operation}, {len(answers)}, or not be given. Got {p}."
            )
        return Table(answers, tuple(names))
    require_pairs_fit(p)
    if operation in UNITS:
        return _of_units(operation, p)
    numbers = tuple(map(str, range(p)))
    if operation == RANDOM:
        require_whole("seed", seed, 0)
        drawn = torch.randint(p, (p, p), generator=torch.Generator().manual_seed(seed % 2**63))
        return Table(drawn, numbers)
    return Table(operations.answers(operations.operation_named(operation), p), numbers)


def is_built_in(operation: object) -> bool:
    """Whether an operation is this project's own: neither a file nor a function of somebody's."""
    return operation in (*operations.OPERATIONS, *UNITS, RANDOM) or is_group_name(operation)


def _of_units(operation: str, p: int) -> Table:
    """Products a·b or quotients a·b⁻¹ of the numbers from 1 to p - 1 that have an inverse mod p."""
    units = [x for x in range(1, p) if math.gcd(x, p) == 1]
    if len(units) < 3:
        raise ValueError(f"`p` must leave 3 or more numbers with an inverse for {operation}. Got {p}.")
    unit = torch.tensor(units)
    second = unit if operation == "multiplication" else torch.tensor([pow(x, -1, p) for x in units])
    return Table(torch.searchsorted(unit, unit[:, None] * second % p), tuple(map(str, units)))


def read_table(file: Path) -> tuple[Int[Tensor, "a=n b=n"], list[str]]:
    """A Cayley table from a CSV file, and the names of its symbols.

    n lines of n numbers from 0 to n - 1; or with a first line and a first column of names, in one order, whose common
    corner is empty, and names for answers.
    """
    if not file.is_file():
        raise ValueError(f"`operation` must be a file that is there. Got {str(file)!r}.")
    if (size := file.stat().st_size) > MOST_BYTES:
        raise ValueError(f"`operation` must be a file of at most {MOST_BYTES:,} bytes. {file} has {size:,}.")
    try:
        lines = [[cell.strip() for cell in line] for line in csv.reader(file.read_text("utf-8").splitlines()) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"`operation` must be a CSV file. {file} is none: {error}.") from error
    if has_names := bool(lines) and lines[0][0] == "":
        names, cells = lines[0][1:], [line[1:] for line in lines[1:]]
        if len(set(names)) != len(names) or [line[0] for line in lines[1:]] != names:
            raise ValueError(
                f"`operation` must name each symbol once, in one order for lines and columns. {file} does not."
            )
    else:
        names, cells = [str(x) for x in range(len(lines))], lines
    if not 3 <= len(names) <= LARGEST or len(cells) != len(names):
        raise ValueError(
            f"`operation` must be a square table of 3 to {LARGEST:,} symbols. {file} has {len(cells)} lines"
            f" for {len(names)} symbols."
        )
    place = {name: x for x, name in enumerate(names)}
    for i, line in enumerate(cells):
        if len(line) != len(names):
            raise ValueError(
                f"`operation` must be a square table. Line {i + 1 + has_names} of {file} has {len(line)} answers for"
                f" {len(names)} symbols."
            )
        if outside := [cell for cell in line if cell not in place]:
            raise ValueError(
                f"`operation` must answer with its own symbols, {names[0]} to {names[-1]}. Line {i + 1 + has_names} of"
                f" {file} has {outside[0][:40]!r}."
            )
    return torch.tensor([[place[cell] for cell in line] for line in cells]), names


def properties(answers: Int[Tensor, "a=n b=n"], symbols: Sequence[str]) -> str:
    """What kind of table this is, in words: associative, with an identity and inverses, commutative; a group or not.

    It is closed in any case: what answers outside its symbols is no table here.
    """
    found = ["closed"]
    unlike = groups.not_associative(answers)
    if unlike is None:
        found.append("associative")
    else:
        a, b, c = (symbols[x] for x in unlike)
        found.append(f"not associative, as ({a}·{b})·{c} is not {a}·({b}·{c})")
    identity = groups.identity_of(answers)
    found.append("no identity" if identity is None else f"identity {symbols[identity]}")
    latin = groups.is_latin(answers)
    if identity is not None:
        both = answers.eq(identity) & answers.T.eq(identity)
        without = (~both.any(1)).nonzero().flatten().tolist()
        found.append(f"no inverse of {symbols[without[0]]}" if without else "inverses")
    elif latin:
        found.append("each symbol once in every row and column (a quasigroup)")
    found.append("commutative" if bool((answers == answers.T).all()) else "not commutative")
    return ", ".join(found)
