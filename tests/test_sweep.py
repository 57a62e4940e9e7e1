import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from runs import TINY, assert_same, pid_of, run, wait

from grok.runs.folder import RunFolder
from grok.settings import places
from grok.sweep import join, slurm
from grok.sweep.batch import Batch
from grok.sweep.folder import Point, Sweep, SweepFolder
from grok.sweep.frozen_code import FrozenCode, differing_files, present_code
from grok.sweep.outcome import STARTUP
from grok.sweep.pool import Slot
from grok.sweep.report import Report
from grok.sweep.requested import RequestedPoint, check, requested_points

LONG = [setting for setting in TINY if not setting.startswith("trainer.max_steps")]


def command(folder: Path, *settings: str, base: list[str] = TINY) -> list[str]:
    return [sys.executable, "-m", "grok.train", "-m", *base, f"sweep={folder}", *settings]


def sweep(folder: Path, *settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(folder, *settings), capture_output=True, text=True, timeout=180, check=False)


def requested(*lines: str) -> dict[str, RequestedPoint]:
    """The points of a command line each."""
    places.register_resolvers()
    with initialize_config_dir(str(places.conf_folder()), version_base="1.3"):
        return requested_points([(line.split(), compose("train", [*TINY, *line.split()])) for line in lines])


def begun(folder: Path, *settings: str) -> "subprocess.Popen[str]":
    """The command, in a process of its own."""
    return subprocess.Popen(
        command(folder, *settings, base=LONG), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_every_point_runs_in_a_folder_of_its_own_and_as_it_would_alone(tmp_path: Path) -> None:
    done = sweep(tmp_path / "sweep", "optim.wd=0,1", "launch=local", "launch.cpu_slots=2")
    assert done.returncode == 0, done.stderr
    assert "2 of 2 points finished" in done.stdout
    assert pd.read_csv(tmp_path / "sweep/runs.csv")["wd"].tolist() == [0, 1]
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
    assert "`sweep` must be a folder that nobody works on." in second.stderr
    assert f"is held by process {process.pid} on " in second.stderr
    process.send_signal(how)
    process.communicate(timeout=60)
    assert process.returncode == (-9 if how == signal.SIGKILL else 130)
    folder = SweepFolder(tmp_path / "sweep")
    for point in folder.points():
        wait(lambda point=point: pid_of(folder.config_file(point)) is None)  # type: ignore[misc]
        assert RunFolder(folder.path / point.run).summary()["status"] == "interrupted"


def test_points_that_raise_fail_with_their_last_line_and_are_tried_again(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from pathlib import Path\n"
        "from callbacks.measurement import Measurement\n"
        "class Fussy(Measurement):\n"
        "    def measure(self, table, training):\n"
        "        if training.global_step == 20 and not (Path(__file__).parent / 'fine').exists():\n"
        "            raise RuntimeError('not today')\n"
        "        return {}\n"
    )
    typed = command(tmp_path / "sweep", "optim.wd=0,1", "+callbacks.mine._target_=mine.Fussy", "launch=local")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(typed, capture_output=True, text=True, timeout=180, env=environment, check=False)
    assert done.returncode == 1
    assert "001  optim.wd=1  failed: RuntimeError: not today (see " in done.stdout
    assert done.stdout.count("RuntimeError: not today") == 2  # once a point
    assert "0 of 2 points finished" in done.stdout
    (tmp_path / "fine").touch()
    done = subprocess.run(typed, capture_output=True, text=True, timeout=180, env=environment, check=False)
    assert done.returncode == 0, done.stdout
    assert {point.reason for point in SweepFolder(tmp_path / "sweep").points()} == {None}


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
        (
            ["launch=slurm", "launch.points_per_job=0"],
            "`launch.points_per_job` must be a whole number, 1 or more. Got 0.",
        ),
        (["launch=slurm", "launch.minutes=10"], "`launch.minutes` must be a whole number, 16 or more. Got 10."),
        (["launch=slurm", "launch.gpus=auto"], "`launch.gpus` must be a whole number, 0 or more. Got 'auto'."),
        (["allow_changes=maybe"], "`allow_changes` must be true or false. Got 'maybe'."),
        (["ckpt_path=x.ckpt"], "`resume` and `ckpt_path` are for one run. A sweep goes on by `sweep=<its folder>`."),
    ],
)
def test_bad_input_is_one_sentence_and_starts_nothing(tmp_path: Path, settings: list[str], sentence: str) -> None:
    done = sweep(tmp_path / "sweep", *settings)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "sweep").exists()


