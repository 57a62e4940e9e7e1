"""`grok train --help`: how it is typed, and every setting with its default and what it is, on a readable screen."""

import re
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from grok.settings.described import Setting, described, head
from grok.settings.places import conf_folder, logs_folder
from grok.settings.short import SHORT

NARROWEST, WIDEST, INDENT = 60, 100, 32  # columns
FOLLOWING = ("callbacks.", "logger.")  # their settings that only hand on others
BY_OTHERS = ("folder", "mixed", "launch.kind")  # which nobody types


def configuration(chosen: Sequence[str] = ()) -> str:
    """Every setting of the run, and of the default members of all groups, or those `chosen` as group=member."""
    defaults: Any = OmegaConf.load(conf_folder() / "train.yaml").defaults
    members = {group: member for entry in defaults if isinstance(entry, dict) or hasattr(entry, "items")
               for group, member in entry.items() if not group.startswith("override ")}  # fmt: skip
    members |= dict(choice.split("=", 1) for choice in chosen if choice.partition("=")[0] in members)
    width = max(NARROWEST, min(shutil.get_terminal_size().columns, WIDEST))
    short = ", ".join(f"{name} ({full})" for name, full in SHORT.items())
    lines = [
        *_wrapped(f"Short names: {short}, everywhere that a setting is named.", "", width),
        *_wrapped(f"Runs go to {logs_folder()}; the environment variable GROK_LOGS names another folder.", "", width),
        "",
        "The run",
        *_settings(described(conf_folder() / "train.yaml"), width),
    ]
    for group, member in members.items():
        lines += ["", *_group(group, member, width)]
    return "\n".join(lines)


def _group(group: str, member: str | None, width: int) -> Iterator[str]:
    files = {file.stem: file for file in sorted((conf_folder() / group).glob("*.yaml"))}
    others = [name for name in files if name != member]
    if member in files:
        about = head(files[member])
        yield from _wrapped(f"{group}={member}" + (f": {about}" if about else ""), "", width)
        yield from _settings(_inherited(files[member]), width)
    else:
        yield f"{group}=null"
    for name in others:
        yield from _entry(f"  {group}={name}", re.split(r"(?<=[.;:]) (?=[A-Z]|python -m)", head(files[name]))[0], width)


def _inherited(file: Path) -> Iterator[Setting]:
    """Settings of a member, and of those of its group that it is made of."""
    plain: Any = OmegaConf.to_container(OmegaConf.load(file), resolve=False)
    for name in plain.get("defaults", []) if isinstance(plain, dict) else []:
        if isinstance(name, str) and file.with_name(f"{name}.yaml").exists():
            yield from described(file.with_name(f"{name}.yaml"))
    yield from described(file)


def _settings(settings: Iterator[Setting], width: int) -> Iterator[str]:
    for name, value, words in settings:
        follows = name.startswith(FOLLOWING) and value.startswith("${")
        if not follows and name not in BY_OTHERS and not name.endswith("._target_"):
            yield from _entry(f"  {name}={value}", words, width)


def _entry(typed: str, words: str, width: int) -> Iterator[str]:
    if len(typed) >= INDENT - 1 or not words:
        yield typed
        typed = ""
    if words:
        yield from _wrapped(words, " " * INDENT, width, typed.ljust(INDENT))


def _wrapped(text: str, indent: str, width: int, first: str | None = None) -> list[str]:
    return textwrap.wrap(
        text, width - 1, initial_indent=indent if first is None else first, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
