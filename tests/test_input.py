"""Whatever a setting is set to, there is a run or one sentence that names it: generated from the configuration."""

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jaxtyping
import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException, InstantiationException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console
from runs import TINY

from grok.runs.parts import task_of
from grok.settings import places
from grok.settings.composition import composition_sentence
from grok.settings.known import refuse_unknown
from grok.train import is_hydras
from grok.training.command import instantiation_sentence
from grok.training.experiment import assemble
from grok.training.run import train

LETTERS = "x" * 300
NONSENSE = (
    *("-1", "0", "1e309", "nan", "null", "''", "ä", "[]", "{}", "[1,2]", "true"),
    *("1e10", "10000000000", LETTERS, "0.5", "two words"),
)
SHORT = [setting for setting in TINY if not setting.startswith("trainer.max_steps")]
NAMED_BY_ANOTHER = {  # settings that are read under the name of what they set
    "replicate": "seed",
    "callbacks.phases.boundaries": "phases.rule",
    "callbacks.stopping.stop": "stop",
}


def composed(*typed: str) -> DictConfig:
    places.register_resolvers()
    with initialize_config_dir(str(places.conf_folder()), version_base="1.3"):
        return compose("train", list(typed))


def settings(node: Any, prefix: str = "") -> Iterator[str]:
    """Every leaf and every group below a node."""
    for name in node:
        yield f"{prefix}{name}"
        if isinstance(node, DictConfig) and OmegaConf.is_dict(child := node._get_node(name)) and child:
            yield from settings(child, f"{prefix}{name}.")


SETTINGS = [name for name in dict.fromkeys(settings(composed(*SHORT))) if name != "folder"]
CASES = [
    (name, NONSENSE[(place + turn) % len(NONSENSE)])
    for place, name in enumerate(SETTINGS)
    for turn in (0, 5, 10)  # three of them each, in turn; all together try each value on five settings and more
]


@pytest.fixture(autouse=True)
def _as_a_user_has_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the checks of shapes that this suite puts around every function."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    monkeypatch.chdir(tmp_path)  # a folder of a callback can be a name in the folder one stands in


def outcome(typed: str, folder: Path) -> str:
    """What the command makes of it: "a run", or its sentence. Any other exception is the test's failure."""
    name = typed.partition("=")[0]
    try:
        config = composed(
            *(s for s in [*SHORT, "trainer.max_steps=3"] if not s.startswith((f"{name}=", f"{name}."))), typed
        )
        config.folder = str(folder)
        plain = OmegaConf.create(OmegaConf.to_container(config, resolve=True))
        assert isinstance(plain, DictConfig)
        refuse_unknown(plain)
        experiment = assemble(plain)
        if experiment.module.schedule.max_steps <= 3:
            train(experiment, Console(file=io.StringIO()))
    except InstantiationException as error:
        return instantiation_sentence(error)
    except (HydraException, OmegaConfBaseException, ValueError, TypeError) as error:
        if is_hydras(error):
            return composition_sentence(error, [typed])
        if isinstance(error, TypeError):
            raise
        return str(error)
    except OSError as error:
        return f"`{name}`: {error.strerror}"
    return "a run"


@pytest.mark.parametrize(("name", "value"), CASES, ids=lambda text: text[:40])
def test_whatever_a_setting_is_set_to_there_is_a_run_or_a_sentence_that_names_it(
    name: str, value: str, tmp_path: Path
) -> None:
    said = outcome(f"{name}='{value}'" if re.search(r"[ ä]", value) else f"{name}={value}", tmp_path / "run")
    names = {name, name.split(".", maxsplit=1)[0], name.rsplit(".", maxsplit=1)[-1], NAMED_BY_ANOTHER.get(name, name)}
    assert said == "a run" or any(f"`{wanted}" in said or f"{wanted}`" in said for wanted in names), said
    assert "\n" not in said.strip()
    assert not re.search(r"[a-z]Error|Traceback", said), said


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ("pictures=[]", "`pictures` must be true or false"),
        ("mixed=-0.5", "`mixed`"),
        ("trust=maybe", "`trust` must be true or false"),
        ("name=null", "`name` must be a name"),
        ("task_name=''", "`task_name` must be a name"),
        ("threads=10000000000", "`threads` must be a whole number from 1 to 1,024"),
        ("ckpt_path=[1,2]", "`ckpt_path` must be a path"),
        ("optim.wd=1e309", "`optim.wd` must be finite"),
        ("optim.betas=1", "`optim.betas` must be two numbers"),
        ("callbacks.phases.rule=5", "`callbacks.phases.rule` must be one of"),
        ("data=null", "`data` must be one of modular"),
        ("launch=[1,2]", "`launch` must be one of"),
        ("data.p=10000000", "`data.p` must leave a size that fits into memory"),
        ("data.p=10000000000", "`data.p` must leave a size that fits into memory"),
        ("model.d_model=10000000000", "must leave a size that fits into memory"),
        ("model.n_layers=10000000000", "`model.n_layers` must be 1,000 at most"),
    ],
)
def test_nonsense_is_refused_by_the_rule_of_its_setting(typed: str, named: str, tmp_path: Path) -> None:
    assert named in outcome(typed, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_callback_that_is_null_is_left_out(tmp_path: Path) -> None:
    assert outcome("callbacks.phases=null", tmp_path / "run") == "a run"
    assert "events/fitted" not in (tmp_path / "run/metrics.csv").read_text()


def test_a_name_of_any_length_names_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROK_LOGS", str(tmp_path))
    folder = Path(places.run_folder(None, "train", "ä" * 300))
    assert folder.is_dir()
    assert folder.name.endswith("_" + "ä" * 75)


@pytest.mark.parametrize("typed", ["resume=[1,2]", "name=null", f"task_name={LETTERS}", "data=", "data=[1,2]"])
def test_what_is_refused_while_the_folder_is_named_is_one_sentence_with_exit_status_2(
    typed: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "grok.train", typed],
        env={"PATH": "/usr/bin:/bin", "GROK_LOGS": str(tmp_path / "logs")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.strip().count("\n") == 0, done.stderr
    assert f"`{typed.partition('=')[0]}" in done.stderr, done.stderr


def test_a_stored_modulus_of_ten_million_is_refused_before_memory_is(tmp_path: Path) -> None:
    config = composed(*SHORT)
    config.data.p = 10_000_000
    with pytest.raises(ValueError, match=r"`data.p` must leave a size that fits into memory"):
        task_of(config)
