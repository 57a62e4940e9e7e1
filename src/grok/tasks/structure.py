"""The group behind a table of answers, where there is one: what waves, turns and representations are of.

Answers have a group where a∘b = α(a)·β(b) for some names α, β of the symbols: a - b is a + (-b), and a/b is a·b⁻¹. Such
a table holds each answer once in every row and column, and its group follows from it: with any two symbols f and g,
α(a) = a∘g and β(b) = f∘b, the product α(a)·β(b) = a∘b is associative for all choices of f and g, or for none (Albert,
Quasigroups I, 1943).
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from jaxtyping import Int
from torch import Tensor

from grok.tasks import fourier, groups, operations
from grok.tasks.bases import Basis, of_characters
from grok.tasks.representations import of_representations


@dataclass(frozen=True, eq=False)
class Structure:
    """A group on the answers, and what measures need of it.

    Args:
        name: of the group, in words.
        basis: of the functions on the answers, in blocks of representations; for plain addition the Fourier basis.
        turn: [y, t] the answer y turned by t: y + t for addition, y·t in the group.
        offset: [y, c] the t that turns y into c.
        identity: the t that turns nothing.
        first: the element that stands for each symbol as a.
        second: the element that stands for each symbol as b.
        number: of each answer in a cyclic group, its discrete logarithm for multiplication; None in addition itself,
            and where the group is not cyclic.
        is_group: False where the answers have no group; the basis and turns are then those of addition, to describe.
    """

    name: str
    basis: Basis
    turn: Int[Tensor, "y=n t=n"]
    offset: Int[Tensor, "y=n c=n"]
    identity: int
    first: Int[Tensor, " a=n"]
    second: Int[Tensor, " b=n"]
    is_group: bool
    number: Int[Tensor, " c=n"] | None = None

    @property
    def has_waves(self) -> bool:
        """Whether the basis is addition's, with the numbers in their own order: cosines and sines."""
        return self.basis is fourier.cyclic(len(self.turn))

    @property
    def order(self) -> list[int] | None:
        """The symbols in the order in which they are numbers that add: by discrete logarithm for multiplication; None
        where they are none."""
        if self.number is not None:
            return [int(x) for x in self.number.argsort()]
        return list(range(len(self.turn))) if self.has_waves else None

    @property
    def words(self) -> str:
        """What frequencies are where they are not those of addition, in a sentence; else empty."""
        names = self.basis.names
        if not self.is_group or self.has_waves:
            return ""
        named = ", ".join(f"{k} is {name}" for k, name in enumerate(names[:12], 1)) + (", …" if len(names) > 12 else "")
        kind = "characters" if self.is_abelian else "representations"
        numbered = "" if names == tuple(str(k) for k in range(1, len(names) + 1)) else f": {named}"
        return f"the answers are those of {self.name}; its {len(names)} {kind} stand for frequencies{numbered}"

    @property
    def is_abelian(self) -> bool:
        """Whether the group is commutative; the operation need not be."""
        return max(self.basis.sizes) <= 2

    def to(self, device: torch.device) -> "Structure":
        """The same on another device."""
        tables = {name: getattr(self, name).to(device) for name in ("turn", "offset", "first", "second")}
        return replace(self, **tables)


def structure(answers: Int[Tensor, "a=n b=n"]) -> Structure:
    """The group behind the answers, or addition's where there is none.

    Where the answer is u·a + v·b + w with u and v invertible it is Z_n with the numbers' own names. Found once a table.
    """
    found = _structure(answers.long().cpu().numpy().tobytes(), len(answers))
    return found if answers.device == torch.device("cpu") else found.to(answers.device)


@lru_cache(maxsize=8)
def _structure(table: bytes, n: int) -> Structure:
    answers = torch.frombuffer(bytearray(table), dtype=torch.int64).view(n, n)
    is_linear = operations.is_linear(answers)
    isotope = None if is_linear else groups.isotope(answers)
    if isotope is None:
        return plain(n, is_linear)
    product, first, second, number = isotope.product, isotope.first, isotope.second, None
    if isotope.is_abelian:
        orders, coordinates = groups.cyclic_factors(product, isotope.identity)
        name, basis = " × ".join(f"Z_{order}" for order in orders), of_characters(orders, coordinates)
        number = coordinates[:, 0] if len(orders) == 1 else None
    else:
        name, basis = f"a non-abelian group of {n} elements", of_representations(product, isotope.identity)
    offset = torch.empty_like(product)
    offset.scatter_(1, product, torch.arange(n).expand(n, n))
    return Structure(name, basis, product, offset, isotope.identity, first, second, is_group=True, number=number)


@lru_cache(maxsize=8)
def plain(n: int, is_group: bool = True) -> Structure:
    """Addition mod n: turns by sums, and the Fourier basis."""
    number = torch.arange(n)
    turn, offset = (number[:, None] + number) % n, (number - number[:, None]) % n
    return Structure(f"Z_{n}", fourier.cyclic(n), turn, offset, 0, number, number, is_group)
