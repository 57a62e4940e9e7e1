import pytest
import torch

from grok.tasks.operations import (
    OPERATIONS,
    addition,
    all_pairs,
    answers,
    is_linear,
    operation_named,
    subtraction,
)
from grok.tasks.splits import mirrored_mask, train_mask, unseen_mask

# Drawn by the authors' recipe with CPython: seed -> first training pairs, last one, first test pair.
AUTHORS_SPLITS = {
    0: ([(18, 34), (10, 83), (55, 28), (25, 51), (63, 65)], (65, 24), (50, 67)),
    1: ([(58, 58), (76, 57), (60, 23), (100, 89), (29, 27)], (25, 50), (89, 103)),
}


def odd_shift(a: torch.Tensor, b: torch.Tensor, p: int) -> torch.Tensor:
    """An operation of one's own, as a user would import it."""
    return (3 * a + b + 1) % p


@pytest.mark.parametrize("seed", [0, 1])
def test_the_split_is_the_authors(seed: int) -> None:
    mask = train_mask(113, 0.3, seed)
    first, last, test = AUTHORS_SPLITS[seed]
    assert int(mask.sum()) == 3830
    assert all(mask[pair] for pair in [*first, last])
    assert not mask[test]


def test_splits_differ_by_seed_and_repeat_for_one_seed() -> None:
    assert torch.equal(train_mask(7, 0.5, 3), train_mask(7, 0.5, 3))
    assert not torch.equal(train_mask(7, 0.5, 3), train_mask(7, 0.5, 4))


@pytest.mark.parametrize("p", [3, 12, 13])
def test_operations_answer_as_plain_arithmetic_does(p: int) -> None:
    plain = {
        "addition": lambda a, b: (a + b) % p,
        "subtraction": lambda a, b: (a - b) % p,
        "x2+xy+y2": lambda a, b: (a**2 + a * b + b**2) % p,
        "x2+y2": lambda a, b: (a**2 + b**2) % p,
        "x3+xy": lambda a, b: (a**3 + a * b) % p,
    }
    for name, operation in OPERATIONS.items():
        table = answers(operation, p)
        assert all(int(table[a, b]) == plain[name](a, b) for a in range(p) for b in range(p))


def test_pairs_are_in_lexicographic_order() -> None:
    a, b = all_pairs(3)
    assert list(zip(a.flatten().tolist(), b.flatten().tolist(), strict=True))[:4] == [(0, 0), (0, 1), (0, 2), (1, 0)]


def test_an_operation_of_ones_own_is_found_by_its_import_path() -> None:
    assert operation_named("test_operations.odd_shift") is odd_shift


@pytest.mark.parametrize(
    ("operation", "p", "linear"),
    [
        (addition, 13, True),
        (subtraction, 12, True),
        (odd_shift, 13, True),
        (odd_shift, 12, False),  # 3 has no inverse mod 12: some answers share waves
        (OPERATIONS["x2+xy+y2"], 13, False),
    ],
)
def test_waves_exist_for_invertible_linear_operations_alone(operation: object, p: int, linear: bool) -> None:
    assert is_linear(answers(operation, p)) is linear  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "multiply",
            "`operation` must be one of addition, subtraction, x2\\+xy\\+y2, x2\\+y2, .*mypkg.myop. Got 'multiply'.",
        ),
        ("nowhere.to_be_found", "Got 'nowhere.to_be_found': No module named 'nowhere'."),
        ("grok.tasks.operations.lost", "Got 'grok.tasks.operations.lost': module .* has no attribute 'lost'."),
        ("grok.tasks.operations.OPERATIONS", "which cannot be called"),
    ],
)
def test_an_unknown_operation_is_refused_with_the_choices(name: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        operation_named(name)


@pytest.mark.parametrize(
    ("operation", "found"),
    [
        (lambda a, b, p: a + b, "Got values from 0 to 8 for p = 5."),
        (lambda a, b, p: (a + b) / p, r"Got torch.float32 of shape \(5, 5\) for p = 5."),
        (lambda a, b, p: a[0], r"Got torch.int64 of shape \(5,\) for p = 5."),
        (lambda a, b, p: 3, "Got int for p = 5."),
    ],
)
def test_answers_outside_z_p_are_refused(operation: object, found: str) -> None:
    with pytest.raises(ValueError, match=f"`operation` must map .* {found}"):
        answers(operation, 5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("p", "fraction", "sentence"),
    [
        (2, 0.5, "`p` must be a whole number, 3 or more. Got 2."),
        (7, 0.0, "`train_fraction` must lie strictly between 0 and 1. Got 0.0."),
        (7, 1.0, "`train_fraction` must lie strictly between 0 and 1. Got 1.0."),
        (7, 0.01, "`train_fraction` must leave pairs to train on. Got 0.01, which leaves none of the 49"),
    ],
)
def test_splits_that_cannot_be_are_refused(p: int, fraction: float, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        train_mask(p, fraction, 0)


@pytest.mark.parametrize("fraction", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("p", [3, 5, 12, 41])
def test_an_unordered_split_parts_no_pair_from_its_mirror(p: int, fraction: float) -> None:
    train = train_mask(p, fraction, 0, "unordered")
    assert (train == train.T).all()
    assert int(train.sum()) - int(fraction * p * p) in (0, -1)
    numbers = torch.arange(p)
    answers = (numbers[:, None] + numbers) % p
    assert not mirrored_mask(train, answers).any()
    assert (unseen_mask(train, answers) == ~train).all()


def test_subtraction_has_no_mirrored_pairs() -> None:
    numbers, train = torch.arange(7), train_mask(7, 0.5, 0)
    assert not mirrored_mask(train, (numbers[:, None] - numbers) % 7).any()


def test_a_split_is_one_of_two() -> None:
    with pytest.raises(ValueError, match=r"`split` must be one of pairs, unordered. Got 'pair'"):
        train_mask(7, 0.5, 0, "pair")
