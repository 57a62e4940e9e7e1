"""What a sweep will take: time of all steps on this machine, and disk, from one run of each shape.

The shape of a run is all that its step takes longer by, but for the number of its training pairs: not its seeds, rates
and weight decay. A step is timed with the fewest and with the most pairs of each shape.
"""

import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from grok.sweep.requested import RequestedPoint
from grok.training.experiment import Experiment
from grok.training.lit import Pairs
from grok.training.machine import keep_memory

STARTUP_SECONDS = 3.4  # of a point's process before its first step, on two cores of an Intel Xeon
MEASUREMENT_STEPS = 2.0  # steps that a measurement takes about as long as
TIMED, MOST_SECONDS = 5, 0.5  # steps timed at most, after two to warm up, and how long
BUDGET = 15.0  # seconds for all timings; shapes beyond are reckoned from the nearest one


@dataclass
class Cost:
    """What one point takes."""

    step_seconds: float
    seconds: float  # from start to end, alone, if it trains all its steps
    disk: int  # bytes


@dataclass
class Shape:
    """Points whose steps differ in their training pairs alone."""

    points: list[RequestedPoint]
    parameters: int = 0
    timed: dict[float, float] | None = None  # seconds a step by share of the pairs; None: reckoned

    def work(self, share: float) -> float:
        """What a step's time grows with: pairs times parameters."""
        p = self.points[0].plain["data"].get("p") or 1
        return float(p) ** 2 * share * self.parameters


def shapes(points: Collection[RequestedPoint]) -> list[Shape]:
    """The points by shape, in their order."""
    found: dict[str, Shape] = {}
    for point in points:
        found.setdefault(_shape(point.plain), Shape([])).points.append(point)
    return list(found.values())


def _shape(plain: Mapping[str, Any]) -> str:
    data = {name: value for name, value in plain["data"].items() if name not in ("seed", "train_fraction")}
    optimizer = {name: plain["optim"].get(name) for name in ("_target_", "tf32")}
    return json.dumps([data, plain["model"], optimizer, plain["trainer"].get("accelerator"), plain["threads"]])


def measure(found: Collection[Shape], threads: int, progress: Callable[[int], None]) -> int:
    """Time the steps of as many shapes as there is time for; how many.

    Args:
        threads: those of a point that says none itself.
        progress: called with the number of shapes done.
    """
    end, before = time.perf_counter() + BUDGET, torch.get_num_threads()
    try:
        for n, shape in enumerate(found):
            progress(n)
            by_share = {_share(point): point for point in shape.points}
            if n and time.perf_counter() > end:
                shape.parameters = _parameters(shape.points[0].experiment())
                continue
            torch.set_num_threads(shape.points[0].plain["threads"] or threads)
            shape.timed = {}
            for share in dict.fromkeys((min(by_share), max(by_share))):
                experiment = by_share[share].experiment()
                shape.parameters = _parameters(experiment)
                shape.timed[share] = _seconds_per_step(experiment)
    finally:
        torch.set_num_threads(before)
    return sum(shape.timed is not None for shape in found)


def costs(found: Collection[Shape]) -> list[list[Cost]]:
    """What each point of each shape takes, once shapes were measured."""
    known = [shape for shape in found if shape.timed]
    return [[_cost(shape, point, known) for point in shape.points] for shape in found]


def _cost(shape: Shape, point: RequestedPoint, known: Collection[Shape]) -> Cost:
    share = _share(point)
    if shape.timed:
        step = _between(shape.timed, share)
    else:
        work = shape.work(share)
        nearest = min(known, key=lambda other: abs(other.work(1) - shape.work(1)))
        assert nearest.timed
        other, seconds = next(iter(nearest.timed.items()))
        step = seconds * work / nearest.work(other)
    steps = int(point.plain["trainer"]["max_steps"])
    measured = _measurements(point.plain, steps) + len(point.plain["snapshots"].get("at") or [])
    keep = point.plain["snapshots"]["keep"]
    kept = measured if keep == "all" else min(measured, keep)
    # snapshots of 4 bytes a parameter, two checkpoints of 12, and about a kB a measurement
    disk = shape.parameters * (4 * kept + 24) + 1500 * measured
    return Cost(step, STARTUP_SECONDS + (steps + MEASUREMENT_STEPS * measured) * step, disk)


def _between(timed: Mapping[float, float], share: float) -> float:
    (low, first), (high, last) = min(timed.items()), max(timed.items())
    return first if high == low else first + (last - first) * (share - low) / (high - low)


def _share(point: RequestedPoint) -> float:
    share = point.plain["data"].get("train_fraction")
    return float(share) if isinstance(share, int | float) else 1.0


def _measurements(plain: Mapping[str, Any], steps: int) -> int:
    early, every = plain["measure_early"], int(plain["measure_every"])
    until = min(int(early["until"]), steps)
    return until // min(every, int(early["every"])) + max(0, steps - until) // every + 1


def _parameters(experiment: Experiment) -> int:
    return sum(w.numel() for w in experiment.module.network.parameters())


def _seconds_per_step(experiment: Experiment) -> float:
    keep_memory()
    device = experiment.trainer.strategy.root_device
    module = experiment.module.to(device)
    batch = Pairs(*(x.to(device) for x in experiment.data.training))
    optimizer, gradients = module.configure_optimizers(), module.gradients(batch)
    for _ in range(2 if device.type == "cpu" else TIMED):  # on a GPU also those before the graph
        loss = optimizer.step(gradients)
    float(loss)  # waits for a GPU
    n, begin = 0, time.perf_counter()
    while n < TIMED and time.perf_counter() - begin < MOST_SECONDS:
        loss = optimizer.step(gradients)
        n += 1
    float(loss)
    return (time.perf_counter() - begin) / n
