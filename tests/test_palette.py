"""The colours of figures and pages: named once, seen on white and on black."""

import itertools
import re

import numpy as np
import pytest
from house import PACKAGE

from grok.figures import palette
from grok.measures.catalogue import curves, metric
from grok.measures.panels import PANELS
from grok.measures.phases import EVENTS, PHASES, REGIMES
from grok.pages.page import page

USED = {
    *palette.COLOURS.values(),
    *palette.CATEGORIES,
    *palette.EVENT_COLOURS.values(),
}

# What is seen with each kind of colour blindness, of linear light (Machado, Oliveira and Fernandes 2009, severity 1).
SIGHT = {
    "all cones": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]  # of sRGB


def seen(colour: str, sight: str) -> np.ndarray:
    """CIE L*a*b* of a colour as it is seen."""
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    x, y, z = np.array(TO_XYZ) @ (np.array(SIGHT[sight]) @ linear).clip(0, 1) / np.array([0.9505, 1, 1.089])
    f = [t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z)]
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


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


LINES = {
    name: {
        (
            palette.COLOURS[shown.colour] if shown.colour else palette.PAGE["ink"],
            *palette.line(shown.colour, shown.family),
        )
        for shown in [*curves(name), *map(metric, panel.repeats)]
    }
    for name, panel in PANELS.items()
    if panel.in_picture
}


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("panel", LINES)
def test_the_colours_of_a_panel_are_told_apart_by_colour_blind_eyes(panel: str, sight: str) -> None:
    colours = {colour for colour, *_ in LINES[panel]}
    for one, other in itertools.combinations(colours, 2):
        assert np.linalg.norm(seen(one, sight) - seen(other, sight)) > 15, (one, other)


@pytest.mark.parametrize("panel", LINES)
def test_the_curves_of_a_panel_are_told_apart_in_grey_print(panel: str) -> None:
    for (one, *look), (other, *other_look) in itertools.combinations(LINES[panel], 2):
        lighter = abs(seen(one, "all cones")[0] - seen(other, "all cones")[0])
        assert look != other_look or lighter > 15, (one, other)


def test_a_colour_means_one_thing_in_all_panels_of_a_runs_picture() -> None:
    meanings: dict[str, set[str]] = {}
    for name in LINES:
        for shown in curves(name):
            if shown.colour:
                meanings.setdefault(palette.COLOURS[shown.colour], set()).add(shown.colour)
    assert all(len(names) == 1 for names in meanings.values()), meanings


def test_regimes_are_told_apart_in_grey_print() -> None:
    assert palette.HATCHES.keys() == palette.REGIMES.keys()
    for (one, hatch), (other, other_hatch) in itertools.combinations(palette.HATCHES.items(), 2):
        lighter = abs(
            seen(palette.REGIME_COLOURS[one], "all cones")[0] - seen(palette.REGIME_COLOURS[other], "all cones")[0]
        )
        assert hatch != other_hatch or lighter > 15, (one, other)
