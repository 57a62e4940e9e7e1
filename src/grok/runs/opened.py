"""The one place that opens a run: its configuration, tables, kept steps, networks and evaluations."""

import math
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from jaxtyping import Bool, Int
from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn

from grok.measures.history import History, slingshots
from grok.runs.checksums import digest_of_file
from grok.runs.configuration import current, loaded
from grok.runs.damage import reading
from grok.runs.folder import RunFolder
from grok.runs.identity import differences, identity, settings
from grok.runs.parts import network_of, task_of
from grok.runs.trust import refuse_foreign, refuse_links_out
from grok.settings.checks import is_whole
from grok.tasks.modular import Task

if TYPE_CHECKING:
    from grok.measures.evaluation import Evaluation

# Column of metrics.csv behind each field of a history.
HISTORY_COLUMNS = {
    "step": "step",
    "train_loss": "loss/train",
    "test_loss": "loss/test",
    "train_accuracy": "accuracy/train",
    "test_accuracy": "accuracy/test",
    "sum_squared_weights": "progress/sum_squared_weights",
    "largest_train_loss": "loss/train_largest",
}


def held_out(metrics: pd.DataFrame) -> str:
    """Which pairs judge a run: "unseen" or "test".

    The test set judges where the split leaves no unseen pair, and where measurements are missing that a run wrote
    before unseen pairs were told apart.
    """
    known = "loss/unseen" in metrics and (metrics["loss/unseen"].notna() | metrics["loss/test"].isna()).all()
    return "unseen" if known else "test"


def history_of(metrics: pd.DataFrame) -> History:
    """The curves that events are read from, out of metrics.csv.

    Where it has no unseen pairs, test pairs stand for them: see `held_out`.
    """
    columns = HISTORY_COLUMNS | {f"unseen_{what}": f"{what}/{held_out(metrics)}" for what in ("loss", "accuracy")}
    key_frequencies: list[str | None] = [text if isinstance(text, str) else "" for text in metrics["keys"]]
    numbers = {name: metrics[column].astype(float).tolist() for name, column in columns.items()}
    optional = {"excluded_loss": "symmetrized_excluded_loss", "spike": "memorization_spike"}
    for name, column in optional.items():
        there = metrics.get(f"progress/{column}", pd.Series(math.nan, metrics.index))
        numbers[name] = there.astype(float).tolist()
    return History(**numbers, key_frequencies=key_frequencies)


