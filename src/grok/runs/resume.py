"""Going on with a run: which configuration, from which checkpoint."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from grok.runs.configuration import current, leaves, moved
from grok.runs.folder import RunFolder

# What makes a run the run it is. All else (its length, loggers, callbacks) may differ when it goes on.
IDENTITY = ("seed", "data", "model", "optim", "measure_every", "measure_early", "key_frequencies")


def resumed_config(config: DictConfig, overrides: Sequence[str]) -> DictConfig:
    """The configuration to go on with: the frozen one of the run, and what was typed now.

    Args:
        config: as composed from the command line; `config.resume` is the run's folder.
        overrides: as typed, such as "trainer.max_steps=20000".

    Raises `ValueError` if the folder holds no run, or what was typed makes it another run.
    """
    folder = RunFolder(Path(config.resume).absolute())
    if not folder.config.exists():
        raise ValueError(f"`resume` must be the folder of a run, with a config.yaml. Got {config.resume}.")
    frozen = current(OmegaConf.load(folder.config))
    frozen = OmegaConf.create(moved(OmegaConf.to_container(frozen), frozen.folder, str(folder.path)))
    names = [override.lstrip("+~").partition("=")[0] for override in overrides]
    if "experiment" in names:  # a whole experiment was named: take all of it
        wanted = OmegaConf.create(OmegaConf.to_container(config, resolve=True))
    else:
        wanted = OmegaConf.create(OmegaConf.to_container(frozen, resolve=True))
        for name in [*names, *_followers(config, names)]:
            OmegaConf.update(wanted, name, OmegaConf.select(config, name), merge=False, force_add=True)
    typed, kept = _identity(wanted), _identity(frozen)
    differing = [
        f"{name} (there {kept.get(name)}, here {typed.get(name)})"
        for name in sorted(kept | typed)
        if kept.get(name) != typed.get(name)
    ]
    if differing:
        raise ValueError(
            f"`resume` must go on with the configuration of {config.resume}. These differ: {', '.join(differing)}."
            " Leave them out, or start a new run without `resume`."
        )
    wanted.resume = config.resume
    assert isinstance(wanted, DictConfig)
    return wanted


def _followers(config: DictConfig, names: Sequence[str]) -> list[str]:
    """Settings that take the value of one of `names`, as callbacks.stopping.stop takes that of `stop`: the frozen
    configuration has lost sight of it."""
    plain: Any = OmegaConf.to_container(config, resolve=False)
    return [name for name, value in leaves(plain).items() if value in [f"${{{typed}}}" for typed in names]]


def checkpoint_to_resume(folder: RunFolder, max_steps: int, stop: str) -> tuple[int, str]:
    """The step and file of the last checkpoint of a run that has steps left to train.

    Raises `ValueError` if it is missing, if it cannot be read, or where the run is complete.
    """
    checkpoints = folder.checkpoints()
    if not checkpoints:
        raise ValueError(f"`resume` must be a folder with a checkpoint in checkpoints/. {folder.path} has none.")
    summary = folder.summary()
    last = max(checkpoints)
    complete = summary.get("status") == "finished"
    if complete and (last >= max_steps or (stop == "stable" and summary.get("ended") == "stable")):
        way_out = "`stop=never` trains on" if summary.get("ended") == "stable" else "a larger value trains on"
        raise ValueError(
            f"`trainer.max_steps` leaves nothing to resume: {folder.path} is finished, at step {summary.get('steps')}"
            f" of {max_steps}; {way_out}."
        )
    usable = [step for step in checkpoints if step < max_steps]
    if not usable:
        raise ValueError(
            f"`trainer.max_steps` must be above {min(checkpoints)}, the first checkpoint of {folder.path}."
            f" Got {max_steps}."
        )
    step = max(usable)
    read_checkpoint(checkpoints[step], "resume")
    return step, str(checkpoints[step])


def read_checkpoint(file: Any, argument: str) -> Mapping[str, Any]:
    """The contents of a checkpoint of this project; `ValueError` where it cannot be read."""
    try:
        contents = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ValueError(f"`{argument}` must name a checkpoint that exists. Got {file}.") from None
    except Exception as error:
        reason = str(error).splitlines()[0][:120]
        raise ValueError(
            f"`{argument}` must lead to a whole checkpoint. {file} cannot be read, perhaps because it was cut short"
            f" ({reason}); remove it to go on from the one before."
        ) from error
    if not isinstance(contents, dict) or "since_measurement" not in contents:
        raise ValueError(f"`{argument}` must lead to a checkpoint of this project. {file} is none.")
    return contents


def _identity(config: Any) -> dict[str, Any]:
    plain: Any = OmegaConf.to_container(OmegaConf.create({key: config.get(key) for key in IDENTITY}), resolve=True)
    return leaves(plain)
