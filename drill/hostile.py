"""Folders and files of a stranger: they run no code, lead out of nowhere, and fill no memory."""

import json
import os
import pickle
import re
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import torch

from drill.processes import finished, forked, started
from drill.tiny import Reference
from drill.verdicts import Do, Injection, LostError, UnclearError, Verdict, require_words

READERS = ("analyze", "report", "status", "final_keys", "export", "sync", "resume")
MEMORY = 12 << 30  # bytes of addresses; torch alone takes four
SLOW = 60.0  # seconds
SCRIPT = "<script>alert(1)</script>"
TARGETS = ("os.system", "subprocess.call", "builtins.eval", "runpy.run_path", "posix.system", "torch.load")


def injections(reference: Reference, random: Random, short: bool) -> Iterator[Injection]:
    """What a folder can hold that should not be believed, each read by commands."""
    readers = READERS if not short else ("analyze", "resume")
    config = reference.ended / "config.yaml"
    lines = [i for i, line in enumerate(config.read_text().splitlines()) if "_target_" in line]
    for i in lines if not short else lines[:2]:
        target, reader = random.choice(TARGETS), random.choice(readers)
        yield Injection(
            "hostile",
            f"line {i + 1} of the configuration names {target}, {reader}",
            _target(reference, i, target, reader),
        )
    for what, change in CHANGES.items() if not short else list(CHANGES.items())[:4]:
        for reader in readers:
            yield Injection("hostile", f"{what}, {reader}", _changed(reference, change, reader))
    for name in ("a checkpoint", "a network"):
        for argument in ("analyze", "import_run", "ckpt_path") if not short else ("analyze",):
            yield Injection(
                "hostile", f"{name} that runs code when it is read, {argument}", _pickled(reference, argument, name)
            )
    for reader in () if short else ("status", "report", "analyze"):
        yield Injection("hostile", f"modules in the folder one stands in, {reader}", _modules(reference, reader))


