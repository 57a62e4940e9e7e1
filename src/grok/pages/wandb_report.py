"""A report at W&B of the runs of a run or sweep folder, in W&B's own panels.

Each call makes a new report: one that somebody has written in since is not replaced.
"""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import wandb

from grok.loggers.wandb_history import logged, run_url
from grok.loggers.wandb_server import reachable
from grok.pages.wandb_story import ReportedRuns
from grok.runs.folder import RunFolder
from grok.sweep.run_status import runs
from grok.sweep.table import sweep_table, swept

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pydantic's, about its own future
    from wandb_workspaces.reports.v2 import interface as wr

    from grok.pages.wandb_panels import blocks

PATIENCE = 10  # seconds for an answer to any request
TITLE = 128  # characters that W&B takes


def save_report(path: Path, entity: str, project: str) -> str:
    """The address of a new report on the runs in `path` that the project holds.

    `ValueError` in one sentence without a key, an answer, such a project, or a run in it.
    """
    reported = _reported(path, f"{entity}/{project}")
    answers, why = reachable()
    if not answers:
        raise ValueError(f"No W&B report can be saved: {why}.")
    try:
        api = wandb.Api(timeout=PATIENCE)
        projects = [found.name for found in api.projects(entity)]
    except Exception as error:  # the client raises many kinds, not all of them wandb.Error
        raise ValueError(f"No W&B report can be saved for {entity}: {' '.join(str(error).split())}") from error
    if project not in projects:
        among = ", ".join(projects) or "none"
        raise ValueError(f"`wandb` must name a project of {entity}, which are: {among}. Got {project}.")
    report = wr.Report(
        entity=entity,
        project=project,
        title=f"Grokking: {reported.title}"[:TITLE],
        description="Losses, progress measures, phases and key frequencies",
        blocks=blocks(reported),
        width="fluid",
    )
    try:
        report.save()
    except Exception as error:
        raise ValueError(f"W&B did not take the report: {' '.join(str(error).split())}") from error
    return str(report.url)


def _reported(path: Path, where: str) -> ReportedRuns:
    every = {name: folder for name, folder, *_ in runs(path)}
    sent = {name: folder for name, folder in every.items() if f"/{where}/runs/" in (run_url(folder) or "")}
    folders = list(sent.values())
    if not folders:
        raise ValueError(
            f"`wandb` must name the project that holds the runs. None of those in {path} is in {where};"
            " `python -m grok.sync` sends runs that were logged offline."
        )
    return ReportedRuns(
        title=path.absolute().name,
        words=_words(path, folders, len(every) - len(folders)),
        ids=[folder.summary()["wandb_id"] for folder in folders],
        settings=_settings(path, folders) if (path / "sweep.json").exists() else {},
        logged=set[str]().union(*(logged(folder) for folder in folders)),
        origin=_origin(list(sent), folders),
    )


def _words(path: Path, folders: Sequence[RunFolder], elsewhere: int) -> str:
    summaries = [folder.summary() for folder in folders]
    kinds = Counter(str(summary.get("regime", summary.get("status", "begun"))) for summary in summaries)
    words = f"`{path.absolute().name.replace('`', '')}`: " + ", ".join(f"{n} {kind}" for kind, n in kinds.most_common())
    return words + (f"; {elsewhere} more that are not in this project" if elsewhere else "") + "."


def _settings(path: Path, folders: Sequence[RunFolder]) -> Mapping[str, Mapping[str, Sequence[str]]]:
    """For each setting that the sweep varies, the ids of the runs of each value."""
    table = sweep_table(path)
    ids = {folder.path.resolve(): folder.summary()["wandb_id"] for folder in folders}
    table["id"] = [ids.get((path / run).resolve()) for run in table["run"]]
    table = table[table["id"].notna()]
    return {
        name: {_word(value): list(group["id"]) for value, group in table.groupby(name, dropna=False)}
        for name in swept(table)
    }


def _word(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) and not pd.isna(value) else str(value)


def _origin(names: Sequence[str], folders: Sequence[RunFolder]) -> str:
    """What the runs were made with; the command of one run, or what sets each of several apart."""
    summaries = [folder.summary() for folder in folders]
    lines = []
    for summary in summaries:
        versions = " ".join(f"{name} {v}" for name, v in (summary.get("versions") or {}).items())
        lines.append(f"# commit {summary.get('commit')}; {versions}")
    return "\n".join([*dict.fromkeys(lines), *(names if len(names) > 1 else [str(summaries[0].get("command"))])])
