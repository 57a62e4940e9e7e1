"""The configuration as its YAML files describe it: every setting with its default and the comment beside it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

LINE = re.compile(r"^(?P<indent> *)(?P<name>[\w/]+):(?: (?P<value>[^#]*?))? *(?:# (?P<words>.*))?$")


class Setting(NamedTuple):
    """One setting as a file has it."""

    name: str  # dotted, as it is typed
    value: str
    words: str


def described(file: Path) -> Iterator[Setting]:
    """Every setting of a file of conf/, in its order; not Hydra's own."""
    text = file.read_text(encoding="utf-8")
    whole = file.name == "train.yaml" or "@package _global_" in text
    above: list[tuple[int, str]] = []
    for line in text.splitlines():
        match = LINE.match(line)
        if not match:
            continue
        depth = len(match["indent"])
        above = [(d, name) for d, name in above if d < depth]
        names = [*(name for _, name in above), match["name"]]
        if names[0] in ("defaults", "hydra") or not match["value"]:
            above.append((depth, match["name"]))
        else:
            prefix = [] if whole else [file.parent.name]
            yield from _leaves(".".join([*prefix, *names]), match["value"], match["words"] or "")


def _leaves(name: str, value: str, words: str) -> Iterator[Setting]:
    """A setting; of a mapping in one line each of what it holds, the first with the words."""
    if not (value.startswith("{") and value.endswith("}")) or value == "{}":
        yield Setting(name, value, words)
        return
    for n, entry in enumerate(value[1:-1].split(", ")):
        below, _, text = entry.partition(": ")
        yield Setting(f"{name}.{below}", text, "" if n else words)


def head(file: Path) -> str:
    """The comment at the top of a file of conf/."""
    lines = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# "))
    return " ".join(line for line in lines if not line.startswith("@package"))
