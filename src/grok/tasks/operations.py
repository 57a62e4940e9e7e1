"""The task: all p² pairs (a, b), their answers, and which of them are for training.

Source: paper §3; the split is the authors' own, drawn with CPython's `random`.
"""

import math
import pkgutil
from collections.abc import Callable

import torch
from jaxtyping import Int
from torch import Tensor

from grok.settings.checks import require_pairs_fit

Operation = Callable[[Tensor, Tensor, int], Tensor]


def addition(a: Tensor, b: Tensor, p: int) -> Tensor:
    """(a + b) mod p, the paper's task."""
    return (a + b) % p


def subtraction(a: Tensor, b: Tensor, p: int) -> Tensor:
    """(a - b) mod p."""
    return (a - b) % p


def quadratic(a: Tensor, b: Tensor, p: int) -> Tensor:
    """(a² + ab + b²) mod p, which no wave in a + b or a - b describes."""
    return (a * a + a * b + b * b) % p


def squares(a: Tensor, b: Tensor, p: int) -> Tensor:
    """(a² + b²) mod p."""
    return (a * a + b * b) % p


def cubic(a: Tensor, b: Tensor, p: int) -> Tensor:
    """(a³ + ab) mod p."""
    return (a * a % p * a + a * b) % p


OPERATIONS: dict[str, Operation] = {
    "addition": addition,
    "subtraction": subtraction,
    "x2+xy+y2": quadratic,
    "x2+y2": squares,
    "x3+xy": cubic,
}
OTHERS = "multiplication, division, random"  # see `grok.tasks.tables`
CHOICES = (
    f"one of {', '.join(OPERATIONS)}, {OTHERS}; a group such as Z_4xZ_6, S_5, A_4, D_5 or Q_8; a Cayley table in a file"
    " such as mine.csv; or the import path of a function (a, b, p) -> c such as mypkg.myop"
)


def operation_named(name: str) -> Operation:
    """The function called `name`: one of `OPERATIONS`, or an import path such as `mypkg.myop`.

    Raises `ValueError` for other names.
    """
    if name in OPERATIONS:
        return OPERATIONS[name]
    if not isinstance(name, str) or "." not in name:
        raise ValueError(f"`operation` must be {CHOICES}. Got {name!r}.")
    try:
        found = pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"`operation` must be {CHOICES}. Got {name!r}: {error}.") from error
    if not callable(found):
        raise ValueError(f"`operation` must be {CHOICES}. Got {name!r}, which cannot be called.")
    return found  # type: ignore[no-any-return]


def all_pairs(p: int) -> tuple[Int[Tensor, "a=p b=p"], Int[Tensor, "a=p b=p"]]:
    """The grids of a and of b over all p² pairs, in lexicographic order."""
    numbers = torch.arange(p)
    a, b = torch.meshgrid(numbers, numbers, indexing="ij")
    return a, b


def answers(operation: Operation, p: int) -> Int[Tensor, "a=p b=p"]:
    """The answer c of every pair, an integer from 0 to p - 1.

    Raises `ValueError` where the operation answers anything else.
    """
    require_pairs_fit(p)
    a, b = all_pairs(p)
    c = operation(a, b, p)
    rule = "`operation` must map integer tensors (a, b) and p to answers of their shape from 0 to p - 1."
    if not isinstance(c, Tensor) or c.shape != a.shape or c.is_floating_point():
        found = f"{c.dtype} of shape {tuple(c.shape)}" if isinstance(c, Tensor) else type(c).__name__
        raise ValueError(f"{rule} Got {found} for p = {p}.")
    c = c.long()
    if c.min() < 0 or c.max() >= p:
        raise ValueError(f"{rule} Got values from {int(c.min())} to {int(c.max())} for p = {p}.")
    return c


def linear_coefficients(answers: Int[Tensor, "a=p b=p"]) -> tuple[int, int, int] | None:
    """(u, v, w) where the answer is u·a + v·b + w (mod p) with u and v invertible mod p; None elsewhere."""
    p = answers.shape[0]
    a, b = (grid.to(answers.device) for grid in all_pairs(p))
    w = int(answers[0, 0])
    u, v = (int(answers[1, 0]) - w) % p, (int(answers[0, 1]) - w) % p
    linear = math.gcd(u, p) == math.gcd(v, p) == 1 and bool((answers == (u * a + v * b + w) % p).all())
    return (u, v, w) if linear else None


def is_linear(answers: Int[Tensor, "a=p b=p"]) -> bool:
    """Whether the answer is u·a + v·b + w (mod p) with u and v invertible, as a + b and a - b are.

    Then each answer has p pairs and cos(w_k c), sin(w_k c) are waves over them: the paper's
    cos(w_k(a+b)) and sin(w_k(a+b)). Otherwise there are no such waves to project on.
    """
    return linear_coefficients(answers) is not None


def as_sums(answers: Int[Tensor, "a=p b=p"]) -> tuple[Int[Tensor, " p"], Int[Tensor, " p"]]:
    """New names for the numbers a and b under which every answer is their sum: `answers[first][:, second]` is a + b.

    Subtraction turns -b into b. Raises `ValueError` unless `is_linear`.
    """
    found = linear_coefficients(answers)
    if found is None:
        raise ValueError("The answers must be linear in a and b, with invertible factors, to be sums by other names.")
    u, v, w = found
    p = answers.shape[0]
    number = torch.arange(p, device=answers.device)
    return (number - w) * pow(u, -1, p) % p, number * pow(v, -1, p) % p
