import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from runs import TINY, assert_same, run

from grok.run_folder import RunFolder
from grok.sweep import SweepFolder

LONG = [setting for setting in TINY if not setting.startswith("trainer.max_steps")]


def command(folder: Path, *settings: str, base: list[str] = TINY) -> list[str]:
    return [sys.executable, "-m", "grok.train", "-m", *base, f"sweep={folder}", *settings]


def sweep(folder: Path, *settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(folder, *settings), capture_output=True, text=True, timeout=180, check=False)


def begun(folder: Path, *settings: str) -> "subprocess.Popen[str]":
    """The command, in a process of its own."""
    return subprocess.Popen(
        command(folder, *settings, base=LONG), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def pid_of(config: Path) -> int | None:
    """The process that runs a point."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"grok.point" in words and os.fsencode(config) in words:
                return int(entry.name)
    return None


def test_every_point_runs_in_a_folder_of_its_own_and_as_it_would_alone(tmp_path: Path) -> None:
    done = sweep(tmp_path / "sweep", "optim.wd=0,1", "launch=local", "launch.cpu_slots=2")
    assert done.returncode == 0, done.stderr
    assert "2 of 2 points finished" in done.stdout
    folder = SweepFolder(tmp_path / "sweep")
    points = folder.points()
    assert [(point.settings, point.status) for point in points] == [
        ({"optim.wd": 0}, "finished"),
        ({"optim.wd": 1}, "finished"),
    ]
    alone, *_ = run(tmp_path / "alone", "optim.wd=1")
    assert_same(folder.run_folder(points[1]), alone)


def test_the_same_command_again_does_nothing_and_another_adds_points(tmp_path: Path) -> None:
    assert sweep(tmp_path / "sweep", "optim.wd=0,1").returncode == 0
    folder = SweepFolder(tmp_path / "sweep")
    first = {point.run: (folder.path / point.run / "metrics.csv").stat().st_mtime_ns for point in folder.points()}
    again = sweep(tmp_path / "sweep", "optim.wd=2,1,0")
    assert again.returncode == 0
    assert "3 points" in again.stdout
    assert "2 finished, 1 to run" in again.stdout
    points = folder.points()
    assert [point.settings for point in points] == [{"optim.wd": 0}, {"optim.wd": 1}, {"optim.wd": 2}]
    assert {run: (folder.path / run / "metrics.csv").stat().st_mtime_ns for run in first} == first


def test_replicate_sets_both_seeds(tmp_path: Path) -> None:
    assert sweep(tmp_path / "sweep", "replicate=3,4", "trainer.max_steps=1").returncode == 0
    runs = sorted((tmp_path / "sweep/runs").iterdir())
    assert [folder.name for folder in runs] == ["000_p11_f0.5_wd1.0_split3_seed3", "001_p11_f0.5_wd1.0_split4_seed4"]


def test_a_point_that_is_killed_fails_alone_and_goes_on_next_time(tmp_path: Path) -> None:
    settings = [
        "optim.wd=0,1",
        "launch=local",
        "launch.cpu_slots=2",
        "trainer.max_steps=1500",
        "callbacks.checkpoints.every=100",
    ]
    process = begun(tmp_path / "sweep", *settings)
    folder = SweepFolder(tmp_path / "sweep")
    wait(lambda: list(tmp_path.glob("sweep/runs/000_*/checkpoints/step_00000200.ckpt")))
    os.kill(pid_of(folder.config_file(folder.points()[0])) or 0, signal.SIGKILL)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 3
    assert "interrupted: signal 9" in out
    assert [point.status for point in folder.points()] == ["interrupted", "finished"]
    again = subprocess.run(
        command(tmp_path / "sweep", *settings, base=LONG), capture_output=True, text=True, timeout=120, check=False
    )
    assert again.returncode == 0, again.stdout + again.stderr
    alone, *_ = run(
        tmp_path / "alone", "optim.wd=0", "trainer.max_steps=1500", "callbacks.checkpoints.every=100", base=LONG
    )
    assert_same(folder.run_folder(folder.points()[0]), alone)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_points_end_in_good_order_with_their_controller(tmp_path: Path, how: signal.Signals) -> None:
    process = begun(
        tmp_path / "sweep", "optim.wd=0,1", "trainer.max_steps=100000000", "launch=local", "launch.cpu_slots=2"
    )
    wait(lambda: len(list(tmp_path.glob("sweep/runs/*/metrics.csv"))) == 2)
    second = sweep(tmp_path / "sweep", "optim.wd=0,1")
    assert second.returncode == 2
    assert "`sweep` must be a folder that nobody works on. Another command runs" in second.stderr
    process.send_signal(how)
    process.communicate(timeout=60)
    assert process.returncode == (-9 if how == signal.SIGKILL else 130)
    folder = SweepFolder(tmp_path / "sweep")
    for point in folder.points():
        wait(lambda point=point: pid_of(folder.config_file(point)) is None)  # type: ignore[misc]
        assert RunFolder(folder.path / point.run).summary()["status"] == "interrupted"


def test_a_point_that_was_killed_before_its_first_checkpoint_begins_again(tmp_path: Path) -> None:
    assert sweep(tmp_path / "sweep", "optim.wd=0").returncode == 0
    folder = SweepFolder(tmp_path / "sweep")
    begun_only = folder.run_folder(folder.points()[0])
    for file in begun_only.path.glob("checkpoints/*"):
        file.unlink()
    begun_only.write_summary(status="running")
    assert sweep(tmp_path / "sweep", "optim.wd=0").returncode == 0
    assert begun_only.summary()["status"] == "finished"
    assert (tmp_path / f"sweep/{folder.points()[0].run}.begun1/metrics.csv").exists()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (["data.p=11,2"], "`data.p` must be a whole number, 3 or more. Got 2. In the point data.p=2."),
        (["launch=local", "launch.jobs_per_gpu=0"], "`launch.jobs_per_gpu` must be a whole number, 1 or more. Got 0."),
        (["launch=local", "launch.cpu_slots=0"], "`launch.cpu_slots` must be a whole number, 1 or more. Got 0."),
        (["launch=local", "launch.gpus=[97]"], "`launch.gpus` must name GPUs of this machine, which has"),
        (["launch=local", "launch.gpus=some"], "`launch.gpus` must be auto or a list such as [0,1]. Got 'some'."),
        (["ckpt_path=x.ckpt"], "`resume` and `ckpt_path` are for one run. A sweep goes on by `sweep=<its folder>`."),
    ],
)
def test_bad_input_is_one_sentence_and_starts_nothing(tmp_path: Path, settings: list[str], sentence: str) -> None:
    done = sweep(tmp_path / "sweep", *settings)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "sweep").exists()


def test_a_dry_run_prints_the_points_and_starts_nothing(tmp_path: Path) -> None:
    done = sweep(tmp_path / "sweep", "optim.wd=0,1", "+dry_run=true")
    assert done.returncode == 0, done.stderr
    assert re.search(r"optim.wd=0  50 steps, \d+ s, 0 MB", done.stdout)
    assert "2 points, 1 at once: at most " in done.stdout
    assert not (tmp_path / "sweep").exists()


def test_what_sweeps_alone_know_is_refused_for_one_run(tmp_path: Path) -> None:
    one = [sys.executable, "-m", "grok.train", *TINY, "+dry_run=true", f"hydra.run.dir={tmp_path / 'run'}"]
    done = subprocess.run(one, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "`sweep` and `dry_run` are for sweeps: add -m." in done.stderr


def test_the_list_of_points_is_there_before_anything_runs(tmp_path: Path) -> None:
    process = begun(tmp_path / "sweep", "optim.wd=0,1,2", "trainer.max_steps=100000000")
    wait((tmp_path / "sweep/sweep.json").exists)
    wait(lambda: list(tmp_path.glob("sweep/runs/*/metrics.csv")))
    points = json.loads((tmp_path / "sweep/sweep.json").read_text())["points"]
    assert [point["status"] for point in points] == ["running", "pending", "pending"]
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
