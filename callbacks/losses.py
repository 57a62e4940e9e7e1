"""Losses, accuracies and margins of the network as it is."""

import math
from collections.abc import Mapping

from torch import Tensor

from callbacks.measurement import Measurement
from grok.lit import FullBatchTraining
from grok.table import Table


class Losses(Measurement):
    """Losses over the p number classes, unless said otherwise.

    | Key | Value [unit] |
    |---|---|
    | `loss/train`, `loss/test` | mean cross-entropy on training and on the other questions [nats] |
    | `loss/all` | the same on all p² questions, as in the paper's §4.4 [nats] |
    | `loss/objective` | what training minimises: train loss over all p + 1 classes [nats] |
    | `loss/train_largest` | largest objective of any step since the last measurement [nats] |
    | `accuracy/train`, `accuracy/test` | share of questions whose answer has the largest logit |
    | `margin/mean`, `margin/least` | answer's logit less the largest other one, on test questions |
    """

    def measure(self, table: Table, training: FullBatchTraining) -> Mapping[str, Tensor | float]:
        margins = table.on_test(table.margins)
        largest = training.largest_loss
        return {
            "loss/train": table.train_loss,
            "loss/test": table.test_loss,
            "loss/all": table.losses.mean(),
            "loss/objective": table.objective,
            "accuracy/train": table.train_accuracy,
            "accuracy/test": table.test_accuracy,
            "margin/mean": margins.mean(),
            "margin/least": margins.min(),
            "loss/train_largest": math.nan if largest is None else largest,
        }
