"""The code and configuration of a sweep as they were when it was submitted: what was submitted is what runs.

A queue may start a point hours later; what is edited until then must not reach it.
"""

import hashlib
import importlib.util
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grok.runs.provenance import COMMIT_FILE, commit
from grok.settings import places


@dataclass(frozen=True)
class FrozenCode:
    """One state of src/grok and callbacks/."""

    hash: str
    commit: str | None  # with + where files differ from it


def _packages() -> dict[str, Path]:
    spec = importlib.util.find_spec("callbacks")
    return {"src/grok": Path(__file__).parents[1], "callbacks": Path(spec.origin).parent}  # type: ignore[union-attr, arg-type]


def _files(package: Path) -> list[Path]:
    return sorted(file for file in package.rglob("*") if file.is_file() and "__pycache__" not in file.parts)


def present_code() -> FrozenCode:
    """The code that this process was started from, as it is on disk now."""
    digest = hashlib.sha256()
    for name, package in _packages().items():
        for file in _files(package):
            digest.update(f"{name}/{file.relative_to(package)}\0".encode() + file.read_bytes() + b"\0")
    return FrozenCode(digest.hexdigest()[:16], commit())


def freeze(code: FrozenCode, folder: Path) -> None:
    """Copy src/grok, callbacks/ and conf/ into `folder`, unless they are there. `ValueError` where it holds others."""
    if folder.exists():
        for compiled in folder.rglob("__pycache__"):
            shutil.rmtree(compiled, ignore_errors=True)
        if differing_files(folder) or _strays(folder):
            raise ValueError(f"The code that points run from was edited since it was frozen. Remove {folder}.")
        return
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    for name, source in {**_packages(), "conf": places.conf_folder()}.items():
        shutil.copytree(source, part / name, ignore=shutil.ignore_patterns("__pycache__"))
    (part / COMMIT_FILE).write_text(code.commit or "")
    part.rename(folder)


def _strays(folder: Path) -> list[Path]:
    """Files beside those that `freeze` writes, which a process that runs from `folder` might import."""
    known = [folder / name for name in (*_packages(), "conf")]
    files = (file for file in folder.rglob("*") if file.is_file() or file.is_symlink())
    return [x for x in files if x.name != COMMIT_FILE and not any(x.is_relative_to(part) for part in known)]


def differing_files(folder: Path) -> list[str]:
    """Files of src/grok and callbacks/ that differ from those frozen in `folder`."""
    names = []
    for name, package in _packages().items():
        here = {str(file.relative_to(package)): file.read_bytes() for file in _files(package)}
        frozen = folder / name
        there = {str(file.relative_to(frozen)): file.read_bytes() for file in _files(frozen)}
        names += [f"{name}/{file}" for file in sorted(here | there) if here.get(file) != there.get(file)]
    return names


def python_path(folder: Path) -> Sequence[str]:
    """What comes first in PYTHONPATH for a process that is to run from the frozen code."""
    return [str(folder / "src"), str(folder)]
