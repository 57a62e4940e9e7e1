"""What became of a fault, and how two run folders compare."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal

import torch

from drill.processes import Ended
from grok.runs.folder import RunFolder

SURVIVED, LOST, UNCLEAR = "survived", "lost", "unclear"
# What differs between two runs of one configuration: where, when and how fast.
OF_THE_OCCASION = {
    "checksum", "wall_seconds", "fit_seconds", "steps_per_second", "final_key_seconds", "started", "date", "command",
    "host", "peak_memory", "checksums", "commit",
}  # fmt: skip
LONGEST = 600  # letters of a sentence


@dataclass(frozen=True)
class Verdict:
    """How a fault ended, and why it did not end well."""

    what: Literal["survived", "lost", "unclear"]
    why: str = ""


Do = Callable[[Path, Random], Verdict]


@dataclass(frozen=True)
class Injection:
    """One fault: its family and name, and doing it in a scratch folder."""

    family: str
    name: str
    do: Do


class LostError(Exception):
    """A result changed, vanished, or cannot be had again."""


class UnclearError(Exception):
    """The user was not told in one sentence."""


def judged(injection: Injection, scratch: Path, random: Random) -> Verdict:
    """Do it; what the drill itself did wrong is unclear too."""
    try:
        return injection.do(scratch, random) or Verdict("survived")
    except LostError as why:
        return Verdict("lost", str(why))
    except UnclearError as why:
        return Verdict("unclear", str(why))
    except Exception as error:
        return Verdict("unclear", f"the drill: {type(error).__name__}: {error}")


def require_words(ended: Ended, *statuses: int) -> None:
    """`UnclearError` unless it ended with one of these statuses, without traceback, and with a sentence if not by 0."""
    heard = ended.err if ended.status in (2, 4) else ended.said
    words = " ".join(heard.split())[-LONGEST:]
    if ended.status is None:
        raise UnclearError(f"hung: {words or ended.out[-LONGEST:]}")
    if "Traceback (most recent call last)" in ended.said:
        raise UnclearError(f"exit status {ended.status}, traceback: {words}")
    if ended.status not in statuses:
        raise UnclearError(f"exit status {ended.status}, not {' or '.join(map(str, statuses))}: {words}")
    if ended.status > 1 and not words:
        raise UnclearError(f"exit status {ended.status}, and nothing said")


def require_same(folder: Path, reference: Path) -> None:
    """`LostError` unless a run came to what the undisturbed one came to, byte for byte."""
    one, other = RunFolder(folder), RunFolder(reference)
    for name in ("metrics.csv", "spectra.csv", "final_keys.csv"):
        if not (folder / name).exists() or (folder / name).read_bytes() != (reference / name).read_bytes():
            raise LostError(f"{name} is not the undisturbed run's")
    if list(one.snapshots()) != list(other.snapshots()):
        raise LostError(f"snapshots of steps {list(one.snapshots())}, not {list(other.snapshots())}")
    for step in one.snapshots():
        first, second = one.load_snapshot(step), other.load_snapshot(step)
        if any(not torch.equal(first[name], second[name]) for name in second):
            raise LostError(f"the snapshot of step {step} is not the undisturbed run's")
    if (said := _said(one)) != _said(other):
        differ = [name for name in {**said, **_said(other)} if said.get(name) != _said(other).get(name)]
        raise LostError(f"summary.json differs in {', '.join(differ)}")
    if one.summary().get("checksums", {}).keys() != other.summary()["checksums"].keys():
        raise LostError("it has not the checksums of a run that has ended")
    if left := [file.name for file in folder.rglob("*") if file.name.endswith(".part")]:
        raise LostError(f"left behind: {', '.join(left)}")


def _said(folder: RunFolder) -> dict[str, object]:
    summary = json.loads(json.dumps(folder.summary()))
    return {name: value for name, value in summary.items() if name not in OF_THE_OCCASION and value is not None}


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, by its path in it, but for locks and heartbeats."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and not file.name.startswith(".")]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def require_untouched(folder: Path, before: dict[str, bytes], besides: tuple[str, ...] = ()) -> None:
    """`LostError` unless every file that was in a folder is still there as it was."""
    after = contents(folder)
    for name, data in before.items():
        if not name.startswith(besides or ("\0",)) and after.get(name) != data:
            raise LostError(f"{name} {'was changed' if name in after else 'is gone'}")
