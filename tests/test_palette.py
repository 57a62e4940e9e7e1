"""The colours of figures and pages: named once, seen on white and on black."""

import re

import pytest
from house import PACKAGE

from grok.figures import palette
from grok.measures.phases import EVENTS, PHASES, REGIMES
from grok.pages.page import page

USED = {
    *palette.COLOURS.values(),
    *palette.CATEGORIES,
    *palette.EVENT_COLOURS.values(),
}


def brightness(colour: str) -> float:
    """Relative luminance by the Web Content Accessibility Guidelines."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return sum(weight * x for weight, x in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    dark, light = sorted(map(brightness, (one, other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("room", ["figures", "pages"])
def test_no_colour_is_named_outside_the_palette(room: str) -> None:
    files = [file for file in (PACKAGE / room).rglob("*.*") if file.suffix in (".py", ".js", ".css", ".html")]
    named = {file.name for file in files if re.search(r"#[0-9a-fA-F]{6}\b", file.read_text())}
    assert named <= {"palette.py"}


def test_every_event_regime_and_phase_has_its_colour() -> None:
    assert tuple(palette.EVENT_COLOURS) == EVENTS
    assert palette.REGIMES.keys() == {*REGIMES, "no run"}
    assert len(palette.SHADES) == len(palette.SHADES_ON_DARK) == len(PHASES)
    assert palette.PAGE.keys() == palette.PAGE_ON_DARK.keys()


@pytest.mark.parametrize("colour", sorted(USED))
def test_lines_are_seen_on_a_dark_page_and_over_its_phases(colour: str) -> None:
    shown = palette.ON_DARK.get(colour, colour)
    for ground in (palette.PAGE_ON_DARK["paper"], *palette.SHADES_ON_DARK):
        assert contrast(shown, ground) > 3, ground


def test_colours_stay_apart_on_a_dark_page() -> None:
    shown = [palette.ON_DARK.get(colour, colour) for colour in palette.CATEGORIES]
    assert len(set(shown)) == len(palette.CATEGORIES)


@pytest.mark.parametrize("ink", ["ink", "muted", "accent", "holds", "fails"])
def test_text_is_read_on_either_page(ink: str) -> None:
    for theme in (palette.PAGE, palette.PAGE_ON_DARK):
        for ground in ("paper", "ground"):
            assert contrast(theme[ink], theme[ground]) > 4


def test_a_page_carries_the_palette() -> None:
    text = page("frame.html", (), title="x", source="x", data={})
    for name, colour in [*palette.PAGE.items(), *palette.PAGE_ON_DARK.items()]:
        assert f"--{name}: {colour};" in text
    assert f"--phase-2: {palette.SHADES_ON_DARK[2]};" in text
