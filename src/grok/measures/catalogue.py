"""What each logged metric is called and means, and where it is shown: the one place for all that shows it.

A run's page, the page of a sweep, W&B reports, pictures, the table at a run's end and the tables in the callbacks'
docstrings take name, label, unit and words from here. To add a metric: log it in a callback, and describe it here.

The name is the column in metrics.csv (final_keys.csv for `final_keys/…`) and the key in W&B. Families such as
`weights/…` stand for one metric a member. Where `section` is empty, the metric is this project's own.
"""

from dataclasses import dataclass, replace

from grok.measures.panels import CURRENT_KEYS, FINAL_KEYS, KEY_FREE, PANELS


@dataclass(frozen=True)
class Metric:
    """One logged quantity.

    Args:
        name: as it is logged.
        label: a few words for axes and legends.
        unit: of the value; empty for shares, coefficients and flags.
        text: what it is, and how to read it: two sentences.
        section: of the paper (arXiv 2301.05217), or empty.
        panel: where its curve is drawn, one of `PANELS`; empty: nowhere.
        family: what it is computed by, which sets how its line looks: KEY_FREE, CURRENT_KEYS, FINAL_KEYS or empty.
        colour: of its line, a name in the palette; empty: that of text.
        final: whether it stands among the final values of a run.
    """

    name: str
    label: str
    unit: str
    text: str
    section: str = ""
    panel: str = ""
    family: str = ""
    colour: str = ""
    final: bool = False

    @property
    def axis(self) -> str:
        """The label with its unit, for an axis."""
        return f"{self.label} [{self.unit}]" if self.unit else self.label

    @property
    def legend(self) -> str:
        """The label within its panel, where the family alone sets curves of one colour apart."""
        return f"{self.panel}, {self.family}" if self.family else self.label

    @property
    def short(self) -> str:
        """The legend where the panel's title says the rest."""
        group, _, member = self.name.partition("/")
        return self.family or (f"{member} pairs" if group in ("loss", "accuracy") else self.label)

    @property
    def value(self) -> str:
        """What it is, the first sentence of the text, with its unit: the cell of a callback's table."""
        sentence = self.text.partition(". ")[0]
        return f"{sentence} [{self.unit}]" if self.unit else sentence


