import io
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from rich.console import Console
from runs import TINY, assert_same, configuration, run, wait

from grok.measures.phases import Events
from grok.runs.folder import RunFolder
from grok.runs.resume import checkpoint_to_resume, resumed_config
from grok.settings import places
from grok.training.experiment import assemble
from grok.training.run import train


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_extending_a_finished_run_equals_one_that_never_stopped(tmp_path: Path, dropout: float) -> None:
    settings = [f"model.dropout={dropout}", "snapshots.keep=all"]
    whole, whole_summary, _ = run(tmp_path / "whole", *settings, "trainer.max_steps=87")
    run(tmp_path / "part", *settings, "trainer.max_steps=33")  # no multiple of anything
    torch.manual_seed(1)  # the run sets its own
    part, summary, _ = run(tmp_path / "part", *settings, "trainer.max_steps=87", f"resume={tmp_path / 'part'}")
    assert_same(whole, part)
    assert summary["steps"] == 87
    assert summary["phases"] == whole_summary["phases"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_in_the_middle_of_a_block_ends_in_good_order_and_resumes_to_the_same(
    tmp_path: Path, number: signal.Signals
) -> None:
    settings = [*TINY, "trainer.max_steps=100000", "measure_every=2000", "snapshots.keep=all"]
    begin = [sys.executable, "-m", "grok.train", *settings, f"hydra.run.dir={tmp_path / 'part'}"]
    process = subprocess.Popen(begin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    part = RunFolder(tmp_path / "part")
    while process.poll() is None and not (part.metrics.exists() and len(part.snapshots()) >= 3):
        time.sleep(0.01)  # until step 10: the block to 1,000 has begun
    time.sleep(0.3)
    process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number, errors
    summary = part.summary()
    assert summary["status"] == "interrupted"
    assert summary["ended"] == number.name
    assert summary["steps"] % 2000 != 0
    assert "resume=" in output
    assert part.read(part.metrics)["step"].iloc[-1] == summary["steps"]
    base = ["trainer.max_steps=4000", "measure_every=2000", "snapshots.keep=all"]
    whole, *_ = run(tmp_path / "whole", *base)
    typed = ["trainer.max_steps=4000"]
    resumed = resumed_config(configuration(part.path, f"resume={part.path}", *typed, base=[]), typed)
    train(assemble(resumed), Console(file=io.StringIO()))
    assert_same(whole, part)


def test_a_second_ctrl_c_stops_at_once_and_says_how_to_go_on(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    words = [*TINY, "trainer.max_steps=1000000", "measure_every=1000000", "measure_early.until=0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "grok.train", *words, f"hydra.run.dir={folder.path}"], stderr=subprocess.PIPE, text=True
    )
    wait(folder.checkpoints)  # that of step 0
    time.sleep(0.5)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert folder.summary()["status"] == "interrupted"
    assert folder.checkpoints()


def test_a_killed_run_goes_on_from_its_last_checkpoint(tmp_path: Path) -> None:
    settings = ["trainer.max_steps=87", "snapshots.keep=all", "callbacks.checkpoints.every=20"]
    whole, *_ = run(tmp_path / "whole", *settings)
    part, *_ = run(tmp_path / "part", *settings)
    part.checkpoints()[87].unlink()  # as if killed before the end, with rows beyond the checkpoint
    part.write_summary(status="running", checksums={})
    with part.metrics.open("a") as file:
        file.write("99,1 2,0.5")  # a line cut short
    with pytest.warns(UserWarning, match="ends in a line that was cut short"):
        run(tmp_path / "part", *settings, f"resume={part.path}")
    assert_same(whole, part)


def test_a_run_goes_on_where_its_folder_was_moved_to(tmp_path: Path) -> None:
    folder, *_ = run(tmp_path / "here", "trainer.max_steps=40")
    moved = folder.path.rename(tmp_path / "there")
    typed = ["trainer.max_steps=80"]
    config = resumed_config(configuration(moved, f"resume={moved}", *typed, base=[]), typed)
    train(assemble(config), Console(file=io.StringIO()))
    assert not (tmp_path / "here").exists()
    assert RunFolder(moved).summary()["steps"] == 80


def test_a_finished_run_has_nothing_to_resume(tmp_path: Path) -> None:
    folder, *_ = run(tmp_path / "run")
    with pytest.raises(
        ValueError, match="`trainer.max_steps` leaves nothing to resume: .* is finished, at step 50 of 50"
    ):
        checkpoint_to_resume(folder, 50, "stable")


def test_resume_needs_a_run_with_a_whole_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="`resume` must be the folder of a run, with a config.yaml. Got nowhere."):
        resumed_config(OmegaConf.create({"resume": "nowhere"}), [])
    folder, *_ = run(tmp_path / "run")
    for step, file in folder.checkpoints().items():
        if step < 50:
            file.unlink()
    file = folder.checkpoints()[50]
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(
        ValueError, match="`resume` must lead to a whole checkpoint. .*step_00000050.ckpt cannot be read"
    ):
        checkpoint_to_resume(folder, 90, "stable")
    file.unlink()
    with pytest.raises(ValueError, match="`resume` must be a folder with a checkpoint in checkpoints/."):
        checkpoint_to_resume(folder, 90, "stable")


def test_resume_needs_steps_beyond_its_checkpoints(tmp_path: Path) -> None:
    folder, *_ = run(tmp_path / "run")
    folder.checkpoints()[0].unlink()
    folder.write_summary(status="interrupted")
    with pytest.raises(ValueError, match="`trainer.max_steps` must be above 50, the first checkpoint of .* Got 50."):
        checkpoint_to_resume(folder, 50, "never")


def test_a_file_that_is_no_checkpoint_of_this_project_is_refused(tmp_path: Path) -> None:
    torch.save({"weights": torch.zeros(2)}, tmp_path / "other.ckpt")
    with pytest.raises(
        ValueError, match="`ckpt_path` must lead to a checkpoint of this project. .*other.ckpt is none."
    ):
        assemble(configuration(tmp_path / "run", f"ckpt_path={tmp_path / 'other.ckpt'}"))
    with pytest.raises(
        ValueError, match="`ckpt_path` starts a new run from a checkpoint, `resume` goes on .* Got both."
    ):
        assemble(configuration(tmp_path / "run", "ckpt_path=one", "resume=two"))


def test_resume_names_what_makes_it_another_run_and_allows_what_only_watches(tmp_path: Path) -> None:
    folder, *_ = run(tmp_path / "run")
    different = configuration(tmp_path, f"resume={folder.path}", "data.p=13", "optim.wd=0.5", base=[])
    with pytest.raises(
        ValueError, match=r"These differ: data.p \(there 11, here 13\), optim.wd \(there 1.0, here 0.5\)."
    ):
        resumed_config(different, ["data.p=13", "optim.wd=0.5"])
    typed = ["trainer.max_steps=90", "logger=csv", "callbacks.checkpoints.every=7", "stop=never", "tags=[more]"]
    allowed = resumed_config(configuration(tmp_path, f"resume={folder.path}", *typed, base=[]), typed)
    assert (allowed.trainer.max_steps, allowed.data.p, allowed.callbacks.checkpoints.every) == (90, 11, 7)


def test_what_is_typed_reaches_the_settings_that_follow_it(tmp_path: Path) -> None:
    folder, *_ = run(tmp_path / "run")
    typed = ["stop=never", "tags=[more]", "logger=wandb"]
    with initialize_config_dir(str(places.conf_folder()), version_base="1.3"):
        composed = compose("train", [f"resume={folder.path}", *typed])
    config = resumed_config(composed, typed)
    assert (config.stop, config.callbacks.stopping.stop) == ("never", "never")
    assert config.logger.wandb.tags == ["more"]


def test_a_run_that_came_to_rest_trains_on_when_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rest = Events(fitted=(0, 5), cleanup_start=(5, 10), generalized=(5, 10), stable=(5, 10))
    monkeypatch.setattr("callbacks.phases.events", lambda *_, **__: rest)
    folder, summary, _ = run(tmp_path / "run", "trainer.max_steps=80")
    assert (summary["ended"], summary["steps"]) == ("stable", 20)
    with initialize_config_dir(str(places.conf_folder()), version_base="1.3"):
        composed = compose("train", [f"resume={folder.path}", "stop=never"])
    summary = train(assemble(resumed_config(composed, ["stop=never"])), Console(file=io.StringIO()))
    assert (summary["ended"], summary["steps"]) == ("max_steps", 80)


def test_a_folder_that_holds_a_run_is_not_written_over(tmp_path: Path) -> None:
    run(tmp_path / "run")
    with pytest.raises(
        ValueError, match="`hydra.run.dir` must be a folder without a run. .* `resume=.*` goes on with it."
    ):
        assemble(configuration(tmp_path / "run"))


def test_a_new_run_may_start_from_a_checkpoint_of_another(tmp_path: Path) -> None:
    folder, *_ = run(tmp_path / "one", "trainer.max_steps=40")
    start = shutil.copy(folder.checkpoints()[40], tmp_path / "start.ckpt")
    other, summary, _ = run(tmp_path / "two", f"ckpt_path={start}", "trainer.max_steps=80", "data.train_fraction=0.4")
    assert other.read(other.metrics)["step"].tolist() == [60, 80]
    assert summary["steps"] == 80
    with pytest.raises(ValueError, match="`ckpt_path` must lead to a network of the same `data.p` and `model`."):
        assemble(configuration(tmp_path / "three", f"ckpt_path={start}", "data.p=13"))
    with pytest.raises(ValueError, match="`trainer.max_steps` must be above the 40 steps of .*start.ckpt. Got 40."):
        assemble(configuration(tmp_path / "three", f"ckpt_path={start}", "trainer.max_steps=40"))
