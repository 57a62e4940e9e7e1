import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import wandb
import wandb_stub
from accounts import account, no_account
from runs import run
from wandb_stub import serving

from grok.loggers import wandb_server
from grok.loggers.wandb_logger import end, wandb_logger
from grok.loggers.wandb_server import wandb_mode
from grok.runs.folder import RunFolder


@pytest.fixture(autouse=True)
def without_an_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    no_account(monkeypatch, tmp_path)


@pytest.fixture
def server() -> Iterator[str]:
    with serving() as stub:
        yield stub.url


def records(folder: Path) -> list[dict[str, Any]]:
    """What W&B wrote to its file, read back by its own tool."""
    (file,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(file)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [json.loads(line) for line in lines]


def test_without_a_key_it_is_offline_and_says_why() -> None:
    assert wandb_mode() == ("offline", "no key is set up; `wandb login` sets one up")


def test_with_a_key_and_a_server_that_answers_it_is_online(monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "local-" + "0" * 40)
    monkeypatch.setenv("WANDB_BASE_URL", server)
    assert wandb_mode() == ("online", "127.0.0.1 answers")


def test_with_a_key_and_no_server_or_a_silent_one_it_is_offline_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "local-" + "0" * 40)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes calls, and never answers
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        assert wandb_mode() == ("offline", "no answer from 127.0.0.1 within 2 s")
        assert time.monotonic() - began < 4
    wandb.teardown()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{port}")
    assert wandb_mode() == ("offline", "no answer from 127.0.0.1 within 2 s")


def test_under_slurm_it_is_offline_unless_told(monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "local-" + "0" * 40)
    monkeypatch.setenv("WANDB_BASE_URL", server)
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert wandb_mode()[0] == "offline"
    assert wandb_mode("online") == ("online", "as told")
    monkeypatch.setenv("WANDB_MODE", "online")
    assert wandb_mode() == ("online", "as told")


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(
        ValueError, match="`logger.wandb.mode` must be one of online, offline, disabled, or null. Got 'x'"
    ):
        wandb_mode("x")


def test_a_server_that_fails_leaves_an_offline_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = wandb.init

    def failing(**settings: Any) -> Any:
        if settings["mode"] == "online":
            raise wandb.errors.CommError("gone")
        return real(**settings)

    monkeypatch.setattr(wandb, "init", failing)
    logger = wandb_logger(tmp_path, "grok", "name", mode="online")
    assert logger.experiment.settings._offline
    wandb.finish()


def test_a_server_that_goes_away_keeps_no_run_from_ending(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(wandb_server, "FINISH_PATIENCE", 1.0)
    with serving() as stub:
        account(monkeypatch, stub.url)
        logger = wandb_logger(tmp_path, "grok", "name")
        assert RunFolder(tmp_path).summary()["wandb_url"] == f"{stub.url}/tester/grok/runs/{logger.experiment.id}"
    logger.log_metrics({"loss/train": 1.0}, 0)
    began = time.monotonic()
    end(RunFolder(tmp_path), failed=False)
    assert time.monotonic() - began < 5
    assert RunFolder(tmp_path).summary()["wandb_mode"] == (
        "offline at the end (the server did not take all within 1 s; `python -m grok.sync` sends the rest)"
    )


def test_the_stub_stops_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wandb_stub, "LIFE", 0.1)
    with serving() as stub:
        time.sleep(1)
        with pytest.raises(OSError, match="timed out|refused|reset"), urllib.request.urlopen(stub.url, timeout=1):
            pass


def test_an_offline_run_holds_every_metric_by_optimizer_step(tmp_path: Path) -> None:
    folder, summary, _ = run(
        tmp_path / "run", "logger=default", "tags=[first]", "trainer.max_steps=50", "pictures=true"
    )
    written = records(folder.path)
    rows = [r["history"]["item"] for r in written if r["type"] == "history"]
    measured = [row for row in rows if "loss/train" in row]
    metrics = folder.read(folder.metrics)
    assert [row["trainer/global_step"] for row in measured] == metrics["step"].tolist()
    for row, (_, expected) in zip(measured, metrics.iterrows(), strict=True):
        known = expected.drop(["step", "keys"]).dropna().to_dict()
        assert {name: row[name] for name in known} == pytest.approx(known)
    assert sum("final_keys/excluded_loss" in row for row in rows) == len(metrics)
    assert {f"pictures/{name}._type" for name in ("progress", "spectrum", "spectra")} <= {
        name for row in rows for name in row
    }
    configured: dict[str, Any] = {}
    for r in written:
        configured |= r["config"]["update"] if r["type"] == "config" else {}
    flat = {"p": 11, "train_fraction": 0.5, "wd": 1.0, "seed": 0, "regime": "unfitted"}
    assert {name: configured[name] for name in flat} == flat
    assert summary["wandb_mode"].startswith("offline")
    assert wandb.run is None
