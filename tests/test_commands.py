"""One grammar for all commands: a name, a folder or `latest` or nothing, settings as key=value, help and version."""

import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from house import DOORS, ROOT
from made_up import made_up_run, made_up_sweep

from grok.__main__ import commands, main
from grok.analysis import arguments
from grok.runs.named import without_latest
from grok.settings import pasting
from grok.settings.described import described
from grok.settings.options import refuse_what_is_no_setting
from grok.settings.short import in_full
from grok.sweep.table import axes

NAMES = [door for door in DOORS if not door.startswith("_")]
OF_RUNS = [name for name in NAMES if name not in ("train", "import_run")]


def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit status, and what the command says on either stream."""
    monkeypatch.setattr(sys, "argv", ["/usr/bin/elsewhere", *words])
    code = 0
    try:
        main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


def started(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grok", *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_grok_alone_lists_every_command_with_what_it_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said, _ = typed(monkeypatch, capsys)
    assert code == 0
    assert [line.split()[0] for line in said.splitlines() if line.startswith("  ")] == list(commands())
    assert sorted(commands()) == NAMES
    assert max(map(len, said.splitlines())) <= 80


@pytest.mark.parametrize(
    ("word", "nearest"), [("trian", "train"), ("reports", "report"), ("final-key", "final_keys"), ("stats", "status")]
)
def test_a_misspelt_command_is_refused_with_the_nearest(
    word: str, nearest: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, said = typed(monkeypatch, capsys, word, "p=59")
    assert code == 2
    assert said.startswith(f"`{word}` is not a command. The nearest: `{nearest}`. The commands are train, ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("name", NAMES)
def test_every_command_says_its_version(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said, _ = typed(monkeypatch, capsys, name, "--version")
    assert (code, said.split()[0], said.count("\n")) == (0, "grok", 1)


@pytest.mark.parametrize("name", NAMES)
def test_the_help_of_a_command_names_every_setting_with_an_example_in_80_columns(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, said, _ = typed(monkeypatch, capsys, name.replace("_", "-"), "--help")
    assert code == 0
    assert f"\nusage: grok {name} " in said
    assert f"\ngrok {name}" in said.partition("usage:")[2]  # an example
    for line in said.splitlines():
        assert len(line) <= 80 or " " not in line.strip(), line
    module = importlib.import_module(f"grok.{name}")
    known = arguments.KNOWN if name == "analyze" else getattr(module, "KNOWN", {})
    assert not [setting for setting in known if f"{setting}=" not in said]


def test_the_help_of_training_has_every_setting_of_the_run_with_its_comment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, said, _ = typed(monkeypatch, capsys, "train", "--help", "launch=slurm")
    for name, value, words in described(ROOT / "conf/train.yaml"):
        if name not in ("folder", "mixed"):
            assert f"  {name}={value}" in said
            assert words[:20] in said
    assert "launch.partition=null" in said
    assert "optim=muon" in said


def test_status_starts_without_torch_by_either_name() -> None:
    begin = "import sys; from grok.__main__ import main; sys.argv[1:] = ['status', '/']"
    code = f"{begin}\ntry: main()\nfinally: print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout.split()
    assert "grok.status" in loaded
    assert not {"torch", "lightning", "hydra", "wandb", "matplotlib"} & set(loaded)


@pytest.mark.parametrize("words", [["status"], ["report"], ["collect", "pictures=false"], ["final_keys"], ["sync"]])
def test_without_any_run_a_command_says_how_to_make_one(words: list[str], tmp_path: Path) -> None:
    done = started(*words, GROK_LOGS=str(tmp_path / "no logs"))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert re.match(r"There must be a (run|sweep).* holds none; `.* experiment=quick.*` makes one\.", done.stderr)


@pytest.mark.parametrize("word", [[], ["latest"]])
def test_without_a_folder_or_by_latest_it_is_the_one_measured_last(
    word: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = tmp_path / "my logs"
    monkeypatch.setenv("GROK_LOGS", str(logs))
    for n, name in enumerate(["newer run", "older"]):
        folder = made_up_run(logs / "train" / name)
        for file in (folder.metrics, folder.config):
            os.utime(file, (1e9 - n, 1e9 - n))
    code, said, _ = typed(monkeypatch, capsys, "status", *word)
    assert code == 0
    first, *_, last = said.splitlines()
    assert first == f"the latest: {logs / 'train/newer run'}"
    assert shlex.split(last)[-2:] == ["grok.report", str(logs / "train/newer run")]


def test_a_table_is_made_of_a_sweep_and_of_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made_up_run(tmp_path / "a run")
    code, _, said = typed(monkeypatch, capsys, "collect", str(tmp_path / "a run"))
    assert code == 2
    assert said.startswith(f"The folder must be that of a sweep, with a sweep.json. {tmp_path / 'a run'} has none; ")
    assert said.count("\n") == 1


def test_a_folder_of_runs_and_sweeps_stands_for_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made_up_run(tmp_path / "a run")
    made_up_sweep(tmp_path / "sweep")
    (tmp_path / "empty").mkdir()
    code, said, _ = typed(monkeypatch, capsys, "status", str(tmp_path))
    assert code == 0
    assert "a run" in said
    assert "sweep  000" in said
    made_up_run(tmp_path / "young").metrics.unlink()
    code, said, _ = typed(monkeypatch, capsys, "report", str(tmp_path), f"output={tmp_path / 'pages'}")
    assert code == 0
    assert (tmp_path / "pages/a run/report.html").exists()
    assert (tmp_path / "pages/sweep/report.html").exists()
    assert "left out: The folder must be that of a run with measurements" in said


@pytest.mark.parametrize(
    ("typed_as", "full"),
    [
        ("p=59", "data.p=59"),
        ("wd=0,1", "optim.wd=0,1"),
        ("lr=interval(1,2)", "optim.lr=interval(1,2)"),
        ("train_fraction=0.4", "data.train_fraction=0.4"),
        ("+p=59", "+data.p=59"),
        ("~wd", "~optim.wd"),
        ("seed=3", "seed=3"),
        ("pp=3", "pp=3"),
        ("p", "p"),
        ("model.p=3", "model.p=3"),
    ],
)
def test_short_names_stand_for_the_settings_that_are_typed_most(typed_as: str, full: str) -> None:
    assert in_full(typed_as) == full


def test_pictures_are_drawn_over_settings_by_full_or_short_name() -> None:
    assert axes(["p", "optim.lr"], x="lr", y="data.p") == {"x": "optim.lr", "y": "p", "colour": "optim.lr"}


def test_resume_latest_is_the_latest_run_and_sweep_latest_the_latest_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROK_LOGS", str(tmp_path))
    run, sweep = tmp_path / "train/a run", tmp_path / "train/sweep"
    made_up_run(run)
    made_up_sweep(sweep)
    assert without_latest("resume=latest") == f"resume='{run}'"
    assert without_latest("sweep=latest") == f"sweep={sweep}"
    assert without_latest("name=latest") == "name=latest"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--p=59"], "Settings are typed without dashes, as p=59; a W&B sweep has ${args_no_hyphens} for it."),
        (["-m", "--multrun"], "`--multrun` is not an option. The nearest: `--multirun`."),
        (["latest"], "Settings are typed as name=value; resume=latest goes on with that folder. Got latest."),
        (["p"], "Settings are typed as name=value; --help lists them. Got p."),
    ],
)
def test_what_is_no_setting_is_refused_before_hydra_reads_it_as_something_else(words: list[str], sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        refuse_what_is_no_setting(words)


@pytest.mark.parametrize("words", [["-m", "p=3,5"], ["--config-dir", "conf", "p=3"], ["~wd"], ["--cfg=job"]])
def test_options_and_settings_pass(words: list[str]) -> None:
    refuse_what_is_no_setting(words)


def test_commands_are_printed_as_they_can_be_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["/x/train.py"])
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv/bin/python3"))
    monkeypatch.setenv("PATH", "/nowhere")
    assert pasting.command("report", "a b") == ".venv/bin/python3 -m grok.report 'a b'"
    for name in ("python", "grok"):
        program = tmp_path / ".venv/bin" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy("/bin/true", program)
    monkeypatch.setenv("PATH", str(tmp_path / ".venv/bin"))
    assert pasting.command("report", "a b") == "python -m grok.report 'a b'"
    monkeypatch.setattr(sys, "argv", [str(tmp_path / ".venv/bin/grok")])
    assert pasting.command("report", "a b") == "grok report 'a b'"
