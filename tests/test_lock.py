"""One process at a time works on a run, and a run that was killed while it concluded is taken up."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
from runs import TINY, run

from grok import final_keys
from grok.runs.folder import RunFolder
from grok.runs.lock import locked
from grok.settings import places

HOLD = """
import sys, time
from pathlib import Path
from grok.runs.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""

DIE_CONCLUDING = """
import os, signal, sys
from grok.training import run
def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)
run.conclude_run = killed
from grok.train import main
main()
"""


def test_the_second_comer_is_told_who_holds_a_run_and_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        words = f"{tmp_path} is held by process {holder.pid} on .* since ....-..-.. "
        with pytest.raises(ValueError, match=words), locked(tmp_path):
            raise AssertionError
        holder.send_signal(signal.SIGKILL)
    with locked(tmp_path):
        assert json.loads((tmp_path / ".lock").read_text())["process"] == os.getpid()
    assert not (tmp_path / ".lock").exists()


def test_a_lock_is_taken_by_one_of_many_at_a_time(tmp_path: Path) -> None:
    inside, most = 0, 0

    def work(_: int) -> int:
        nonlocal inside, most
        try:
            with locked(tmp_path):
                inside += 1
                most = max(most, inside)
                time.sleep(0.001)
                inside -= 1
        except ValueError:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        done = sum(pool.map(work, range(200)))
    assert most == 1
    assert done > 0


def test_where_there_is_no_flock_a_heartbeat_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", flock)
    with locked(tmp_path):
        (tmp_path / ".heartbeat").touch()
        with pytest.raises(ValueError, match="is held by process"), locked(tmp_path):
            raise AssertionError
        long_ago = time.time() - 60
        os.utime(tmp_path / ".heartbeat", (long_ago, long_ago))
        with locked(tmp_path):
            pass


def test_runs_that_start_in_the_same_second_have_folders_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROK_LOGS", str(tmp_path))
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: places.run_folder(None, "train", "x"), range(40)))
    assert len(set(folders)) == 40


def command(folder: Path, *settings: str, code: str | None = None) -> subprocess.CompletedProcess[str]:
    how = ["-m", "grok.train"] if code is None else ["-c", code]
    arguments = [*TINY, "logger=csv", "pictures=false", *settings] if code else settings
    return subprocess.run([sys.executable, *how, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_a_run_killed_while_it_concludes_is_taken_up_by_resume_and_by_the_final_key_pass(tmp_path: Path) -> None:
    whole, *_ = run(tmp_path / "whole")
    for way in ("resume", "final_keys"):
        folder = RunFolder(tmp_path / way)
        killed = command(tmp_path, f"hydra.run.dir={folder.path}", code=DIE_CONCLUDING)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert folder.summary()["status"] == "concluding"
        assert not folder.final_keys.exists()
        if way == "resume":
            done = command(tmp_path, f"resume={folder.path}")
            assert done.returncode == 0, done.stderr
        else:
            final_keys.repeat([str(folder.path)])
        summary = folder.summary()
        assert (summary["status"], summary["regime"]) == ("finished", whole.summary()["regime"])
        assert folder.metrics.read_bytes() == whole.metrics.read_bytes()
        pd.testing.assert_frame_equal(pd.read_csv(folder.final_keys), pd.read_csv(whole.final_keys))


def test_a_run_without_a_checkpoint_begins_anew_on_resume_and_keeps_what_was_there(tmp_path: Path) -> None:
    folder, *_ = run(tmp_path / "run")
    for file in folder.checkpoints().values():
        file.unlink()
    folder.write_summary(status="running")
    before = folder.metrics.read_bytes()
    done = command(tmp_path, f"resume={folder.path}")
    assert done.returncode == 0, done.stderr
    assert f"no checkpoint yet: begun anew; what was there is in {folder.path}.begun1" in done.stderr
    assert folder.metrics.read_bytes() == before
    assert Path(f"{folder.path}.begun1/metrics.csv").read_bytes() == before


def test_two_commands_on_one_run_end_in_one_history(tmp_path: Path) -> None:
    whole, *_ = run(tmp_path / "whole", "trainer.max_steps=100")
    folder, *_ = run(tmp_path / "run", "trainer.max_steps=50")
    arguments = [sys.executable, "-m", "grok.train", f"resume={folder.path}", "trainer.max_steps=100"]
    with locked(folder.path):
        refused = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"One process at a time works on a run. {folder.path} is held by process ")
    assert refused.stderr.count("\n") == 1
    both = [subprocess.Popen(arguments, cwd=tmp_path, stdout=-3, stderr=-3) for _ in range(2)]
    assert 0 in [process.wait() for process in both]
    assert folder.metrics.read_bytes() == whole.metrics.read_bytes()
