"""What the page of a run says beside its curves: pairs, neurons, and what was analyzed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_up import GROKKED, P, made_up_run
from matplotlib.figure import Figure
from runs import TINY, run
from torch import Tensor

from grok.pages import page
from grok.pages.analysis import MOST, PICTURES, parts, pictures
from grok.pages.circles import circles
from grok.pages.neurons import columns, neuron_figures
from grok.pages.portrait import portrait
from grok.pages.record import Record
from grok.pages.run_figures import run_figures
from grok.pages.run_page import mirrored_alone, run_page, subtitle
from grok.runs.folder import RunFolder


def text_of(file: Path) -> str:
    """The page without plotly's script, and in one line."""
    return " ".join(file.read_text().replace(page.get_plotlyjs(), "").split())


# --- pairs and phases


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ({"train": 576, "unseen": 157, "mirrored": 228}, "157 unseen; 228 mirrored, 59 % of the test set"),
        ({"train": 576, "unseen": 385, "mirrored": 0}, "385 tested, none the mirror of a trained one"),
    ],
)
def test_how_much_of_the_test_set_is_mirrored_is_said_once(pairs: dict[str, int], words: str, tmp_path: Path) -> None:
    text = text_of(run_page(Record.of(made_up_run(tmp_path, pairs=pairs).path)))
    assert "576 trained" in text
    assert text.count(words) == 1


def test_a_run_from_before_pairs_were_counted_says_nothing_of_them(tmp_path: Path) -> None:
    assert "<dt>pairs</dt>" not in text_of(run_page(Record.of(made_up_run(tmp_path).path)))


def with_accuracies(folder: RunFolder, mirrored: list[float], unseen: list[float]) -> Record:
    table = folder.read(folder.metrics).head(len(mirrored))
    table.assign(**{"accuracy/mirrored": mirrored, "accuracy/unseen": unseen}).to_csv(folder.metrics, index=False)
    return Record.of(folder.path)


@pytest.mark.parametrize(
    ("mirrored", "unseen", "words"),
    [
        ([0, 0.5, 0.9, 1], [0, 0.1, 0.2, 1], "At step 40, 90 % of the mirrored pairs were answered, and 20 % of"),
        ([0, 0, 1], [0, 0, 1], ""),
        ([np.nan] * 3, [0, 0, 1], ""),
        ([np.nan, 0.3], [0, 0], "At step 20, 30 %"),
    ],
)
def test_the_accuracy_panel_says_where_mirrored_pairs_were_furthest_ahead(
    mirrored: list[float], unseen: list[float], words: str, tmp_path: Path
) -> None:
    said = mirrored_alone(with_accuracies(made_up_run(tmp_path), mirrored, unseen))
    assert said.startswith(words)
    assert bool(said) == bool(words)


def test_a_run_that_generalizes_directly_has_no_phases(tmp_path: Path) -> None:
    phases = {**GROKKED, "fitted": [300, 320], "memorization_end": None}
    record = Record.of(made_up_run(tmp_path, regime="direct", phases=phases).path)
    assert record.phases == []
    assert 'class="phases"' not in text_of(run_page(record))


def test_the_portrait_leaves_out_what_was_not_measured(tmp_path: Path) -> None:
    folder = made_up_run(tmp_path)
    table = folder.read(folder.metrics)
    table.loc[2:4, "progress/circuit_waves"] = np.nan
    table.to_csv(folder.metrics, index=False)
    curve, *events = portrait(Record.of(tmp_path))["data"]
    assert len(curve["text"]) == len(table) - 3
    assert curve["text"][:3] == ["step 0, memorization", "step 20, memorization", "step 100, memorization"]
    assert next(event["name"] for event in events) == "memorization ends, 120"  # that of fitting lies at a gap
    table.drop(columns="progress/circuit_waves").to_csv(folder.metrics, index=False)
    assert portrait(Record.of(tmp_path)) == {"data": []}


@pytest.mark.parametrize("measured", [True, False])
def test_a_run_without_unseen_pairs_says_that_its_events_are_of_test_pairs(measured: bool, tmp_path: Path) -> None:
    folder = made_up_run(tmp_path)
    if not measured:
        folder.read(folder.metrics).drop(columns="loss/unseen").to_csv(folder.metrics, index=False)
    assert ("read from all test pairs" in text_of(run_page(Record.of(tmp_path)))) == (not measured)


def test_a_page_stays_small_however_long_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made_up_run(tmp_path, steps=20 * 600)
    for step in range(40, 20 * 600, 40):
        folder.save_snapshot(step, {"W_E": torch.zeros(8, P + 1)})
    record = Record.of(tmp_path)
    heat = run_figures(record)["spectrum-W_E"]["data"][0]
    assert decoded(heat["z"]).shape == (5, 160)
    assert {0, 80, 120, 280, 300, 12_000} <= set(record.thinned(record.metrics["step"].tolist(), 160))
    assert len(record.folder.snapshots()) == 302
    monkeypatch.setattr("grok.pages.circles.BYTES", 2 * 8 * P * 50)  # two circles at fifty steps
    drawn = circles(record)
    assert drawn
    assert len(drawn["steps"]) == 50
    assert drawn["steps"][-1] == 12_000


