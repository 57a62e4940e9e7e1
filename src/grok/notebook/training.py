"""Training from a cell: the command's own configuration, and nothing left behind."""

import io
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout, suppress
from pathlib import Path

import numpy as np
import torch
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException, InstantiationException
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from grok.notebook.run import Run
from grok.runs.named import without_latest
from grok.runs.resume import resumed_config
from grok.settings import places
from grok.settings.composition import composition_sentence
from grok.settings.known import refuse_unknown
from grok.settings.options import own_config_folders
from grok.settings.quiet import quiet
from grok.settings.short import in_full
from grok.training.experiment import assemble
from grok.training.run import train


def configuration(overrides: Sequence[str], folder: str | Path | None) -> DictConfig:
    """The configuration of one run, composed as `python -m grok.train` does. `ValueError` for what is no setting."""
    overrides = [in_full(without_latest(override)) for override in overrides]
    places.register_resolvers()
    earlier = GlobalHydra.instance().hydra
    try:
        with initialize_config_dir(str(places.conf_folder()), version_base="1.3"):
            config = compose("train", overrides)
    except HydraException as error:
        raise ValueError(composition_sentence(error, overrides, own_config_folders(overrides))) from error
    finally:
        GlobalHydra.instance().hydra = earlier
    refuse_unknown(config)
    if config.sweep or config.get("dry_run"):
        raise ValueError("`sweep` and `dry_run` are for sweeps: `python -m grok.train -m`.")
    if config.resume and folder is not None:
        raise ValueError("`folder` is for a new run, `resume` goes on in the folder it names. Got both.")
    config.folder = (
        places.run_folder(config.resume, config.task_name, config.name)
        if folder is None
        else str(Path(folder).absolute())
    )
    if config.resume:
        return resumed_config(config, overrides)
    resolved = OmegaConf.create(OmegaConf.to_container(config, resolve=True))
    assert isinstance(resolved, DictConfig)
    return resolved


def trained(overrides: Sequence[str], folder: str | Path | None, silent: bool) -> Run:
    """A run trained in this process, opened. `ValueError` for what the command refuses."""
    if isinstance(overrides, str):
        raise ValueError(f"`overrides` must be a list of settings such as ['data.p=41']. Got {overrides!r}.")
    with _state_kept(), quiet():
        config = configuration(overrides, folder)
        try:
            experiment = assemble(config)
        except (ValueError, InstantiationException) as error:
            with suppress(OSError):
                Path(config.folder).rmdir()  # made for it; stays where it holds anything
            if isinstance(error, ValueError):
                raise
            raise ValueError(str(error.__cause__ or error)) from error
        with redirect_stdout(io.StringIO()) if silent else nullcontext():
            train(experiment, Console())
    return Run(experiment.folder)


@contextmanager
def _state_kept() -> Iterator[None]:
    """Leave random generators, torch's threads and its determinism as they were; `train` itself keeps the rest."""
    drawn, drawn_by_numpy = random.getstate(), np.random.get_state()
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    filling = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    benchmark = torch.backends.cudnn.benchmark
    try:
        with torch.random.fork_rng():
            yield
    finally:
        random.setstate(drawn)
        np.random.set_state(drawn_by_numpy)
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic)
        torch.utils.deterministic.fill_uninitialized_memory = filling  # type: ignore[attr-defined]
        torch.backends.cudnn.benchmark = benchmark
