"""Runs sent to W&B by the real client, held against their own tables; the server is `wandb_stub`."""

import io
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pandas as pd
import pytest
import wandb
from accounts import account, no_account
from rich.console import Console
from runs import TINY, configuration, run
from wandb_stub import StubRun, WandbStub, serving

from grok.loggers.wandb_history import run_url
from grok.runs.folder import RunFolder
from grok.runs.resume import resumed_config
from grok.settings.quiet import quiet
from grok.sweep.folder import Point, Sweep, SweepFolder
from grok.sync import main
from grok.training.experiment import assemble
from grok.training.run import train

WITH_WANDB = [setting for setting in TINY if not setting.startswith("logger=")] + ["logger=default"]


@pytest.fixture(autouse=True)
def without_an_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    no_account(monkeypatch, tmp_path)


@pytest.fixture
def stub() -> Iterator[WandbStub]:
    with serving() as server:
        yield server
        wandb.teardown()
    assert not server.unknown


def sync(monkeypatch: pytest.MonkeyPatch, folder: Path, *settings: str) -> tuple[int, str]:
    """The exit status of `python -m grok.sync`, and what it says."""
    said = io.StringIO()
    monkeypatch.setattr(sys, "argv", ["grok.sync", str(folder), *settings])
    with redirect_stdout(said), redirect_stderr(said):
        try:
            main()
        except SystemExit as end:
            return int(str(end.code)), said.getvalue()
    return 0, said.getvalue()


def resumed(folder: RunFolder, *typed: str) -> None:
    """Go on with the run in this process."""
    config = resumed_config(configuration(folder.path, f"resume={folder.path}", *typed, base=[]), list(typed))
    with quiet():
        train(assemble(config), Console(quiet=True))


def until(process: "subprocess.Popen[str]", folder: RunFolder, step: int) -> None:
    """Wait until the run has measured beyond `step`."""
    while not (folder.metrics.exists() and int(folder.read(folder.metrics)["step"].max()) > step):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def assert_holds(arrived: StubRun, folder: RunFolder) -> None:
    """Every measurement is there once, in order, with its values, and every final-key curve once."""
    rows = pd.DataFrame(arrived.rows).sort_index(axis=1)
    for file, a_column in [(folder.metrics, "loss/train"), (folder.final_keys, "final_keys/excluded_loss")]:
        table = folder.read(file)
        there = rows[rows[a_column].notna()].reset_index(drop=True)
        assert there["trainer/global_step"].tolist() == table["step"].tolist()
        for name in table.columns.drop(["step", "keys"], errors="ignore"):
            if table[name].notna().any():
                pd.testing.assert_series_equal(there[name].astype(float), table[name].astype(float), rtol=1e-12)
    assert arrived.rows[-1]["trainer/global_step"] == folder.summary()["steps"]
    assert [row["_step"] for row in arrived.rows] == list(range(len(rows)))


def started(folder: RunFolder, *arguments: str) -> "subprocess.Popen[str]":
    """A training process, to be killed."""
    command = [sys.executable, "-m", "grok.train", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def killed(folder: RunFolder, *settings: str) -> int:
    """Start a run and SIGKILL it somewhere after its checkpoint at step 200; its last measured step."""
    base = [*WITH_WANDB, "trainer.max_steps=100000", "callbacks.checkpoints.every=200", f"hydra.run.dir={folder.path}"]
    process = started(folder, *base, *settings)
    until(process, folder, 240)
    process.kill()
    process.communicate()
    last = int(folder.read(folder.metrics)["step"].max())
    assert max(folder.checkpoints()) < last
    return last


def test_an_online_run_arrives_as_measured_and_is_not_sent_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stub: WandbStub
) -> None:
    account(monkeypatch, stub.url)
    folder, summary, _ = run(tmp_path / "run", "logger=default", "pictures=true")
    arrived = stub.runs[summary["wandb_id"]]
    assert_holds(arrived, folder)
    assert {name: arrived.config[name] for name in ("p", "wd", "regime")} == {"p": 11, "wd": 1.0, "regime": "unfitted"}
    assert {f"media/images/pictures/{name}" for name in ("progress", "spectrum", "spectra", "portrait")} == {
        file.rsplit("_", 2)[0] for file in arrived.files if file.startswith("media/")
    }
    assert run_url(folder) == f"{stub.url}/tester/grok/runs/{summary['wandb_id']}"
    code, words = sync(monkeypatch, folder.path)
    assert (code, arrived.received) == (0, len(arrived.rows))
    assert f"online already: {run_url(folder)}" in words
    assert "nothing to send" in words


def test_an_online_run_that_was_killed_goes_on_without_a_row_twice_or_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stub: WandbStub
) -> None:
    account(monkeypatch, stub.url)
    folder = RunFolder(tmp_path / "run")
    last = killed(folder)
    resumed(folder, f"trainer.max_steps={last + 50}")
    (arrived,) = stub.runs.values()
    assert_holds(arrived, folder)


