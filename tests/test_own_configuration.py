"""Experiments and folders of configuration outside the package, and where runs go that are started anywhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from runs import TINY

from grok import train_run
from grok.runs.configuration import loaded
from grok.settings import places

EXPERIMENT = "# @package _global_\ndata: {p: 13}\ntrainer: {max_steps: 20}\n"


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """A folder of configuration of somebody's own."""
    (tmp_path / "my conf/experiment").mkdir(parents=True)
    (tmp_path / "my conf/experiment/small.yaml").write_text(EXPERIMENT)
    return tmp_path / "my conf"


def command(folder: Path, *typed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grok", "train", *typed],
        cwd=folder,
        env={**os.environ, "GROK_LOGS": str(folder / "logs")},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_an_experiment_of_ones_own_trains_and_goes_on_without_its_folder(conf: Path) -> None:
    own = [x for x in TINY if not x.startswith(("data.p=", "trainer.max_steps="))]
    done = command(conf.parent, "--config-dir", conf.name, "experiment=small", *own)
    assert done.returncode == 0, done.stderr
    (run,) = (conf.parent / "logs/train").iterdir()
    config = loaded(run / "config.yaml")
    assert (config.data.p, config.trainer.max_steps, config.data.train_fraction) == (13, 20, 0.5)
    conf.rename(conf.with_name("elsewhere"))
    done = command(conf.parent, "resume=latest", "trainer.max_steps=30")
    assert done.returncode == 0, done.stderr
    assert "step 30 of 30" in done.stdout
    assert f"folder {run}" in done.stdout


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("experiment=smal", "`experiment` must be one of mainline, quick, small. Got smal. The nearest: `small`.\n"),
        ("wdd=3", "`wdd` is not a setting. The nearest: `optim.wd`.\n"),
    ],
)
def test_a_mistake_beside_an_experiment_of_ones_own_is_the_one_that_is_named(
    conf: Path, typed: str, sentence: str
) -> None:
    done = command(conf.parent, "--config-dir", conf.name, "experiment=small", typed)
    assert (done.returncode, done.stderr) == (2, sentence)


def test_python_finds_experiments_of_ones_own_too(conf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own = [x for x in TINY if not x.startswith(("data.p=", "trainer.max_steps="))]
    run = train_run(["hydra.searchpath=['my conf']", "experiment=small", *own], "a run", silent=True)
    assert (run.config.data.p, run.summary["steps"]) == (13, 20)
    with pytest.raises(ValueError, match="mainline, quick, small. Got smal. The nearest: `small`."):
        train_run(["hydra.searchpath=['my conf']", "experiment=smal"], "another", silent=True)


def test_where_runs_go_is_said_where_one_stands_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GROK_LOGS", raising=False)
    monkeypatch.chdir(places.logs_folder().parent)
    assert places.where_runs_go() == []
    monkeypatch.chdir(tmp_path)
    (line,) = places.where_runs_go()
    assert str(places.logs_folder()) in line
    assert "GROK_LOGS" in line
    monkeypatch.setenv("GROK_LOGS", "logs")
    assert places.where_runs_go() == []
