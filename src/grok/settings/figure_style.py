"""How pictures look: `figures.style` of a configuration, or as it is typed for `analyze` and `collect`."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from omegaconf import OmegaConf

from grok.settings.checks import is_number

FONTS, FORMATS = ("sans", "serif"), ("png", "pdf")
WIDTHS = {"column": 8.5, "two_columns": 17.0}  # centimetres, of a paper
NARROWEST, WIDEST = 5, 60  # centimetres
SMALLEST, LARGEST = 4, 24  # points


@dataclass(frozen=True)
class FigureStyle:
    """How pictures look.

    Args:
        font: sans or serif.
        size: of text in points; numbers and legends are an eighth smaller.
        width: column, two_columns, or a number of centimetres. Panels stand beside each other as far as they have room.
        formats: of the files: png, and pdf beside it.
    """

    font: str = "sans"
    size: float = 8
    width: str | float = "two_columns"
    formats: tuple[str, ...] = ("png",)

    @property
    def centimetres(self) -> float:
        """The width."""
        return WIDTHS[self.width] if isinstance(self.width, str) else self.width


PREFIX = "figures.style."
TYPED: dict[str, Any] = {f"{PREFIX}{field.name}": None for field in fields(FigureStyle)}


def figure_style(config: Any = None, typed: Mapping[str, Any] | None = None) -> FigureStyle:
    """The style that a configuration names, and on top of it what was typed, by dotted name; the rest is the default.

    `ValueError` in one sentence for what cannot be.
    """
    told = OmegaConf.select(config, "figures") if OmegaConf.is_config(config) else (config or {}).get("figures")
    plain: Any = OmegaConf.to_container(told, resolve=True) if OmegaConf.is_config(told) else told
    style = plain.get("style") if isinstance(plain, dict) else plain
    if style is not None and not isinstance(style, dict):
        raise ValueError(f"`figures.style` must be {{font, size, width, formats}}. Got {style!r}.")
    values = {name: value for name, value in (style or {}).items() if f"{PREFIX}{name}" in TYPED}
    values |= {name.removeprefix(PREFIX): value for name, value in (typed or {}).items() if value is not None}
    formats = values.get("formats", FigureStyle.formats)
    values["formats"] = tuple(formats) if isinstance(formats, list | tuple) else (formats,)
    made = FigureStyle(**values)
    _check(made)
    return made


def _check(style: FigureStyle) -> None:
    if style.font not in FONTS:
        raise ValueError(f"`figures.style.font` must be {' or '.join(FONTS)}. Got {style.font!r}.")
    if not is_number(style.size) or not SMALLEST <= style.size <= LARGEST:
        raise ValueError(
            f"`figures.style.size` must be a number of points from {SMALLEST} to {LARGEST}. Got {style.size!r}."
        )
    known = style.width in WIDTHS if isinstance(style.width, str) else is_number(style.width)
    if not known or not NARROWEST <= style.centimetres <= WIDEST:
        raise ValueError(
            f"`figures.style.width` must be {', '.join(WIDTHS)}, or centimetres from {NARROWEST} to {WIDEST}."
            f" Got {style.width!r}."
        )
    if "png" not in style.formats or any(x not in FORMATS for x in style.formats):
        raise ValueError(f"`figures.style.formats` must be [png] or [png,pdf]. Got {list(style.formats)}.")
