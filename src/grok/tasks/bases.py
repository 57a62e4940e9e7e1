"""Orthonormal bases of the functions on a finite group, in blocks: one for each representation of the group.

A block is what left and right translations map into itself: the span of the matrix elements ρ(x) of one irreducible
representation and of its conjugate (2302.03025). For addition mod p the blocks are the frequencies k = 1 … ⌊p/2⌋, with
a cosine and a sine each; for any abelian group its characters, with a real and an imaginary part; for others a
block has D² functions where ρ is a real representation of D dimensions, or fewer.
"""

from collections.abc import Sequence
from itertools import accumulate, product

import torch
from jaxtyping import Float, Int
from torch import Tensor


class Basis:
    """An orthonormal basis of the n functions on a group: the constant first, then block after block.

    The first function of each block is its real character, scaled to norm 1. Blocks are numbered from 1; where code or
    files speak of frequencies k, they are these numbers.

    Args:
        functions: one function a row (float64).
        sizes: how many functions each block has; they and the constant add up to n.
        names: what each block is called.
        degrees: D, how many real dimensions the irreducible representation of each block has.
    """

    def __init__(
        self, functions: Float[Tensor, "row=n x=n"], sizes: Sequence[int], names: Sequence[str], degrees: Sequence[int]
    ) -> None:
        self.functions, self.sizes, self.names, self.degrees = functions, tuple(sizes), tuple(names), tuple(degrees)
        self.starts = (1, *accumulate(self.sizes, initial=1))[1:]
        self._copies = {functions.device: functions}

    @property
    def count(self) -> int:
        """How many blocks there are beside the constant."""
        return len(self.sizes)

    def on(self, device: torch.device | str) -> Float[Tensor, "row=n x=n"]:
        """The functions on a device; copied there once."""
        device = torch.device(device)
        if device not in self._copies:
            self._copies[device] = self.functions.to(device)
        return self._copies[device]

    def rows(self, blocks: Sequence[int]) -> list[int]:
        """The rows of the functions of these blocks."""
        for k in blocks:
            if not 1 <= k <= self.count:
                raise ValueError(f"A frequency must be a whole number from 1 to {self.count}. Got {k}.")
        return [row for k in dict.fromkeys(blocks) for row in range(self.starts[k - 1], self.starts[k])]

    def characters(self, device: torch.device | str = "cpu") -> Float[Tensor, "k x=n"]:
        """The real character of each block, of norm 1: cos w_k x for addition."""
        return self.on(device)[list(self.starts[:-1])]

    def energies(self, squares: Float[Tensor, "component *rest"]) -> Float[Tensor, "k *rest"]:
        """Sums over each block of the squares of components, the constant left out."""
        if self.count == 0:
            return squares[:0]
        if max(self.sizes) == 1:
            return squares.clone()
        block = torch.arange(self.count).repeat_interleave(torch.tensor(self.sizes)).to(squares.device)
        return squares.new_zeros(self.count, *squares.shape[1:]).index_add_(0, block, squares)

    def component_norms(self, table: Float[Tensor, "x=n d"]) -> Float[Tensor, "component"]:
        """The norms over d of the n - 1 components along x, the constant left out."""
        components = self.on(table.device)[1:] @ table.double()
        return components.square().sum(1).sqrt()

    def norms(self, components: Float[Tensor, "component"]) -> Float[Tensor, "k"]:
        """n_k, the joint norm of the components of each block."""
        return self.energies(components.square()).sqrt()

    def strengths(self, components: Float[Tensor, "component"]) -> Float[Tensor, "k"]:
        """n_k over how many copies of its representation a block holds, by which sparsity and keys are told.

        A block of D² functions holds D copies, and D² times the noise of one function; those of abelian groups hold
        one. So noise, the same in every function, has the same strength in every real representation.
        """
        copies = [size / degree for size, degree in zip(self.sizes, self.degrees, strict=True)]
        return self.norms(components) / torch.tensor(copies, dtype=torch.float64, device=components.device)

    def projection(self, table: Float[Tensor, "x=n d"], blocks: Sequence[int]) -> Float[Tensor, "x=n d"]:
        """The part of `table` along x that lies in the given blocks (float64; zero for none)."""
        functions = self.on(table.device)[self.rows(blocks)]
        return functions.T @ (functions @ table.double())


def of_characters(orders: Sequence[int], coordinates: Int[Tensor, "x=n factor"]) -> Basis:
    """The basis of an abelian group Z_m × Z_n × …, whose elements have these coordinates.

    Blocks are pairs of conjugate characters exp 2πi Σ_j k_j x_j / n_j in the order of (k_1, k_2, …), one of each pair:
    the real and the imaginary part, or one function ±1 where the character is real.
    """
    n, exponent = len(coordinates), max(orders)  # the first order is a multiple of all others
    weights = torch.tensor([exponent // order for order in orders])
    functions, sizes, names = [torch.full((n,), n**-0.5, dtype=torch.float64)], [], []
    for k in product(*map(range, orders)):
        conjugate = tuple(-own % order for own, order in zip(k, orders, strict=True))
        if not any(k) or conjugate < k:
            continue
        turns = (coordinates * torch.tensor(k) * weights).sum(1) % exponent  # reduced first: exact for large k·x
        angle = turns.double() * (2 * torch.pi / exponent)
        if conjugate == k:
            functions.append((1 - 2 * (2 * turns // exponent)).double() * n**-0.5)
        else:
            functions += [angle.cos() * (2 / n) ** 0.5, angle.sin() * (2 / n) ** 0.5]
        sizes.append(1 if conjugate == k else 2)
        names.append(str(k[0]) if len(k) == 1 else f"({', '.join(map(str, k))})")
    return Basis(torch.stack(functions), sizes, names, degrees=sizes)
