"""A step on a batch that never changes, around any optimizer; on a GPU a whole step is one replayed CUDA graph.

A step of the mainline is about 60 small kernels: on a GPU launching them from Python takes ten times as long
as running them. A CUDA graph launches them together, from the same memory each time, so it fits only what
does the same work on the same tensors every time: full-batch training by an optimizer that can be captured.
"""

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor
from torch.optim import Optimizer

EAGER_STEPS = 3  # real steps before capture, in which libraries and the optimizer's state set themselves up


class FullBatchOptimizer(Optimizer):
    """An optimizer whose step takes the loss and its gradients from `closure`.

    Args:
        optimizer: the one that is wrapped; groups, state and checkpoints are its own.
        captured: replay a step as one CUDA graph. The closure is then called four times, three eagerly and once to
            be captured; from then on the graph repeats what it did, and hooks around it do not run.
    """

    def __init__(self, optimizer: Optimizer, captured: bool = False) -> None:  # everything else is the wrapped one's
        self.optimizer = optimizer
        self.captured = captured
        self._device = optimizer.param_groups[0]["params"][0].device
        self._base = [float(group["lr"]) for group in optimizer.param_groups]
        self._scale: float | None = None  # as set last
        self._eager_steps = 0
        self._graph: torch.cuda.CUDAGraph | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["optimizer"], name)

    @property
    def how(self) -> str:
        """How a step is taken, in a word or two."""
        if self.captured:
            return "one CUDA graph"
        return "fused" if self.optimizer.defaults.get("fused") else "eager"

    def scale_lr(self, scale: float) -> None:
        """The learning rates of the next step, by what they were configured to be."""
        if scale == self._scale:
            return
        self._scale = scale
        for group, base in zip(self.optimizer.param_groups, self._base, strict=True):
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(base * scale)  # where the graph reads it
            else:
                group["lr"] = base * scale

    def step(self, closure: Callable[[], Tensor]) -> Tensor:  # type: ignore[override]
        """Set gradients by `closure`, update, and return the closure's loss, from before the update."""
        if not self.captured:
            return self._eager_step(closure)
        if self._eager_steps < EAGER_STEPS:
            self._eager_steps += 1
            return self._step_aside(closure)
        if self._graph is None:
            self._capture(closure)
        assert self._graph is not None
        self._graph.replay()
        return self._loss.clone()

    def _eager_step(self, closure: Callable[[], Tensor]) -> Tensor:
        return cast(Tensor, self.optimizer.step(cast(Any, closure)))

    def _step_aside(self, closure: Callable[[], Tensor]) -> Tensor:
        """A step on a stream of its own, as capture asks for."""
        aside, here = torch.cuda.Stream(self._device), torch.cuda.current_stream(self._device)  # type: ignore[no-untyped-call]
        aside.wait_stream(here)
        with torch.cuda.stream(aside):
            loss = self._eager_step(closure)
        here.wait_stream(aside)
        return loss

    def _capture(self, closure: Callable[[], Tensor]) -> None:
        self.zero_grad(set_to_none=True)  # gradients are to live in the graph's own memory
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._loss = self._eager_step(closure)
        self._graph = graph

    def zero_grad(self, set_to_none: bool = True) -> None:
        self.optimizer.zero_grad(set_to_none)

    def state_dict(self) -> dict[str, Any]:
        return self.optimizer.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Moments and counts of steps, from either kind of device; every setting stays as it was configured here.

        The graph, which knows the old state's memory, goes.
        """
        own = [{name: group[name] for name in group if name != "params"} for group in self.optimizer.param_groups]
        self.optimizer.load_state_dict(state_dict)
        for group, mine in zip(self.optimizer.param_groups, own, strict=True):
            group.update(mine)
        self._scale, self._eager_steps, self._graph = None, 0, None
