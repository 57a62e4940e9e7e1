"""The pages in a real browser: Debian's chromium, without a window and without a network."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up import GROKKED, made_up_run, made_up_sweep
from omegaconf import DictConfig, OmegaConf
from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console
from runs import run as train

from grok.pages import sweep_page
from grok.report import report
from grok.runs.folder import RunFolder

pytestmark = pytest.mark.browser

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
HOSTILE = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>"
LOSSES = {
    "train loss": "loss/train",
    "test loss": "loss/test",
    "loss on unseen pairs": "loss/unseen",
    "loss on mirrored pairs": "loss/mirrored",
    "restricted, key-free": "progress/symmetrized_loss",
    "wave loss": "progress/wave_loss",
    "restricted, current frequencies": "progress/restricted_loss",
    "restricted, final frequencies": "final_keys/restricted_loss",
    "excluded, key-free": "progress/symmetrized_excluded_loss",
    "excluded, current frequencies": "progress/excluded_loss",
    "excluded, final frequencies": "final_keys/excluded_loss",
}
THREE = (0, 7, 30)  # measurements
CURVES = """name => document.querySelector(name)._fullData.map(t => ({
    name: t.name, x: Array.from(t.x || []), y: Array.from(t.y || []), visible: t.visible, meta: t.meta || {},
    colour: (t.line || {}).color, marker: t.marker && {color: t.marker.color, symbol: t.marker.symbol} }))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.fail(f"These tests need a browser, {CHROMIUM}. Install it: apt-get install chromium")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)


Opened = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opened]:
    """A page as a reader opens it; in the end it must have said nothing and asked for nothing but files beside it."""
    said: list[str] = []
    asked: list[str] = []
    pages: list[Page] = []

    def open_(file: Path, width: int = 1400, scheme: Any = "light") -> Page:
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        pages.append(page)
        return page

    yield open_
    hacked = [page.evaluate("window.hacked") for page in pages]
    for page in pages:
        page.close()
    assert said == []
    assert all(url.startswith(("file://", "blob:", "data:")) for url in asked), asked
    files = [url for url in asked if url.startswith("file://")]
    assert all(url.endswith("report.html") or "/report_curves/" in url for url in files), asked
    assert not any(hacked)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = made_up_run(tmp_path_factory.mktemp("run") / "<b>run", f'tags=["{HOSTILE}"]', command=HOSTILE)
    report(folder.path, Console(quiet=True))
    return folder


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = made_up_sweep(tmp_path_factory.mktemp("sweep") / "sweep").path
    report(path, Console(quiet=True))
    return path


def curves(page: Page, name: str, kind: str = "figure") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(CURVES, f'[data-{kind}="{name}"]')
    return found


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


# --- a run


def test_each_panel_has_its_curves_with_the_values_of_the_tables(run: RunFolder, opened: Opened) -> None:
    page = opened(run.path / "report.html")
    page.check('[data-family="current frequencies"]')
    metrics, final = run.read(run.metrics), run.read(run.final_keys)
    panels = {
        "losses": list(LOSSES.values()),
        "accuracy": ["accuracy/train", "accuracy/test", "accuracy/unseen", "accuracy/mirrored"],
        "spike": ["progress/memorization_spike", "progress/circuit_waves"],
        "sparsity": ["progress/gini_W_E", "progress/gini_W_L"],
        "weights": ["progress/sum_squared_weights"],
        "count": ["keys/count"],
        "shares": ["keys/share", "neurons/explained"],
    }
    for panel, names in panels.items():
        drawn = curves(page, panel)
        assert panel != "losses" or [curve["name"] for curve in drawn] == list(LOSSES)
        assert len(drawn) == len(names)
        for curve, name in zip(drawn, names, strict=True):
            table = final if name.startswith("final_keys/") else metrics
            for n in THREE:
                assert (curve["x"][n], curve["y"][n]) == (table["step"][n], pytest.approx(table[name][n], rel=1e-12))


