"""Every logger that conf/logger offers gets what W&B gets: measurements, final-key curves, events and pictures."""

import builtins
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch.loggers import CSVLogger
from omegaconf import OmegaConf
from runs import run

from grok.loggers.conclusion import give_conclusion
from grok.loggers.configured import configured_loggers
from grok.runs.folder import RunFolder

PICTURES = ["pictures/portrait", "pictures/progress", "pictures/spectra", "pictures/spectrum"]


def trained(folder: Path, logger: str) -> RunFolder:
    """A tiny run in a process of its own: loggers keep threads and global states."""
    code = f"import sys; sys.path[:0] = {sys.path!r}; from runs import run; run(sys.argv[1], *sys.argv[2:])"
    command = [sys.executable, "-W", "ignore", "-c", code, str(folder / "run"), f"logger={logger}", "pictures=true"]
    environment = {**os.environ, "GROK_LOGS": str(folder), "TRACKIO_DIR": str(folder / "trackio")}
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return RunFolder(folder / "run")


@pytest.mark.parametrize("name", ["tensorboard", "mlflow", "trackio"])
def test_a_logger_whose_package_is_missing_is_refused_by_its_name(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Missing:
        def __init__(self) -> None:
            raise ModuleNotFoundError("no")

    monkeypatch.setattr(builtins, "Missing", Missing, raising=False)
    config = OmegaConf.create({name: {"_target_": "builtins.Missing"}})
    sentence = f"`logger={name}` needs a package that is not installed: pip install {name}$"
    with pytest.raises(ValueError, match=sentence):
        configured_loggers(config)


def test_what_is_no_logger_is_refused() -> None:
    config = OmegaConf.create({"mine": {"_target_": "builtins.dict"}})
    with pytest.raises(ValueError, match="`logger.mine` must have a `_target_` that makes a Lightning logger. Got"):
        configured_loggers(config)
    with pytest.raises(ValueError, match="`logger.mine` must have a `_target_`"):
        configured_loggers({"mine": {"project": "x"}})
    assert configured_loggers(None) == configured_loggers({"mine": None}) == []


def test_any_lightning_logger_gets_the_curves_and_the_events(tmp_path: Path) -> None:
    folder, summary, _ = run(tmp_path / "run", "trainer.max_steps=400", "optim.lr=0.01")
    rows: list[tuple[int, dict[str, float]]] = []

    class Recording(CSVLogger):
        def log_metrics(self, metrics: Any, step: int | None = None) -> None:
            rows.append((step or 0, dict(metrics)))

    give_conclusion(Recording(str(tmp_path)), folder)
    curves = folder.read(folder.final_keys)
    assert [step for step, row in rows if "final_keys/excluded_loss" in row] == curves["step"].tolist()
    reached = {f"events/{name}": when[1] for name, when in summary["phases"].items() if when}
    assert reached
    assert rows[-1] == (400, reached)


def test_tensorboard_shows_measurements_curves_and_pictures(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="pip install tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: PLC0415

    folder = trained(tmp_path, "[tensorboard,csv]")
    events = EventAccumulator(str(folder.path / "tensorboard"))
    events.Reload()
    metrics, curves = folder.read(folder.metrics), folder.read(folder.final_keys)
    shown = {scalar.step: scalar.value for scalar in events.Scalars("loss/train")}
    assert shown == pytest.approx(dict(zip(metrics["step"], metrics["loss/train"], strict=True)))
    shown = {scalar.step: scalar.value for scalar in events.Scalars("final_keys/excluded_loss")}
    assert shown == pytest.approx(dict(zip(curves["step"], curves["final_keys/excluded_loss"], strict=True)))
    assert sorted(events.Tags()["images"]) == PICTURES


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")  # mlflow, of sqlalchemy
def test_mlflow_shows_measurements_curves_and_pictures(tmp_path: Path) -> None:
    pytest.importorskip("mlflow", reason="pip install mlflow")
    from mlflow import MlflowClient  # noqa: PLC0415

    folder = trained(tmp_path, "mlflow")
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    (found,) = client.search_runs([e.experiment_id for e in client.search_experiments()])
    curves, identity = folder.read(folder.final_keys), found.info.run_id
    shown = {point.step: point.value for point in client.get_metric_history(identity, "final_keys/excluded_loss")}
    assert shown == pytest.approx(dict(zip(curves["step"], curves["final_keys/excluded_loss"], strict=True)))
    assert found.data.tags["regime"] == "unfitted"
    assert sorted(a.path.removesuffix(".png") for a in client.list_artifacts(identity, "pictures")) == PICTURES


def test_trackio_shows_measurements_curves_and_pictures(tmp_path: Path) -> None:
    pytest.importorskip("trackio", reason="pip install trackio")
    import sqlite3  # noqa: PLC0415

    folder = trained(tmp_path, "trackio")
    with sqlite3.connect(tmp_path / "trackio/grok.db") as database:
        rows = database.execute("select step, metrics from metrics").fetchall()
    steps = sorted(step for step, text in rows if "final_keys/excluded_loss" in str(text))
    assert steps == folder.read(folder.final_keys)["step"].tolist()
    assert len(list((tmp_path / "trackio/media").rglob("*.png"))) == len(PICTURES)
