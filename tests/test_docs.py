"""The docs say what the code and the committed results say."""

import runpy
from pathlib import Path

import pandas as pd
import pytest

from grok.claims.statements import CLAIMS

DOCS = Path(__file__).parents[1] / "docs"
MADE = runpy.run_path(str(DOCS / "tables.py"))


@pytest.mark.parametrize("name", MADE["TABLES"])
def test_every_table_in_the_docs_is_the_one_that_its_source_gives(name: str) -> None:
    page = (DOCS / MADE["TABLES"][name][0]).read_text()
    assert page == MADE["with_table"](page, name)  # else: python docs/tables.py


def test_the_table_of_the_claims_says_of_each_from_where_it_holds() -> None:
    table = MADE["claims"]().replace("\\|", "|")
    for claim in CLAIMS:
        cells = (claim.id, claim.section, claim.statement, claim.paper.words, claim.criterion, claim.level.why)
        assert f"| {' | '.join(cells)} |" in table


def test_an_event_that_did_not_come_is_censored_in_the_table_never_given_a_number() -> None:
    runs = pd.read_csv(DOCS / "results/quick_sweep.csv")
    never = runs[runs["generalized"].isna()]
    assert len(never) > 0
    rows = [row for row in MADE["quick_sweep"]().splitlines() if "memorized" in row]
    assert len(rows) == len(never) / 2
    assert all(row.count("> 15,000") == 2 for row in rows)