class OpenedRun:
    """A run on disk, read when it is asked for.

    Args:
        folder: of the run; nothing is read or written yet.
        trust: whether to import a task or network of one's own that its configuration names.
    """

    def __init__(self, folder: RunFolder | str | Path, trust: bool = False) -> None:
        self.folder = folder if isinstance(folder, RunFolder) else RunFolder(folder)
        self.trust = trust

    # --- what was to be trained

    @cached_property
    def config(self) -> DictConfig:
        """The frozen configuration. `ValueError` without one."""
        if not self.folder.config.exists():
            raise ValueError(f"The folder must be that of a run, with a config.yaml. {self.folder.path} has none.")
        refuse_links_out(self.folder.path)
        with reading(self.folder.config):
            return current(loaded(self.folder.config))

    @property
    def key_rule(self) -> str | list[int]:
        """The rule of the key frequencies, or a list of them."""
        rule = self.config.key_frequencies
        return rule if isinstance(rule, str) else [int(k) for k in rule]

    @property
    def phase_rule(self) -> str:
        """By what the phases are told apart: losses or spike."""
        return str(OmegaConf.select(self.config, "phases.rule", default="losses"))

    @property
    def edited(self) -> list[str]:
        """What differs between config.yaml and the run that was begun by it, in words."""
        now = settings(self.config)
        kept = (self.summary.get("checksums") or {}).get(self.folder.config.name)
        is_other = kept is not None and kept != digest_of_file(self.folder.config)
        begun_by = {name: x for name, x in (self.summary.get("identity") or {}).items() if not name.startswith("(")}
        found = differences(begun_by, now)
        return found or (["only what does not make the run"] if is_other else [])

    @cached_property
    def _task(self) -> Task:
        parts: Any = OmegaConf.to_container(self.config, resolve=False)
        refuse_foreign({name: parts.get(name) for name in ("data", "model")}, self.folder.path, self.trust)
        task = task_of(self.config)
        kept = self.summary.get("identity") or {}
        if differing := differences(kept, identity(self.config, task.answers, task.train)):
            raise ValueError(
                f"A run must be opened as it was begun. In {self.folder.config}, or in the code of its task, these have"
                f" changed since: {', '.join(differing)}. Change them back."
            )
        return task

    @property
    def answers(self) -> Int[Tensor, "a=p b=p"]:
        """The answer of every pair."""
        return self._task.answers

    @property
    def train(self) -> Bool[Tensor, "a=p b=p"]:
        """True on the training pairs."""
        return self._task.train

    # --- what was measured

    @property
    def summary(self) -> dict[str, Any]:
        """What summary.json says."""
        return self.folder.summary()

    @property
    def metrics(self) -> pd.DataFrame:
        """A row a measurement; empty before the first."""
        return self._table(self.folder.metrics)

    @property
    def spectra(self) -> pd.DataFrame:
        """The share of every frequency in W_E and W_L at every measurement."""
        return self._table(self.folder.spectra)

    @property
    def final_keys(self) -> pd.DataFrame:
        """Restricted and excluded loss at every kept step by the final network's key frequencies."""
        return self._table(self.folder.final_keys)

    def _table(self, file: Path) -> pd.DataFrame:
        return self.folder.read(file) if self.folder.holds(file) else pd.DataFrame({"step": []})

    # --- its networks

    @property
    def steps(self) -> list[int]:
        """The steps whose snapshots are kept. `ValueError` where there are none."""
        self.config  # noqa: B018 - refuses a folder that is no run
        steps = list(self.folder.snapshots())
        if not steps:
            raise ValueError(f"The run must have snapshots to analyse. {self.folder.path} has none.")
        return steps

    @property
    def last_calm_step(self) -> int:
        """The last kept step outside a slingshot; the last one where none is, or nothing was measured."""
        gone = self.folder.missing_snapshots()
        steps, metrics = sorted([*self.steps, *gone]), self.metrics
        if not set(HISTORY_COLUMNS.values()) <= set(metrics):
            return steps[-1]
        history = history_of(metrics)
        calm = {when for when, jump in zip(history.step, slingshots(history), strict=True) if not jump}
        last = max((step for step in steps if step in calm), default=steps[-1])
        if last in gone:
            raise ValueError(
                f"The snapshot of step {last} was kept, and is gone from {self.folder.path / 'snapshots'}. Take it"
                f" from a copy, or name another step: {', '.join(f'step={step}' for step in self.steps[-2:])}."
            )
        return last

    def step(self, step: Any = "last") -> int:
        """A kept step: the one named, or for "last" the last outside a slingshot. `ValueError` for others."""
        if step == "last":
            return self.last_calm_step
        steps = self.steps
        if not is_whole(step):
            raise ValueError(f"`step` must be a whole number or last. Got {step!r}.")
        if step not in steps:
            near = min(steps, key=lambda kept: abs(kept - step))
            around = [*(s for s in steps if s < step)][-1:] + [*(s for s in steps if s > step)][:1]
            raise ValueError(
                f"`step` must be one whose snapshot was kept. {step} was not; the nearest is {near}"
                f" (kept next to it: {' and '.join(map(str, around))})."
            )
        return int(step)

    def network(self, step: int | str = "last", device: str | torch.device = "cpu") -> nn.Module:
        """The network at a kept step, in evaluation mode."""
        network = network_of(self.config, len(self.answers)).eval()
        weights = self.folder.load_snapshot(self.step(step))
        network.load_state_dict({name: w.to(device) for name, w in weights.items()}, assign=True)
        return network

    def evaluation(self, step: int | str = "last", device: str | torch.device = "cpu") -> "Evaluation":
        """The evaluation of all p² pairs by the network at a kept step."""
        from grok.measures.evaluation import Evaluation  # noqa: PLC0415 - torchmetrics imports matplotlib

        return Evaluation.of(self.network(step, device), self.answers.to(device), self.train.to(device))

    def evaluations(
        self, steps: Iterable[int], device: str | torch.device = "cpu"
    ) -> Iterator[tuple[int, "Evaluation"]]:
        """Each of `steps` with its evaluation, one at a time."""
        for step in steps:
            yield step, self.evaluation(step, device)
