"""Somebody else's trajectory as a run folder: every state measured as our own are, and nothing trained."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn

from grok.measures.evaluation import Evaluation
from grok.networks import layouts, weight_files
from grok.networks.subject import DEEPER, Subject, of_file
from grok.runs.conclusion import conclude
from grok.runs.files import write_text
from grok.runs.folder import RunFolder
from grok.training.experiment import Experiment, assemble

SUFFIXES = (*weight_files.SUFFIXES, ".ckpt")
OPTIMIZER = {"lr": "lr", "wd": "weight_decay"}  # settings, and what they are called in other people's configurations
ALWAYS = SimpleNamespace(is_regular=lambda step: True)  # every state of a trajectory counts as a measurement


def trajectory(path: Path) -> dict[int, layouts.Checkpoint]:
    """The networks in a file of several, or in a folder of files, by step.

    A file's step is what it says, or else the last number in its name. `ValueError` where two have one step.
    """
    if path.is_file():
        content = weight_files.content(path)
        steps = list(layouts.states(content)) or [0]
        return {step: layouts.checkpoint(path, step) for step in steps}
    files = sorted(file for file in path.glob("*") if file.suffix in SUFFIXES)
    found: dict[int, layouts.Checkpoint] = {}
    for file in files:
        one = layouts.checkpoint(file)
        numbers = re.findall(r"\d+", file.stem)
        step = one.step if one.step is not None else int(numbers[-1]) if numbers else 0
        if step in found:
            raise ValueError(f"A trajectory must have one network a step. {path} has two at step {step}.")
        found[step] = one
    if not found:
        raise ValueError(f"A trajectory is a file or a folder of files {', '.join(SUFFIXES)}. {path} has none.")
    return found


def import_run(path: Path, told: Mapping[str, Any], configuration: DictConfig) -> RunFolder:
    """Measure every network of a trajectory into `configuration.folder`, and settle its events.

    Args:
        path: a file, or a folder of files.
        told: what the files do not say, as for `grok.analyze checkpoint=`.
        configuration: of a run of the defaults, in a new folder.
    """
    networks = trajectory(path)
    last = networks[max(networks)]
    subject = of_file(path if path.is_file() else _file_of(path, last), told)
    if subject.unlike not in (None, DEEPER):
        raise ValueError(
            f"A run can be imported of networks like the paper's. {subject.name} is another: {subject.unlike};"
            " grok.analyze opens it by itself."
        )
    config = _described(configuration, subject, last)
    experiment = assemble(config)
    folder = experiment.folder
    written = config.copy()
    for ours, theirs in OPTIMIZER.items():
        if not isinstance(last.config.get(theirs), int | float):
            written.optim[ours] = None  # no file says
    write_text(folder.config, OmegaConf.to_yaml(written, resolve=True))
    folder.write_summary(status="importing", imported_from=str(path), sha256=_digest(path), networks=len(networks))
    for step in sorted(networks):
        weights = _ours(replace(subject, weights=networks[step].weights), experiment.module.network)
        experiment.module.network.load_state_dict(weights)
        _measure(experiment, step)
    conclusion = conclude(folder)
    folder.write_summary(**conclusion.summary(), steps=max(networks), ended="imported", status="finished")
    folder.seal()
    return folder


def _file_of(path: Path, wanted: layouts.Checkpoint) -> Path:
    """The file of a folder that holds that network."""
    for file in sorted(path.glob("*")):
        if file.suffix in SUFFIXES and torch.equal(layouts.checkpoint(file).weights["W_E"], wanted.weights["W_E"]):
            return file
    raise AssertionError


def _described(configuration: DictConfig, subject: Subject, last: layouts.Checkpoint) -> DictConfig:
    """The configuration of a run that this network might come from; what no file says is null."""
    config = configuration.copy()
    W_Q = subject.weights["blocks.0.W_Q"]
    mlp = subject.weights.get("blocks.0.b_in")
    config.data = {
        "_target_": "grok.tasks.modular.ListedPairs",
        "p": subject.modulus or subject.p,
        "operation": subject.operation,
        "places": subject.train.flatten().nonzero().flatten().tolist(),
    }
    sizes = {
        "d_model": W_Q.shape[2],
        "n_heads": W_Q.shape[0],
        "d_mlp": 0 if mlp is None else len(mlp),
        "n_layers": last.n_layers,
        "activation": subject.activation,
    }
    config.model = OmegaConf.merge(config.model, sizes)
    for ours, theirs in OPTIMIZER.items():
        value = last.config.get(theirs)
        if isinstance(value, int | float):
            config.optim[ours] = value
    return config


def _ours(subject: Subject, network: nn.Module) -> dict[str, Tensor]:
    """The weights as our transformer takes them. `ValueError` for parts that it lacks."""
    weights = {name: w.float() for name, w in subject.weights.items()}
    if weights["W_U"].shape[1] == subject.p:
        weights["W_U"] = torch.nn.functional.pad(weights["W_U"], (0, 1))
    expected = {name: tuple(w.shape) for name, w in network.state_dict().items()}
    for name, w in weights.items():
        if expected.get(name) != tuple(w.shape):
            raise ValueError(
                f"A run can be imported of networks like the paper's. {subject.name} has {name} of shape"
                f" {tuple(w.shape)}, and it must be {expected.get(name, 'absent')}; grok.analyze opens it by itself."
            )
    return weights


def _measure(experiment: Experiment, step: int) -> None:
    """One row of metrics.csv and spectra.csv, and a snapshot, by the callbacks of a run."""
    evaluation = Evaluation.over(experiment.data.all, experiment.module.network)
    at = SimpleNamespace(global_step=step, largest_loss=None, schedule=ALWAYS)
    callbacks = cast(Any, experiment.trainer).callbacks
    row: dict[str, float] = {}
    with torch.no_grad():
        for measure in (callback.measure for callback in callbacks if hasattr(callback, "measure")):
            row |= {name: float(value) for name, value in measure(evaluation, at).items()}
    for write in (callback.write for callback in callbacks if hasattr(callback, "write")):
        write(evaluation, step, experiment.module.network, row)


def _digest(path: Path) -> str:
    files = [path] if path.is_file() else sorted(file for file in path.glob("*") if file.suffix in SUFFIXES)
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()