def test_a_folder_of_other_things_is_not_made_a_sweep(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/chapter.tex").write_text("precious")
    done = sweep(tmp_path / "thesis", "optim.wd=0,1")
    assert done.returncode == 2
    assert done.stderr == (
        "`sweep` must be the folder of a sweep, with a sweep.json, or a new one."
        f" {tmp_path / 'thesis'} holds other things.\n"
    )
    assert [file.name for file in (tmp_path / "thesis").iterdir()] == ["chapter.tex"]


def test_without_slurm_it_says_how_to_go_on_without(tmp_path: Path) -> None:
    typed = command(tmp_path / "sweep", "optim.wd=0,1", "launch=slurm")
    environment = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run(typed, capture_output=True, text=True, timeout=60, env=environment, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "`launch=slurm` needs SLURM's sbatch on the path. There is none here; `launch=local` runs the points on this"
        " machine.\n"
    )


def test_an_unknown_launcher_is_refused_with_the_choices(tmp_path: Path) -> None:
    done = sweep(tmp_path / "sweep", "optim.wd=0,1", "launch=cloud")
    assert done.returncode == 2
    assert done.stderr == "`launch` must be one of local, serial, slurm. Got cloud.\n"


def test_a_sweep_of_another_base_is_named_and_goes_on_only_when_told(tmp_path: Path) -> None:
    assert sweep(tmp_path / "sweep", "optim.wd=0", "trainer.max_steps=1").returncode == 0
    other = sweep(tmp_path / "sweep", "optim.wd=0,1", "trainer.max_steps=2", "data.p=13")
    assert other.returncode == 2
    assert "These differ: data.p (there 11, here 13), trainer.max_steps (there 1, here 2)." in other.stderr
    assert "`allow_changes=true` goes on" in other.stderr
    changed = sweep(tmp_path / "sweep", "optim.wd=0,1", "trainer.max_steps=2", "data.p=13", "allow_changes=true")
    assert changed.returncode == 0, changed.stderr
    assert [point.settings for point in SweepFolder(tmp_path / "sweep").points()] == [
        {"data.p": 11, "trainer.max_steps": 1, "optim.wd": 0},
        {"data.p": 13, "trainer.max_steps": 2, "optim.wd": 0},
        {"data.p": 13, "trainer.max_steps": 2, "optim.wd": 1},
    ]
    assert "data.p" not in SweepFolder(tmp_path / "sweep").read().base


def test_a_sweep_of_other_code_is_refused_with_the_files_that_differ(tmp_path: Path) -> None:
    assert sweep(tmp_path / "sweep", "optim.wd=0", "trainer.max_steps=1").returncode == 0
    folder = SweepFolder(tmp_path / "sweep")
    kept = folder.read()
    frozen = folder.code_folder(kept.points[0])
    (frozen / "src/grok/keys.py").write_text("# as if it had been other code then\n")
    folder.write(replace(kept, codes=[FrozenCode("another", None)]))
    frozen.rename(frozen.with_name("another"))
    other = sweep(tmp_path / "sweep", "optim.wd=0,1", "trainer.max_steps=1")
    assert other.returncode == 2
    assert "These differ: src/grok/keys.py. `allow_changes=true` goes on" in other.stderr


def test_a_sweep_goes_on_where_its_folder_was_moved_to(tmp_path: Path) -> None:
    assert sweep(tmp_path / "here", "optim.wd=0", "trainer.max_steps=1").returncode == 0
    (tmp_path / "here").rename(tmp_path / "there")
    assert sweep(tmp_path / "there", "optim.wd=0,1", "trainer.max_steps=1").returncode == 0
    assert not (tmp_path / "here").exists()
    assert [point.status for point in SweepFolder(tmp_path / "there").points()] == ["finished", "finished"]


def test_points_run_from_the_code_that_was_there_when_they_were_submitted(tmp_path: Path) -> None:
    assert sweep(tmp_path / "sweep", "optim.wd=0", "trainer.max_steps=1").returncode == 0
    folder = SweepFolder(tmp_path / "sweep")
    (point,) = folder.points()
    here = present_code()
    assert point.code == here.hash
    assert folder.run_folder(point).summary()["commit"] == here.commit
    assert (folder.code_folder(point) / "conf/train.yaml").exists()
    assert not differing_files(folder.code_folder(point))
    (folder.code_folder(point) / "callbacks/losses.py").write_text("# edited\n")
    (folder.code_folder(point) / "src/grok/more.py").write_text("")
    assert differing_files(folder.code_folder(point)) == ["src/grok/more.py", "callbacks/losses.py"]


def test_one_number_written_in_two_ways_is_one_point_and_said_to_be(tmp_path: Path) -> None:
    done = sweep(tmp_path / "sweep", "optim.wd=1,1.0", "trainer.max_steps=1", "mixed=true")
    assert done.returncode == 0
    assert "optim.wd=1 and optim.wd=1.0 are the same point: one run stands for both." in done.stdout
    assert done.stdout.count("`mixed` is now called `allow_changes`.") == 1
    assert len(SweepFolder(tmp_path / "sweep").points()) == 1


def test_wandb_shows_the_points_of_a_sweep_as_a_group(tmp_path: Path) -> None:
    settings = ["logger=wandb", "logger.wandb.mode=disabled", "trainer.max_steps=1"]
    assert sweep(tmp_path / "one", "optim.wd=0", *settings).returncode == 0
    assert sweep(tmp_path / "two", "optim.wd=0", *settings, "logger.wandb.group=mine").returncode == 0
    for name, group in (("one", "one"), ("two", "mine")):
        folder = SweepFolder(tmp_path / name)
        assert OmegaConf.load(folder.config_file(folder.points()[0])).logger.wandb.group == group


def test_a_process_that_ends_without_a_run_has_failed_with_its_last_line(tmp_path: Path) -> None:
    folder, point = SweepFolder(tmp_path), Point(0, {}, "x", "runs/000")
    assert folder.outcome(point) == ("pending", None)
    folder.output_file(point).parent.mkdir()
    folder.began(point)
    assert folder.outcome(point) == ("running", None)
    long_ago = time.time() - 2 * STARTUP
    os.utime(folder.output_file(point).with_suffix(".json"), (long_ago, long_ago))
    assert folder.outcome(point) == ("lost", "no heartbeat")
    folder.output_file(point).write_text("Traceback\nImportError: no torch\n\n")
    folder.ended(point, 1)
    assert folder.outcome(point) == ("failed", "ImportError: no torch")
    folder.ended(point, -9)
    assert folder.outcome(point) == ("interrupted", "signal 9")
    folder.run_folder(point).write_summary(status="interrupted")
    folder.began(point)
    assert folder.outcome(point) == ("running", None)  # the summary is that of the process before
    folder.run_folder(point).write_summary(status="interrupted")
    assert folder.outcome(point) == ("interrupted", None)  # it ended, and nobody was left to note how


def test_a_damaged_point_is_left_as_it_is_and_the_others_go_on(tmp_path: Path) -> None:
    assert sweep(tmp_path / "sweep", "optim.wd=0,1", "trainer.max_steps=1").returncode == 0
    folder = SweepFolder(tmp_path / "sweep")
    first, second = folder.points()
    folder.run_folder(first).summary_file.write_text("{")
    folder.run_folder(second).write_summary(status="failed")
    done = sweep(tmp_path / "sweep", "optim.wd=0,1,2", "trainer.max_steps=1")
    assert done.returncode == 3, done.stderr
    assert "0 finished, 2 to run, 1 damaged" in done.stdout
    assert re.search(r"000  optim.wd=0  damaged: runs/\S+/summary.json: .*; mend that file or remove it", done.stdout)
    assert [point.status for point in folder.points()] == ["damaged", "finished", "finished"]
    assert pd.read_csv(folder.path / "runs.csv")["status"].tolist() == ["damaged", "finished", "finished"]


def test_the_batches_of_a_job_are_as_equal_as_can_be() -> None:
    assert slurm.batches(range(7), 3) == [[0, 3, 6], [1, 4], [2, 5]]
    assert slurm.batches([4], 3) == [[4]]


def test_where_slurm_does_not_answer_heartbeats_tell_whether_its_jobs_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert slurm.queued_jobs([]) == []
    assert slurm.queued_jobs(["7_0"]) is None
    running, ended = (Point(0, {}, "x", "runs/000", status=status) for status in ("running", "interrupted"))
    with pytest.raises(ValueError, match="nobody works on. SLURM still has jobs of it: 7_0; wait for them"):
        join.refuse_busy(Sweep(jobs=["7_0"], points=[running]))
    join.refuse_busy(Sweep(jobs=["7_0"], points=[ended]))


def test_points_do_not_run_from_other_code_where_theirs_is_gone(tmp_path: Path) -> None:
    folder, point = SweepFolder(tmp_path), Point(0, {}, "x", "runs/000", code="gone")
    with pytest.raises(ValueError, match="code/gone must hold the code of the sweep. It is gone."):
        Batch(folder, [point], [Slot(None, 1)], Report(folder)).run()


def test_a_job_that_was_granted_too_few_gpus_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    assert slurm.granted_gpus(2) == ["2", "5"]
    assert slurm.granted_gpus(0) == []
    with pytest.raises(
        ValueError, match=r"`launch.gpus` asked for 3 .* CUDA_VISIBLE_DEVICES there names \['2', '5'\]."
    ):
        slurm.granted_gpus(3)


def test_a_dry_run_prints_the_points_and_starts_nothing(tmp_path: Path) -> None:
    done = sweep(tmp_path / "sweep", "optim.wd=0,1", "+dry_run=true")
    assert done.returncode == 0, done.stderr
    assert re.search(
        r"^2 points, 50 steps of \S+ ms: \d+ s and 0.\d MB each\n  optim.wd=0\n  optim.wd=1\n", done.stdout
    )
    assert re.search(r"\n2 points, 1 at once: at most \d+ s, 0.\d MB of disk. Nothing was started.\n", done.stdout)
    assert "rests on 5 steps of each shape, timed here just now, alone" in done.stdout
    assert not (tmp_path / "sweep").exists()


def test_a_dry_run_has_one_figure_for_each_shape_and_divides_by_slots(tmp_path: Path) -> None:
    varied = ["data.p=7,11", "data.train_fraction=0.3,0.7", "replicate=0,1", "trainer.max_steps=100,200"]
    done = sweep(tmp_path / "sweep", *varied, "launch=local", "launch.cpu_slots=4", "+dry_run=true")
    assert done.returncode == 0, done.stderr
    first, second = (line for line in done.stdout.splitlines() if line.startswith("data.p="))
    assert first.startswith("data.p=7: 8 points, 100 to 200 steps of ")
    assert second.startswith("data.p=11: 8 points, 100 to 200 steps of ")
    assert done.stdout.count("  … 6 more\n") == 2
    assert "16 points, 4 at once: at most 1" in done.stdout  # a quarter of 16 times 3.4 s


def test_one_point_stands_for_those_that_cannot_be_otherwise_than_it(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"optim.wd={wd} optim.lr={lr} replicate={n}" for wd in (0, 1, 2) for lr in (1, 2, 3) for n in range(4)]
    points = requested(*lines).values()
    assembled: list[RequestedPoint] = []

    def experiment(point: RequestedPoint) -> None:
        assembled.append(point)

    monkeypatch.setattr(RequestedPoint, "experiment", experiment)
    check(points)
    assert len(points) == 36
    assert [point.settings for point in assembled] == [
        {"optim.wd": wd, "optim.lr": lr, "replicate": 0} for wd, lr in ((0, 1), (0, 2), (0, 3), (1, 1), (2, 1))
    ]


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
