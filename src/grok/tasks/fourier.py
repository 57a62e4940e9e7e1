"""Fourier bases over Z_p. w_k = 2πk/p; the frequencies are k = 1 … ⌊p/2⌋, since k and p - k are one.

Source: paper §3.1 and §4; the order of the rows is the authors' (constant, cos 1, sin 1, cos 2, …).
"""

import functools
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import embedding_bag

from grok.tasks import operations
from grok.tasks.bases import Basis, of_characters


@functools.lru_cache(maxsize=32)
def cyclic(p: int) -> Basis:
    """The Fourier basis of Z_p, with a block for each frequency k = 1 … ⌊p/2⌋."""
    return of_characters([p], torch.arange(p)[:, None])


def basis(p: int, device: torch.device | str = "cpu") -> Float[Tensor, "row=p x=p"]:
    """The orthonormal 1-D Fourier basis, one function a row: constant, cos 1, sin 1, cos 2, sin 2, … (float64).

    For even p a last row ±1/√p is the one wave of frequency p/2, whose sine vanishes.
    """
    return cyclic(p).on(device)


def rows(p: int, frequencies: Sequence[int]) -> list[int]:
    """The rows of `basis(p)` that belong to `frequencies`: cos and sin of each, or the one wave of p/2."""
    return cyclic(p).rows(frequencies)


def component_norms(table: Float[Tensor, "x=p d"]) -> Float[Tensor, "component"]:
    """The norms over d of the p - 1 Fourier components along x, the constant left out (paper Fig. 3)."""
    return cyclic(len(table)).component_norms(table)


def frequency_norms(components: Float[Tensor, "component"]) -> Float[Tensor, "k"]:
    """n_k, the joint norm of the cos and sin component of each frequency k = 1 … ⌊p/2⌋."""
    return cyclic(len(components) + 1).norms(components)


def energies(squares: Float[Tensor, "component *rest"]) -> Float[Tensor, "k *rest"]:
    """Sums of the squares of the cos and of the sin component of each frequency k = 1 … ⌊p/2⌋."""
    return cyclic(len(squares) + 1).energies(squares)


def projection(table: Float[Tensor, "x=p d"], frequencies: Sequence[int]) -> Float[Tensor, "x=p d"]:
    """The part of `table` along x that waves of the given frequencies make up (float64; zero for none)."""
    return cyclic(len(table)).projection(table, frequencies)


@functools.lru_cache(maxsize=8)
def _lines(p: int, device: torch.device) -> Int[Tensor, "line q"]:
    """The p pairs on each line of the table, as rows of the flat table: of one a, of one b, of one a + b, of one
    a - b, p lines each."""
    a, b = operations.all_pairs(p)
    coordinates = [a, b, (a + b) % p, (a - b) % p]
    return torch.cat([x.flatten().argsort(stable=True).view(p, p) for x in coordinates]).to(device)


def line_sums(table: Float[Tensor, "a=p b=p d"]) -> Float[Tensor, "line=4 x=p d"]:
    """Sums over the p pairs of each line of the table: of one a, of one b, of one a + b, of one a - b (float64).

    They carry every wave of a single frequency: {1, cos_k, sin_k} ⊗ {1, cos_k, sin_k} are waves in these four.
    """
    p = table.shape[0]
    lines = _lines(p, table.device)
    return embedding_bag(lines, table.flatten(0, 1), mode="sum").view(4, p, -1).double()
