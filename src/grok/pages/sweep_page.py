"""The page of a sweep: every run in one table, regimes and events against the settings, all curves over each other."""

import json
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
from rich.console import Console
from rich.progress import track

from grok.figures.palette import REGIME_COLOURS
from grok.loggers.wandb_history import run_url
from grok.measures.catalogue import METRICS
from grok.measures.phases import EVENTS, REGIME_WORDS
from grok.pages import sweep_data, sweep_groups
from grok.pages.axes import step_axis
from grok.pages.page import page, write_page
from grok.pages.record import Record
from grok.pages.run_page import run_page
from grok.pages.sweep_data import FINAL_CHOICES
from grok.runs.censoring import event_time, event_words
from grok.settings.pasting import command, from_here
from grok.sweep.table import SEEDS, sweep_table, swept

LARGE = 100  # runs: above, curves are thinned, all but those of FIRST lie in files beside the page, as do runs' pages
FIRST, CURVES = "loss/test", "report_curves"
MOST_VALUES, LEAST_STEPS = 20_000, 20  # of the curves of one measure
MOST_BANDS = 50  # groups of one grouping
SHOWN = ("accuracy/test", "accuracy/unseen", "loss/test")  # in every sweep's table; others by choice


def sweep_page(path: Path, console: Console, output: Path | None = None, all_pages: bool = False) -> Path:
    """Make `report.html` of the sweep, and of each of its runs that has measurements.

    Args:
        path: the sweep's folder.
        output: another folder to write to, the pages of runs below it.
        console: where progress is shown.
        all_pages: make the pages of runs also where there are more than `LARGE`.
    """
    table = sweep_table(path)
    records: dict[int, Record] = {}
    pages: dict[int, str] = {}
    notes: list[str] = []
    rows = [] if table.empty else list(zip(table["point"], table["run"], strict=True))
    with_pages = all_pages or len(rows) <= LARGE
    for point, run in track(rows, "runs", console=console, transient=True, disable=not console.is_terminal):
        try:
            records[point] = record = Record.of(path / run)
        except ValueError as error:
            if (path / run / "metrics.csv").exists():  # otherwise nothing is measured, so far
                notes.append(f"run {point}: {error}")
            continue
        notes += [f"run {point}: {note}" for note in record.notes]
        if with_pages:
            run_page(record, "../../report.html" if Path(run).parts[:1] == ("runs",) else None, output and output / run)
        if with_pages or ((output or path) / run / "report.html").exists():
            pages[point] = f"{quote(run)}/report.html"
    if not records:
        raise ValueError(f"The folder must be that of a sweep with measurements. No run of {path} has any.")
    if not with_pages:
        notes.append(
            f"The page of one run: {command('report', from_here(path / rows[0][1]))}; of all {len(rows):,}:"
            f" {command('report', from_here(path), 'pages=all')}"
        )
    table = sweep_data.up_to_date(table, records)
    return write_page((output or path) / "report.html", _text(path, table, records, pages, notes, output or path))


def _text(
    path: Path,
    table: pd.DataFrame,
    records: dict[int, Record],
    pages: dict[int, str],
    notes: list[str],
    output: Path,
) -> str:
    settings = swept(table)
    seeds = [name for name in SEEDS if name in table and table[name].nunique() > 1]
    seeds = [name for name in seeds if name == seeds[0] or not table[name].equals(table[seeds[0]])]
    groupings = {"regime": sweep_groups.by_regime(table), **sweep_groups.groupings(table, settings)}
    large = len(records) > LARGE
    if large:
        groupings = {name: groups for name, groups in groupings.items() if len(groups) <= MOST_BANDS}
    lines = sweep_data.all_lines(records, max(LEAST_STEPS, MOST_VALUES // len(records)) if large else None)
    measures = {
        name: {
            "curves": sweep_data.run_curves(own),
            "bands": {by: sweep_data.bands(own, groups) for by, groups in groupings.items()},
        }
        for name, own in lines.items()
    }
    beside = [name for name in measures if name != FIRST] if large else []
    for name in beside:
        text = f"received({json.dumps(name)}, {json.dumps(measures.pop(name))});\n"
        write_page(output / CURVES / f"{name.replace('/', '_')}.js", text)
    finals = {int(point): sweep_data.final_values(records.get(int(point))) for point in table["point"]}
    ends = sweep_data.portrait_ends(records)
    data: dict[str, Any] = {
        "runs": sweep_data.run_entries(table, settings, pages),
        "settings": {name: sweep_groups.values(table, name) for name in settings},
        "events": sweep_data.event_choices(table),
        "medians": sweep_data.medians(table, settings),
        "regimes": REGIME_COLOURS,
        "measures": measures,
        "beside": {name: f"{CURVES}/{quote(name.replace('/', '_'))}.js" for name in beside},
        "groupings": groupings,
        "steps": step_axis(x for record in records.values() for x in record.metrics["step"]),
        "finals": finals,
        "ends": ends,
        "metrics": sweep_data.metric_choices(records.values()),
    }
    return page(
        "sweep.html",
        ("page.js", "table.js", "sweep.js"),
        title=path.absolute().name,
        source=path.absolute().name,
        notes=notes,
        data=data,
        rows=[row for _, row in table.iterrows()],
        event_time=event_time,
        event_words=event_words,
        pages=pages,
        finals=finals,
        shown=[METRICS[name] for name in SHOWN],
        choices=[METRICS[name] for name in FINAL_CHOICES if any(name in final for final in finals.values())],
        curves_beside=CURVES,
        portraits=bool(ends),
        settings=settings,
        seeds=seeds,
        events=[METRICS[f"events/{name}"] for name in EVENTS],
        event_names=EVENTS,
        statuses=Counter(table["status"]),
        regimes=Counter(regime for regime in table["regime"] if isinstance(regime, str)),
        regime_words=REGIME_WORDS,
        records=records,
        wandb={point: run_url(record.folder) for point, record in records.items()},
    )
