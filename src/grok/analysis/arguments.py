"""What grok.analyze was asked for: its arguments, checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from grok.figures.choice import chosen
from grok.measures.evaluation import RULES
from grok.networks.subject import Subject, of_file, of_run
from grok.runs.folder import RunFolder
from grok.runs.opened import OpenedRun
from grok.settings.checks import require_whole
from grok.settings.commands import settings
from grok.settings.figure_style import TYPED, FigureStyle, figure_style

KNOWN: dict[str, Any] = {
    "step": "last",
    "steps": None,
    "key_frequencies": None,
    "figures": "all",
    "output": None,
    "verbose": False,
    "trust": False,
    "threads": 1,  # enough for p = 113; more of them wait for each other where others compute too
    "checkpoint": None,
    "split": None,
    "data.p": None,
    "data.operation": None,
    "data.train_fraction": None,
    "data.seed": None,
    "model.activation": None,
    "model.tokens": None,
    "model.attention": None,
    "model.attention_rate": None,
    **TYPED,
}


@dataclass(frozen=True)
class Analysis:
    """What the command was asked for."""

    subject: Subject
    folder: RunFolder | None
    results: Path  # of analysis.json
    pictures: Path
    rule: str | list[int]
    figures: list[str]
    looks: FigureStyle
    history: bool
    verbose: bool
    trust: bool = False


def analysis(arguments: Sequence[str]) -> Analysis:
    """The command's arguments, checked; `ValueError` in one sentence."""
    path, told = settings(arguments, KNOWN)
    if path is not None and path.is_file() and told["checkpoint"] is None:
        path, told["checkpoint"] = None, path
    if (path is None) == (told["checkpoint"] is None):
        raise ValueError("usage: python -m grok.analyze <run folder> or checkpoint=<file>, and settings as key=value")
    if told["steps"] not in (None, "all") or (told["steps"] and told["step"] != "last"):
        raise ValueError(f"`steps` must be all, and `step` is for one of them. Got {told['steps']!r}.")
    figures, rule_told = chosen(told["figures"]), _rule(told["key_frequencies"])
    for name in ("verbose", "trust"):
        if not isinstance(told[name], bool):
            raise ValueError(f"`{name}` must be true or false. Got {told[name]!r}.")
    typed_looks = {name: told[name] for name in TYPED}
    figure_style(typed=typed_looks)
    require_whole("threads", told["threads"], 1)
    torch.set_num_threads(told["threads"])
    if path is None:
        file = Path(told["checkpoint"])
        if told["steps"]:
            raise ValueError("`steps=all` needs a run folder. A checkpoint is one network.")
        subject, folder = of_file(file, told), None
        rule: str | list[int] = "W_L"
        looks = figure_style(typed=typed_looks)
        results = Path(told["output"] or file.with_name(f"{file.stem}_analysis"))
        pictures = results
    else:
        only_files = [name for name in KNOWN if name.startswith(("data.", "model.")) or name == "split"]
        if given := [name for name in only_files if told[name] is not None]:
            raise ValueError(f"`{given[0]}` is for checkpoint=<file>. A run folder tells its own.")
        run = OpenedRun(path, told["trust"] is True)
        folder = run.folder
        subject = of_run(run, run.step(told["step"]))
        rule, looks = run.key_rule, figure_style(run.config, typed_looks)
        results = Path(told["output"] or path)
        pictures = results if told["output"] else path / "analysis"
    rule = rule if rule_told is None else rule_told
    return Analysis(
        subject,
        folder,
        results,
        pictures,
        rule,
        figures,
        looks,
        history=told["steps"] == "all",
        verbose=told["verbose"],
    )


def _rule(told: Any) -> str | list[int] | None:
    if told is None or told in RULES or (isinstance(told, list) and all(isinstance(k, int) for k in told)):
        return told  # type: ignore[no-any-return]
    raise ValueError(f"`key_frequencies` must be one of {', '.join(RULES)}, or a list such as [14,35]. Got {told!r}.")
