"""The report that W&B's own library saves, held against what real runs logged; the server is `wandb_stub`."""

import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import wandb
from accounts import account, no_account
from runs import run
from wandb_stub import WandbStub, serving

from grok.loggers.wandb_history import STEP, run_url
from grok.measures.catalogue import METRICS
from grok.pages.wandb_report import save_report
from grok.report import main
from grok.sweep.folder import Point, Sweep, SweepFolder

GROKS = ["data.p=13", "data.train_fraction=0.7", "trainer.max_steps=1000", "measure_every=100", "optim.lr=0.01"]


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WandbStub, SweepFolder]]:
    """A server, and a sweep of weight decay, batch of seeds and learning rate that was logged to it."""
    folder = tmp_path_factory.mktemp("wandb")
    with pytest.MonkeyPatch.context() as patch, serving("empty") as stub:
        no_account(patch, folder)
        account(patch, stub.url)
        sweep = SweepFolder(folder / "sweep")
        settings = [{"optim.wd": wd, "optim.eps": eps, "replicate": 0} for wd, eps in [(0.5, 1e-8), (1, 1e-7)]]
        points = [Point(n, point, str(n), f"runs/{n:03d}") for n, point in enumerate(settings)]
        sweep.write(Sweep(points=[*points, Point(2, {"optim.wd": 2}, "2", "runs/002")]))
        for point in sweep.points():
            typed = [f"{name}={value}" for name, value in point.settings.items()]
            sweep.config_file(point).parent.mkdir(exist_ok=True)
            made = [*GROKS, *typed, "logger=default", f"pictures={str(point.number == 0).lower()}"]
            if point.number < 2:
                made_folder, *_ = run(sweep.run_folder(point).path, *made)
                sweep.config_file(point).write_text(made_folder.config.read_text())
            else:
                sweep.config_file(point).write_text(sweep.config_file(points[0]).read_text())
        yield stub, sweep
        wandb.teardown()


