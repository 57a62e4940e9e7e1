"""A Lightning logger on Trackio, which Lightning has none for."""

from argparse import Namespace
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger


class TrackioLogger(Logger):
    """Rows by optimizer step in Trackio's local database, or in a Space where TRACKIO_SPACE_ID names one.

    Args:
        project, name: as in `trackio.init`.
    """

    def __init__(self, project: str, name: str) -> None:
        super().__init__()
        self.trackio: Any = import_module("trackio")
        self._project, self._name = project, name
        self._run: Any = None
        self._settings: dict[str, Any] = {}

    @property
    def name(self) -> str:
        return self._project

    @property
    def version(self) -> str:
        return self._name

    @property
    def experiment(self) -> Any:
        """The open run of Trackio."""
        if self._run is None:
            self._run = self.trackio.init(project=self._project, name=self._name, config=self._settings)
        return self._run

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *_: Any, **__: Any) -> None:
        self._settings = dict(vars(params) if isinstance(params, Namespace) else params)

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self.experiment.log({name: float(value) for name, value in metrics.items()}, step=step)

    def log_pictures(self, files: Mapping[str, Path], step: int) -> None:
        """Show PNG files at a step."""
        if files:
            self.experiment.log({name: self.trackio.Image(str(file)) for name, file in files.items()}, step=step)

    def close(self) -> None:
        """End the run, once all that belongs to it was logged."""
        if self._run is not None:
            self._run.finish()
            self._run = None
