"""A file that no longer holds what was written is refused: weights, checkpoints, tables, summary."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from runs import TINY
from safetensors.torch import load_file, save_file

from grok import analyze, final_keys
from grok.runs.checksums import digest_of_weights
from grok.runs.damage import DamagedFileError
from grok.runs.folder import RunFolder
from grok.runs.opened import OpenedRun
from grok.runs.resume import read_checkpoint
from grok.runs.schedule import Schedule, refuse_lost_rows
from grok.runs.table_record import record_of_tables, refuse_changed_tables
from grok.sweep.run_status import progress
from grok.sweep.run_status import runs as runs_in


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "grok.train", *arguments]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checksums") / "run"
    assert run(*TINY, f"hydra.run.dir={folder}").returncode == 0
    return folder


@pytest.fixture
def folder(ended: Path, tmp_path: Path) -> RunFolder:
    shutil.copytree(ended, tmp_path / "run")
    return RunFolder(tmp_path / "run")


def flip(file: Path, place: int) -> None:
    """Change one bit of a file."""
    data = bytearray(file.read_bytes())
    data[place] ^= 1
    file.write_bytes(data)


def test_one_flipped_bit_of_a_weight_is_noticed(folder: RunFolder) -> None:
    step = max(folder.snapshots())
    flip(folder.snapshot_at(step), -3)
    with pytest.raises(ValueError, match="do not agree with its checksum"):
        folder.load_snapshot(step)


def test_a_snapshot_under_another_steps_name_is_noticed(folder: RunFolder) -> None:
    first, *_, last = folder.snapshots()
    shutil.copy(folder.snapshot_at(first), folder.snapshot_at(last))
    with pytest.raises(ValueError, match=f"it holds step {first}, not {last}"):
        folder.load_snapshot(last)


def test_a_snapshot_from_before_checksums_opens(folder: RunFolder) -> None:
    step = max(folder.snapshots())
    weights = load_file(folder.snapshot_at(step))
    save_file(weights, folder.snapshot_at(step), {"step": str(step)})
    assert all(torch.equal(w, weights[name]) for name, w in folder.load_snapshot(step).items())


def test_the_digest_of_weights_sees_names_types_and_shapes() -> None:
    x = torch.arange(6.0)
    others = [{"b": x}, {"a": x.view(2, 3)}, {"a": x.view(torch.int32)}, {"a": -x}, {"a": x, "b": x}]
    assert len({digest_of_weights(weights) for weights in ({"a": x}, *others)}) == 6
    assert digest_of_weights({"a": x.clone()}) == digest_of_weights({"a": x})


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_one_flipped_bit_of_a_checkpoint_is_noticed(folder: RunFolder, share: float) -> None:
    file = folder.checkpoint_at(max(folder.checkpoints()))
    assert read_checkpoint(file, "resume")
    flip(file, int(share * file.stat().st_size))
    with pytest.raises(ValueError, match="cannot be read, cut short or damaged"):
        read_checkpoint(file, "resume")


@pytest.mark.parametrize("name", ["metrics.csv", "spectra.csv", "final_keys.csv"])
def test_an_edited_table_of_a_run_that_has_ended_is_refused(folder: RunFolder, name: str) -> None:
    file = folder.path / name
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*lines[:3], *lines[4:]]))
    with pytest.raises(ValueError, match=f"{name}: .*edited or damaged since the run ended"):
        folder.read(file)


def test_an_edited_summary_is_refused_and_one_without_checksum_believed(folder: RunFolder) -> None:
    said = json.loads(folder.summary_file.read_text())
    folder.summary_file.write_text(
        json.dumps({**said, "regime": "grokking" if said["regime"] != "grokking" else "direct"})
    )
    with pytest.raises(ValueError, match="summary.json: .*edited or damaged"):
        folder.summary()
    said.pop("checksum")
    folder.summary_file.write_text(json.dumps(said))
    assert folder.summary() == said


def test_a_deleted_snapshot_is_never_replaced_by_its_neighbour(folder: RunFolder) -> None:
    last = OpenedRun(folder).last_calm_step
    folder.snapshot_at(last).unlink()
    for command in (analyze.report, final_keys.repeat):
        with pytest.raises(ValueError, match=f"The snapshot of step {last} was kept, and is gone"):
            command([str(folder.path)])
    assert analyze.report([str(folder.path), f"step={max(folder.snapshots())}", "figures=none"])


def test_the_final_key_pass_says_what_is_gone_and_keeps_its_rows(
    folder: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    before, gone = folder.read(folder.final_keys), list(folder.snapshots())[1]
    folder.snapshot_at(gone).unlink()
    for _ in range(2):
        final_keys.repeat([str(folder.path)])
        assert f"gone, and not evaluated again: step {gone}" in capsys.readouterr().out
        pd.testing.assert_frame_equal(folder.read(folder.final_keys), before)


def test_without_its_summary_a_run_keeps_its_final_keys(folder: RunFolder) -> None:
    before = folder.final_keys.read_bytes()
    folder.summary_file.unlink()
    with pytest.raises(ValueError, match=r"summary.json must say whose key frequencies final_keys.csv is of"):
        final_keys.repeat([str(folder.path)])
    assert folder.final_keys.read_bytes() == before


def reordered(lines: list[str]) -> list[str]:
    return [lines[0], lines[-1], *lines[2:-1], lines[1]]


@pytest.mark.parametrize(
    "edited",
    [
        lambda lines: [*lines[:2], *lines[3:]],
        lambda lines: [*lines[:3], lines[2], *lines[3:]],
        reordered,
        lambda lines: lines[:1],
        lambda lines: [lines[0], *lines[2:]],
    ],
    ids=["lost", "doubled", "reordered", "emptied", "first lost"],
)
@pytest.mark.parametrize("name", ["metrics.csv", "spectra.csv"])
def test_rows_that_do_not_follow_the_schedule_stop_a_resume(folder: RunFolder, name: str, edited: object) -> None:
    said = folder.summary()
    said.pop("checksums")  # as of a run that was killed
    folder.summary_file.write_text(json.dumps(said | {"status": "running"}))
    file = folder.path / name
    lines = file.read_text().splitlines(keepends=True)
    assert callable(edited)
    file.write_text("".join(edited(lines)))
    before = file.read_bytes()
    with pytest.raises(DamagedFileError, match=f"{name}: does not hold every measurement once and in order"):
        refuse_lost_rows(folder, Schedule(20, 5, 10, 80), 40, is_fork=False)
    done = run(f"resume={folder.path}", "trainer.max_steps=80")
    assert done.returncode == 2
    assert f"{name}: was edited or damaged: up to step 40 it is not what was measured" in done.stderr
    assert file.read_bytes() == before


def test_a_column_that_comes_later_does_not_make_a_table_another(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for step in (0, 5):
        folder.append(folder.metrics, {"step": step, "keys": "", "loss/train": 1 / 3})
    kept = record_of_tables(folder)
    folder.append(folder.metrics, {"step": 10, "keys": "3", "loss/train": 0.1, "loss/new": 2.0})
    refuse_changed_tables(folder, kept)
    folder.metrics.write_text(folder.metrics.read_text().replace("0.333", "0.334", 1))
    with pytest.raises(DamagedFileError, match="metrics.csv: was edited or damaged: up to step 5 it is not what was"):
        refuse_changed_tables(folder, kept)


@pytest.mark.parametrize("how", ["removed", "emptied", "zeros"])
@pytest.mark.parametrize("name", ["metrics.csv", "spectra.csv"])
def test_a_table_that_is_gone_or_empty_is_never_taken_for_a_run_without_one(
    folder: RunFolder, name: str, how: str
) -> None:
    file = folder.path / name
    file.unlink() if how == "removed" else file.write_bytes(b"" if how == "emptied" else bytes(50))
    wrong = f"{name}: {'is missing' if how == 'removed' else 'holds nothing to read'}"
    with pytest.raises(ValueError, match=wrong):
        OpenedRun(folder).metrics if name == "metrics.csv" else OpenedRun(folder).spectra
    before = folder.summary_file.read_bytes()
    with pytest.raises(ValueError, match=wrong):
        final_keys.repeat([str(folder.path)])
    assert folder.summary_file.read_bytes() == before
    if name == "metrics.csv":
        (lone,) = runs_in(folder.path)
        assert wrong in progress(*lone).reason


def test_without_its_summary_a_run_is_said_to_be_damaged(folder: RunFolder) -> None:
    folder.summary_file.unlink()
    (lone,) = runs_in(folder.path)
    assert (lone.status, lone.reason) == ("damaged", "summary.json: is missing")


@pytest.mark.parametrize("size", [0.1, 0.5, 0.9])
def test_a_configuration_that_is_cut_short_is_a_sentence(folder: RunFolder, size: float) -> None:
    text = folder.config.read_text()
    folder.config.write_text(text[: int(size * len(text))])
    for words in (["-m", "grok.analyze", str(folder.path)], ["-m", "grok.train", f"resume={folder.path}"]):
        done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
        assert "config.yaml: " in done.stderr


def test_leftovers_of_a_kill_are_cleared_by_whoever_comes_next(folder: RunFolder) -> None:
    leftovers = [folder.path / "summary.json.1.part", folder.path / "snapshots" / "step_00000010.safetensors.1.part"]
    for file in leftovers:
        file.write_text("half")
    final_keys.repeat([str(folder.path)])
    assert not any(file.exists() for file in leftovers)