def views(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """All panels of a report that has arrived."""
    grids = [block for block in spec["blocks"] if block["type"] == "panel-grid"]
    return [panel for grid in grids for panel in grid["metadata"]["panelBankSectionConfig"]["panels"]]


def named(spec: dict[str, Any]) -> tuple[set[str], set[str], set[str], set[str]]:
    """What the panels and tables of a report name: metrics of history, of the summary, of media; configuration."""
    history: set[str] = set()
    media: set[str] = set()
    accessors: set[str] = set()
    for panel in views(spec):
        config = panel["config"]
        history |= (
            set(config.get("metrics", [])) | {config["xAxis"]} & {STEP}
            if "xAxis" in config
            else set(config.get("metrics", []))
        )
        media |= set(config.get("mediaKeys", []))
        accessors |= {config[axis] for axis in ("xAxis", "yAxis") if ":" in config.get(axis, "")}
        accessors |= {column["accessor"] for column in config.get("columns", [])}
        accessors |= {f"config:{config['groupBy']}"} if "groupBy" in config else set()
    for block in spec["blocks"]:
        for runset in block.get("metadata", {}).get("runSets", []):
            accessors |= set(runset["runFeed"]["columnOrder"])
            accessors |= {f"{key['section']}:{key['name']}" for key in runset["grouping"]}
    summary = {name.partition(":")[2] for name in accessors if name.startswith("summary:")}
    config_keys = {name.partition(":")[2] for name in accessors if name.startswith("config:")}
    return history, summary, media, config_keys


def assert_all_there(stub: WandbStub, spec: dict[str, Any], ids: list[str]) -> None:
    """Everything a report names is in what some run of it logged; what it groups by is in every run's configuration."""
    arrived = [stub.runs[run_id] for run_id in ids]
    history, summary, media, keys = named(spec)
    logged = {name for one in arrived for row in one.rows for name in row}
    assert history
    assert history <= logged
    assert summary <= {name for one in arrived for name in one.summary}
    assert media <= {name for one in arrived for row in one.rows for name, x in row.items() if isinstance(x, dict)}
    for key in keys:
        first, value, *rest = key.split(".")
        assert value == "value"
        for one in arrived:
            node = one.config[first]
            for name in rest:
                node = node[name]


def test_the_report_of_a_sweep_names_nothing_that_its_runs_have_not_logged(
    logged: tuple[WandbStub, SweepFolder],
) -> None:
    stub, sweep = logged
    url = save_report(sweep.path, "tester", "grok")
    report = stub.reports[-1]
    assert (report["entityName"], report["projectName"], report["displayName"]) == ("tester", "grok", "Grokking: sweep")
    assert re.fullmatch(rf"{stub.url}/tester/grok/reports/Grokking:-sweep--VmlldzoxMjM=?", url)
    ids = [sweep.run_folder(point).summary()["wandb_id"] for point in sweep.points()[:2]]
    spec = report["spec"]
    assert_all_there(stub, spec, ids)
    kinds = {panel["viewType"] for panel in views(spec)}
    assert kinds == {
        *("Run History Line Plot", "Scatter Plot", "Bar Chart", "Media Browser", "Parallel Coordinates Plot"),
    }
    _, _, media, keys = named(spec)
    assert media == {"pictures/progress", "pictures/spectrum", "pictures/spectra", "pictures/portrait"}
    assert {"wd.value", "optim.value.eps", "seed.value", "regime.value"} == keys
    bands = [panel["config"] for panel in views(spec) if "groupBy" in panel["config"]]
    assert {(x["groupAgg"], x["groupArea"]) for x in bands} == {("median", "minmax")}
    assert {x["groupBy"] for x in bands} == {"wd.value", "optim.value.eps"}
    assert any(panel["config"].get("xLogScale") and panel["config"].get("yLogScale") for panel in views(spec))
    runsets = [x for block in spec["blocks"] for x in block.get("metadata", {}).get("runSets", [])]
    shown = {x["name"]: x["filters"]["filters"][0]["value"] for x in runsets}
    assert shown == {
        "all runs": ids,
        "runs alike but for their seeds": ids,
        "wd = 0.5": ids[:1],
        "wd = 1": ids[1:],
        "optim.eps = 1e-08": ids[:1],
        "optim.eps = 1e-07": ids[1:],
    }
    assert not any("project" in x for x in runsets)
    grouped = {tuple(key["name"] for key in x["grouping"]) for x in runsets if x["grouping"]}
    assert grouped == {("wd.value", "optim.value.eps")}


def test_every_measure_of_a_report_is_explained_with_its_section(logged: tuple[WandbStub, SweepFolder]) -> None:
    stub, sweep = logged
    save_report(sweep.path, "tester", "grok")
    spec = stub.reports[-1]["spec"]
    text = "\n".join(block["content"] for block in spec["blocks"] if block["type"] == "markdown-block")
    for name in named(spec)[0] - {STEP}:
        assert f"`{name}`" in text
        assert METRICS[name].text in text
        assert METRICS[name].section in text
    assert "1 more that are not in this project" in text


def test_the_report_of_one_run_has_its_story_without_groups(logged: tuple[WandbStub, SweepFolder]) -> None:
    stub, sweep = logged
    folder = sweep.run_folder(sweep.points()[0])
    save_report(folder.path, "tester", "grok")
    spec = stub.reports[-1]["spec"]
    assert_all_there(stub, spec, [folder.summary()["wandb_id"]])
    assert not any("groupBy" in panel["config"] for panel in views(spec))
    lines = {panel["config"]["chartTitle"]: panel["config"] for panel in views(spec) if "chartTitle" in panel["config"]}
    assert lines["restricted loss"]["metrics"] == [
        *("progress/symmetrized_loss", "progress/wave_loss", "progress/restricted_loss", "final_keys/restricted_loss")
    ]
    assert lines["restricted loss"]["yLogScale"]
    assert {lines[title]["xAxis"] for title in ("accuracy", "squared weights", "phase")} == {STEP}
    known = folder.read(folder.metrics).filter(like="events/").notna().any()  # while training; others at its end alone
    assert set(lines["events [steps]"]["metrics"]) == set(known.index[known])


def test_a_report_needs_a_project_that_holds_the_runs(logged: tuple[WandbStub, SweepFolder], tmp_path: Path) -> None:
    _, sweep = logged
    with pytest.raises(
        ValueError, match="`wandb` must name the project that holds the runs. None of those in .* is in"
    ):
        save_report(sweep.path, "tester", "empty")
    offline, *_ = run(tmp_path / "run", "logger=csv")
    assert run_url(offline) is None
    with pytest.raises(ValueError, match="None of those in .* is in tester/grok; `python -m grok.sync` sends runs"):
        save_report(offline.path, "tester", "grok")
    offline.write_summary(wandb_url="http://127.0.0.1/tester/gone/runs/x", wandb_id="x")
    with pytest.raises(ValueError, match="`wandb` must name a project of tester, which are: empty, grok. Got gone."):
        save_report(offline.path, "tester", "gone")
    offline.write_summary(wandb_url="http://127.0.0.1/nobody/grok/runs/x", wandb_id="x")
    with pytest.raises(ValueError, match="No W&B report can be saved for nobody: "):
        save_report(offline.path, "nobody", "grok")


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """A machine without an account, for one test."""
    no_account(monkeypatch, tmp_path)
    yield monkeypatch
    wandb.teardown()  # settings are read anew by the next test


def test_without_a_key_or_an_answer_there_is_no_report(elsewhere: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder, *_ = run(tmp_path / "run", "logger=csv")
    folder.write_summary(wandb_url="http://127.0.0.1/tester/grok/runs/x", wandb_id="x")
    with pytest.raises(ValueError, match="No W&B report can be saved: no key is set up; `wandb login` sets one up."):
        save_report(folder.path, "tester", "grok")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    account(elsewhere, f"http://127.0.0.1:{port}")
    with pytest.raises(ValueError, match="No W&B report can be saved: no answer from 127.0.0.1 within 2 s."):
        save_report(folder.path, "tester", "grok")


def test_the_command_makes_the_local_page_first_and_then_the_report(
    logged: tuple[WandbStub, SweepFolder], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stub, sweep = logged
    folder = sweep.run_folder(sweep.points()[0])
    monkeypatch.setattr(sys, "argv", ["grok.report", str(folder.path), "wandb=tester/grok"])
    main()
    page, url = capsys.readouterr().out.splitlines()[:2]
    assert Path(page) == folder.path / "report.html"
    assert url.startswith(f"{stub.url}/tester/grok/reports/")
    Path(page).unlink()
    monkeypatch.setattr(sys, "argv", ["grok.report", str(folder.path), "wandb=tester/gone"])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert Path(page).exists()
    said = capsys.readouterr().err
    assert said.startswith("`wandb` must name the project that holds the runs. None of those in ")
    assert said.count("\n") == 1
