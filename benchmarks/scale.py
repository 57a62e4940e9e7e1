"""What grows with the number of points of a sweep? `make bench scale`: tables for docs/performance.md.

Points here end at once: the frozen code that they run from is a stand-in that copies a real run of ten steps into
place. So what is timed is what stands around the runs: plan, start, controller, status, collect and report.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from grok.sweep.folder import SweepFolder

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "WANDB_MODE": "offline", "COLUMNS": "160"}
TINY = [
    "data.p=5", "data.train_fraction=0.6", "model.d_model=8", "model.n_heads=1", "model.d_mlp=16", "logger=none",
    "trainer.max_steps=10", "trainer.accelerator=cpu", "measure_every=5", "measure_early={every: 1, until: 2}",
    "pictures=false", "threads=1",
]  # fmt: skip
STAND_IN = """\
import shutil, sys
shutil.copytree(sys.argv[1].partition("/points/")[0] + "/template", sys.argv[2])
"""


class Taken(NamedTuple):
    """What a command took."""

    seconds: float
    cpu: float  # seconds of this process and those it waited for
    peak: float  # bytes


def command(door: str, *words: str) -> Taken:
    """Run a command to its end, in silence."""
    process = started(door, *words)
    began = time.perf_counter()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"grok.{door} {' '.join(words)} ended with {status}")
    return Taken(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


def started(door: str, *words: str) -> "subprocess.Popen[bytes]":
    arguments = [sys.executable, "-m", f"grok.{door}", *words]
    return subprocess.Popen(arguments, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def sweep_words(n: int, folder: Path) -> list[str]:
    """The command of a sweep of n points."""
    return ["-m", *TINY, "optim.wd=0,1", f"replicate={','.join(map(str, range(n // 2)))}", f"sweep={folder}"]


def to_the_first_point(n: int, folder: Path) -> Taken:
    """From the command to the first point's process; the sweep is then told to end."""
    process, began = started("train", *sweep_words(n, folder)), time.perf_counter()
    while not (folder / "output/000.txt").exists():
        if process.poll() is not None:
            raise RuntimeError(f"the sweep ended with {process.returncode}")
        time.sleep(0.02)
    seconds = time.perf_counter() - began
    process.send_signal(signal.SIGTERM)
    _, _, used = os.wait4(process.pid, 0)
    return Taken(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


def stand_in(folder: Path, template: Path) -> None:
    """Have the points of a sweep be copies of one run, and take up again those that were told to end."""
    sweep = SweepFolder(folder)
    (point, *_) = sweep.read().points
    shutil.copytree(template, folder / "template")
    package = sweep.code_folder(point) / "src/grok/sweep"
    shutil.rmtree(sweep.code_folder(point))
    package.mkdir(parents=True)
    for name in ("grok/__init__.py", "grok/sweep/__init__.py"):
        (sweep.code_folder(point) / "src" / name).touch()
    (package / "point.py").write_text(STAND_IN)
    for left in (folder / "runs", folder / "output"):
        shutil.rmtree(left, ignore_errors=True)


def controller(folder: Path) -> Taken:
    """Run all points by the controller, without its imports: in a process of its own."""
    code = (
        "import sys, time, json, resource\n"
        "from grok.sweep.batch import Batch\n"
        "from grok.sweep.folder import SweepFolder\n"
        "from grok.sweep.pool import Slot\n"
        "from grok.sweep.report import Report\n"
        "folder = SweepFolder(sys.argv[1])\n"
        "began, cpu = time.perf_counter(), time.process_time()\n"
        "Batch(folder, folder.points(), [Slot(None, 1)] * 2, Report(folder)).run()\n"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        "print(json.dumps([time.perf_counter() - began, time.process_time() - cpu, peak]))\n"
    )
    arguments = [sys.executable, "-c", code, str(folder)]
    done = subprocess.run(arguments, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    return Taken(*json.loads(done.stdout.splitlines()[-1]))


def scale(n: int, template: Path, folder: Path) -> dict[str, str]:
    """One column of the table."""
    figures: dict[str, str] = {}
    plan = command("train", *sweep_words(n, folder / "plan"), "+dry_run=true")
    figures["dry run, s"] = f"{plan.seconds:.1f}"
    figures["dry run, s of CPU"] = f"{plan.cpu:.1f}"
    start = to_the_first_point(n, folder)
    figures["command to first point, s"] = f"{start.seconds:.1f}"
    figures["memory of that command, MB"] = f"{start.peak / 1e6:.0f}"
    stand_in(folder, template)
    run = controller(folder)
    figures["controller, ms of CPU a point"] = f"{1e3 * run.cpu / n:.1f}"
    figures["controller, s in all, two at once"] = f"{run.seconds:.0f}"
    for door, words in {"status": ["live=false"], "collect": [], "report": []}.items():
        taken = command(door, str(folder), *words)
        figures[f"{door}, s"] = f"{taken.seconds:.1f}"
        figures[f"{door}, s of CPU"] = f"{taken.cpu:.1f}"
    figures["memory of report, MB"] = f"{taken.peak / 1e6:.0f}"
    figures["the page, MB"] = f"{(folder / 'report.html').stat().st_size / 1e6:.1f}"
    return figures


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description="What grows with the points.")
    parser.add_argument("points", nargs="*", type=int, default=[10, 100, 1000], help="numbers of points, each even")
    numbers = parser.parse_args().points
    console = Console(width=None if sys.stdout.isatty() else 110)
    with tempfile.TemporaryDirectory() as root:
        command("train", *sweep_words(2, Path(root, "template")))
        template = Path(root, "template") / SweepFolder(Path(root, "template")).read().points[0].run
        columns = {n: scale(n, template, Path(root, str(n))) for n in numbers}
    table = Table("a sweep of points that end at once", *(f"{n:,}" for n in columns))
    for name in next(iter(columns.values())):
        table.add_row(name, *(column[name] for column in columns.values()))
    console.print(table)


if __name__ == "__main__":
    main()