# --- neurons


def wave(p: int, k: int, phase: float, size: float = 1.0) -> Tensor:
    """size cos(2πkc/p - πφ) over c."""
    return size * torch.cos(2 * torch.pi * k * torch.arange(p).double() / p - torch.pi * phase)


@pytest.mark.parametrize(("p", "k"), [(3, 1), (11, 1), (11, 5), (113, 42), (12, 2), (12, 6)])
def test_a_neuron_has_the_frequency_and_the_phase_of_its_column(p: int, k: int) -> None:
    phases = [0.0, 1.0] if 2 * k == p else [0.0, 0.25, -0.5, 0.9]
    W_L = torch.stack([wave(p, k, phase, size) for phase, size in zip(phases, [1, 1e-3, 7, 2], strict=False)], 1) + 5
    found = columns(W_L)
    assert found.frequency.tolist() == [k] * len(phases)
    torch.testing.assert_close(found.share, torch.ones(len(phases), dtype=torch.float64))
    np.testing.assert_allclose(found.phase.numpy(), phases, rtol=0, atol=1e-9)


def test_the_share_of_a_column_is_that_of_its_squared_norm() -> None:
    found = columns((wave(11, 2, 0.3, 2.0) + wave(11, 5, 0.1, 1.0))[:, None])
    assert found.frequency.tolist() == [2]
    assert float(found.share) == pytest.approx(4 / 5)


def test_a_silent_neuron_has_no_frequency() -> None:
    assert float(columns(torch.zeros(11, 1)).share) == 0


def with_columns(folder: RunFolder, columns_of: dict[int, list[Tensor]], **more: Tensor) -> Record:
    """Snapshots in which W_U is the identity on the numbers, so that W_out is W_L."""
    for file in folder.snapshots().values():
        file.unlink()
    for step, own in columns_of.items():
        W_out = torch.stack(own, 1).float()
        W_U = torch.eye(P, P + 1)
        folder.save_snapshot(step, {"W_E": torch.zeros(P, P + 1), "W_U": W_U, "blocks.0.W_out": W_out, **more})
    return Record.of(folder.path)


def decoded(typed: dict[str, Any]) -> np.ndarray[Any, Any]:
    import base64  # noqa: PLC0415

    flat = np.frombuffer(base64.b64decode(typed["bdata"]), typed["dtype"])
    return flat.reshape([int(n) for n in typed["shape"].split(",")]) if "shape" in typed else flat


def test_neurons_are_sorted_by_frequency_and_phase_of_the_last_network(tmp_path: Path) -> None:
    five, two, late, other = wave(P, 5, 0.5), wave(P, 2, -0.5), wave(P, 2, 0.5), wave(P, 3, 0)
    record = with_columns(made_up_run(tmp_path), {0: [other, two, other, two], 600: [five, late, two, other]})
    figures = neuron_figures(record)
    heat = figures["neurons"]["data"][0]
    assert decoded(heat["customdata"]).tolist() == [[0, 2], [2, 2], [0, 5], [2, 0]]  # 3 is no key frequency
    assert decoded(heat["z"]).tolist() == [[0, 1], [1, 1], [0, 2], [1, 0]]
    assert [mark["text"] for mark in figures["neurons"]["layout"]["annotations"]] == ["<b>2</b>", "<b>5</b>"]
    two, five = figures["neuron-phases"]["data"]
    assert sorted(decoded(two["x"])) == pytest.approx([-0.5, 0.5], abs=1e-6)
    assert decoded(five["x"]) == pytest.approx([0.5], abs=1e-6)


def test_a_mixture_belongs_to_no_frequency(tmp_path: Path) -> None:
    even = wave(P, 2, 0.1) + wave(P, 5, 0.2) + wave(P, 3, 0.3)
    record = with_columns(made_up_run(tmp_path), {600: [even]})
    assert decoded(neuron_figures(record)["neurons"]["data"][0]["z"]).tolist() == [[0]]


def test_of_two_layers_the_last_one_writes_the_logits(tmp_path: Path) -> None:
    record = with_columns(
        made_up_run(tmp_path), {600: [wave(P, 2, 0)]}, **{"blocks.10.W_out": torch.stack([wave(P, 5, 0)], 1)}
    )
    assert decoded(neuron_figures(record)["neurons"]["data"][0]["customdata"]).tolist() == [[5]]


