"""One run from its configuration to its end: trained, concluded, drawn, and what it says of itself."""

import math
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from hydra.errors import InstantiationException
from lightning import Trainer
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from grok.figures import portrait
from grok.figures import run as run_figures
from grok.loggers import wandb_logger
from grok.loggers.conclusion import give_conclusion
from grok.loggers.wandb_history import PICTURES
from grok.runs.conclusion import Conclusion, conclude
from grok.runs.configuration import flat_settings
from grok.runs.files import write_text
from grok.runs.folder import RunFolder, kept_steps
from grok.runs.opened import HISTORY_COLUMNS
from grok.runs.provenance import provenance
from grok.settings.quiet import quiet
from grok.training import console as say
from grok.training.experiment import Experiment, absences, assemble
from grok.training.lit import DivergedError
from grok.training.machine import device_name, exact_products, keep_memory


def train(experiment: Experiment, console: Console) -> dict[str, Any]:
    """Train to the end and return the summary."""
    keep_memory()
    if experiment.config.threads is not None:
        torch.set_num_threads(experiment.config.threads)
    with exact_products(experiment.trainer.strategy.root_device) as products, experiment.folder.alive():
        return _train(experiment, console, products)


def _train(experiment: Experiment, console: Console, products: str) -> dict[str, Any]:
    began = time.perf_counter()
    config, folder, module = experiment.config, experiment.folder, experiment.module
    trainer, loggers = experiment.trainer, experiment.loggers
    torch.manual_seed(config.seed)  # of dropout; the network has its own generator
    earlier = folder.summary().get("wall_seconds", 0.0) if config.resume else 0.0
    frozen = OmegaConf.merge(config, {"resume": None})  # a matter of this command, not of the run
    write_text(folder.config, OmegaConf.to_yaml(frozen, resolve=True))
    if config.resume:
        folder.truncate_after(experiment.measured_step)
    status, reason = "failed", None
    try:
        device = trainer.strategy.root_device
        folder.write_summary(
            status="running", **provenance(device_name(device), torch.get_num_threads()), float32_products=products
        )
        say.announce(console, config, experiment.data, module, folder.summary(), absences(experiment))
        for logger in loggers:
            logger.log_hyperparams(flat_settings(config))
        fit_began = time.perf_counter()
        try:
            trainer.fit(module, experiment.data, ckpt_path=experiment.checkpoint, weights_only=True)
            status, reason = _ending(trainer, config)
        except DivergedError as error:
            status, reason = "diverged", str(error)
        finally:
            fit_seconds = time.perf_counter() - fit_began
            steps = trainer.global_step
            folder.write_summary(
                status=status,
                ended=reason,
                steps=steps,
                fit_seconds=fit_seconds,
                wall_seconds=earlier + time.perf_counter() - began,
                steps_per_second=(steps - experiment.checkpoint_step) / fit_seconds,
            )
        conclusion = finish(experiment, device)
        folder.write_summary(wall_seconds=earlier + time.perf_counter() - began)
        if conclusion:
            say.conclude_aloud(console, config, folder, conclusion)
        console.print(f"{_closing_words(status, reason)}{folder.path}", highlight=False, soft_wrap=True)
    except Exception as error:
        if status == "finished":  # its last pass did not: going on takes it up again
            folder.write_summary(status="failed", ended=f"{type(error).__name__}: {error}")
        raise
    finally:
        wandb_logger.end(folder, failed=status in ("failed", "diverged"))
    return folder.summary()


def finish(experiment: Experiment, device: torch.device) -> Conclusion | None:
    """The final-key pass, the summary, pictures and what loggers get of them; None without measurements."""
    folder, config = experiment.folder, experiment.config
    metrics = folder.read(folder.metrics) if folder.metrics.exists() else None
    if metrics is None or not set(HISTORY_COLUMNS.values()) <= set(metrics.columns):
        return None
    began = time.perf_counter()
    conclusion = conclude(folder, device)
    final = {name: _finite(value) for name, value in metrics.iloc[-1].items() if name not in ("step", "keys")}
    if len(conclusion.curves):
        final |= {name: _finite(value) for name, value in conclusion.curves.iloc[-1].items() if name != "step"}
    folder.write_summary(**conclusion.summary(), final=final, final_key_seconds=time.perf_counter() - began)
    if config.snapshots.keep != "all" and folder.summary()["status"] == "finished":  # others may yet go on
        events = [when for _, when in conclusion.events.items() if when]
        folder.thin_snapshots(kept_steps(list(folder.snapshots()), events, config.snapshots.keep))
    if config.pictures:
        _draw(folder, conclusion, config.name)
    for logger in experiment.loggers:
        give_conclusion(logger, folder)
    return conclusion


def _draw(folder: RunFolder, conclusion: Conclusion, title: str) -> None:
    phases = {name: when and list(when) for name, when in conclusion.events.items()}
    files = {name: folder.path / f"{name}.png" for name in PICTURES}
    run_figures.progress_figure(folder.read(folder.metrics), conclusion.curves, phases, title, files["progress"])
    if portrait.SPIKE in folder.read(folder.metrics):
        portrait.portrait_figure(folder.read(folder.metrics), phases, title, files["portrait"])
    spectra = folder.read(folder.spectra)
    run_figures.spectrum_figure(spectra, conclusion.key_frequencies, title, files["spectrum"])
    run_figures.spectra_figure(spectra, conclusion.key_frequencies, phases, title, files["spectra"])


def _ending(trainer: Trainer, config: DictConfig) -> tuple[str, str]:
    received = [getattr(callback, "received", None) for callback in trainer.callbacks]  # type: ignore[attr-defined]
    if any(received):
        return "interrupted", next(filter(None, received))
    return "finished", "max_steps" if trainer.global_step >= config.trainer.max_steps else "stable"


def _closing_words(status: str, reason: str | None) -> str:
    return {
        "finished": "everything is in ",
        "interrupted": f"interrupted ({reason}); to go on: resume=",
        "diverged": f"{reason} The last good checkpoint and everything before are in ",
    }[status]


def _finite(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None


def execute(config: DictConfig) -> int:
    """Train what `config` describes, and say so; the exit status.

    0: finished · 1: diverged · 2: refused, in one sentence · 128 + n: ended by signal n.
    """
    console = Console()
    with quiet():
        try:
            experiment = assemble(config)
        except (ValueError, InstantiationException) as error:
            return refuse(error, config.folder)
        if config.extras.print_config:
            console.print(OmegaConf.to_yaml(config, resolve=True))
        try:
            summary = train(experiment, console)
        except KeyboardInterrupt:
            print(f"stopped at once; to go on from the last checkpoint: resume={config.folder}", file=sys.stderr)
            return 128 + signal.SIGINT
    if summary["status"] == "interrupted":
        return 128 + int(getattr(signal, summary["ended"]))
    return int(summary["status"] == "diverged")


def refuse(error: Exception, folder: str) -> int:
    sentence = str(error.__cause__ if isinstance(error, InstantiationException) and error.__cause__ else error)
    with suppress(OSError):
        Path(folder).rmdir()  # made by Hydra; stays where it holds anything
    print(sentence, file=sys.stderr)
    return 2
