"""Losses, accuracies and margins of the network as it is."""

import math
from collections.abc import Mapping

from torch import Tensor

from callbacks.measurement import Measurement
from grok.measures.evaluation import Evaluation
from grok.training.lit import FullBatchTraining


class Losses(Measurement):
    """Losses over the p number classes, unless said otherwise.

    | Key | Value [unit] |
    |---|---|
    | `loss/train` | Mean cross-entropy over the p numbers on the training pairs [nats] |
    | `loss/test` | Mean cross-entropy over the p numbers on all pairs that are not trained on [nats] |
    | `loss/all` | Mean cross-entropy over all p² pairs [nats] |
    | `loss/objective` | What training minimises: train loss over all p + 1 classes, the sign = among them [nats] |
    | `loss/train_largest` | The largest objective of any step since the last measurement [nats] |
    | `accuracy/train` | Share of training pairs whose answer has the largest logit |
    | `accuracy/test` | Share of the other pairs whose answer has the largest logit |
    | `margin/mean` | The answer's logit less the largest other one, averaged over unseen pairs [logits] |
    | `margin/least` | The answer's logit less the largest other one, for the unseen pair where it is least [logits] |
    | `loss/unseen` | Mean cross-entropy on test pairs whose mirror (b, a) is not trained either [nats] |
    | `accuracy/unseen` | Share of unseen pairs whose answer has the largest logit |
    | `loss/mirrored` | Mean cross-entropy on test pairs whose mirror (b, a) is trained [nats] |
    | `accuracy/mirrored` | Share of mirrored pairs whose answer has the largest logit |
    """

    def measure(self, evaluation: Evaluation, training: FullBatchTraining) -> Mapping[str, Tensor | float]:
        largest = training.largest_loss
        right = evaluation.predictions == evaluation.answers
        values: dict[str, Tensor | float] = {}
        if evaluation.counts["unseen"]:
            margins = evaluation.on_unseen(evaluation.margins)
            values |= {
                "loss/unseen": evaluation.held_out_loss,
                "accuracy/unseen": evaluation.held_out_accuracy,
                "margin/mean": margins.mean(),
                "margin/least": margins.min(),
            }
        if evaluation.counts["mirrored"]:
            values["loss/mirrored"] = evaluation.on_mirrored(evaluation.losses).mean()
            values["accuracy/mirrored"] = evaluation.on_mirrored(right).double().mean()
        return values | {
            "loss/train": evaluation.train_loss,
            "loss/test": evaluation.test_loss,
            "loss/all": evaluation.losses.mean(),
            "loss/objective": evaluation.objective,
            "accuracy/train": evaluation.train_accuracy,
            "accuracy/test": evaluation.test_accuracy,
            "loss/train_largest": math.nan if largest is None else largest,
        }
