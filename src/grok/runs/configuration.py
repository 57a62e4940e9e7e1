"""What a run's configuration says, as plain settings by dotted name."""

from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf


def flat_settings(config: DictConfig) -> dict[str, Any]:
    """The whole configuration, and flat copies of what sweeps set, by which dashboards group and filter."""
    settings: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # type: ignore[assignment]
    flat = {
        "p": config.data.p,
        "train_fraction": config.data.train_fraction,
        "wd": config.optim.wd,
        "seed": config.seed,
    }
    unusual = {} if config.data.get("split", "pairs") == "pairs" else {"split": config.data.split}
    return {**settings, **flat, **unusual, "data_seed": config.data.seed}


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
