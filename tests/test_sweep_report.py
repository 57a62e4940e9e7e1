"""What a sweep prints while it runs, and what sweep.json says meanwhile."""

import json
import re
import signal
from pathlib import Path

import pytest
from rich.console import Console

from grok.sweep import report as module
from grok.sweep.folder import Point, Sweep, SweepFolder
from grok.sweep.report import Report


@pytest.fixture
def folder(tmp_path: Path) -> SweepFolder:
    folder = SweepFolder(tmp_path)
    folder.write(Sweep(points=[Point(n, {"optim.wd": n}, str(n), f"runs/{n:03d}") for n in range(40)]))
    (tmp_path / "output").mkdir()
    return folder


def end(folder: SweepFolder, report: Report, point: Point, status: str) -> None:
    folder.run_folder(point).write_summary(status=status)
    folder.ended(point, 0 if status == "finished" else 1)
    report.ended(point, status)


def test_an_end_is_said_once_and_a_line_a_minute_says_how_far_all_are(
    folder: SweepFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    report, points = Report(folder), folder.read().points
    with report.following(points, at_once=2):
        for point in points[:2]:
            folder.began(point)
            report.began(point)
        now[0] += 30
        report.wait()
        assert capsys.readouterr().out == ""
        end(folder, report, points[0], "finished")
        end(folder, report, points[1], "failed")
        folder.began(points[2])
        report.began(points[2])
        now[0] += 31
        report.wait()
        report.wait()
    first, second, third = capsys.readouterr().out.splitlines()
    assert (first, second) == ("000  optim.wd=0  finished", "001  optim.wd=1  failed")
    # one ran for 30 s: 37 to come and what is left of one, two at once
    assert third == "2 of 40 points done (1 not finished), 1 running, about 9.2 min left: 002 starts"


def test_what_it_costs_to_hear_of_a_point_does_not_grow_with_their_number(
    folder: SweepFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    write, read = SweepFolder.write, SweepFolder.read
    now = [1000.0]

    def slow(self: SweepFolder, sweep: Sweep) -> None:
        now[0] += 0.5  # a slow disk
        written.append(len(sweep.points))
        write(self, sweep)

    def outcomes(self: SweepFolder) -> list[Point]:
        raise AssertionError("every point was read")

    points = read(folder).points
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(SweepFolder, "write", slow)
    monkeypatch.setattr(SweepFolder, "points", outcomes)
    report = Report(folder)
    with report.following(points, at_once=2):
        for point in points:
            folder.began(point)
            report.began(point)
            now[0] += 1
            end(folder, report, point, "finished")
            report.wait()
        assert len(written) == 1  # for 80 events in 40 seconds
        now[0] += 60
        report.wait()
    statuses = {point["status"] for point in json.loads(folder.file.read_text())["points"]}
    assert (len(written), statuses) == (2, {"finished"})


def test_ctrl_c_is_told_from_a_signal(folder: SweepFolder, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(folder)
    report.told(signal.SIGINT)
    report.told(signal.SIGTERM)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("Ctrl-C: no further point starts")
    assert second.startswith("SIGTERM: no further point starts")


def test_a_terminal_has_one_table_that_lives(folder: SweepFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REFRESH", 0.0)
    report, points = Report(folder), folder.read().points
    report._console = Console(force_terminal=True, width=80, height=10, legacy_windows=False, _environ={})
    with report._console.capture() as captured, report.following(points, at_once=9):
        for point in points[:9]:
            folder.began(point)
            report.began(point)
        report.wait()
    seen = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", captured.get())
    assert "000  optim.wd=0" in seen
    assert "and 3 more" in seen
    assert "0 of 40 points done, 9 running" in seen
    assert all(len(line) <= 80 for line in seen.replace("\r", "\n").splitlines())
