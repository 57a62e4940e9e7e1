"""What a person sees while a network trains."""

import math
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lightning import Callback, LightningModule, Trainer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from grok.measures.phases import PHASES

SHORTEST_GAP, LONGEST_GAP = 2.0, 60.0  # seconds between lines of a log, a tenth of the run so far between them
BAR, BAR_RANK = 20, 9  # columns, and the first part to be left out


class Part(NamedTuple):
    """A piece of the progress line. Where it is narrow, those of the highest `rank` are left out first."""

    words: str
    rank: int
    space: str = "  "  # before it


class ProgressBar(Callback):
    """One line on a terminal, kept up to date; a line now and then elsewhere. Touched at measurements alone."""

    def __init__(self) -> None:
        self.console = Console()
        self.live: Live | None = None
        self.drawn = ""
        self.began, self.first_step = 0.0, 0
        self.printed_at, self.printed_step = -math.inf, -1

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.began, self.first_step = time.perf_counter(), trainer.global_step
        self.drawn, self.printed_at, self.printed_step = "", -math.inf, -1
        if self.console.is_terminal:
            self.live = Live(console=self.console, auto_refresh=False, vertical_overflow="visible")
            self.live.start()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        now = time.perf_counter()
        if self.live:
            self._draw(self.live, self._parts(trainer))
        elif now - self.printed_at >= log_gap(now - self.began):
            self._print(trainer)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not self.live and self.printed_step != trainer.global_step and trainer.callback_metrics:
            self._print(trainer)
        self._stop()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._stop()

    def _draw(self, live: Live, parts: Sequence[Part]) -> None:
        width = self.console.width
        if len(self.drawn) > width:  # the window became narrower: what was drawn now fills rows of its own, and stays
            self.console.file.write("\n")
        self.drawn = fitting(parts, width)
        live.update(Text(self.drawn, no_wrap=True, overflow="crop"), refresh=True)

    def _print(self, trainer: Trainer) -> None:
        self.printed_at, self.printed_step = time.perf_counter(), trainer.global_step
        words = fitting([part for part in self._parts(trainer) if part.rank < BAR_RANK])
        self.console.print(words, soft_wrap=True, highlight=False, markup=False)

    def _parts(self, trainer: Trainer) -> list[Part]:
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        seconds = time.perf_counter() - self.began
        return progress_parts(trainer.global_step, int(trainer.max_steps), self.first_step, seconds, metrics)

    def _stop(self) -> None:
        if self.live:
            self.live.stop()
            self.live = None


def log_gap(seconds: float) -> float:
    """Seconds between two lines of a log, so long after its first."""
    return min(LONGEST_GAP, max(SHORTEST_GAP, seconds / 10))


def fitting(parts: Sequence[Part], width: int | None = None) -> str:
    """The parts as one line of at most `width` columns, the least important ones left out."""
    for most in sorted({part.rank for part in parts}, reverse=True):
        left = [part for part in parts if part.rank <= most]
        line = "".join((part.space if i else "") + part.words for i, part in enumerate(left))
        if width is None or len(line) <= width:
            return line
    return line[:width].rstrip()


def progress_parts(
    step: int, max_steps: int, first_step: int, seconds: float, metrics: Mapping[str, float]
) -> list[Part]:
    """How far a run is, in the order in which it is read."""
    share = step / max(max_steps, 1)
    speed = (step - first_step) / max(seconds, 1e-9)
    filled = min(BAR, int(BAR * share))
    parts = [
        Part(f"step {step:,}", 0),
        Part(f"of {max_steps:,}", 4, " "),
        Part(f"{math.floor(100 * share)}%", 1),
        Part("█" * filled + "░" * (BAR - filled), BAR_RANK),
        Part(f"{speed:,.0f} steps/s", 7),
    ]
    if speed > 0:
        parts.append(Part(f"{clock((max_steps - step) / speed)} left", 5))
    if "loss/train" in metrics:
        parts.append(Part(f"train {metrics['loss/train']:.1e}", 6))
    if "loss/test" in metrics:
        parts.append(Part(f"test {metrics['loss/test']:.1e}", 2))
    if "keys/count" in metrics:
        count = int(metrics["keys/count"])
        parts.append(Part(f"{count} key {'frequency' if count == 1 else 'frequencies'}", 8))
    if "phase" in metrics:
        phase = metrics["phase"]
        name = "direct, no phases" if math.isnan(phase) else PHASES[int(phase)]
        parts.append(Part(name + ("?" if metrics.get("phase_provisional") else ""), 3))
    return parts


def clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