def test_the_heat_maps_show_the_shares_of_the_table(run: RunFolder, opened: Opened) -> None:
    page = opened(run.path / "report.html")
    spectra = run.read(run.spectra)
    for matrix in ("W_E", "W_L"):
        shares = spectra[spectra["matrix"] == matrix].reset_index()
        (heat,) = page.evaluate(
            "n => document.querySelector(n)._fullData.map(t => t.z.map(r => Array.from(r)))",
            f'[data-figure="spectrum-{matrix}"]',
        )
        assert np.array(heat).shape == (5, 31)
        for n in THREE:
            for k in (1, 3, 5):
                assert heat[k - 1][n] == pytest.approx(np.log10(max(shares[str(k)][n], 1e-4)), abs=1e-6)
        marks = page.locator(f'[data-figure="spectrum-{matrix}"] .annotation-text').all_text_contents()
        assert marks == ["2", "5"]


def test_families_of_curves_are_shown_and_hidden(run: RunFolder, opened: Opened) -> None:
    page = opened(run.path / "report.html")

    def visible() -> list[str]:
        return [curve["name"] for curve in curves(page, "losses") if curve["visible"] is True]

    always = ["train loss", "test loss", "loss on unseen pairs", "loss on mirrored pairs"]
    restricted = "restricted, {}"
    assert len(visible()) == 9
    assert restricted.format("current frequencies") not in visible()
    page.check('[data-family="current frequencies"]')
    assert len(visible()) == 11
    page.uncheck('[data-family="key-free"]')
    page.uncheck('[data-family="current frequencies"]')
    assert visible() == [*always, "wave loss", "restricted, final frequencies", "excluded, final frequencies"]


def test_steps_are_linear_or_logarithmic_by_a_click(run: RunFolder, opened: Opened) -> None:
    page = opened(run.path / "report.html")
    types = (
        "[...document.querySelectorAll('[data-figure]')].map(d => [d._fullLayout.xaxis.type, d._fullLayout.yaxis.type])"
    )
    assert page.evaluate(types) == [["linear", "log"], *[["linear", "linear"]] * 8]
    page.click('[data-axis="log"]')
    assert page.evaluate(types) == [["log", "log"], *[["log", "linear"]] * 8]
    assert page.get_attribute('[data-axis="log"]', "aria-pressed") == "true"
    page.click('[data-axis="linear"]')
    assert page.evaluate(types)[0] == ["linear", "log"]


def test_phases_are_named_and_shaded_where_they_are(run: RunFolder, opened: Opened) -> None:
    page = opened(run.path / "report.html")
    names = page.locator(".phases li").all_inner_texts()
    assert [" ".join(name.split()) for name in names] == [
        "memorization step 0 to 120",
        "circuit formation step 120 to 300",
        "clean-up step 300 to 560",
        "stable step 560 to 600",
    ]
    named = page.locator('[data-figure="losses"] .annotation-text').all_text_contents()
    assert named == ["memorization", "circuit formation", "clean-up", "stable"]
    page.click('[data-axis="log"]')
    assert "stable" not in page.locator('[data-figure="losses"] .annotation-text').all_text_contents()  # too narrow
    page.click('[data-axis="linear"]')
    for panel in ("losses", "accuracy", "sparsity", "weights", "count", "shares"):
        shades = page.evaluate(
            "n => document.querySelector(n)._fullLayout.shapes.map(s => [s.x0, s.x1])", f'[data-figure="{panel}"]'
        )
        assert shades == [[0.5, 120], [120, 300], [300, 560], [560, 600]]
        drawn = page.locator(f'[data-figure="{panel}"] .layer-below .shapelayer path')
        assert drawn.count() == 4
    colours = [drawn.nth(i).evaluate("e => getComputedStyle(e).fill") for i in range(4)]
    chips = [page.locator(f".phases .phase-{i}").evaluate("e => getComputedStyle(e).backgroundColor") for i in range(4)]
    assert colours == chips


def test_hovering_tells_the_values(run: RunFolder, opened: Opened) -> None:
    page = opened(run.path / "report.html")
    plot = page.locator('[data-figure="weights"] .nsewdrag')
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector('[data-figure="weights"] .hoverlayer text')
    told = page.locator('[data-figure="weights"] .hoverlayer text').all_text_contents()
    metrics = run.read(run.metrics).set_index("step")["progress/sum_squared_weights"]
    assert told[0] == "300"
    assert float(told[1].split(":")[-1]) == pytest.approx(metrics[300], rel=1e-3)


