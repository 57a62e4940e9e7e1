"""AdamW for a batch that never changes; on a GPU a whole step is one replayed CUDA graph.

A step of the mainline is about 60 small kernels: on a GPU launching them from Python takes ten times as long
as running them. A CUDA graph launches them together, from the same memory each time, so it fits only what
does the same work on the same tensors every time: full-batch training.
"""

from collections.abc import Callable, Iterable
from typing import Any, cast

import torch
from torch import Tensor

EAGER_STEPS = 3  # real steps before capture, in which libraries and the optimizer's state set themselves up


class FullBatchAdamW(torch.optim.AdamW):
    """torch's fused AdamW, whose step takes the loss and its gradients from `closure`.

    Args:
        parameters: what is trained, all on one device.
        lr, betas, eps, weight_decay: as torch's.

    On a GPU the closure is called four times, three eagerly and once to be captured; from then on
    the graph repeats what it did, and hooks around it do not run.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        betas: tuple[float, float],
        eps: float,
        weight_decay: float,
    ) -> None:
        parameters = list(parameters)
        self._device = parameters[0].device
        self._lr: float | None = None  # as set last
        self._eager_steps = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        on_gpu = self._device.type == "cuda"
        super().__init__(
            parameters,
            lr=torch.tensor(lr, device=self._device) if on_gpu else lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            fused=True,
            capturable=on_gpu,
        )

    def set_lr(self, lr: float) -> None:
        """The learning rate of the next step."""
        if lr == self._lr:
            return
        self._lr = lr
        for group in self.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(lr)  # where the graph reads it
            else:
                group["lr"] = lr

    def step(self, closure: Callable[[], Tensor]) -> Tensor:  # type: ignore[override]
        """Set gradients by `closure`, update, and return the closure's loss, from before the update."""
        if self._device.type != "cuda":
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
        return cast(Tensor, super().step(cast(Any, closure)))

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

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As torch's, from a state of either kind of device; the graph, which knows the old state's memory, goes."""
        own = [{name: group[name] for name in ("lr", "capturable", "fused")} for group in self.param_groups]
        super().load_state_dict(state_dict)
        for group, mine in zip(self.param_groups, own, strict=True):
            group.update(mine)
        self._lr, self._eager_steps, self._graph = None, 0, None
