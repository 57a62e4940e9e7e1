from pathlib import Path

import pytest
import torch
from runs import configuration, run

from grok.runs.resume import resumed_config
from grok.runs.schedule import Schedule
from grok.sweep.identity import identity


def steps(schedule: Schedule) -> list[int]:
    found = [0]
    while found[-1] < schedule.max_steps:
        found.append(schedule.following(found[-1]))
    return found


def test_the_default_is_dense_at_first() -> None:
    found = steps(Schedule(100, 10, 500, 950))
    assert found == [*range(0, 501, 10), 600, 700, 800, 900, 950]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Schedule(7, 3, 10, 20), [0, 3, 6, 9, 14, 20]),  # no multiple of 3 up to 10 after 9; then multiples of 7
        (Schedule(5, 10, 20, 12), [0, 5, 10, 12]),  # never sparser at first than later
        (Schedule(100, 10, 0, 50), [0, 50]),
        (Schedule(1, 1, 0, 3), [0, 1, 2, 3]),
    ],
)
def test_boundaries_are_exact(schedule: Schedule, expected: list[int]) -> None:
    assert steps(schedule) == expected


def test_a_regular_step_does_not_depend_on_the_length_of_the_run() -> None:
    short, long = Schedule(100, 10, 500, 950), Schedule(100, 10, 500, 10_000)
    for step in range(0, 951):
        assert short.is_regular(step) == long.is_regular(step) == (step in steps(long))


def test_steps_that_are_asked_for_are_measured_besides() -> None:
    schedule = Schedule(100, 10, 20, 300, at=(45, 100, 299))
    assert steps(schedule) == [0, 10, 20, 45, 100, 200, 299, 300]
    assert schedule.is_regular(45)
    assert not schedule.is_regular(46)
    assert schedule.due(0, 300, [0, 10, 20, 100, 200, 300]) == [0, 10, 20, 100, 200, 300]  # asked for afterwards
    with pytest.raises(ValueError, match=r"`snapshots.at` must list steps up to `trainer.max_steps`, 300. Got 301."):
        Schedule(100, 10, 20, 300, at=(301,))
    with pytest.raises(ValueError, match=r"`snapshots.at` must be a whole number of steps each, 0 or more. Got 'x'."):
        Schedule(100, 10, 20, 300, at=("x",))  # type: ignore[arg-type]


def test_a_run_keeps_the_snapshots_it_is_asked_for_and_trains_the_same(tmp_path: Path) -> None:
    plain, *_ = run(tmp_path / "plain")
    asked, *_ = run(tmp_path / "asked", "snapshots.keep=4", "snapshots.at=[17,33]")
    assert {17, 33} <= set(asked.snapshots())
    assert asked.read(asked.metrics)["step"].tolist() == [0, 5, 10, 17, 20, 33, 40, 50]
    one, other = plain.load_snapshot(50), asked.load_snapshot(50)
    assert all(torch.equal(one[name], other[name]) for name in one)
    longer, *_ = run(tmp_path / "asked", f"resume={asked.path}", "trainer.max_steps=60", "snapshots.at=[17,25,33,55]")
    assert 55 in longer.snapshots()
    assert longer.read(longer.metrics)["step"].tolist()[-2:] == [55, 60]


def test_steps_asked_for_when_a_run_goes_on_are_added_to_those_it_had(tmp_path: Path) -> None:
    asked, *_ = run(tmp_path / "asked", "snapshots.at=[17]")
    config = configuration(tmp_path / "asked", f"resume={asked.path}", "snapshots.at=[55]", "trainer.max_steps=60")
    wanted = resumed_config(config, [f"resume={asked.path}", "snapshots.at=[55]", "trainer.max_steps=60"])
    assert wanted.snapshots.at == [17, 55]


def test_a_sweep_knows_its_points_whether_they_could_ask_for_snapshots_or_not(tmp_path: Path) -> None:
    config = configuration(tmp_path / "run")
    before = identity(config)
    del config.snapshots["at"]
    assert identity(config) == before


def test_going_on_from_the_middle_of_a_block_meets_the_same_boundary() -> None:
    schedule = Schedule(100, 10, 500, 10_000)
    assert schedule.following(1_234) == schedule.following(1_200) == 1_300


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ((0, 10, 500, 100), "`measure_every` must be a whole number of steps, 1 or more. Got 0."),
        ((100, 0, 500, 100), "`measure_early.every` must be a whole number of steps, 1 or more. Got 0."),
        ((100, 10, -1, 100), "`measure_early.until` must be a whole number of steps, 0 or more. Got -1."),
        ((100, 10, 500, 0), "`trainer.max_steps` must be a whole number of steps, 1 or more. Got 0."),
    ],
)
def test_schedules_that_cannot_be_are_refused(values: tuple[int, int, int, int], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Schedule(*values)
