"""What a sweep will take: time of all steps on this machine, and disk."""

import time

from grok.training.experiment import Experiment
from grok.training.lit import Pairs
from grok.training.machine import keep_memory

STARTUP_SECONDS = 3.4  # of a point's process before its first step, on two cores of an Intel Xeon


def seconds(experiment: Experiment) -> float:
    """Of a run that trains all its steps here, alone on the machine; measurements come on top."""
    return STARTUP_SECONDS + int(experiment.config.trainer.max_steps) * _seconds_per_step(experiment)


def _seconds_per_step(experiment: Experiment) -> float:
    keep_memory()
    device = experiment.trainer.strategy.root_device
    module = experiment.module.to(device)
    batch = Pairs(*(x.to(device) for x in experiment.data.training))
    optimizer, gradients = module.configure_optimizers(), module.gradients(batch)
    for n in (5, 5):  # the first ones warm up
        begin = time.perf_counter()
        for _ in range(n):
            loss = optimizer.step(gradients)
        float(loss)  # waits for a GPU
    return (time.perf_counter() - begin) / n


def disk(experiment: Experiment) -> int:
    """Bytes: snapshots of 4 a parameter, two checkpoints of 12, and about a kB a measurement."""
    parameters = sum(w.numel() for w in experiment.module.network.parameters())
    schedule, keep = experiment.module.schedule, experiment.config.snapshots.keep
    measurements = (schedule.early_until // schedule.early_every) + schedule.max_steps // schedule.every
    measurements += len(schedule.at)
    kept = measurements if keep == "all" else min(measurements, keep)
    return parameters * (4 * kept + 24) + 1500 * measurements
