import itertools
import math
import random
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
import pytest
from omegaconf import OmegaConf
from runs import configuration

from grok.runs.censoring import event_times, median_step
from grok.runs.files import write_text
from grok.sweep import table
from grok.sweep.folder import Point, Sweep, SweepFolder
from grok.sweep.table import sweep_table, swept

NAN = math.nan


def made_up(path: Path, points: list[tuple[list[str], dict[str, Any]]]) -> Path:
    """A sweep folder whose runs have these overrides and summaries."""
    folder, listed = SweepFolder(path), []
    for number, (overrides, summary) in enumerate(points):
        settings = dict(override.split("=") for override in overrides)
        point = Point(number, settings, str(number), f"runs/{number:03d}")
        config = configuration(path / point.run, *overrides)
        write_text(folder.config_file(point), OmegaConf.to_yaml(config))
        if summary:
            folder.run_folder(point).write_summary(**summary)
        listed.append(point)
    folder.write(Sweep(points=listed))
    return path


def grokked(fitted: int, cleanup: int, generalized: int, steps: int) -> dict[str, Any]:
    phases = {
        "fitted": [fitted - 10, fitted],
        "memorization_end": [fitted, fitted + 20],
        "cleanup_start": [cleanup - 10, cleanup],
        "generalized": [generalized - 10, generalized],
        "stable": None,
    }
    final = {"loss/test": 0.25, "regime": 5.0}
    return {
        "status": "finished",
        "regime": "grokked",
        "steps": steps,
        "phases": phases,
        "key_frequencies": [1, 4],
        "final": final,
    }


