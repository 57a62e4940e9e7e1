"""Other people's checkpoints, as one kind of thing: weights by our names, and what the file says beside them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from grok.networks import weight_files
from grok.networks.names import ATTENTION, EXTRA_BIASES, MLP, OUTER, kind_of, named

LAYOUTS = ("authors", "transformer_lens")
STATES = ("model", "state_dict", "model_state_dict")  # where files keep a network
HISTORIES, STEPS = ("state_dicts", "checkpoints"), ("epochs", "checkpoint_epochs")  # and where many, and their steps
CONFIGS = ("config", "cfg", "hyper_parameters")
__all__ = ["EXTRA_BIASES", "LAYOUTS", "MLP", "OUTER", "Checkpoint", "checkpoint", "kind_of", "layers", "states"]


@dataclass(frozen=True)
class Checkpoint:
    """One network from a file.

    Attributes:
        weights: by the names of `grok.transformer`.
        layout: "authors", "transformer_lens", "bridge" (TransformerLens 4) or "grok".
        config: what the file says of the training: p, frac_train, seed, fn_name, act_type and others.
        beside: everything else in the file, such as train_losses and epoch.
    """

    weights: dict[str, Tensor]
    layout: str
    config: dict[str, Any] = field(default_factory=dict)
    beside: dict[str, Any] = field(default_factory=dict)

    @property
    def p(self) -> int:
        return self.weights["W_E"].shape[1] - 1

    @property
    def n_layers(self) -> int:
        return layers(self.weights)

    @property
    def step(self) -> int | None:
        found = self.beside.get("epoch", self.beside.get("step"))
        return int(found) if isinstance(found, int | float | str) and str(found).isdigit() else None

    @property
    def train_loss(self) -> float | None:
        """The last train loss that the file tells."""
        found = self.beside.get("train_losses")
        if isinstance(found, Tensor):
            found = found.flatten().tolist()
        return float(found[-1]) if isinstance(found, list) and found else None


def layers(weights: Mapping[str, Tensor]) -> int:
    """The number of blocks."""
    return 1 + max((int(m[1]) for name in weights if (m := re.match(r"blocks\.(\d+)\.", name))), default=-1)


# --- reading


def checkpoint(file: Path, step: int | None = None) -> Checkpoint:
    """The network in a file; of several, that at `step`, or the last. `ValueError`, in a sentence, for other files."""
    content = weight_files.content(file)
    found = states(content)
    step = max(found, default=0) if step is None else step
    state = found[step] if found else content
    tensors = {str(name): w for name, w in state.items() if isinstance(w, Tensor)}
    kept = {name: value for name, value in content.items() if value is not state and name not in STATES + HISTORIES}
    beside = {} if state is content else {str(name): value for name, value in kept.items()}
    config: Mapping[str, Any] = next(
        (beside.pop(name) for name in CONFIGS if isinstance(beside.get(name), Mapping)), {}
    )
    if len(found) > 1:
        beside["epoch"] = step
    weights, layout = named(tensors, config, file)
    _fits(weights, file)
    return Checkpoint(weights, layout, dict(config), beside)


def states(content: Mapping[str, Any]) -> dict[int, Mapping[str, Any]]:
    """The state dicts in a file, by step; without steps, by number."""
    for name in STATES:
        if isinstance(content.get(name), Mapping):
            return {0: content[name]}
    for name, steps in zip(HISTORIES, STEPS, strict=True):
        several = content.get(name)
        if isinstance(several, list) and several and all(isinstance(state, Mapping) for state in several):
            listed = content.get(steps)
            told = listed.tolist() if isinstance(listed, Tensor) else listed
            at = told if isinstance(told, list) and len(told) == len(several) else range(len(several))
            return dict(zip(map(int, at), several, strict=True))
    return {}


def _fits(weights: Mapping[str, Tensor], file: Path) -> None:
    """Refuse weights that do not fit together, naming the first."""
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
    d_model, tokens = weights["W_E"].shape if weights["W_E"].ndim == 2 else (0, 0)
    first = weights["blocks.0.W_Q"].shape
    n_heads, d_head = (first[0], first[1]) if len(first) == 3 else (0, 0)
    outputs = weights["W_U"].shape[-1]
    if outputs not in (tokens - 1, tokens):
        raise ValueError(
            f'`checkpoint` must have one output for each number, and perhaps one for "=". {file} has {outputs} for'
            f" {tokens - 1} numbers."
        )
    shapes: dict[str, tuple[int, ...]] = {
        **dict.fromkeys(("W_Q", "W_K", "W_V"), (n_heads, d_head, d_model)),
        **dict.fromkeys(("b_Q", "b_K", "b_V"), (n_heads, d_head)),
        **dict.fromkeys(("b_O", "b_out"), (d_model,)),
        "W_E": (d_model, tokens),
        "W_pos": (3, d_model),
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
