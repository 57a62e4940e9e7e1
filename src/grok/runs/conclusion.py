"""The final-key pass: the whole history again, by the key frequencies of the network it became.

The paper fixes the key set from the final network and evaluates every checkpoint with it (its
Fig. 7); while training, that set is not known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import torch

from grok.measures.phases import Events, by_spike, cleanup_band, events, regime, unstable
from grok.measures.stability import loss_decades
from grok.runs.files import write_text
from grok.runs.folder import RunFolder
from grok.runs.opened import OpenedRun, held_out, history_of


@dataclass(frozen=True)
class Conclusion:
    """What a finished run comes to: its final key frequencies, when they were decided, events and regime.

    `held_out` says which pairs events are read from, "unseen" or "test" (`grok.runs.opened.held_out`).
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


def conclude(folder: RunFolder, device: str | torch.device = "cpu", trust: bool = False) -> Conclusion:
    """Evaluate every snapshot with the final key frequencies, write final_keys.csv, and settle the run's events.

    The final network is the last one outside a slingshot. `trust` as for `grok.runs.opened.OpenedRun`.
    """
    run = OpenedRun(folder, trust)
    steps, metrics = list(folder.snapshots()), run.metrics
    if metrics.empty or not steps:
        raise ValueError(f"{folder.path} must hold measurements and snapshots to conclude from. It has none.")
    history = history_of(metrics)
    last = run.last_calm_step
    final = run.evaluation(last, device)
    found = final.key_frequencies(run.key_rule)

    summary = folder.summary()
    is_again = summary.get("status") == "concluding"  # killed between the table and what the summary says of it
    if folder.final_keys.exists() and "key_frequencies" not in summary and not is_again:
        raise ValueError(f"{folder.summary_file} must say whose key frequencies {folder.final_keys.name} is of.")

    rows = [
        {
            "step": step,
            **{f"final_keys/{name}": float(loss) for name, loss in evaluation.key_losses(found or []).items()},
        }
        for step, evaluation in run.evaluations(steps if final.has_group and found is not None else [], device)
    ]
    curves = pd.DataFrame(rows) if rows else pd.DataFrame({"step": []})
    if rows and folder.final_keys.exists() and folder.summary().get("key_frequencies") == found:
        # the same keys: what was evaluated before its snapshot was dropped still holds
        earlier = folder.read(folder.final_keys)
        gone = earlier["step"].isin(metrics["step"]) & ~earlier["step"].isin(steps)
        curves = pd.concat([earlier[gone], curves]).sort_values("step", ignore_index=True)
    folder.unseal()
    write_text(folder.final_keys, curves.to_csv(index=False))

    judged_by = held_out(metrics)
    p, test_count = final.p, final.counts["unseen"] + (0 if judged_by == "unseen" else final.counts["mirrored"])
    settled = events(history, p, test_count, final=True)
    if rows:  # memorization ends where excluded loss by the final key frequencies leaves its floor
        kept = metrics[metrics["step"].isin(curves["step"])]
        by_final_keys = replace(
            history_of(kept), excluded_loss=curves["final_keys/excluded_loss"].astype(float).tolist()
        )
        settled = replace(settled, memorization_end=events(by_final_keys, p, test_count, final=True).memorization_end)
    kind = regime(history, settled)
    if run.phase_rule == "spike":
        settled = by_spike(history, settled, final=True)
    return Conclusion(
        key_frequencies=found,
        keys_from_step=last,
        keys_decided=_decided(metrics[metrics["step"] <= last], found),
        events=settled,
        regime=kind,
        unstable=unstable(history, settled),
        curves=curves,
        pairs=final.counts,
        held_out=judged_by,
        events_by_test=events(history.by_test_pairs(), p, int((~final.train).sum()), final=True),
        cleanup_band=cleanup_band(history, p),
        loss_decades=loss_decades(history),
    )


def _decided(metrics: pd.DataFrame, found: Sequence[int] | None) -> dict[str, int | None]:
    """The first step from which on the final key frequencies are contained in, and equal, the current ones."""
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
