"""Whether weights are a whole network, and of which modulus."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from grok.networks.names import ATTENTION, MLP, kind_of, layers


def modulus(weights: Mapping[str, Tensor], config: Mapping[str, Any], typed: int | None, file: Path) -> int:
    """p: of three tokens all numbers embedded but "=", of two what is typed, or as many as there are outputs."""
    stored, embedded = config.get("p", config.get("C")), weights["W_E"].shape[-1]
    has_equals = len(weights.get("W_pos", ())) == 3
    numbers = embedded - 1 if has_equals else embedded
    p = typed if typed is not None else stored
    fits = [numbers, numbers / 2] if has_equals else [numbers, numbers - 1, numbers / 2]
    if not isinstance(p, int) or p not in (fits if "blocks.0.W_Q" in weights else [numbers]):
        p = numbers
    for value, where in ((typed, "`data.p`"), (stored, f"p in {file}")):
        if value is not None and value != p:
            beside = f'{p} numbers and "="' if has_equals else f"{p} numbers"
            raise ValueError(f"{where} must be {p}, since the network embeds {beside}. Got {value}.")
    return p


def require_all_parts(weights: Mapping[str, Tensor], file: Path) -> None:
    """Refuse a transformer that lacks a part, naming the first."""
    needed = [
        "W_E",
        "W_pos",
        "W_U",
        *(f"blocks.{i}.{n}" for i in range(max(1, layers(weights))) for n in ATTENTION[:4]),
    ]
    missing = [name for name in needed if name not in weights]
    for i in range(layers(weights)):
        present = [f"blocks.{i}.{name}" in weights for name in MLP]
        if any(present) and not all(present):
            missing += [f"blocks.{i}.{name}" for name in MLP if f"blocks.{i}.{name}" not in weights]
    if missing:
        raise ValueError(f"`checkpoint` must hold a whole network. {file} lacks {missing[0]}.")


def require_fitting(weights: Mapping[str, Tensor], p: int, file: Path) -> None:
    """Refuse weights that do not fit together, naming the first."""
    d_model, tokens = weights["W_E"].shape if weights["W_E"].ndim == 2 else (0, 0)
    first = weights["blocks.0.W_Q"].shape
    n_heads, d_head = (first[0], first[1]) if len(first) == 3 else (0, 0)
    outputs = weights["W_U"].shape[-1]
    if outputs not in (p, p + 1, tokens):
        raise ValueError(
            f'`checkpoint` must have one output for each number, and perhaps one for "=". {file} has {outputs} for'
            f" {p} numbers."
        )
    positions = len(weights["W_pos"])
    if positions not in (2, 3):
        raise ValueError(f'`checkpoint` must read the tokens a and b, and perhaps "=". {file} reads {positions}.')
    shapes: dict[str, tuple[int, ...]] = {
        **dict.fromkeys(("W_Q", "W_K", "W_V"), (n_heads, d_head, d_model)),
        **dict.fromkeys(("b_Q", "b_K", "b_V"), (n_heads, d_head)),
        **dict.fromkeys(("b_O", "b_out"), (d_model,)),
        "W_E": (d_model, tokens),
        "W_pos": (positions, d_model),
        "W_U": (d_model, outputs),
        "b_U": (outputs,),
        "W_O": (d_model, n_heads * d_head),
    }
    for name, w in weights.items():
        kind = kind_of(name)
        d_mlp = len(weights[name.rsplit(".", 1)[0] + ".b_in"]) if kind in MLP else 0
        expected = {"W_in": (d_mlp, d_model), "b_in": (d_mlp,), "W_out": (d_model, d_mlp), **shapes}.get(kind)
        if expected is None or tuple(w.shape) != expected:
            raise ValueError(
                f"`checkpoint` must hold weights that fit together: {name} of shape {expected}, as our names go."
                f" {file} has {tuple(w.shape)}."
            )
        if not w.is_floating_point():
            raise ValueError(f"`checkpoint` must hold floating-point weights. {file} has {w.dtype} in {name}.")
