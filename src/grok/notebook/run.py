"""A run in a notebook."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from grok.figures import run as run_figures
from grok.figures import test_set
from grok.figures.style import applied
from grok.networks.subject import of_run
from grok.notebook.network import FIGURES as OF_NETWORK
from grok.notebook.network import Network
from grok.pages.record import Record
from grok.runs.opened import OpenedRun
from grok.settings.figure_style import figure_style

OF_RUN = ("progress", "spectrum", "spectra", "test_set")
FIGURES = (*OF_RUN, *OF_NETWORK)


class Run(OpenedRun):
    """A run: its tables, events, networks, claims and figures. Files are read when they are asked for."""

    def __repr__(self) -> str:
        return f"Run({str(self.folder.path)!r})"

    @property
    def _record(self) -> Record:
        return Record.of(self.folder.path)

    @property
    def events(self) -> dict[str, tuple[int, int] | None]:
        """The interval of steps (after, at] of each event; None where it has not come."""
        return self._record.events

    @property
    def regime(self) -> str | None:
        """The kind of run it is, or would be if it ended now."""
        return self._record.regime

    @property
    def key_frequencies(self) -> list[int]:
        """The key frequencies of the final network, or of the last measurement."""
        return self._record.key_frequencies

    def examined(self, step: int | str = "last", key_frequencies: str | Sequence[int] | None = None) -> Network:
        """The network at a kept step as claims and figures see it, by the run's own rule or another."""
        rule = self.key_rule if key_frequencies is None else key_frequencies
        return Network(of_run(self, self.step(step)), rule, self.folder)

    def claims(self, step: int | str = "last", key_frequencies: str | Sequence[int] | None = None) -> pd.DataFrame:
        """A row a claim of the paper about the network at a kept step, as `python -m grok.analyze` writes them."""
        return self.examined(step, key_frequencies).claims()

    def figure(self, name: str, step: int | str = "last") -> Figure:
        """The picture called `name`, one of `FIGURES`; `step` is for those of one network."""
        if name not in FIGURES:
            raise ValueError(f"`name` must be one of {', '.join(FIGURES)}. Got {name!r}.")
        if name in OF_NETWORK:
            return self.examined(step).figure(name)
        with applied(figure_style(self.config)):
            return self._figure(name)

    def _figure(self, name: str) -> Figure:
        record = self._record
        title, found, metrics = record.name, record.key_frequencies, record.metrics
        if name == "progress":
            return run_figures.progress_figure(metrics, record.final_keys, record.events, title, record.p)
        if name == "test_set":
            if not test_set.has_mirrored(metrics):
                raise ValueError(f"The run must have measured mirrored pairs to draw {name!r}. {self!r} has none.")
            return test_set.pairs_figure(metrics, record.events, title, record.p)
        if "matrix" not in record.spectra:
            raise ValueError(f"The run must have a spectra.csv to draw {name!r}. {self.folder.path} has none.")
        if name == "spectrum":
            return run_figures.spectrum_figure(record.spectra, found, title)
        return run_figures.spectra_figure(record.spectra, found, record.events, title)
