"""Pages of the site that are made from the code: every setting, every metric, the reference of the package."""

from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

from grok.measures.catalogue import METRICS
from grok.settings.described import described, head

ROOT = Path(__file__).resolve().parents[1]


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
    parts += ["## The run", *_table(ROOT / "conf/train.yaml")]
    for group in sorted(folder for folder in (ROOT / "conf").iterdir() if folder.is_dir()):
        parts.append(f"## `{group.name}=`")
        for file in sorted(group.glob("*.yaml")):
            parts += [f"### `{group.name}={file.stem}`", head(file), *_table(file)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(file: Path) -> list[str]:
    rows = ["| `{}` | `{}` | {} |".format(*(text.replace("|", "\\|") for text in row)) for row in described(file)]
    return ["\n".join(["| Setting | Default | |", "|---|---|---|", *rows])] if rows else []


def metrics() -> str:
    """Every logged metric as the catalogue has it."""
    rows = [f"| `{m.name}` | {m.unit or '–'} | {m.section or 'ours'} | {m.text} |" for m in METRICS.values()]
    intro = "Logged at every measurement, to `metrics.csv` and to all loggers; `final_keys/…` when a run has ended."
    table = ["| Metric | Unit | Paper | |", "|---|---|---|---|", *rows]
    return "\n".join(["# Every metric", "", intro, "", *table]) + "\n"


def reference() -> dict[str, str]:
    """The package, a page a room, by the page's name."""
    pages = {"reference/index.md": "# grok\n\n::: grok\n"}
    for room in sorted(folder.parent for folder in (ROOT / "src/grok").glob("*/__init__.py")):
        modules = sorted(file.stem for file in room.glob("*.py") if file.stem != "__init__")
        parts = [f"# grok.{room.name}", *(f"::: grok.{room.name}.{module}" for module in modules)]
        pages[f"reference/{room.name}.md"] = "\n\n".join(parts) + "\n"
    return pages
