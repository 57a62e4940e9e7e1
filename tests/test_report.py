import base64
import json
import math
import os
import re
import sys
import types
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from made_up import GROKKED, P, made_up_run, made_up_sweep
from matplotlib.figure import Figure
from rich.console import Console
from runs import run
from torch import Tensor

from grok import report as command
from grok.claims import embedding
from grok.figures.circles import draw_circle
from grok.measures.phases import EVENTS
from grok.pages import page, sweep_data, sweep_groups, sweep_page
from grok.pages.axes import log_axis
from grok.pages.circles import circles
from grok.pages.record import Record
from grok.pages.run_figures import run_figures, spectrum
from grok.pages.run_page import run_page
from grok.runs.folder import RunFolder
from grok.sweep.table import sweep_table

HOSTILE = "<script>window.hacked=1</script>"


def text_of(file: Path) -> str:
    """The page without plotly's script, which may say anything."""
    return file.read_text().replace(page.get_plotlyjs(), "")


# --- runs


def test_a_real_runs_page_holds_all_it_shows_and_asks_for_nothing(tmp_path: Path) -> None:
    folder, summary, _ = run(tmp_path / "run")
    file = run_page(Record.of(folder.path))
    assert file == folder.path / "report.html"
    assert not list(folder.path.glob("*.part"))
    text = text_of(file)
    assert not re.search(r"""(src|href)\s*=\s*["'](?!\.\./)|@import|url\(|fetch\(|XMLHttp|import\(""", text)
    assert summary["command"].split()[0] in text
    assert "addition mod 11" in text
    assert '<span class="regime unfitted">' in text
    assert file.stat().st_size < 5.5e6


def test_a_run_is_shown_as_it_was_settled(tmp_path: Path) -> None:
    record = Record.of(made_up_run(tmp_path).path)
    assert record.settled
    assert record.events == {name: tuple(when) for name, when in GROKKED.items()}
    assert record.phases == [(0, 0, 120), (1, 120, 300), (2, 300, 560), (3, 560, 600)]
    assert record.key_frequencies == [2, 5]
    text = text_of(run_page(record))
    for words in ("memorization</b> <span>step 0 to 120", "clean-up</b> <span>step 300 to 560", "380 and 400"):
        assert words in text


def test_a_run_that_goes_on_is_shown_as_far_as_is_known(tmp_path: Path) -> None:
    folder = made_up_run(tmp_path, status="running")
    table = folder.read(folder.metrics).assign(**{"events/fitted": 60.0, "events/generalized": math.nan})
    table.to_csv(folder.metrics, index=False)
    record = Record.of(tmp_path)
    assert not record.settled
    assert record.status == "lost"
    assert record.events["fitted"] == (40, 60)
    assert record.events["generalized"] is None
    assert record.regime == "memorized"
    text = text_of(run_page(record))
    assert "As known at the last measurement" in text
    assert "not within 600 steps" in text


def test_a_runs_without_snapshots_spectra_or_configuration_has_a_page_of_the_rest(tmp_path: Path) -> None:
    folder = made_up_run(tmp_path)
    for file in (folder.config, folder.spectra, folder.final_keys, folder.summary_file, *folder.snapshots().values()):
        file.unlink()
    text = text_of(run_page(Record.of(tmp_path)))
    assert "There is no config.yaml" in text
    assert 'data-figure="losses"' in text
    assert 'id="spectra"' not in text
    assert 'id="circles"' not in text


def test_a_table_cut_in_its_last_line_is_used_up_to_there_and_said(tmp_path: Path) -> None:
    folder = made_up_run(tmp_path)
    with folder.metrics.open("a") as file:
        file.write("620,2 5,0.1")
    record = Record.of(tmp_path)
    assert record.steps == 600
    assert "metrics.csv ends in a line that was cut short; read up to there." in text_of(run_page(record))


