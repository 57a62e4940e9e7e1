"""Other people's checkpoints, as one kind of thing: weights by our names, and what the file says beside them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from grok.networks import weight_files
from grok.networks.embedding_mlp import named as mlp_named
from grok.networks.names import EXTRA_BIASES, MLP, OUTER, kind_of, layers, named
from grok.networks.sizes import modulus, require_all_parts, require_fitting

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
        layout: "authors", "transformer_lens", "bridge" (TransformerLens 4), "grok", or "mlp" without attention.
        p: the modulus.
        config: what the file says of the training: p, frac_train, seed, fn_name, act_type and others.
        beside: everything else in the file, such as train_losses and epoch.
    """

    weights: dict[str, Tensor]
    layout: str
    p: int
    config: dict[str, Any] = field(default_factory=dict)
    beside: dict[str, Any] = field(default_factory=dict)

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
        return self.train_losses[-1] if self.train_losses else None

    @property
    def train_losses(self) -> list[float]:
        """Every train loss that the file tells, in order."""
        found = self.beside.get("train_losses")
        listed = found.flatten().tolist() if isinstance(found, Tensor) else found
        if not isinstance(listed, list) or not all(isinstance(x, int | float | Tensor) for x in listed):
            return []
        return [float(x) for x in listed]


# --- reading


def checkpoint(file: Path, step: int | None = None, p: int | None = None) -> Checkpoint:
    """The network in a file; of several, that at `step`, or the last. `ValueError`, in a sentence, for other files.

    Args:
        p: the modulus, as typed; None to read it from the file.
    """
    content = weight_files.content(file)
    found = states(content)
    last = max(found, default=0)
    step = last if step is None else step
    steps = sorted(found) or [0]
    if step not in steps:
        raise ValueError(f"`step` must be one of {file}: {', '.join(map(str, steps))}. Got {step}.")
    state = found[step] if found else content
    tensors = {str(name): w for name, w in state.items() if isinstance(w, Tensor)}
    kept = {name: value for name, value in content.items() if value is not state and name not in STATES + HISTORIES}
    beside = {} if state is content else {str(name): value for name, value in kept.items()}
    config: Mapping[str, Any] = next(
        (beside.pop(name) for name in CONFIGS if isinstance(beside.get(name), Mapping)), {}
    )
    if len(found) > 1:
        beside["epoch"] = step
    if step != last:
        beside.pop("train_losses", None)  # whose last is that of the last network
    config = dict(config) or _config_beside(file)
    if (weights := mlp_named(tensors, file)) is not None:
        return Checkpoint(weights, "mlp", modulus(weights, config, p, file), config, beside)
    weights, layout = named(tensors, config, file)
    require_all_parts(weights, file)
    p = modulus(weights, config, p, file)
    require_fitting(weights, p, file)
    return Checkpoint(weights, layout, p, config, beside)


def _config_beside(file: Path) -> dict[str, Any]:
    """The settings that 2306.17844 keeps in config_<id>.json beside model_<id>.pt."""
    beside = file.with_name(f"config_{file.stem.removeprefix('model_')}.json")
    if not file.stem.startswith("model_") or not beside.is_file():
        return {}
    try:
        found = json.loads(beside.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{beside} must hold the settings of {file.name} as JSON. It does not: {error}.") from error
    return found if isinstance(found, dict) else {}


def states(content: Mapping[str, Any]) -> dict[int, Mapping[str, Any]]:
    """The state dicts in a file, by step; without steps, by number."""
    for name in STATES:
        if isinstance(content.get(name), Mapping):
            return {0: content[name]}
    for name, steps in zip(HISTORIES, STEPS, strict=True):
        several = content.get(name)
        if isinstance(several, list) and several and all(isinstance(state, Mapping) for state in several):
            listed = content.get(steps)
            numbers = listed.tolist() if isinstance(listed, Tensor) else listed
            at = numbers if isinstance(numbers, list) and len(numbers) == len(several) else range(len(several))
            return dict(zip(map(int, at), several, strict=True))
    return {}
