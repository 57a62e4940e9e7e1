"""Task and network of a configuration: the parts that `_target_` names, made from the settings beside it."""

import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from torch import nn

from grok.tasks.modular import Task


def task_of(config: DictConfig) -> Task:
    """The task under `data`. `ValueError` for settings that it refuses, or for answers and a split that do not fit."""
    task: Task = made("data", config.data)
    answers, train = task.answers, task.train
    square = answers.ndim == 2 and answers.shape[0] == answers.shape[1]
    if not square or answers.is_floating_point() or train.shape != answers.shape or train.dtype != torch.bool:
        raise ValueError(
            "`data._target_` must make whole answers and a boolean train, each p × p. Got answers"
            f" {answers.dtype} of shape {tuple(answers.shape)} and train {train.dtype} of shape {tuple(train.shape)}."
        )
    if train.all() or not train.any():
        raise ValueError("`data._target_` must leave pairs on both sides. Its train is all true or all false.")
    return task


def network_of(config: DictConfig, p: int) -> nn.Module:
    """The network under `model`, untrained; `p` and `seed` are given to a constructor that takes them.

    Minimal interface of one's own: `forward(a, b)`, logits of the pairs (a[i], b[i]) over the p numbers, or these and
    one class more. Measured where it has them: `W_E` (d_model × p or more), `neuron_logit_map()` (p × d_mlp), and
    `activations(a, b)` with `logits` and `neurons`.
    """
    network: nn.Module = made("model", config.model, p=p, seed=config.seed)
    return network


def made(group: str, settings: Mapping[str, Any], **given: Any) -> Any:
    """What `_target_` of a group makes of the group's settings, and of what it takes of `given`."""
    arguments: dict[str, Any] = OmegaConf.to_container(settings, resolve=True)  # type: ignore[assignment]
    make = resolved(group, arguments.pop("_target_"))
    parameters = inspect.signature(make).parameters
    arguments |= {name: value for name, value in given.items() if name in parameters}
    with named(group):
        try:
            return make(**arguments)
        except TypeError as error:
            raise ValueError(f"`{group}` must be settings that {make.__qualname__} takes: {error}.") from error


def resolved(group: str, target: Any) -> Callable[..., Any]:
    """The class or function that `_target_` names."""
    try:
        found = pkgutil.resolve_name(target)
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise ValueError(f"`{group}._target_` must be the import path of a class. Got {target!r}: {error}.") from error
    if not callable(found):
        raise ValueError(f"`{group}._target_` must be the import path of a class. Got {target!r}.")
    return found  # type: ignore[no-any-return]


@contextmanager
def named(group: str) -> Iterator[None]:
    """Say `group.name` where a part says `name` of its settings: parts do not know how they are configured."""
    try:
        yield
    except ValueError as error:
        raise ValueError(re.sub(r"`([a-z]\w*)`", rf"`{group}.\1`", str(error))) from error
