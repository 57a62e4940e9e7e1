"""Pages of the site that are made from the code: every setting, every metric, the reference of the package."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

from grok.measures.catalogue import METRICS

ROOT = Path(__file__).resolve().parents[1]
SETTING = re.compile(r"^(?P<indent> *)(?P<name>[\w/]+):(?: (?P<value>[^#]*?))? *(?:# (?P<words>.*))?$")


def on_files(files: Files, config: Any) -> Files:
    """MkDocs' hook: the pages beside those that are written by hand."""
    pages = {"settings.md": settings(), "metrics.md": metrics(), **reference()}
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_config(config: Any) -> Any:
    """MkDocs' hook: every page of the reference has its place in the navigation."""
    config["nav"][-1] = {"Reference": list(reference())}
    return config


def settings() -> str:
    """Every setting with its default and the comment beside it in its YAML file."""
    parts = ["# Every setting", "Typed as `name=value` behind `python -m grok.train`; a group's choice as `optim=sgd`."]
    parts += ["## The run", *_table(ROOT / "conf/train.yaml", "")]
    for group in sorted(folder for folder in (ROOT / "conf").iterdir() if folder.is_dir()):
        parts.append(f"## `{group.name}=`")
        for file in sorted(group.glob("*.yaml")):
            parts += [f"### `{group.name}={file.stem}`", _head(file), *_table(file, _prefix(group.name, file))]
    return "\n\n".join(part for part in parts if part) + "\n"


def _prefix(group: str, file: Path) -> str:
    """What stands before the names in a group's file: nothing in one that sets the whole configuration."""
    return "" if "@package _global_" in file.read_text() else f"{group}."


def _head(file: Path) -> str:
    """The comment at the top of a file."""
    lines = []
    for line in file.read_text().splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# "))
    return " ".join(line for line in lines if not line.startswith("@package"))


def _table(file: Path, prefix: str) -> list[str]:
    rows = [f"| `{prefix}{name}` | `{value}` | {words} |" for name, value, words in _settings(file)]
    return ["\n".join(["| Setting | Default | |", "|---|---|---|", *rows])] if rows else []


def _settings(file: Path) -> Iterator[tuple[str, str, str]]:
    """Dotted name, default and comment of every leaf, in the order of the file."""
    above: list[tuple[int, str]] = []
    for line in file.read_text().splitlines():
        match = SETTING.match(line)
        if not match:
            continue
        depth = len(match["indent"])
        above = [(d, name) for d, name in above if d < depth]
        names = [*(name for _, name in above), match["name"]]
        if names[0] in ("defaults", "hydra"):
            above.append((depth, match["name"]))
            continue
        if match["value"]:
            yield ".".join(names), match["value"].replace("|", "\\|"), (match["words"] or "").replace("|", "\\|")
        else:
            above.append((depth, match["name"]))


def metrics() -> str:
    """Every logged metric as the catalogue has it."""
    rows = [f"| `{m.name}` | {m.unit or '–'} | {m.section or 'ours'} | {m.text} |" for m in METRICS.values()]
    head = "Logged at every measurement, to `metrics.csv` and to all loggers; `final_keys/…` when a run has ended."
    return "\n".join(["# Every metric", "", head, "", "| Metric | Unit | Paper | |", "|---|---|---|---|", *rows]) + "\n"


def reference() -> dict[str, str]:
    """The package, a page a room, by the page's name."""
    pages = {"reference/index.md": "# grok\n\n::: grok\n"}
    for room in sorted(folder.parent for folder in (ROOT / "src/grok").glob("*/__init__.py")):
        modules = sorted(file.stem for file in room.glob("*.py") if file.stem != "__init__")
        parts = [f"# grok.{room.name}", *(f"::: grok.{room.name}.{module}" for module in modules)]
        pages[f"reference/{room.name}.md"] = "\n\n".join(parts) + "\n"
    return pages
