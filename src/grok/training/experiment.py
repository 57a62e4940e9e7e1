"""A run put together from its configuration: every part built and checked before anything is written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from lightning import Callback, Trainer
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig, ListConfig, OmegaConf
from torch import nn

from grok.loggers.configured import configured_loggers
from grok.measures.evaluation import RULES
from grok.model.transformer import Transformer
from grok.runs.folder import RunFolder
from grok.runs.identity import differences, identity
from grok.runs.parts import network_of, task_of
from grok.runs.resume import checkpoint_to_resume, is_to_conclude, read_checkpoint
from grok.runs.schedule import Schedule
from grok.runs.table_record import refuse_changed_tables
from grok.settings.checks import is_whole
from grok.settings.figure_style import figure_style
from grok.settings.known import fill_emptied
from grok.settings.values import check_values
from grok.tasks.tables import is_built_in, properties
from grok.training.lit import FullBatchData, FullBatchTraining

# How Lightning runs blocks of steps (grok.training.lit); not a matter of configuration.
LOOP: dict[str, Any] = {
    "max_epochs": -1,
    "val_check_interval": 1,
    "check_val_every_n_epoch": None,
    "num_sanity_val_steps": 0,
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "log_every_n_steps": 1,
    "plugins": LightningEnvironment(),  # one process, also where SLURM's variables speak of others
}
FEW_FREQUENCIES = 7  # p below 14: a network may well use half of all frequencies


@dataclass
class Experiment:
    """One run, put together and not yet begun."""

    config: DictConfig
    folder: RunFolder
    data: FullBatchData
    module: FullBatchTraining
    trainer: Trainer
    loggers: list[Logger]
    checkpoint: str | None  # to start from
    checkpoint_step: int
    measured_step: int  # of the last measurement the checkpoint knows
    only_conclude: bool  # all its steps are trained already


def assemble(config: DictConfig) -> Experiment:
    """The run that `config` describes. `ValueError` for what cannot be, before anything is written."""
    folder = RunFolder(config.folder)
    fill_emptied(config)
    if not config.resume and folder.holds_a_run:
        raise ValueError(
            f"`hydra.run.dir` must be a folder without a run. {folder.path} holds one;"
            f" `resume={folder.path}` goes on with it."
        )
    if config.resume and config.ckpt_path:
        raise ValueError("`ckpt_path` starts a new run from a checkpoint, `resume` goes on with a run. Got both.")
    if not config.resume and (others := folder.holds_others):
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        raise ValueError(
            f"`hydra.run.dir` must be a folder of its own, empty or not there yet. {folder.path} holds"
            f" {others[0]}{more}."
        )
    _check_choices(config)
    schedule = Schedule.of(config)
    data = FullBatchData(task_of(config))
    network = network_of(config, data.p)
    module = FullBatchTraining(network, schedule, **_optimizer_settings(config))
    module.identity = identity(config, data.all.answers, data.all.train)
    blocks = data.all.structure.basis.count
    _check_keys("key_frequencies", config.key_frequencies, data.p, blocks)
    for name, callback in config.callbacks.items():
        if callback and "rule" in callback:
            _check_keys(f"callbacks.{name}.rule", callback.rule, data.p, blocks)
    trainer = _trainer(config, [instantiate(callback) for callback in config.callbacks.values() if callback])
    if module.tf32 and trainer.strategy.root_device.type != "cuda":
        raise ValueError("`optim.tf32` must be false on a CPU: TF32 is a mode of NVIDIA's GPUs. Got True.")
    checkpoint, step, measured = None, 0, -1
    only_conclude = bool(config.resume) and is_to_conclude(folder, config.trainer.max_steps, config.stop)
    if config.resume:
        step, checkpoint = checkpoint_to_resume(folder, config.trainer.max_steps, config.stop)
    elif config.ckpt_path:
        checkpoint = str(Path(config.ckpt_path).absolute())
    if checkpoint:
        contents = read_checkpoint(checkpoint, "resume" if config.resume else "ckpt_path")
        step, measured = contents["global_step"], contents["since_measurement"]["measured_step"]
        _check_fits(network, contents["state_dict"], checkpoint)
        if config.resume and (differing := differences(contents.get("identity", {}), module.identity)):
            raise ValueError(
                f"`resume` must go on with the run as it was begun. Since then these have changed in"
                f" {folder.config}, or in the code of its task: {', '.join(differing)}. Change them back, or start a"
                f" new run with `ckpt_path={checkpoint}`."
            )
        if config.resume:
            refuse_changed_tables(folder, contents["callbacks"].get("Checkpoints", {}).get("tables", {}))
        if step >= config.trainer.max_steps and not only_conclude:
            raise ValueError(
                f"`trainer.max_steps` must be above the {step} steps of {checkpoint}. Got {schedule.max_steps}."
            )
    trainer.loggers = configured_loggers(config.logger)
    return Experiment(config, folder, data, module, trainer, trainer.loggers, checkpoint, step, measured, only_conclude)


def _optimizer_settings(config: DictConfig) -> dict[str, Any]:
    settings: Any = OmegaConf.to_container(config.optim, resolve=True)
    if missing := [name for name in ("_target_", "lr", "wd", "warmup_steps") if name not in settings]:
        raise ValueError(f"`optim.{missing[0]}` must be given. `optim` is {settings}.")
    return {"optimizer": settings.pop("_target_"), **settings}


def absences(experiment: Experiment) -> list[str]:
    """One sentence for each kind of measure that this network or operation does not have."""
    sentences = []
    pairs = experiment.data.all
    answers, unseen = pairs.answers, pairs.unseen
    every_answer = len(torch.unique(answers[unseen])) == experiment.data.p
    if not unseen.any():
        sentences.append(
            "every test pair is the mirror of a trained one, so none is unseen: the test set judges the run, and the"
            " key-free measures are absent"
        )
    network = experiment.module.network
    if not isinstance(network, Transformer):
        parts = {"W_E": "no spectrum of the embedding", "neuron_logit_map": "no W_L", "activations": "no neurons"}
        missing = [f"{what} ({name})" for name, what in parts.items() if not hasattr(network, name)]
        sentences += [f"{type(network).__name__} lacks: {', '.join(missing)}"] if missing else []
    elif network.neuron_logit_map() is None:
        rule = "logits" if every_answer else "waves"
        sentences.append(f"no MLP, so no W_L and no neurons to measure; key frequencies by the rule `{rule}`")
    frequencies, rule = pairs.structure.basis.count, experiment.config.key_frequencies
    if rule in ("W_L", "logits") and frequencies < FEW_FREQUENCIES:
        sentences.append(
            f"of {frequencies} {'frequency' if frequencies == 1 else 'frequencies'} the rule `{rule}` names"
            f" {frequencies // 2 or 'none'}{' at most' if frequencies > 1 else ''}, as it takes their median for the"
            " floor; key_frequencies=max has no such bound"
        )
    operation = experiment.config.data.get("operation")
    if operation is not None and not is_built_in(operation):
        symbols = experiment.data.symbols or [str(x) for x in range(experiment.data.p)]
        sentences.append(f"the table of {operation}: {properties(answers, symbols)}")
    if words := pairs.structure.words:
        sentences.append(words)
    if not pairs.structure.is_group:
        sentences.append(
            f"{experiment.config.data.get('operation', 'this task')} is no group by any names of a and b, so it has no"
            " waves to restrict to or exclude: the key-free measures alone are computed"
        )
    elif unseen.any() and not every_answer:
        sentences.append("some answer has no unseen pair, so restricted loss is not averaged over unseen pairs alone")
    return sentences


def _trainer(config: DictConfig, callbacks: list[Callback]) -> Trainer:
    settings = dict(instantiate(config.trainer))
    if settings["accelerator"] == "auto":  # Apple's GPUs have no float64, in which measures are taken
        settings["accelerator"] = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return Trainer(
            **settings,
            **LOOP,
            callbacks=callbacks,
            logger=False,
            default_root_dir=config.folder,
            enable_checkpointing=any(isinstance(callback, Checkpoint) for callback in callbacks),
            deterministic=torch.cuda.is_available() or None,
        )
    except (MisconfigurationException, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"`trainer` must be settings of lightning.Trainer that this machine can meet: {reason}"
        ) from error


def _check_choices(config: DictConfig) -> None:
    check_values(config)
    figure_style(config)
    if config.trainer.devices is True or config.trainer.devices != 1:
        raise ValueError(
            f"`trainer.devices` must be 1: one full batch is one device's work. Got {config.trainer.devices}."
        )


def _check_keys(name: str, rule: Any, p: int, count: int) -> None:
    """Raise `ValueError` unless a rule of the key frequencies is one, or a list of frequencies."""
    if not isinstance(rule, ListConfig):
        if rule not in RULES:
            raise ValueError(f"`{name}` must be one of {', '.join(RULES)}, or a list of frequencies. Got {rule!r}.")
        return
    for k in rule:
        if not is_whole(k) or not 1 <= k <= count:
            raise ValueError(f"`{name}` must list whole numbers from 1 to {count} for p = {p}. Got {k!r}.")


def _check_fits(network: nn.Module, weights: dict[str, torch.Tensor], file: str) -> None:
    for name, parameter in network.state_dict().items():
        there = weights.get(f"network.{name}")
        if there is None or there.shape != parameter.shape:
            shape = "nothing" if there is None else tuple(there.shape)
            raise ValueError(
                f"`ckpt_path` must lead to a network of the same `data.p` and `model`. {file} has {shape}"
                f" for {name}, where {tuple(parameter.shape)} is needed."
            )