def test_an_analysis_that_cannot_be_read_is_left_out_and_said(tmp_path: Path) -> None:
    made_up_run(tmp_path)
    (tmp_path / "analysis.json").write_text('{"claims": [')
    text = text_of(run_page(Record.of(tmp_path)))
    assert "analysis.json is not JSON; `python -m grok.analyze` makes it again." in text
    assert 'id="claims"' not in text


def test_text_from_the_folder_is_escaped(tmp_path: Path) -> None:
    folder = made_up_run(
        tmp_path, f"tags=['{HOSTILE}']", command=HOSTILE, device=HOSTILE, regime=HOSTILE, ended=HOSTILE
    )
    text = folder.config.read_text()
    folder.config.write_text(re.sub(r"^name: .*$", f"name: '{HOSTILE}</title>'", text, flags=re.M))
    claim = {"claim": HOSTILE, "section": HOSTILE, "paper": HOSTILE, "here": HOSTILE, "holds": True, "note": HOSTILE}
    (tmp_path / "analysis.json").write_text(json.dumps({"step": 600, "key_frequencies": [HOSTILE], "claims": [claim]}))
    text = text_of(run_page(Record.of(tmp_path)))
    assert "hacked" in text
    assert HOSTILE not in text
    assert "</title>'" not in text


def test_the_claims_are_there_when_the_run_was_analyzed(tmp_path: Path) -> None:
    made_up_run(tmp_path)
    claims = [
        {"claim": f"claim {n}", "section": "§4", "paper": "1", "here": "2", "holds": holds, "note": ""}
        for n, holds in enumerate([True, False, None])
    ]
    assert 'id="claims"' not in text_of(run_page(Record.of(tmp_path)))
    analysis = {"step": 600, "p": 11, "key_frequencies": [2, 5], "claims": claims}
    (tmp_path / "analysis.json").write_text(json.dumps(analysis))
    text = text_of(run_page(Record.of(tmp_path)))
    assert [text.count(x) for x in ('class="holds"', 'class="fails"', "claim 2")] == [1, 1, 1]


def test_every_curve_carries_the_numbers_of_its_table(tmp_path: Path) -> None:
    folder = made_up_run(tmp_path)
    figures = run_figures(Record.of(tmp_path))
    counts = {name: len(made["data"]) for name, made in figures.items()}
    assert counts == {
        "losses": 11,
        "accuracy": 4,
        "spike": 2,
        "sparsity": 2,
        "weights": 1,
        "count": 1,
        "shares": 2,
        "spectrum-W_E": 1,
        "spectrum-W_L": 1,
        "portrait": 6,
    }
    assert len(figures["losses"]["layout"]["shapes"]) == 4
    heat = figures["spectrum-W_L"]["data"][0]
    table = folder.read(folder.spectra).query("matrix == 'W_L'")
    assert heat["customdata"]["shape"] == f"5, {len(table)}"
    assert [mark["text"] for mark in figures["spectrum-W_L"]["layout"]["annotations"]] == ["<b>2</b>", "<b>5</b>"]


def test_marks_of_neighbouring_frequencies_do_not_overlap(tmp_path: Path) -> None:
    record = Record.of(made_up_run(tmp_path, key_frequencies=[1, 2, 3, 4, 5]).path)
    marks = spectrum(record, "W_E")["layout"]["annotations"]
    heights = [mark["y"] * 330 / 5 - mark["ay"] for mark in marks]
    assert all(b - a >= 15 - 1e-9 for a, b in pairwise(heights))


# --- circles


def embedded(cos: list[float], sin: list[float], p: int, k: int) -> Tensor:
    """An embedding of the numbers on cos·cos(2πkx/p) + sin·sin(2πkx/p), turned at random, off the origin."""
    angle = 2 * torch.pi * k * torch.arange(p).double() / p
    chance = torch.Generator().manual_seed(0)
    plane = torch.linalg.qr(torch.randn(16, 2, dtype=torch.float64, generator=chance)).Q
    shape = torch.tensor([cos, sin], dtype=torch.float64).T
    return plane @ shape @ torch.stack([angle.cos(), angle.sin()]) + torch.randn(16, 1, generator=chance).double()


