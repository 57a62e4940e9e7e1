"""How a network is to be read, where its tensors do not tell: token order, attention, activation."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from grok.model.transformer import OTHER_ACTIVATIONS
from grok.networks.layouts import Checkpoint
from grok.networks.other_transformer import ATTENTIONS, ORDERS
from grok.settings.checks import is_number


class Reading(NamedTuple):
    """What of a network its tensors do not tell."""

    activation: str
    tokens: str
    attention: str
    attention_rate: float


def reading(found: Checkpoint, settings: Mapping[str, Any]) -> Reading:
    """The reading as typed, or by the file's own config, or as the paper's network. `ValueError` for what cannot be.

    A config with attn_coeff is one of 2306.17844, whose code masks nothing, whatever attention_dir it names.
    """
    config = found.config
    has_rate = "attn_coeff" in config
    positions = len(found.weights.get("W_pos", ()))
    own: dict[str, Any] = {
        "activation": str(config.get("act_fn", config.get("act_type", "relu"))).lower(),
        "tokens": "a b" if positions == 2 else "a b =",
        "attention": "bidirectional" if has_rate else config.get("attention_dir", "causal"),
        "attention_rate": config["attn_coeff"] if has_rate else 1.0,
    }
    typed = {name: x for name in own if (x := settings.get(f"model.{name}")) is not None}
    values = {**own, **typed}
    if found.layout == "mlp" and (given := sorted(typed.keys() - {"activation"})):
        raise ValueError(f"`model.{given[0]}` is for networks with attention. This one has none.")
    orders = [order for order in ORDERS if not positions or len(order.split()) == positions]
    choices = {"activation": tuple(OTHER_ACTIVATIONS), "tokens": orders, "attention": ATTENTIONS}
    for name, fitting in choices.items():
        if values[name] not in fitting:
            why = f", since the network has {positions} positions" if name == "tokens" else ""
            listed = ", ".join(map(repr, fitting) if name == "tokens" else fitting)
            raise ValueError(f"`model.{name}` must be one of {listed}{why}. Got {values[name]!r}.")
    rate = values["attention_rate"]
    if not is_number(rate) or not 0 <= rate <= 1:
        raise ValueError(f"`model.attention_rate` must lie between 0 and 1. Got {rate!r}.")
    return Reading(**values)