@pytest.mark.parametrize(
    ("kind", "panel", "starts"),
    [
        ("PNG", "losses", b"\x89PNG"),
        ("SVG", "losses", b"<svg"),
        ("SVG", "portrait", b"<svg"),
        ("PNG", "circle-2", b"\x89PNG"),
    ],
)
def test_a_panel_is_saved_by_the_name_of_run_and_panel(
    kind: str, panel: str, starts: bytes, run: RunFolder, opened: Opened, tmp_path: Path
) -> None:
    page = opened(run.path / "report.html")
    with page.expect_download() as download:
        page.click(f'figure:has([data-panel="{panel}"]) button:has-text("{kind}")')
    assert download.value.suggested_filename == f"p11_f0.5_wd1.0_split0_seed0_{panel}.{kind.lower()}"
    download.value.save_as(tmp_path / "panel")
    assert (tmp_path / "panel").read_bytes().startswith(starts)


def test_nothing_lies_over_a_panel_and_nothing_on_it_sends_it_away(run: RunFolder, opened: Opened) -> None:
    page = opened(run.path / "report.html")
    page.hover('[data-figure="losses"] .nsewdrag')
    assert page.locator(".modebar-btn").count() == 0


def drag(page: Page, panel: str, left: float, right: float) -> None:
    """Choose a stretch of the steps, as parts of a panel's width, by the mouse."""
    plot = page.locator(f'[data-figure="{panel}"] .nsewdrag').first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + left * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + right * box["width"], middle, steps=5)
    page.mouse.up()


RANGES = "[...document.querySelectorAll('[data-figure]')].map(d => Array.from(d._fullLayout.xaxis.range))"


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_all_panels_over_the_steps_show_the_same_of_them(scale: str, run: RunFolder, opened: Opened) -> None:
    page = opened(run.path / "report.html")
    page.click(f'[data-axis="{scale}"]')
    before = page.evaluate(RANGES)
    assert not page.is_visible("#reset")
    drag(page, "sparsity", 0.25, 0.5)
    first, *others = page.evaluate(RANGES)
    width = before[0][1] - before[0][0]
    assert first == pytest.approx([before[0][0] + width / 4, before[0][0] + width / 2], abs=0.03 * width)
    assert all(other == first for other in others)
    page.click("#theme")
    page.check('[data-family="current frequencies"]')
    assert page.evaluate(RANGES) == [first] * len(before)
    page.click("#reset")
    assert page.evaluate(RANGES) == before
    drag(page, "losses", 0.5, 0.75)
    assert page.evaluate(RANGES) != before
    page.dblclick('[data-figure="losses"] .nsewdrag')
    page.wait_for_function("document.getElementById('reset').hidden")
    assert page.evaluate(RANGES) == before


def test_a_chosen_theme_outlives_a_reload(run: RunFolder, opened: Opened) -> None:
    page = opened(run.path / "report.html")
    chosen = "document.documentElement.dataset.theme"
    assert page.evaluate(chosen) == "light"
    page.reload()
    assert page.evaluate(chosen) == "light"
    page.click("#theme")
    page.reload()
    assert page.evaluate(chosen) == "dark"
    page.emulate_media(color_scheme="light")
    assert page.evaluate(chosen) == "dark"


def test_numbers_of_all_axes_are_of_one_size(run: RunFolder, opened: Opened) -> None:
    page = opened(run.path / "report.html")
    sizes = page.evaluate(
        "[...document.querySelectorAll('.xtick text, .ytick text')].map(t => getComputedStyle(t).fontSize)"
    )
    assert set(sizes) == {"12px"}


def test_the_portrait_is_the_run_as_one_curve_of_spike_and_waves(run: RunFolder, opened: Opened) -> None:
    page = opened(run.path / "report.html")
    curve, *events = curves(page, "portrait", "still")
    metrics = run.read(run.metrics)
    assert curve["x"] == metrics["progress/memorization_spike"].tolist()
    assert curve["y"] == metrics["progress/circuit_waves"].tolist()
    colours = [curve["marker"]["color"][n] for n in (0, 10, 20, 30)]  # steps 0, 200, 400 and 600
    assert len(set(colours)) == 4
    assert [event["name"] for event in events] == [
        "fitted, 40", "memorization ends, 120", "clean-up starts, 300", "generalized, 400", "stable, 560"
    ]  # fmt: skip
    assert events[1]["x"] == [metrics["progress/memorization_spike"][6]]


