"""The real representations of a finite group, from its table alone.

A class function f with f(g) = f(g⁻¹) makes a symmetric matrix f(x⁻¹y) that commutes with all translations. Its
eigenspaces are the blocks of `grok.tasks.bases`, and for a random f no two blocks share an eigenvalue: one
diagonalisation finds all. How many there are is known beforehand, one for each class of {g, g⁻¹}, so that a chance
meeting of two eigenvalues is noticed, and f drawn anew.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grok.tasks.bases import Basis

APART = 1e-6  # of the eigenvalues' range: blocks that are further apart are told apart to 1e-9
DRAWS = 50


def inverses(product: Int[Tensor, "x=n y=n"], identity: int) -> Int[Tensor, " x=n"]:
    """The inverse of each element of a group."""
    return (product == identity).int().argmax(1)


def real_classes(product: Int[Tensor, "x=n y=n"], identity: int) -> Int[Tensor, " x=n"]:
    """The class of each element under conjugation and inversion, numbered from 0; as many as real representations."""
    inverse = inverses(product, identity)
    conjugates = product[product, inverse[:, None]]  # [x, g] = x g x⁻¹
    smallest = conjugates.min(0).values
    label: Tensor = torch.minimum(smallest, smallest[inverse]).unique(return_inverse=True)[1]  # type: ignore[no-untyped-call]
    return label


def of_representations(product: Int[Tensor, "x=n y=n"], identity: int) -> Basis:
    """The basis of a group that need not be abelian, in blocks of the matrix elements of its representations.

    Blocks are in the order of their sizes, and of their characters; names are the degree and a letter: 4a, 4b.
    """
    blocks = sorted(_blocks(product, identity), key=lambda block: _place(block, identity))
    functions = torch.cat([_from_character(block, identity) for block in blocks], dim=1).T
    degrees = [_degree(block, product, identity) for block in blocks[1:]]
    names = [f"{D}{_letters(degrees[:i].count(D))}" for i, D in enumerate(degrees)]
    return Basis(functions.contiguous(), [block.shape[1] for block in blocks[1:]], names, degrees)


def matrices(basis: Basis, k: int, product: Int[Tensor, "x=n y=n"], identity: int) -> Float[Tensor, "x=n D D"]:
    """ρ(x) for every element: orthogonal matrices of the irreducible real representation of block k.

    An eigenspace of a random symmetric convolution from the right, in which all left translations stay.
    """
    inverse, block = inverses(product, identity), basis.functions[basis.rows([k])].T
    drawn = torch.rand(len(product), generator=torch.Generator().manual_seed(k), dtype=torch.float64)
    convolution = (drawn + drawn[inverse])[product[inverse]]  # [x, y] = u(x⁻¹y)
    space = block @ torch.linalg.eigh(block.T @ convolution @ block).eigenvectors[:, : basis.degrees[k - 1]]
    found: Tensor = torch.einsum("gi,hgj->hij", space, space[product[inverse]])  # space at h⁻¹g
    return found


def _blocks(product: Int[Tensor, "x=n y=n"], identity: int) -> list[Float[Tensor, "x=n size"]]:
    inverse, label = inverses(product, identity), real_classes(product, identity)
    count = int(label.max()) + 1
    generator = torch.Generator().manual_seed(0)
    for _ in range(DRAWS):
        f = torch.rand(count, generator=generator, dtype=torch.float64)[label]
        values, vectors = torch.linalg.eigh(f[product[inverse]])
        # the sum of f, the eigenvalue of the constant, is far above all others
        gaps = values.diff()
        cuts = gaps.topk(count - 1).indices.sort().values
        rest = gaps.clone()
        rest[cuts] = 0
        if gaps[cuts].min() > APART * (values[-2] - values[0]) > 100 * rest.max():
            return list(vectors.tensor_split((cuts + 1).tolist(), dim=1))
    raise ValueError(f"The table must be a group's. Its {count} classes have no {count} representations.")


def _character(block: Float[Tensor, "x=n size"], identity: int) -> Float[Tensor, " x=n"]:
    """The block's reproducing function at the identity: D/n times the real character, over the number of its kinds."""
    return block @ block[identity]


def _place(block: Float[Tensor, "x=n size"], identity: int) -> tuple[bool, int, list[float]]:
    """The constant first, then by size, then by character; the same on every machine."""
    character = _character(block, identity)
    is_constant = bool(character.min() > 0) and block.shape[1] == 1
    return not is_constant, block.shape[1], [-round(x, 6) for x in character.tolist()]


def _from_character(block: Float[Tensor, "x=n size"], identity: int) -> Float[Tensor, "x=n size"]:
    """The block with another basis, whose first function is the character of norm 1: a reflection takes it there."""
    first = block[identity] / block[identity].norm()
    mirror = -first
    mirror[0] += 1
    if mirror.norm() < 1e-12:
        return block
    mirror /= mirror.norm()
    mirrored: Tensor = block - 2 * (block @ mirror)[:, None] * mirror
    return mirrored


def _degree(block: Float[Tensor, "x=n size"], product: Int[Tensor, "x=n y=n"], identity: int) -> int:
    """D by Frobenius and Schur: the character's sum over squares is √size, 0 or -√size where ρ is real, complex or
    quaternionic."""
    size = block.shape[1]
    indicator = float(_character(block, identity)[product.diagonal()].sum())
    if abs(indicator) < 0.5:
        return round(math.sqrt(2 * size))
    return round(math.sqrt(size)) * (1 if indicator > 0 else 2)


def _letters(number: int) -> str:
    """a, b, …, z, ba, …: a number with letters for digits."""
    digits = chr(ord("a") + number % 26)
    return digits if number < 26 else _letters(number // 26) + digits
