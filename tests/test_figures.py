"""Pictures: one style for all, readable where they are small, and drawn of every kind of run."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_up import GROKKED, MEMORIZED, P, made_up_run, made_up_sweep
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image
from runs import configuration, run

from grok.analyze import report
from grok.figures import test_set
from grok.figures.curves import spans
from grok.figures.labels import apart
from grok.figures.portrait import portrait_figure
from grok.figures.run import progress_figure, spectra_figure, spectrum_figure
from grok.figures.style import applied, draw
from grok.figures.sweep import events_figure, phase_diagram
from grok.figures.sweep_curves import curves_figure
from grok.measures.catalogue import metric
from grok.measures.phases import EVENTS, PHASES
from grok.notebook.sweep import Sweep
from grok.runs.folder import RunFolder
from grok.settings.figure_style import FigureStyle, figure_style
from grok.sweep.identity import identity
from grok.sweep.table import sweep_table, swept

WIDTHS = ("column", "two_columns")
WIDTHS_SENTENCE = "column, two_columns, or centimetres from 5 to 60"
DIRECT = {**dict.fromkeys(GROKKED), "fitted": [20, 40], "cleanup_start": [0, 20], "generalized": [60, 80]}


def drawn(picture: Any, style: FigureStyle | None = None) -> Figure:
    """The picture in a style, laid out."""
    with applied(style or FigureStyle()):
        figure: Figure = picture()
        figure.draw_without_rendering()
    return figure


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible() and text.get_text()]


def named(figure: Figure) -> list[list[str]]:
    """The entries of each legend."""
    legends = [*figure.legends, *(ax.get_legend() for ax in figure.axes)]
    return [[text.get_text() for text in legend.get_texts()] for legend in legends if legend is not None]


def progress(folder: RunFolder, phases: Mapping[str, Any] = GROKKED) -> Figure:
    return progress_figure(folder.read(folder.metrics), folder.read(folder.final_keys), phases, "a run", P)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return made_up_run(tmp_path_factory.mktemp("figures") / "run")


# --- one style


@pytest.mark.parametrize(
    ("style", "centimetres"),
    [(FigureStyle(width="column"), 8.5), (FigureStyle(), 17), (FigureStyle(width=12, formats=("png", "pdf")), 12)],
)
def test_a_picture_is_as_wide_as_its_style_says(
    folder: RunFolder, tmp_path: Path, style: FigureStyle, centimetres: float
) -> None:
    files = draw(style, lambda: progress(folder), tmp_path / "a.b")
    assert [file.name for file in files] == [f"a.b.{suffix}" for suffix in style.formats]
    with Image.open(files[0]) as image:
        assert image.width == pytest.approx(centimetres / 2.54 * 300, abs=2)


def test_fonts_are_those_of_the_style_and_no_other_figures(folder: RunFolder) -> None:
    serif = drawn(lambda: progress(folder), FigureStyle(font="serif", size=10))
    assert serif.axes[0].yaxis.label.get_fontname() == "STIXGeneral"
    assert serif.axes[0].yaxis.label.get_fontsize() == 10
    sans = drawn(lambda: progress(folder))
    assert sans.axes[0].yaxis.label.get_fontname() == "DejaVu Sans"
    assert sans.axes[0].get_yticklabels()[0].get_fontsize() == 7


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"font": "Times"}, "`figures.style.font` must be sans or serif. Got 'Times'."),
        ({"size": "small"}, "`figures.style.size` must be a number of points from 4 to 24. Got 'small'."),
        ({"size": 40}, "`figures.style.size` must be a number of points from 4 to 24. Got 40."),
        *(
            ({"width": no}, f"`figures.style.width` must be {WIDTHS_SENTENCE}. Got {no!r}.")
            for no in ("page", 2, 100, [1], True)
        ),
        ({"formats": ["svg"]}, "`figures.style.formats` must be [png] or [png,pdf]. Got ['svg']."),
        ({"formats": ["pdf"]}, "`figures.style.formats` must be [png] or [png,pdf]. Got ['pdf']."),
        ({"formats": []}, "`figures.style.formats` must be [png] or [png,pdf]. Got []."),
        (3, "`figures.style` must be {font, size, width, formats}. Got 3."),
    ],
)  # fmt: skip
def test_a_style_that_cannot_be_is_refused_in_one_sentence(told: Any, sentence: str) -> None:
    with pytest.raises(ValueError) as found:  # noqa: PT011, the sentence is compared whole
        figure_style({"figures": {"style": told}})
    assert str(found.value) == sentence


def test_a_run_from_before_there_were_styles_has_the_default(tmp_path: Path) -> None:
    config = configuration(tmp_path)
    assert figure_style(config) == FigureStyle()
    del config["figures"]
    assert figure_style(config) == figure_style(None) == FigureStyle()
    typed = {"figures.style.width": "column", "figures.style.font": None}
    assert figure_style(config, typed) == FigureStyle(width="column")


def test_the_style_of_its_pictures_makes_no_run_another(tmp_path: Path) -> None:
    one, other = configuration(tmp_path), configuration(tmp_path, "figures.style.font=serif")
    assert identity(one) == identity(other)


def test_training_and_analysis_draw_in_the_runs_style(tmp_path: Path) -> None:
    style = ["figures.style.width=column", "figures.style.formats=[png,pdf]"]
    folder, *_ = run(tmp_path / "run", "pictures=true", *style)
    names = {"progress", "spectrum", "spectra", "portrait", "test_set"}
    assert (
        {file.stem for file in folder.path.glob("*.png")} == {file.stem for file in folder.path.glob("*.pdf")} == names
    )
    report([str(folder.path), "figures=[norms]", "figures.style.formats=png"])
    assert not list((folder.path / "analysis").glob("*.pdf"))
    for file in (folder.path / "progress.png", folder.path / "analysis/norms.png"):
        with Image.open(file) as image:
            assert image.width == pytest.approx(8.5 / 2.54 * 300, abs=2)


# --- the picture of a run


def test_the_picture_of_a_run_has_lettered_panels_with_accuracy_and_chance(folder: RunFolder) -> None:
    figure = drawn(lambda: progress(folder))
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == ["losses", "accuracy", "restricted loss", "excluded loss", "sparsity", "squared weights"]
    assert set("abcdef") <= set(texts(figure))
    losses, accuracy, *_ = named(figure)[1:]
    assert f"chance, ln {P}" in losses
    assert accuracy == ["train pairs", "unseen pairs", "mirrored pairs"]
    (level,) = [line for line in figure.axes[0].lines if line.get_label() == f"chance, ln {P}"]
    assert level.get_ydata()[0] == pytest.approx(np.log(P))


@pytest.mark.parametrize("width", WIDTHS)
def test_no_legend_names_a_thing_twice_or_lies_on_curves_or_beyond_the_figure(folder: RunFolder, width: str) -> None:
    figure = drawn(lambda: progress(folder), FigureStyle(width=width))
    assert all(len(set(entries)) == len(entries) for entries in named(figure))
    page = figure.bbox
    for ax in figure.axes:
        if (legend := ax.get_legend()) is not None:
            box = legend.get_window_extent()
            assert box.y0 >= ax.bbox.y1
            assert page.x0 <= box.x0 < box.x1 <= page.x1


def test_steps_are_logarithmic_where_memorization_ends_in_the_first_tenth(folder: RunFolder) -> None:
    assert drawn(lambda: progress(folder)).axes[0].get_xscale() == "linear"
    early = {**GROKKED, "memorization_end": [20, 40]}
    ax = drawn(lambda: progress(folder, early)).axes[0]
    assert ax.get_xscale() == "log"
    assert ax.get_xlim()[0] == 20  # the first measurement after step 0, which has no place on it


def test_phases_are_numbered_above_and_named_once_below(folder: RunFolder) -> None:
    figure = drawn(lambda: progress(folder))
    assert named(figure)[0] == [f"{i} {phase}" for i, phase in enumerate(PHASES, 1)]
    above = [{text.get_text() for text in ax.texts} for ax in figure.axes]
    assert all({"1", "2", "3", "4"} <= found for found in above)


def test_a_run_that_generalized_while_fitting_and_one_that_memorized_have_the_phases_they_came_to() -> None:
    assert spans(DIRECT, 600) == spans({}, 600) == spans(dict.fromkeys(EVENTS), 600) == []
    assert spans(MEMORIZED, 600) == [(0, 0, 120), (1, 120, 600)]


@pytest.mark.parametrize("phases", [GROKKED, MEMORIZED, DIRECT, {}])
@pytest.mark.parametrize("rows", [1, None])
def test_a_run_is_drawn_whatever_became_of_it(folder: RunFolder, phases: Mapping[str, Any], rows: int | None) -> None:
    metrics, spectra = folder.read(folder.metrics)[:rows], folder.read(folder.spectra)[: rows and 2 * rows]
    bare = metrics.drop(columns=[name for name in metrics if "unseen" in str(name) or "W_L" in str(name)])
    diverged = metrics.assign(**{"loss/test": np.nan, "loss/train": np.inf, "accuracy/mirrored": np.nan})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn(lambda: progress_figure(metrics, folder.read(folder.final_keys)[:rows], phases, "", P))
        drawn(lambda: progress_figure(bare, pd.DataFrame(), phases, ""), FigureStyle(width="column"))
        drawn(lambda: progress_figure(diverged, pd.DataFrame(), phases, "", P))
        drawn(lambda: portrait_figure(metrics, phases, ""))
        drawn(lambda: test_set.pairs_figure(metrics, phases, "", P))
        drawn(lambda: spectrum_figure(spectra, [2, 5], ""))
        drawn(lambda: spectra_figure(spectra, [2, 5], phases, ""))
        drawn(lambda: spectra_figure(spectra[spectra["matrix"] == "W_E"], None, phases, ""))


@pytest.mark.parametrize("values", [(2.3, 2.6), (1.0, 9.0), (0.3, 20.0), (1e-7, 10.0)])
def test_a_logarithmic_axis_of_losses_has_numbers_however_little_it_spans(values: tuple[float, float]) -> None:
    metrics = pd.DataFrame({"step": [0, 10], "loss/train": values})
    ax = drawn(lambda: progress_figure(metrics, pd.DataFrame(), {}, "", P)).axes[0]
    low, high = ax.get_ylim()
    numbered = [label.get_text() for label in ax.get_yticklabels() if low <= label.get_position()[1] <= high]
    assert len([text for text in numbered if text]) >= 2


def test_the_lines_of_events_are_named_over_the_spectra(folder: RunFolder) -> None:
    figure = drawn(
        lambda: spectra_figure(folder.read(folder.spectra), [2, 5], GROKKED, ""), FigureStyle(width="column")
    )
    labels = {metric(f"events/{name}").label for name in EVENTS}
    boxes = [text.get_window_extent() for text in figure.findobj(Text) if text.get_text() in labels]
    assert len(boxes) == len(labels)
    assert not [1 for i, one in enumerate(boxes) for other in boxes[:i] if one.overlaps(other)]


def test_labels_that_are_near_are_moved_apart_and_others_stay() -> None:
    moved = apart([0.1, 0.5, 0.51, 0.99, 1.0], 0.05)
    assert np.diff(moved).min() >= 0.05 - 1e-3
    assert moved[0] == pytest.approx(0.1)
    assert max(moved) <= 1
    assert apart([], 0.1) == []
    assert apart([0.5, 0.2], 0.1) == [0.5, 0.2]


# --- what the test set hides


def test_what_the_test_set_hides_is_drawn_where_pairs_are_mirrored(folder: RunFolder) -> None:
    metrics = folder.read(folder.metrics)
    assert test_set.has_mirrored(metrics)
    assert not test_set.has_mirrored(metrics.drop(columns="loss/mirrored"))
    assert not test_set.has_mirrored(metrics.assign(**{"accuracy/mirrored": np.nan}))
    figure = drawn(lambda: test_set.pairs_figure(metrics, GROKKED, "", P))
    assert [ax.get_title() for ax in figure.axes] == ["accuracy", "loss", "key-free loss"]
    entries = named(figure)
    assert entries[1] == ["train pairs", "mirrored pairs", "unseen pairs"]
    assert entries[3] == ["over unseen pairs"]


def test_the_key_free_loss_over_all_test_pairs_stands_beside_that_over_unseen_ones(folder: RunFolder) -> None:
    metrics = folder.read(folder.metrics)
    history = pd.DataFrame({"step": [0, 300, 600], "symmetrized_loss_test": [2.0, 1, 0.1]})
    ax = drawn(lambda: test_set.pairs_figure(metrics, GROKKED, "", P, history)).axes[2]
    lines = {line.get_label(): list(line.get_ydata()) for line in ax.lines}
    assert lines["over all test pairs"] == [2, 1, 0.1]
    assert lines["over unseen pairs"] == metrics["progress/symmetrized_loss"].tolist()


# --- pictures of sweeps


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up_sweep(tmp_path_factory.mktemp("figures") / "sweep").path


@pytest.mark.parametrize("width", WIDTHS)
def test_the_legend_below_a_picture_of_a_sweep_is_never_cut_off(sweep: Path, width: str) -> None:
    table = sweep_table(sweep)
    for picture in (
        lambda: events_figure(table, "wd", ["train_fraction"]),
        lambda: phase_diagram(table, "train_fraction", "wd", []),
        lambda: curves_figure(sweep, table, swept(table), "wd"),
    ):
        figure = drawn(picture, FigureStyle(width=width))
        (legend,) = figure.legends
        box = legend.get_window_extent()
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0
        assert all(box.y1 <= ax.bbox.y0 for ax in figure.axes)


def test_the_phase_diagram_says_what_its_numbers_and_axes_are(sweep: Path) -> None:
    figure = drawn(lambda: phase_diagram(sweep_table(sweep), "train_fraction", "wd", []))
    assert "median step at which clean-up starts" in figure.legends[0].get_title().get_text()
    assert figure.axes[0].get_xlabel() == "training fraction"
    assert figure.axes[0].get_ylabel() == "weight decay"


def test_the_curves_of_a_sweep_tell_settings_apart_or_say_that_they_do_not(tmp_path: Path) -> None:
    settings = [
        {"optim.wd": wd, "data.p": p, "optim.lr": lr} for wd in (0, 1) for p in (11, 13) for lr in (0.001, 0.002)
    ]
    sweep = made_up_sweep(tmp_path / "sweep", settings)
    table = sweep_table(sweep.path)
    figure = drawn(lambda: curves_figure(sweep.path, table, swept(table), "wd"))
    assert named(figure)[0] == ["weight decay 0", "weight decay 1", "modulus $p$ 11", "modulus $p$ 13"]
    assert figure.legends[0].get_title().get_text() == "a line a run; not told apart: learning rate, seeds"
    looks = {(to_hex(line.get_color()), line.is_dashed()) for line in figure.axes[0].lines}
    assert len(looks) == 4


def test_step_0_is_not_drawn_on_a_logarithmic_axis(sweep: Path) -> None:
    table = sweep_table(sweep)
    figure = drawn(lambda: curves_figure(sweep, table, swept(table), "wd"))
    assert min(min(line.get_xdata()) for line in figure.axes[0].lines) == 20


def test_a_sweep_is_drawn_in_the_style_of_its_runs(sweep: Path) -> None:
    figure = Sweep(sweep).figure("curves")
    assert figure.get_size_inches()[0] == pytest.approx(17 / 2.54)


# --- pictures of networks


@pytest.mark.parametrize(
    "shape", [(), ("model.d_mlp=0",), ("model.n_layers=2",), ("data.operation=x2+xy+y2",), ("trainer.max_steps=1",)]
)
def test_every_network_is_drawn_as_far_as_it_has_parts(tmp_path: Path, shape: tuple[str, ...]) -> None:
    folder, *_ = run(tmp_path / "run", "model.n_heads=1", *shape)
    report([str(folder.path), "steps=all", "figures.style.width=column"])
    assert {"progress", "norms", "circles"} <= {file.stem for file in (folder.path / "analysis").glob("*.png")}