@pytest.mark.parametrize(("end", "scale"), [(60, "linear"), (59, "log")])
def test_steps_are_logarithmic_at_first_where_memorization_ended_in_the_first_tenth(
    end: int, scale: str, tmp_path: Path, opened: Opened
) -> None:
    made_up_run(tmp_path, phases={**GROKKED, "memorization_end": [40, end]})
    page = opened(report(tmp_path, Console(quiet=True)))
    assert page.evaluate("document.querySelector('[data-figure=losses]')._fullLayout.xaxis.type") == scale
    assert page.get_attribute(f'[data-axis="{scale}"]', "aria-pressed") == "true"


def test_the_slider_moves_the_numbers_on_their_circles(run: RunFolder, opened: Opened) -> None:
    page = opened(run.path / "report.html")
    assert page.locator("[data-circle]").count() == 2
    for position, step in [(3, 600), (1, 20)]:
        slide = "(s, n) => { s.value = n; s.dispatchEvent(new Event('input')); }"
        page.locator("#circle-slider").evaluate(slide, position)
        assert page.inner_text("#circle-step") == f"{step}"
        W_E = run.load_snapshot(step)["W_E"].double().numpy()[:, :11]
        for i, k in enumerate([2, 5]):
            angle = 2 * np.pi * k * np.arange(11) / 11
            cos, sin = W_E @ np.cos(angle), W_E @ np.sin(angle)
            first = cos / np.linalg.norm(cos)
            second = sin - first @ sin * first
            order = np.argsort(k * np.arange(11) % 11)
            (curve,) = curves(page, str(i), "circle")
            for axis, direction in (("x", first), ("y", second / np.linalg.norm(second))):
                expected = direction @ (W_E - W_E.mean(1, keepdims=True))
                np.testing.assert_allclose(curve[axis][:11], expected[order], rtol=0, atol=1e-6)


# --- runs of other kinds


def trained(*settings: str) -> Callable[[Path], RunFolder]:
    return lambda path: train(path, *settings)[0]


def one_measurement(path: Path) -> RunFolder:
    """As a run looks that has just begun."""
    folder, *_ = train(path)
    for file, rows in ((folder.metrics, 1), (folder.spectra, 2)):
        file.write_text("".join(file.read_text().splitlines(keepends=True)[: 1 + rows]))
    for file in (folder.final_keys, folder.summary_file, *list(folder.snapshots().values())[1:]):
        file.unlink()
    return folder


def first_phase(path: Path) -> RunFolder:
    """As a run looks that memorizes."""
    folder = made_up_run(path, steps=100)
    folder.summary_file.unlink()
    folder.write_summary(status="running")
    folder.heartbeat.touch()
    table = folder.read(folder.metrics).assign(**{"events/fitted": 40.0, "events/memorization_end": math.nan})
    table.to_csv(folder.metrics, index=False)
    return folder


def grokked(path: Path) -> RunFolder:
    return made_up_run(path)


def grokked_before_unseen_pairs(path: Path) -> RunFolder:
    """As a run was written before unseen pairs, spike and waves were measured."""
    folder = made_up_run(path)
    table = folder.read(folder.metrics)
    newer = [name for name in table if any(x in name for x in ("unseen", "mirrored", "spike", "wave", "held_out"))]
    table.drop(columns=newer).to_csv(folder.metrics, index=False)
    config = OmegaConf.load(folder.config)
    assert isinstance(config, DictConfig)
    del config.phases, config.data.split, config.data._target_, config.model._target_, config.optim._target_
    folder.config.write_text(OmegaConf.to_yaml(config))
    return folder


