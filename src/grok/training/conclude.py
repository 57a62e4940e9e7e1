"""The end of a run: what it came to, on disk, in pictures and at its loggers."""

import math
import time
from typing import Any

import pandas as pd
import torch
from omegaconf import DictConfig

from grok.figures import portrait
from grok.figures import run as run_figures
from grok.loggers.conclusion import give_conclusion
from grok.loggers.wandb_history import PICTURES
from grok.runs.conclusion import Conclusion, conclude
from grok.runs.folder import RunFolder, kept_steps
from grok.runs.opened import HISTORY_COLUMNS
from grok.training.experiment import Experiment


def conclude_run(experiment: Experiment, device: torch.device) -> Conclusion | None:
    """Settle what the run came to: final-key pass, summary, snapshots, pictures, loggers; None without measurements."""
    folder, config = experiment.folder, experiment.config
    metrics = folder.read(folder.metrics) if folder.metrics.exists() else None
    if metrics is None or not set(HISTORY_COLUMNS.values()) <= set(metrics.columns):
        return None
    began = time.perf_counter()
    conclusion = conclude(folder, device, trust=True)
    final = _final_values(metrics, conclusion.curves)
    folder.write_summary(**conclusion.summary(), final=final, final_key_seconds=time.perf_counter() - began)
    _thin_snapshots(folder, conclusion, config.snapshots)
    if config.pictures:
        _draw(folder, conclusion, config.name)
    for logger in experiment.loggers:
        give_conclusion(logger, folder)
    return conclusion


def _final_values(metrics: pd.DataFrame, curves: pd.DataFrame) -> dict[str, float | None]:
    """Every metric at the last measurement, by its name."""
    final = {str(name): _finite(value) for name, value in metrics.iloc[-1].items() if name not in ("step", "keys")}
    if len(curves):
        final |= {str(name): _finite(value) for name, value in curves.iloc[-1].items() if name != "step"}
    return final


def _thin_snapshots(folder: RunFolder, conclusion: Conclusion, settings: DictConfig) -> None:
    """Keep so many snapshots of a finished run, more of them from T1 to G; one that may yet go on keeps all."""
    if settings.keep == "all" or folder.summary()["status"] not in ("concluding", "finished"):
        return
    steps, found = list(folder.snapshots()), conclusion.events
    dense = None
    if found.memorization_end:
        dense = (found.memorization_end[0], found.generalized[1] if found.generalized else steps[-1])
    events = [when for _, when in found.items() if when]
    folder.thin_snapshots(kept_steps(steps, events, int(settings.keep), dense, settings.at))


def _draw(folder: RunFolder, conclusion: Conclusion, title: str) -> None:
    phases = {name: when and list(when) for name, when in conclusion.events.items()}
    files = {name: folder.path / f"{name}.png" for name in PICTURES}
    run_figures.progress_figure(folder.read(folder.metrics), conclusion.curves, phases, title, files["progress"])
    if portrait.SPIKE in folder.read(folder.metrics):
        portrait.portrait_figure(folder.read(folder.metrics), phases, title, files["portrait"])
    spectra = folder.read(folder.spectra)
    run_figures.spectrum_figure(spectra, conclusion.key_frequencies, title, files["spectrum"])
    run_figures.spectra_figure(spectra, conclusion.key_frequencies, phases, title, files["spectra"])


def _finite(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None
