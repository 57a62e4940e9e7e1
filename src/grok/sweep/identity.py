"""What makes a configuration the point it is: all of it but where and how it runs."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from grok.runs.configuration import as_before, leaves

# Settings that say where and how a point runs, and not what it is; `name` says the rest once more.
EXECUTION_SETTINGS = (
    "folder",
    "name",
    "resume",
    "sweep",
    "allow_changes",
    "mixed",
    "trust",
    "launch",
    "dry_run",
    "figures",
)
FOLDER_PLACEHOLDER = "the folder of the run"  # stands for it in points/*.yaml and in hashes, never to be changed


def identity(config: DictConfig) -> str:
    """The hash of a configuration, wherever it runs; its `folder` must be `FOLDER_PLACEHOLDER`."""
    resolved: Any = OmegaConf.to_container(config, resolve=True)
    return digest(defining_settings(resolved))


def digest(defining: Mapping[str, Any]) -> str:
    """The hash of `defining_settings`."""
    return hashlib.sha256(json.dumps(defining, sort_keys=True, default=str).encode()).hexdigest()[:16]


def defining_settings(resolved: dict[str, Any]) -> dict[str, Any]:
    """What of a plain configuration is hashed, and compared between the commands of one sweep."""
    plain = as_before(resolved)
    settings: dict[str, Any] = _whole_numbers_as_integers(
        {name: value for name, value in plain.items() if name not in EXECUTION_SETTINGS}
    )
    return settings


def base(defining: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What all of the configurations share, by dotted name."""
    rest = iter(defining)
    shared = leaves(next(rest))
    for other in map(leaves, rest):
        shared = {name: value for name, value in shared.items() if other.get(name) == value}
    return shared


def differing_names(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """What two bases both hold fixed, and hold at different values."""
    return [name for name in sorted(there) if here.get(name, there[name]) != there[name]]


def as_typed(settings: Mapping[str, Any]) -> str:
    """Settings as they are typed."""
    return " ".join(f"{name}={value}" for name, value in settings.items())


def _whole_numbers_as_integers(node: Any) -> Any:
    """1.0 and 1 are one and the same setting."""
    if isinstance(node, dict):
        return {key: _whole_numbers_as_integers(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_whole_numbers_as_integers(value) for value in node]
    return int(node) if isinstance(node, float) and node.is_integer() else node