OVER_STEPS = ("losses", "accuracy", "spike", "sparsity", "weights", "count", "shares")
SPECTRA = ("spectrum-W_E", "spectrum-W_L")
ALL = (*OVER_STEPS, *SPECTRA, "neurons")
# What makes the run, its regime, its phases, and the panels of its page.
KINDS: dict[str, tuple[Callable[[Path], RunFolder], str, int, tuple[str, ...]]] = {
    "memorized": (trained("optim.wd=0", "optim.lr=0.01", "trainer.max_steps=200"), "memorized", 0, ALL),
    "diverged": (trained("optim.lr=1e6"), "unfitted", 0, ALL),
    "unfitted": (trained(), "unfitted", 0, ALL),
    "direct": (trained("data.train_fraction=0.9", "optim.lr=0.01", "trainer.max_steps=600"), "direct", 0, ALL),
    "in its first phase": (first_phase, "memorized", 0, (*OVER_STEPS, *SPECTRA)),
    "one measurement": (one_measurement, "unfitted", 0, ALL),
    "no MLP": (trained("model.d_mlp=0"), "unfitted", 0, (*OVER_STEPS, SPECTRA[0])),
    "no waves": (trained("data.operation=x2+xy+y2"), "unfitted", 0, ALL),
    "two layers": (trained("model.n_layers=2"), "unfitted", 0, ALL),
    "grokked": (grokked, "grokked", 4, (*OVER_STEPS, *SPECTRA)),
    "from before unseen pairs": (
        grokked_before_unseen_pairs,
        "grokked",
        4,
        tuple(name for name in (*OVER_STEPS, *SPECTRA) if name != "spike"),
    ),
    "p = 3": (trained("data.p=3", "data.train_fraction=0.7"), "unfitted", 0, (*OVER_STEPS, *SPECTRA)),
    "p = 12": (trained("data.p=12"), "unfitted", 0, ALL),
    "stopped at step 0": (trained("trainer.max_steps=1"), "unfitted", 0, ALL),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [390, 1400])
def test_the_page_of_any_run_draws_every_panel_that_it_has_measurements_for(
    kind: str, width: int, tmp_path: Path, opened: Opened
) -> None:
    make, regime, phases, panels = KINDS[kind]
    page = opened(report(make(tmp_path / "run").path, Console(quiet=True)), width=width)
    assert page.inner_text(".regime") == regime
    assert page.locator(".phases li").count() == phases
    for scale in ("log", "linear"):
        page.click(f'[data-axis="{scale}"]')
        plots = page.locator(".plot")
        names = [plots.nth(i).get_attribute("data-figure") for i in range(plots.count())]
        assert tuple(name for name in names if name) == panels
        assert page.locator("[data-still=portrait]").count() == ("spike" in panels)
        for i in range(plots.count()):
            assert plots.nth(i).locator(".main-svg").count() > 0
            assert "cannot be drawn" not in plots.nth(i).inner_text()
    assert overflow(page) == 0


def test_a_panel_that_cannot_be_drawn_says_so_and_leaves_the_others(run: RunFolder, browser: Browser) -> None:
    file = run.path / "report.html"
    broken = run.path / "broken.html"
    broken.write_text(file.read_text().replace('"sparsity": {"data": [', '"sparsity": {"data": [null, ', 1))
    page = browser.new_page()
    page.goto(broken.as_uri())
    assert page.inner_text('[data-figure="sparsity"]') == "This panel cannot be drawn."
    assert page.locator(".plot:has(.main-svg)").count() == 11
    page.click("#theme")
    page.click('[data-axis="log"]')
    assert page.locator(".plot:has(.main-svg)").count() == 11
    page.close()


# --- both


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_light_or_dark_as_the_reader_prefers_and_by_a_click(
    scheme: str, run: RunFolder, opened: Opened
) -> None:
    page = opened(run.path / "report.html", scheme=scheme)

    def brightness() -> float:
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return float(np.mean([int(x) for x in colour[4:-1].split(",")]))

    def ink() -> str:
        return str(curves(page, "weights")[0]["colour"])

    assert (brightness() < 60) == (scheme == "dark")
    before = ink()
    page.click("#theme")
    assert (brightness() < 60) == (scheme == "light")
    assert ink() != before


@pytest.mark.parametrize("width", [390, 1400])
def test_nothing_is_wider_than_the_window(width: int, run: RunFolder, sweep: Path, opened: Opened) -> None:
    for file in (run.path / "report.html", sweep / "report.html"):
        page = opened(file, width=width)
        assert overflow(page) == 0
        plots = page.locator(".plot").all()
        assert len(plots) in (12, 5)
        for plot in plots:
            box, drawn = plot.bounding_box(), plot.locator(".main-svg").first.bounding_box()
            assert box
            assert drawn
            assert 0 <= box["x"] < box["x"] + drawn["width"] <= width
            assert drawn["width"] >= 150
            assert drawn["height"] >= 150


# --- a sweep


