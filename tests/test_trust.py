"""A stranger's folder runs no code, and writes nowhere but into itself."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf
from runs import TINY

from grok.runs.configuration import loaded, printable
from grok.runs.folder import RunFolder
from grok.runs.trust import foreign_parts
from grok.sweep.folder import SweepFolder

EVIL = "import pathlib\npathlib.Path(__file__).with_name('ran').touch()\n\ndef op(a, b, p):\n    return (a + b) % p\n"


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trust") / "run"
    assert typed("train", *TINY, f"hydra.run.dir={folder}", home=folder.parent).returncode == 0
    return folder


@pytest.fixture
def strangers(begun: Path, tmp_path: Path) -> Path:
    """A run folder in a folder of hostile modules."""
    shutil.copytree(begun, tmp_path / "run")
    for name in ("evil", "lightning", "pandas", "yaml", "torch", "omegaconf", "mlflow", "readline"):
        (tmp_path / f"{name}.py").write_text(EVIL)
    return tmp_path / "run"


def edit(folder: Path, name: str, value: Any) -> None:
    config = OmegaConf.load(folder / "config.yaml")
    OmegaConf.update(config, name, value, force_add=True)
    (folder / "config.yaml").write_text(OmegaConf.to_yaml(config))


def typed(command: str, *arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", f"grok.{command}", *arguments]
    return subprocess.run(words, capture_output=True, text=True, cwd=home, env=os.environ, check=False)


COMMANDS = [
    ("train", "resume=run", "trainer.max_steps=80"),
    ("analyze", "run", "figures=none"),
    ("final_keys", "run"),
    ("report", "run"),
    ("export", "run"),
    ("status", "run"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_no_command_imports_from_the_folder_it_is_typed_in(strangers: Path, words: tuple[str, ...]) -> None:
    done = typed(*words, home=strangers.parent)
    assert done.returncode == 0, done.stderr
    assert not (strangers.parent / "ran").exists()


HOSTILE = [
    ("callbacks.evil", {"_target_": "evil.op"}),
    ("callbacks.evil", {"_target_": "grok.runs.files.write_text", "file": "/tmp/x", "text": "x"}),
    ("trainer.profiler", {"_target_": "os.system", "command": "touch ran"}),
    ("logger.evil", {"_target_": "lightning.pytorch.loggers.CSVLogger", "save_dir": "../elsewhere"}),
    ("logger.evil", {"_target_": "lightning.pytorch.loggers.MLFlowLogger", "tracking_uri": "http://evil.example"}),
    ("logger.evil", {"_target_": "lightning.pytorch.loggers.os.system"}),
    ("callbacks.checkpoints.folder", "/tmp/elsewhere"),
    ("name", "${oc.env:HOME}"),
]


@pytest.mark.parametrize(("name", "value"), HOSTILE)
def test_resume_refuses_what_is_not_of_this_project_and_names_it(strangers: Path, name: str, value: Any) -> None:
    edit(strangers, name, value)
    done = typed("train", "resume=run", "trainer.max_steps=80", home=strangers.parent)
    assert done.returncode == 2
    assert "names code or places that are not of this project" in done.stderr
    assert name.partition(".")[0] in done.stderr
    assert not (strangers.parent / "ran").exists()


@pytest.mark.parametrize("words", COMMANDS[:3], ids=lambda words: words[0])
def test_an_operation_of_ones_own_asks_for_trust(strangers: Path, words: tuple[str, ...]) -> None:
    edit(strangers, "data.operation", "evil.op")
    summary = RunFolder(strangers).summary()
    summary["identity"].pop("data.operation")
    (strangers / "summary.json").write_text(json.dumps(summary))
    refused = typed(*words, home=strangers.parent)
    assert refused.returncode == 2
    assert "data.operation=evil.op" in refused.stderr
    assert "trust=true" in refused.stderr
    assert not (strangers.parent / "ran").exists()
    for name in ("lightning", "pandas", "yaml", "torch", "omegaconf"):
        (strangers.parent / f"{name}.py").unlink()
    typed(*words, "trust=true", home=strangers.parent)
    assert (strangers.parent / "ran").exists()


def test_every_run_of_this_project_is_its_own(begun: Path) -> None:
    assert foreign_parts(OmegaConf.load(begun / "config.yaml")) == []


def test_a_link_that_leads_out_is_not_followed(strangers: Path, tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    shutil.rmtree(strangers / "snapshots")
    (strangers / "snapshots").symlink_to(tmp_path / "private")
    for words in (COMMANDS[0], COMMANDS[1], COMMANDS[2]):
        done = typed(*words, home=strangers.parent)
        assert done.returncode == 2
        assert "must not lead out of it" in done.stderr
    assert list((tmp_path / "private").iterdir()) == []


@pytest.mark.parametrize("run_of_point", ["../elsewhere", "/tmp/elsewhere", "runs/../../elsewhere"])
def test_points_of_a_sweep_lie_in_its_folder(tmp_path: Path, run_of_point: str) -> None:
    point = {"number": 0, "settings": {}, "configuration": "x", "run": run_of_point}
    (tmp_path / "sweep.json").write_text(json.dumps({"base": {}, "codes": [], "jobs": [], "points": [point]}))
    with pytest.raises(ValueError, match="must be the folder of a sweep"):
        SweepFolder(tmp_path).read()


def test_control_characters_of_a_file_never_reach_a_terminal(strangers: Path) -> None:
    edit(strangers, "name", "quiet\x1b[2Jname")
    assert OmegaConf.load(strangers / "config.yaml").name == "quiet\x1b[2Jname"
    assert RunFolder(strangers).holds_a_run
    for words in (("status", "run"), ("analyze", "run", "figures=none")):
        done = typed(*words, home=strangers.parent)
        assert "\x1b" not in done.stdout + done.stderr
    assert printable({"a": ["x\x07\x9by", "line\n"]}) == {"a": ["xy", "line\n"]}


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize("text", [BOMB, "[" * 5000 + "]" * 5000, "a: " + "x" * 3_000_000, "- 1", ""])
def test_a_configuration_is_bounded_before_memory_is(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ValueError, match="repeats or nests|more than a configuration|settings by name"):
        loaded(tmp_path / "config.yaml")


def test_deep_json_is_a_damaged_file(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text("[" * 100_000 + "]" * 100_000)
    with pytest.raises(ValueError, match="summary.json: cannot be read as JSON"):
        RunFolder(tmp_path).summary()


def test_a_link_on_a_page_is_one_of_the_web(strangers: Path) -> None:
    folder = RunFolder(strangers)
    for address, is_link in [("javascript:alert(1)", False), ("https://wandb.ai/me/grok/runs/x", True)]:
        folder.write_summary(wandb_url=address)
        assert run_report(strangers).returncode == 0
        assert (f'href="{address}"' in (strangers / "report.html").read_text()) == is_link


def run_report(folder: Path) -> subprocess.CompletedProcess[str]:
    return typed("report", folder.name, home=folder.parent)
