"""Write the tables of the docs into their pages, from the claims and from docs/results: python docs/tables.py."""

import math
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from grok.claims.claim import Claim
from grok.claims.statements import CLAIMS

DOCS = Path(__file__).parent


def rows(cells: Iterable[Iterable[str]]) -> str:
    """Rows of a table; the first is its head."""
    head, *body = [[cell.replace("|", "\\|") for cell in row] for row in cells]
    return "".join("| " + " | ".join(row) + " |\n" for row in (head, ["---"] * len(head), *body)).replace(
        " --- ", "---"
    )


def claims() -> str:
    """Every claim with the paper's number and its level, and how many they are."""
    head = ("id", "§", "Claim", "the paper", "holds from", "by which rule")

    def row(claim: Claim) -> tuple[str, ...]:
        return claim.id, claim.section, claim.statement, claim.paper.words, claim.criterion, claim.level.why

    return f"{len(CLAIMS)} claims:\n\n{rows([head, *map(row, CLAIMS)])}"


def quick_sweep() -> str:
    """Both seeds of each point of the sweep of docs/sweeps.md."""
    head = ("p", "fraction", "wd", "regime", "clean-up starts", "generalized", "test accuracy", "unseen accuracy")
    runs = pd.read_csv(DOCS / "results/quick_sweep.csv")
    points = runs.groupby(["p", "train_fraction", "wd"])
    return rows([head, *([f"{x:g}" for x in point] + _of_both(seeds) for point, seeds in points)])


def _of_both(seeds: pd.DataFrame) -> list[str]:
    def events(name: str) -> Iterable[str]:
        return (f"> {n:,}" if math.isnan(x) else f"{x:,.0f}" for n, x in zip(seeds["steps"], seeds[name], strict=True))

    def shares(name: str) -> Iterable[str]:
        return (f"{x:.0%}" for x in seeds[name])

    columns = (seeds["regime"], events("cleanup_start"), events("generalized"))
    accuracies = (shares("accuracy/test"), shares("accuracy/unseen"))
    return [" · ".join(dict.fromkeys(column)) for column in (*columns, *accuracies)]


TABLES: dict[str, tuple[str, Callable[[], str]]] = {
    "claims": ("analysis.md", claims),
    "quick sweep": ("sweeps.md", quick_sweep),
}


def with_table(page: str, name: str) -> str:
    """The text of a page with that table between its two marks."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, rest = page.split(begin)
    return f"{before}{begin}{TABLES[name][1]()}{end}{rest.split(end)[1]}"


if __name__ == "__main__":
    for name, (page, _) in TABLES.items():
        (DOCS / page).write_text(with_table((DOCS / page).read_text(), name))