_LOSSES = (
    Metric(
        "loss/train",
        "train loss",
        "nats",
        "Mean cross-entropy over the p numbers on the training pairs. Chance level is ln p.",
        "§3",
        panel="losses",
        colour="train",
        final=True,
    ),
    Metric(
        "loss/test",
        "test loss",
        "nats",
        "Mean cross-entropy over the p numbers on all pairs that are not trained on. Its fall below ln p is where"
        " clean-up becomes visible.",
        "§3, Fig. 2",
        panel="losses",
        colour="test",
        final=True,
    ),
    Metric(
        "loss/all",
        "loss on all pairs",
        "nats",
        "Mean cross-entropy over all p² pairs. The paper's ablations are compared with this number.",
        "§4.4",
        final=True,
    ),
    Metric(
        "loss/objective",
        "training objective",
        "nats",
        "What training minimises: train loss over all p + 1 classes, the sign = among them. It differs from the train"
        " loss in the first steps alone.",
        "§3",
    ),
    Metric(
        "loss/train_largest",
        "largest train loss",
        "nats",
        "The largest objective of any step since the last measurement. It shows slingshots that fall between two"
        " measurements.",
    ),
    Metric(
        "accuracy/train",
        "train accuracy",
        "",
        "Share of training pairs whose answer has the largest logit. Held at 0.99 the pairs count as fitted.",
        "§3, Fig. 2",
        panel="accuracy",
        colour="train",
    ),
    Metric(
        "accuracy/test",
        "test accuracy",
        "",
        "Share of the other pairs whose answer has the largest logit. Where the operation is commutative, part of it is"
        " memory: see accuracy on unseen pairs.",
        "§3, Fig. 2",
        panel="accuracy",
        colour="test",
        final=True,
    ),
    Metric(
        "margin/mean",
        "mean margin",
        "logits",
        "The answer's logit less the largest other one, averaged over unseen pairs. It is positive where the network"
        " is right, and grows while test loss falls.",
    ),
    Metric(
        "margin/least",
        "least margin",
        "logits",
        "The answer's logit less the largest other one, for the unseen pair where it is least. Above 0, every unseen"
        " pair is answered rightly.",
    ),
    Metric(
        "loss/unseen",
        "loss on unseen pairs",
        "nats",
        "Mean cross-entropy on test pairs whose mirror (b, a) is not trained either. This is what is held out; it is"
        " all test pairs where the operation is not commutative.",
        panel="losses",
        colour="unseen",
        final=True,
    ),
    Metric(
        "accuracy/unseen",
        "accuracy on unseen pairs",
        "",
        "Share of unseen pairs whose answer has the largest logit. Held at 0.99 the network counts as generalized.",
        panel="accuracy",
        colour="unseen",
        final=True,
    ),
    Metric(
        "loss/mirrored",
        "loss on mirrored pairs",
        "nats",
        "Mean cross-entropy on test pairs whose mirror (b, a) is trained. It falls early, by memory alone.",
        panel="losses",
        colour="mirrored",
    ),
    Metric(
        "accuracy/mirrored",
        "accuracy on mirrored pairs",
        "",
        "Share of mirrored pairs whose answer has the largest logit. High while unseen accuracy is 0, it shows that"
        " the network knows a + b = b + a, and no more.",
        panel="accuracy",
        colour="mirrored",
    ),
)
_KEY_FREE = (
    Metric(
        "progress/symmetrized_loss",
        "symmetrized loss",
        "nats",
        "Loss of the average held-out answer, each turned to where it should be. It falls from ln p as soon"
        " as test answers share anything right, and needs no key frequencies.",
        panel="restricted",
        family=KEY_FREE,
        colour="restricted",
        final=True,
    ),
    Metric(
        "progress/symmetrized_excluded_loss",
        "symmetrized excluded loss",
        "nats",
        "Train loss without the part that held-out answers share. It is low while the network knows its pairs by"
        " heart, and high when it no longer does.",
        panel="excluded",
        family=KEY_FREE,
        colour="excluded",
        final=True,
    ),
    Metric(
        "progress/memorization_spike",
        "memorization spike",
        "nats",
        "How far memorization lowers the right answers of unseen pairs, below 0. It deepens while memorizing, and"
        " clean-up takes it away.",
        panel="spike",
        colour="spike",
        final=True,
    ),
    Metric(
        "progress/circuit_waves",
        "circuit waves",
        "nats",
        "How far the circuit lifts the right answers of unseen pairs. It grows in circuit formation; compare it with"
        " the spike.",
        panel="spike",
        colour="waves",
        final=True,
    ),
    Metric(
        "progress/wave_loss",
        "wave loss",
        "nats",
        "Loss of the waves alone, chosen on one half of the unseen pairs for the other. It falls from ln p long before"
        " the loss on unseen pairs does.",
        panel="restricted",
    ),
    Metric(
        "progress/wave_odd_part",
        "odd part",
        "",
        "Share of the unseen pairs' mean answer that neither a spike nor a circuit explains. A check value, near 0.",
    ),
)
_RESTRICTED = {
    "": "Loss on all p² pairs by the sum waves of {whose} alone",
    "_train": "Train loss by the sum waves of {whose} alone",
    "_test": "Test loss by the sum waves of {whose} alone",
    "_held_out": "Loss on all p² pairs by sum waves averaged over unseen pairs alone",
}

_LABELS = {
    "": "restricted loss",
    "_train": "restricted (train)",
    "_test": "restricted (test)",
    "_held_out": "restricted (unseen)",
}


def _by_keys(group: str, family: str, whose: str, remark: str) -> tuple[Metric, ...]:
    """Restricted losses and excluded loss by one choice of key frequencies."""
    restricted = [
        Metric(
            f"{group}/restricted_loss{side}",
            f"{_LABELS[side]}, {family}",
            "nats",
            f"{value.format(whose=whose)}. Sum waves are cos w(a+b) and sin w(a+b); {remark}",
            "§5.1, Fig. 7",
            family=family,
        )
        for side, value in _RESTRICTED.items()
    ]
    excluded = Metric(
        f"{group}/excluded_loss",
        f"excluded loss, {family}",
        "nats",
        f"Train loss without the sum waves of {whose}. Sum waves are cos w(a+b) and sin w(a+b); {remark}",
        "§5.1, Fig. 7",
        family=family,
    )
    final = family == FINAL_KEYS
    return (
        replace(restricted[0], panel="restricted", colour="restricted", final=final),
        *restricted[1:],
        replace(excluded, panel="excluded", colour="excluded", final=final),
    )


_CURRENT = _by_keys(
    "progress",
    CURRENT_KEYS,
    "the current key frequencies",
    "while memorizing the current set holds frequencies that will go.",
)
_FINAL = _by_keys(
    "final_keys",
    FINAL_KEYS,
    "the final key frequencies",
    "those of the final network give the paper's curves.",
)


def _gini(matrix: str, words: str) -> tuple[Metric, Metric]:
    """Sparsity of the spectrum of one matrix, by frequency and by component."""
    meaning = "It rises from near 0 towards 1 as few frequencies come to hold everything."
    return (
        Metric(
            f"progress/gini_{matrix}",
            f"Gini of {matrix}",
            "",
            f"Gini coefficient of the ⌊p/2⌋ frequency norms of {words}. {meaning}",
            "§5.1, Fig. 7",
            panel="sparsity",
            colour=matrix,
            final=True,
        ),
        Metric(
            f"progress/gini_{matrix}_components",
            f"Gini of {matrix}, components",
            "",
            f"Gini coefficient of the p - 1 cos and sin norms of {words}. {meaning}",
            "§5.1, Fig. 7",
        ),
    )