@pytest.mark.parametrize(("p", "k"), [(3, 1), (11, 1), (11, 5), (113, 42), (12, 1)])
@pytest.mark.parametrize(
    ("cos", "sin", "semi_axes"),
    [
        ([3, 0], [0, 3], (3, 3)),  # a circle
        ([3, 0], [0, 1], (3, 1)),  # an ellipse
        ([2, 0], [1.2, 1.6], (6.4**0.5, 1.6**0.5)),  # at 53 degrees: 4·(1 ± 0.6), and not squared again
        ([3, 0], [0, 0], (3, 0)),  # cos alone
        ([0, 0], [0, 3], (3, 0)),  # sin alone
        ([3, 0], [2, 0], (13**0.5, 0)),  # both in one direction
    ],
)
def test_an_embedding_is_shown_in_its_true_shape(
    cos: list[float], sin: list[float], semi_axes: tuple[float, float], p: int, k: int
) -> None:
    W_E = embedded(cos, sin, p, k)
    points = embedding.circles(W_E, k)
    singular = torch.linalg.svdvals(points) * (2 / p) ** 0.5
    torch.testing.assert_close(singular, torch.tensor(semi_axes, dtype=torch.float64), rtol=0, atol=1e-9)
    torch.testing.assert_close(torch.cdist(points.T, points.T), torch.cdist(W_E.T, W_E.T), rtol=0, atol=1e-6)


def test_random_weights_are_a_ring_with_their_own_distances_in_its_plane() -> None:
    W_E = torch.randn(128, 113, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    angle = 2 * torch.pi * 14 * torch.arange(113).double() / 113
    waves = torch.stack([angle.cos(), angle.sin()])
    plane = torch.linalg.qr((waves @ W_E.T).T).Q
    points, within = embedding.circles(W_E, 14), plane.T @ W_E
    torch.testing.assert_close(torch.cdist(points.T, points.T), torch.cdist(within.T, within.T), rtol=0, atol=1e-6)
    assert 1.5 < points.norm(dim=0).mean() < 2.5  # √(2·128/113) = 1.5 of its own waves, and noise of size 1


def test_the_last_frequency_of_an_even_number_lies_on_a_line() -> None:
    W_E = torch.randn(8, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    points = embedding.circles(W_E, 6)
    assert points.shape == (2, 12)
    assert (points[1] == 0).all()
    wave = W_E.numpy() @ (-1.0) ** np.arange(12)
    expected = wave / np.linalg.norm(wave) @ (W_E.numpy() - W_E.numpy().mean(1, keepdims=True))
    np.testing.assert_allclose(points[0], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("W_E", [torch.zeros(4, 7), torch.ones(1, 7), torch.arange(7.0)[None]])
def test_an_embedding_without_a_plane_has_no_second_coordinate(W_E: Tensor) -> None:
    points = embedding.circles(W_E, 2)
    assert points.shape == (2, 7)
    assert (points[1] == 0).all()


def test_the_picture_and_the_page_show_the_same_points(tmp_path: Path) -> None:
    folder = made_up_run(tmp_path)
    made = circles(Record.of(tmp_path))
    assert made
    points = np.frombuffer(base64.b64decode(made["points"]), "<f4").reshape(4, 2, 2, P)
    for at, step in enumerate(made["steps"]):
        for i, k in enumerate(made["frequencies"]):
            ax = Figure().subplots()
            draw_circle(ax, folder.load_snapshot(step)["W_E"][:, :P], k)
            dots = np.asarray(ax.collections[0].get_offsets())
            np.testing.assert_allclose(points[at, i].T, dots, rtol=0, atol=1e-6)


def test_every_kept_snapshot_is_on_the_slider_for_the_strongest_frequencies(tmp_path: Path) -> None:
    made = circles(Record.of(made_up_run(tmp_path).path))
    assert made
    assert made["steps"] == [0, 20, 300, 600]
    assert made["frequencies"] == [2, 5]
    assert len(made["points"]) == 4 * math.ceil(4 * 2 * 2 * 11 * 4 / 3)


# --- axes and numbers


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1e-8, 10.0, 0.0, math.nan], {"dtick": 2}),
        ([10, 12_700], {"dtick": 1}),
        ([600, 3000], {"ticktext": ["1,000", "2,000"]}),
    ],
)
def test_a_logarithmic_axis_has_few_and_plain_numbers(values: list[float], expected: dict[str, object]) -> None:
    axis = log_axis(values, whole=True)
    assert axis["type"] == "log"
    if "dtick" in expected:
        assert axis["dtick"] == expected["dtick"]
    else:
        inside = [text for at, text in zip(axis["tickvals"], axis["ticktext"], strict=True) if 600 < at < 3000]
        assert inside == expected["ticktext"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (math.nan, "–"), (0.0, "0"), (0.12346, "0.1235"), (6.2e-8, "6.20e-08"), (1783.2, "1,783")],
)
def test_numbers_are_written_in_four_digits_at_most(value: float | None, text: str) -> None:
    assert page.number(value) == text


