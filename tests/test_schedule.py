import pytest

from grok.runs.schedule import Schedule


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
