"""Commands as they can be pasted into a shell in this folder."""

import re
import shlex
from pathlib import Path

PLAIN = re.compile(r"[A-Za-z0-9_./-]+")  # what Hydra reads as it stands


def command(door: str, *words: str | Path) -> str:
    """`python -m grok.<door>` and its words, quoted for a shell."""
    return shlex.join(["python", "-m", f"grok.{door}", *map(str, words)])


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


def resume_command(folder: str | Path) -> str:
    """What goes on with a run."""
    return command("train", hydra_setting("resume", from_here(folder)))
