"""Room for points on one machine, as a `launch` group says. `ValueError` for what the machine does not have."""

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from omegaconf import DictConfig, ListConfig

from grok.settings.checks import require_whole
from grok.sweep.pool import Slot
from grok.training.machine import available_cores


def slots_here(launch: DictConfig) -> list[Slot]:
    """The slots of this machine: `launch=serial` has one, `launch=local` those of its GPUs or cores.

    OMP_NUM_THREADS is of each process: it bounds the threads of a slot, not the number of slots.
    """
    threads = torch.get_num_threads()
    if launch.kind == "serial":
        return [Slot(None, threads)]
    check_counts(launch)
    cores = max(threads, available_cores()) if threads_are_set() else threads
    slots = shared_out(_gpus(launch.gpus), cores, launch.jobs_per_gpu, launch.cpu_slots)
    return [replace(slot, threads=min(slot.threads, threads)) for slot in slots] if threads_are_set() else slots


def threads_are_set() -> bool:
    """Whether the environment says how many threads a process is to have."""
    return any(os.environ.get(name) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"))


def threads_words(slots: Sequence[Slot]) -> list[str]:
    """What the environment's number of threads comes to; nothing where it says none."""
    if not threads_are_set():
        return []
    each = "1 thread" if slots[0].threads == 1 else f"{slots[0].threads} threads"
    return [f"OMP_NUM_THREADS or MKL_NUM_THREADS is set: {len(slots)} at once, each with {each}"]


def check_counts(launch: DictConfig) -> None:
    """Refuse numbers of points at once below 1."""
    require_whole("launch.jobs_per_gpu", launch.jobs_per_gpu, 1)
    if launch.cpu_slots is not None:
        require_whole("launch.cpu_slots", launch.cpu_slots, 1)


def shared_out(gpus: Sequence[str], cores: int, jobs_per_gpu: int, cpu_slots: int | None) -> list[Slot]:
    """`jobs_per_gpu` slots on each GPU, the first ones on different GPUs; without GPUs `cpu_slots`, or one a core."""
    if gpus:
        threads = max(1, cores // (len(gpus) * jobs_per_gpu))
        return [Slot(gpu, threads) for _ in range(jobs_per_gpu) for gpu in gpus]
    count = cores if cpu_slots is None else cpu_slots
    return [Slot(None, max(1, cores // count))] * count


def _gpus(typed: Any) -> list[str]:
    """The GPUs to use, as CUDA_VISIBLE_DEVICES names them; typed are numbers among those that are visible here."""
    numbers = [str(i) for i in range(torch.cuda.device_count())]
    names = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(numbers)).split(",")
    if typed == "auto":
        return names[: len(numbers)]
    if not isinstance(typed, ListConfig):
        raise ValueError(f"`launch.gpus` must be auto or a list such as [0,1]. Got {typed!r}.")
    missing = [str(gpu) for gpu in typed if str(gpu) not in numbers]
    if missing:
        raise ValueError(f"`launch.gpus` must name GPUs of this machine, which has {len(numbers)}. Got {list(typed)}.")
    return [names[int(gpu)] for gpu in typed]
