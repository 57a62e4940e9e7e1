"""What is typed by habit or by mistake is refused in one sentence that names what there is."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import DictConfig
from runs import TINY, configuration, run

from grok import train_run
from grok.settings import places
from grok.settings.composition import composition_sentence, refuse_sweeps_without_values
from grok.settings.known import refuse_unknown
from grok.training.objective import objective


def composed(*typed: str) -> DictConfig:
    places.register_resolvers()
    with initialize_config_dir(str(places.conf_folder()), version_base="1.3"):
        return compose("train", list(typed))


def command(folder: Path, *typed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grok.train", *typed],
        env={**os.environ, "GROK_LOGS": str(folder / "logs")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    "typed",
    [
        [],
        *([f"launch={kind}"] for kind in ("serial", "local", "slurm")),
        *(
            [f"logger={name}"]
            for name in ("csv", "none", "wandb", "tensorboard", "mlflow", "trackio", "[wandb,mlflow]")
        ),
        *([f"debug={name}"] for name in ("default", "fdr", "overfit", "profiler")),
        *([f"trainer={name}"] for name in ("default", "cpu", "gpu")),
        *([f"experiment={name}"] for name in ("mainline", "quick")),
        ["callbacks=none"],
        ["+dry_run=true"],
        ["launch=slurm", "+launch.sbatch.qos=low"],
        ["+trainer.gradient_clip_val=1"],
        ["+callbacks.timer={_target_: lightning.pytorch.callbacks.Timer, interval: step}"],
        ["key_frequencies=[3,4]"],
        ["logger.wandb.project=mine", "++logger.wandb.mode=offline"],
    ],
)
def test_every_setting_that_something_reads_is_known(typed: list[str]) -> None:
    refuse_unknown(composed(*typed))


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("+weight_decay=0", "`weight_decay` is not a setting. The nearest:"),
        ("+optim.weight_decai=0", "`optim.weight_decai` is not a setting."),
        ("+p=59", "`p` is not a setting. The nearest: `data.p`."),
        ("+data.pp=59", "`data.pp` is not a setting."),
        ("+extras.enforce_tags=true", "Tags are never asked for"),
        ("+trainer.max_epochs=5", "The nearest: `trainer.max_steps`. A step takes the full batch"),
        ("+trainer.limit_train_batches=0.5", "There is one batch"),
        ("+trainer.max_stepz=5", "The nearest: `trainer.max_steps`."),
        ("+callbacks.checkpoints.evry=5", "`callbacks.checkpoints.evry` is not a setting. The nearest:"),
        ("+callbacks.mine.every=5", "`callbacks.mine.every` is not a setting."),
        ("+launch.partition=x", "`launch.partition` is a setting of `launch=slurm`"),
        ("+measure_early.evry=5", "`measure_early.evry` is not a setting."),
        ("stop={when: stable}", "`stop.when` is not a setting."),
        (
            "snapshots=5",
            "`snapshots` is a group of settings, not one value. Its settings are `snapshots.keep`, `snapshots.at`.",
        ),
        ("+nothing_like_it=1", "`nothing_like_it` is not a setting. conf/ lists all settings."),
    ],
)
def test_a_setting_that_nothing_reads_is_refused(typed: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^`[^\n]*$") as error:
        refuse_unknown(composed(typed))
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("weight_decay=0", "`weight_decay` is not a setting. The nearest: `optim."),
        ("p=59", "`p` is not a setting. The nearest: `data.p`."),
        ("lr=1", "`lr` is not a setting. The nearest: `optim.lr`."),
        ("learning_rate=1", "The nearest: `optim.lr`."),
        ("data.batch_size=64", "`data.batch_size` is not a setting. Every step takes the full batch"),
        ("trainer.max_epochs=5", "`trainer.max_epochs` is not a setting. The nearest: `trainer.max_steps`."),
        ("trainer.gradient_clip_val=1", "+trainer.gradient_clip_val=1 gives it one."),
        ("+data.p=7", "`data.p` is a setting already: leave out the +. Got +data.p=7."),
        ("+debug=fdr", "`debug` is a group that has a member already: leave out the +."),
        ("+logger=csv", "Several loggers are a list: logger=[wandb,tensorboard]."),
        ("debug=limit", "`debug=limit` is not offered, as there is one batch"),
        ("trainer=ddp", "`trainer=ddp` is not offered, as one full batch is one device's work"),
        ("logger=many_loggers", "several are a list: `logger=[wandb,tensorboard]`"),
        (
            "logger=[csv,nothing]",
            "`logger` must be one of csv, default, mlflow, none, tensorboard, trackio, wandb. Got",
        ),
        ("experiment=none", "`experiment` must be one of mainline, quick"),
        ("hparams_search=optuna", "pip install hydra-optuna-sweeper"),
        ("launch.partition=x", "`launch.partition` is a setting of `launch=slurm`"),
        ("~nothing", "`nothing` is not a setting. conf/ lists all settings."),
        ("x=[", "`x=[` cannot be read as key=value"),
    ],
)
def test_what_hydra_cannot_compose_is_told_in_one_sentence(typed: str, sentence: str) -> None:
    try:
        composed(typed)
    except HydraException as error:
        said = composition_sentence(error, [typed])
    else:
        pytest.skip(f"{typed} composes here: the optional package is installed")
    assert sentence in said
    assert "\n" not in said


def test_several_values_without_m_are_no_run(tmp_path: Path) -> None:
    done = command(tmp_path, "data.p=5,7")
    assert (done.returncode, done.stderr) == (
        2,
        "Several values of one setting are a sweep: add -m. Got data.p=5,7.\n",
    )


@pytest.mark.parametrize(
    "typed",
    [["wdd=0"], ["+wdd=0"], ["-m", "wdd=0,1"], ["-m", "+wdd=0,1"], ["-m", "+wdd=0", "data.p=5,7"], ["data=5"]],
)
def test_a_refused_command_exits_2_with_one_sentence_and_writes_nothing(tmp_path: Path, typed: list[str]) -> None:
    done = command(tmp_path, *typed)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("`data` must be one of modular" if typed == ["data=5"] else "`wdd` is not a setting.")
    assert not [path for path in (tmp_path / "logs").rglob("*") if path.is_file() or path.parent.name == "train"]


def test_a_misspelt_setting_in_an_experiment_of_ones_own_is_refused(tmp_path: Path) -> None:
    (tmp_path / "conf/experiment").mkdir(parents=True)
    (tmp_path / "conf/experiment/mine.yaml").write_text("# @package _global_\ndata: {train_fracton: 0.5}\n")
    done = command(tmp_path, "--config-dir", str(tmp_path / "conf"), "experiment=mine")
    assert (done.returncode, done.stderr.partition(".")[0]) == (2, "`data")
    assert "`data.train_fracton` is not a setting. The nearest: `data.train_fraction`" in done.stderr


def test_without_callbacks_that_measure_a_run_trains_and_leaves_a_checkpoint(tmp_path: Path) -> None:
    folder, summary, _ = run(tmp_path / "run", "callbacks=none")
    assert (summary["status"], summary["steps"]) == ("finished", 50)
    assert list(folder.checkpoints()) == [0, 50]
    assert not folder.metrics.exists()


def test_the_profiler_leaves_its_table_in_the_run_folder(tmp_path: Path) -> None:
    folder, *_ = run(tmp_path / "run", "debug=profiler", "trainer.max_steps=50")
    assert "run_training_epoch" in (folder.path / "fit-profile.txt").read_text()


def test_fdr_takes_ten_steps_of_every_part_of_a_run(tmp_path: Path) -> None:
    folder, summary, _ = run(tmp_path / "run", "debug=fdr", base=["threads=1"])
    assert folder.read(folder.metrics)["step"].tolist() == [0, 1, 2, 5, 10]
    assert summary["status"] == "finished"


@pytest.mark.parametrize("name", ["loss/test", "final_keys/excluded_loss"])
def test_a_search_is_told_a_final_metric_or_the_step_of_an_event(tmp_path: Path, name: str) -> None:
    folder, summary, _ = run(tmp_path / "run")
    config = configuration(folder.path, f"+optimized_metric={name}", base=TINY)
    assert objective(config) == summary["final"][name]
    config.optimized_metric = "events/generalized"  # not reached: known not to lie below
    assert objective(config) == 50
    config.optimized_metric = "events/grokked"
    with pytest.raises(ValueError, match="`optimized_metric` must be an event, one of fitted, .* Got events/grokked."):
        objective(config)
    config.optimized_metric = "loss/tset"
    with pytest.raises(ValueError, match="`optimized_metric` must be a column of metrics.csv .* Got loss/tset."):
        objective(config)


@pytest.mark.slow
def test_optuna_tries_settings_and_says_which_were_best(tmp_path: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper", reason="pip install hydra-optuna-sweeper")
    search = ["hparams_search=optuna", "debug=fdr", "optimized_metric=loss/test", "hydra.sweeper.n_trials=3"]
    done = command(tmp_path, *search)
    assert done.returncode == 0, done.stderr
    (results,) = (tmp_path / "logs").rglob("optimization_results.yaml")
    assert "best_value" in results.read_text()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (["wd=interval(0,1)"], "A sweep runs through values, and an interval lists none: "),
        (["optim.wd=glob(*)"], "glob() chooses members of a group, as experiment=glob(*). `optim.wd` is none"),
        (["experiment=glob(zz*)"], "`experiment` has mainline, quick. Got experiment=glob(zz*)."),
    ],
)
def test_a_sweep_over_no_values_is_refused(typed: list[str], sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        refuse_sweeps_without_values(typed)


def test_a_search_takes_intervals_and_a_group_a_pattern() -> None:
    refuse_sweeps_without_values(["hparams_search=optuna", "optim.wd=interval(0,1)", "experiment=glob(q*)", "x=["])


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (["wdd=1"], "`wdd` is not a setting."),
        (["+nothing=1"], "`nothing` is not a setting."),
        (["trainer.max_epochs=3"], "The nearest: `trainer.max_steps`."),
        (["experiment=quik"], "`experiment` must be one of mainline, quick. Got quik. The nearest: `quick`."),
        (["optim.wdd=1"], "`optim.wdd` is not a setting. The nearest: `optim.wd`."),
    ],
)
def test_python_refuses_settings_in_the_commands_words(typed: list[str], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        train_run(typed, tmp_path / "run", silent=True)
    assert not (tmp_path / "run").exists()
