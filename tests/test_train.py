import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from hydra.errors import InstantiationException, MissingConfigException
from runs import TINY, assert_same, configuration, run

from grok.measures.phases import REGIMES
from grok.runs import provenance
from grok.runs.configuration import flat_settings
from grok.runs.folder import RunFolder
from grok.runs.opened import OpenedRun
from grok.training.experiment import absences, assemble


def command(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The command as a user types it, from a folder of their own."""
    flags = [argument for argument in arguments if argument.startswith("-")]
    settings = [argument for argument in arguments if not argument.startswith("-")]
    return subprocess.run(
        [sys.executable, "-m", "grok.train", *flags, *TINY, *settings],
        cwd=folder,
        env={**os.environ, "GROK_LOGS": str(folder / "logs")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_run_leaves_a_folder_that_tells_everything(tmp_path: Path) -> None:
    folder, summary, text = run(tmp_path / "run", "pictures=true")
    metrics = folder.read(folder.metrics)
    assert metrics["step"].tolist() == [0, 5, 10, 20, 40, 50]
    assert list(folder.snapshots()) == [0, 5, 10, 20, 40, 50]
    assert list(folder.checkpoints()) == [0, 50]
    assert summary["status"] == "finished"
    assert summary["ended"] == "max_steps"
    assert summary["steps"] == 50
    assert summary["regime"] == "unfitted"
    assert set(summary["phases"]) == {"fitted", "memorization_end", "cleanup_start", "generalized", "stable"}
    assert summary["final"]["loss/train"] == metrics["loss/train"].iloc[-1]
    assert summary["final"]["final_keys/excluded_loss"] > 0
    assert {"wall_seconds", "fit_seconds", "steps_per_second", "versions", "commit", "threads", "device"} <= set(
        summary
    )
    spectra = folder.read(folder.spectra)
    assert set(spectra["matrix"]) == {"W_E", "W_L"}
    assert spectra[["1", "2", "3", "4", "5"]].sum(axis=1).tolist() == pytest.approx([1.0] * len(spectra))
    assert (folder.path / "config.yaml").read_text().count("${") == 0
    for name in ("progress.png", "spectrum.png", "spectra.png", "portrait.png"):
        assert (folder.path / name).stat().st_size > 10_000
    assert "addition mod 11: 60 of 121 pairs to train on" in text
    assert "finished after 50 steps" in text
    assert "unfitted: did not learn its training pairs within these steps" in text


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["/home/me/.venv/bin/python3", "-m", "grok.train", "data.p=59"], "python -m grok.train data.p=59"),
        (["/usr/bin/python", "/home/me/bin/grok", "train", "tags=[a b]"], "grok train 'tags=[a b]'"),
    ],
)
def test_the_command_is_kept_as_it_can_be_typed_anywhere(typed: list[str], expected: str) -> None:
    assert provenance.command(typed) == expected


def test_the_names_that_tools_rely_on_are_logged(tmp_path: Path) -> None:
    folder, *_ = run(tmp_path / "run", "data.train_fraction=0.3")  # every answer has an unseen pair
    metrics = set(folder.read(folder.metrics).columns)
    assert metrics >= {
        *("loss/train", "loss/test", "accuracy/train", "accuracy/test", "keys/count", "phase"),
        *(f"progress/{name}" for name in ("symmetrized_loss", "symmetrized_excluded_loss", "restricted_loss")),
        *(f"progress/restricted_loss_{side}" for side in ("train", "test", "held_out")),
        *(f"progress/{name}" for name in ("excluded_loss", "gini_W_E", "gini_W_L", "sum_squared_weights")),
    }
    curves = pd.read_csv(folder.final_keys)
    assert {"final_keys/restricted_loss", "final_keys/excluded_loss"} <= set(curves.columns)


def test_logged_values_agree_with_the_snapshots_in_float64(tmp_path: Path) -> None:
    folder, *_ = run(tmp_path / "run", "trainer.max_steps=400", "data.p=13", "optim.lr=0.01")
    metrics = folder.read(folder.metrics).set_index("step")
    network_table = dict(OpenedRun(folder).evaluations(list(folder.snapshots())))
    for step, table in network_table.items():
        double = type(table)(
            logits=table.all_logits.double(),
            answers=table.answers,
            train=table.train,
            W_E=table.W_E.double(),
            W_L=table.W_L.double(),
        )
        row = metrics.loc[step]
        expected = {
            "loss/train": double.train_loss,
            "loss/test": double.test_loss,
            "progress/symmetrized_loss": double.symmetrized_loss,
            "progress/symmetrized_excluded_loss": double.symmetrized_excluded_loss,
            **{f"progress/{name}": value for name, value in double.key_losses("W_L").items()},
        }
        for name, value in expected.items():
            assert row[name] == pytest.approx(float(value), rel=1e-5), (step, name)


def test_a_split_of_unordered_pairs_has_no_mirrors_and_says_so(tmp_path: Path) -> None:
    folder, _, text = run(tmp_path / "run", "data.split=unordered", "data.p=13")
    metrics = folder.read(folder.metrics)
    assert "addition mod 13: 84 of 169 pairs to train on, the others to test, a pair and its mirror (b, a) on" in text
    assert not any("mirrored" in name for name in metrics)
    assert metrics["loss/unseen"].tolist() == pytest.approx(metrics["loss/test"].tolist(), rel=1e-12)
    opened = OpenedRun(folder)
    assert (opened.train == opened.train.T).all()
    assert float(opened.evaluation().test_loss) == pytest.approx(metrics["loss/test"].iloc[-1], rel=1e-6)
    assert flat_settings(opened.config)["split"] == "unordered"
    assert folder.summary()["pairs"] == {"train": 84, "unseen": 85, "mirrored": 0}


def test_mirrored_pairs_are_counted_at_the_start(tmp_path: Path) -> None:
    folder, _, text = run(tmp_path / "run")
    pairs = folder.summary()["pairs"]
    assert pairs["mirrored"] > 20
    assert f"{pairs['mirrored']} test pairs are mirrors of trained ones, {pairs['unseen']} unseen" in text
    assert folder.summary()["held_out"] == "unseen"
    assert "split" not in flat_settings(OpenedRun(folder).config)


@pytest.mark.parametrize("model", ["model.d_mlp=32", "model.d_mlp=0"])
def test_a_run_without_unseen_pairs_is_judged_by_the_test_set_and_says_so(tmp_path: Path, model: str) -> None:
    folder, _, text = run(tmp_path / "run", "data.p=5", "data.train_fraction=0.8", "data.seed=9", model)
    summary = folder.summary()
    assert summary["pairs"]["unseen"] == 0
    assert summary["held_out"] == "test"
    assert "none is unseen: the test set judges the run" in text
    assert summary["regime"] in REGIMES
    assert not any("unseen" in name for name in folder.read(folder.metrics))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (["data.p=3", "data.train_fraction=0.4"], "of 1 frequency the rule `W_L` names none, as it takes their median"),
        (["data.p=5"], "of 2 frequencies the rule `W_L` names 1 at most"),
        (["data.p=13", "key_frequencies=logits"], "of 6 frequencies the rule `logits` names 3 at most"),
        (["data.p=17"], None),
        (["data.p=5", "key_frequencies=max"], None),
    ],
)
def test_a_rule_that_cannot_name_all_of_few_frequencies_says_so(
    tmp_path: Path, settings: list[str], sentence: str | None
) -> None:
    notes = " ".join(absences(assemble(configuration(tmp_path / "run", *settings))))
    assert sentence in notes if sentence else "has no such bound" not in notes


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_two_runs_of_one_configuration_are_identical(tmp_path: Path, dropout: float) -> None:
    one, two = (run(tmp_path / name, f"model.dropout={dropout}")[0] for name in ("one", "two"))
    assert_same(one, two)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["data.p=2"], "`data.p` must be a whole number, 3 or more. Got 2."),
        (["data.train_fraction=1.3"], "`data.train_fraction` must lie strictly between 0 and 1. Got 1.3."),
        (["optim.wd=-1"], "`optim.wd` must be finite and 0 or more. Got -1."),
        (["data.operation=times"], "`data.operation` must be one of addition, subtraction, x2+xy+y2, x2+y2,"),
        (["key_frequencies=loud"], "`key_frequencies` must be one of W_L, max, W_E, neurons, logits, waves, or a list"),
        (["key_frequencies=[9]"], "`key_frequencies` must list whole numbers from 1 to 5 for p = 11. Got 9."),
        (["stop=soon"], "`stop` must be one of stable, never. Got 'soon'."),
        (["snapshots.keep=1"], "`snapshots.keep` must be a whole number, 2 or more, or all. Got 1."),
        (["callbacks.checkpoints.every=0"], "`callbacks.checkpoints.every` must be a whole number of steps"),
        (["ckpt_path=nowhere.ckpt"], "`ckpt_path` must name a checkpoint that exists. Got"),
        (["optim.lr=fast"], "`optim.lr` must be finite and above 0. Got 'fast'."),
        (["optim.betas=[0.9]"], "`optim.betas` must be two numbers, each at least 0 and below 1. Got [0.9]."),
        (["measure_early=5"], "`measure_early` must be {every: steps, until: step}. Got 5."),
        (["tags=first"], "`tags` must be a list, such as [first,look]. Got 'first'."),
        (["key_frequencies=null"], "`key_frequencies` must be one of W_L, max, W_E, neurons, logits, waves, or a list"),
        (["trainer.max_steps=1e5"], "`trainer.max_steps` must be a whole number of steps, 1 or more. Got 100000.0."),
        (["threads=0"], "`threads` must be a whole number from 1 to 1,024, or null. Got 0."),
        (["seed=-1"], "`seed` must be a whole number, 0 or more. Got -1."),
        (["logger=wandb", "logger.wandb.mode=loud"], "`logger.wandb.mode` must be one of online, offline"),
        (["trainer.accelerator=warp"], "`trainer` must be settings of lightning.Trainer that this machine can meet: "),
        (["+trainer.speed=9"], "`trainer` must be settings of lightning.Trainer that this machine can meet: "),
        (["trainer.devices=2"], "`trainer.devices` must be 1: one full batch is one device's work. Got 2."),
        (["optim.tf32=true"], "`optim.tf32` must be false on a CPU: TF32 is a mode of NVIDIA's GPUs. Got True."),
    ],
)
def test_bad_input_is_one_sentence(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    with pytest.raises((ValueError, InstantiationException)) as error:
        assemble(configuration(tmp_path / "run", *arguments))
    message = str(error.value.__cause__ if isinstance(error.value, InstantiationException) else error.value)
    assert sentence in message
    assert "\n" not in message
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("data.p=7.5", "`data.p` must be a whole number, 3 or more. Got 7.5."),
        ("model.n_layers=1.5", "`model.n_layers` must be a whole number, 1 or more. Got 1.5."),
        ("data.seed=x", "`data.seed` must be a whole number, 0 or more. Got 'x'."),
        ("data.train_fraction=half", "`data.train_fraction` must lie strictly between 0 and 1. Got 'half'."),
    ],
)
def test_the_command_refuses_with_exit_code_2_and_leaves_nothing(tmp_path: Path, argument: str, sentence: str) -> None:
    done = command(argument, folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr == sentence + "\n"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_misspelt_key_is_refused_with_the_nearest(tmp_path: Path) -> None:
    done = command("optim.wdd=1", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("`optim.wdd` is not a setting. The nearest: `optim.w")


@pytest.mark.parametrize("group", ["logger", "experiment"])
def test_an_unknown_choice_of_a_group_is_refused_with_the_choices(tmp_path: Path, group: str) -> None:
    with pytest.raises(MissingConfigException, match=f"Could not find '{group}/nonsense'"):
        configuration(tmp_path, f"{group}=nonsense")


def test_a_run_that_diverges_says_where_and_keeps_its_last_good_checkpoint(tmp_path: Path) -> None:
    settings = ["optim.lr=1e30", "optim.warmup_steps=30", "callbacks.checkpoints.every=5"]
    folder, summary, text = run(tmp_path / "run", *settings)
    assert summary["status"] == "diverged"
    assert "The training loss is no longer finite at step" in summary["ended"]
    assert summary["ended"] in text
    (*_, last) = folder.checkpoints().values()
    weights = torch.load(last, weights_only=True)["state_dict"]
    assert all(w.isfinite().all() for w in weights.values())
    assert folder.read(folder.metrics)["step"].tolist() == sorted(set(folder.read(folder.metrics)["step"]))


def test_a_run_whose_last_pass_fails_is_not_finished_and_can_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr("grok.training.conclude.conclude", broken)
        with pytest.raises(OSError, match="disk full"):
            run(tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    assert folder.summary()["status"] == "concluding"
    assert folder.summary()["not_concluded"] == "OSError: disk full"
    _, summary, _ = run(tmp_path / "run", f"resume={folder.path}")
    assert (summary["status"], summary["regime"]) == ("finished", "unfitted")
