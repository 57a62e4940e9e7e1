import math
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from runs import run

from grok.runs.conclusion import conclude
from grok.runs.folder import RunFolder
from grok.runs.opened import OpenedRun, history_of


def test_the_pass_repeats_from_the_snapshots_with_the_same_result(tmp_path: Path) -> None:
    folder, summary, _ = run(tmp_path / "run", "trainer.max_steps=60")
    before = folder.final_keys.read_text()
    folder.final_keys.unlink()
    done = subprocess.run(
        [sys.executable, "-m", "grok.final_keys", str(folder.path)], capture_output=True, text=True, check=True
    )
    assert folder.final_keys.read_text() == before
    assert f"regime: {summary['regime']}" in done.stdout
    assert f"{len(folder.snapshots())} snapshots evaluated" in done.stdout


def test_repeating_the_pass_loses_nothing_that_was_evaluated_before_thinning(tmp_path: Path) -> None:
    folder, *_ = run(tmp_path / "run", "trainer.max_steps=60", "snapshots.keep=3")
    assert len(folder.snapshots()) == 3
    before = folder.final_keys.read_text()
    assert len(pd.read_csv(folder.final_keys)) == 6
    conclude(folder)
    assert folder.final_keys.read_text() == before


def test_every_measurement_is_evaluated_with_the_last_networks_keys(tmp_path: Path) -> None:
    folder, summary, _ = run(tmp_path / "run", "trainer.max_steps=60")
    curves = pd.read_csv(folder.final_keys).set_index("step")
    assert curves.index.tolist() == folder.read(folder.metrics)["step"].tolist()
    for step, evaluation in OpenedRun(folder).evaluations([0, 20, 60]):
        expected = evaluation.key_losses(summary["key_frequencies"])
        for name, loss in expected.items():
            assert curves.loc[step, f"final_keys/{name}"] == pytest.approx(float(loss), rel=1e-12)


def test_tables_of_several_steps_keep_their_own_weights(tmp_path: Path) -> None:
    folder, *_ = run(tmp_path / "run")
    found = dict(OpenedRun(folder).evaluations([0, 50]))
    metrics = folder.read(folder.metrics).set_index("step")
    for step in (0, 50):
        assert float(found[step].sum_squared_weights) == metrics.loc[step, "progress/sum_squared_weights"]


def test_when_the_keys_were_decided_is_read_backwards_from_the_end(tmp_path: Path) -> None:
    folder, *_ = run(tmp_path / "run")
    metrics = folder.read(folder.metrics)
    final = " ".join(map(str, conclude(folder).key_frequencies or []))
    every = " ".join(map(str, range(1, 6)))
    metrics["keys"] = [final, "", every, every, final, final]  # at 0, 5, 10, 20, 40, 50
    metrics.to_csv(folder.metrics, index=False)
    assert conclude(folder).keys_decided == {"contained": 10, "equal": 40 if final != every else 10}


def test_an_operation_without_waves_has_no_such_curves(tmp_path: Path) -> None:
    folder, summary, text = run(tmp_path / "run", "data.operation=x2+xy+y2")
    assert "x2+xy+y2 is no group by any names of a and b" in text
    assert pd.read_csv(folder.final_keys).empty
    assert not [name for name in summary["final"] if "restricted" in name or name == "excluded_loss"]
    assert summary["final"]["progress/symmetrized_loss"] > 0


@pytest.mark.parametrize("shape", ["model.d_mlp=0", "model.n_layers=2", "data.p=12", "data.operation=subtraction"])
def test_other_networks_and_operations_conclude_too(tmp_path: Path, shape: str) -> None:
    folder, summary, text = run(tmp_path / "run", shape)
    assert summary["status"] == "finished"
    assert summary["final"]["final_keys/restricted_loss"] > 0
    assert ("no MLP, so no W_L" in text) == (shape == "model.d_mlp=0")
    assert ("W_L" in set(folder.read(folder.spectra)["matrix"])) == (shape != "model.d_mlp=0")


def test_a_folder_without_measurements_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must hold measurements and snapshots to conclude from. It has none."):
        conclude(RunFolder(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "grok.final_keys", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    words = "The folder must be that of a run or of a sweep, or hold some."
    assert done.stderr == f"{words} {tmp_path} is none of these.\n"


def test_a_run_begun_before_unseen_pairs_were_told_apart_is_judged_by_its_test_set(tmp_path: Path) -> None:
    folder, *_ = run(tmp_path / "run")
    metrics = folder.read(folder.metrics)
    assert conclude(folder).held_out == "unseen"
    metrics.loc[:2, ["loss/unseen", "accuracy/unseen"]] = math.nan  # resumed since
    metrics.to_csv(folder.metrics, index=False)
    assert conclude(folder).held_out == "test"
    metrics.drop(columns=["loss/unseen", "accuracy/unseen"]).to_csv(folder.metrics, index=False)
    result = conclude(folder)
    assert (result.held_out, result.pairs["unseen"] > 0) == ("test", True)
    history = history_of(folder.read(folder.metrics))
    assert history.unseen_loss == metrics["loss/test"].tolist()
