"""Which settings there are, read from conf/ and from the constructors that take them; all others are refused."""

import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from grok.settings.misspelt import REASONS, unknown_sentence
from grok.settings.places import conf_folder

BY_COMMAND = ("dry_run", "optimized_metric")  # typed as +dry_run=true with -m; set by hparams_search
TRAINER = "lightning.Trainer"  # takes all that is under `trainer`
OF_EVERY_OPTIMIZER = {"lr", "wd", "warmup_steps", "tf32"}  # under `optim`, whatever its `_target_` takes
OPEN_GROUPS = ("callbacks", "logger")  # hold any number of members by name, each with its `_target_`
HYDRAS_OWN = {"_target_", "_partial_", "_recursive_", "_convert_", "_args_"}


def refuse_unknown(config: DictConfig) -> None:
    """Raise `ValueError` at the first setting of a composed configuration that nothing reads.

    Hydra itself refuses what is typed without +. A setting typed with +, as Hydra then advises, or misspelt in a
    file of a user's own would be carried along and never read, and a whole run trained without it.
    """
    plain: Any = OmegaConf.to_container(config, resolve=False)
    known = known_settings(plain)
    for name in _unread(plain, known, ""):
        raise ValueError(unknown_sentence(name, known))


def fill_emptied(config: DictConfig) -> None:
    """Put back the groups that `logger=[]` or `callbacks=[]` has left out, as empty ones."""
    for name in OPEN_GROUPS:
        if name not in config:
            OmegaConf.update(config, name, {}, force_add=True)


def known_settings(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Every setting by dotted name, with its value in conf/; of `launch`, those of the kind that `config` names."""
    launch = config.get("launch")
    return _known(conf_folder(), str(launch.get("kind")) if isinstance(launch, Mapping) else None)


@cache
def _known(folder: Path, launch: str | None) -> Mapping[str, Any]:
    main = _plain(folder / "train.yaml")
    main.pop("hydra", None)
    main.pop("defaults", None)
    known = {**dict.fromkeys(BY_COMMAND), **dict(_leaves(main, ""))}
    for group in (path for path in sorted(folder.iterdir()) if path.is_dir()):
        for file in sorted(group.glob("*.yaml")):
            other_kind = group.name == "launch" and launch is not None and launch != file.stem
            if not other_kind and "@package _global_" not in file.read_text(encoding="utf-8"):
                members = _plain(file)
                members.pop("defaults", None)
                known |= dict(_leaves(members, f"{group.name}."))
    return known


def _unread(node: Mapping[str, Any], known: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, child in node.items():
        path = f"{prefix}{name}"
        if isinstance(child, Mapping) and "_target_" in child:
            yield from _not_taken(child, child["_target_"], path)
        elif path == "trainer" and isinstance(child, Mapping):
            yield from _not_taken(child, TRAINER, path)
        elif known.get(path) == {} or (path in known and not isinstance(child, Mapping)):
            continue  # {} in conf/ holds what a user likes, such as launch.sbatch
        elif isinstance(child, Mapping) and (path in OPEN_GROUPS or any(key.startswith(f"{path}.") for key in known)):
            yield from _unread(child, known, f"{path}.")
        elif isinstance(child, Mapping) and child:
            yield from (f"{path}.{below}" for below in child)
        elif not (path.partition(".")[0] in OPEN_GROUPS and child is None):  # callbacks.phases=null leaves it out
            yield path


def _not_taken(node: Mapping[str, Any], target: Any, path: str) -> Iterator[str]:
    """Settings under `path` that the constructor does not take; none of one that takes any, or cannot be imported."""
    try:
        parameters = inspect.signature(pkgutil.resolve_name(target)).parameters
    except Exception:  # instantiating says what is wrong with it
        return
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    taken = OF_EVERY_OPTIMIZER if path == "optim" else set()
    for name in node.keys() - HYDRAS_OWN - taken:
        if (target == TRAINER and name in REASONS) or not (takes_any or name in parameters):
            yield f"{path}.{name}"


def _leaves(node: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, child in node.items():
        if isinstance(child, Mapping) and child:
            yield from _leaves(child, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", child


def _plain(file: Any) -> dict[str, Any]:
    plain: Any = OmegaConf.to_container(OmegaConf.load(file), resolve=False)
    return plain if isinstance(plain, dict) else {}


def takes(known: Mapping[str, Any], name: str) -> bool:
    """Whether the constructor that a setting would go to takes it, though conf/ does not name it."""
    group, _, argument = name.rpartition(".")
    target = TRAINER if group == "trainer" else known.get(f"{group}._target_")
    return target is not None and not list(_not_taken({argument: None}, target, group))
