"""How fast is it, beside what others do and beside what this machine could do? `make bench`.

Everything is timed in turns, contestant by contestant and round by round, in processes that wait while
another works; a ratio is taken within its round, and the median of the rounds is given with their range.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from grok.tasks import splits

ROOT = Path(__file__).resolve().parents[1]
PRIMES = (31, 59, 113, 199, 401)
MAINLINE = 113
PAUSE = 0.2  # seconds between turns, in which threads of the last one stop spinning


class Worker:
    """A contestant in a process of its own."""

    def __init__(self, python: Path, module: str, *arguments: str, threads: int) -> None:
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed when the worker ends
        self.process = subprocess.Popen(
            [str(python), "-m", f"benchmarks.{module}", *arguments],
            cwd=ROOT,
            env=environment(threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        self.ready = self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            raise RuntimeError(f"{' '.join(map(str, self.process.args))} ended:\n{self.errors.read()}")  # type: ignore[arg-type]
        answer: dict[str, Any] = json.loads(line)
        return answer

    def begin(self, n: int) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{n}\n")
        self.process.stdin.flush()

    def answered(self) -> dict[str, Any]:
        return self._answer()

    def seconds(self, n: int) -> float:
        """How long n steps take now."""
        time.sleep(PAUSE)
        self.begin(n)
        return float(self.answered()["seconds"])

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
        self.errors.close()


def environment(threads: int) -> dict[str, str]:
    """Where modules are found and how many threads are used; W&B and the hub of models are not to be asked."""
    return {
        **os.environ,
        "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
        "OMP_NUM_THREADS": str(threads),
        "WANDB_MODE": "offline",
        "WANDB_SILENT": "true",
        "HF_HUB_OFFLINE": "1",
    }


def in_turns(workers: Mapping[str, Worker], rounds: int, turn_seconds: float) -> dict[str, list[float]]:
    """Seconds a step of each contestant in each round; a turn lasts about `turn_seconds`."""
    counts = {name: max(1, round(turn_seconds / worker.seconds(1))) for name, worker in workers.items()}
    times: dict[str, list[float]] = {name: [] for name in workers}
    names = list(workers)
    for i in range(rounds):
        for name in names[i % len(names) :] + names[: i % len(names)]:  # nobody always follows the same neighbour
            times[name].append(workers[name].seconds(counts[name]) / counts[name])
    return times


def spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def ratio(above: Sequence[float], below: Sequence[float]) -> dict[str, float]:
    """Of two contestants, round by round."""
    return spread([x / y for x, y in zip(above, below, strict=True)])


class Bench:
    """The choices of the command line, and the figures so far."""

    def __init__(self, arguments: argparse.Namespace, lens: Path | None) -> None:
        self.device: str = arguments.device
        self.threads: int = arguments.threads
        self.rounds: int = arguments.rounds
        self.turn: float = arguments.turn
        self.lens = lens
        self.figures: dict[str, Any] = {"machine": machine(self.device, self.threads), "date": str(date.today())}

    def start(self, contestant: str, p: int = MAINLINE, threads: int | None = None, **more: object) -> Worker:
        python, module, first = Path(sys.executable), "project", [contestant]
        if contestant == "transformer_lens":
            assert self.lens is not None
            python, module, first = self.lens, "transformer_lens_step", []
        options = {"p": p, "pairs": pairs(p), "device": self.device, **more}
        arguments = [x for name, value in options.items() for x in (f"--{name}", str(value))]
        return Worker(python, module, *first, *arguments, threads=threads or self.threads)

    def steps(self) -> None:
        """The mainline's training step, beside others' and the floor."""
        names = ["project", "floor", "paper_style"]
        names += ["tf32"] if self.device == "cuda" else []
        names += ["transformer_lens"] if self.lens else []
        with ExitStack() as stack:
            workers = {name: stack.enter_context(self.start(name)) for name in names}
            times = in_turns(workers, self.rounds, self.turn)
            self.figures["step"] = {
                name: {
                    "seconds": spread(times[name]),
                    "of_floor": ratio(times[name], times["floor"]),
                    "of_project": ratio(times[name], times["project"]),
                    "products": workers[name].ready.get("products"),
                }
                for name in names
            }

    def whole_run(self) -> None:
        """A run as the command starts it, and one measurement, in training steps."""
        steps = 40_000 if self.device == "cuda" else 200
        rounds = 3 if self.device == "cuda" else self.rounds
        with (
            self.start("whole_run") as run,
            self.start("project") as bare,
            self.start("measurement") as measurement,
        ):
            bare.seconds(20)
            run.seconds(100)
            rows = []
            for _ in range(rounds):
                fit = run.seconds(steps)
                rows.append((fit, bare.seconds(steps), measurement.seconds(5) / 5))
            fits, bares, measurements = zip(*rows, strict=True)
            self.figures["whole_run"] = {
                "steps": steps,
                "fit_seconds": spread(fits),
                "fit_of_bare_steps": ratio(fits, bares),
                "measurement_seconds": spread(measurements),
                "measurement_in_steps": ratio(measurements, [x / steps for x in bares]),
                "startup_seconds": run.ready["startup_seconds"],
            }

    def growth(self) -> None:
        """Time and memory by p."""
        rows = {}
        for p in PRIMES:
            names = ("project", "floor", "measurement")
            with ExitStack() as stack:
                workers = {name: stack.enter_context(self.start(name, p)) for name in names}
                times = in_turns(workers, min(self.rounds, 3), self.turn)
            with self.start("whole_run", p, every=2) as run:
                run.begin(4)
                peak = run.answered()["peak_bytes"]
            rows[p] = {
                "pairs": pairs(p),
                "step_seconds": spread(times["project"]),
                "step_of_floor": ratio(times["project"], times["floor"]),
                "measurement_seconds": spread(times["measurement"]),
                "measurement_in_steps": ratio(times["measurement"], times["project"]),
                "peak_bytes_of_a_run": peak,
            }
        self.figures["growth"] = rows

    def at_once(self) -> None:
        """Steps a second of k runs together, on one GPU or with the threads shared out."""
        ks = (1, 2, 4, 8) if self.device == "cuda" else tuple(k for k in (1, 2, 4, 8) if k <= self.threads)
        each: dict[int, list[float]] = {k: [] for k in ks}
        with ExitStack() as stack:
            pools = {
                k: [stack.enter_context(self.start("project", threads=max(1, self.threads // k))) for _ in range(k)]
                for k in ks
            }
            n = max(5, round(2 * self.turn / (pools[1][0].seconds(20) / 20)))
            for _ in range(min(self.rounds, 3)):
                for k, pool in pools.items():
                    time.sleep(PAUSE)
                    begin = time.perf_counter()
                    for worker in pool:
                        worker.begin(n)
                    for worker in pool:
                        worker.answered()
                    each[k].append(k * n / (time.perf_counter() - begin))
        self.figures["at_once"] = {
            k: {"steps_per_second": spread(each[k]), "of_one": ratio(each[k], each[1])} for k in ks
        }


def pairs(p: int) -> int:
    """How many pairs a run at p trains on."""
    return int(splits.train_mask(p, 0.3, 0).sum())


def machine(device: str, threads: int) -> str:
    """This machine in words."""
    if device == "cuda":
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    name = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        name = found[1] if found else name
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{name} ({capability}), {threads} threads, torch {torch.__version__}"


def number(x: float) -> str:
    """Three digits, and never an exponent."""
    return f"{x:,.0f}" if x >= 100 else f"{x:.3g}"


def times(figure: Mapping[str, float], unit: float = 1) -> str:
    """Median and range."""
    least, median, most = (number(figure[name] / unit) for name in ("least", "median", "most"))
    return f"{median} ({least}-{most})"


def milliseconds(seconds: Mapping[str, float]) -> str:
    """Median and range."""
    return times(seconds, 1e-3)


CONTESTANTS = {
    "project": "this project",
    "tf32": "this project, TF32",
    "paper_style": "plain, as the paper has it",
    "transformer_lens": "TransformerLens 3.9",
    "floor": "floor: its matrix products alone",
}


def show(figures: Mapping[str, Any], console: Console) -> None:
    """The figures as tables."""
    console.print(f"\n{figures['machine']}, {figures['date']}; median (range) of rounds taken in turns\n")
    if "step" in figures:
        table = Table("one training step, p = 113", "ms", "× floor", "× this project", "products by")
        for name, row in figures["step"].items():
            cells = milliseconds(row["seconds"]), times(row["of_floor"]), times(row["of_project"])
            table.add_row(CONTESTANTS[name], *cells, row["products"] or "torch's default")
        console.print(table)
    if "whole_run" in figures:
        run = figures["whole_run"]
        table = Table(f"{run['steps']:,} steps of a run, measured each 100, all callbacks and files", "")
        table.add_row("fit time, s", times(run["fit_seconds"]))
        table.add_row("fit time / bare steps", times(run["fit_of_bare_steps"]))
        table.add_row("one measurement, ms", milliseconds(run["measurement_seconds"]))
        table.add_row("one measurement, in steps", times(run["measurement_in_steps"]))
        table.add_row("before the first step, s", f"{run['startup_seconds']:.1f}")
        console.print(table)
    if "growth" in figures:
        table = Table("p", "pairs", "step, ms", "× floor", "measurement, ms", "in steps", "run's peak, GB")
        for p, row in figures["growth"].items():
            table.add_row(
                str(p),
                f"{row['pairs']:,}",
                milliseconds(row["step_seconds"]),
                times(row["step_of_floor"]),
                milliseconds(row["measurement_seconds"]),
                times(row["measurement_in_steps"]),
                f"{row['peak_bytes_of_a_run'] / 1e9:.2f}",
            )
        console.print(table)
    if "at_once" in figures:
        table = Table("runs at once", "steps/s together", "× one run")
        for k, row in figures["at_once"].items():
            table.add_row(str(k), times(row["steps_per_second"]), times(row["of_one"]))
        console.print(table)


SECTIONS = ("steps", "whole_run", "growth", "at_once")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="This project's speed, in ratios.")
    parser.add_argument("sections", nargs="*", help=f"of {', '.join(SECTIONS)}; all of them without any")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--turn", type=float, default=1.0, help="seconds that a contestant works in one round")
    parser.add_argument("--transformer-lens", type=Path, help="the Python of an environment that has it")
    arguments = parser.parse_args()
    unknown = set(arguments.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"sections must be of {', '.join(SECTIONS)}. Got {', '.join(sorted(unknown))}.")
    if arguments.json and not arguments.json.absolute().parent.is_dir():
        parser.error(f"--json must name a file in a folder that exists. Got {arguments.json}.")
    console = Console(width=None if sys.stdout.isatty() else 110)
    bench = Bench(arguments, arguments.transformer_lens)
    for section in arguments.sections or SECTIONS:
        with console.status(section.replace("_", " ")):
            getattr(bench, section)()
    show(bench.figures, console)
    if arguments.json:
        arguments.json.write_text(json.dumps(bench.figures, indent=1))


if __name__ == "__main__":
    main()
