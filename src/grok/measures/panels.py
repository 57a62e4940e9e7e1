"""The panels that curves are drawn in: one list for a run's page, W&B's reports, and the picture of a run.

A metric names its panel in the catalogue. A panel that is added here is drawn in all three.
"""

from dataclasses import dataclass

# What a curve is computed by, and so how its line looks.
FAMILIES = KEY_FREE, CURRENT_KEYS, FINAL_KEYS = "key-free", "current frequencies", "final frequencies"


@dataclass(frozen=True)
class Panel:
    """Curves on one pair of axes, over the steps.

    Args:
        title: a few words.
        section: of a W&B report, in which it stands with others.
        caption: what it shows, or what one should see, in one sentence.
        axis: quantity and unit, for the vertical axis.
        log: the vertical axis is logarithmic; otherwise it holds 0.
        top: where the vertical axis ends; None: where the curves do.
        counts: its values are whole numbers, drawn as a staircase.
        beside: the panel it shares a plot with on a run's page.
        in_picture: drawn in a run's picture, like the paper's Fig. 7.
        repeats: metrics of other panels that the picture draws in it too, to compare with.
        mixture: the metric that the picture leaves out where it has both of the parts that this one mixes.
        chance: in the picture, the loss of an answer drawn at random is a line in it.
        on_page: drawn on a run's page.
    """

    title: str
    section: str
    caption: str
    axis: str
    log: bool = False
    top: float | None = None
    counts: bool = False
    beside: str = ""
    in_picture: bool = False
    repeats: tuple[str, ...] = ()
    mixture: str = ""
    chance: bool = False
    on_page: bool = True


PANELS = {
    "losses": Panel(
        title="losses",
        section="Losses",
        caption="Memorization ends where excluded loss leaves its floor; restricted loss falls long before test loss.",
        axis="loss [nats]",
        log=True,
        in_picture=True,
        chance=True,
    ),
    "accuracy": Panel(
        title="accuracy",
        section="Losses",
        caption="Share of pairs with the right answer.",
        axis="accuracy",
        top=1.0,
        in_picture=True,
        mixture="accuracy/test",
    ),
    "restricted": Panel(
        title="restricted loss",
        section="Progress measures",
        caption="It falls long before test loss does.",
        axis="loss [nats]",
        log=True,
        beside="losses",
        in_picture=True,
        repeats=("loss/train", "loss/test"),
        chance=True,
    ),
    "excluded": Panel(
        title="excluded loss",
        section="Progress measures",
        caption="Memorization ends where it leaves its floor.",
        axis="loss [nats]",
        log=True,
        beside="losses",
        in_picture=True,
        repeats=("loss/train", "loss/test"),
        chance=True,
    ),
    "spike": Panel(
        title="spike and waves",
        section="Progress measures",
        caption="Memorization deepens the spike, circuit formation raises the waves, clean-up takes the spike away.",
        axis="on unseen pairs [nats]",
    ),
    "sparsity": Panel(
        title="sparsity",
        section="Sparsity and weights",
        caption="Gini coefficients of the Fourier norms.",
        axis="Gini coefficient",
        top=1.0,
        in_picture=True,
    ),
    "weights": Panel(
        title="squared weights",
        section="Sparsity and weights",
        caption="Sum over all parameters.",
        axis="sum of squares",
        in_picture=True,
    ),
    "count": Panel(
        title="key frequencies",
        section="Sparsity and weights",
        caption="How many there are.",
        axis="key frequencies",
        counts=True,
    ),
    "shares": Panel(
        title="shares",
        section="Sparsity and weights",
        caption="How concentrated the network is.",
        axis="share",
        top=1.0,
    ),
    "phase": Panel(
        title="phase",
        section="Phases",
        caption="The phases in turn.",
        axis="phase",
        counts=True,
        on_page=False,
    ),
}
