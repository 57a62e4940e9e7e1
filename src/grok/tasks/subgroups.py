"""The subgroups of a finite group, from its table, and their cosets."""

from jaxtyping import Int
from torch import Tensor

MOST = 128  # elements of a group whose subgroups are looked for: S_5 has 156 of them, S_6 1,455
MOST_SUBGROUPS = 2_000  # Z_2 to the 7th has 29,212


def subgroups(product: Int[Tensor, "x=n y=n"]) -> list[list[int]] | None:
    """The elements of every subgroup but the trivial one and the whole; None where there are too many to look at.

    Every subgroup is a join of cyclic ones: the cyclic ones are joined until nothing new comes.
    """
    n = len(product)
    if n > MOST:
        return None
    rows: list[list[int]] = product.tolist()
    cyclic = {_generated(rows, [x]): x for x in reversed(range(n))}
    found = {bits: [x] for bits, x in cyclic.items()}  # with generators
    new = dict(found)
    while new:
        joined: dict[int, list[int]] = {}
        for bits, generators in new.items():
            for x in cyclic.values():
                if not bits >> x & 1:
                    joined.setdefault(_generated(rows, [*generators, x]), [*generators, x])
            if len(found) + len(joined) > MOST_SUBGROUPS:
                return None
        new = {bits: generators for bits, generators in joined.items() if bits not in found}
        found |= new
    inner = sorted((bits.bit_count(), bits) for bits in found if 1 < bits.bit_count() < n)
    return [[x for x in range(n) if bits >> x & 1] for _, bits in inner]


def cosets(product: Int[Tensor, "x=n y=n"], members: list[int], left: bool) -> Int[Tensor, " x=n"]:
    """Which coset of a subgroup H each element lies in, xH (left) or Hx, by the coset's least element."""
    of = product[:, members] if left else product[members].T
    return of.min(1).values


def _generated(rows: list[list[int]], generators: list[int]) -> int:
    """The subgroup that some elements generate, a bit for each element."""
    bits, todo = sum(1 << x for x in set(generators)), list(set(generators))
    while todo:
        products = rows[todo.pop()]
        for g in generators:
            if not bits >> products[g] & 1:
                bits |= 1 << products[g]
                todo.append(products[g])
    return bits
