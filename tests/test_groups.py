"""Measures of any group, each against a statement of its own: written-out characters and matrices, loops over pairs."""

import cmath
import itertools
import math

import numpy as np
import pytest
import torch
from test_controls import certain_of

from grok.measures import spectra
from grok.measures.evaluation import Evaluation
from grok.measures.spike_and_waves import spike_and_waves
from grok.model.transformer import Transformer
from grok.tasks import fourier
from grok.tasks.groups import cyclic_factors, isotope
from grok.tasks.representations import inverses, matrices
from grok.tasks.splits import train_mask
from grok.tasks.structure import structure
from grok.tasks.tables import table

SIZES = {"Z_12": 12, "Z_4xZ_6": 24, "multiplication 13": 13, "multiplication 15": 15, "division 11": 11}
SIZES |= {"D_5": 10, "Q_8": 8, "S_4": 24, "A_4": 12, "S_5": 120}
ABELIAN = [name for name in SIZES if name[0] in "Zmd"]
every_group = pytest.mark.parametrize("name", SIZES)
small_groups = pytest.mark.parametrize("name", [name for name in SIZES if name != "S_5"])


def answers_of(name: str) -> torch.Tensor:
    return table(name.partition(" ")[0], SIZES[name]).answers


def real_dimensions(name: str) -> list[int]:
    """D of every real irreducible representation but the trivial one, from textbooks."""
    return sorted(
        {
            "D_5": [1, 2, 2],
            "Q_8": [1, 1, 1, 4],
            "S_4": [1, 2, 3, 3],
            "A_4": [2, 3],
            "S_5": [1, 4, 4, 5, 5, 6],
        }[name]
    )


@every_group
def test_the_basis_is_orthonormal_and_its_blocks_fill_it(name: str) -> None:
    found = structure(answers_of(name))
    basis, n = found.basis, len(found.turn)
    assert (basis.functions @ basis.functions.T - torch.eye(n)).abs().max() < 1e-10
    assert 1 + sum(basis.sizes) == n
    assert (basis.functions[0] - n**-0.5).abs().max() < 1e-10
    assert found.is_group


@every_group
def test_every_block_stays_itself_under_translations_from_both_sides(name: str) -> None:
    found = structure(answers_of(name))
    product = found.turn
    for k in range(1, found.basis.count + 1):
        block = found.basis.functions[found.basis.rows([k])]
        projector = block.T @ block
        for h in range(0, len(product), 5):
            for moved in (product[h], product[:, h]):
                assert (projector[moved][:, moved] - projector).abs().max() < 1e-9