# --- sweeps


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up_sweep(tmp_path_factory.mktemp("made") / "sweep").path


def test_a_sweeps_page_names_every_point_and_links_to_the_runs_own(sweep: Path) -> None:
    file = command.report(sweep, Console(quiet=True))
    text = text_of(file)
    assert file.stat().st_size < 8e6
    links = re.findall(r'href="(runs/[^"]+/report.html)"', text)
    assert len(links) == 17
    assert all((sweep / link).exists() for link in links)
    assert 'href="../../report.html"' in text_of(sweep / links[0])
    rows = re.findall(r'<tr data-status="(\w+)"', text)
    assert rows == ["finished"] * 16 + ["failed", "running"]
    assert "<img" not in text
    assert "&lt;img src=x onerror=window.hacked=1&gt; broke" in text
    assert "&gt; 200" in text


def test_runs_are_linked_to_wandb_where_it_knows_them(sweep: Path) -> None:
    folder = RunFolder(next((sweep / "runs").glob("007*")))
    folder.write_summary(wandb_url="https://wandb.ai/me/grok/runs/abc 123")
    text = text_of(command.report(sweep, Console(quiet=True)))
    assert re.findall(r'href="(https[^"]+)"', text) == ["https://wandb.ai/me/grok/runs/abc 123"]


def test_a_run_whose_table_cannot_be_read_is_left_out_and_said(tmp_path: Path) -> None:
    path = made_up_sweep(tmp_path / "sweep").path
    (next((path / "runs").glob("007*")) / "metrics.csv").write_text("step,loss/test\n")
    text = text_of(command.report(path, Console(quiet=True)))
    assert "run 7: The folder must be that of a run with measurements" in text
    assert len(re.findall(r'href="runs/', text)) == 16


def test_medians_are_of_one_configuration_and_take_censored_runs_for_what_they_are(sweep: Path) -> None:
    records = {n: Record.of(next((sweep / "runs").glob(f"{n:03d}*"))) for n in range(18) if n != 16}
    table = sweep_data.up_to_date(sweep_table(sweep), records)
    found = sweep_data.medians(table, ["train_fraction", "wd"])["generalized"]
    # three came, at 400, 420 and 440; none of three came; one failed, one is censored at 200, one came at 400
    assert found["train_fraction = 0.3, wd = 1"] == {"step": 420, "words": "median 420; 3 of 3 runs came to it"}
    assert found["train_fraction = 0.3, wd = 0"] == {"step": None, "words": "median &gt; 640; 0 of 3 runs came to it"}
    assert found["train_fraction = 0.5, wd = 3"] == {"step": 400, "words": "median 400; 1 of 2 runs came to it"}


def test_settings_and_their_values_stay_in_order_on_the_page(sweep: Path) -> None:
    text = text_of(command.report(sweep, Console(quiet=True)))
    assert '"settings": {"train_fraction": ["0.3", "0.5"], "wd": ["0", "1", "3"]}' in text
    assert '"groupings": {"regime": {"grokked"' in text
    assert text.index('"grokked": "#') < text.index('"direct": "#')


