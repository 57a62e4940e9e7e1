"""Every progress measure a second time: slow float64 loops and whole p² x p² projections, in numpy.

The reference shares no code with the package. It builds P_K = Σ_k (C_k C_kᵀ + S_k S_kᵀ) (paper §5.1)
as a matrix over all pairs, from products of waves in a and in b; the package works on marginals
alone. p = 12 has the frequency p/2, whose sine vanishes: one wave of norm 1.
"""

import math
from collections.abc import Sequence
from decimal import Decimal, localcontext
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.typing import ArrayLike, NDArray

from grok.measures import progress, spectra
from grok.measures.evaluation import Evaluation
from grok.model.cross_entropy import cross_entropies, cross_entropy
from grok.tasks import fourier

Array = NDArray[np.float64]
OPERATIONS = {
    "addition": lambda a, b: a + b,
    "subtraction": lambda a, b: a - b,
    "x2+xy+y2": lambda a, b: a * a + a * b + b * b,
}
KEY_SETS = {"none": slice(0), "first": slice(1), "last": slice(-1, None), "two": slice(2), "all": slice(None)}
every_p = pytest.mark.parametrize("p", [5, 7, 12, 13])
every_operation = pytest.mark.parametrize("operation", OPERATIONS)
every_linear = pytest.mark.parametrize("operation", ["addition", "subtraction"])
every_key_set = pytest.mark.parametrize("part", KEY_SETS.values(), ids=KEY_SETS)


def same(found: torch.Tensor | None, expected: ArrayLike) -> None:
    assert found is not None
    np.testing.assert_allclose(found.numpy(), np.asarray(expected), rtol=1e-9, atol=1e-12)


@cache
def waves(p: int, k: int) -> list[Array]:
    """Unit vectors over Z_p: cos and sin of frequency k, the cosine alone for k = 0 and p/2."""
    kinds = [math.cos] if 2 * k in (0, p) else [math.cos, math.sin]
    found = [np.array([kind(2 * math.pi * k * x / p) for x in range(p)]) for kind in kinds]
    return [wave / math.sqrt(math.fsum(wave**2)) for wave in found]


def projector(p: int, frequencies: Sequence[int], operation: str) -> Array:
    """P_K as a p² x p² matrix, for waves in a + b or in a - b."""
    total, sign = np.zeros((p * p, p * p)), -1 if operation == "subtraction" else 1
    for k in frequencies:
        cos, sin = (*waves(p, k), np.zeros(p))[:2]
        pair = [np.outer(cos, cos) - sign * np.outer(sin, sin), np.outer(sin, cos) + sign * np.outer(cos, sin)]
        for wave in pair[:1] if 2 * k == p else [w / math.sqrt(2) for w in pair]:
            total += np.outer(wave, wave)
    return total


def loss(row: Array, answer: int) -> float:
    return math.log1p(math.fsum(math.exp(v - row[answer]) for c, v in enumerate(row) if c != answer))


def mean_loss(rows: Array, answers: Array, chosen: Array) -> float:
    """Mean over the chosen pairs of rows [p², classes]."""
    each = [loss(row, y) for row, y, use in zip(rows, answers.flat, chosen.flat, strict=True) if use]
    return math.fsum(each) / len(each)


def means_by_answer(case: SimpleNamespace, chosen: Array) -> Array:
    rows = [[case.L[a, b] for a, b in case.grid if case.y[a, b] == s and chosen[a, b]] for s in range(case.p)]
    return np.array([sum(row) / len(row) for row in rows])


