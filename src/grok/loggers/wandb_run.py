"""An open W&B run: what it holds of a training run already, and the conclusion it is given at the end."""

from collections.abc import Mapping
from typing import Any

import wandb

from grok.loggers.wandb_history import STEP, LastSent, curves_of, final_keys, pictures
from grok.runs.folder import RunFolder
from grok.settings.checks import is_number


def last_sent(run: wandb.Run, folder: RunFolder) -> LastSent:
    """What a resumed run says it holds; curves by other key frequencies than now do not count."""
    summary: Mapping[str, Any] = dict(run.summary)
    step = summary.get(STEP, -1)  # {"max": …}, or a number from a run of an earlier version
    same_keys = summary.get("keys/final") == final_keys(folder)
    return LastSent(
        int(step if is_number(step) else step["max"]),
        int(summary.get("keys/final_until", -1)) if same_keys else -1,
    )


def define_steps(run: wandb.Run, folder: RunFolder) -> LastSent:
    """Make the optimizer step the x axis of everything; what the run holds already.

    The summary keeps the largest step, which is read first: defining it anew starts it from 0.
    """
    already = last_sent(run, folder)
    run.define_metric(STEP, summary="max")
    run.define_metric("*", step_metric=STEP, step_sync=True)
    return already


def log_conclusion(run: wandb.Run, folder: RunFolder) -> None:
    """Regime, events, final key frequencies and pictures, as far as the folder has them."""
    summary, curves = folder.summary(), curves_of(folder)
    if "phases" not in summary:
        return
    run.config.update({"regime": summary["regime"]}, allow_val_change=True)  # type: ignore[no-untyped-call]
    run.summary.update({f"events/{name}": when and when[1] for name, when in summary["phases"].items()})
    run.summary.update({"status": summary["status"]})
    if len(curves):
        run.summary.update({"keys/final": final_keys(folder), "keys/final_until": int(curves["step"].iloc[-1])})
    files = pictures(folder)
    if files:
        images = {name: wandb.Image(str(file)) for name, file in files.items()}
        run.log({**images, STEP: int(folder.read(folder.metrics)["step"].iloc[-1])})