def test_curves_are_grouped_by_the_finest_that_has_few_colours_first() -> None:
    points = [(a, b, c) for a in (1, 2) for b in (0.3, 0.5, 0.7) for c in ("x", "y")]
    table = pd.DataFrame(points, columns=["a", "b", "c"]).assign(point=range(12))
    found = sweep_groups.groupings(table, ["a", "b", "c"])
    sizes = {name: len(groups) for name, groups in found.items()}
    assert sizes == {"a, b": 6, "b, c": 6, "a, c": 4, "b": 3, "a": 2, "c": 2, "each combination": 12}
    assert next(iter(sizes)) == "a, b"
    assert list(sizes)[-1] == "each combination"
    assert found["a, c"]["a = 2, c = y"] == [7, 9, 11]
    assert list(sweep_groups.groupings(table, ["a"])) == ["each combination"]
    assert list(sweep_groups.groupings(table, [])) == ["each combination"]


def test_a_band_ends_where_the_first_run_of_its_group_ended(sweep: Path) -> None:
    records = {n: Record.of(next((sweep / "runs").glob(f"{n:03d}*"))) for n in (15, 17)}
    band = sweep_data.bands(sweep_data.all_lines(records, None)["loss/test"], {"two": [15, 16, 17]})["two"]
    decoded = {name: _floats(band[name]) for name in ("x", "median", "low", "high")}
    assert decoded["x"].tolist() == list(range(0, 201, 20))
    one, other = (records[n].metrics["loss/test"].to_numpy()[:11] for n in (15, 17))
    np.testing.assert_allclose(decoded["median"], (one + other) / 2, rtol=1e-6)
    np.testing.assert_allclose(decoded["low"], np.minimum(one, other), rtol=1e-6)
    np.testing.assert_allclose(decoded["high"], np.maximum(one, other), rtol=1e-6)


def test_pages_of_more_than_a_hundred_runs_are_made_on_demand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_page, "LARGE", 5)
    path = made_up_sweep(tmp_path / "sweep").path
    page = text_of(command.report(path, Console(quiet=True)))
    assert not list(path.glob("runs/*/report.html"))
    assert "pages=all" in page
    first = next(path.glob("runs/000*"))
    command.report(first, Console(quiet=True))
    page = text_of(command.report(path, Console(quiet=True)))
    assert page.count("/report.html") >= 1
    assert f'href="runs/{first.name}/report.html"' in page
    assert (path / "report_curves/progress_gini_W_L.js").read_text().startswith('received("progress/gini_W_L", {')
    command.report(path, Console(quiet=True), all_pages=True)
    assert len(list(path.glob("runs/*/report.html"))) == 17


def test_a_thinned_curve_keeps_its_ends_and_values_that_were_measured(tmp_path: Path) -> None:
    records = {n: Record.of(made_up_run(tmp_path / str(n), seed=n, steps=600 + 100 * n).path) for n in (0, 1)}
    lines = sweep_data.all_lines(records, 7)["loss/test"]
    for n, line in lines.items():
        measured = records[n].metrics.set_index("step")["loss/test"]
        assert (line.index[0], line.index[-1]) == (0, 600 + 100 * n)
        assert all(value == measured[step] for step, value in line.items())
    assert len(lines[1]) == 7
    assert len(set(lines[0].index) & set(lines[1].index)) >= 6  # the same of every run, or bands would have none


def _floats(typed: dict[str, str]) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    return np.frombuffer(base64.b64decode(typed["bdata"]), "<f4")


def test_hostile_settings_are_escaped_in_what_plotly_draws() -> None:
    columns = [
        "point",
        "status",
        "regime",
        "steps",
        "key_frequencies",
        "key_count",
        *EVENTS,
        *(f"{e}_after" for e in EVENTS),
    ]
    table = pd.DataFrame([dict.fromkeys(columns) | {"point": 0, "model.activation": HOSTILE}]).astype(object)
    (entry,) = sweep_data.run_entries(table, ["model.activation"], {})
    assert "<" not in json.dumps(entry)
    assert entry["places"] == {"model.activation": 0}


