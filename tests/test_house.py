"""The shape of the project itself: imports run one way, and things are where they say they are."""

import ast
import subprocess
import sys
import zipfile
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from house import DOORS, FILES, MATHS, ROOMS, ROOT, imports, reached, room
from hydra import compose, initialize_config_dir

import callbacks
import grok
from grok.settings import places

FRAMEWORKS = {"lightning", "hydra", "omegaconf", "wandb", "rich", "pandas", "matplotlib"}
MODULES = sorted(FILES.keys() - {"grok"})


def test_rooms_import_one_way() -> None:
    below = {
        name: {room(other) for module in FILES if module != "grok" and room(module) == name
               for other in imports(FILES[module]) if other in FILES and room(other) != name}
        for name in ROOMS
    }  # fmt: skip
    assert set(TopologicalSorter(below).static_order()) == set(ROOMS)  # a circle raises, and names itself


def test_modules_import_one_way() -> None:
    list(TopologicalSorter({module: imports(FILES[module]) & FILES.keys() for module in MODULES}).static_order())


@pytest.mark.parametrize("module", [module for module in MODULES if room(module) in ROOMS])
def test_no_room_knows_a_door_or_a_callback(module: str) -> None:
    assert not {f"grok.{door}" for door in DOORS} & reached(module)
    assert "callbacks" not in {name.split(".")[0] for name in reached(module)}


@pytest.mark.parametrize("module", [module for module in MODULES if room(module) in MATHS])
def test_the_maths_knows_no_framework(module: str) -> None:
    assert not {name.split(".")[0] for name in reached(module)} & FRAMEWORKS


@pytest.mark.parametrize("module", [module for module in MODULES if room(module) in MATHS])
def test_the_maths_names_no_configuration(module: str) -> None:
    text = FILES[module].read_text()
    assert not [group for group in ("data", "model", "optim") if f"`{group}." in text]


@pytest.mark.parametrize("door", ["status", "collect", "report"])
def test_what_works_from_the_folders_alone_starts_without_what_trains(door: str) -> None:
    code = f"import sys, grok.{door}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"lightning", "hydra", "wandb", "matplotlib"} & set(loaded)


def test_sync_starts_without_what_trains() -> None:
    code = "import sys, grok.sync; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"lightning", "hydra", "matplotlib"} & set(loaded)


def test_callbacks_are_this_projects_own() -> None:
    assert Path(callbacks.__file__).parent == ROOT / "callbacks"
    assert Path(grok.__file__).parent == ROOT / "src/grok"


def test_the_mainline_experiment_is_the_default_written_out() -> None:
    places.register_resolvers()
    with initialize_config_dir(str(places.conf_folder()), version_base="1.3"):
        assert compose("train") == compose("train", ["experiment=mainline"])


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_what_it_is_and_the_maths_what_each_value_is(module: str) -> None:
    tree = ast.parse(FILES[module].read_text())
    assert ast.get_docstring(tree)
    for node in tree.body if room(module) in MATHS else []:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{module}.{node.name}"


@pytest.mark.slow
def test_a_wheel_carries_its_configuration_and_runs_from_anywhere(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(wheels), str(ROOT)]
    subprocess.run(build, check=True)
    (wheel,) = wheels.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {
        "grok/conf/train.yaml",
        "grok/conf/experiment/quick.yaml",
        "grok/pages/templates/run.js",
        "callbacks/phases.py",
    } <= set(names)
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    work = tmp_path / "work"
    work.mkdir()
    command = [
        sys.executable,
        "-c",
        "import sys; sys.path.insert(0, sys.argv.pop(1)); from grok.train import main; main()",
    ]
    settings = ["data.p=5", "data.train_fraction=0.6", "trainer.max_steps=10", "logger=none", "pictures=false"]
    done = subprocess.run(
        [*command, str(tmp_path / "site"), *settings], cwd=work, capture_output=True, text=True, check=True
    )
    assert f"everything is in {work}/logs/train/" in done.stdout
