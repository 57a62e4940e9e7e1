"""The configurations of many points, composed once where that gives the same as composing each."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict


@dataclass
class _Base:
    """A composition that points share."""

    composed: DictConfig
    current: DictConfig  # with the settings of the point that was asked for last
    settings: dict[str, str]  # by name, those settings as typed
    leaves: dict[str, bool]  # names that were asked for: whether they are of plain settings


class PointLoader:
    """Hydra's loader of configurations, for the points of a sweep.

    Hydra composes all groups, and only then sets what was typed as `name=value`, in that order. A tenth of a second
    goes into the groups, so points that differ in such settings alone share one composition, into which Hydra's own
    function sets them. Composed anew is whatever could make a difference: a group, an interpolation, a list or a
    dictionary, a setting that is added or taken away, and settings of which one lies within another.

    Args:
        loader: Hydra's own.
    """

    def __init__(self, loader: ConfigLoaderImpl) -> None:
        self._loader = loader
        self._parser = OverridesParser.create()
        self._parsed: dict[str, Override] = {}
        self._bases: dict[tuple[str, ...], _Base] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_loader"], name)

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: Sequence[str]) -> DictConfig:
        """The configuration of a point, without the node `hydra`. It holds until the next one is asked for."""
        typed = [self._parse(text) for text in sweep_overrides]
        set_later = [override for override in typed if _is_plain(override)]
        while True:
            composed = [override for override in typed if override not in set_later]
            if not set_later or any(_touch(a, b) for a in set_later for b in typed if a is not b):
                return self._composed(master_config, sweep_overrides)
            base = self._base(master_config, composed)
            others = [override for override in set_later if not self._is_leaf(base, override.key_or_group)]
            if not others:
                break
            set_later = [override for override in set_later if override not in others]
        try:
            return _with(base, set_later)
        except HydraException:  # which Hydra shall say in its own order
            return self._composed(master_config, sweep_overrides)

    def _parse(self, text: str) -> Override:
        if text not in self._parsed:
            self._parsed[text] = self._parser.parse_override(text)
        return self._parsed[text]

    def _composed(self, master: DictConfig, texts: Sequence[str]) -> DictConfig:
        config = self._loader.load_sweep_config(master, list(texts))
        with open_dict(config):
            del config["hydra"]
        return config

    def _base(self, master: DictConfig, overrides: Sequence[Override]) -> _Base:
        texts = tuple(str(override.input_line) for override in overrides)
        if texts not in self._bases:
            config = self._composed(master, texts)
            self._bases[texts] = _Base(config, copy.deepcopy(config), {}, {})
        return self._bases[texts]

    def _is_leaf(self, base: _Base, name: str) -> bool:
        if name not in base.leaves:
            base.leaves[name] = not self._loader.repository.group_exists(name) and _is_leaf(base.composed, name)
        return base.leaves[name]


def _with(base: _Base, overrides: Sequence[Override]) -> DictConfig:
    """The base with these settings; as few as differ from the last time are set."""
    wanted = {override.key_or_group: str(override.input_line) for override in overrides}
    if base.settings.keys() - wanted.keys():
        base.current, base.settings = copy.deepcopy(base.composed), {}
    new = [override for override in overrides if base.settings.get(override.key_or_group) != override.input_line]
    base.settings = {}  # of no point, should Hydra refuse one of them
    ConfigLoaderImpl._apply_overrides_to_config(new, base.current)
    base.settings = wanted
    return base.current


def _is_plain(override: Override) -> bool:
    """Whether it is typed as `name=value`, the value a number, a word or null."""
    if override.type is not OverrideType.CHANGE or override.package is not None or override.is_sweep_override():
        return False
    value = override.value()
    if isinstance(value, str) and ("${" in value or value == "???"):
        return False
    return override.key_or_group.partition(".")[0] != "hydra" and (
        value is None or isinstance(value, int | float | str)
    )


def _is_leaf(config: DictConfig, name: str) -> bool:
    """Whether a name is that of a plain setting, which no interpolation leads to."""
    node: Any = config
    *path, last = name.split(".")
    for part in path:
        if part not in node or OmegaConf.is_interpolation(node, part) or not isinstance(node[part], DictConfig):
            return False
        node = node[part]
    return last in node and (OmegaConf.is_interpolation(node, last) or not OmegaConf.is_config(node[last]))


def _touch(one: Override, other: Override) -> bool:
    """Whether two names are one, or one lies within the other."""
    a, b = one.key_or_group, other.key_or_group
    return a == b or a.startswith(f"{b}.") or b.startswith(f"{a}.")