def test_values_of_settings_are_ordered_by_size_and_text_comes_last() -> None:
    table = pd.DataFrame({"a": [10, 2, 2], "b": ["gelu", 0.5, 0.25]}, dtype=object)
    assert sweep_groups.values(table, "a") == ["2", "10"]
    assert sweep_groups.values(table, "b") == ["0.25", "0.5", "gelu"]
    assert list(sweep_groups.combinations(table, ["a"])) == ["a = 2", "a = 10"]


# --- the command


def typed(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["grok.report", *words])
    command.main()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere"], "The folder must be that of a run or of a sweep, or hold some. There is no folder nowhere."),
        (["empty"], "The folder must be that of a run or of a sweep, or hold some. empty is none of these."),
        (["sweep"], "The folder must be that of a sweep with measurements. No run of sweep has any."),
        (["broken"], "`sweep` must be the folder of a sweep, with a sweep.json of this project."),
        ([], "There must be a run with measurements."),
        (["empty", "wandb="], "`wandb` must be <entity>/<project>. Got ."),
        (["empty", "wandb=me"], "`wandb` must be <entity>/<project>. Got me."),
        (["empty", "wandb=a/b/c"], "`wandb` must be <entity>/<project>. Got a/b/c."),
        (["empty", "to=x"], "The settings are wandb, output, pages. Got to=x."),
        (["empty", "pages=some"], "`pages` must be all, or left out. Got some."),
    ],
)
def test_bad_input_is_one_sentence(
    words: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GROK_LOGS", str(tmp_path / "logs"))
    for folder in ("empty", "sweep", "broken"):
        (tmp_path / folder).mkdir()
    (tmp_path / "broken/sweep.json").write_text("{}")
    whole = {"base": {}, "codes": [], "jobs": [], "points": []}
    (tmp_path / "sweep/sweep.json").write_text(json.dumps(whole))
    with pytest.raises(SystemExit) as ended:
        typed(monkeypatch, *words)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert not list(tmp_path.rglob("report.html"))


def test_without_a_folder_it_is_the_run_that_was_measured_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GROK_LOGS", str(tmp_path))
    for n, name in enumerate(["newer", "older"]):
        folder = made_up_run(tmp_path / "train" / name)
        os.utime(folder.metrics, (1e9 - n, 1e9 - n))
    (tmp_path / "train" / "nothing").mkdir()
    typed(monkeypatch)
    latest = tmp_path / "train/newer"
    assert capsys.readouterr().out.splitlines()[:2] == [f"the latest: {latest}", str(latest / "report.html")]


def test_the_wandb_report_is_saved_after_the_page_and_cannot_keep_it_from_being_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made_up_run(tmp_path, wandb_url="https://wandb.ai/me/grok/runs/abc123")

    def save_report(path: Path, entity: str, project: str) -> str:
        assert (path / "report.html").exists()
        if project == "gone":
            raise ValueError("No such project.")
        return f"https://wandb.ai/{entity}/{project}/reports/1"

    module = types.ModuleType("grok.pages.wandb_report")
    module.save_report = save_report  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "grok.pages.wandb_report", module)
    monkeypatch.setattr("grok.pages.wandb_report", module, raising=False)
    typed(monkeypatch, str(tmp_path), "wandb=me/grok")
    assert "https://wandb.ai/me/grok/reports/1" in capsys.readouterr().out.splitlines()
    assert 'href="https://wandb.ai/me/grok/runs/abc123"' in text_of(tmp_path / "report.html")
    (tmp_path / "report.html").unlink()
    with pytest.raises(SystemExit) as ended:
        typed(monkeypatch, str(tmp_path), "wandb=me/gone")
    assert ended.value.code == 2
    assert "No such project." in capsys.readouterr().err
    assert (tmp_path / "report.html").exists()
