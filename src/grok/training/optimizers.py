"""The optimizer of a configuration, and the full-batch step around it."""

import inspect
import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from grok.runs.parts import resolved
from grok.settings.checks import is_number
from grok.training.full_batch import FullBatchOptimizer


def optimizer_of(
    target: str, parameters: Iterable[Tensor], lr: float, wd: float, settings: Mapping[str, Any]
) -> FullBatchOptimizer:
    """The optimizer that `target` names, fused and capturable where it can be, for full-batch steps.

    Args:
        target: import path of a `torch.optim.Optimizer`.
        parameters: what is trained, all on one device.
        lr: learning rate; wd: its `weight_decay`.
        settings: what else it takes.
    """
    for name, value, zero in [("lr", lr, False), ("wd", wd, True), ("eps", settings.get("eps", 1.0), False)]:
        if not is_number(value) or not math.isfinite(value) or not (value >= 0 if zero else value > 0):
            raise ValueError(f"`optim.{name}` must be finite and {'0 or more' if zero else 'above 0'}. Got {value!r}.")
    betas = settings.get("betas", (0, 0))
    given = list(betas) if isinstance(betas, tuple) else betas
    pair = isinstance(given, list) and len(given) == 2
    if not pair or not all(is_number(beta) and 0 <= beta < 1 for beta in given):
        raise ValueError(f"`optim.betas` must be two numbers, each at least 0 and below 1. Got {given}.")
    make = resolved("optim", target)
    parameters = list(parameters)
    takes = inspect.signature(make).parameters
    on_gpu = parameters[0].device.type == "cuda"
    arguments = {**settings, "lr": lr, "weight_decay": wd}
    if not wd and "weight_decay" not in takes:
        del arguments["weight_decay"]
    if "capturable" in takes and on_gpu:
        arguments |= {"capturable": True, "lr": torch.tensor(lr, device=parameters[0].device)}
    if "fused" in takes:
        arguments["fused"] = True
    try:
        return FullBatchOptimizer(make(parameters, **arguments), captured=on_gpu and "capturable" in takes)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`optim` must be settings that {target} takes: {error}.") from error
