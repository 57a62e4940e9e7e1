"""Room for points on one machine, as a `launch` group says. `ValueError` for what the machine does not have."""

import os
from collections.abc import Sequence
from typing import Any

import torch
from omegaconf import DictConfig, ListConfig

from grok.settings.checks import require_whole
from grok.sweep.pool import Slot


def slots_here(launch: DictConfig) -> list[Slot]:
    """The slots of this machine: `launch=serial` has one, `launch=local` those of its GPUs or cores."""
    cores = torch.get_num_threads()
    if launch.kind == "serial":
        return [Slot(None, cores)]
    check_counts(launch)
    return shared_out(_gpus(launch.gpus), cores, launch.jobs_per_gpu, launch.cpu_slots)


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
