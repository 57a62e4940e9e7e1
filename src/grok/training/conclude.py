"""The end of a run: what it came to, on disk, in pictures and at its loggers."""

import math
import time
from collections.abc import Callable
from typing import Any

import pandas as pd
import torch
from matplotlib.figure import Figure

from grok.figures import portrait, style, test_set
from grok.figures import run as run_figures
from grok.loggers.conclusion import give_conclusion
from grok.runs.conclusion import Conclusion, conclude
from grok.runs.folder import RunFolder, kept_steps
from grok.runs.opened import HISTORY_COLUMNS, OpenedRun
from grok.settings.figure_style import figure_style
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
    _thin_snapshots(folder, conclusion, config.snapshots.keep)
    if config.pictures:
        _draw(experiment, conclusion)
    for logger in experiment.loggers:
        give_conclusion(logger, folder)
    return conclusion


def _final_values(metrics: pd.DataFrame, curves: pd.DataFrame) -> dict[str, float | None]:
    """Every metric at the last measurement, by its name."""
    final = {str(name): _finite(value) for name, value in metrics.iloc[-1].items() if name not in ("step", "keys")}
    if len(curves):
        final |= {str(name): _finite(value) for name, value in curves.iloc[-1].items() if name != "step"}
    return final


def _thin_snapshots(folder: RunFolder, conclusion: Conclusion, keep: int | str) -> None:
    """Keep so many snapshots of a finished run; one that may yet go on keeps all."""
    if keep != "all" and folder.summary()["status"] in ("concluding", "finished"):
        events = [when for _, when in conclusion.events.items() if when]
        folder.thin_snapshots(kept_steps(list(folder.snapshots()), events, int(keep)))


def _draw(experiment: Experiment, conclusion: Conclusion) -> None:
    folder, title, p = experiment.folder, experiment.config.name, experiment.data.p
    phases = {name: when and list(when) for name, when in conclusion.events.items()}
    keys, metrics = conclusion.key_frequencies, folder.read(folder.metrics)
    spectra = OpenedRun(folder).spectra
    pictures: dict[str, Callable[[], Figure]] = {
        "progress": lambda: run_figures.progress_figure(metrics, conclusion.curves, phases, title, p),
    }
    if len(spectra):
        pictures["spectrum"] = lambda: run_figures.spectrum_figure(spectra, keys, title)
        pictures["spectra"] = lambda: run_figures.spectra_figure(spectra, keys, phases, title)
    if portrait.SPIKE in metrics:
        pictures["portrait"] = lambda: portrait.portrait_figure(metrics, phases, title)
    if test_set.has_mirrored(metrics):
        pictures["test_set"] = lambda: test_set.pairs_figure(metrics, phases, title, p)
    looks = figure_style(experiment.config)
    for name, picture in pictures.items():
        style.draw(looks, picture, folder.path / name)


def _finite(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None
