"""What is known of an event that some runs ended before."""

import itertools
import math
from statistics import median

import pandas as pd
import pytest

from grok.figures.sweep import phase_diagram
from grok.runs.censoring import Time, event_row, event_time, event_words, median_time
from grok.sweep.overview import _step

NAN = math.nan
ROWS = {  # steps, memorization_end, cleanup_start
    "came": ((600, 100, 300), "100", "between 80 and 100"),
    "not yet": ((10_000, NAN, NAN), "> 10,000", "not within 10,000 steps"),
    "cannot come any more": ((600, NAN, 300), None, ""),
    "never ran": ((NAN, NAN, NAN), None, ""),
    "never ran, by the table of JSON": ((None, None, None), None, ""),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_is_known_of_an_event_is_the_same_in_table_page_and_words(name: str) -> None:
    (steps, end, start), written, words = ROWS[name]
    row = pd.Series(
        {"steps": steps, "memorization_end": end, "memorization_end_after": 80, "cleanup_start": start}, dtype=object
    )
    time = event_time(row, "memorization_end")
    assert (None if time is None else str(time)) == written
    assert _step(row, "memorization_end") == (written or "")
    assert event_words(row, "memorization_end") == words


def test_a_run_that_generalized_while_fitting_is_not_said_to_end_memorization_later() -> None:
    row = event_row({"fitted": (20, 40), "memorization_end": None, "cleanup_start": (0, 10), "generalized": None}, 600)
    words = {name: event_words(row, name) for name in ("fitted", "memorization_end", "cleanup_start", "generalized")}
    assert words == {
        "fitted": "between 20 and 40",
        "memorization_end": "",
        "cleanup_start": "between 0 and 10",
        "generalized": "not within 600 steps",
    }


def test_a_median_beyond_what_was_seen_is_the_least_that_the_runs_to_come_can_make_it() -> None:
    for n, censored in itertools.product(range(1, 8), range(1, 8)):
        if censored > n:
            continue
        came = [10.0 * (i + 1) for i in range(n - censored)]
        soon, late = (median([*came, *[value] * censored]) for value in (100.0, 1e6))
        found = median_time([*came, *[NAN] * censored], [100.0] * n)
        assert found == Time(soon, censored=soon != late)


def test_a_run_that_went_on_after_its_event_does_not_say_how_long_others_lacked_theirs() -> None:
    found = median_time([100, NAN, NAN], [10_000, 500, 500])
    assert str(found) == "> 500"
    assert median_time([], []) is None


def test_the_phase_diagram_writes_the_median_so() -> None:
    rows = [(0, NAN, 900.0), (1, 300.0, 900.0)]
    table = pd.DataFrame(
        [
            {"wd": wd, "train_fraction": 0.3, "seed": 0, "regime": "grokked", "cleanup_start": start, "steps": steps}
            for wd, start, steps in rows
        ]
    )
    figure = phase_diagram(table, "wd", "train_fraction", [])
    assert [text.get_text() for text in figure.axes[0].texts] == ["> 900", "300"]
