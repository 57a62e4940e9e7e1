import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from made_up import made_up_sweep
from runs import run

from grok.runs.folder import RunFolder
from grok.runs.heartbeat import PERIOD, heartbeat
from grok.sweep.folder import Point, Sweep, SweepFolder
from grok.sweep.run_status import Progress, progress, runs, status_table


def status(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grok.status", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_run_is_shown_as_far_as_its_folder_tells(tmp_path: Path) -> None:
    folder, summary, _ = run(tmp_path / "run")
    ((name, there, before, reason),) = runs(tmp_path / "run")
    seen = progress(name, there, before, reason)
    assert (seen.status, seen.step, seen.max_steps, seen.phase) == ("finished", 50, 50, "unfitted")
    assert seen.test_accuracy == summary["final"]["accuracy/test"]
    assert not folder.heartbeat.exists()


def test_a_run_without_a_heartbeat_is_lost(tmp_path: Path) -> None:
    folder, *_ = run(tmp_path / "run")
    folder.write_summary(status="running")

    def seen() -> Progress:
        ((name, there, status, reason),) = runs(folder.path)
        return progress(name, there, status, reason)

    with heartbeat(folder.heartbeat):
        assert seen().status == "running"
        assert seen().seconds_left == pytest.approx(0, abs=1)
        long_ago = time.time() - 4 * PERIOD
        os.utime(folder.heartbeat, (long_ago, long_ago))
        assert seen().status == "lost"
    assert seen().status == "lost"


def test_a_sweep_shows_every_point_started_or_not(tmp_path: Path) -> None:
    run(tmp_path / "sweep/runs/000_a")
    points = [
        Point(0, {"optim.wd": 0}, "x", "runs/000_a"),
        Point(1, {"optim.wd": 1}, "y", "runs/001_b"),
        Point(2, {"optim.wd": 2}, "z", "runs/002_c"),
    ]
    folder = SweepFolder(tmp_path / "sweep")
    folder.write(Sweep(points=points))
    folder.output_file(points[1]).parent.mkdir()
    folder.output_file(points[1]).write_text("it began\nit broke\n")
    folder.began(points[1])
    folder.ended(points[1], 1)
    seen = [progress(*one) for one in runs(tmp_path / "sweep")]
    assert [one.status for one in seen] == ["finished", "failed", "pending"]
    assert [one.reason for one in seen] == ["", "it broke", ""]
    done = status(str(tmp_path / "sweep"))
    assert done.returncode == 0, done.stderr
    assert all(word in done.stdout for word in ("optim.wd=1", "it broke", "unfitted", "pending"))


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up_sweep(tmp_path_factory.mktemp("healthy"), [{"optim.wd": 0}, {"optim.wd": 1}]).path


DAMAGES = [
    (
        "runs/000_made_up/summary.json",
        "{",
        "runs/000_made_up/summary.json: cannot be read as JSON: Expecting property name",
    ),
    (
        "runs/000_made_up/summary.json",
        "[]",
        "runs/000_made_up/summary.json: cannot be read as JSON: it holds no object",
    ),
    ("output/000.json", "", "output/000.json: cannot be read as JSON: Expecting value"),
    ("output/000.json", "[]", "output/000.json: cannot be read as JSON: list indices must be integers"),
    ("output/000.json", '{"code": 0}', "output/000.json: has no 'reason'"),
    ("runs/000_made_up/config.yaml", "a: [", "000_made_up/config.yaml: cannot be read as YAML: expected"),
    ("runs/000_made_up/config.yaml", "a: 1", "000_made_up/config.yaml: "),
    ("runs/000_made_up/metrics.csv", "loss\n1\n", "000_made_up/metrics.csv: has no 'step'"),
    (
        "runs/000_made_up/metrics.csv",
        "step\n",
        "000_made_up/metrics.csv: cannot be read as a table: single positional indexer",
    ),
    (
        "runs/000_made_up/metrics.csv",
        "step,phase\n1\n2,3,4,5\n",
        "000_made_up/metrics.csv: cannot be read as a table: Error tokenizing",
    ),
    (
        "runs/000_made_up/metrics.csv",
        "step\n\udcff\n",
        "000_made_up/metrics.csv: cannot be read as a table: 'utf-8' codec",
    ),
]


@pytest.mark.parametrize(("file", "text", "words"), DAMAGES)
def test_a_damaged_file_is_named_and_costs_its_own_run_alone(
    healthy: Path, tmp_path: Path, file: str, text: str, words: str
) -> None:
    shutil.copytree(healthy, tmp_path / "sweep")
    damaged = tmp_path / "sweep" / file
    damaged.parent.mkdir(exist_ok=True)
    damaged.write_bytes(text.encode(errors="surrogateescape"))
    first, second = [progress(*one) for one in runs(tmp_path / "sweep")]
    assert first.status == "damaged"
    assert first.reason.startswith(words)
    assert (second.status, second.step) == ("finished", 600)


def test_the_command_shows_what_is_damaged_beside_the_rest(healthy: Path, tmp_path: Path) -> None:
    shutil.copytree(healthy, tmp_path / "sweep")
    (tmp_path / "sweep/runs/000_made_up/summary.json").write_text("{")
    done = status(str(tmp_path / "sweep"))
    assert done.returncode == 0, done.stderr
    assert all(word in done.stdout for word in ("damaged", "summary.json", "finished"))
    alone = status(str(tmp_path / "sweep/runs/000_made_up"))
    assert alone.returncode == 0, alone.stderr
    assert all(word in alone.stdout for word in ("damaged", "summary.json"))


def test_of_many_runs_those_are_shown_that_say_most_and_all_are_counted(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    points = [Point(n, {"optim.wd": n}, str(n), f"runs/{n:03d}") for n in range(200)]
    folder.write(Sweep(points=points))
    (tmp_path / "output").mkdir()
    for point in points:
        if point.number == 150:
            folder.began(point)
        elif point.number != 7:
            folder.run_folder(point).write_summary(status="finished")
    table = status_table(tmp_path)
    assert table.title == "200 runs: 1 running, 1 pending, 198 finished"
    assert table.caption == "140 more; all=true shows them"
    assert table.columns[0]._cells[:3] == ["150  optim.wd=150", "007  optim.wd=7", "000  optim.wd=0"]
    assert status_table(tmp_path, whole=True).row_count == 200


def test_a_run_that_has_only_opened_its_table_has_no_measurements_yet(healthy: Path, tmp_path: Path) -> None:
    shutil.copytree(healthy, tmp_path / "sweep")
    (tmp_path / "sweep/runs/000_made_up/metrics.csv").write_text("")
    first, _ = [progress(*one) for one in runs(tmp_path / "sweep")]
    assert (first.status, first.step) == ("finished", None)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nowhere",), "The folder must be that of a run or of a sweep, or hold some. There is no folder nowhere."),
        (("--live",), "Settings are typed as name=value, without dashes; --help lists them. Got --live."),
        ((".", "live=maybe"), "`live` must be true or false. Got maybe."),
        ((".", "speed=3"), "The settings are live, all. Got speed=3."),
    ],
)
def test_bad_input_is_one_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    done = status(*arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_heartbeat_stops_with_the_run(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")

    def fails() -> None:
        with heartbeat(folder.heartbeat):
            assert folder.heartbeat.exists()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert not folder.heartbeat.exists()
