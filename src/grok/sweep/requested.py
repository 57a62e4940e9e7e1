"""The points that a command asks for, read from what was typed and known by their configuration."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf

from grok.settings.quiet import quiet
from grok.sweep.identity import EXECUTION_SETTINGS, FOLDER_PLACEHOLDER, as_typed, identity
from grok.training.experiment import Experiment, assemble


@dataclass
class RequestedPoint:
    """One configuration, and what sets it apart from the others of the command."""

    settings: dict[str, Any]  # {"data.p": 59}
    config: DictConfig
    typed: list[str]  # every way in which the command asks for it

    def experiment(self) -> Experiment:
        """The point, put together; `ValueError` for one that cannot be, before anything is started."""
        try:
            with quiet():  # loggers open files, or a connection, as soon as they are made
                return assemble(OmegaConf.merge(self.config, {"logger": None}))  # type: ignore[arg-type]
        except (ValueError, InstantiationException) as error:
            cause = error.__cause__ if isinstance(error, InstantiationException) and error.__cause__ else error
            raise ValueError(f"{cause} In the point {as_typed(self.settings)}.") from None


def requested_points(typed: Sequence[tuple[list[str], DictConfig]]) -> dict[str, RequestedPoint]:
    """The points by the hash of their configuration, from the overrides and the configuration of each."""
    texts = [set(overrides) for overrides, _ in typed]
    common = set.intersection(*texts)
    if all(text == common for text in texts):  # one point: all that was typed is its name
        common = set()
    points: dict[str, RequestedPoint] = {}
    for overrides, config in typed:
        config.folder = FOLDER_PLACEHOLDER
        own = dict(_name_and_text(override) for override in overrides if override not in common)
        own = {name: text for name, text in own.items() if _defines_a_point(name)}
        settings = {name: _value(config, name, text) for name, text in own.items()}
        point = points.setdefault(identity(config), RequestedPoint(settings, config, []))
        point.typed.append(as_typed(own))
    return points


def repetitions(point: RequestedPoint) -> list[str]:
    """One sentence for a point that was typed more than once."""
    count, ways = len(point.typed), list(dict.fromkeys(point.typed))
    if count == 1:
        return []
    every = "both" if count == 2 else f"all {count}"
    if len(ways) == 1:
        return [f"{ways[0]} is typed {count} times: one run stands for {every}."]
    return [f"{', '.join(ways[:-1])} and {ways[-1]} are the same point: one run stands for {every}."]


def _name_and_text(override: str) -> tuple[str, str]:
    name, _, text = override.lstrip("+").partition("=")
    return name, text


def _defines_a_point(name: str) -> bool:
    return not name.startswith("~") and name.partition(".")[0] not in EXECUTION_SETTINGS


def _value(config: DictConfig, name: str, typed: str) -> Any:
    """The value of a setting, or of a group what was typed: `experiment=quick`."""
    value = OmegaConf.select(config, name, default=typed)
    return value if isinstance(value, int | float | str | bool) else typed
