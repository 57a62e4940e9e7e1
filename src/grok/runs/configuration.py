"""What a run's configuration says, as plain settings by dotted name."""

import copy
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from omegaconf import DictConfig, OmegaConf
from omegaconf._utils import get_omega_conf_dumper, get_yaml_loader

from grok.settings.orders import is_file, is_group_name

# Parts of runs from before parts could be swapped, and what has moved since.
PARTS = {
    "data": "grok.tasks.modular.ModularArithmetic",
    "model": "grok.model.transformer.Transformer",
    "optim": "torch.optim.AdamW",
}
MOVED = {"grok.wandb_logger.wandb_logger": "grok.loggers.wandb_logger.wandb_logger"}

# What every version has written.
NEEDED = (
    *("callbacks", "data", "extras", "folder", "key_frequencies", "launch", "logger", "measure_early"),
    *("measure_every", "model", "name", "optim", "pictures", "replicate", "seed", "snapshots", "stop", "sweep", "tags"),
    *("task_name", "threads", "trainer", "ckpt_path", "resume"),
)

LARGEST, DEEPEST = 2_000_000, 40  # bytes and levels of a configuration
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # what moves a terminal's cursor, or worse


class _PurePython(get_yaml_loader()):  # type: ignore[misc]
    """YAML as OmegaConf reads it."""


class _Fast(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The same by libyaml, ten times as fast, where PyYAML was built with it."""

    yaml_implicit_resolvers, yaml_constructors = _PurePython.yaml_implicit_resolvers, _PurePython.yaml_constructors

    def construct_mapping(self, node: yaml.Node, deep: bool = False) -> Any:
        names = [key.value for key, _ in node.value]
        if len(set(names)) < len(names):
            raise yaml.constructor.ConstructorError(problem="found duplicate key", problem_mark=node.start_mark)
        return super().construct_mapping(node, deep=deep)


class _Dumper(getattr(yaml, "CDumper", yaml.Dumper)):  # type: ignore[misc]
    """YAML as OmegaConf writes it, by libyaml where there is one."""


_Dumper.add_representer(str, get_omega_conf_dumper().str_representer)


def written(plain: Mapping[str, Any]) -> str:
    """A plain configuration as text, as OmegaConf would write it."""
    text: str = yaml.dump(plain, default_flow_style=False, allow_unicode=True, sort_keys=False, Dumper=_Dumper)
    return text


def loaded(file: Path) -> DictConfig:
    """A configuration on disk. `ValueError` where it is too large, or expands as it is read."""
    return OmegaConf.create(loaded_plain(file))


def loaded_plain(file: Path) -> dict[str, Any]:
    """The same as plain values, nothing resolved."""
    if file.stat().st_size > LARGEST:
        raise ValueError(f"it has {file.stat().st_size:,} bytes, more than a configuration ever has")
    text = file.read_text(encoding="utf-8")
    try:
        plain = _read(text, _Fast)
    except yaml.YAMLError:
        plain = _read(text, _PurePython)  # which says better what is wrong
    if not isinstance(plain, dict) or not plain:
        raise ValueError("must hold settings by name")
    return plain


def _read(text: str, loader: type) -> Any:
    depth = 0
    for event in yaml.parse(text, loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent) or depth > DEEPEST:
            raise ValueError("it repeats or nests itself, as no configuration of this project does")
    return yaml.load(text, loader)


def printable(node: Any) -> Any:
    """Plain values without control characters, which a stranger's file may hold for the terminal that shows them."""
    if isinstance(node, dict):
        return {printable(key): printable(value) for key, value in node.items()}
    if isinstance(node, list):
        return [printable(value) for value in node]
    return CONTROL.sub("", node) if isinstance(node, str) else node


def current(config: Any) -> DictConfig:
    """A frozen configuration as today's code has it: older ones name no `_target_` of their parts, and other places.

    `ValueError` where it is not whole.
    """
    plain: Any = printable(OmegaConf.to_container(config, resolve=False))
    if missing := [name for name in NEEDED if name not in plain]:
        raise ValueError(f"it has no `{missing[0]}`; take it from a copy")
    if others := [name for name in (*PARTS, "trainer", "callbacks", "snapshots") if not isinstance(plain[name], dict)]:
        raise ValueError(f"its `{others[0]}` is {plain[others[0]]!r}, not a group of settings; take it from a copy")
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
    if isinstance(plain.get("snapshots"), dict):
        plain["snapshots"].setdefault("at", [])
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
    if isinstance(plain.get("snapshots"), dict) and not plain["snapshots"].get("at"):
        plain["snapshots"].pop("at", None)
    if isinstance(callbacks.get("phases"), dict) and isinstance(callbacks.get("stopping"), dict):
        callbacks["phases"]["stop"] = callbacks.pop("stopping").get("stop")
    return plain


def task_words(data: Mapping[str, Any]) -> str:
    """The task in a word or two: addition mod 113, S_5; one's own by its class."""
    if "operation" not in data:
        return f"{data.get('_target_')} mod {data['p']}" if "p" in data else str(data.get("_target_"))
    operation = data["operation"]
    return str(operation) if is_group_name(operation) or is_file(operation) else f"{operation} mod {data['p']}"


def flat_settings(config: DictConfig | dict[str, Any]) -> dict[str, Any]:
    """The whole configuration, and flat copies of what sweeps set, by which dashboards group and filter."""
    settings: Any = OmegaConf.to_container(config, resolve=True) if isinstance(config, DictConfig) else config
    data, optim = settings["data"], settings["optim"]  # of parts of one's own, some may be missing
    flat = {
        "p": data.get("p"),
        "train_fraction": data.get("train_fraction"),
        "wd": optim.get("wd"),
        "seed": settings["seed"],
    }
    unusual = {} if data.get("split", "pairs") == "pairs" else {"split": data["split"]}
    return {**settings, **flat, **unusual, "data_seed": data.get("seed")}


def moved(node: Any, before: str, after: str) -> Any:
    """The frozen configuration of a folder that may since have been moved."""
    if isinstance(node, dict):
        return {key: moved(value, before, after) for key, value in node.items()}
    return after if node == before else node


def at(plain: Mapping[str, Any], name: str) -> Any:
    """The setting of that dotted name; None where there is none."""
    node: Any = plain
    for part in name.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node


def leaves(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The settings of a plain configuration by dotted name."""
    flat: dict[str, Any] = {}
    for name, node in config.items():
        if isinstance(node, dict):
            flat |= leaves(node, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = node
    return flat
