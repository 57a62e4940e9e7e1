"""How a contestant is run: a process of its own that does n steps for each number n on its standard input.

Processes of their own keep each one's threads, switches of torch's and memory apart; working on command
lets the benchmark take them in turns, so that a noisy machine slows all of them alike.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch

_began = time.perf_counter()
_answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)  # whatever libraries print must not be taken for an answer


def commands() -> Iterator[int]:
    """Numbers of steps to do, until the benchmark closes the pipe."""
    for line in sys.stdin:
        yield int(line)


def answer(**values: Any) -> None:
    """Tell the benchmark something."""
    _answers.write(json.dumps(values) + "\n")


def answer_ready(**values: Any) -> None:
    """Say that set-up is done and the first command can come."""
    answer(startup_seconds=time.perf_counter() - _began, threads=torch.get_num_threads(), **values)


def peak_bytes() -> int:
    """The most memory this process has held, on the GPU where it uses one."""
    if torch.cuda.is_available() and torch.cuda.max_memory_reserved():
        return torch.cuda.max_memory_reserved()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def answer_seconds(seconds: float) -> None:
    answer(seconds=seconds, peak_bytes=peak_bytes())


def wait_for_gpu() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def serve(step: Callable[[], object], warm_up: int = 3, **ready: Any) -> None:
    """Do `step` as often as each command says, and answer how long that took."""
    for _ in range(warm_up):
        step()
    wait_for_gpu()
    answer_ready(**ready)
    for n in commands():
        begin = time.perf_counter()
        for _ in range(n):
            step()
        wait_for_gpu()
        answer_seconds(time.perf_counter() - begin)


def usual_step(
    network: torch.nn.Module, logits: Callable[[], torch.Tensor], answers: torch.Tensor
) -> Callable[[], None]:
    """The step of the paper's code and of the demo: loss in float64, torch's AdamW as it comes.

    Args:
        network: what is trained.
        logits: its forward pass, of three positions, at the last of them.
        answers: the right answer of each pair.
    """
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1.0, betas=(0.9, 0.98))

    def step() -> None:
        logs = logits().to(torch.float64).log_softmax(-1)
        loss = -logs.gather(-1, answers[:, None])[:, 0].mean()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
        loss.item()  # both keep every loss

    return step
