"""An edited configuration is not believed: the run says what it was begun with."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from rich.console import Console
from runs import run

from grok import analyze, final_keys
from grok.report import report
from grok.runs.folder import RunFolder
from grok.runs.identity import differences, identity
from grok.tasks import operations, splits


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    begun, *_ = run(tmp_path / "run")
    return begun


def edit(folder: RunFolder, before: str, after: str) -> None:
    text = folder.config.read_text()
    assert before in text
    folder.config.write_text(text.replace(before, after))


def resumed(folder: RunFolder) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-m", "grok.train", f"resume={folder.path}", "trainer.max_steps=80"]
    return subprocess.run(arguments, cwd=folder.path.parent, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("wd: 1.0", "wd: 0.5", r"optim.wd \(was 1.0, is 0.5\)"),
        ("train_fraction: 0.5", "train_fraction: 0.6", r"data.train_fraction \(was 0.5, is 0.6\), \(training pairs\)"),
        (
            "operation: addition",
            "operation: subtraction",
            r"data.operation \(was addition, is subtraction\), \(answers\)",
        ),
    ],
)
def test_an_edited_setting_is_refused_by_all_that_would_believe_it(
    folder: RunFolder, before: str, after: str, words: str
) -> None:
    edit(folder, before, after)
    refused = resumed(folder)
    assert refused.returncode == 2
    assert re.search(f"^`resume` must go on with the run as it was begun. .*{words}.*\n$", refused.stderr)
    for command in (lambda: analyze.report([str(folder.path)]), lambda: final_keys.repeat([str(folder.path)])):
        with pytest.raises(ValueError, match=f"A run must be opened as it was begun. .*{words}"):
            command()
    assert "config.yaml was edited after the run had begun" in report(folder.path, Console(quiet=True)).read_text()


def test_settings_that_do_not_make_the_run_may_be_edited(folder: RunFolder) -> None:
    edit(folder, "tags: []", "tags: [mine]")
    words = "config.yaml was edited after the run had begun: only what does not make the run."
    assert words in report(folder.path, Console(quiet=True)).read_text()
    analyze.report([str(folder.path), "figures=none"])


def test_a_run_from_before_identities_opens_and_goes_on(folder: RunFolder) -> None:
    summary = folder.summary()
    del summary["identity"]
    folder.summary_file.write_text(json.dumps(summary))
    for file in folder.checkpoints().values():
        contents = torch.load(file, weights_only=True)
        del contents["identity"]
        torch.save(contents, file)
    analyze.report([str(folder.path), "figures=none"])
    assert resumed(folder).returncode == 0
    assert folder.summary()["steps"] == 80


def test_another_code_of_the_operation_is_another_run() -> None:
    config = {"seed": 0, "data": {"p": 7}, "model": {}, "optim": {}}
    train = splits.train_mask(7, 0.4, 0)
    first, second = (operations.answers(f, 7) for f in (operations.addition, operations.subtraction))
    found = differences(identity(config, first, train), identity(config, second, train))
    assert [words.partition(" (was")[0] for words in found] == ["(answers)"]
    assert differences({"optim.eps": 1}, identity(config, first, train)) == ["optim.eps (was 1, is gone)"]
    assert differences({}, identity(config, first, train)) == []
