"""What is printed: the progress line at any width, and commands that can be pasted."""

import io
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from made_up import made_up_run
from omegaconf import OmegaConf
from rich.console import Console
from runs import run

from callbacks.progress_bar import LONGEST_GAP, SHORTEST_GAP, ProgressBar, fitting, log_gap, progress_parts
from grok.report import report
from grok.settings.pasting import command, from_here, hydra_setting
from grok.sweep.conclude import same_command
from grok.training.console import closing_words

METRICS = {"loss/train": 1e-7, "loss/test": 3.4, "keys/count": 5.0, "phase": 1.0, "phase_provisional": 1.0}
ODD = ["/a b/c", "/a[x]", "/a#1", "/it's", "/a=b,c", "/(a)", "/ä", "/$HOME"]


def trainer(step: int) -> Any:
    return SimpleNamespace(global_step=step, max_steps=40000, callback_metrics=METRICS)


@pytest.mark.parametrize("width", [120, 80, 50])
@pytest.mark.parametrize("phase", [0.0, 1.0, 2.0, 3.0, float("nan")])
def test_step_share_test_loss_and_phase_stay_in_a_narrow_window(width: int, phase: float) -> None:
    line = fitting(progress_parts(39900, 40000, 0, 100, {**METRICS, "phase": phase}), width)
    assert len(line) <= width
    assert line.startswith("step 39,900")
    assert "  99%" in line
    assert "test 3.4e+00" in line
    assert line.endswith("?")
    assert ("steps/s" in line) == (width == 120)


def test_a_line_has_no_half_parts() -> None:
    parts = progress_parts(39900, 40000, 0, 100, METRICS)
    words = {part.words for part in parts}
    for width in range(11, 200):
        line = fitting(parts, width)
        assert len(line) <= width
        assert line == line.rstrip()
        assert set(line.replace(" of ", "  of ").split("  ")) <= words


def test_lines_of_a_log_come_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    bar, now = ProgressBar(), 0.0
    bar.console = Console(file=io.StringIO(), width=50)
    monkeypatch.setattr("time.perf_counter", lambda: now)
    bar.on_train_start(trainer(0), None)  # type: ignore[arg-type]
    for step in range(0, 40000, 10):
        now = step / 10  # a measurement a second
        bar.on_validation_end(trainer(step), None)  # type: ignore[arg-type]
    bar.on_train_end(trainer(39999), None)  # type: ignore[arg-type]
    lines = bar.console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert [line.split(" of")[0] for line in lines[:3]] == ["step 0", "step 20", "step 40"]
    assert 4000 / LONGEST_GAP < len(lines) < 110
    assert lines[-1].startswith("step 39,999 of 40,000")
    assert all(line == line.rstrip() and "█" not in line for line in lines)


@pytest.mark.parametrize(("after", "gap"), [(0, SHORTEST_GAP), (20, 2), (300, 30), (600, 60), (9000, LONGEST_GAP)])
def test_gaps_in_a_log_grow(after: float, gap: float) -> None:
    assert log_gap(after) == gap


def test_a_window_that_becomes_narrow_keeps_the_line_before_whole() -> None:
    bar = ProgressBar()
    bar.console = Console(file=io.StringIO(), width=120, force_terminal=True, legacy_windows=False)
    bar.on_train_start(trainer(0), None)  # type: ignore[arg-type]
    bar.on_validation_end(trainer(100), None)  # type: ignore[arg-type]
    bar.console.width = 50
    bar.on_validation_end(trainer(200), None)  # type: ignore[arg-type]
    bar.on_train_end(trainer(200), None)  # type: ignore[arg-type]
    printed = bar.console.file.getvalue()  # type: ignore[attr-defined]
    assert "steps/s" in printed.split("\n")[0]
    assert "step 200" in printed.split("\n")[1]
    assert "steps/s" not in printed.split("\n")[1]


@pytest.mark.parametrize("path", ODD)
def test_any_path_can_be_pasted(path: str) -> None:
    words = shlex.split(command("train", hydra_setting("resume", path)))
    assert words[:3] == ["python", "-m", "grok.train"]
    assert OverridesParser.create().parse_override(words[3]).value() == path
    assert shlex.split(command("report", path))[3:] == [path]


def test_a_path_is_typed_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert from_here(tmp_path / "logs/a") == Path("logs/a")
    assert from_here(tmp_path.parent) == tmp_path.parent


@pytest.fixture(autouse=True)
def _python_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))


def test_a_run_ends_with_commands_for_its_folder_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a run [x] #1"
    _, _, printed = run(path)
    assert f"folder {path}" in printed
    assert f"everything is in {path}" in printed
    commands = [shlex.split(line) for line in printed.splitlines() if line.startswith("  python")]
    assert commands == [["python", "-m", f"grok.{door}", str(path)] for door in ("report", "analyze")]
    assert report(path, Console(quiet=True)).exists()


@pytest.mark.parametrize(("status", "door"), [("interrupted", "train"), ("diverged", "report")])
def test_a_run_that_did_not_finish_says_what_to_do(status: str, door: str) -> None:
    words = closing_words(Path("/a b"), status, "SIGINT")
    assert words.splitlines()[-1].startswith(f"  python -m grok.{door} ")
    assert "'/a b'" in words or "a b" in shlex.split(words.splitlines()[-1])[-1]


def test_going_on_with_a_run_of_ones_own_parts_asks_for_trust(tmp_path: Path) -> None:
    folder = made_up_run(tmp_path / "a run")
    words = closing_words(folder.path, "interrupted", "SIGINT")
    assert words.splitlines()[-1].endswith("resume='\"'\"'" + str(folder.path) + "'\"'\"''")
    config = OmegaConf.load(folder.config)
    config.data.operation = "mine.shifted"
    folder.config.write_text(OmegaConf.to_yaml(config))
    assert closing_words(folder.path, "interrupted", "SIGINT").endswith(" trust=true")


def test_the_command_of_a_sweep_goes_on_in_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["train", "-m", "sweep=old", "optim.wd=0,1", "measure_early={every: 5}"])
    words = shlex.split(same_command(Path("/a [b]")))
    assert words[3:] == ["-m", "optim.wd=0,1", "measure_early={every: 5}", "sweep='/a [b]'"]