class _Runs:
    """Runs code where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.mark}'",)


def _mark(scratch: Path) -> Path:
    return scratch / "made by the file"


def _require_kept_out(scratch: Path, outside: Path) -> None:
    if _mark(scratch).exists():
        raise LostError("code in the file was run")
    if outside.exists() and (left := sorted(x.name for x in outside.iterdir()) if outside.is_dir() else []) != ["kept"]:
        raise LostError(f"outside the folder there is now {left}")
    if outside.exists() and (outside / "kept").read_text() != "kept":
        raise LostError("a file outside the folder was changed")


def _read(reference: Reference, folder: Path, reader: str, scratch: Path) -> Verdict:
    outside = scratch / "outside"

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    words = ["train", f"resume={folder}", "trainer.max_steps=70"] if reader == "resume" else [reader, str(folder)]
    if reader in ("analyze", "report"):
        words.append(f"output={scratch}/made")
    ended = forked(words, scratch, limited)
    require_words(ended, 0, 2, 4)
    _require_kept_out(scratch, outside)
    if "\x1b" in ended.said:
        raise UnclearError("the file's control characters reach the terminal")
    if ended.seconds > SLOW:
        raise UnclearError(f"it took {ended.seconds:.0f} s")
    for page in (scratch / "made").rglob("*.html"):
        text = page.read_text()
        if "<script>alert" in text or re.search(r"href=.?javascript:", text):
            raise LostError("the page runs what the file says")
    return Verdict("survived")


def _target(reference: Reference, line: int, target: str, reader: str) -> Do:
    def do(scratch: Path, random: Random) -> Verdict:
        folder = reference.copy(reference.ended, scratch / "run")
        lines = (folder / "config.yaml").read_text().splitlines()
        indent = lines[line][: len(lines[line]) - len(lines[line].lstrip())]
        lines[line] = f"{indent}_target_: {target}\n{indent}_args_: [\"touch '{_mark(scratch)}'\"]"
        (folder / "config.yaml").write_text("\n".join(lines) + "\n")
        return _read(reference, folder, reader, scratch)

    return do


# --- what else a folder can hold


def _edit(folder: Path, old: str, new: str) -> None:
    file = folder / "config.yaml"
    file.write_text(re.sub(old, lambda _: new, file.read_text(), count=1, flags=re.MULTILINE))


def _summary(folder: Path, **values: object) -> None:
    file = folder / "summary.json"
    said = json.loads(file.read_text()) | values
    said.pop("checksum", None)
    file.write_text(json.dumps(said))


def _link(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        outside = folder.parent / "outside"
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
            path.symlink_to(outside)
        else:
            path.unlink(missing_ok=True)
            path.symlink_to(outside / "kept")

    return change


def _sparse(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        path = max(path.iterdir()) if path.is_dir() else path
        os.truncate(path, 50 << 30)

    return change


CHANGES: dict[str, Callable[[Path], object]] = {
    "an operation of one's own": lambda folder: _edit(folder, r"operation: .*$", "operation: os.system"),
    "terminal escapes in a name": lambda folder: _edit(folder, r"^name: .*$", 'name: "\\x1b]0;owned\\x07\\x1b[31mred"'),
    "snapshots that are a link": _link("snapshots"),
    "a table that is a link": _link("metrics.csv"),
    "checkpoints that are a link": _link("checkpoints"),
    "final keys that are a link": _link("final_keys.csv"),
    "a summary that is a link": _link("summary.json"),
    "a lock that is a link": _link(".lock"),
    "p of ten million": lambda folder: _edit(folder, r"^  p: .*$", "  p: 10000000"),
    "a million layers": lambda folder: _edit(folder, r"^  n_layers: .*$", "  n_layers: 1000000"),
    "a width of a billion": lambda folder: _edit(folder, r"^  d_model: .*$", "  d_model: 1000000000"),
    "a script in a name": lambda folder: _edit(folder, r"^name: .*$", f'name: "{SCRIPT}"'),
    "a script in the summary": lambda folder: _summary(folder, ended=SCRIPT, regime=SCRIPT),
    "a link that is code": lambda folder: _summary(folder, wandb_url="javascript:alert(1)"),
    "a checkpoint of 50 GB": _sparse("checkpoints"),
    "a snapshot of 50 GB": _sparse("snapshots"),
    "a table of 50 GB": _sparse("metrics.csv"),
    "a summary of 50 GB": _sparse("summary.json"),
    "a configuration of 50 GB": _sparse("config.yaml"),
    "deep YAML": lambda folder: (folder / "config.yaml").write_text("a: " + "[" * 50_000),
    "very long numbers": lambda folder: _edit(folder, r"^seed: .*$", "seed: " + "9" * 5000),
    "a folder that is elsewhere": lambda folder: _edit(folder, r"^folder: .*$", f"folder: {folder.parent}/outside"),
    "interpolations": lambda folder: _edit(folder, r"^name: .*$", "name: ${oc.env:HOME}"),
}


def _changed(reference: Reference, change: Callable[[Path], object], reader: str) -> Do:
    def do(scratch: Path, random: Random) -> Verdict:
        folder = reference.copy(reference.ended, scratch / "run")
        outside = scratch / "outside"
        outside.mkdir()
        (outside / "kept").write_text("kept")
        change(folder)
        return _read(reference, folder, reader, scratch)

    return do


def _pickled(reference: Reference, argument: str, name: str) -> Do:
    def do(scratch: Path, random: Random) -> Verdict:
        file = scratch / "stranger.pth"
        if name == "a checkpoint":
            torch.save({"state_dict": {"w": torch.ones(2)}, "since_measurement": _Runs(_mark(scratch))}, file)
        else:
            file.write_bytes(pickle.dumps(_Runs(_mark(scratch))))
        words = ["train", f"ckpt_path={file}", f"hydra.run.dir={scratch}/run"] if argument == "ckpt_path" else []
        ended = forked(words or [argument, str(file), f"output={scratch}/made"], scratch)
        require_words(ended, 0, 2)
        _require_kept_out(scratch, scratch / "outside")
        return Verdict("survived")

    return do


def _modules(reference: Reference, reader: str) -> Do:
    def do(scratch: Path, random: Random) -> Verdict:
        folder = reference.copy(reference.ended, scratch / "run")
        for name in ("torch", "callbacks", "yaml", "json", "sitecustomize", "pandas"):
            (folder / f"{name}.py").write_text(f"open({str(_mark(scratch))!r}, 'w')\n")
        ended = finished(started([reader, ".", *([f"output={scratch}/made"] if reader != "status" else [])], folder))
        require_words(ended, 0, 2)
        _require_kept_out(scratch, scratch / "outside")
        return Verdict("survived")

    return do
