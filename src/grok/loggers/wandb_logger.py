"""A W&B logger that never asks, never waits long, and never ends a run."""

import math
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import wandb
from lightning.pytorch.loggers import WandbLogger

from grok.loggers import wandb_server
from grok.loggers.wandb_history import STEP, rows
from grok.loggers.wandb_run import define_steps
from grok.loggers.wandb_server import wandb_mode, wandb_settings
from grok.runs.folder import RunFolder


class _OncePerStep(WandbLogger):
    last_step_sent = -1  # what the server has already of a run that goes on

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        if step is not None and step <= self.last_step_sent:
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
    last_sent = define_steps(run, record)
    record.write_summary(wandb_id=run.id, wandb_mode=f"{chosen} ({why})", **({"wandb_url": run.url} if run.url else {}))
    logger = _OncePerStep(experiment=run, save_dir=str(folder), project=project)
    if run_id and chosen == "online":
        logger.last_step_sent = last_sent.measured
        for row in rows(record, last_sent, curves=False):  # which may change yet
            run.log(row)
            logger.last_step_sent = int(row[STEP])
    return logger


def end(folder: RunFolder, failed: bool) -> None:
    """End the W&B run, if there is one; what the server does not take in time is left to `grok.sync`."""
    if wandb.run is None:
        return
    words = f"waiting for W&B to take the rest, at most {wandb_server.FINISH_PATIENCE:.0f} s"
    timer = threading.Timer(wandb_server.SILENCE, print, [words])
    timer.start()
    try:
        wandb.finish(exit_code=int(failed))
    except TimeoutError:
        why = f"the server did not take all within {wandb_server.FINISH_PATIENCE:.0f} s"
        folder.write_summary(wandb_mode=f"offline at the end ({why}; `python -m grok.sync` sends the rest)")
    finally:
        timer.cancel()
