"""The command that makes a run again on any machine, read from its configuration."""

import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from grok.settings.known import BY_COMMAND
from grok.settings.places import conf_folder, register_resolvers
from grok.sweep.identity import EXECUTION_SETTINGS

PLACES = {*EXECUTION_SETTINGS, *BY_COMMAND} - {"name"}  # where and how a run was made, and not what it is
PARTS = ("data", "model", "optim")  # groups of settings that go to one `_target_`
OPEN = ("callbacks", "logger")  # groups that hold any number of members, each with its own
# defaults that name a folder, another one on every machine
FOLDERS = ("${folder}", "${grok.logs", "${grok.run_folder", "${grok.sweep_folder")
SIZE = "${grok.own_size"  # the default of a size that an operation brings
PLAIN = re.compile(r"(?!(?:null|true|false|nan|inf)$)[A-Za-z_][\w./+-]*", re.IGNORECASE)  # text that needs no quotes


def command(config: Mapping[str, Any]) -> str:
    """`python -m grok.train` with every setting of a run's configuration that differs from the defaults."""
    return shlex.join(["python", "-m", "grok.train", *overrides(config)])


def overrides(config: Mapping[str, Any]) -> list[str]:
    """What differs from the defaults, as it is typed. Settings newer than the run stay as they are by default."""
    typed = list(_choices(config))
    base = _composed(*typed).copy()
    for name in PLACES & base.keys():
        base[name] = config.get(name)
    # what follows from other settings is typed only where it does not follow; other settings follow the size
    for follows in (None, SIZE, "${"):
        raw: Any = OmegaConf.to_container(base, resolve=False)
        here = _resolved(base, raw) if follows else raw
        for name, sign, value in _differences(here, {k: v for k, v in config.items() if k not in PLACES}):
            default = _at(raw, name)
            is_folder = any(folder in str(default) for folder in FOLDERS)
            waits = "${" in str(default) and (follows is None or follows not in str(default))
            if is_folder or (waits and sign != "~"):
                continue
            typed.append(f"~{name}" if sign == "~" else f"{sign}{name}={_value(value)}")
            _change(base, name, sign, value)
    return typed


def _choices(config: Mapping[str, Any]) -> Iterator[str]:
    """The members of configuration groups that a run took, where they are not the default."""
    for group in (*PARTS, *OPEN):

        def kind(composed: Any, group: str = group) -> Any:
            members = composed.get(group) or {}
            return members.get("_target_") if group in PARTS else set(members)

        options = ["", *sorted(file.stem for file in (conf_folder() / group).glob("*.yaml"))]
        fitting = (f"{group}={o}" for o in options if kind(_composed(*[f"{group}={o}"] * bool(o))) == kind(config))
        choice = next(fitting, f"{group}=")
        if not choice.endswith("="):
            yield choice


@cache
def _composed(*overrides: str) -> DictConfig:
    from hydra import compose, initialize_config_dir  # noqa: PLC0415 - of use only here; `grok.report` starts without

    register_resolvers()
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        config = compose("train", list(overrides))
    OmegaConf.set_struct(config, False)
    return config


def _differences(
    here: Mapping[str, Any], config: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, str, Any]]:
    """Name, sign and value of what differs: no sign for what is there, + for what is not, ~ for what is too many."""
    for name, value in config.items():
        if name not in here:
            yield f"{prefix}{name}", "+", value
        elif isinstance(value, Mapping) and isinstance(here[name], Mapping):
            yield from _differences(here[name], value, f"{prefix}{name}.")
        elif here[name] != value or isinstance(here[name], bool) != isinstance(value, bool):
            yield f"{prefix}{name}", "", value
    other_part = prefix[:-1] in PARTS and here.get("_target_") != config.get("_target_")
    if other_part or prefix[:-1] in OPEN:
        yield from ((f"{prefix}{name}", "~", None) for name in here if name not in config)


def _change(base: DictConfig, name: str, sign: str, value: Any) -> None:
    group, _, last = name.rpartition(".")
    if sign == "~":
        del OmegaConf.select(base, group)[last]
    else:
        OmegaConf.update(base, name, value, merge=False, force_add=True)


def _resolved(base: DictConfig, raw: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The settings with what they refer to; as they stand where that is gone."""
    found = dict(raw)
    for name, value in raw.items():
        if isinstance(value, Mapping):
            found[name] = _resolved(base, value, f"{prefix}{name}.")
        elif "${" in str(value):
            with suppress(OmegaConfBaseException):
                found[name] = OmegaConf.select(base, f"{prefix}{name}")
    return found


def _at(node: Any, name: str) -> Any:
    for part in name.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node


def _value(value: Any) -> str:
    """A value as Hydra reads it back."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_value(k)}: {_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if not isinstance(value, str) or PLAIN.fullmatch(value):
        return str(value)
    quoted = re.sub(r"(\\*)('|$)", lambda found: 2 * found[1] + found[2].replace("'", r"\'"), value)
    return f"'{quoted}'"
