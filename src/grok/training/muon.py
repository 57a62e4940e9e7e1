"""Muon for a whole network: torch's, which takes matrices alone, and AdamW for all other parameters."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


class Muon(Optimizer):
    """torch's Muon on parameters of two dimensions, AdamW on all others (biases, heads), with one lr and weight decay.

    Args:
        params: what is trained.
        lr: learning rate of both. weight_decay: decoupled, of both.
        momentum: of Muon. betas, eps: of AdamW.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        weight_decay: float = 0.0,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.98),
        eps: float = 1e-8,
    ) -> None:
        parameters = list(params)
        matrices = [w for w in parameters if w.ndim == 2]
        others = [w for w in parameters if w.ndim != 2]
        self.parts: list[Optimizer] = []
        if matrices:
            self.parts.append(torch.optim.Muon(matrices, lr=lr, weight_decay=weight_decay, momentum=momentum))
        if others:
            self.parts.append(
                torch.optim.AdamW(others, lr, (betas[0], betas[1]), eps, weight_decay=weight_decay, fused=True)
            )
        super().__init__([{"params": part.param_groups[0]["params"]} for part in self.parts], {})
        self.param_groups = [part.param_groups[0] for part in self.parts]
        self._share()

    def _share(self) -> None:
        """One state and one list of groups, which checkpoints hold, for both."""
        for part, group in zip(self.parts, self.param_groups, strict=True):
            part.state, part.param_groups = self.state, [group]

    def step(self, closure: Callable[[], Tensor]) -> Tensor:  # type: ignore[override]
        """Set gradients by `closure`, update, and return the closure's loss, from before the update."""
        loss = closure()
        for part in self.parts:
            part.step()
        return loss

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self._share()
