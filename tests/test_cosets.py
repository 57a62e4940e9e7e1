import itertools

import pytest
import torch

from grok.measures.cosets import coset_concentration
from grok.tasks.structure import structure
from grok.tasks.subgroups import subgroups
from grok.tasks.tables import table

COUNTS = {"Z_12": 6, "Q_8": 6, "S_3": 6, "D_5": 8, "A_4": 10, "S_4": 30, "Z_2xZ_2xZ_2": 16, "A_5": 59, "S_5": 156}
SIZES = {"Z_12": 12, "Q_8": 8, "S_3": 6, "D_5": 10, "A_4": 12, "S_4": 24, "Z_2xZ_2xZ_2": 8, "A_5": 60, "S_5": 120}


@pytest.mark.parametrize("name", COUNTS)
def test_a_group_has_as_many_subgroups_as_textbooks_say(name: str) -> None:
    found = subgroups(table(name, SIZES[name]).answers)
    assert found is not None
    assert len(found) == COUNTS[name] - 2  # without the identity alone and the whole
    assert len({tuple(members) for members in found}) == len(found)


@pytest.mark.parametrize("name", ["Q_8", "S_3", "D_5", "Z_12"])
def test_subgroups_are_the_closed_subsets(name: str) -> None:
    product = table(name, SIZES[name]).answers.tolist()
    n = range(len(product))
    closed = {
        subset
        for size in range(2, len(product))
        for subset in itertools.combinations(n, size)
        if all(product[x][y] in subset for x in subset for y in subset)
    }
    assert {tuple(members) for members in subgroups(torch.tensor(product)) or []} == closed


def test_a_group_of_prime_order_has_no_cosets_to_look_at() -> None:
    neurons = torch.randn(13, 13, 2)
    assert coset_concentration(neurons, structure(table("addition", 13).answers)) is None


@pytest.mark.parametrize("name", ["S_4", "D_5", "Z_12"])
@pytest.mark.parametrize("left", [True, False])
def test_a_coset_neuron_has_no_variance_within_its_cosets_and_a_random_one_most(name: str, left: bool) -> None:
    group = structure(table(name, SIZES[name]).answers)
    n, product = len(group.turn), group.turn
    members = (subgroups(product) or [])[-1]
    values = torch.randn(n, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    of = product[:, members] if left else product[members].T
    seen = values[of.min(1).values]  # the same on each coset
    chance = torch.randn(n, n, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    neurons = torch.stack([seen[:, None] + seen, chance, torch.ones(n, n)], -1)
    found = coset_concentration(neurons, group)
    assert found is not None
    assert found[:, 0].abs().max() < 1e-9
    if name == "S_4":  # in groups of a dozen elements some subgroup fits even chance: its least was 0.07
        assert found[:, 1].min() > 0.15
    assert found[:, 2].isnan().all()
    within = [values_within(chance.mean(1).tolist(), product.tolist(), h) for h in subgroups(product) or []]
    assert float(found[0, 1]) == pytest.approx(min(within), rel=1e-9)


def values_within(f: list[float], product: list[list[int]], members: list[int]) -> float:
    """The least, over left and right cosets, of the squares around the cosets' means over those around the mean."""
    mean, results = sum(f) / len(f), []
    for of in (lambda x, h: product[x][h], lambda x, h: product[h][x]):
        parts = {frozenset(of(x, h) for h in members) for x in range(len(f))}
        left_over = sum((f[x] - sum(f[y] for y in part) / len(part)) ** 2 for part in parts for x in part)
        results.append(left_over / sum((x - mean) ** 2 for x in f))
    return min(results)
