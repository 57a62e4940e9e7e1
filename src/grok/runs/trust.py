"""A folder may be a stranger's: which parts of its configuration are made without being asked for.

Parts of this project, Lightning's loggers and torch's optimizers are, with settings that lead nowhere but into the
folder. All else is code, or a place, that somebody else chose: it needs `trust=true`, or to be typed now.
"""

import os
import sys
from collections.abc import Collection, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from yaml import YAMLError  # type: ignore[import-untyped]

from grok.runs.configuration import current, loaded, moved
from grok.settings.places import conf_folder

OWN_KINDS = ("grok.tasks.modular.ListedPairs", "lightning.Trainer")
OF_LIBRARIES = ("lightning.pytorch.loggers.", "torch.optim.")
WRITERS = ("logger", "callbacks", "trainer")  # groups whose members write files, or send


def foreign_parts(config: Any, typed: Collection[str] = ()) -> list[str]:
    """What a frozen configuration has of somebody's own, as `name=value`; all but the values that are `typed` now."""
    plain: Any = OmegaConf.to_container(config, resolve=False) if OmegaConf.is_config(config) else config
    folder = str(plain.get("folder"))
    return [f"{name}={value}" for name, value in _leaves(plain, "") if _is_foreign(name, value, folder, typed)]


def has_own_parts(folder: Path) -> bool:
    """Whether the frozen configuration of a run names any, so that going on asks for `trust=true`."""
    with suppress(OSError, ValueError, YAMLError):
        frozen = current(loaded(folder / "config.yaml"))
        return bool(foreign_parts(moved(OmegaConf.to_container(frozen), str(frozen.get("folder")), str(folder))))
    return False


def refuse_foreign(config: Any, folder: Path, trust: bool, typed: Collection[str] = ()) -> None:
    """`ValueError` that names parts of somebody's own, unless they are trusted; then they may be imported."""
    parts = foreign_parts(config, typed)
    if parts and not trust:
        raise ValueError(
            f"The configuration of {folder} names code or places that are not of this project: {', '.join(parts)}."
            " Add trust=true if they are yours, or from somebody you trust."
        )
    if foreign_parts(config):
        allow_own_parts()


def refuse_links_out(folder: Path) -> None:
    """`ValueError` at a link in a folder that leads out of it: what is written there would be written elsewhere."""
    root = folder.resolve()
    for path, folders, files in os.walk(root):
        if Path(path).parent == root and Path(path).name == "wandb":
            folders.clear()  # W&B's own files, links to its logs among them
            continue
        for name in (*folders, *files):
            link = Path(path, name)
            if link.is_symlink() and not link.resolve().is_relative_to(root):
                raise ValueError(f"Links in a run folder must not lead out of it. {link} leads to {link.resolve()}.")


def strings(node: Any) -> list[str]:
    """Every string of a setting or group."""
    plain = OmegaConf.to_container(node, resolve=False) if OmegaConf.is_config(node) else node
    return [value for _, value in _leaves(plain, "") if isinstance(value, str)]


def allow_own_parts() -> None:
    """Let parts of one's own be imported from the folder one stands in (see `grok`), after all that is installed."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())


def _is_foreign(name: str, value: Any, folder: str, typed: Collection[str]) -> bool:
    from grok.tasks.tables import is_built_in  # noqa: PLC0415 - torch, which `grok.status` starts without

    if not isinstance(value, str) or value in typed:
        return False
    last = name.rpartition(".")[2]
    if last == "_target_":
        return value not in _targets() and not _of_library(value)
    if name == "data.operation":
        return not is_built_in(value)
    if name.startswith("launch."):
        return False  # of the command that sent it; a run never reads it
    leads_out = value.startswith(("/", "~")) or ".." in Path(value).parts or "://" in value
    inside = value == folder or (value.startswith(f"{folder}/") and ".." not in Path(value).parts)
    return "${" in value or (name.partition(".")[0] in WRITERS and leads_out and not inside)


def _of_library(target: str) -> bool:
    return any(target.startswith(start) and target.removeprefix(start).isidentifier() for start in OF_LIBRARIES)


@cache
def _targets() -> frozenset[str]:
    """Every `_target_` in conf/."""
    files = conf_folder().glob("*/*.yaml")
    named = (
        leaf for file in files for leaf in _leaves(OmegaConf.to_container(OmegaConf.load(file), resolve=False), "")
    )
    return frozenset(OWN_KINDS) | {value for name, value in named if name.rpartition(".")[2] == "_target_"}


def _leaves(node: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _leaves(value, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(node, list):
        for value in node:
            yield from _leaves(value, prefix)
    else:
        yield prefix, node
