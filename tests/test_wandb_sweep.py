"""A sweep that W&B steers: its agent types `python -m grok.train ${args_no_hyphens}`, against a stub of the server."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from accounts import account, no_account
from house import ROOT
from runs import TINY
from wandb_stub import serving

from grok.runs.folder import RunFolder


def documented() -> dict[str, object]:
    """The sweep's configuration as docs/sweeps.md has it."""
    page = (ROOT / "docs/sweeps.md").read_text(encoding="utf-8")
    found = re.search(r"```yaml\n(# sweep\.yaml.*?)```", page, re.DOTALL)
    assert found
    plain: dict[str, object] = yaml.safe_load(found[1])
    return plain


def test_an_agent_trains_what_the_server_tells_it_as_runs_of_the_sweep(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    no_account(monkeypatch, tmp_path)
    sweep = documented()
    command = sweep["command"]
    assert isinstance(command, list)
    sweep["command"] = [*command, *(x for x in TINY if x != "logger=none" and not x.startswith("data."))]
    with serving() as stub:
        account(monkeypatch, stub.url)
        stub.sweep = yaml.safe_dump(sweep)
        for n, wd in enumerate((0.0, 1.0)):
            settings = {"data.p": 11, "data.train_fraction": 0.5, "optim.wd": wd}
            args = {name: {"value": value} for name, value in settings.items()}
            stub.to_run.append({"type": "run", "run_id": f"run{n}", "program": sweep["program"], "args": args})
        environment = {
            **os.environ,
            "GROK_LOGS": str(tmp_path / "logs"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "WANDB_AGENT_REPORT_INTERVAL": "0",
        }
        agent = [sys.executable, "-m", "wandb", "agent", "tester/theirs/s1"]
        done = subprocess.run(
            agent, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240, check=False
        )
        said = done.stdout + done.stderr
        assert sorted(stub.runs) == ["run0", "run1"], said
    folders = [RunFolder(path) for path in sorted((tmp_path / "logs/train").iterdir())]
    assert [folder.summary()["status"] for folder in folders] == ["finished", "finished"]
    assert [folder.summary()["wandb_id"] for folder in folders] == ["run0", "run1"]
    for run, wd in zip(stub.runs.values(), (0, 1), strict=False):
        assert run.project == "theirs"
        assert run.config["wd"] == wd
        assert run.rows[-1]["trainer/global_step"] == 50