@pytest.mark.parametrize("name", ["D_5", "Q_8", "S_4", "A_4", "S_5"])
def test_representations_are_real_orthogonal_irreducible_and_all_there_are(name: str) -> None:
    found = structure(answers_of(name))
    product, n = found.turn, len(found.turn)
    assert sorted(found.basis.degrees) == real_dimensions(name)
    for k, D in enumerate(found.basis.degrees, 1):
        rho = matrices(found.basis, k, product, found.identity)
        assert rho.shape == (n, D, D)
        assert (rho @ rho.transpose(1, 2) - torch.eye(D)).abs().max() < 1e-9
        assert (torch.einsum("xij,yjk->xyik", rho, rho) - rho[product]).abs().max() < 1e-9
        elements = rho.flatten(1).T  # functions on the group
        block = found.basis.functions[found.basis.rows([k])]
        assert torch.linalg.matrix_rank(elements) == len(block)
        assert (elements - elements @ block.T @ block).abs().max() < 1e-9
        character = rho.diagonal(dim1=1, dim2=2).sum(1)
        kinds = {D * D: 1, D * D // 2: 2, D * D // 4: 4}[len(block)]  # real, complex, quaternionic
        assert float(character.square().mean()) == pytest.approx(kinds, abs=1e-9)
        along = found.basis.characters()[k - 1]
        assert (along - character / character.norm()).abs().max() < 1e-9


def written_out(name: str) -> list[list[list[complex]]]:
    """The matrix elements of D_5 and of Q_8, written by hand: for each block its functions on the group."""
    if name == "Q_8":
        i = np.array([[1j, 0], [0, -1j]])
        j = np.array([[0, 1], [-1, 0]])
        units = [np.eye(2), i, j, i @ j]
        spin = [sign * unit for sign in (1, -1) for unit in units]
        signs = [[s for _ in range(2) for s in row] for row in ([1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1])]
        return [*([row] for row in signs), [[m[r, c] for m in spin] for r in range(2) for c in range(2)]]
    blocks: list[list[list[complex]]] = [[[1] * 5 + [-1] * 5]]
    for k in (1, 2):
        turns = [2 * math.pi * k * x / 5 for x in range(5)]
        rotation = [[[math.cos(w), -math.sin(w)], [math.sin(w), math.cos(w)]] for w in turns]
        mirrored = [[[math.cos(w), math.sin(w)], [math.sin(w), -math.cos(w)]] for w in turns]
        blocks.append([[m[r][c] for m in rotation + mirrored] for r in range(2) for c in range(2)])
    return blocks


@pytest.mark.parametrize("name", ["D_5", "Q_8"])
def test_blocks_are_those_of_the_matrices_written_by_hand(name: str) -> None:
    basis = structure(answers_of(name)).basis
    expected = []
    for functions in written_out(name):
        values = np.array(functions)
        values = np.concatenate([values.real, values.imag])
        q, _, _ = np.linalg.svd(values.T, full_matrices=False)
        rank = np.linalg.matrix_rank(values)
        expected.append(q[:, :rank] @ q[:, :rank].T)
    found = [basis.functions[basis.rows([k])] for k in range(1, basis.count + 1)]
    assert len(found) == len(expected)
    for block in found:
        distances = [np.abs((block.T @ block).numpy() - projector).max() for projector in expected]
        assert min(distances) < 1e-10


@pytest.mark.parametrize("name", ABELIAN)
def test_characters_of_an_abelian_group_turn_products_into_products(name: str) -> None:
    answers = answers_of(name)
    found = isotope(answers)
    assert found is not None
    orders, coordinates = cyclic_factors(found.product, found.identity)
    assert math.prod(orders) == len(answers)
    assert all(first % second == 0 for first, second in itertools.pairwise(orders))
    for k in itertools.product(*map(range, orders)):
        chi = [
            cmath.exp(2j * cmath.pi * sum(a * b / m for a, b, m in zip(k, x, orders, strict=True)))
            for x in coordinates.tolist()
        ]
        for x, y in itertools.product(range(len(chi)), repeat=2):
            assert abs(chi[found.product[x, y]] - chi[x] * chi[y]) < 1e-9


@pytest.mark.parametrize(("operation", "p"), [("addition", 12), ("addition", 113), ("subtraction", 7)])
def test_addition_is_the_first_case_with_its_own_numbering(operation: str, p: int) -> None:
    found = structure(table(operation, p).answers)
    assert found.basis is fourier.cyclic(p)
    assert found.words == ""
    number = torch.arange(p)
    assert torch.equal(found.turn, (number[:, None] + number) % p)
    assert found.identity == 0


def test_multiplication_is_addition_of_discrete_logarithms() -> None:
    p, root = 13, 2  # the smallest primitive root
    found = structure(table("multiplication", p).answers)
    assert found.name == "Z_12"
    logarithm = {pow(root, x, p): x for x in range(12)}
    wave = [math.cos(2 * math.pi * 5 * logarithm[x] / 12) / math.sqrt(6) for x in range(1, p)]
    assert found.basis.characters()[4].tolist() == pytest.approx(wave, abs=1e-12)


def test_other_names_for_the_numbers_change_no_group() -> None:
    answers = answers_of("S_4")
    names = torch.randperm(24, generator=torch.Generator().manual_seed(0))
    a, b = names, names.flip(0)
    renamed = torch.empty_like(answers)
    renamed[a[:, None], b] = names.roll(7)[answers]
    found = structure(renamed)
    assert sorted(found.basis.sizes) == sorted(structure(answers).basis.sizes)
    rebuilt = found.turn[found.first][:, found.second]
    assert torch.equal(rebuilt, renamed)


@pytest.mark.parametrize("operation", ["x2+xy+y2", "x2+y2", "x3+xy", "random"])
def test_what_is_no_group_is_said_to_be_none(operation: str) -> None:
    found = structure(table(operation, 13).answers)
    assert not found.is_group
    assert found.basis is fourier.cyclic(13)


# --- measures of networks whose score is known


def split(n: int, seed: int = 0) -> torch.Tensor:
    return train_mask(n, 0.4, seed)


def perfect(name: str, keys: list[int] | None = None, height: float = 40.0) -> tuple[Evaluation, list[int]]:
    """Logits Σ_ρ χ_ρ(y⁻¹c) over the keys; neurons, W_L and W_E of their matrix elements."""
    answers = answers_of(name)
    found = structure(answers)
    inverse = inverses(found.turn, found.identity)
    keys = keys or ([found.basis.count] if name != "S_5" else [2, 6])
    kernel = torch.zeros(len(answers), dtype=torch.float64)  # χ by characters, over its value at the identity
    for k in keys:
        character = found.basis.characters()[k - 1]
        kernel += character / character[found.identity]
    logits = height * kernel[found.turn[inverse]][answers]  # [a, b, c] = χ(y⁻¹c)
    functions = found.basis.functions[found.basis.rows(keys)]
    symbols = functions[:, found.first]
    evaluation = Evaluation(
        logits, answers, split(len(answers)), neurons=functions.T[answers], W_E=symbols, W_L=functions.T
    )
    return evaluation, sorted(keys)


FAITHFUL = {"Z_12": [1, 5], "Z_4xZ_6": None, "multiplication 13": [1, 5], "multiplication 15": None, "division 11": [1]}


@every_group
def test_a_perfect_network_is_all_restricted_and_nothing_excluded(name: str) -> None:
    keys = FAITHFUL.get(name)
    if name in ("Z_4xZ_6", "multiplication 15"):
        keys = list(range(1, structure(answers_of(name)).basis.count + 1))
    evaluation, keys = perfect(name, keys, height=200.0)
    assert (evaluation.predictions == evaluation.answers).all()
    losses = {side: float(loss) for side, loss in evaluation.key_losses(keys).items()}
    n = len(evaluation.answers)
    assert losses.pop("excluded_loss") == pytest.approx(math.log(n), rel=1e-9)
    assert max(losses.values()) < 1e-3
    assert float(evaluation.symmetrized_loss) < 1e-3
    assert float(evaluation.symmetrized_excluded_loss) == pytest.approx(math.log(n), rel=1e-9)
    others = [k for k in range(1, evaluation.basis.count + 1) if k not in keys]
    assert float(evaluation.restricted_losses(others)["all"]) == pytest.approx(math.log(n), rel=1e-9)
    assert evaluation.explained is not None
    assert evaluation.explained[[k - 1 for k in keys]].sum(0).tolist() == pytest.approx(
        [1] * sum(evaluation.basis.sizes[k - 1] for k in keys)
    )


@every_group
def test_shares_of_the_representations_and_the_constant_are_all_there_is(name: str) -> None:
    found = structure(answers_of(name))
    n = len(found.turn)
    x = torch.randn(n, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    norms = found.basis.norms(found.basis.component_norms(x))
    constant = n * x.mean(0).square().sum()
    assert float(norms.square().sum() + constant) == pytest.approx(float(x.square().sum()), rel=1e-12)
    assert float(spectra.shares(norms).sum()) == pytest.approx(1)
    parts = found.basis.projection(x, range(1, found.basis.count + 1)) + x.mean(0)
    assert (parts - x).abs().max() < 1e-12


@small_groups
def test_restricted_and_excluded_loss_are_those_of_a_loop_over_matrix_elements(name: str) -> None:
    """The definition of 2302.03025: matrix elements ρ(ab) as functions on the grid of pairs, orthonormalised there."""
    answers = answers_of(name)
    n, found = len(answers), structure(answers)
    logits = torch.randn(n, n, n, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    train = split(n)
    evaluation = Evaluation(logits, answers, train)
    k = found.basis.count
    rho = matrices(found.basis, k, found.turn, found.identity).numpy()
    on_pairs = np.array([[rho[int(answers[a, b])].ravel() for b in range(n)] for a in range(n)]).reshape(n * n, -1)
    q, singular, _ = np.linalg.svd(on_pairs, full_matrices=False)
    q = q[:, singular > 1e-9]
    flat = logits.numpy().reshape(n * n, n)
    part = q @ (q.T @ flat)

    def loss(rows: np.ndarray, pairs: np.ndarray) -> float:
        each = [math.log(np.exp(rows[i] - rows[i].max()).sum()) + rows[i].max() - rows[i, y] for i, y in pairs]
        return float(np.mean(each))

    right = answers.flatten().tolist()
    everything = np.array(list(enumerate(right)))
    training = everything[train.flatten().numpy()]
    losses = evaluation.key_losses([k])
    assert float(losses["restricted_loss"]) == pytest.approx(loss(part + flat.mean(0), everything), rel=1e-9)
    assert float(losses["excluded_loss"]) == pytest.approx(loss(flat - part, training), rel=1e-9)


@small_groups
def test_the_key_free_pair_turns_by_the_group(name: str) -> None:
    answers = answers_of(name)
    n, found = len(answers), structure(answers)
    logits = torch.randn(n, n, n, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    evaluation = Evaluation(logits, answers, split(n))
    unseen = evaluation.unseen
    g = [0.0] * n
    for a, b in unseen.nonzero().tolist():
        for t in range(n):
            g[t] += float(logits[a, b, found.turn[answers[a, b], t]]) / int(unseen.sum())
    assert evaluation.symmetrized_logits.tolist() == pytest.approx(g, abs=1e-10)
    expected = math.log(sum(math.exp(x) for x in g)) - g[found.identity]
    assert float(evaluation.symmetrized_loss) == pytest.approx(expected, rel=1e-10)


@small_groups
def test_a_neurons_variance_is_that_of_a_loop_over_products_of_functions(name: str) -> None:
    answers = answers_of(name)
    n, found = len(answers), structure(answers)
    neurons = torch.randn(n, n, 4, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    neurons[:, :, 3] = 2.0
    explained = spectra.explained_variance(neurons, found)
    k = found.basis.count // 2 + 1
    rows = [0, *found.basis.rows([k])]
    first, second = found.basis.functions[:, found.first], found.basis.functions[:, found.second]
    for m in range(3):
        x = neurons[:, :, m] - neurons[:, :, m].mean()
        energy = sum(
            float((first[i][:, None] * second[j] * x).sum()) ** 2 for i in rows for j in rows if (i, j) != (0, 0)
        )
        assert float(explained[k - 1, m]) == pytest.approx(energy / float(x.square().sum()), rel=1e-9)
    assert float(explained[:, 3].abs().max()) == 0


@every_group
def test_neurons_of_a_of_b_and_of_their_answer_are_told_apart(name: str) -> None:
    answers = answers_of(name)
    n, found = len(answers), structure(answers)
    k = found.basis.count
    f = found.basis.functions[found.basis.rows([k])[-1]]
    neurons = torch.stack([f[found.first][:, None].expand(n, n), f[found.second].expand(n, n), f[answers]], -1)
    parts = spectra.explained_parts(neurons, answers, found)
    assert (parts[:, k - 1] - torch.eye(3)).abs().max() < 1e-9
    assert (parts.sum((0, 1)) - 1).abs().max() < 1e-9


@every_group
def test_a_lookup_table_and_random_labels_score_ln_n_on_what_is_held_out(name: str) -> None:
    answers = answers_of(name)
    n, train = len(answers), split(len(answers))
    known = train | train.T if (answers == answers.T).all() else train
    lookup = Evaluation(certain_of(answers) * known[..., None], answers, train)
    assert float(lookup.train_loss) < 1e-6
    assert float(lookup.symmetrized_loss) == pytest.approx(math.log(n), rel=1e-9)
    waves = lookup.spike_and_waves
    assert waves is not None
    assert float(waves.loss) == pytest.approx(math.log(n), rel=1e-9)
    labels = table("random", n, 1).answers
    memorized = Evaluation(certain_of(torch.where(train, labels, table("random", n, 2).answers)), labels, train)
    assert memorized.key_losses([1]) == {}
    assert not memorized.has_group


@every_group
def test_a_circuit_and_a_spike_are_told_apart(name: str) -> None:
    found = structure(answers_of(name))
    keys = range(1, (found.basis.count - 1) // 2 + 1)  # fewer than half: the others are idle
    g = torch.full((len(found.turn),), 0.3, dtype=torch.float64)
    for k in keys:
        character = found.basis.characters()[k - 1]
        g += 3.0 * character / character[found.identity]
    g[found.identity] -= 5.0
    got = spike_and_waves(g, group=found)
    assert float(got.spike) == pytest.approx(-5, abs=1e-9)
    assert float(got.waves) == pytest.approx(3 * len(keys), abs=1e-9)
    assert float(got.odd) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", ["multiplication 15", "D_5", "S_4"])
def test_an_untrained_network_knows_nothing(name: str) -> None:
    answers = answers_of(name)
    network = Transformer(
        len(answers), d_model=32, n_heads=4, d_mlp=64, n_layers=1, activation="relu", dropout=0.0, seed=0
    )
    evaluation = Evaluation.of(network, answers, split(len(answers)))
    chance = math.log(len(answers))
    assert float(evaluation.symmetrized_loss) == pytest.approx(chance, rel=0.2)
    for loss in evaluation.key_losses("max").values():
        assert float(loss) > 0.8 * chance


@pytest.mark.parametrize("name", ["S_4", "S_5", "A_4", "D_5"])
def test_noise_makes_no_representation_key_however_many_functions_it_has(name: str) -> None:
    basis = structure(answers_of(name)).basis
    noise = torch.randn(sum(basis.sizes) + 1, 4000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    strengths = basis.strengths(basis.component_norms(noise)) / math.sqrt(4000)
    real = [size == D * D for D, size in zip(basis.degrees, basis.sizes, strict=True)]
    expected = [1 if is_real else math.sqrt(2) for is_real in real]
    assert strengths.tolist() == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("p", [12, 13])
def test_the_strengths_of_additions_frequencies_are_their_norms(p: int) -> None:
    components = torch.rand(p - 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.equal(fourier.cyclic(p).strengths(components), fourier.frequency_norms(components))


@pytest.mark.parametrize("name", ["S_4", "S_5"])
def test_a_large_representation_as_key_takes_a_lookup_table_for_a_circuit_unless_held_out(name: str) -> None:
    answers = answers_of(name)
    n = len(answers)
    lookup = Evaluation(certain_of(answers) * split(n)[..., None], answers, split(n))
    losses = {side: float(loss) for side, loss in lookup.key_losses([structure(answers).basis.count]).items()}
    assert losses["restricted_loss"] < 0.9 * math.log(n)  # the averages of memorized logits reach every pair
    assert losses["restricted_loss_held_out"] == pytest.approx(math.log(n), rel=1e-9)