def column(page: Page, name: str) -> list[str]:
    heads = page.locator("#table th").all_inner_texts()
    index = [" ".join(head.split()) for head in heads].index(name) + 1
    return page.locator(f"#table tbody tr:visible td:nth-child({index})").all_inner_texts()


def test_the_table_is_sorted_by_a_click_on_its_head(sweep: Path, opened: Opened) -> None:
    page = opened(sweep / "report.html")
    assert column(page, "run") == [f"{n:03d}" for n in range(18)]
    assert column(page, "status")[16] == "failed"
    page.click("#table th:has-text('wd') button")
    assert column(page, "wd") == ["0"] * 6 + ["1"] * 6 + ["3"] * 6
    page.click("#table th:has-text('wd') button")
    assert column(page, "wd") == ["3"] * 6 + ["1"] * 6 + ["0"] * 6
    page.click("#table th:has-text('generalized') button")
    steps = column(page, "generalized")
    assert steps[:10] == ["400"] * 4 + ["420"] * 3 + ["440"] * 3
    assert all(step.startswith("> ") for step in steps[10:17])
    assert steps[17] == "–"
    page.click("#table th:has-text('generalized') button")
    assert column(page, "generalized")[17] == "–"  # what is missing comes last either way


def test_the_table_is_filtered_by_words_status_and_regime(sweep: Path, opened: Opened) -> None:
    page = opened(sweep / "report.html")
    page.select_option("#regime", "memorized")
    assert column(page, "run") == ["000", "001", "002", "003", "004", "005", "017"]
    assert page.inner_text("#shown") == "7 of 18 runs"
    page.select_option("#status", "running")
    assert column(page, "run") == ["017"]
    page.select_option("#regime", "")
    page.select_option("#status", "")
    page.fill("#find", "GROKKED 10.0")
    assert column(page, "run") == ["006", "009", "012", "015"]
    page.fill("#find", "broke")
    assert column(page, "run") == ["016"]


def test_the_reason_of_a_failure_unfolds(sweep: Path, opened: Opened) -> None:
    page = opened(sweep / "report.html", width=390)
    page.click("#table summary")
    assert column(page, "status")[16].split() == ["failed", *["<img", "src=x", "onerror=window.hacked=1>", "broke"]]


def test_the_regime_of_a_run_is_read_on_a_phone_without_scrolling(sweep: Path, opened: Opened) -> None:
    page = opened(sweep / "report.html", width=390)
    for cell in page.locator("#table tbody td:nth-child(2)").all()[:3]:
        box = cell.bounding_box()
        assert box
        assert box["x"] + box["width"] < 390


def last(sweep: Path, number: int, metric: str) -> float:
    folder = RunFolder(next((sweep / "runs").glob(f"{number:03d}*")))
    table = folder.read(folder.final_keys if metric.startswith("final_keys/") else folder.metrics)
    return float(table[metric].iloc[-1])


def test_the_table_has_accuracies_and_any_metric_by_choice(sweep: Path, opened: Opened) -> None:
    page = opened(sweep / "report.html")
    shown = {"test accuracy": "accuracy/test", "accuracy on unseen pairs": "accuracy/unseen", "test loss": "loss/test"}
    for head, metric in {**shown, "loss on unseen pairs": "loss/unseen"}.items():
        cells = column(page, head)
        assert cells[16] == ""
        for number in (0, 7, 17):  # 17 goes on
            assert float(cells[number].replace(",", "")) == pytest.approx(last(sweep, number, metric), rel=1e-3)
    chosen = "final_keys/excluded_loss"
    page.select_option("#choice", chosen)
    assert "loss on unseen pairs" not in page.inner_text("#table thead")
    page.click("#chosen")
    values = [float(cell.replace(",", "")) for cell in column(page, page.inner_text("#chosen")) if cell]
    every = sorted(last(sweep, number, chosen) for number in range(18) if number != 16)
    assert values == pytest.approx(every, rel=1e-3)


