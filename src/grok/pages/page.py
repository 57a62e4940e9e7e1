"""The frame of every page: one file that holds its figures, its script and its style, and asks for nothing."""

import math
import re
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from grok.figures import palette
from grok.runs.files import write_text
from grok.settings.version import installed_version

_TEMPLATES = Environment(loader=PackageLoader("grok.pages"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
_TEMPLATES.policies["json.dumps_kwargs"] = {"sort_keys": False}  # settings and values are in their own order


_PALETTE = {  # for the scripts
    "onDark": palette.ON_DARK,
    "categories": palette.CATEGORIES,
    "cycle": palette.CYCLE,
    "marks": {regime: mark for regime, (_, mark) in palette.REGIMES.items()},
}


def page(template: str, scripts: tuple[str, ...], **content: Any) -> str:
    """The page that `template` makes of `content`, with plotly and `scripts` inside. All text is escaped."""
    return _TEMPLATES.get_template(template).render(
        colours=_variables(),
        style=_own("page.css"),
        palette=_PALETTE,
        plotly=Markup(get_plotlyjs()),
        scripts=[_own(script) for script in scripts],
        made=f"{datetime.now():%Y-%m-%d %H:%M}",
        version=installed_version(),
        **content,
    )


def write_page(file: Path, text: str) -> Path:
    """The file, with `text` in it: all of it or as before. A page can be made again, so the disk is not waited for."""
    write_text(file, text, durable=False)
    return file


def number(value: float | None) -> str:
    """A measured value in at most four digits; a dash for a missing one."""
    if value is None or math.isnan(value):
        return "–"
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:,.4g}" if abs(value) < 1e3 else f"{value:,.0f}"
    return f"{value:.2e}"


def steps(value: float | None) -> str:
    """A number of steps; a dash for a missing one."""
    return "–" if value is None or math.isnan(value) else f"{value:,.0f}"


def word(value: Any) -> str:
    """A setting's value as one reads it."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def section(value: str) -> str:
    """Where in the paper: a bare number gets its sign; appendices, other papers and words stay."""
    return f"§{value}" if re.match(r"\d(\D|$)", value) else value


_TEMPLATES.filters["section"] = section
_TEMPLATES.filters["number"] = number
_TEMPLATES.filters["word"] = word
_TEMPLATES.filters["steps"] = steps


def _own(name: str) -> Markup:
    return Markup((resources.files("grok.pages") / "templates" / name).read_text(encoding="utf-8"))


def _variables() -> Markup:
    """The palette as CSS variables, light and dark."""
    themes = {
        ":root": (palette.PAGE, palette.SHADES),
        ':root[data-theme="dark"]': (palette.PAGE_ON_DARK, palette.SHADES_ON_DARK),
    }
    rules = []
    for selector, (colours, shades) in themes.items():
        named = {**colours, **{f"phase-{i}": shade for i, shade in enumerate(shades)}}
        rules.append(f"{selector} {{ {' '.join(f'--{name}: {colour};' for name, colour in named.items())} }}\n")
    return Markup("".join(rules))
