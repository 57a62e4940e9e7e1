import math
from pathlib import Path

import pandas as pd
import pytest
import torch

from grok.runs.files import write_text
from grok.runs.folder import RunFolder, kept_steps


def test_rows_read_back_exactly_and_nan_is_empty(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    values = [0.1 + 0.2, 1e-300, 2.4122e-7, math.nan]
    for step, value in enumerate(values):
        folder.append(folder.metrics, {"step": step, "loss/train": value})
    found = folder.read(folder.metrics)["loss/train"].tolist()
    assert found[:3] == values[:3]
    assert math.isnan(found[3])
    assert folder.metrics.read_text().endswith("3,\n")


def test_a_new_column_keeps_the_rows_before_it(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.append(folder.metrics, {"step": 0, "a": 0.1})
    folder.append(folder.metrics, {"step": 1, "a": 0.2, "b": 0.3})
    table = folder.read(folder.metrics)
    assert table["a"].tolist() == [0.1, 0.2]
    assert table["b"].iloc[1] == 0.3


def test_a_line_cut_short_is_left_out_and_said(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.metrics.write_text("step,a\n0,0.5\n1,0.")
    with pytest.warns(UserWarning, match="metrics.csv ends in a line that was cut short; read up to there."):
        assert folder.read(folder.metrics)["step"].tolist() == [0]


def test_cutting_back_drops_later_rows_and_snapshots(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for step in (0, 10, 20):
        folder.append(folder.metrics, {"step": step, "keys": "3 5"})
        folder.save_snapshot(step, {"w": torch.full((2,), float(step))})
    folder.truncate_after(10)
    assert folder.read(folder.metrics)["step"].tolist() == [0, 10]
    assert folder.read(folder.metrics)["keys"].tolist() == ["3 5", "3 5"]
    assert list(folder.snapshots()) == [0, 10]
    assert torch.equal(folder.load_snapshot(10)["w"], torch.full((2,), 10.0))


def test_a_snapshot_takes_four_bytes_a_parameter(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.save_snapshot(0, {"w": torch.zeros(100, 1000)})
    assert folder.snapshot_at(0).stat().st_size == pytest.approx(400_000, abs=500)


def test_replacing_leaves_no_half_written_file(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "one")
    write_text(tmp_path / "a.txt", "two")
    assert (tmp_path / "a.txt").read_text() == "two"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_the_summary_keeps_what_is_not_replaced(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write_summary(status="running", wandb_id="x")
    folder.write_summary(status="finished", steps=3)
    assert folder.summary() == {"status": "finished", "wandb_id": "x", "steps": 3}


def test_at_most_so_many_snapshots_stay_with_the_ends_and_the_events_among_them() -> None:
    steps = [*range(0, 501, 10), *range(600, 40_001, 100)]
    events = [(130, 140), (900, 1100), (6500, 6600)]
    kept = kept_steps(steps, events, 60)
    assert len(kept) == 60
    assert {0, 40_000, 130, 140, 900, 1100, 6500, 6600} <= set(kept)
    late = [s for s in kept if s >= 4000]
    assert 10 <= len(late) <= 35  # geometric: neither all early nor all late
    assert kept_steps(steps[:20], [], 60) == steps[:20]


def test_half_of_the_snapshots_between_lie_from_the_end_of_memorization_to_generalization() -> None:
    steps = [*range(0, 501, 10), *range(600, 7_401, 100)]
    events = [(80, 90), (600, 700), (1400, 1500), (3600, 3700)]
    before = kept_steps(steps, events, 60)
    kept = kept_steps(steps, events, 60, dense=(600, 3700))
    assert len(before) == len(kept) == 60
    within = [len([s for s in chosen if 600 <= s <= 3700]) for chosen in (before, kept)]
    assert within[1] >= 26 > 1.5 * within[0]
    assert len([s for s in kept if s < 370]) >= 12
    assert {0, 80, 90, 600, 700, 1400, 1500, 3600, 3700, 7400} <= set(kept)


def test_snapshots_that_were_asked_for_are_kept_of_the_same_number() -> None:
    kept = kept_steps([*range(0, 1001, 10)], [], 20, dense=(500, 700), asked=[30, 110, 115])
    assert len(kept) == 20
    assert {30, 110} <= set(kept)


def test_a_run_that_was_thinned_before_is_thinned_no_further() -> None:
    steps = sorted(kept_steps([*range(0, 7_401, 10)], [], 60))
    assert kept_steps(steps, [], 60, dense=(600, 3700)) == steps


def test_an_empty_folder_holds_no_run(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "none")
    assert not folder.holds_a_run
    assert folder.summary() == {}
    folder.append(folder.metrics, {"step": 0})
    assert folder.holds_a_run
    assert isinstance(folder.read(folder.metrics), pd.DataFrame)
