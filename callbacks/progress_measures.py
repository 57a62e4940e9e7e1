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
    | `progress/symmetrized_loss` | loss of the mean held-out answer: ln p without generalization, to 0 [nats] |
    | `progress/symmetrized_excluded_loss` | train loss without that shared part: low while memorizing [nats] |
    | `progress/memorization_spike` | how deep memorization pulls unseen answers down, negative [nats] |
    | `progress/circuit_waves` | how high the circuit lifts them [nats] |
    | `progress/wave_loss` | loss of those waves alone: ln p without a circuit, to 0 [nats] |
    | `progress/wave_odd_part` | share of the unseen answers' mean that is neither: a check, near 0 [norm over norm] |
    | `progress/restricted_loss` | loss of the key frequencies' sum waves alone, all p² pairs [nats] |
    | `progress/restricted_loss_train`, `progress/restricted_loss_test` | the same, on either side [nats] |
    | `progress/restricted_loss_held_out` | the same on all, from waves over unseen pairs alone [nats] |
    | `progress/excluded_loss` | loss on training pairs without those waves [nats] |
    | `progress/sum_squared_weights` | sum of squares of all parameters |
    | `weights/…` | the same, parameter by parameter |

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