_SPECTRA = (
    *_gini("W_E", "the embedding W_E"),
    *_gini("W_L", "the neuron-logit map W_L"),
    Metric(
        "keys/count",
        "key frequencies",
        "",
        "How many frequencies stand out of the spectrum by the run's rule. Many while memorizing, then a handful.",
        "§4.1, App. C.2",
        panel="count",
    ),
    Metric(
        "keys/share",
        "share of the key frequencies",
        "",
        "The part of the squared norm of W_L (of W_E without an MLP) that lies in the key frequencies. Near 1, nothing"
        " else is left.",
        "§4.2",
        panel="shares",
        colour="W_L",
        final=True,
    ),
    Metric(
        "neurons/explained",
        "neurons of one frequency",
        "",
        "Share of neurons of which one frequency explains over 85 % of the variance. The paper's network has 84.6 % of"
        " them in the end.",
        "§4.3",
        panel="shares",
        colour="restricted",
        final=True,
    ),
    Metric(
        "progress/sum_squared_weights",
        "squared weights",
        "",
        "Sum of squares of all parameters. It falls smoothly in circuit formation and sharply in clean-up.",
        "§5.1, Fig. 7",
        panel="weights",
        final=True,
    ),
    Metric(
        "weights/…",
        "squared weights of a parameter",
        "",
        "Sum of squares of one parameter, which the name ends in. Together they are the sum of squared weights.",
        "§5.1",
    ),
)
_PHASES = (
    Metric(
        "phase",
        "phase",
        "",
        "0 memorization, 1 circuit formation, 2 clean-up, 3 stable, as far as known at that step. There is none where a"
        " run generalizes while fitting.",
        "§5.2",
        panel="phase",
    ),
    Metric(
        "phase_provisional",
        "phase provisional",
        "",
        "1 while the last phase boundary may still be revised. The boundaries are settled when the run has ended.",
    ),
    Metric(
        "regime",
        "regime",
        "",
        "Kind of run if ended now: 0 unfitted, 1 memorized, 2 direct, 3 partial, 4 unfinished, 5 grokked."
        " Memorized means within these steps, which is not never.",
    ),
    Metric(
        "slingshot",
        "slingshot",
        "",
        "1 where train loss jumped since the last measurement, above 1e-4 and 100 times its running median. No"
        " event is placed within one.",
        "App. D.2",
    ),
    Metric(
        "events/fitted",
        "fitted",
        "steps",
        "Where train accuracy reaches 99 % and holds. Before it the network has not yet learned its pairs.",
    ),
    Metric(
        "events/memorization_end",
        "memorization ends",
        "steps",
        "Where excluded loss leaves its floor after fitting, twice its least value. From here on"
        " the network knows less by heart and more by its key frequencies.",
        "§5.2",
    ),
    Metric(
        "events/cleanup_start",
        "clean-up starts",
        "steps",
        "Where loss on unseen pairs falls below ln p and stays there. By then the circuit is formed, and"
        " what was memorized is being removed.",
        "§5.2",
    ),
    Metric(
        "events/generalized",
        "generalized",
        "steps",
        "Where accuracy on unseen pairs reaches 99 % and holds. The delay of grokking is this step"
        " over that of fitting.",
    ),
    Metric(
        "events/stable",
        "stable",
        "steps",
        "Where weights, loss on unseen pairs and key frequencies rest for a quarter of the run. The network has"
        " generalized and is finished there.",
        "§5.2",
    ),
)
METRICS = {metric.name: metric for metric in (*_LOSSES, *_KEY_FREE, *_CURRENT, *_FINAL, *_SPECTRA, *_PHASES)}
FINAL = tuple(name for name, metric in METRICS.items() if metric.final)


def metric(name: str) -> Metric:
    """What is logged under `name`; for a member of a family, the family's with the member's own name."""
    if name in METRICS:
        return METRICS[name]
    group, _, member = name.partition("/")
    family = METRICS.get(f"{group}/…")
    if family is None or not member:
        raise ValueError(f"A metric must be one that is logged. Got {name!r}; known are {', '.join(METRICS)}.")
    return replace(family, name=name, label=f"squared weights of {member}")


def curves(panel: str) -> list[Metric]:
    """The metrics that are drawn in a panel, in their order."""
    if panel not in PANELS:
        raise ValueError(f"A panel must be one of {', '.join(PANELS)}. Got {panel!r}.")
    return [metric for metric in METRICS.values() if metric.panel == panel]
