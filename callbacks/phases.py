"""Which phase the run is in."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from torch import Tensor

from callbacks.measurement import Measurement
from grok.measures.evaluation import Evaluation
from grok.measures.history import History, slingshots
from grok.measures.phases import REGIMES, RULES, Events, by_spike, events, regime
from grok.training.lit import FullBatchTraining


class Phases(Measurement):
    """Events, phase and regime as far as they are known (rules of this project's own: `grok.measures.phases`).

    What is not known to have happened is logged as nan.

    | Key | Value [unit] |
    |---|---|
    | `phase` | 0 memorization, 1 circuit formation, 2 clean-up, 3 stable, as far as known at that step |
    | `phase_provisional` | 1 while the last phase boundary may still be revised |
    | `regime` | Kind of run if ended now: 0 unfitted, 1 memorized, 2 direct, 3 partial, 4 unfinished, 5 grokked |
    | `slingshot` | 1 where train loss jumped since the last measurement, above 1e-4 and 100 times its running median |
    | `events/fitted` | Where train accuracy reaches 99 % and holds [steps] |
    | `events/memorization_end` | Where excluded loss leaves its floor after fitting, twice its least value [steps] |
    | `events/cleanup_start` | Where loss on unseen pairs falls below ln p and stays there [steps] |
    | `events/generalized` | Where accuracy on unseen pairs reaches 99 % and holds [steps] |
    | `events/stable` | Where weights, loss on unseen pairs and key frequencies rest for a quarter of the run [steps] |

    Args:
        rule: of the key frequencies, which must rest in a stable run; one of `grok.evaluation.RULES`, or a list.
        boundaries: between phases: `losses`, or `spike`, by which memorization ends where memorization's spike is
            deepest and clean-up starts where half of it is gone. The regime is always told by losses.
    """

    def __init__(self, rule: str | Sequence[int] = "W_L", boundaries: str = "losses") -> None:
        if boundaries not in RULES:
            raise ValueError(f"`phases.rule` must be one of {', '.join(RULES)}. Got {boundaries!r}.")
        self.rule = rule
        self.boundaries = boundaries
        self.history = History.empty()
        self.events = Events()

    def measure(self, evaluation: Evaluation, training: FullBatchTraining) -> Mapping[str, Tensor | float]:
        history = self.history.extended(
            key_frequencies=evaluation.key_frequencies(self.rule),
            step=float(training.global_step),
            train_loss=evaluation.train_loss,
            test_loss=evaluation.test_loss,
            train_accuracy=evaluation.train_accuracy,
            test_accuracy=evaluation.test_accuracy,
            unseen_loss=evaluation.held_out_loss,
            unseen_accuracy=evaluation.held_out_accuracy,
            excluded_loss=evaluation.symmetrized_excluded_loss,
            sum_squared_weights=evaluation.sum_squared_weights,
            spike=math.nan if evaluation.spike_and_waves is None else evaluation.spike_and_waves.spike,
            largest_train_loss=math.nan if training.largest_loss is None else training.largest_loss,
        )
        counts = evaluation.counts
        judged = history if counts["unseen"] else history.by_test_pairs()
        found = events(judged, evaluation.p, counts["unseen"] or counts["mirrored"])
        kind = regime(judged, found)
        if self.boundaries == "spike":
            found = by_spike(judged, found)
        values = {
            "phase": math.nan if found.phase is None else float(found.phase),
            "phase_provisional": float(found.provisional),
            "regime": float(REGIMES.index(kind)),
            "slingshot": float(slingshots(history)[-1]),
            **{f"events/{name}": math.nan if when is None else float(when[1]) for name, when in found.items()},
        }
        self.events = found
        if training.schedule.is_regular(training.global_step):
            self.history = history
        return values

    def state_dict(self) -> dict[str, Any]:
        return asdict(self.history)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.history = History.restored(state_dict)
