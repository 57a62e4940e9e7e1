"""A W&B logger that never asks, never waits long, and never ends a run."""

import math
import netrc
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from ssl import SSLError
from urllib.error import HTTPError
from urllib.parse import urlparse
from urllib.request import Request, urlopen

import wandb
from lightning.pytorch.loggers import WandbLogger

from grok.loggers.wandb_history import STEP, rows
from grok.loggers.wandb_run import opened
from grok.runs.folder import RunFolder

MODES = ("online", "offline", "disabled")
PATIENCE = 2.0  # seconds for the server to answer at all
INIT_PATIENCE = 15.0  # seconds for it to take a run
FINISH_PATIENCE = 60.0  # seconds for it to take the rest when a run ends


def wandb_mode(mode: str | None = None) -> tuple[str, str]:
    """The mode to log in, and why.

    As told by `mode` or WANDB_MODE; else offline under SLURM, whose nodes often have no way out,
    and online where a key is set up and the server answers within two seconds.
    """
    if mode is not None and mode not in MODES:
        raise ValueError(f"`logger.wandb.mode` must be one of {', '.join(MODES)}, or null. Got {mode!r}.")
    told = mode or os.environ.get("WANDB_MODE")
    if told:
        return told, "as told"
    if "SLURM_JOB_ID" in os.environ:
        return "offline", "a SLURM job; logger.wandb.mode=online if its nodes reach the server"
    answers, why = reachable()
    return ("online" if answers else "offline"), why


def wandb_settings() -> wandb.Settings:
    """Of every W&B run: nothing printed, nothing waited for without end."""
    return wandb.Settings(
        silent=True,
        console="off",
        init_timeout=INIT_PATIENCE,
        finish_timeout=FINISH_PATIENCE,
        finish_timeout_raises=True,
    )


def reachable() -> tuple[bool, str]:
    """Whether a key is set up and the server answers within two seconds, and what was found."""
    settings = wandb.setup(wandb.Settings(silent=True)).settings
    server = urlparse(settings.base_url)
    if not (settings.api_key or _netrc_knows(server.hostname or "")):
        return False, "no key is set up; `wandb login` sets one up"
    question = Request(f"{settings.base_url}/graphql", b"{}", {"Content-Type": "application/json"})
    try:
        urlopen(question, timeout=PATIENCE).close()  # by way of a proxy, where one is set
    except HTTPError:
        pass  # an answer
    except OSError as error:
        if not isinstance(getattr(error, "reason", None), SSLError):
            return False, f"no answer from {server.hostname} within {PATIENCE:.0f} s"
    return True, f"{server.hostname} answers"


class _Logger(WandbLogger):
    held = -1  # the last step that the server has already of a run that goes on

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        if step is not None and step <= self.held:
            return
        known = {name: value for name, value in metrics.items() if not (isinstance(value, float) and math.isnan(value))}
        if known:
            super().log_metrics(known, step)


def wandb_logger(
    folder: str | Path,
    project: str,
    name: str,
    entity: str | None = None,
    group: str | None = None,
    tags: Sequence[str] = (),
    mode: str | None = None,
) -> WandbLogger:
    """A Lightning logger on a W&B run, whose files lie in `folder`/wandb; the same run when resumed.

    What is not known (nan) is left out of a row. A run that goes on online first sends what the server lacks of
    metrics.csv: the last quarter of a minute before a kill, or all of it where the run was offline so far. The
    steps that it then measures again, from its checkpoint on, are not logged twice.

    Args:
        folder: the run's folder.
        project, name, entity, group, tags: as in `wandb.init`.
        mode: "online", "offline" or "disabled"; None: see `wandb_mode`.
    """
    record = RunFolder(folder)
    chosen, why = wandb_mode(mode)
    run_id = record.summary().get("wandb_id")

    def init(mode: str) -> wandb.Run:
        return wandb.init(
            project=project,
            name=name,
            entity=entity,
            group=group,
            tags=list(tags),
            dir=str(folder),
            id=run_id,
            resume="allow" if run_id and mode == "online" else None,
            mode=mode,  # type: ignore[arg-type]
            settings=wandb_settings(),
        )

    try:
        run = init(chosen)
    except wandb.Error as error:
        chosen, why = "offline", f"{type(error).__name__}: {error}"
        run = init(chosen)
    held = opened(run, record)
    record.write_summary(wandb_id=run.id, wandb_mode=f"{chosen} ({why})", **({"wandb_url": run.url} if run.url else {}))
    logger = _Logger(experiment=run, save_dir=str(folder), project=project)
    if run_id and chosen == "online":
        logger.held = held.measured
        for row in rows(record, held, curves=False):  # which may change yet
            run.log(row)
            logger.held = int(row[STEP])
    return logger


def end(folder: RunFolder, failed: bool) -> None:
    """End the W&B run, if there is one; what the server did not take within a minute is left to `grok.sync`."""
    if wandb.run is None:
        return
    try:
        wandb.finish(exit_code=int(failed))
    except TimeoutError:
        why = f"the server did not take all within {FINISH_PATIENCE:.0f} s"
        folder.write_summary(wandb_mode=f"offline at the end ({why}; `python -m grok.sync` sends the rest)")


def _netrc_knows(host: str) -> bool:
    try:
        return netrc.netrc().authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False
