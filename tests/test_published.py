"""The table of published numbers, on networks made by hand in the places of the published ones."""

import runpy
from pathlib import Path

import pytest
import torch
from test_layouts import ours
from test_other_networks import saved, two_tokens

from grok.analysis.examination import examination
from grok.claims.statements import CLAIMS
from grok.networks import exporting, subject

MADE = runpy.run_path(str(Path(__file__).parents[1] / "docs" / "published.py"))
published = MADE["published"]


def rows(text: str, name: str) -> dict[str, list[str]]:
    """The published number, the computed one and the deviation of each quantity of one network."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    return {row[1]: row[2:] for row in cells if row[0].startswith(f"{name} (")}


def test_without_files_every_row_says_so() -> None:
    text = published([])
    lines = text.splitlines()
    assert lines[:4] == [
        "# Published numbers reproduced",
        "",
        "| network | quantity | published | computed | deviation |",
        "|---|---|---|---|---|",
    ]
    assert len(lines) - 4 == sum(len(network.quantities) for network in MADE["NETWORKS"].values())
    assert all(line.endswith(" | not provided |  |") and line.count("|") == 6 for line in lines[4:])


def test_a_network_in_the_place_of_a_published_one_gives_its_own_numbers(tmp_path: Path) -> None:
    file = saved(tmp_path / "model.pt", two_tokens(11, (2, 5)), "authors", config={"C": 11, "attn_coeff": 0.0})
    found = rows(published([f"pizza={file}", f"output={tmp_path / 'table.md'}"]), "pizza")
    told = {"data.p": None, "data.operation": None, "split": None, "model.activation": None}
    facts = examination(subject.of_file(file, {**told, "data.train_fraction": 0.8, "data.seed": 0}), None, "W_L").facts
    values = {claim.id: claim.measured(facts)[0] for claim in CLAIMS}
    for name, number in {"gradient_symmetricity": 0.9937, "distance_irrelevance": 0.17}.items():
        value = values[name]
        assert value is not None
        assert found[name] == [f"{number:.4g}", f"{value:.4g}", f"{100 * (value / number - 1):+.2g} %"]
    text = (tmp_path / "table.md").read_text()
    assert set(rows(text, "clock")["distance_irrelevance"][1:]) == {"not provided", ""}
    assert rows(text, "pizza") == found


def test_what_a_network_does_not_have_does_not_apply(tmp_path: Path) -> None:
    """A trajectory opens at epoch 40,000, and an untrained network answers no pair."""
    states = [exporting.exported(ours(113, d_model=4, n_heads=1, d_mlp=4, seed=n), "authors") for n in range(2)]
    file = tmp_path / "full_run_data.pth"
    torch.save({"state_dicts": states, "epochs": [40_000, 50_000], "config": {"p": 113}}, file)
    found = rows(published([f"mainline={file}"]), "mainline")
    assert found["polynomial_loss_ratio"] == ["1.029", "does not apply", ""]
    loss = float(found["loss, all pairs"][1])
    first = subject.of_file(file, {**dict.fromkeys(MADE["KNOWN"]), **MADE["NETWORKS"]["mainline"].settings})
    assert loss == pytest.approx(float(first.opened()[0].losses.mean()), rel=1e-3)
    assert torch.equal(first.weights["W_E"], ours(113, d_model=4, n_heads=1, d_mlp=4, seed=0)["W_E"])


@pytest.mark.parametrize(
    ("number", "value", "words"),
    [
        (0.5, 0.55, "+10 %"),
        (0.5, 0.5, "+0 %"),
        ((0.952, 0.979), 0.96, "inside"),
        ((0.5, 0.8), 0.4, "-20 %"),
        ((0.5, 0.8), 1.2, "+50 %"),
        ([3, 5], [5, 3], "same"),
        ([3, 5], [5, 7], "differ in 3 7"),
        ([3, 5], [], "differ in 3 5"),
    ],
)
def test_a_deviation_is_in_percent_of_the_published_number_or_in_frequencies(
    number: object, value: object, words: str
) -> None:
    assert MADE["deviation"](number, value) == words


@pytest.mark.parametrize("argument", ["nobody=x.pth", "mainline", "x.pth"])
def test_files_of_nobody_are_refused(argument: str) -> None:
    with pytest.raises(ValueError, match="The files are name=path, with a name of mainline, no_wd, pizza, clock, C113"):
        published([argument])


def test_a_step_that_a_file_does_not_hold_is_refused(tmp_path: Path) -> None:
    file = saved(tmp_path / "one.pth", ours(), "authors")
    with pytest.raises(ValueError, match="`step` must be one of .*one.pth: 0. Got 7."):
        subject.of_file(file, {**dict.fromkeys(MADE["KNOWN"]), "step": 7})
