"""Write the tables of the docs into their pages, from the claims and from docs/results: python docs/tables.py."""

import math
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from grok.claims.claim import Claim
from grok.claims.statements import CLAIMS

DOCS = Path(__file__).parent
TEST_SET_41 = (100, 300, 500, 800, 1000, 1200, 1800, 2900)
TEST_SET_113 = (160, 480, 1100, 1900, 2700, 3500, 4300, 5100, 5900, 6700)


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


def mainlines() -> str:
    """The runs of the mainline, one a row, events by the step at which they are known."""
    runs = pd.read_csv(DOCS / "results/mainlines.csv")
    head = ("seeds", "memorization ends", "clean-up starts", "generalized", "stable", "steps", "key frequencies")
    more = ("squared weights", "loss on unseen pairs")

    def row(run: pd.Series) -> list[str]:
        names = ("memorization_end", "cleanup_start", "generalized", "stable")
        events = [f"> {run['steps']:,.0f}" if math.isnan(run[name]) else f"{run[name]:,.0f}" for name in names]
        ends = [f"{run['progress/sum_squared_weights']:.0f}", f"{run['loss/unseen']:.2g}"]
        return [str(run["seed"]), *events, f"{run['steps']:,.0f}", run["key_frequencies"], *ends]

    return rows([(*head, *more), *(row(run) for _, run in runs.iterrows())])


def mainline_claims() -> str:
    """Every claim for each of those runs; bold where it does not hold."""
    claims = pd.read_csv(DOCS / "results/mainline_claims.csv")
    runs = list(dict.fromkeys(claims["run"]))
    paper = {claim.id: claim.paper.words for claim in CLAIMS}
    table = [("id", "the paper", *(_seeds(run) for run in runs))]
    for name, of_claim in claims.groupby("id", sort=False):
        cells = [f"**{x}**" if holds is False or holds == "False" else x for x, holds in _cells(of_claim, runs)]
        table.append((str(name), paper[str(name)], *cells))
    verdicts = (
        claims[claims["holds"].notna()].assign(holds=claims["holds"].astype(str) == "True").groupby("run")["holds"]
    )
    table.append(("**hold**", "", *(f"{verdicts.sum()[run]} of {verdicts.size()[run]}" for run in runs)))
    return rows(table)


def _seeds(run: str) -> str:
    return "seeds 0, 40,000 steps" if run == "mainline_40000" else f"seeds {int(run.partition('_')[0])}"


def _cells(of_claim: pd.DataFrame, runs: Iterable[str]) -> list[tuple[str, object]]:
    by_run = of_claim.set_index("run")
    return [(by_run.loc[run, "here"], by_run.loc[run, "holds"]) for run in runs]


def test_set(file: str, steps: Iterable[int]) -> str:
    """What trained, mirrored and unseen pairs say at kept steps of a run, by the keys of its final network."""
    history = pd.read_csv(DOCS / "results" / file).set_index("step")
    head = ("step", "test", "mirrored", "unseen", "key-free", "key-free excluded", "restricted", "excluded")

    def row(step: int) -> list[str]:
        now = history.loc[step]
        ours = ("symmetrized_loss", "symmetrized_excluded_loss")
        return [
            f"{step:,}",
            *(
                f"{now[f'{pairs}_accuracy']:.3f} / {now[f'{pairs}_loss']:.2g}"
                for pairs in ("test", "mirrored", "unseen")
            ),
            *(f"{now[f'{name}_test']:.2g} / {now[name]:.2g}" for name in ours),
            f"{now['restricted_loss']:.2g} / {now['restricted_loss_held_out']:.2g}",
            f"{now['excluded_loss']:.2g}",
        ]

    nearest = dict.fromkeys(min(history.index, key=lambda kept, step=step: abs(kept - step)) for step in steps)
    return rows([head, *map(row, nearest)])


TABLES: dict[str, tuple[str, Callable[[], str]]] = {
    "claims": ("analysis.md", claims),
    "quick sweep": ("sweeps.md", quick_sweep),
    "mainlines": ("runs.md", mainlines),
    "mainline claims": ("analysis.md", mainline_claims),
    "test set 41": ("measures.md", lambda: test_set("p41_history.csv", TEST_SET_41)),
    "test set 113": ("measures.md", lambda: test_set("p113_history.csv", TEST_SET_113)),
}


def with_table(page: str, name: str) -> str:
    """The text of a page with that table between its two marks."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, rest = page.split(begin)
    return f"{before}{begin}{TABLES[name][1]()}{end}{rest.split(end)[1]}"


if __name__ == "__main__":
    for name, (page, _) in TABLES.items():
        (DOCS / page).write_text(with_table((DOCS / page).read_text(), name))
