"""The sentence for a setting or a member of a group that there is not: the nearest name, or why there is none."""

from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path

from omegaconf import OmegaConf

from grok.settings.places import conf_folder

# Last word of a setting elsewhere: the last word of ours.
OTHER_NAMES = {
    "weight_decay": "wd",
    "wd": "weight_decay",
    "learning_rate": "lr",
    "max_epochs": "max_steps",
    "epochs": "max_steps",
    "num_epochs": "max_steps",
    "num_steps": "max_steps",
    "prime": "p",
    "modulus": "p",
    "frac_train": "train_fraction",
    "train_frac": "train_fraction",
    "num_layers": "n_layers",
    "num_heads": "n_heads",
    "act_type": "activation",
    "act_fn": "activation",
    "n_threads": "threads",
    "optimizer": "optim",
}

# Why there is no such setting, or what it is here.
REASONS = {
    "batch_size": "Every step takes the full batch: all training pairs, `data.train_fraction` of p².",
    "num_workers": "All pairs stay in memory, so nothing is loaded.",
    "pin_memory": "All pairs stay in memory, so nothing is loaded.",
    "max_epochs": "A step takes the full batch, so an epoch is a step.",
    "epochs": "A step takes the full batch, so an epoch is a step.",
    "check_val_every_n_epoch": "`measure_every` and `measure_early` say when to measure.",
    "val_check_interval": "`measure_every` and `measure_early` say when to measure.",
    "num_sanity_val_steps": "The network is always measured at step 0.",
    "enable_progress_bar": "The bar is a callback: ~callbacks.progress_bar leaves it out.",
    "overfit_batches": "There is one batch; `debug=overfit` trains on a small part of the pairs.",
    "limit_train_batches": "There is one batch; a smaller `data.p` or `trainer.max_steps` makes a run short.",
    "limit_val_batches": "There is one batch; a smaller `data.p` or `trainer.max_steps` makes a run short.",
    "fast_dev_run": "`debug=fdr` takes a handful of steps.",
    "train": "A run always trains.",
    "test": "Measurements are of all pairs, tested ones included; `grok analyze` looks at a run afterwards.",
    "compile": "A step runs as one CUDA graph on a GPU, where it can.",
    "ignore_warnings": "Warnings of other packages are always ignored; Python's -W option shows them.",
    "enforce_tags": "Tags are never asked for; `tags=[first,look]` gives them.",
}

# Members of groups that would make no sense here.
NO_MEMBERS = {
    "debug=limit": "there is one batch, and it is needed whole: `debug=fdr` takes a handful of steps of few pairs",
    "trainer=mps": "measures are taken in float64, which Apple's GPUs lack: `trainer=cpu`",
    "trainer=ddp": "one full batch is one device's work: `trainer=gpu`, and `launch=local` for one run on each GPU",
    "trainer=ddp_sim": "one full batch is one device's work: `trainer=cpu`",
    "callbacks=early_stopping": "a run ends by itself a tenth after its weight norm converged: `stop=stable`",
    "callbacks=model_checkpoint": "checkpoints are part of `callbacks=default`",
    "callbacks=rich_progress_bar": "a progress bar is part of `callbacks=default`",
    "logger=many_loggers": "several are a list: `logger=[wandb,tensorboard]`",
    "logger=comet": "it cannot log to a file here: `logger=[wandb,tensorboard]` or any Lightning logger by `_target_`",
}


def unknown_sentence(name: str, known: Collection[str]) -> str:
    """What to say of a setting that there is not: the nearest ones there are, or why there is none."""
    last = name.rpartition(".")[2]
    reason = REASONS.get(last, "")
    below = [other for other in known if other.startswith(f"{name}.")]
    if below:
        return f"`{name}` is a group of settings, not one value. Its settings are {_listed(below)}."
    group, _, setting = name.partition(".")
    for file in (conf_folder() / group).glob("*.yaml"):
        if setting in OmegaConf.load(file):
            return f"`{name}` is a setting of `{group}={file.stem}`, not of what is chosen here."
    known = [other for other in known if not other.endswith("_target_")]
    wanted = {last, OTHER_NAMES.get(last, last)}
    near = [other for other in known if other.rpartition(".")[2] in wanted]
    if name.count("."):  # of several of that name, the one in the same group
        near = [other for other in near if other.partition(".")[0] == name.partition(".")[0]] or near
    if not near and not reason and group != name:  # a slip within the group comes before likeness of whole names
        inside = {other.rpartition(".")[2]: other for other in known if other.startswith(f"{name.rpartition('.')[0]}.")}
        near = [inside[word] for word in get_close_matches(last, inside, n=3, cutoff=0.6)]
    if not near and not reason:
        near = get_close_matches(name, known, n=3, cutoff=0.6) or [
            other for word in get_close_matches(last, {other.rpartition(".")[2] for other in known}, n=1, cutoff=0.75)
            for other in known if other.rpartition(".")[2] == word
        ]  # fmt: skip
    advice = f"The nearest: {_listed(near[:3])}." if near else "" if reason else "conf/ lists all settings."
    return " ".join(filter(None, [f"`{name}` is not a setting.", advice, reason]))


def member_sentence(group: str, member: str, own: Collection[Path] = ()) -> str | None:
    """What to say of a member that a group of conf/, or of the user's `own` folders, lacks; None for one it has."""
    members = sorted(file.stem for folder in (conf_folder(), *own) for file in (folder / group).glob("*.yaml"))
    if member in members:
        return None
    reason = NO_MEMBERS.get(f"{group}={member}")
    if reason:
        return f"`{group}={member}` is not offered, as {reason}."
    near = get_close_matches(member, members, n=1)
    nearest = f" The nearest: `{near[0]}`." if near and len(members) > 1 else ""
    return f"`{group}` must be one of {', '.join(members)}. Got {member}.{nearest}"


def _listed(names: Collection[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
