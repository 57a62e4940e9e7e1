from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest
import torch
from lightning import Callback, Trainer
from torch import Tensor

from callbacks import (
    Checkpoints,
    Interruption,
    KeyFrequencies,
    Losses,
    Phases,
    ProgressBar,
    ProgressMeasures,
    RunRecord,
    Stopping,
    phases,
)
from callbacks.measurement import Measurement
from grok.measures.evaluation import Evaluation
from grok.measures.phases import Events
from grok.model.transformer import Transformer
from grok.runs.schedule import Schedule
from grok.tasks.modular import ModularArithmetic
from grok.training.experiment import LOOP
from grok.training.lit import FullBatchData, FullBatchTraining

CALLBACKS: dict[str, Callable[[Path], Callback]] = {
    "losses": lambda folder: Losses(),
    "key_frequencies": lambda folder: KeyFrequencies("W_L"),
    "progress_measures": lambda folder: ProgressMeasures("W_L"),
    "phases": lambda folder: Phases(),
    "run_record": lambda folder: RunRecord(folder, "W_L"),
    "checkpoints": lambda folder: Checkpoints(folder, every=10),
    "interruption": lambda folder: Interruption(),
    "progress_bar": lambda folder: ProgressBar(),
    "stopping": lambda folder: Stopping(),
}


def fitted(callbacks: list[Callback], max_steps: int, checkpoint: Path | None = None, **shape: int) -> Trainer:
    """A trainer after two measurements, or more when it goes on from a checkpoint."""
    trainer = Trainer(
        **LOOP,
        max_steps=max_steps,
        accelerator="cpu",
        devices=1,
        logger=False,
        enable_checkpointing=any(isinstance(callback, Checkpoints) for callback in callbacks),
        callbacks=callbacks,
    )
    network = Transformer(11, **{"d_model": 16, "n_heads": 2, "d_mlp": 32, **shape})  # type: ignore[arg-type]
    training = FullBatchTraining(network, Schedule(10, 10, 0, max_steps), lr=1e-3, wd=1.0, warmup_steps=10)
    trainer.fit(
        training, FullBatchData(ModularArithmetic(11, "addition", 0.5, 0)), ckpt_path=checkpoint, weights_only=True
    )
    return trainer


@pytest.mark.parametrize("name", CALLBACKS)
def test_a_callback_works_alone_through_two_measurements_and_a_resume(name: str, tmp_path: Path) -> None:
    whole = fitted([CALLBACKS[name](tmp_path / "whole")], 20)
    first = fitted([CALLBACKS[name](tmp_path / "part")], 10)
    first.save_checkpoint(tmp_path / "ten.ckpt")
    resumed = fitted([CALLBACKS[name](tmp_path / "part")], 20, tmp_path / "ten.ckpt")
    expected = {key: float(value) for key, value in whole.callback_metrics.items()}
    found = {key: float(value) for key, value in resumed.callback_metrics.items()}
    pd.testing.assert_series_equal(pd.Series(found), pd.Series(expected), check_exact=True)
    (one,), (other,) = ([c for c in t.callbacks if name in c.__module__] for t in (whole, resumed))  # type: ignore[attr-defined]
    assert one.state_dict() == other.state_dict() or name == "phases"  # whose history holds nan
    assert str(one.state_dict()) == str(other.state_dict())


@pytest.mark.parametrize("name", ["losses", "key_frequencies", "progress_measures", "phases"])
def test_a_callback_documents_what_it_logs(name: str, tmp_path: Path) -> None:
    callback = CALLBACKS[name](tmp_path)
    trainer = fitted([callback], 10)
    table = (type(callback).__doc__ or "").replace("`events/…`", "`events/").replace("`weights/…`", "`weights/")
    for key in set(trainer.callback_metrics) - {"step"}:
        group = key.split("/")[0] + "/" if key.split("/")[0] in ("events", "weights") else key
        assert f"`{group}" in table, key


def test_without_an_mlp_what_needs_one_is_absent(tmp_path: Path) -> None:
    trainer = fitted([KeyFrequencies("W_L"), ProgressMeasures("W_L")], 10, d_mlp=0)
    logged = set(trainer.callback_metrics)
    assert {"keys/count", "progress/gini_W_E", "progress/restricted_loss"} <= logged
    assert not {name for name in logged if "W_L" in name or "neurons" in name}


def test_a_callback_of_ones_own_is_a_few_lines() -> None:
    class EmbeddingNorm(Measurement):
        """| `norm/W_E` | Frobenius norm of the embedding |"""

        def measure(self, evaluation: Evaluation, training: FullBatchTraining) -> Mapping[str, Tensor | float]:
            return {"norm/W_E": training.network.W_E.norm()}

    trainer = fitted([EmbeddingNorm()], 10)
    assert trainer.callback_metrics["norm/W_E"] > 0


def test_checkpoints_are_whole_and_the_last_two_are_kept(tmp_path: Path) -> None:
    callback = Checkpoints(tmp_path, every=10)
    fitted([callback], 45)
    assert list(callback.folder.checkpoints()) == [40, 45]
    assert not list(tmp_path.rglob("*.part"))
    contents = torch.load(callback.folder.checkpoint_at(45), weights_only=True)
    assert contents["global_step"] == 45
    assert contents["since_measurement"]["measured_step"] == 40


@pytest.mark.parametrize("every", [0, -5])
def test_checkpoints_never_are_refused(every: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"`callbacks.checkpoints.every` must be .* 1 or more. Got {every}."):
        Checkpoints(tmp_path, every)


def test_a_stable_run_trains_a_tenth_longer_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    stable = Events(fitted=(0, 10), cleanup_start=(10, 20), generalized=(10, 20), stable=(20, 30))
    monkeypatch.setattr(phases, "events", lambda history, *_: stable if history.step[-1] >= 30 else Events())
    assert fitted([Stopping("stable"), Phases()], 100).global_step == 40  # the first measurement at 33 or later
    assert fitted([Phases(), Stopping("never")], 100).global_step == 100


def test_what_is_no_way_to_stop_is_refused() -> None:
    with pytest.raises(ValueError, match="`stop` must be one of stable, never. Got 'soon'."):
        Stopping("soon")