def test_every_run_has_a_portrait_in_the_colour_of_its_regime(sweep: Path, opened: Opened) -> None:
    page = opened(sweep / "report.html")
    drawn = curves(page, "portraits", "draw")
    runs = {curve["meta"]["point"]: curve for curve in drawn if "point" in curve["meta"]}
    assert sorted(runs) == [n for n in range(18) if n != 16]
    folder = RunFolder(next((sweep / "runs").glob("007*")))
    metrics = folder.read(folder.metrics)
    np.testing.assert_allclose(runs[7]["x"], metrics["progress/memorization_spike"], rtol=1e-6)
    np.testing.assert_allclose(runs[7]["y"], metrics["progress/circuit_waves"], rtol=1e-6)
    colours = page.evaluate("data.regimes")
    assert runs[7]["colour"] == colours["grokked"] != runs[0]["colour"] == colours["memorized"]
    ends = {curve["name"]: curve for curve in drawn if "point" not in curve["meta"]}
    assert list(ends) == ["grokked", "memorized"]
    assert ends["grokked"]["x"][1] == pytest.approx(metrics["progress/memorization_spike"].iloc[-1])


def test_the_phase_diagram_marks_every_run_in_its_cell(sweep: Path, opened: Opened) -> None:
    page = opened(sweep / "report.html")
    drawn = {curve["name"]: curve for curve in curves(page, "diagram", "draw")}
    assert {name: len(curve["x"]) for name, curve in drawn.items()} == {"grokked": 10, "memorized": 7, "no run": 1}
    cells = {name: [(round(x), round(y)) for x, y in zip(c["x"], c["y"], strict=True)] for name, c in drawn.items()}
    assert sorted(cells["memorized"]) == [(0, 0)] * 3 + [(1, 0)] * 3 + [(1, 2)]
    assert cells["no run"] == [(1, 2)]
    assert len({(x, y) for curve in drawn.values() for x, y in zip(curve["x"], curve["y"], strict=True)}) == 18
    assert drawn["memorized"]["marker"]["symbol"] == ["square"] * 6 + ["square-open"]
    page.select_option('[data-pick="x"]', "wd")
    page.select_option('[data-pick="y"]', "train_fraction")
    (memorized,) = [curve for curve in curves(page, "diagram", "draw") if curve["name"] == "memorized"]
    assert [round(x) for x in memorized["x"]] == [0] * 6 + [2]


def test_a_third_setting_sets_blocks_of_cells_apart(tmp_path: Path, opened: Opened) -> None:
    settings = [
        {"optim.wd": wd, "data.train_fraction": f, "model.n_layers": n}
        for wd in (0, 1)
        for f in (0.3, 0.5)
        for n in (1, 2)
    ]
    page = opened(report(made_up_sweep(tmp_path / "sweep", settings).path, Console(quiet=True)))
    blocks = page.locator('[data-draw="diagram"] .annotation-text').all_text_contents()
    assert blocks == ["model.n_layers = 1", "model.n_layers = 2"]
    (grokked,) = curves(page, "diagram", "draw")
    assert sorted(grokked["x"]) == [0, 0, 1, 1, 2.4, 2.4, 3.4, 3.4]
    page.select_option('[data-pick="y"]', "model.n_layers")
    blocks = page.locator('[data-draw="diagram"] .annotation-text').all_text_contents()
    assert blocks == ["wd = 0", "wd = 1"]


def test_events_are_dots_censored_runs_triangles_and_medians_bars(sweep: Path, opened: Opened) -> None:
    page = opened(sweep / "report.html")

    def drawn() -> tuple[list[float], list[float], list[float]]:
        came: list[float] = []
        later: list[float] = []
        medians: list[float] = []
        for curve in curves(page, "events", "draw"):
            if curve["meta"].get("legend"):
                continue
            kind = medians if curve["meta"].get("median") else later if curve["meta"].get("censored") else came
            kind += curve["y"][::3] if curve["meta"].get("median") else curve["y"]
        return sorted(came), sorted(later), sorted(medians)

    assert drawn() == ([400] * 4 + [420] * 3 + [440] * 3, [200, 600, 600, 620, 620, 640, 640], [400, 420, 420, 420])
    page.select_option('[data-pick="event"]', "fitted")
    assert drawn()[0] == [40] * 6 + [40, 40, 40, 40] + [60] * 3 + [80] * 3
    page.select_option('[data-pick="setting"]', "wd")
    assert len(drawn()[2]) == 5  # of the sixth group one run came and one is censored later: half, and no more is known
    names = {curve["name"] for curve in curves(page, "events", "draw")}
    assert names == {"train_fraction = 0.3", "train_fraction = 0.5"}


