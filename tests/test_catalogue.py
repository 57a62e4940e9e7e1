import io
import re
from pathlib import Path

import pandas as pd
import pytest
from made_up import made_up_run
from rich.console import Console
from runs import configuration, run

import callbacks
from grok.figures.palette import COLOURS
from grok.figures.run import progress_figure
from grok.measures import paper
from grok.measures.catalogue import FINAL, METRICS, Metric, curves, metric
from grok.measures.panels import CURRENT_KEYS, FINAL_KEYS, KEY_FREE, PANELS, Panel
from grok.measures.phases import EVENTS, Events
from grok.pages.record import Record
from grok.pages.run_figures import run_figures
from grok.pages.run_page import run_page
from grok.pages.sweep_data import metric_choices
from grok.pages.wandb_story import story
from grok.runs.conclusion import Conclusion
from grok.training.console import conclude_aloud

CALLBACKS = (callbacks.Losses, callbacks.KeyFrequencies, callbacks.ProgressMeasures, callbacks.Phases)


def family(name: str) -> str:
    return "weights/…" if name.startswith("weights/") else name


def test_what_a_run_logs_and_what_is_described_are_the_same(tmp_path: Path) -> None:
    folder, _, _ = run(tmp_path / "run", "data.train_fraction=0.3")  # every answer has an unseen pair
    columns = [*folder.read(folder.metrics).columns, *folder.read(folder.final_keys).columns]
    logged = {family(name) for name in columns if name not in ("step", "keys")}
    assert logged == set(METRICS)


def test_the_callbacks_tables_state_what_is_described() -> None:
    rows = [line for callback in CALLBACKS for line in (callback.__doc__ or "").splitlines() if "| `" in line]
    documented = sorted(row.strip() for row in rows)
    described = [metric for name, metric in METRICS.items() if not name.startswith("final_keys/")]
    assert documented == sorted(f"| `{metric.name}` | {metric.value} |" for metric in described)


@pytest.mark.parametrize("name", METRICS)
def test_a_description_is_a_label_of_its_own_and_two_sentences(name: str) -> None:
    found = METRICS[name]
    assert found.name == name
    assert [other.name for other in METRICS.values() if other.label == found.label] == [name]
    assert len(re.findall(r"\.(?= [A-Z0-9]|$)", found.text.replace("1e-4", ""))) == 2, found.text
    assert len(found.label) <= 40
    assert not found.family or found.family in (KEY_FREE, CURRENT_KEYS, FINAL_KEYS)
    assert not found.colour or found.colour in COLOURS
    assert not found.panel or found in curves(found.panel)
    assert not found.section or re.match(r"§\d|App\. [A-D]", found.section)


def test_a_member_of_a_family_has_its_own_label() -> None:
    assert metric("weights/blocks.0.W_in").label == "squared weights of blocks.0.W_in"
    assert metric("loss/test").axis == "test loss [nats]"
    assert metric("keys/count").axis == "key frequencies"


@pytest.mark.parametrize("name", PANELS)
def test_the_curves_of_a_panel_are_told_apart_by_their_legends_and_their_looks(name: str) -> None:
    drawn = curves(name)
    assert drawn
    assert len({metric.legend for metric in drawn}) == len(drawn)
    assert len({(metric.colour, metric.family) for metric in drawn}) == len(drawn)
    assert not PANELS[name].beside or PANELS[PANELS[name].beside].on_page


def test_an_unknown_panel_is_refused() -> None:
    with pytest.raises(ValueError, match="A panel must be one of losses, .*phase. Got 'margins'."):
        curves("margins")


@pytest.mark.parametrize("name", ["loss/tset", "weights/", "nothing/at_all"])
def test_an_unknown_metric_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"A metric must be one that is logged. Got '{name}'"):
        metric(name)


def test_the_papers_numbers_stand_beside_final_values_and_events() -> None:
    assert paper.VALUES.keys() <= set(FINAL)
    assert paper.REMARKS.keys() <= paper.VALUES.keys()
    assert paper.EVENTS.keys() <= set(EVENTS)


def test_the_end_of_a_mainline_run_is_set_beside_the_papers(tmp_path: Path) -> None:
    mainline = ["data.p=113", "data.train_fraction=0.3", "model.d_model=128", "model.n_heads=4", "model.d_mlp=512"]
    pairs = {"train": 3830, "unseen": 6280, "mirrored": 2659}
    found = Conclusion([14, 35], 600, {"contained": 120, "equal": 120}, Events(fitted=(20, 40)), "memorized", False,
                       pd.DataFrame(), pairs, "unseen", Events(), {}, None)  # fmt: skip
    for overrides, shown in ((mainline, True), ([*mainline, "optim.wd=0.5"], False)):
        folder = made_up_run(tmp_path / str(shown), *overrides, final=dict.fromkeys(FINAL, 0.5), steps_per_second=1)
        console = Console(record=True, width=200, quiet=False, file=io.StringIO())
        conclude_aloud(console, configuration(folder.path, *overrides), folder, found)
        text = console.export_text()
        assert all(metric(name).label in text for name in FINAL)
        assert "between 20 and 40" in text
        paper_says = ("1,400", "14 35 41 42 52", "5.54e-08 (at the neurons)", "942 to 955", "0.846")
        assert [words in text for words in paper_says] == [shown] * 5


def test_a_panel_and_a_metric_of_the_catalogue_are_shown_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = Metric("progress/new", "a new one", "nats", "It is new. It is high.", panel="new", colour="test", final=True)
    monkeypatch.setitem(PANELS, "new", Panel("a new panel", "New", "What one sees.", "news [nats]", in_picture=True))
    monkeypatch.setitem(METRICS, new.name, new)
    folder = made_up_run(tmp_path)
    below = folder.read(folder.metrics)
    below.assign(**{new.name: -below[new.name]}).to_csv(folder.metrics, index=False)
    record = Record.of(tmp_path)
    assert [trace["name"] for trace in run_figures(record)["new"]["data"]] == ["a new one"]
    page = run_page(record).read_text()
    assert 'data-figure="new"' in page
    assert "It is new. It is high." in page
    figure = progress_figure(folder.read(folder.metrics), folder.read(folder.final_keys), {}, "")
    (ax,) = [ax for ax in figure.axes if ax.get_title() == "a new panel"]
    assert ax.get_ylim()[0] < -0.5  # what lies below 0 is not cut off
    assert [plot.names for plot in story([new.name])["New"]] == [[new.name]]
    assert new.name in [choice["name"] for choice in metric_choices([record])]