def test_networks_without_neurons_or_by_other_names_have_none(tmp_path: Path) -> None:
    folder, *_ = run(tmp_path / "run", "model.d_mlp=0")
    assert neuron_figures(Record.of(folder.path)) == {}
    assert neuron_figures(Record.of(made_up_run(tmp_path / "other").path)) == {}


# --- what was analyzed


def claim(words: str, section: str, holds: bool | None, **more: Any) -> dict[str, Any]:
    part = "logits" if "." in section and section != "2306.17844" else "algorithm"
    return {"part": part, "claim": words, "section": section, "paper": "1", "here": "2", "holds": holds, **more}


CLAIMS = [
    claim("a", "4.2", True, paper="-", untrained_holds=True),
    claim("b", "App. B", False, untrained_here="9"),
    claim("c", "2306.17844", None),
]


def analyzed(folder: RunFolder, **more: Any) -> str:
    report = {"step": 600, "key_frequencies": [2, 5], "claims": CLAIMS, **more}
    (folder.path / "analysis.json").write_text(json.dumps(report))
    return text_of(run_page(Record.of(folder.path)))


def test_claims_stand_by_the_part_of_the_network_in_their_order(tmp_path: Path) -> None:
    first, second = parts({"claims": CLAIMS})
    assert (first.name, first.held, first.judged) == ("logits", 1, 2)
    assert [claim["claim"] for claim in first.claims] == ["a", "b"]
    assert (second.name, second.held, second.judged) == ("algorithm", 0, 0)
    text = analyzed(made_up_run(tmp_path), accuracy=0.481)
    for words in (
        "1 of 2 hold.",
        "it answers 48.1 % of all pairs",
        "logits: 1 of 2 hold",
        "algorithm: nothing is judged",
    ):
        assert words in text
    for words in ('<small class="muted">§4.2</small>', ">App. B<", ">2306.17844<", "as untrained"):
        assert text.count(words) == 1
    assert '<td data-label="the paper"></td>' in text


def test_the_ablations_are_there_when_the_run_was_analyzed(tmp_path: Path) -> None:
    losses = {"attention zero": {"train": 1.5, "test": 2.5, "all": 2.25}, "<b>": {"train": 1, "test": None, "all": 1}}
    text = analyzed(made_up_run(tmp_path), losses=losses)
    assert (
        '<td>attention zero</td><td class="right">2.25</td><td class="right">1.5</td><td class="right">2.5</td>' in text
    )
    assert "&lt;b&gt;" in text


def test_pictures_of_an_analysis_are_inside_the_page(tmp_path: Path) -> None:
    folder = made_up_run(tmp_path)
    assert 'id="analysis"' not in text_of(run_page(Record.of(tmp_path)))
    (tmp_path / "analysis").mkdir()
    for name in ("attention", "ablations", "progress"):
        Figure((20, 10)).savefig(tmp_path / "analysis" / f"{name}.png")
    (tmp_path / "analysis" / "neurons.png").write_text("no picture")
    words, sources = zip(*pictures(tmp_path / "analysis"), strict=True)
    assert words == (PICTURES["attention"], PICTURES["ablations"])
    assert all(source.startswith("data:image/webp;base64,") for source in sources)
    text = analyzed(folder)
    assert text.count("<img src=") == 2
    assert "Content-Security-Policy" in text


def test_the_pictures_of_a_page_stay_small(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).random((1400, 1400, 3))
    for name in PICTURES:
        figure = Figure((14, 14), dpi=100)
        figure.figimage(noise)
        figure.savefig(tmp_path / f"{name}.png")
    assert sum(len(source) for _, source in pictures(tmp_path)) < 1.4 * MOST


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("4.2", "§4.2"),
        ("4.1, 5.1", "§4.1, 5.1"),
        ("App. B", "App. B"),
        ("2306.17844", "2306.17844"),
        ("ours", "ours"),
        ("", ""),
    ],
)
def test_sections_of_the_paper_have_their_sign(typed: str, shown: str) -> None:
    assert page.section(typed) == shown


@pytest.mark.parametrize(("operation", "cyclic"), [("multiplication", True), ("D_5", False)])
def test_the_page_of_a_group_names_it_and_draws_circles_where_it_is_cyclic(
    operation: str, cyclic: bool, tmp_path: Path
) -> None:
    settings = [f"data.operation={operation}", *(["data.p=13"] if cyclic else [])]
    folder, summary, _ = run(
        tmp_path / "run", *settings, base=[word for word in TINY if not word.startswith("data.p=")]
    )
    record = Record.of(folder.path)
    assert record.p == len(summary["symbols"]) == (12 if cyclic else 10)
    assert f"{summary['group']['words']})" in subtitle(record)
    assert (circles(record) is not None) == (cyclic and bool(record.key_frequencies))
    assert run_page(record).exists()
