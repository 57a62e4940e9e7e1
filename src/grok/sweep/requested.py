"""The points that a command asks for, read from what was typed and known by their configuration."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf

from grok.runs.configuration import leaves
from grok.runs.trust import allow_own_parts, foreign_parts
from grok.settings.checks import is_whole
from grok.settings.known import fill_emptied, refuse_unknown
from grok.settings.quiet import quiet
from grok.sweep.identity import EXECUTION_SETTINGS, FOLDER_PLACEHOLDER, as_typed, defining_settings, digest
from grok.training.experiment import Experiment, assemble

SEEDS = ("replicate", "seed", "data.seed")


@dataclass
class RequestedPoint:
    """One configuration, and what sets it apart from the others of the command.

    It is kept as plain values: a thousand configurations as objects take a quarter of a gigabyte.
    """

    settings: dict[str, Any]  # {"data.p": 59}
    plain: dict[str, Any]  # the configuration, resolved
    defining: dict[str, Any]  # the part of it that is hashed
    followers: Collection[str] = ()  # of the first point: settings that take the value of another
    typed: list[str] = field(default_factory=list)  # every way in which the command asks for it

    @property
    def config(self) -> DictConfig:
        """The configuration, made anew."""
        return OmegaConf.create(self.plain)

    def experiment(self) -> Experiment:
        """The point, put together; `ValueError` for one that cannot be, before anything is started."""
        try:
            with quiet():  # loggers open files, or a connection, as soon as they are made
                return assemble(OmegaConf.create({**self.plain, "logger": None}))
        except (ValueError, InstantiationException) as error:
            cause = error.__cause__ if isinstance(error, InstantiationException) and error.__cause__ else error
            raise ValueError(f"{cause} In the point {as_typed(self.settings)}.") from None


def requested_points(typed: Iterable[tuple[list[str], DictConfig]]) -> dict[str, RequestedPoint]:
    """The points by the hash of their configuration, from the overrides and the configuration of each.

    Each configuration is read before the next is asked for. `ValueError` at the first setting that nothing reads.
    """
    points: dict[str, RequestedPoint] = {}
    rows: list[tuple[list[str], dict[str, Any], str]] = []
    structures: set[str] = set()
    for overrides, config in typed:
        config.folder = FOLDER_PLACEHOLDER
        fill_emptied(config)
        unresolved = leaves(_plain(config, resolve=False))
        structure = json.dumps(
            [[name, value if name.endswith("_target_") else ""] for name, value in unresolved.items()]
        )
        if structure not in structures:  # the same names as of another point are known already
            if foreign_parts(config):
                allow_own_parts()
            refuse_unknown(config)
            structures.add(structure)
        plain = _plain(config, resolve=True)
        defining = defining_settings(plain)
        key = digest(defining)
        if key not in points:
            followers = [] if points else [name for name, value in unresolved.items() if str(value).startswith("${")]
            points[key] = RequestedPoint({}, plain, defining, followers)
        values = {name: _value(config, name, text) for name, text in map(_name_and_text, overrides)}
        rows.append((overrides, values, key))
    texts = [set(overrides) for overrides, _, _ in rows]
    common = set.intersection(*texts)
    if all(text == common for text in texts):  # one point: all that was typed is its name
        common = set()
    for overrides, values, key in rows:
        own = dict(_name_and_text(override) for override in overrides if override not in common)
        own = {name: text for name, text in own.items() if _defines_a_point(name)}
        if not points[key].typed:
            points[key].settings = {name: values[name] for name in own}
        points[key].typed.append(as_typed(own))
    return points


def check(points: Iterable[RequestedPoint]) -> None:
    """Put together enough of the points to know of all whether they can be; `ValueError` for one that cannot.

    What can be wrong with a point is wrong with its task, its network or a single setting, whatever its seeds: a point
    that has nothing of these that another has not is not put together a second time.
    """
    seen: set[str] = set()
    for point in points:
        new = set(_parts(point.plain)) - seen
        if new:
            point.experiment()
            seen |= new


def _parts(plain: Mapping[str, Any]) -> Iterator[str]:
    """What of a point may be refused, each with what it is held against."""
    data, model = (dict(plain[group]) for group in ("data", "model"))
    if _is_seed(data.get("seed")):
        del data["seed"]
    size = data.get("p", data)  # which key frequencies are held against
    yield json.dumps(["data", data], default=str)
    yield json.dumps(["model", size, model], default=str)
    rest = {name: node for name, node in plain.items() if name not in ("data", "model", *EXECUTION_SETTINGS)}
    optimizer = (rest.get("optim") or {}).get("_target_")
    for name, value in leaves(rest).items():
        if not (name in SEEDS and _is_seed(value)):
            yield json.dumps([name, value, size, optimizer if name.startswith("optim.") else ""], default=str)


def _is_seed(value: Any) -> bool:
    return is_whole(value) and value >= 0


def repetitions(point: RequestedPoint) -> list[str]:
    """One sentence for a point that was typed more than once."""
    count, ways = len(point.typed), list(dict.fromkeys(point.typed))
    if count == 1:
        return []
    every = "both" if count == 2 else f"all {count}"
    if len(ways) == 1:
        return [f"{ways[0]} is typed {count} times: one run stands for {every}."]
    return [f"{', '.join(ways[:-1])} and {ways[-1]} are the same point: one run stands for {every}."]


def _plain(config: DictConfig, resolve: bool) -> dict[str, Any]:
    plain: Any = OmegaConf.to_container(config, resolve=resolve)
    return plain  # type: ignore[no-any-return]


def _name_and_text(override: str) -> tuple[str, str]:
    name, _, text = override.lstrip("+").partition("=")
    return name, text


def _defines_a_point(name: str) -> bool:
    return not name.startswith("~") and name.partition(".")[0] not in EXECUTION_SETTINGS


def _value(config: DictConfig, name: str, typed: str) -> Any:
    """The value of a setting, or of a group what was typed: `experiment=quick`."""
    value = None if name.startswith("~") else OmegaConf.select(config, name, default=typed)
    return value if isinstance(value, int | float | str | bool) else typed
