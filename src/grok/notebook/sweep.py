"""A sweep in a notebook."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from grok.figures import sweep as sweep_figures
from grok.figures.style import applied
from grok.figures.sweep_curves import curves_figure
from grok.notebook.run import Run
from grok.settings.figure_style import figure_style
from grok.sweep.folder import SweepFolder
from grok.sweep.table import a_configuration, axes, sweep_table, swept

FIGURES = ("curves", "events", "phase_diagram")


class Runs(Mapping[int, Run]):
    """The runs of a sweep by the number of their point; each is opened when it is asked for."""

    def __init__(self, folder: SweepFolder) -> None:
        self._folders = {point.number: folder.run_folder(point) for point in folder.read().points}

    def __getitem__(self, number: int) -> Run:
        return Run(self._folders[number])

    def __iter__(self) -> Iterator[int]:
        return iter(self._folders)

    def __len__(self) -> int:
        return len(self._folders)


class Sweep:
    """A sweep: its table, runs and figures.

    Args:
        path: its folder. `ValueError` if it is that of no sweep.
    """

    def __init__(self, path: str | Path) -> None:
        self.folder = SweepFolder(path)
        self.folder.read()

    def __repr__(self) -> str:
        return f"Sweep({str(self.folder.path)!r})"

    @property
    def table(self) -> pd.DataFrame:
        """A row a point, as `python -m grok.collect` writes them to runs.csv."""
        return sweep_table(self.folder.path)

    @property
    def runs(self) -> Runs:
        """The runs by the number of their point."""
        return Runs(self.folder)

    def figure(self, name: str, x: str | None = None, y: str | None = None, colour: str | None = None) -> Figure:
        """The picture called `name`, one of `FIGURES`; settings are chosen as by `python -m grok.collect`."""
        if name not in FIGURES:
            raise ValueError(f"`name` must be one of {', '.join(FIGURES)}. Got {name!r}.")
        table = self.table
        varying = swept(table)
        over = axes(varying, x, y, colour)
        with applied(figure_style(a_configuration(self.folder.path))):
            return self._figure(name, table, varying, over)

    def _figure(self, name: str, table: pd.DataFrame, varying: list[str], over: dict[str, str | None]) -> Figure:
        if name == "curves":
            return curves_figure(self.folder.path, table, varying, over["colour"])
        wanted = [over["x"]] if name == "events" else [over["x"], over["y"]]
        chosen = [setting for setting in wanted if setting]
        if len(chosen) < len(wanted):
            raise ValueError(
                f"A sweep must vary {len(wanted)} settings, besides seeds, to draw {name!r}."
                f" {self.folder.path} varies {', '.join(varying) or 'none'}."
            )
        others = [setting for setting in varying if setting not in chosen]
        if name == "events":
            return sweep_figures.events_figure(table, chosen[0], others)
        return sweep_figures.phase_diagram(table, chosen[0], chosen[1], others)
