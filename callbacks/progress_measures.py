"""The paper's progress measures, and this project's key-free pair."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from callbacks.measurement import Measurement
from grok.measures.evaluation import Evaluation
from grok.training.lit import FullBatchTraining


class ProgressMeasures(Measurement):
    """Measures that see generalization coming (paper §5.1, Fig. 7).

    Restricted and excluded loss use the key frequencies of the moment. While a network memorizes
    these include frequencies it will drop, and averages over them leak training answers: compare
    with the key-free pair, and with the final-key curves that the end of a run adds.
    They exist for answers linear in a and b; without them nothing is logged under their names.

    | Key | Value [unit] |
    |---|---|
    | `progress/symmetrized_loss` | Loss of the average held-out answer, each turned to where it should be [nats] |
    | `progress/symmetrized_excluded_loss` | Train loss without the part that held-out answers share [nats] |
    | `progress/memorization_spike` | How far memorization lowers the right answers of unseen pairs, below 0 [nats] |
    | `progress/circuit_waves` | How far the circuit lifts the right answers of unseen pairs [nats] |
    | `progress/wave_loss` | Loss of the waves alone, chosen on one half of the unseen pairs for the other [nats] |
    | `progress/wave_odd_part` | Share of the unseen pairs' mean answer that neither a spike nor a circuit explains |
    | `progress/restricted_loss` | Loss on all p² pairs by the sum waves of the current key frequencies alone [nats] |
    | `progress/restricted_loss_train` | Train loss by the sum waves of the current key frequencies alone [nats] |
    | `progress/restricted_loss_test` | Test loss by the sum waves of the current key frequencies alone [nats] |
    | `progress/restricted_loss_held_out` | Loss on all p² pairs by sum waves averaged over unseen pairs alone [nats] |
    | `progress/excluded_loss` | Train loss without the sum waves of the current key frequencies [nats] |
    | `progress/sum_squared_weights` | Sum of squares of all parameters |
    | `weights/…` | Sum of squares of one parameter, which the name ends in |

    Args:
        rule: of the key frequencies; one of `grok.evaluation.RULES`, or a list of frequencies.
    """

    def __init__(self, rule: str | Sequence[int]) -> None:
        self.rule = rule

    def measure(self, evaluation: Evaluation, training: FullBatchTraining) -> Mapping[str, Tensor | float]:
        return {
            **_key_free(evaluation),
            "progress/sum_squared_weights": evaluation.sum_squared_weights,
            **{f"weights/{name}": square for name, square in evaluation.squared_weights.items()},
            **{f"progress/{name}": loss for name, loss in evaluation.key_losses(self.rule).items()},
        }


def _key_free(evaluation: Evaluation) -> dict[str, Tensor]:
    """What is read from the unseen pairs without key frequencies; nothing where there are no such pairs."""
    found = evaluation.spike_and_waves
    if found is None:
        return {}
    return {
        "progress/symmetrized_loss": evaluation.symmetrized_loss,
        "progress/symmetrized_excluded_loss": evaluation.symmetrized_excluded_loss,
        "progress/memorization_spike": found.spike,
        "progress/circuit_waves": found.waves,
        "progress/wave_loss": found.loss,
        "progress/wave_odd_part": found.odd,
    }
