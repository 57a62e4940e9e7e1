"""Sweeps on a real SLURM of one node, started here with four pretended GPUs (`slurm_cluster`)."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from runs import TINY, assert_same, pid_of, run, wait
from slurm_cluster import Cluster

from grok.sweep.folder import Point, SweepFolder

pytestmark = pytest.mark.slurm
ROOT = Path(__file__).resolve().parents[1]
ONE_GPU = ["launch=slurm", "launch.gpus=1", "launch.cpus=1", "launch.memory=800", "launch.jobs_per_gpu=1"]
LONG = [setting for setting in TINY if not setting.startswith("trainer.max_steps")]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="grok-slurm-") as root:
        there = Cluster(Path(root))
        try:
            there.up()
            yield there
        finally:
            there.down()


def command(cluster: Cluster, folder: Path, *settings: str, **environment: str) -> "subprocess.Popen[str]":
    typed = [sys.executable, "-m", "grok.train", "-m", *LONG, *ONE_GPU, f"sweep={folder}", *settings]
    environment = {**os.environ, **cluster.environment, **environment}
    return subprocess.Popen(typed, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def done(process: "subprocess.Popen[str]", code: int) -> str:
    out, err = process.communicate(timeout=300)
    assert process.returncode == code, out + err
    return out + err


def modified(folder: SweepFolder) -> Mapping[int, int]:
    return {
        point.number: (folder.run_folder(point).path / "metrics.csv").stat().st_mtime_ns for point in folder.points()
    }


def test_twelve_points_share_four_gpus_one_is_killed_and_only_that_one_is_trained_again(
    cluster: Cluster, tmp_path: Path
) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    settings = ["optim.wd=0,0.5,1", "replicate=0,1,2,3", "trainer.max_steps=700", "callbacks.checkpoints.every=50"]
    settings += ["snapshots.keep=all", "launch.points_per_job=3"]
    process = command(cluster, folder.path, *settings)
    wait(folder.file.exists)
    victim = folder.read().points[0]
    wait(lambda: folder.run_folder(victim).checkpoints().keys() - {0, 50}, 120)
    os.kill(pid_of(folder.config_file(victim)) or 0, signal.SIGKILL)
    printed = done(process, 3)
    assert "000  optim.wd=0 replicate=0  interrupted: signal 9" in printed
    assert "11 of 12 points finished" in printed
    _assert_one_point_at_a_time_on_each_of_four_gpus(folder)
    before = modified(folder)

    assert "12 of 12 points finished" in done(command(cluster, folder.path, *settings), 0)
    assert {number for number, time_ns in modified(folder).items() if time_ns != before[number]} == {0}
    alone, *_ = run(tmp_path / "alone", "optim.wd=0", *settings[2:5], base=LONG)
    assert_same(folder.run_folder(victim), alone)
    before = modified(folder)
    assert "12 points in" in done(command(cluster, folder.path, *settings), 0)
    assert modified(folder) == before


def _assert_one_point_at_a_time_on_each_of_four_gpus(folder: SweepFolder) -> None:
    gpus = []
    for log in sorted((folder.path / "slurm").glob("*_log.out")):
        told = re.findall(r"^\d{3}  \S+ \S+  (started on GPU (\d)|interrupted|\w+ after)", log.read_text(), re.M)
        started = [bool(gpu) for _, gpu in told]
        assert started == [True, False] * 3
        gpus.append({gpu for _, gpu in told if gpu})
    assert gpus == [{"0"}, {"1"}, {"2"}, {"3"}]


def test_a_preempted_job_saves_in_seconds_is_queued_again_and_ends_as_if_undisturbed(
    cluster: Cluster, tmp_path: Path
) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    settings = ["trainer.max_steps=6000", "measure_every=500", "snapshots.keep=all"]
    process = command(
        cluster, folder.path, "optim.wd=0,1", *settings, "launch.jobs_per_gpu=2", "launch.points_per_job=2"
    )
    wait(folder.file.exists)
    points = folder.read().points
    wait(lambda: all(1000 in folder.run_folder(point).snapshots() for point in points), 120)
    told = time.monotonic()
    whole_node = ["--partition=high", "--exclusive", "--output=/dev/null", "--wrap=sleep 2"]
    cluster.answer("sbatch", *whole_node)
    wait(lambda: all(folder.run_folder(point).summary()["status"] == "interrupted" for point in points), 30)
    assert time.monotonic() - told < 20
    ended = {str(folder.run_folder(point).summary()["ended"]) for point in points}
    assert ended <= {"SIGTERM", "SIGUSR2"}  # SLURM sends both, and whichever came last is named
    job = folder.read().jobs[0]
    wait(lambda: "PENDING" in cluster.answer("squeue", "--noheader", f"--jobs={job}", "--format=%T"), 60)
    wait(lambda: "high" not in cluster.answer("squeue", "--noheader", "--format=%P"), 60)
    cluster.answer("scontrol", "update", f"jobid={job}", "StartTime=now")  # SLURM waits two minutes of its own
    assert "2 of 2 points finished" in done(process, 0)
    assert "this job is preempted" in (folder.path / f"slurm/{job}_0_log.out").read_text()
    for point, wd in zip(points, (0, 1), strict=True):
        alone, *_ = run(tmp_path / f"alone{wd}", f"optim.wd={wd}", *settings, base=LONG)
        _assert_undisturbed(folder, point, alone.path)


def _assert_undisturbed(folder: SweepFolder, point: Point, alone: Path) -> None:
    """The interrupted run has one measurement more, where it stopped; all else is bit for bit the same."""
    mine, there = (
        {line.partition(",")[0]: line for line in (path / "metrics.csv").read_text().splitlines()}
        for path in (folder.run_folder(point).path, alone)
    )
    assert {step: mine[step] for step in there} == there


def test_what_was_submitted_is_what_runs_whatever_is_edited_while_it_waits(cluster: Cluster, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    for name in ("src", "callbacks", "conf"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    own = {"PYTHONPATH": f"{checkout / 'src'}:{checkout}"}
    folder = SweepFolder(tmp_path / "sweep")
    settings = ["optim.wd=0,1", "trainer.max_steps=50"]
    late = ["launch.wait=false", "+launch.sbatch.begin=now+1hour"]
    assert "the jobs go on" in done(command(cluster, folder.path, *settings, *late, **own), 0)
    second = done(command(cluster, folder.path, *settings, **own), 2)
    assert re.search(r"`sweep` must be a folder that nobody works on. SLURM still has jobs of it: \d+", second)

    with (checkout / "src/grok/model/cross_entropy.py").open("a") as code:
        code.write("\nraise RuntimeError('edited')\n")
    train = checkout / "conf/optim/adamw.yaml"
    train.write_text(train.read_text().replace("lr: 1.0e-3", "lr: 5.0e-3"))
    for job in folder.read().jobs:
        cluster.answer("scontrol", "update", f"jobid={job}", "StartTime=now")
    wait(lambda: all(point.status == "finished" for point in folder.points()), 120)
    alone, *_ = run(tmp_path / "alone", "optim.wd=1")
    assert_same(folder.run_folder(folder.points()[1]), alone)
    wait(lambda: not cluster.answer("squeue", "--noheader"))

    (checkout / "src/grok/model/cross_entropy.py").write_text(
        (ROOT / "src/grok/model/cross_entropy.py").read_text() + "# more\n"
    )
    refused = done(command(cluster, folder.path, *settings, **own), 2)
    assert (
        "optim.lr (there 0.001, here 0.005), src/grok/model/cross_entropy.py. `allow_changes=true` goes on" in refused
    )


def test_what_slurm_does_not_accept_is_refused_in_its_own_words(cluster: Cluster, tmp_path: Path) -> None:
    refused = done(command(cluster, tmp_path / "sweep", "optim.wd=0,1", "launch.partition=nonsense"), 2)
    sentence = "`launch=slurm` must be what SLURM accepts here. sbatch says: .*Invalid partition name specified"
    assert re.search(sentence, refused.splitlines()[-1])
