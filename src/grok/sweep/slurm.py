"""A sweep on SLURM: one array of jobs by submitit, each running a batch of points on what it was granted.

Short points do not queue one by one: a job runs `launch.points_per_job` of them, several at once, by the
same pool as on a machine of one's own.
"""

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import submitit
from omegaconf import DictConfig, OmegaConf
from submitit.helpers import DelayedSubmission

from grok.settings.checks import require_whole
from grok.sweep.batch import Batch
from grok.sweep.folder import Point, SweepFolder
from grok.sweep.frozen_code import python_path
from grok.sweep.report import Report
from grok.sweep.slots import check_counts, shared_out

LEAST_MINUTES = 16  # submitit takes every warning within the last ten minutes for that of the time limit
LEAVE_BEFORE = 15  # seconds before the end of the warning by which points must have saved


@dataclass
class Job:
    """A batch of points as submitit carries it: called on the node; told by SLURM's warning to make way.

    The warning (of a preemption, or of the time limit) has the points save and end; the job is requeued,
    and goes on with them in the same folders.
    """

    sweep: Path
    numbers: list[int]
    gpus: int
    cpus: int
    jobs_per_gpu: int
    cpu_slots: int | None
    warning: int  # seconds
    batch: Batch | None = None  # on the node

    def __call__(self) -> None:
        sweep = SweepFolder(self.sweep)
        own = [point for point in sweep.read().points if point.number in self.numbers]
        points = [point for point in own if sweep.outcome(point)[0] != "finished"]
        slots = shared_out(granted_gpus(self.gpus), self.cpus, self.jobs_per_gpu, self.cpu_slots)
        self.batch = Batch(sweep, points, slots, Report(sweep, listing=False))
        if not self.batch.run():
            # SIGTERM: all is saved. SLURM ends this process if the job was cancelled, and requeues it if it was
            # preempted; were it to end by itself, it would count as done.
            time.sleep(3600)

    def checkpoint(self) -> DelayedSubmission:
        """What submitit requeues."""
        if self.batch is not None:
            self.batch.end(self.warning - LEAVE_BEFORE)
        return DelayedSubmission(replace(self, batch=None))  # without the batch, whose processes nobody could pickle


def granted_gpus(count: int) -> Sequence[str]:
    """The GPUs that SLURM granted this job. `ValueError` where it granted fewer than `count`."""
    granted = [gpu for gpu in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if gpu]
    if len(granted) < count:
        raise ValueError(f"`launch.gpus` asked for {count} on the node. CUDA_VISIBLE_DEVICES there names {granted}.")
    return granted[:count]


def check(launch: DictConfig) -> None:
    """Refuse, before anything is submitted, what SLURM could not run."""
    check_counts(launch)
    require_whole("launch.points_per_job", launch.points_per_job, 1)
    require_whole("launch.array_parallelism", launch.array_parallelism, 1)
    require_whole("launch.gpus", launch.gpus, 0)
    require_whole("launch.cpus", launch.cpus, 1)
    require_whole("launch.minutes", launch.minutes, LEAST_MINUTES)
    require_whole("launch.warning", launch.warning, 2 * LEAVE_BEFORE, " of seconds")
    require_whole("launch.timeouts", launch.timeouts, 0)
    if shutil.which("sbatch") is None:
        raise ValueError(
            "`launch=slurm` needs SLURM's sbatch on the path. There is none here; `launch=local` runs the points"
            " on this machine."
        )


def batches(numbers: Sequence[int], points_per_job: int) -> list[list[int]]:
    """The points of each job, the loads as equal as can be."""
    jobs = -(-len(numbers) // points_per_job)
    return [list(numbers[i::jobs]) for i in range(jobs)]


def submit(sweep: SweepFolder, points: Sequence[Point], launch: DictConfig) -> list[str]:
    """Submit the points as one array; the ids of its jobs."""
    plain: dict[str, Any] = OmegaConf.to_container(launch, resolve=True)  # type: ignore[assignment]
    executor = submitit.AutoExecutor(sweep.path / "slurm", cluster="slurm", slurm_max_num_timeout=plain["timeouts"])
    path = os.pathsep.join([*python_path(sweep.code_folder(points[0])), os.environ.get("PYTHONPATH", "")])
    executor.update_parameters(
        name=sweep.path.name,
        timeout_min=plain["minutes"],
        cpus_per_task=plain["cpus"],
        stderr_to_stdout=True,
        slurm_mem=plain["memory"],
        slurm_partition=plain["partition"],
        slurm_account=plain["account"],
        slurm_gpus_per_node=plain["gpus"] or None,
        slurm_array_parallelism=plain["array_parallelism"],
        slurm_signal_delay_s=plain["warning"],
        slurm_setup=[f"export PYTHONPATH={shlex.quote(path.rstrip(os.pathsep))}", *plain["setup"]],
        slurm_additional_parameters={"requeue": True, **plain["sbatch"]},
    )
    shared = {name: plain[name] for name in ("gpus", "cpus", "jobs_per_gpu", "cpu_slots", "warning")}
    jobs = [
        Job(sweep.path, numbers, **shared)
        for numbers in batches([point.number for point in points], plain["points_per_job"])
    ]
    try:
        return [job.job_id for job in executor.submit_array(jobs)]
    except (subprocess.CalledProcessError, submitit.core.utils.FailedJobError) as error:
        raise ValueError(f"`launch=slurm` must be what SLURM accepts here. sbatch says: {_last_line(error)}") from error


def _last_line(error: Exception) -> str:
    words = str(getattr(error, "stderr", None) or error).strip().splitlines()
    return words[-1] if words else type(error).__name__


def queued_jobs(jobs: Sequence[str]) -> list[str] | None:
    """Those of the jobs that wait or run; None where SLURM does not answer."""
    if not jobs:
        return []
    squeue = ["squeue", "--me", "--array", "--noheader", "--format=%F_%K"]
    try:
        answer = subprocess.run(squeue, capture_output=True, text=True, timeout=60, check=True).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return None
    waiting = {job.removesuffix("_N/A") for job in answer}  # of a job that is no array
    return [job for job in jobs if job in waiting]