MEMORIZED = {
    "status": "finished",
    "regime": "memorized",
    "steps": 900,
    "phases": {
        "fitted": [20, 30],
        "memorization_end": None,
        "cleanup_start": None,
        "generalized": None,
        "stable": None,
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    points: list[tuple[list[str], dict[str, Any]]] = [
        (["optim.wd=1", "seed=0"], grokked(100, 300, 400, 900)),
        (["optim.wd=1", "seed=1"], grokked(80, 500, 600, 900)),
        (["optim.wd=0", "seed=0"], MEMORIZED),
        (["optim.wd=0", "seed=1"], {"status": "failed"}),
        (["optim.wd=2", "seed=0"], {}),
    ]
    return made_up(tmp_path / "sweep", points)


def test_every_point_has_a_row_whatever_became_of_it(folder: Path) -> None:
    table = sweep_table(folder)
    assert table["status"].tolist() == ["finished", "finished", "finished", "failed", "pending"]
    assert table["wd"].tolist() == [1, 1, 0, 0, 2]
    assert table["p"].tolist() == [11] * 5
    first = table.iloc[0]
    assert (first["cleanup_start_after"], first["cleanup_start"], first["delay"]) == (290, 300, 4.0)
    assert (first["regime"], first["key_frequencies"], first["loss/test"]) == ("grokked", "1 4", 0.25)
    assert table["generalized"].isna().tolist() == [False, False, True, True, True]


def test_the_settings_that_vary_are_named_without_the_seeds(folder: Path) -> None:
    assert swept(sweep_table(folder)) == ["wd"]


def test_a_run_that_ended_before_an_event_is_censored_and_one_that_never_ran_is_left_out(folder: Path) -> None:
    times = event_times(sweep_table(folder), "cleanup_start")
    assert times["point"].tolist() == [0, 1, 2]
    assert times["step"].tolist()[:2] == [300, 500]
    assert times["step"].isna().tolist() == [False, False, True]
    assert times["censored_at"].iloc[2] == 900


def test_memorization_cannot_end_any_more_once_clean_up_has_started() -> None:
    table = pd.DataFrame(
        {"steps": [50.0, 50.0, 50.0], "memorization_end": [NAN, NAN, 20.0], "cleanup_start": [9.0, NAN, 30.0]}
    )
    assert event_times(table, "memorization_end")["step"].isna().tolist() == [True, False]
    assert len(event_times(table, "cleanup_start")) == 3


def test_without_censoring_the_median_is_the_median() -> None:
    draw = random.Random(0)
    for n in range(1, 9):
        steps = [float(draw.randrange(1, 1000)) for _ in range(n)]
        assert median_step(steps, [1000.0] * n) == pytest.approx(median(steps))


def test_the_median_with_censored_runs_is_what_every_completion_of_them_agrees_on() -> None:
    """Runs censored at the end may have had their event at any later step: where all of these have one median, it is
    that; where they differ, there is none."""
    for n, censored in itertools.product(range(1, 8), range(8)):
        if censored > n:
            continue
        came = [10.0 * (i + 1) for i in range(n - censored)]
        soon, late = ([*came, *[value] * censored] for value in (100.0, 1e6))
        found = median_step([*came, *[NAN] * censored], [100.0] * n)
        if median(soon) == median(late) < 100:
            assert found == median(soon)
        else:
            assert math.isnan(found)


def test_a_run_censored_early_counts_only_until_then() -> None:
    # S falls to 2/3 at 10; one is censored at 15; the last, alone at risk, takes it to 0 at 20
    assert median_step([10.0, NAN, 20.0], [99.0, 15.0, 99.0]) == 20
    assert math.isnan(median_step([10.0, NAN, NAN], [99.0, 15.0, 99.0]))
    assert math.isnan(median_step([], []))


def test_the_command_writes_the_table_and_pictures(folder: Path) -> None:
    command = [sys.executable, "-m", "grok.collect", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert pd.read_csv(folder / "runs.csv")["point"].tolist() == [0, 1, 2, 3, 4]
    for name in ("curves.png", "events_by_wd.png"):
        assert (folder / name).stat().st_size > 10_000
    assert all(words in done.stdout for words in ("grokked", "> 900", "failed", "pending"))


DAMAGES = [
    ("points/002.yaml", "a: [", "points/002.yaml: cannot be read as YAML: expected"),
    ("points/002.yaml", "a: 1", "points/002.yaml: "),
    ("points/002.yaml", "- 1", "points/002.yaml: cannot be read as YAML: must hold settings by name"),
    ("points/002.yaml", "", "points/002.yaml: cannot be read as YAML: must hold settings by name"),
    ("points/002.yaml", "3", "points/002.yaml: cannot be read as YAML: must hold settings by name"),
    ("points/002.yaml", None, "points/002.yaml: is missing"),
    ("runs/002/summary.json", "{", "runs/002/summary.json: cannot be read as JSON: Expecting property name"),
    (
        "runs/002/summary.json",
        '{"status": "finished", "phases": 3}',
        "runs/002/summary.json: cannot be read as JSON: 'int' object",
    ),
    (
        "runs/002/summary.json",
        '{"status": "finished", "phases": {"fitted": [1]}}',
        "runs/002/summary.json: cannot be read as JSON: not enough",
    ),
    ("output/002.json", "{", "output/002.json: cannot be read as JSON: Expecting property name"),
]


@pytest.mark.parametrize(("file", "text", "words"), DAMAGES)
def test_a_damaged_file_is_named_in_the_row_of_its_point(folder: Path, file: str, text: str | None, words: str) -> None:
    whole = sweep_table(folder)
    damaged = folder / file
    if text is None:
        damaged.unlink()
    else:
        write_text(damaged, text)
    table = sweep_table(folder)
    assert table["status"].tolist() == ["finished", "finished", "damaged", "failed", "pending"]
    assert table["reason"][2].startswith(words)
    assert list(table.columns[:30]) == list(whole.columns[:30])
    assert swept(table) == ["wd"]
    assert len(event_times(table, "fitted")) == 2
    for number in (0, 1, 3, 4):
        assert table.loc[number].dropna().to_dict() == whole.loc[number].dropna().to_dict()


@pytest.mark.parametrize("pictures", ["true", "false"])
def test_the_command_collects_the_runs_beside_a_damaged_one(folder: Path, pictures: str) -> None:
    (folder / "points/000.yaml").write_text("a: [")
    (folder / "runs/002/summary.json").write_text("{")
    command = [sys.executable, "-m", "grok.collect", str(folder), f"pictures={pictures}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert all(words in done.stdout for words in ("damaged", "grokked", "failed"))
    assert pd.read_csv(folder / "runs.csv")["status"].tolist().count("damaged") == 2


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"x": "p"}, "`x` must be a setting that the sweep varies, which is wd. Got p."),
        (
            {"x": "", "y": "", "colour": "seed"},
            "`colour` must be a setting that the sweep varies, which is wd. Got seed.",
        ),
    ],
)
def test_pictures_are_drawn_over_what_varies(typed: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        table.axes(["wd"], **typed)
    assert table.axes(["p", "wd"], x="wd") == {"x": "wd", "y": "p", "colour": "wd"}
    assert table.axes([]) == {"x": None, "y": None, "colour": None}


def test_a_folder_that_is_no_sweep_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="`sweep` must be the folder of a sweep, with a sweep.json of this project."):
        sweep_table(tmp_path)
    (tmp_path / "sweep.json").write_text('{"points": 3')
    with pytest.raises(ValueError, match="`sweep` must be the folder of a sweep, with a sweep.json of this project."):
        sweep_table(tmp_path)
