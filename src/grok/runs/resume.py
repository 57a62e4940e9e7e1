"""Going on with a run: which configuration, from which checkpoint."""

import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from grok.runs.checksums import refuse_damaged_zip
from grok.runs.configuration import current, leaves, loaded, moved
from grok.runs.damage import reading
from grok.runs.folder import RunFolder
from grok.runs.identity import settings
from grok.runs.lock import locked
from grok.runs.trust import refuse_foreign, refuse_links_out, strings


def resumed_config(config: DictConfig, overrides: Sequence[str], trusted: Collection[str] = ()) -> DictConfig:
    """The configuration to go on with: the frozen one of the run, and what was typed now.

    Args:
        config: as composed from the command line; `config.resume` is the run's folder.
        overrides: as typed, such as "trainer.max_steps=20000".
        trusted: values that may stand in the folder's configuration although they are of somebody's own.

    Raises `ValueError` if the folder holds no run, or what was typed makes it another run.
    """
    folder = RunFolder(Path(config.resume).absolute())
    if not folder.config.exists():
        raise ValueError(f"`resume` must be the folder of a run, with a config.yaml. Got {config.resume}.")
    refuse_links_out(folder.path)
    with reading(folder.config):
        frozen = current(loaded(folder.config))
    typed_now = {str(value) for name in _names(overrides) for value in strings(OmegaConf.select(config, name))}
    refuse_foreign(frozen, folder.path, config.get("trust", False) is True, {*typed_now, *trusted})
    frozen = OmegaConf.create(moved(OmegaConf.to_container(frozen), frozen.folder, str(folder.path)))
    names = _names(overrides)
    if "experiment" in names:  # a whole experiment was named: take all of it
        wanted = OmegaConf.create(OmegaConf.to_container(config, resolve=True))
    else:
        wanted = OmegaConf.create(OmegaConf.to_container(frozen, resolve=True))
        for name in [*names, *_followers(config, names)]:
            OmegaConf.update(wanted, name, OmegaConf.select(config, name), merge=False, force_add=True)
    typed, kept = settings(wanted), settings(frozen)
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
    assert isinstance(wanted, DictConfig)
    if folder.checkpoints() or folder.summary().get("status") == "finished":
        wanted.resume = config.resume
    else:  # nothing to go on from: it begins anew in its folder
        wanted.resume = None
        print(f"no checkpoint yet: begun anew; what was there is in {set_aside(folder)}", file=sys.stderr)
    return wanted


def _names(overrides: Sequence[str]) -> list[str]:
    return [override.lstrip("+~").partition("=")[0] for override in overrides]


def set_aside(folder: RunFolder) -> Path:
    """Move a run that has no checkpoint out of the way, and say where to."""
    with locked(folder.path):
        aside = next(x for n in range(1, 10**6) if not (x := Path(f"{folder.path}.begun{n}")).exists())
        folder.path.rename(aside)
    (aside / ".lock").unlink(missing_ok=True)
    return aside


def _followers(config: DictConfig, names: Sequence[str]) -> list[str]:
    """Settings that take the value of one of `names`, as callbacks.stopping.stop takes that of `stop`: the frozen
    configuration has lost sight of it."""
    plain: Any = OmegaConf.to_container(config, resolve=False)
    return [name for name, value in leaves(plain).items() if value in [f"${{{typed}}}" for typed in names]]


def is_to_conclude(folder: RunFolder, max_steps: int, stop: str) -> bool:
    """Whether all steps are trained, and what the run comes to is not yet known: it was killed between."""
    return (
        folder.summary().get("status") == "concluding"
        and bool(folder.checkpoints())
        and _all_trained(folder, max_steps, stop)
    )


def _all_trained(folder: RunFolder, max_steps: int, stop: str) -> bool:
    return max(folder.checkpoints()) >= max_steps or (stop == "stable" and folder.summary().get("ended") == "stable")


def checkpoint_to_resume(folder: RunFolder, max_steps: int, stop: str) -> tuple[int, str]:
    """The step and file of the last checkpoint of a run that has steps left to train.

    Raises `ValueError` if it is missing, if it cannot be read, or where the run is complete.
    """
    checkpoints = folder.checkpoints()
    if not checkpoints:
        raise ValueError(f"`resume` must be a folder with a checkpoint in checkpoints/. {folder.path} has none.")
    summary = folder.summary()
    last = max(checkpoints)
    if is_to_conclude(folder, max_steps, stop):
        read_checkpoint(checkpoints[last], "resume")
        return last, str(checkpoints[last])
    if summary.get("status") == "finished" and _all_trained(folder, max_steps, stop):
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
        refuse_damaged_zip(Path(file))
        contents = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ValueError(f"`{argument}` must name a checkpoint that exists. Got {file}.") from None
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise ValueError(
            f"`{argument}` must lead to a whole checkpoint. {file} cannot be read, cut short or damaged"
            f" ({reason}); remove it to go on from the one before."
        ) from error
    if not isinstance(contents, dict) or "since_measurement" not in contents:
        raise ValueError(f"`{argument}` must lead to a checkpoint of this project. {file} is none.")
    return contents
