"""Files that are damaged: every kind of file of a run, every kind of damage, every command that reads it."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pandas as pd

from drill.processes import Ended, forked
from drill.tiny import Reference
from drill.verdicts import (
    Do,
    Injection,
    LostError,
    UnclearError,
    Verdict,
    contents,
    require_same,
    require_untouched,
    require_words,
)

Damage = Callable[[Path, Random], None]
TABLES = ("metrics.csv", "spectra.csv", "final_keys.csv")
TEXTS = (*TABLES, "config.yaml", "summary.json")
FILES = (*TEXTS, "snapshots", "checkpoints")
READERS = {
    "analyze": ("figures=none", "output={scratch}/made"),
    "report": ("output={scratch}/made",),
    "status": (),
    "final_keys": (),
    "export": ("output={scratch}/made/network.safetensors",),
}
OF_SWEEPS = ("collect", "status", "report")


def injections(reference: Reference, random: Random, short: bool) -> Iterator[Injection]:
    """Each file with each damage, read by commands in turn and by a run that goes on."""
    readers = [*READERS, "resume"]
    cases = [(file, damage, reader) for file in FILES for damage in damages(file) for reader in readers]
    cases = random.sample(cases, 20 if short else len(cases) // 2)
    for file, damage, reader in cases:
        yield Injection("corruption", f"{file}: {damage}, then {reader}", _damaged(reference, file, damage, reader))
    if short:
        return
    reference.sweep  # noqa: B018 - made before faults are shared out among processes
    of_points = [(file, damage) for file in TEXTS for damage in damages(file)]
    for i, (file, damage) in enumerate(of_points):
        reader = OF_SWEEPS[i % len(OF_SWEEPS)]
        name = f"{file} of one point of a sweep: {damage}, then {reader}"
        yield Injection("corruption", name, _damaged_point(reference, file, damage, reader))


# --- damages


def damages(file: str) -> dict[str, Damage]:
    """What can happen to a file, by name."""
    found: dict[str, Damage] = {
        "one bit flipped": _flipped,
        "cut short": lambda path, random: _write(path, _read(path)[: random.randrange(1, len(_read(path)))]),
        "emptied": lambda path, random: _write(path, b""),
        "zeros": lambda path, random: _write(path, bytes(len(_read(path)))),
        "other bytes": lambda path, random: _write(path, random.randbytes(len(_read(path)))),
        "a folder in its place": _folder,
        "removed": lambda path, random: path.unlink(),
    }
    if file in TEXTS:
        found["null"] = lambda path, random: _write(path, b"null\n")
        found["in UTF-16"] = lambda path, random: _write(path, _read(path).decode().encode("utf-16"))
        found["a byte that is no UTF-8"] = _no_utf8
        found["a digit changed"] = _digit
        found["a line removed"] = lambda path, random: _lines(path, random, lambda lines, i: lines[:i] + lines[i + 1 :])
    if file in TABLES:
        found["a row doubled"] = lambda path, random: _lines(
            path, random, lambda lines, i: [*lines[: i + 1], *lines[i:]]
        )
        found["rows exchanged"] = _exchanged
        found["a value emptied"] = _emptied_value
        found["columns renamed"] = lambda path, random: _write(path, _read(path).replace(b"step", b"stop", 1))
    if file == "summary.json":
        found["a list"] = lambda path, random: _write(path, b"[]")
        found["very deep"] = lambda path, random: _write(path, b"[" * 100_000)
    if file == "config.yaml":
        found["a bomb"] = lambda path, random: _write(path, _bomb())
        found["a tag of Python"] = lambda path, random: _write(
            path, _read(path) + b"\nx: !!python/object/apply:os.system ['touch made_by_a_tag']\n"
        )
    if file in ("snapshots", "checkpoints"):
        found["another one of its kind"] = _another
    return found


def _read(path: Path) -> bytes:
    return path.read_bytes()


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _flipped(path: Path, random: Random) -> None:
    data = bytearray(_read(path))
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    _write(path, bytes(data))


def _folder(path: Path, random: Random) -> None:
    path.unlink()
    path.mkdir()


def _no_utf8(path: Path, random: Random) -> None:
    data = _read(path)
    place = random.randrange(len(data))
    _write(path, data[:place] + b"\xff" + data[place:])


def _digit(path: Path, random: Random) -> None:
    data = bytearray(_read(path))
    first = data.index(b"\n") if path.suffix == ".csv" else 0
    places = [i for i, letter in enumerate(data) if i > first and letter in b"0123456789"]
    place = random.choice(places)
    data[place] = random.choice([x for x in b"0123456789" if x != data[place]])
    _write(path, bytes(data))


def _lines(path: Path, random: Random, change: Callable[[list[bytes], int], list[bytes]]) -> None:
    lines = _read(path).splitlines(keepends=True)
    _write(path, b"".join(change(lines, random.randrange(1, len(lines)))))


def _exchanged(path: Path, random: Random) -> None:
    lines = _read(path).splitlines(keepends=True)
    i, j = random.sample(range(1, len(lines)), 2)
    lines[i], lines[j] = lines[j], lines[i]
    _write(path, b"".join(lines))


def _emptied_value(path: Path, random: Random) -> None:
    def change(lines: list[bytes], i: int) -> list[bytes]:
        values = lines[i].rstrip(b"\n").split(b",")
        values[random.choice([n for n, value in enumerate(values) if value])] = b""
        return [*lines[:i], b",".join(values) + b"\n", *lines[i + 1 :]]

    _lines(path, random, change)


def _bomb() -> bytes:
    levels = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    levels += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    return "\n".join(levels).encode()


def _another(path: Path, random: Random) -> None:
    others = [other for other in path.parent.iterdir() if other != path]
    shutil.copy(random.choice(others), path)


# --- what commands make of it


def _damaged(reference: Reference, file: str, damage: str, reader: str) -> Do:
    def do(scratch: Path, random: Random) -> Verdict:
        goes_on = reader == "resume"
        folder = reference.copy(reference.interrupted if goes_on else reference.ended, scratch / "run")
        if goes_on and file == "final_keys.csv":  # an interrupted run has none
            return Verdict("survived")
        undamaged = None if goes_on else _outcome(forked(_words(reader, folder, scratch), scratch), scratch)
        path = folder / file
        if path.is_dir():
            path = max(path.iterdir()) if goes_on else random.choice(sorted(path.iterdir()))
        damages(file)[damage](path, random)
        before = contents(folder)
        shutil.rmtree(scratch / "made", ignore_errors=True)
        ended = forked(_words(reader, folder, scratch), scratch)
        if (scratch / "made_by_a_tag").exists():
            raise LostError("code in the file was run")
        named = _names(path, ended, scratch)
        if ended.status != 0:
            require_words(ended, 2, 4)
            if not named:
                raise UnclearError(f"{path.name} is not named: {ended.err[-300:]}")
            require_untouched(folder, before)
            return Verdict("survived")
        require_words(ended, 0)
        if goes_on:
            if not named:
                require_same(folder, reference.ended)
            return Verdict("survived")
        if not named and _outcome(ended, scratch) != undamaged:
            raise LostError(f"other results, and nothing said of {path.name}")
        if reader != "final_keys":
            require_untouched(folder, before)
        return Verdict("survived")

    return do


def _damaged_point(reference: Reference, file: str, damage: str, reader: str) -> Do:
    """One damaged point never takes the rest of a sweep away."""

    def do(scratch: Path, random: Random) -> Verdict:
        sweep = reference.copy(reference.sweep, scratch / "sweep")
        words = [reader, str(sweep), *(["output={scratch}/made"] if reader == "report" else [])]
        words = [word.format(scratch=scratch) for word in words]
        undamaged = _outcome(forked(words, scratch), scratch)
        whole = pd.read_csv(sweep / "runs.csv").iloc[1:] if reader == "collect" else None
        point, *_ = sorted(file.parent for file in sweep.rglob("summary.json"))
        damages(file)[damage](point / file, random)
        before = contents(point)
        shutil.rmtree(scratch / "made", ignore_errors=True)
        ended = forked(words, scratch)
        require_words(ended, 0)
        require_untouched(point, before)
        if whole is not None:
            found = pd.read_csv(sweep / "runs.csv").iloc[1:]
            if not (found == whole).where(whole.notna(), found.isna()).all(axis=None):
                raise LostError("rows of other points are other ones")
        if _outcome(ended, scratch) != undamaged and not _names(point / file, ended, scratch):
            raise LostError(f"other results, and nothing said of {file}")
        return Verdict("survived")

    return do


def _words(reader: str, folder: Path, scratch: Path) -> list[str]:
    if reader == "resume":
        return ["train", f"resume={folder}"]
    return [reader, str(folder), *(setting.format(scratch=scratch) for setting in READERS[reader])]


def _names(path: Path, ended: Ended, scratch: Path) -> bool:
    """Whether the damaged file is named in what was said or made: by its name, or a snapshot by its step."""
    step = re.search(r"step_0*(\d+)\.", path.name)
    made = "".join(
        file.read_text(errors="replace") for file in (scratch / "made").rglob("*") if file.suffix in (".html", ".json")
    )
    said = " ".join((ended.said + made).split())
    by_step = bool(step) and bool(re.search(rf"\bstep {int(step[1]):,}\b|\bstep {step[1]}\b", said))  # type: ignore[index]
    as_configuration = path.name == "config.yaml" and "configuration of" in said
    return path.name in said or as_configuration or (by_step and "snapshot" in said)


def _outcome(ended: Ended, scratch: Path) -> object:
    """What a command said and made, without what differs from one time to the next."""
    made = {}
    if (scratch / "made").exists():
        for name, data in contents(scratch / "made").items():
            text = data.decode(errors="replace")
            made[name] = json.loads(text) if name.endswith(".json") else re.sub(r"\d\d:\d\d(:\d\d)?", "", text)
    return ended.status, re.sub(r"\d+(\.\d+)? (s|seconds|minutes?|hours?)\b", "", ended.out), made
