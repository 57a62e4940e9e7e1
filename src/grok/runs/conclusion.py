"""The final-key pass: the whole history again, by the key frequencies of the network it became.

The paper fixes the key set from the final network and evaluates every checkpoint with it (its
Fig. 7); while training, that set is not known.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import pandas as pd
import torch
from omegaconf import OmegaConf

from grok.measures.evaluation import Evaluation
from grok.measures.phases import (
    Events,
    History,
    cleanup_band,
    events,
    loss_decades,
    regime,
    slingshots,
    unstable,
)
from grok.model.transformer import Transformer
from grok.runs.files import write_text
from grok.runs.folder import RunFolder
from grok.tasks import operations, splits

# Column of metrics.csv behind each field of a history.
HISTORY_COLUMNS = {
    "step": "step",
    "train_loss": "loss/train",
    "test_loss": "loss/test",
    "train_accuracy": "accuracy/train",
    "test_accuracy": "accuracy/test",
    "excluded_loss": "progress/symmetrized_excluded_loss",
    "sum_squared_weights": "progress/sum_squared_weights",
    "largest_train_loss": "loss/train_largest",
}
# And of those on unseen pairs, with what stands for them in folders written before there were any.
UNSEEN_COLUMNS = {
    "unseen_loss": ("loss/unseen", "loss/test"),
    "unseen_accuracy": ("accuracy/unseen", "accuracy/test"),
}


@dataclass(frozen=True)
class Conclusion:
    """What a finished run comes to: its final keys, when they were decided, events and regime.

    `held_out` says what events are read from: "unseen" pairs, or "test" where metrics.csv has no others.
    `loss_decades` is how fast the loss on them still falls at the end [decades per 1,000 steps].
    """

    key_frequencies: list[int] | None
    keys_from_step: int
    keys_decided: dict[str, int | None]
    events: Events
    regime: str
    unstable: bool
    curves: pd.DataFrame
    pairs: dict[str, int]
    held_out: str
    events_by_test: Events
    cleanup_band: dict[str, int | None]
    loss_decades: float | None

    def summary(self) -> dict[str, Any]:
        """The same for summary.json."""
        return {
            "regime": self.regime,
            "unstable": self.unstable,
            "key_frequencies": self.key_frequencies,
            "keys_from_step": self.keys_from_step,
            "keys_decided": self.keys_decided,
            "phases": {name: when and list(when) for name, when in self.events.items()},
            "pairs": self.pairs,
            "held_out": self.held_out,
            "phases_by_test_pairs": {
                name: when and list(when)
                for name, when in self.events_by_test.items()
                if name in ("cleanup_start", "generalized")
            },
            "cleanup_band": self.cleanup_band,
            "loss_decades": self.loss_decades,
        }


def evaluations(
    folder: RunFolder, steps: Sequence[int], device: str | torch.device = "cpu"
) -> Iterator[tuple[int, Evaluation]]:
    """The evaluation of the run's network at each of `steps`, from its snapshots."""
    config = OmegaConf.load(folder.config)
    data = config.data
    answers = operations.answers(operations.operation_named(data.operation), data.p).to(device)
    train = splits.train_mask(data.p, data.train_fraction, data.seed, data.get("split", "pairs")).to(device)
    network = Transformer(data.p, **config.model).eval()
    for step in steps:
        weights = {name: w.to(device) for name, w in folder.load_snapshot(step).items()}
        network.load_state_dict(weights, assign=True)  # evaluations already handed out keep their own weights
        yield step, Evaluation.of(network, answers, train)


def history_of(metrics: pd.DataFrame) -> History:
    """The curves that events are read from, out of metrics.csv."""
    columns = HISTORY_COLUMNS | {name: own if own in metrics else old for name, (own, old) in UNSEEN_COLUMNS.items()}
    return History(**{f.name: metrics[columns[f.name]].astype(float).tolist() for f in fields(History)})


def conclude(folder: RunFolder, device: str | torch.device = "cpu") -> Conclusion:
    """Evaluate every snapshot with the final keys, write final_keys.csv, and settle the run's events.

    The final network is the last one outside a slingshot.
    """
    steps = list(folder.snapshots())
    if not folder.metrics.exists() or not steps:
        raise ValueError(f"{folder.path} must hold measurements and snapshots to conclude from. It has none.")
    metrics = folder.read(folder.metrics)
    history = history_of(metrics)
    config = OmegaConf.load(folder.config)
    rule = config.key_frequencies if isinstance(config.key_frequencies, str) else list(config.key_frequencies)
    calm = {step for step, jump in zip(history.step, slingshots(history), strict=True) if not jump}
    last = max((step for step in steps if step in calm), default=steps[-1])
    ((_, final),) = evaluations(folder, [last], device)
    found = final.key_frequencies(rule)

    rows = [
        {
            "step": step,
            **{f"final_keys/{name}": float(loss) for name, loss in evaluation.key_losses(found or []).items()},
        }
        for step, evaluation in evaluations(folder, steps if final.is_linear and found is not None else [], device)
    ]
    curves = pd.DataFrame(rows) if rows else pd.DataFrame({"step": []})
    if rows and folder.final_keys.exists() and folder.summary().get("key_frequencies") == found:
        # the same keys: what was evaluated before its snapshot was dropped still holds
        earlier = folder.read(folder.final_keys)
        gone = earlier["step"].isin(metrics["step"]) & ~earlier["step"].isin(steps)
        curves = pd.concat([earlier[gone], curves]).sort_values("step", ignore_index=True)
    write_text(folder.final_keys, curves.to_csv(index=False))

    held_out = "unseen" if "loss/unseen" in metrics else "test"
    p, test_count = final.p, final.counts["unseen"] + (0 if held_out == "unseen" else final.counts["mirrored"])
    settled = events(history, p, test_count, final=True)
    if rows:  # memorization ends where excluded loss by the final keys is least
        kept = metrics[metrics["step"].isin(curves["step"])]
        by_final_keys = replace(
            history_of(kept), excluded_loss=curves["final_keys/excluded_loss"].astype(float).tolist()
        )
        settled = replace(settled, memorization_end=events(by_final_keys, p, test_count, final=True).memorization_end)
    return Conclusion(
        key_frequencies=found,
        keys_from_step=last,
        keys_decided=_decided(metrics[metrics["step"] <= last], found),
        events=settled,
        regime=regime(history, settled),
        unstable=unstable(history, settled),
        curves=curves,
        pairs=final.counts,
        held_out=held_out,
        events_by_test=events(history.by_test_pairs(), p, int((~final.train).sum()), final=True),
        cleanup_band=cleanup_band(history, p),
        loss_decades=loss_decades(history),
    )


def _decided(metrics: pd.DataFrame, found: Sequence[int] | None) -> dict[str, int | None]:
    """The first step from which on the final keys are contained in, and equal, the current ones."""
    if not found:
        return {"contained": None, "equal": None}
    final = set(found)
    decided: dict[str, int | None] = {"contained": None, "equal": None}
    undecided = set(decided)
    for step, text in zip(metrics["step"][::-1], metrics["keys"][::-1], strict=True):
        current = set() if not isinstance(text, str) else set(map(int, text.split()))
        undecided -= {
            name for name, holds in [("contained", final <= current), ("equal", final == current)] if not holds
        }
        decided.update(dict.fromkeys(undecided, int(step)))
    return decided