def norms(evaluation: Array) -> list[float]:
    """n_k, k = 1 … ⌊p/2⌋, over the columns of table[x, d]."""
    p = len(evaluation)
    return [math.sqrt(sum(((w @ evaluation) ** 2).sum() for w in waves(p, k))) for k in range(1, p // 2 + 1)]


def standing_out(n: Sequence[float], floor: float) -> list[int]:
    return [k for k, value in enumerate(n, 1) if value - floor > (max(n) - floor) / 4]


def explained(neuron: Array) -> list[float]:
    """Share of the neuron's variance in {1, cos_k, sin_k} ⊗ {1, cos_k, sin_k} less the constant, for each k."""
    p, centred, shares = len(neuron), neuron - neuron.mean(), []
    variance = (centred**2).sum()
    for k in range(1, p // 2 + 1):
        products = [np.outer(u, v) for u in waves(p, 0) + waves(p, k) for v in waves(p, 0) + waves(p, k)][1:]
        shares.append(sum((w * centred).sum() ** 2 for w in products) / variance if variance else 0.0)
    return shares


def wave_heights(case: SimpleNamespace) -> tuple[list[float], list[float], float]:
    """α_k, its height over the median, and that median, of g over the unseen pairs; p/2 has half of a spike's."""
    p, unseen = case.p, [(a, b) for a, b in case.grid if case.unseen[a, b]]
    g = [sum(case.L[a, b, (case.y[a, b] + t) % p] for a, b in unseen) / len(unseen) for t in range(p)]
    share = [0.5 if 2 * k == p else 1.0 for k in range(1, p // 2 + 1)]
    alpha = [
        s * 2 / p * sum(g[t] * math.cos(2 * math.pi * k * t / p) for t in range(p)) for k, s in enumerate(share, 1)
    ]
    median = float(np.median([x / s for x, s in zip(alpha, share, strict=True)]))
    return alpha, [x - s * median for x, s in zip(alpha, share, strict=True)], median


def higher_than_a_quarter(case: SimpleNamespace) -> list[int]:
    _, heights, _ = wave_heights(case)
    return [k for k, height in enumerate(heights, 1) if height > max(0, max(heights) / 4)]


@cache
def example(p: int, operation: str) -> SimpleNamespace:
    """Random tensors, and their evaluation."""
    rng, grid = np.random.default_rng([p, *operation.encode()]), [(a, b) for a in range(p) for b in range(p)]
    y = np.array([OPERATIONS[operation](a, b) % p for a, b in grid]).reshape(p, p)
    train = rng.random((p, p)) < 0.4
    for s in set(y.flat):  # every answer has an unseen pair
        a, b = divmod(int(np.flatnonzero(y == s)[0]), p)
        train[a, b] = train[b, a] = False
    commutative = all(y[a, b] == y[b, a] for a, b in grid)
    unseen = np.array([not train[a, b] and not (commutative and train[b, a]) for a, b in grid]).reshape(p, p)
    every = rng.normal(size=(p, p, p + 1)) * 2  # "=" last
    every[..., :p] += 3 * np.cos(2 * np.pi * (p // 2) * (y[..., None] - np.arange(p)) / p)
    first, last = waves(p, 1), waves(p, p // 2)
    neurons = rng.normal(size=(p, p, 5)) * 0.1 + 0.5
    neurons[..., 0] += p * np.outer(first[0], first[1])
    neurons[..., 1] += p * (np.outer(last[-1], last[0]) + last[0])
    neurons[..., 2] = 0  # dead
    tensors = {"neurons": neurons, "W_E": rng.normal(size=(4, p)), "W_L": rng.normal(size=(p, 5))}
    given = {name: torch.from_numpy(x) for name, x in tensors.items()}
    weights = {"W_E": given["W_E"], "b_in": torch.from_numpy(rng.normal(size=3)).float()}
    evaluation = Evaluation(*map(torch.from_numpy, (every, y, train)), **given, weights=weights)
    return SimpleNamespace(
        p=p, grid=grid, y=y, train=train, unseen=unseen, every=every, L=every[..., :p], evaluation=evaluation, **tensors
    )


@every_p
def test_the_basis_is_the_constant_then_cos_and_sin_of_each_frequency_and_orthonormal(p: int) -> None:
    same(fourier.basis(p), [wave for k in range(p // 2 + 1) for wave in waves(p, k)])
    same(fourier.basis(p) @ fourier.basis(p).T, np.eye(p))
    for k in range(1, p // 2 + 1):
        same(fourier.basis(p)[fourier.rows(p, [k])], waves(p, k))


@every_key_set
@every_p
def test_the_projection_is_the_sum_over_its_waves_idempotent_and_self_adjoint(p: int, part: slice) -> None:
    K = list(range(1, p // 2 + 1))[part]
    matrix = fourier.projection(torch.eye(p, dtype=torch.float64), K)
    same(matrix, sum((np.outer(w, w) for k in K for w in waves(p, k)), np.zeros((p, p))))
    same(matrix @ matrix, matrix)
    same(matrix.T, matrix)


@every_p
def test_spectra_are_norms_of_the_waves_along_numbers_and_along_outputs(p: int) -> None:
    case = example(p, "addition")
    for evaluation, found in ((case.W_E.T, case.evaluation.W_E_components), (case.W_L, case.evaluation.W_L_components)):
        same(found, [math.sqrt(((w @ evaluation) ** 2).sum()) for k in range(1, p // 2 + 1) for w in waves(p, k)])
        same(fourier.component_norms(torch.from_numpy(evaluation)), found)
        same(fourier.frequency_norms(found), norms(evaluation))


@every_operation
@every_p
def test_losses_margins_and_accuracies_are_those_of_a_loop_over_pairs(p: int, operation: str) -> None:
    case = example(p, operation)
    t, y, train = case.evaluation, case.y, case.train
    same(t.losses, [[loss(case.L[a, b], y[a, b]) for b in range(p)] for a in range(p)])
    rivals = [[max(v for c, v in enumerate(case.L[a, b]) if c != y[a, b]) for b in range(p)] for a in range(p)]
    margins = np.array([[case.L[a, b, y[a, b]] for b in range(p)] for a in range(p)]) - rivals
    same(t.margins, margins)
    same(t.objective, mean_loss(case.every.reshape(p * p, p + 1), y, train))
    for side, mean, accuracy in ((train, t.train_loss, t.train_accuracy), (~train, t.test_loss, t.test_accuracy)):
        same(mean, mean_loss(case.L.reshape(p * p, p), y, side))
        assert accuracy == torch.tensor((margins[side] > 0).sum() / side.sum(), dtype=accuracy.dtype)


@every_operation
@every_p
def test_the_key_free_measures_are_those_of_a_loop_over_held_out_pairs(p: int, operation: str) -> None:
    case = example(p, operation)
    unseen = [(a, b) for a, b in case.grid if case.unseen[a, b]]
    g = [sum(case.L[a, b, (case.y[a, b] + t) % p] for a, b in unseen) / len(unseen) for t in range(p)]
    same(case.evaluation.symmetrized_logits, g)
    same(case.evaluation.symmetrized_loss, math.log(math.fsum(map(math.exp, g))) - g[0])
    left = [[case.L[a, b, c] - g[(c - case.y[a, b]) % p] for c in range(p)] for a, b in case.grid]
    same(case.evaluation.symmetrized_excluded_loss, mean_loss(np.array(left), case.y, case.train))


@every_operation
@every_p
def test_spike_and_waves_are_those_of_a_loop_over_unseen_pairs(p: int, operation: str) -> None:
    case = example(p, operation)
    _, heights, median = wave_heights(case)
    found = case.evaluation.spike_and_waves
    assert found is not None
    same(found.spike, median * p / 2)
    same(found.heights, heights)
    same(found.waves, sum(max(height, 0) for height in heights))
    assert case.evaluation.key_frequencies("waves") == higher_than_a_quarter(case)
    commutative = (case.y == case.y.T).all()
    names = sorted({tuple(sorted(q)) if commutative else q for q in case.grid if case.unseen[q]})
    halves = []
    for parity in (0, 1):  # pairs and their mirrors dealt alternately
        dealt = [q for q in case.grid if case.unseen[q]]
        dealt = [q for q in dealt if names.index(tuple(sorted(q)) if commutative else q) % 2 == parity]
        part = np.zeros((p, p), bool)
        part[tuple(np.array(dealt).T)] = True
        halves.append(wave_heights(SimpleNamespace(**{**vars(case), "unseen": part}))[0])
    losses = []
    for choice, value in (halves, halves[::-1]):
        kept = [v if c > 0 else 0.0 for c, v in zip(choice, value, strict=True)]
        row = [sum(v * math.cos(2 * math.pi * k * t / p) for k, v in enumerate(kept, 1)) for t in range(p)]
        losses.append(loss(np.array(row), 0))
    same(found.loss, sum(losses) / 2)


@every_operation
@every_p
def test_unseen_and_mirrored_pairs_are_those_of_a_loop(p: int, operation: str) -> None:
    case = example(p, operation)
    t, flat = case.evaluation, case.L.reshape(p * p, p)
    same(t.held_out_loss, mean_loss(flat, case.y, case.unseen))
    assert t.counts == {
        "train": case.train.sum(),
        "unseen": case.unseen.sum(),
        "mirrored": p * p - case.train.sum() - case.unseen.sum(),
    }
    right = case.L.argmax(2) == case.y
    same(t.held_out_accuracy, right[case.unseen].mean())


@every_linear
@every_key_set
@every_p
def test_restricted_and_excluded_losses_are_those_of_the_whole_projection(p: int, part: slice, operation: str) -> None:
    K = list(range(1, p // 2 + 1))[part]
    case, flat, all_of = example(p, operation), example(p, operation).L.reshape(p * p, p), np.full((p, p), True)
    P, M, held_out = projector(p, K, operation), means_by_answer(case, all_of), means_by_answer(case, case.unseen)
    np.testing.assert_allclose(P @ P, P, rtol=0, atol=1e-13)
    same(case.evaluation.means, M)
    same(case.evaluation.held_out_means, held_out)
    restricted, H = P @ flat + flat.mean(0), held_out[case.y.ravel()]  # test pairs answer for all like them
    same(progress.restricted_logits(torch.from_numpy(M), K)[case.y.ravel()], restricted)
    sides = {"all": all_of, "train": case.train, "test": ~case.train}
    expected = {name: mean_loss(restricted, case.y, side) for name, side in sides.items()}
    expected["held_out"] = mean_loss(P @ H + H.mean(0), case.y, all_of)
    found = case.evaluation.restricted_losses(K)
    assert set(found) == set(expected)
    same(torch.stack([found[name] for name in expected]), list(expected.values()))
    same(case.evaluation.excluded_loss(K), mean_loss(flat - P @ flat, case.y, case.train))


@every_p
def test_held_out_means_and_what_needs_them_are_absent_where_an_answer_is_only_trained_on(p: int) -> None:
    case = example(p, "addition")
    evaluation = Evaluation(*map(torch.from_numpy, (case.L, case.y, case.train | (case.y == 2))))
    assert evaluation.held_out_means is None
    assert evaluation.key_frequencies("logits") is None
    assert set(evaluation.restricted_losses([1])) == {"all", "train", "test"}


@every_linear
@every_p
def test_each_rule_names_the_frequencies_of_its_definition(p: int, operation: str) -> None:
    case, rng, frequencies = example(p, operation), np.random.default_rng(p), range(1, p // 2 + 1)
    y, train = torch.from_numpy(case.y), torch.from_numpy(case.train)

    def spectrum() -> Array:
        parts = [rng.lognormal() * np.outer(w, rng.normal(size=p)) for k in frequencies for w in waves(p, k)]
        return np.sum(parts, axis=0)

    for _ in range(20):
        W_L, W_E, L, neurons = spectrum(), spectrum(), spectrum()[case.y], rng.normal(size=(p, p, p))
        for j, k in enumerate(rng.choice(frequencies, size=p)):  # mostly of one frequency, more or less
            neurons[..., j] = neurons[..., j] * rng.uniform(0, 2) + p * np.outer(waves(p, k)[0], waves(p, k)[-1])
        L += rng.normal(size=(p, p, p))
        of_logits = norms(means_by_answer(SimpleNamespace(**{**vars(case), "L": L}), case.unseen))
        of_neurons = [explained(neurons[..., j]) for j in range(p)]
        expected = {
            "W_L": standing_out(norms(W_L), float(np.median(norms(W_L)))),
            "max": standing_out(norms(W_L), 0),
            "W_E": standing_out(norms(W_E), 0),
            "neurons": sorted({int(np.argmax(s)) + 1 for s in of_neurons if max(s) > 0.85}),
            "logits": standing_out(of_logits, float(np.median(of_logits))),
            "waves": higher_than_a_quarter(SimpleNamespace(**{**vars(case), "L": L})),
        }
        given = {"neurons": neurons, "W_E": W_E.T, "W_L": W_L}
        evaluation = Evaluation(
            torch.from_numpy(L), y, train, **{name: torch.from_numpy(x) for name, x in given.items()}
        )
        assert {rule: evaluation.key_frequencies(rule) for rule in expected} == expected
        assert Evaluation(torch.from_numpy(L), y, train).key_frequencies("W_L") == expected["logits"]
    assert case.evaluation.key_frequencies([p // 2, 1, 1]) == sorted({1, p // 2})
    assert case.evaluation.key_frequencies([]) == []


@every_p
def test_explained_variance_is_the_energy_in_the_three_by_three_block_of_each_frequency(p: int) -> None:
    case = example(p, "addition")
    expected = np.array([explained(case.neurons[..., j]) for j in range(5)]).T
    same(spectra.explained_variance(torch.from_numpy(case.neurons)), expected)
    same(case.evaluation.explained, expected)


@pytest.mark.parametrize("spread", [1.0, 1e-2, 1e-4])
def test_float32_neurons_that_hardly_vary_about_their_mean_are_explained_as_in_float64(spread: float) -> None:
    noise, wave = np.random.default_rng(0).normal(size=(13, 13, 5)), np.outer(waves(13, 3)[0], waves(13, 3)[0])
    neurons = (1 + spread * (0.3 * noise + 13 * wave[..., None])).astype(np.float32)
    expected = np.array([explained(neurons[..., j].astype(np.float64)) for j in range(5)]).T
    np.testing.assert_allclose(spectra.explained_variance(torch.from_numpy(neurons)), expected, rtol=1e-4, atol=1e-6)


@every_p
def test_gini_shares_and_squared_weights_are_their_sums(p: int) -> None:
    x = np.random.default_rng(p).normal(size=p)
    ranked, found = sorted(abs(x)), spectra.gini(torch.from_numpy(x))
    same(found, 1 - 2 * sum(v / sum(ranked) * (p - i + 0.5) / p for i, v in enumerate(ranked, 1)))
    same(found, sum(abs(u - v) for u in ranked for v in ranked) / (2 * p * sum(ranked)))  # Gini's own definition
    same(spectra.shares(torch.from_numpy(abs(x))), x**2 / sum(x**2))
    evaluation = example(p, "addition").evaluation
    squares = {name: math.fsum(v**2 for v in w.flatten().tolist()) for name, w in evaluation.weights.items()}
    assert {name: pytest.approx(v, rel=1e-9) for name, v in squares.items()} == evaluation.squared_weights
    same(evaluation.sum_squared_weights, sum(squares.values()))


def exact(row: Sequence[float], answer: int) -> tuple[Decimal, list[Decimal]]:
    """Loss and gradient of one pair, to 80 digits."""
    with localcontext(prec=80):
        odds = [(Decimal(v) - Decimal(row[answer])).exp() * (c != answer) for c, v in enumerate(row)]
        total = sum(odds)
        return (1 + total).ln(), [(-total if c == answer else x) / (1 + total) for c, x in enumerate(odds)]


@pytest.mark.parametrize("target", [3.0, 1e-3, 1e-8, 1e-12, 1e-20, 1e-30])
def test_float32_losses_and_gradients_keep_a_relative_precision_of_two_millionths(target: float) -> None:
    rng = np.random.default_rng(0)
    rows, answers = rng.normal(size=(49, 7)) * 3, rng.integers(7, size=49)
    for row, y in zip(rows, answers, strict=True):  # raise or lower the answer until its loss is the target
        row[y] = math.log(sum(math.exp(v) for c, v in enumerate(row) if c != y)) - math.log(math.expm1(target))
    logits, y = torch.from_numpy(rows).float().requires_grad_(), torch.from_numpy(answers)
    values, gradients = zip(*(exact(row, y) for row, y in zip(logits.tolist(), answers, strict=True)), strict=True)
    evaluation = Evaluation(logits.detach().view(7, 7, 7), y.view(7, 7), torch.ones(7, 7, dtype=torch.bool))
    mean = cross_entropy(logits, y)
    mean.backward()
    found = [*cross_entropies(logits.detach(), y).tolist(), *evaluation.losses.flatten().tolist()]
    slopes = [[Decimal(v) * 49 for v in row] for row in logits.grad.tolist()]
    errors = {
        "mean": max(abs(Decimal(v.item()) * 49 / sum(values) - 1) for v in (mean, evaluation.train_loss)),
        "pair": max(abs(Decimal(v) / e - 1) for v, e in zip(found, values * 2, strict=True)),
        "gradient": max(
            max(abs(v - e) for v, e in zip(row, g, strict=True)) / max(map(abs, g))
            for row, g in zip(slopes, gradients, strict=True)
        ),
    }
    assert {name: float(error) for name, error in errors.items() if error > 2e-6} == {}
