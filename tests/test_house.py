"""The shape of the project itself: imports run one way, and things are where they say they are."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

import callbacks
import grok
from grok import places

ROOT = Path(__file__).resolve().parents[1]
FRAMEWORKS = {"lightning", "hydra", "omegaconf", "wandb", "rich", "pandas", "matplotlib"}
# From the ground up: a module imports only from those before it.
ORDER = [
    "checks",
    "metrics",
    *(
        "arithmetic",
        "cross_entropy",
        "fused",
        "fourier",
        "transformer",
        "keys",
        "measures",
        "table",
        "phases",
        "schedule",
    ),
    *(
        "claims.criteria",
        "claims.anatomy",
        "claims.embedding",
        "claims.logits",
        "claims.neurons",
        "claims.heads",
        "claims.ablations",
        "claims.algorithm",
        "claims.training",
        "claims.findings",
        "claims.judgements",
    ),
    *(
        "run_folder",
        "places",
        "settings",
        "provenance",
        "figures",
        "machine",
        "adamw",
        "lit",
        "final_keys",
        "analysis.weight_files",
        "analysis.layouts",
        "analysis.splits",
        "analysis.subject",
        "analysis.history",
        "analysis.claim_figures",
        "analysis.history_figures",
        "analysis.pictures",
        "analysis.arguments",
        "analysis.contents",
        "analyze",
        "export",
        "resume",
        "wandb_history",
        "wandb_logger",
        "experiment",
        "console",
        "train",
        "sweep.frozen_code",
        "sweep.folder",
        "sweep.censoring",
        "sweep.figures",
        "collect",
        "sweep.pool",
        "sweep.slots",
        "sweep.batch",
        "sweep.slurm",
        "sweep.estimate",
        "sweep.launch",
        "sweep.point",
        "status",
        "sync",
    ),
    *(
        "report.page",
        "report.axes",
        "report.record",
        "report.circles",
        "report.run_figures",
        "report.run_page",
        "report.sweep_data",
        "report.sweep_page",
        "report.wandb_story",
        "report.wandb_panels",
        "report.wandb_report",
        "report.__main__",
    ),
]
MATHS = [
    *("checks", "arithmetic", "cross_entropy", "fourier", "keys", "measures", "phases", "table", "transformer"),
    *(module for module in ORDER if module.startswith("claims.")),
]


def file_of(module: str) -> Path:
    return ROOT / f"src/grok/{module.replace('.', '/')}.py"


def imported(file: Path) -> set[str]:
    """Modules that a file imports, at whatever depth, `from grok import x` as grok.x, also from packages of grok."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            is_package = node.module.startswith("grok") and file_of(node.module.removeprefix("grok.")).exists() is False
            found |= {f"{node.module}.{alias.name}" for alias in node.names} if is_package else {node.module}
    return found


def test_every_module_of_grok_has_its_place_in_the_order() -> None:
    files = [file.relative_to(ROOT / "src/grok") for file in (ROOT / "src/grok").rglob("*.py")]
    assert sorted(ORDER) == sorted(".".join(file.with_suffix("").parts) for file in files if file.stem != "__init__")


@pytest.mark.parametrize("module", ORDER)
def test_imports_run_one_way(module: str) -> None:
    names = imported(file_of(module))
    inside = {name.removeprefix("grok.") for name in names if name.startswith("grok.")}
    assert inside <= set(ORDER[: ORDER.index(module)])
    assert "callbacks" not in {name.split(".")[0] for name in names}


def test_nothing_needs_the_pages_and_they_know_no_callback() -> None:
    for file in [*(ROOT / "src/grok").glob("*.py"), *(ROOT / "callbacks").glob("*.py")]:
        assert not {name for name in imported(file) if name.startswith("grok.report")}, file
    for file in (ROOT / "src/grok/report").glob("*.py"):
        assert not {name.split(".")[0] for name in imported(file)} & {"callbacks", "lightning", "hydra"}, file


@pytest.mark.parametrize("module", MATHS)
def test_the_maths_knows_no_framework(module: str) -> None:
    assert not {name.split(".")[0] for name in imported(file_of(module))} & FRAMEWORKS


def test_only_entry_points_and_the_logger_know_wandb_and_hydra() -> None:
    knowing = {
        file.stem
        for file in [*(ROOT / "src/grok").rglob("*.py"), *(ROOT / "callbacks").glob("*.py")]
        if {name.split(".")[0] for name in imported(file)} & {"wandb", "hydra"}
    }
    assert knowing == {"train", "experiment", "wandb_history", "wandb_logger", "launch", "sync", "wandb_report"}


def test_callbacks_are_this_projects_own() -> None:
    assert Path(callbacks.__file__).parent == ROOT / "callbacks"
    assert Path(grok.__file__).parent == ROOT / "src/grok"


def test_the_mainline_experiment_is_the_default_written_out() -> None:
    places.register_resolvers()
    with initialize_config_dir(str(places.conf_folder()), version_base="1.3"):
        assert compose("train") == compose("train", ["experiment=mainline"])


def test_everything_under_the_mathematical_layer_states_its_value() -> None:
    for module in MATHS:
        tree = ast.parse(file_of(module).read_text())
        assert ast.get_docstring(tree), module
        for node in tree.body:
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
        "grok/report/templates/run.js",
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
