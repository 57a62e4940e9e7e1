"""What a sweep prints while it runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from rich.console import Console

from grok.sweep.folder import Point, SweepFolder


class Report:
    """Prints lines, and keeps sweep.json up to date with what they say of points."""

    def __init__(self, folder: SweepFolder) -> None:
        self._folder, self._console = folder, Console()

    def print(self, words: str) -> None:
        """One line, however long."""
        self._console.print(words, highlight=False, soft_wrap=True, markup=False)

    @contextmanager
    def working(self, words: str) -> Iterator[Callable[[str], None]]:
        """Say on a terminal what is being done, until it is."""
        if not self._console.is_terminal:
            yield lambda _: None
            return
        with self._console.status(words) as status:
            yield status.update

    def point(self, point: Point, words: str) -> None:
        """What happened to a point."""
        self.print(f"{point}  {words}")
        self._folder.write(replace(self._folder.read(), points=self._folder.points()))
