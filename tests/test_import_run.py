"""Somebody else's trajectory becomes a run folder on which the commands work."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from rich.console import Console
from runs import run
from test_layouts import ours

from grok import analyze
from grok.import_run import import_run
from grok.networks import exporting
from grok.report import report
from grok.runs.folder import RunFolder
from grok.sweep.run_status import runs


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder, *_ = run(tmp_path_factory.mktemp("runs") / "run", "trainer.max_steps=60", "snapshots.keep=all")
    return folder


def states(folder: RunFolder) -> dict[int, dict[str, torch.Tensor]]:
    return {step: exporting.exported(folder.load_snapshot(step), "authors") for step in folder.snapshots()}


@pytest.mark.parametrize("kind", ["one file", "a folder of files"])
def test_a_trajectory_is_measured_as_the_run_itself_was(original: RunFolder, tmp_path: Path, kind: str) -> None:
    theirs, config = states(original), {"p": 11, "frac_train": 0.5, "seed": 0, "lr": 1e-3, "weight_decay": 1.0}
    source = tmp_path / "theirs"
    if kind == "one file":
        torch.save({"state_dicts": list(theirs.values()), "epochs": list(theirs), "config": config}, source)
        source = source.rename(tmp_path / "full_run_data.pth")
    else:
        source.mkdir()
        for step, state in theirs.items():
            torch.save({"model": state, "config": config}, source / f"epoch_{step}.pth")
    imported = RunFolder(import_run([str(source), f"output={tmp_path / 'imported'}"]))
    mine, its_own = pd.read_csv(imported.metrics), pd.read_csv(original.metrics)
    assert mine["step"].tolist() == its_own["step"].tolist() == list(theirs)
    same = [name for name in its_own if name in mine and name != "loss/train_largest"]
    assert {"loss/unseen", "progress/wave_loss", "progress/restricted_loss", "keys"} <= set(same)
    pd.testing.assert_frame_equal(mine[same], its_own[same], rtol=1e-5, atol=1e-9)
    summary = imported.summary()
    assert (summary["status"], summary["ended"], summary["networks"]) == ("finished", "imported", len(theirs))
    assert summary["regime"] == original.summary()["regime"]
    assert len(summary["sha256"]) == 64


def test_the_commands_work_on_what_was_imported(original: RunFolder, tmp_path: Path) -> None:
    theirs = states(original)
    file = tmp_path / "run.pth"
    torch.save(
        {"state_dicts": list(theirs.values()), "epochs": list(theirs), "config": {"frac_train": 0.5, "seed": 0}}, file
    )
    folder = import_run([str(file), f"output={tmp_path / 'imported'}"])
    page = report(folder, Console(quiet=True)).read_text()
    assert "imported from" in page
    assert "learning rate not known" in page
    assert [one.status for one in runs(folder)] == ["finished"]
    assert analyze.report([str(folder), "figures=none"])["p"] == 11


def test_what_cannot_be_imported_is_said_in_a_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROK_LOGS", str(tmp_path / "logs"))
    state = exporting.exported(ours(), "authors")
    (tmp_path / "empty").mkdir()
    two = tmp_path / "two"
    two.mkdir()
    for name in ("a_5.pth", "b_5.pth"):
        torch.save({"model": state, "config": {"frac_train": 0.4, "seed": 0}}, two / name)
    other = tmp_path / "other"
    other.mkdir()
    (other / "notes.txt").write_text("mine")
    for path, settings, sentence in (
        (tmp_path / "nowhere", (), "A trajectory is a file or a folder of files. .* is neither."),
        (tmp_path / "empty", (), "A trajectory is a file or a folder of files .pth, .* has none."),
        (two, (), "A trajectory must have one network a step. .* has two at step 5."),
        (two, (f"output={other}",), "`output` must be a new folder. .* holds other things."),
    ):
        with pytest.raises(ValueError, match=sentence):
            import_run([str(path), *settings])
    assert list(tmp_path.glob("logs/train/*")) == []