def test_a_killed_and_preempted_run_is_sent_as_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stub: WandbStub
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    folder = RunFolder(tmp_path / "run")
    last = killed(folder)
    process = started(folder, f"resume={folder.path}")
    until(process, folder, last + 100)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM, errors
    account(monkeypatch, stub.url)
    assert "interrupted at step" in sync(monkeypatch, folder.path)[1]  # as far as it is
    (arrived,) = stub.runs.values()
    assert not any(name.startswith("final_keys/") for row in arrived.rows for name in row)
    resumed(folder, f"trainer.max_steps={folder.summary()['steps'] + 50}", "pictures=true")
    assert len(list(folder.path.glob("wandb/offline-run-*"))) == 3
    code, words = sync(monkeypatch, folder.path)
    assert (code, list(stub.runs)) == (0, [folder.summary()["wandb_id"]])
    assert_holds(arrived, folder)
    assert arrived.config["trainer"]["max_steps"] == folder.summary()["steps"]
    assert arrived.config["regime"] == folder.summary()["regime"]
    assert (arrived.summary["status"], arrived.summary["loss/test"]) == ("finished", arrived.rows[-2]["loss/test"])
    assert sum(file.startswith("media/images/pictures/spectra") for file in arrived.files) == 1
    assert len(arrived.rows) == arrived.received
    code, words = sync(monkeypatch, folder.path)
    assert (code, arrived.received) == (0, len(arrived.rows))
    assert f"sent already: {stub.url}/tester/grok/runs/{arrived.id}" in words
    folder.wandb_sent.unlink()  # as if cut off before it was noted
    sync(monkeypatch, folder.path)
    assert_holds(arrived, folder)


def test_the_clients_own_sync_leaves_out_what_follows_a_piece_that_was_cut_short(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stub: WandbStub
) -> None:
    """Why this project sends its own tables: were this test to fail, `wandb sync` might do instead."""
    folder, *_ = run(tmp_path / "run", "logger=default", "trainer.max_steps=40")
    wandb.teardown()  # which waits until all is written
    (piece,) = folder.path.glob("wandb/offline-run-*/run-*.wandb")
    piece.write_bytes(piece.read_bytes()[:-2000])  # as SIGKILL leaves it: within a record
    time.sleep(1)  # pieces are named by the second
    resumed(folder, "trainer.max_steps=80")
    account(monkeypatch, stub.url)
    pieces = sorted(map(str, folder.path.glob("wandb/offline-run-*")))
    command = [sys.executable, "-m", "wandb", "sync", *pieces]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)  # exit status 0
    assert "ends with an incomplete record" in done.stderr
    (arrived,) = stub.runs.values()
    assert {60, 80} & {row["trainer/global_step"] for row in arrived.rows} == set()
    sync(monkeypatch, folder.path)
    steps = [row["trainer/global_step"] for row in arrived.rows if "loss/train" in row]
    assert steps == folder.read(folder.metrics)["step"].tolist()


def test_an_offline_run_goes_where_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stub: WandbStub) -> None:
    folder, summary, _ = run(tmp_path / "run", "logger=default", "tags=[first]", "logger.wandb.group=a_sweep")
    account(monkeypatch, stub.url)
    code, _ = sync(monkeypatch, folder.path, "project=other", "entity=tester")
    assert (code, stub.projects) == (0, ["other"])
    arrived = stub.runs[summary["wandb_id"]]
    assert_holds(arrived, folder)
    settings = {"displayName": "p11_f0.5_wd1.0_split0_seed0", "groupName": "a_sweep", "tags": ["first"]}
    assert settings.items() <= arrived.attributes.items()
    assert run_url(folder) == f"{stub.url}/tester/other/runs/{arrived.id}"


def test_an_offline_run_that_goes_on_online_arrives_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stub: WandbStub
) -> None:
    folder, summary, _ = run(tmp_path / "run", "logger=default", "trainer.max_steps=40")
    account(monkeypatch, stub.url)
    resumed(folder, "trainer.max_steps=80")
    arrived = stub.runs[summary["wandb_id"]]
    assert_holds(arrived, folder)


def test_a_sweep_is_sent_run_by_run_and_says_what_has_nothing_to_send(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stub: WandbStub
) -> None:
    sweep = SweepFolder(tmp_path / "sweep")
    points = [Point(n, {"replicate": n}, str(n), f"runs/{n:03d}") for n in range(3)]
    sweep.write(Sweep(points=points))
    for point, logger in zip(points, ["default", "csv"], strict=False):  # the third is not begun
        run(sweep.run_folder(point).path, f"replicate={point.number}", f"logger={logger}")
    account(monkeypatch, stub.url)
    code, words = sync(monkeypatch, sweep.path)
    assert code == 0
    assert "000  replicate=0  sent, " in words
    assert "001  replicate=1  without W&B" in words
    assert "002  replicate=2  without W&B" in words
    assert "1 of 3 runs sent" in words
    assert_holds(stub.runs[sweep.run_folder(points[0]).summary()["wandb_id"]], sweep.run_folder(points[0]))


def test_without_a_key_or_an_answer_nothing_is_sent_and_the_sentence_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder, *_ = run(tmp_path / "run", "logger=default")
    code, words = sync(monkeypatch, folder.path)
    assert (code, words) == (2, "Nothing can be sent to W&B: no key is set up; `wandb login` sets one up.\n")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    account(monkeypatch, f"http://127.0.0.1:{port}")
    code, words = sync(monkeypatch, folder.path)
    assert (code, words) == (2, "Nothing can be sent to W&B: no answer from 127.0.0.1 within 2 s.\n")
    assert run_url(folder) is None


def test_what_cannot_be_sent_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code, words = sync(monkeypatch, tmp_path / "nowhere")
    assert code == 2
    assert "must be that of a run or of a sweep" in words
    assert sync(monkeypatch, tmp_path, "tags=[x]") == (2, "The settings are project, entity. Got tags=[x].\n")
    folder, *_ = run(tmp_path / "run", "logger=csv")
    code, words = sync(monkeypatch, folder.path)
    assert code == 0
    assert words.startswith("run  without W&B\nnothing to send\nnext:\n")
