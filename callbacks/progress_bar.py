"""What a person sees while a network trains."""

import math
import time
from typing import Any

from lightning import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from grok.measures.phases import PHASES


class ProgressBar(Callback):
    """A bar on a terminal, a plain line per measurement elsewhere; touched at measurements alone."""

    def __init__(self) -> None:
        self.console = Console()
        self.bar: Progress | None = None
        self.began, self.first_step = 0.0, 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.began, self.first_step = time.perf_counter(), trainer.global_step
        if self.console.is_terminal:
            self.bar = Progress(
                TextColumn("step {task.completed:,.0f} of {task.total:,.0f}"),
                BarColumn(bar_width=20),
                TextColumn("{task.fields[speed]}"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[state]}"),
                console=self.console,
                refresh_per_second=4,
            )
            self.bar.add_task("", total=trainer.max_steps, completed=self.first_step, speed="", state="")
            self.bar.start()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        step = trainer.global_step
        speed = f"{(step - self.first_step) / max(time.perf_counter() - self.began, 1e-9):,.0f} steps/s"
        state = _state({name: float(value) for name, value in trainer.callback_metrics.items()})
        if self.bar:
            self.bar.update(self.bar.task_ids[0], completed=step, speed=speed, state=state)
        else:
            self.console.print(f"step {step:>6,} of {trainer.max_steps:,}  {speed:>15}  {state}", soft_wrap=True)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._stop()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._stop()

    def _stop(self) -> None:
        if self.bar:
            self.bar.stop()
            self.bar = None


def _state(metrics: dict[str, float]) -> str:
    parts: list[Any] = []
    if "loss/train" in metrics:
        parts += [f"train {metrics['loss/train']:.2e}", f"test {metrics['loss/test']:.2e}"]
    if "keys/count" in metrics:
        count = int(metrics["keys/count"])
        parts.append(f"{count} {'key' if count == 1 else 'keys'}")
    if "phase" in metrics:
        phase = metrics["phase"]
        name = "no phases: generalizes directly" if math.isnan(phase) else PHASES[int(phase)]
        parts.append(name + ("?" if metrics["phase_provisional"] else ""))
    return "  ".join(parts)
