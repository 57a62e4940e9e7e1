"""The command on a run's page makes the same run."""

import shlex
from pathlib import Path
from typing import Any

import pytest
from made_up import made_up_run, made_up_sweep
from omegaconf import OmegaConf
from rich.console import Console
from runs import TINY, configuration

from grok.pages.again import command, overrides
from grok.pages.record import Record
from grok.report import report
from grok.runs.folder import RunFolder


def again(config: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What the printed command composes, in the folder of the run."""
    words = shlex.split(command(config))
    assert words[:3] == ["python", "-m", "grok.train"]
    return plain(configuration(folder, *words[3:], base=[]))


def plain(config: Any) -> dict[str, Any]:
    return OmegaConf.to_container(config, resolve=True)  # type: ignore[return-value]


RUNS = {
    "the mainline run": [],
    "an experiment": ["experiment=quick"],
    "a small run": TINY,
    "seeds of one's own": ["replicate=3", "seed=7"],
    "a seed of the split alone": ["data.seed=2"],
    "a name of one's own": [r"""name='it\'s "mine" \\'"""],
    "strange text": ["tags=['a b', 'true', \"it's\", 'a=b,c', '[x', '', 'é', '1e5', 'x\\\\']"],
    "key frequencies as a list": ["key_frequencies=[3,5]", "data.p=11"],
    "another optimizer": ["optim=sgd", "optim.lr=0.5"],
    "an optimizer of one's own": ["optim._target_=mine.Optimizer", "~optim.betas", "+optim.rho=[0.1,2]"],
    "another logger": ["logger=tensorboard"],
    "a logger that writes where runs go": ["logger=mlflow", "logger.mlflow.run_name=here"],
    "W&B with an entity": ["logger.wandb.entity=me"],
    "no callbacks": ["callbacks=none"],
    "without one callback": ["~callbacks.progress_bar"],
    "a callback of one's own": ["+callbacks.mine={_target_: a.B, sizes: {x: 1, y: [1, 2]}, on: false}"],
    "on the CPU": ["trainer=cpu", "+trainer.gradient_clip_val=1.0"],
    "measured at one rate": ["measure_early=null"],
    "numbers in other shapes": ["optim.wd=0", "optim.lr=1e-08", "trainer.max_steps=10000000", "threads=2"],
    "another task": ["data.operation=x2+xy+y2", "data.split=unordered"],
    "a group, which brings its own size": ["data.operation=S_4"],
    "multiplication": ["data.operation=multiplication", "data.p=59"],
    "a task of one's own": ["data._target_=mine.Task", "~data.p", "+data.size=5", "name=mine"],
}


@pytest.mark.parametrize("kind", RUNS)
def test_the_command_composes_the_configuration_of_the_run(kind: str, tmp_path: Path) -> None:
    config = plain(configuration(tmp_path, *RUNS[kind], base=[]))
    assert again(config, tmp_path) == config


def test_the_command_of_the_mainline_run_says_nothing_else(tmp_path: Path) -> None:
    assert command(plain(configuration(tmp_path, base=[]))) == "python -m grok.train"


def test_what_follows_from_other_settings_is_not_typed(tmp_path: Path) -> None:
    config = plain(configuration(tmp_path, "replicate=3", "data.p=41", "key_frequencies=waves", base=[]))
    assert overrides(config) == ["replicate=3", "key_frequencies=waves", "data.p=41"]


def test_the_command_names_no_place_of_this_machine(tmp_path: Path) -> None:
    config = plain(configuration(tmp_path / "run", *TINY, "logger=mlflow", base=[]))
    elsewhere = command({**config, "folder": "/there/run", "resume": "/there/run", "sweep": "/there", "dry_run": True})
    assert "there" not in elsewhere
    assert str(tmp_path) not in elsewhere


def test_settings_newer_than_the_run_stay_at_their_defaults(tmp_path: Path) -> None:
    config = plain(configuration(tmp_path, *TINY, base=[]))
    old = {**config, "data": {k: v for k, v in config["data"].items() if k != "split"}}
    del old["phases"]
    assert again(old, tmp_path) == config


def test_every_point_of_a_sweep_has_a_command_of_its_own(tmp_path: Path) -> None:
    sweep = made_up_sweep(tmp_path / "sweep")
    report(sweep.path, Console(quiet=True))
    for number in (0, 7, 17):
        folder = RunFolder(next((sweep.path / "runs").glob(f"{number:03d}*")))
        config = Record.of(folder.path).config
        assert again(dict(config), folder.path) == config
        wd, fraction, replicate = (config["optim"]["wd"], config["data"]["train_fraction"], config["replicate"])
        typed = command(config)
        assert (f"optim.wd={wd}" in typed) == (wd != 1)
        assert (f"data.train_fraction={fraction}" in typed) == (fraction != 0.3)
        assert (f"replicate={replicate}" in typed) == (replicate != 0)
        assert typed.replace("'", "&#39;") in (folder.path / "report.html").read_text()


def test_the_page_says_commit_and_command_and_not_what_a_sweep_typed(tmp_path: Path) -> None:
    made_up_run(tmp_path, "data.p=13", command="python -m grok.sweep.point points/000.yaml runs/000")
    text = report(tmp_path, Console(quiet=True)).read_text()
    assert "git checkout 0123456789abcdef\npython -m grok.train " in text
    assert "data.p=13" in text
    assert "grok.sweep.point" not in text


def test_a_run_without_a_configuration_has_the_command_that_was_typed(tmp_path: Path) -> None:
    made_up_run(tmp_path, command="python -m grok.train data.p=11").config.unlink()
    assert "python -m grok.train data.p=11" in report(tmp_path, Console(quiet=True)).read_text()


def test_an_imported_run_cannot_be_made_again(tmp_path: Path) -> None:
    made_up_run(tmp_path, imported_from="elsewhere", command=None)
    assert "To do it again" not in report(tmp_path, Console(quiet=True)).read_text()
