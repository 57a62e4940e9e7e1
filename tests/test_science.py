"""What the paper found, found again: real training at small primes (minutes)."""

import math
from pathlib import Path

import pytest
from runs import run

pytestmark = pytest.mark.slow
QUICK = ["experiment=quick", "logger=none", "pictures=false", "trainer.accelerator=cpu"]


def test_with_weight_decay_p_41_groks_and_the_measures_see_it_coming(tmp_path: Path) -> None:
    folder, summary, _ = run(tmp_path / "run", base=QUICK)
    assert summary["regime"] == "grokked"
    assert summary["ended"] == "stable"
    phases = summary["phases"]
    ends = [phases[name][1] for name in ("fitted", "memorization_end", "cleanup_start", "generalized", "stable")]
    assert ends == sorted(set(ends))
    assert summary["final"]["accuracy/test"] == 1
    assert 3 <= len(summary["key_frequencies"]) <= 6
    assert summary["keys_decided"]["equal"] < phases["generalized"][1]
    metrics = folder.read(folder.metrics)
    fallen = {
        name: metrics.loc[metrics[f"progress/{name}"] < 1, "step"].min() for name in ("wave_loss", "symmetrized_loss")
    }
    assert fallen["wave_loss"] < 0.6 * phases["cleanup_start"][1]  # by the circuit alone
    assert fallen["symmetrized_loss"] < phases["cleanup_start"][1]  # under confident wrong answers
    assert metrics["loss/test"].max() > 1.5 * math.log(41)
    assert len(folder.snapshots()) == 60
    assert summary["final_key_seconds"] < 0.03 * summary["fit_seconds"]


def test_without_weight_decay_p_41_memorizes_for_as_many_steps(tmp_path: Path) -> None:
    _, summary, _ = run(tmp_path / "run", "optim.wd=0", "trainer.max_steps=6000", base=QUICK)
    assert summary["regime"] == "memorized"
    assert summary["phases"]["cleanup_start"] is None
    assert summary["final"]["accuracy/train"] == 1
    assert summary["final"]["accuracy/test"] < 0.5
    assert summary["final"]["accuracy/unseen"] < 0.1
    assert summary["final"]["loss/test"] > 2 * math.log(41)


def test_with_most_of_the_pairs_it_generalizes_directly_only_by_mirrors(tmp_path: Path) -> None:
    _, summary, _ = run(tmp_path / "run", "data.train_fraction=0.9", "trainer.max_steps=2000", base=QUICK)
    by_test, on_unseen = summary["phases_by_test_pairs"]["cleanup_start"], summary["phases"]["cleanup_start"]
    assert by_test[1] <= summary["phases"]["fitted"][1]  # direct, by the paper's test set
    assert summary["regime"] == "grokked"  # but on the 24 pairs whose mirrors are not trained
    assert on_unseen[1] > summary["phases"]["fitted"][1]
