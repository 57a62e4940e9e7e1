"""What a run's configuration says, as plain settings by dotted name."""

import copy
from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

# Parts of runs from before parts could be swapped, and what has moved since.
PARTS = {
    "data": "grok.tasks.modular.ModularArithmetic",
    "model": "grok.model.transformer.Transformer",
    "optim": "torch.optim.AdamW",
}
MOVED = {"grok.wandb_logger.wandb_logger": "grok.loggers.wandb_logger.wandb_logger"}


def current(config: Any) -> DictConfig:
    """A frozen configuration as today's code has it: older ones name no `_target_` of their parts, and other places."""
    plain: Any = OmegaConf.to_container(config, resolve=False)
    for group, target in PARTS.items():
        if isinstance(plain.get(group), dict):
            plain[group] = {"_target_": target, **plain[group]}
    for settings in (plain.get("logger") or {}).values():
        if isinstance(settings, dict) and "_target_" in settings:
            settings["_target_"] = MOVED.get(settings["_target_"], settings["_target_"])
    phases = (plain.get("callbacks") or {}).get("phases")
    if isinstance(phases, dict):
        phases.setdefault("rule", plain.get("key_frequencies", "W_L"))
    plain.setdefault("phases", {"rule": "losses"})
    if isinstance(phases, dict) and "stop" in phases:  # it measured, and ended the run
        plain["callbacks"]["stopping"] = {"_target_": "callbacks.stopping.Stopping", "stop": phases.pop("stop")}
    made = OmegaConf.create(plain)
    assert isinstance(made, DictConfig)
    return made


def as_before(plain: dict[str, Any]) -> dict[str, Any]:
    """A configuration in its oldest form, in which sweeps have always compared and hashed their points."""
    plain = copy.deepcopy(plain)
    for group, target in PARTS.items():
        if isinstance(plain.get(group), dict) and plain[group].get("_target_") == target:
            del plain[group]["_target_"]
    old_names = {new: old for old, new in MOVED.items()}
    for settings in (plain.get("logger") or {}).values():
        if isinstance(settings, dict) and "_target_" in settings:
            settings["_target_"] = old_names.get(settings["_target_"], settings["_target_"])
    if isinstance(plain.get("data"), dict) and plain["data"].get("split") == "pairs":
        del plain["data"]["split"]
    callbacks = plain.get("callbacks") or {}
    if isinstance(callbacks.get("phases"), dict):
        callbacks["phases"].pop("rule", None)  # of the key frequencies, which stands beside
        callbacks["phases"].pop("boundaries", None)
    if plain.get("phases") == {"rule": "losses"}:
        del plain["phases"]
    if isinstance(callbacks.get("phases"), dict) and isinstance(callbacks.get("stopping"), dict):
        callbacks["phases"]["stop"] = callbacks.pop("stopping").get("stop")
    return plain


def flat_settings(config: DictConfig) -> dict[str, Any]:
    """The whole configuration, and flat copies of what sweeps set, by which dashboards group and filter."""
    settings: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # type: ignore[assignment]
    data, optim = config.data, config.optim  # of parts of one's own, some may be missing
    flat = {
        "p": data.get("p"),
        "train_fraction": data.get("train_fraction"),
        "wd": optim.get("wd"),
        "seed": config.seed,
    }
    unusual = {} if data.get("split", "pairs") == "pairs" else {"split": data.split}
    return {**settings, **flat, **unusual, "data_seed": data.get("seed")}


def moved(node: Any, before: str, after: str) -> Any:
    """The frozen configuration of a folder that may since have been moved."""
    if isinstance(node, dict):
        return {key: moved(value, before, after) for key, value in node.items()}
    return after if node == before else node


def leaves(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The settings of a plain configuration by dotted name."""
    flat: dict[str, Any] = {}
    for name, node in config.items():
        if isinstance(node, dict):
            flat |= leaves(node, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = node
    return flat
