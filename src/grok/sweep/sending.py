"""Sending offline runs to W&B.

Each run becomes one W&B run, of the id it has had from the start, with every measurement once, whether it went on
from a kill or not.
"""

# Why not the files that W&B wrote, wandb/offline-run-*? A run that was interrupted and went on has several, of one id.
# Seen with the real client (wandb 0.31.0): `wandb sync` puts them behind one another, and in each, rows are numbered
# (`_step`) from 0 again; steps between the last checkpoint and a kill are in two of them, and arrive twice; the file of
# a killed process ends some rows before metrics.csv and within a record, at which `wandb sync` gives up, leaves out
# the files after it, and exits 0; sent again (`--include-send_runs`), all rows are there twice. So what is sent is the
# run's own tables. What those files alone hold (use of the machine, what a callback gave W&B directly), `wandb sync`
# sends.

import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import wandb
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from grok.loggers import wandb_server
from grok.loggers.wandb_history import ENDED, final_keys, rows, run_url, sent
from grok.loggers.wandb_run import define_steps, log_conclusion
from grok.runs.configuration import flat_settings, loaded
from grok.runs.damage import DamagedFileError, reading
from grok.runs.files import write_text
from grok.runs.folder import RunFolder
from grok.sweep.run_status import runs


def send_runs(path: Path, console: Console, project: str = "", entity: str = "") -> Counter[str]:
    """Send what is to be sent of every run in a folder; how many runs were "sent", and how many were not and why.

    `ValueError` in one sentence where the folder is neither of a run nor of a sweep, no key is set up, or the server
    does not answer.
    """
    outcomes: Counter[str] = Counter()
    for run in list(runs(path)):
        try:
            damaged = ("damaged", f": {run.reason}")
            outcome, words = damaged if run.status == "damaged" else _outcome(run.folder, project, entity)
        except DamagedFileError as error:
            outcome, words = "damaged", f": {error}"
        outcomes[outcome] += 1
        console.print(f"{run.name}  {outcome}{words}", highlight=False, soft_wrap=True, markup=False)
    return outcomes


def _outcome(folder: RunFolder, project: str, entity: str) -> tuple[str, str]:
    summary = folder.summary()
    mode = str(summary.get("wandb_mode", ""))
    if mode.startswith("online") and not folder.is_lost:  # what is lost may lack its last rows
        return "online already", f": {run_url(folder)}"
    if not mode.startswith(("offline", "online")):
        return "without W&B", ""
    if not folder.config.exists() or not folder.holds(folder.metrics):
        return "without measurements", ""
    typed = {"project": project, "entity": entity}
    with reading(folder.config, folder.path.parent):
        settings = _settings(folder)
    settings |= {name: value for name, value in typed.items() if value}
    with reading(folder.metrics, folder.path.parent):
        step = int(folder.read(folder.metrics)["step"].iloc[-1])
    with reading(folder.final_keys, folder.path.parent):
        keys = final_keys(folder)
    with reading(folder.wandb_sent, folder.path.parent):
        before = sent(folder)
    state = {"step": step, "status": summary["status"], "keys": keys, "project": settings["project"]}
    if state.items() <= before.items() and settings["entity"] in (None, before["entity"]):
        return "sent already", f": {before['url']}"
    url, arrived, count = _send(folder, settings)
    write_text(folder.wandb_sent, json.dumps(state | {"entity": arrived, "url": url}, indent=2) + "\n")
    more = "" if summary["status"] in ENDED else f", {summary['status']} at step {state['step']:,}"
    return "sent", f", {count:,} rows{more}: {url}"


def _settings(folder: RunFolder) -> dict[str, Any]:
    """Where the run belongs: what its configuration says of W&B, or what it would say by default."""
    config = _config(folder)
    own = OmegaConf.select(config, "logger.wandb") or {}
    default = {"project": "grok", "entity": None, "name": config.name, "group": config.task_name, "tags": []}
    return {key: own.get(key, value) for key, value in default.items()}


def _config(folder: RunFolder) -> DictConfig:
    with reading(folder.config):
        return loaded(folder.config)


def _send(folder: RunFolder, settings: Mapping[str, Any]) -> tuple[str, str, int]:
    """Send what the server does not hold yet; the run's address, its entity, and how many rows went."""
    answers, why = wandb_server.reachable()
    if not answers:
        raise ValueError(f"Nothing can be sent to W&B: {why}.")
    summary = folder.summary()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            there = wandb.init(
                **{**settings, "tags": list(settings["tags"])},
                id=summary["wandb_id"],
                resume="allow",
                mode="online",
                dir=scratch,
                settings=wandb_server.wandb_settings(),
            )
        except wandb.Error as error:
            raise ValueError(f"Nothing can be sent to W&B: {' '.join(str(error).split())}") from error
        try:
            last_sent = define_steps(there, folder)
            there.config.update(flat_settings(_config(folder)), allow_val_change=True)  # type: ignore[no-untyped-call]
            new = list(rows(folder, last_sent))
            for row in new:
                there.log(row)
            log_conclusion(there, folder)
            there.finish(exit_code=int(summary["status"] in ("failed", "diverged")))
        except TimeoutError:
            raise ValueError(
                f"W&B stopped answering before all of {folder.path} was sent; the same command sends the rest."
            ) from None
        return str(there.url), there.entity, len(new)