def test_curves_lie_over_each_other_with_median_and_band(sweep: Path, opened: Opened) -> None:
    page = opened(sweep / "report.html")

    def drawn() -> tuple[dict[int, dict[str, Any]], list[dict[str, Any]], int]:
        found = curves(page, "curves", "draw")
        runs = {curve["meta"]["point"]: curve for curve in found if "point" in curve["meta"]}
        edges = sum(bool(curve["meta"].get("edge")) for curve in found)
        return runs, [curve for curve in found if curve["meta"].get("median")], edges

    assert [curve["name"] for curve in drawn()[1]] == ["grokked", "memorized"]
    page.select_option('[data-pick="grouping"]', "each combination")
    for metric in ("loss/test", "progress/gini_W_L"):
        page.select_option('[data-pick="metric"]', metric)
        runs, medians, edges = drawn()
        assert sorted(runs) == [n for n in range(18) if n != 16]
        assert (len(medians), edges) == (6, 12)
        tables = [RunFolder(next((sweep / "runs").glob(f"{n:03d}*"))) for n in (6, 7, 8)]
        values = [folder.read(folder.metrics)[metric] for folder in tables]
        (median,) = [curve for curve in medians if curve["name"] == "train_fraction = 0.3, wd = 1"]
        for n in THREE:
            assert runs[7]["y"][n] == pytest.approx(values[1][n], rel=1e-6)
            assert median["y"][n] == pytest.approx(np.median([value[n] for value in values]), rel=1e-6)
    page.select_option('[data-pick="grouping"]', "wd")
    assert [curve["name"] for curve in drawn()[1]] == ["wd = 0", "wd = 1", "wd = 3"]
    page.uncheck('[data-show="bands"]')
    assert drawn()[1:] == ([], 0)
    page.check('[data-show="bands"]')
    page.uncheck('[data-show="runs"]')
    assert drawn()[0] == {}
    page.click('#curves [data-axis="linear"]')
    assert page.evaluate("document.querySelector('[data-draw=curves]')._fullLayout.xaxis.type") == "linear"


def test_the_page_of_many_runs_reads_curves_from_beside_it_when_they_are_picked(
    tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_page, "LARGE", 10)
    monkeypatch.setattr(sweep_page, "MOST_VALUES", 20 * 18)
    path = made_up_sweep(tmp_path / "sweep").path
    page = opened(report(path, Console(quiet=True)))

    def medians() -> list[dict[str, Any]]:
        return [curve for curve in curves(page, "curves", "draw") if curve["meta"].get("median")]

    assert [(curve["name"], len(curve["x"])) for curve in medians()] == [("grokked", 20), ("memorized", 7)]
    assert not page.is_checked('[data-show="runs"]')
    page.select_option('[data-pick="metric"]', "progress/gini_W_L")
    page.wait_for_function("'progress/gini_W_L' in measures")
    first = RunFolder(next((path / "runs").glob("000*")))
    page.check('[data-show="runs"]')
    lines = {curve["meta"]["point"]: curve for curve in curves(page, "curves", "draw") if "point" in curve["meta"]}
    values = first.read(first.metrics).set_index("step")["progress/gini_W_L"]
    assert lines[0]["x"][0] == 0
    assert lines[0]["x"][-1] == values.index[-1]
    assert lines[0]["y"] == pytest.approx([values[step] for step in lines[0]["x"]], rel=1e-6)
    assert {curve["name"] for curve in curves(page, "portraits", "draw")} == {"grokked", "memorized"}
    assert not page.query_selector("#table a")  # no page of a run, until it is asked for
    assert "pages=all" in page.inner_text("body")


def test_the_number_of_keys_is_a_mark_a_run(sweep: Path, opened: Opened) -> None:
    page = opened(sweep / "report.html")
    marks = [y for curve in curves(page, "count", "draw") for y in curve["y"]]
    assert marks == [2] * 17


def test_the_way_leads_to_a_runs_page_and_back(sweep: Path, opened: Opened) -> None:
    page = opened(sweep / "report.html")
    page.click("#table a:has-text('007')")
    page.wait_for_selector('[data-figure="losses"] .main-svg')
    assert "weight decay 1" in page.inner_text(".lead")
    page.click(".kind a")
    page.wait_for_selector("#table")
