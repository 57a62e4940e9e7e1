"""`make drill`: `python -m drill [--seed N] [--short] [--only FAMILY …] [--json FILE] [--keep]`."""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
import warnings
from pathlib import Path
from random import Random

import pandas as pd
import torch
from rich.console import Console
from rich.table import Table

from drill import corruption, disk, hostile, kills, signals, sweeps, typed, wandb_faults
from drill.tiny import Reference
from drill.verdicts import Injection, judged

FAMILIES = {
    "kills": kills,
    "signals": signals,
    "disk": disk,
    "corruption": corruption,
    "hostile": hostile,
    "input": typed,
    "sweeps": sweeps,
    "wandb": wandb_faults,
}


def main() -> int:
    """Do all faults, and say what became of them; 1 where one was lost or unclear."""
    parser = argparse.ArgumentParser(prog="drill", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--short", action="store_true", help="some of each family, in under two minutes")
    parser.add_argument("--only", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--match", default="", help="faults whose name holds this alone")
    parser.add_argument("--json", type=Path, help="write every fault and what became of it to this file")
    parser.add_argument("--csv", type=Path, help="add how many of each family became what to this file")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="faults at a time")
    parser.add_argument("--keep", action="store_true", help="leave the folders of what did not survive")
    told = parser.parse_args()
    print(f"seed {told.seed}", flush=True)
    torch.set_num_threads(1)  # a process that is forked from has no threads
    warnings.filterwarnings("ignore", message=".*cut short")  # which it is, of a run that was killed
    os.environ["WANDB_MODE"] = "offline"
    os.environ.pop("WANDB_API_KEY", None)
    began = time.monotonic()
    place = Path(tempfile.mkdtemp(prefix="drill"))
    try:
        reference = Reference(place / "reference")
        found = _injections(reference, told.seed, told.short, told.only, told.match)
        _work(found, place, told.seed, told.processes)
        results = [json.loads(line) for line in (place / "results").read_text().splitlines()]
    finally:
        if not told.keep:
            shutil.rmtree(place, ignore_errors=True)
    seconds = time.monotonic() - began
    table = _counted(results)
    _show(table, told.seed, seconds)
    if told.csv:
        table.insert(0, "seed", told.seed)
        table.assign(drill_seconds=round(seconds)).to_csv(told.csv, mode="a", header=not told.csv.exists(), index=False)
    if told.json:
        told.json.write_text(json.dumps({"seed": told.seed, "faults": results}, indent=1) + "\n")
    return int(any(result["became"] != "survived" for result in results) or len(results) != len(found))


def _injections(reference: Reference, seed: int, short: bool, families: list[str], match: str) -> list[Injection]:
    found = []
    for name in families:
        found += FAMILIES[name].injections(reference, Random(f"{seed} {name}"), short)
    return [injection for injection in found if match in injection.name]


def _work(injections: list[Injection], place: Path, seed: int, processes: int) -> None:
    """Several at a time, each process taking the next that nobody has taken."""
    (place / "taken").mkdir(parents=True)
    (place / "results").touch()
    workers = []
    for _ in range(processes):
        pid = os.fork()
        if pid == 0:
            break
        workers.append(pid)
    else:
        for pid in workers:
            os.waitpid(pid, 0)
        return
    for i, injection in enumerate(injections):
        try:
            (place / "taken" / str(i)).mkdir()
        except FileExistsError:
            continue
        scratch = place / f"fault {i}"
        scratch.mkdir()
        began = time.monotonic()
        verdict = judged(injection, scratch, Random(f"{seed} {injection.family} {injection.name}"))
        result = {
            "family": injection.family,
            "fault": injection.name,
            "became": verdict.what,
            "why": verdict.why,
            "seconds": round(time.monotonic() - began, 2),
        }
        with (place / "results").open("a") as out:
            out.write(json.dumps(result) + "\n")
        if verdict.what == "survived":
            shutil.rmtree(scratch, ignore_errors=True)
        else:
            words = f"{verdict.what}: {injection.family}, {injection.name}: {verdict.why}\n  in {scratch}"
            os.write(1, (words + "\n").encode())
    os._exit(0)


def _counted(results: list[dict[str, str]]) -> pd.DataFrame:
    """A row a family: how many faults were injected, and what became of them."""
    found = pd.DataFrame(results)
    became = {what: found["became"] == what for what in ("survived", "lost", "unclear")}
    counted = pd.DataFrame({"family": found["family"], "injected": 1, **became})
    return counted.groupby("family", sort=False).sum().astype(int).reset_index()


def _show(counted: pd.DataFrame, seed: int, seconds: float) -> None:
    table = Table(*counted.columns, title=f"seed {seed}, {seconds:.0f} s")
    for row in counted.itertuples(index=False):
        table.add_row(*map(str, row))
    table.add_section()
    table.add_row("all", *map(str, counted.drop(columns="family").sum()))
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
