"""Commands as they can be pasted into a shell in this folder."""

import re
import shlex
import shutil
import sys
from pathlib import Path

PLAIN = re.compile(r"[A-Za-z0-9_./-]+")  # what Hydra reads as it stands


def command(door: str, *words: str | Path) -> str:
    """A command of this project, quoted for a shell: `grok <door>` where that was typed, else by Python."""
    script = Path(sys.argv[0]).absolute()
    if script.name == "grok":
        return shlex.join([_typed(script), door, *map(str, words)])
    return shlex.join([_typed(Path(sys.executable), "python"), "-m", f"grok.{door}", *map(str, words)])


def _typed(program: Path, name: str = "grok") -> str:
    """A program's name where the shell finds it by that, else its path from here."""
    found = shutil.which(name)
    return name if found and Path(found).absolute().parent == program.parent else str(from_here(program))


def hydra_setting(name: str, path: str | Path) -> str:
    """A setting whose value is a path, as Hydra must read it: quoted unless it is plain."""
    text = str(path)
    if PLAIN.fullmatch(text):
        return f"{name}={text}"
    escaped = re.sub(r"(\\*)'", r"\1\1\\'", text)  # to Hydra a backslash is itself, but before a quote
    return f"{name}='{escaped}'"


def from_here(path: str | Path) -> Path:
    """The path as it is typed from the working folder: relative where it lies below."""
    there, here = Path(path).absolute(), Path.cwd()
    return there.relative_to(here) if there.is_relative_to(here) else there


def next_commands(*commands: str, words: str = "next") -> str:
    """Lines that end a command: what to type now, a command a line."""
    return "\n".join([f"{words}:", *(f"  {line}" for line in commands)])


def resume_command(folder: str | Path, trust: bool = False) -> str:
    """What goes on with a run; `trust` where it has parts of one's own."""
    return command("train", hydra_setting("resume", from_here(folder)), *["trust=true"] * trust)
