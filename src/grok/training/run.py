"""One run from its first step to its last, and what it writes of itself on the way."""

import signal
import time
from typing import Any

import torch
from omegaconf import OmegaConf
from rich.console import Console

from grok.loggers import wandb_logger
from grok.runs.configuration import flat_settings
from grok.runs.files import clear_leftovers, write_text
from grok.runs.heartbeat import heartbeat
from grok.runs.lock import locked
from grok.runs.provenance import provenance
from grok.runs.schedule import refuse_lost_rows
from grok.training import console as say
from grok.training.conclude import conclude_run
from grok.training.experiment import Experiment, absences
from grok.training.lit import DivergedError, Pairs
from grok.training.machine import busy_words, chosen_threads, device_name, exact_products, keep_memory


def train(experiment: Experiment, console: Console) -> dict[str, Any]:
    """Train to the end and return the summary. `ValueError` where another process works on the run."""
    with locked(experiment.folder.path):
        return _train(experiment, console)


def _train(experiment: Experiment, console: Console) -> dict[str, Any]:
    keep_memory()
    notes = _set_threads(experiment)
    torch.manual_seed(experiment.config.seed)  # of dropout; the network has its own generator
    began = time.perf_counter() - _earlier_seconds(experiment)
    _begin_folder(experiment)
    try:
        with (
            exact_products(experiment.trainer.strategy.root_device) as products,
            heartbeat(experiment.folder.heartbeat),
        ):
            _announce(experiment, console, products, notes)
            if not experiment.only_conclude:
                _fit(experiment, began)
            _conclude(experiment, console, began)
    finally:
        failed = experiment.folder.summary().get("status") not in ("finished", "interrupted")
        wandb_logger.end(experiment.folder, failed=failed)
    return experiment.folder.summary()


def _set_threads(experiment: Experiment) -> list[str]:
    """As configured, or by what is fastest here and now, which is frozen then: sums depend on it. In words, if any."""
    config, device = experiment.config, experiment.trainer.strategy.root_device
    words = ""
    if config.threads is None and device.type == "cpu" and not experiment.only_conclude:
        step = experiment.module.gradients(Pairs(*experiment.data.training))
        config.threads, words = chosen_threads(step)
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    return [words] if words else []


def _earlier_seconds(experiment: Experiment) -> float:
    """How long the run took before it was interrupted."""
    return float(experiment.folder.summary().get("wall_seconds", 0.0)) if experiment.config.resume else 0.0


def _begin_folder(experiment: Experiment) -> None:
    """Freeze the configuration, and drop what was measured after the checkpoint to go on from."""
    frozen = OmegaConf.merge(
        experiment.config, {"resume": None, "trust": False}
    )  # matters of this command, not of the run
    clear_leftovers(experiment.folder.path)
    experiment.folder.unseal()
    write_text(experiment.folder.config, OmegaConf.to_yaml(frozen, resolve=True))
    if experiment.config.resume and not experiment.only_conclude:
        is_fork = bool(experiment.config.ckpt_path)
        refuse_lost_rows(experiment.folder, experiment.module.schedule, experiment.measured_step, is_fork)
        experiment.folder.truncate_after(experiment.measured_step)


def _announce(experiment: Experiment, console: Console, products: str, threads: list[str]) -> None:
    """Say what will be trained: in the summary, on the console, to the loggers."""
    config, folder, device = experiment.config, experiment.folder, experiment.trainer.strategy.root_device
    made_with = provenance(device_name(device), torch.get_num_threads())
    status = "concluding" if experiment.only_conclude else "running"
    folder.write_summary(
        status=status, kept=[], **made_with, float32_products=products, identity=experiment.module.identity
    )
    found = experiment.data.all.structure
    if experiment.data.symbols:
        folder.write_summary(symbols=experiment.data.symbols)
    if words := found.words:
        folder.write_summary(
            group={"name": found.name, "words": words, "order": found.order, "blocks": found.basis.names}
        )
    notes = [*threads, *absences(experiment), *(busy_words(torch.get_num_threads()) if device.type == "cpu" else [])]
    say.announce(console, config, experiment.data, experiment.module, folder.summary(), notes)
    for logger in experiment.loggers:
        logger.log_hyperparams(flat_settings(config))


def _fit(experiment: Experiment, began: float) -> None:
    """All steps that are left; how they ended is in the summary, whatever ended them."""
    trainer, fit_began = experiment.trainer, time.perf_counter()
    status, reason = "failed", ""
    try:
        trainer.fit(experiment.module, experiment.data, ckpt_path=experiment.checkpoint, weights_only=True)
        status, reason = _ending(experiment)
    except DivergedError as error:
        status, reason = "diverged", str(error)
    except (KeyboardInterrupt, SystemExit):  # a second Ctrl-C, which Lightning makes the latter
        status, reason = "interrupted", signal.SIGINT.name
        raise KeyboardInterrupt from None
    finally:
        now = time.perf_counter()
        if experiment.folder.path.is_dir():  # else it was removed while the run trained, and is not made again
            experiment.folder.write_summary(
                status=status,
                ended=reason or None,
                steps=trainer.global_step,
                fit_seconds=now - fit_began,
                wall_seconds=now - began,
                steps_per_second=(trainer.global_step - experiment.checkpoint_step) / (now - fit_began),
            )


def _conclude(experiment: Experiment, console: Console, began: float) -> None:
    """Settle and say what the run came to. Killed here it stays `concluding`, and `resume` takes it up."""
    folder = experiment.folder
    folder.require_there(folder.config)
    try:
        conclusion = conclude_run(experiment, experiment.trainer.strategy.root_device)
        status = folder.summary()["status"]  # all that it comes to is on disk by now
        if status == "concluding":
            status = "finished"
        folder.seal(status=status, not_concluded=None, wall_seconds=time.perf_counter() - began)
        if conclusion:
            say.conclude_aloud(console, experiment.config, folder, conclusion)
    except Exception as error:
        if folder.summary()["status"] == "concluding":
            folder.write_summary(not_concluded=f"{type(error).__name__}: {error}")
        raise
    summary = folder.summary()
    words = say.closing_words(folder.path, summary["status"], summary["ended"])
    console.print(words, highlight=False, markup=False, soft_wrap=True)


def _ending(experiment: Experiment) -> tuple[str, str]:
    """Status of a run whose steps have ended in good order, and why they have."""
    callbacks = experiment.trainer.callbacks  # type: ignore[attr-defined]
    for received in (getattr(callback, "received", None) for callback in callbacks):
        if received:
            return "interrupted", received
    return (
        "concluding",
        "max_steps" if experiment.trainer.global_step >= experiment.config.trainer.max_steps else "stable",
    )
