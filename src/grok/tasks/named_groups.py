"""Groups by name, as tables with names for their elements: Z_4xZ_6, S_5, A_4, D_5, Q_8."""

import math
from itertools import permutations

import torch
from jaxtyping import Int
from torch import Tensor

from grok.settings.orders import degrees, group_order


def named_group(name: str) -> tuple[Int[Tensor, "a=n b=n"], list[str]]:
    """The table of the named group, and the names of its elements."""
    order = group_order(name)
    if name[0] == "Z":
        return _sums(degrees(name))
    if name[0] == "D":
        return _polygon(order // 2)
    return _quaternions() if name[0] == "Q" else _permutations(degrees(name)[0], even=name[0] == "A")


def _sums(orders: list[int]) -> tuple[Int[Tensor, "a=n b=n"], list[str]]:
    place, table = torch.arange(math.prod(orders)), torch.zeros((), dtype=torch.long)
    coordinates: list[Tensor] = []
    left = place
    for order in reversed(orders):
        coordinates.insert(0, left % order)
        left = left // order
    for x, order in zip(coordinates, orders, strict=True):
        table = table * order + (x[:, None] + x) % order
    if len(orders) == 1:
        return table, [str(x) for x in place.tolist()]
    return table, [f"({','.join(map(str, x))})" for x in torch.stack(coordinates, 1).tolist()]


def _permutations(degree: int, even: bool) -> tuple[Int[Tensor, "a=n b=n"], list[str]]:
    """(a·b)(x) = a(b(x)); in lexicographic order, written in cycles of 1 … degree."""
    all_of_them = [p for p in permutations(range(degree)) if not (even and _is_odd(p))]
    maps = torch.tensor(all_of_them)
    weights = torch.tensor([degree**i for i in reversed(range(degree))])
    codes = (maps * weights).sum(1)  # ascending
    return torch.searchsorted(codes, (maps[:, maps] * weights).sum(2)), [_cycles(p) for p in all_of_them]


def _is_odd(p: tuple[int, ...]) -> bool:
    return sum(p[i] > p[j] for j in range(len(p)) for i in range(j)) % 2 == 1


def _cycles(p: tuple[int, ...]) -> str:
    left, cycles = set(range(len(p))), []
    while left:
        cycle = [min(left)]
        while p[cycle[-1]] != cycle[0]:
            cycle.append(p[cycle[-1]])
        left -= set(cycle)
        cycles += [f"({' '.join(str(x + 1) for x in cycle)})"] if len(cycle) > 1 else []
    return "".join(cycles) or "e"


def _polygon(n: int) -> tuple[Int[Tensor, "a=n b=n"], list[str]]:
    """Turns r^i, then mirrors r^i·s, of an n-gon: s·r = r⁻¹·s."""
    place = torch.arange(2 * n)
    turn, mirror = place % n, place // n
    i = (turn[:, None] + torch.where(mirror[:, None] == 1, -turn, turn)) % n  # r^i s^e r^j s^f = r^(i ± j) s^(e + f)
    table = i + n * ((mirror[:, None] + mirror) % 2)
    return table, [("e" if j == 0 and m == 0 else f"r{j}{'s' * m}") for m in range(2) for j in range(n)]


def _quaternions() -> tuple[Int[Tensor, "a=n b=n"], list[str]]:
    """1, i, j, k and their opposites: i·j = k, i² = j² = k² = -1."""
    units = torch.tensor([[0, 1, 2, 3], [1, 4, 3, 6], [2, 7, 4, 1], [3, 2, 5, 4]])  # 4 and more: opposites
    place = torch.arange(8)
    unit, sign = place % 4, place // 4
    products = units[unit[:, None], unit]
    return (products + 4 * (sign[:, None] + sign)) % 8, ["1", "i", "j", "k", "-1", "-i", "-j", "-k"]
