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
    | `loss/train`, `loss/test` | mean cross-entropy on training and on the other pairs [nats] |
    | `loss/unseen`, `accuracy/unseen` | the same on test pairs whose mirror is not trained; absent without any |
    | `loss/mirrored`, `accuracy/mirrored` | and on those whose mirror is trained; absent without any |
    | `loss/all` | the same on all p² pairs, as in the paper's §4.4 [nats] |
    | `loss/objective` | what training minimises: train loss over all p + 1 classes [nats] |
    | `loss/train_largest` | largest objective of any step since the last measurement [nats] |
    | `accuracy/train`, `accuracy/test` | share of pairs whose answer has the largest logit |
    | `margin/mean`, `margin/least` | answer's logit less the largest other one, on unseen pairs |
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
