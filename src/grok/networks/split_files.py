"""On which pairs somebody else's network was trained."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from grok.networks import layouts, weight_files
from grok.runs.parts import named
from grok.tasks import splits

OF_THE_SPLIT = ("authors", "grok")  # layouts whose `seed` is that of the split
FRACTIONS, SEEDS = (0.3,), range(5)  # of the splits that are tried where a file does not tell


def training_pairs(
    file: Path,
    found: layouts.Checkpoint,
    settings: Mapping[str, Any],
    pair_losses: Callable[[], Float[Tensor, "a=p b=p"]],
) -> Bool[Tensor, "a=p b=p"]:
    """The training pairs: of the split file, of the settings, or of the network's file itself.

    Args:
        pair_losses: the loss on each pair, by which splits are compared where none is named.
    """
    if settings["split"] is not None:
        return split_mask(Path(settings["split"]), found.p)
    fraction, seed = settings["data.train_fraction"], settings["data.seed"]
    indices = found.beside.get("train_indices")
    if fraction is None and seed is None and isinstance(indices, Tensor | list) and len(indices):
        return _mask(torch.as_tensor(indices), found.p, file)
    fraction = found.config.get("frac_train") if fraction is None else fraction
    if seed is None:  # the authors' `seed` is that of the split; TransformerLens' is that of the weights
        seed = found.config.get("data.seed", found.config.get("seed") if found.layout in OF_THE_SPLIT else None)
    if fraction is None or seed is None:
        lacking = "data.train_fraction" if fraction is None else "data.seed"
        raise ValueError(
            f"`{lacking}` must be given, or split=<file of training pairs>. {file} does not tell on which pairs"
            f" it was trained.{_candidates(found, fraction, pair_losses)}"
        )
    with named("data"):
        return splits.train_mask(found.p, fraction, seed, found.config.get("data.split", "pairs"))


def _candidates(
    found: layouts.Checkpoint, fraction: float | None, pair_losses: Callable[[], Float[Tensor, "a=p b=p"]]
) -> str:
    """What the network's train loss would be by a few splits, beside the one that its file stores."""
    losses = pair_losses()
    tried = [
        f"data.train_fraction={share:g} data.seed={seed} would give"
        f" {losses[splits.train_mask(found.p, share, seed)].mean():.2e}"
        for share in (FRACTIONS if fraction is None else (fraction,))
        for seed in SEEDS
    ]
    stored = "" if found.train_loss is None else f"; the stored train loss is {found.train_loss:.2e}"
    return f" {'; '.join(tried)}{stored}."


def split_mask(file: Path, p: int) -> Bool[Tensor, "a=p b=p"]:
    """True on the training pairs that a file lists.

    .json: pairs [a, b], or places a·p + b; .pt, .pth or .safetensors: one tensor of either, or a p × p mask.
    """
    if not file.is_file():
        raise ValueError(f"`split` must be a file of training pairs. {file} is no file.")
    if file.suffix == ".json":
        try:
            listed = torch.tensor(json.loads(file.read_text(encoding="utf-8")))
        except (ValueError, TypeError, RuntimeError) as error:
            raise ValueError(f"`split` must list pairs [a, b] or places a·p + b. {file} does not: {error}.") from error
    else:
        listed = weight_files.tensor(file)
    return _mask(listed, p, file)


def _mask(listed: Tensor, p: int, file: Path) -> Bool[Tensor, "a=p b=p"]:
    if listed.dtype == torch.bool and listed.numel() == p * p:
        return listed.view(p, p)
    if listed.ndim == 2 and listed.shape[1] == 2 and not listed.is_floating_point():
        inside = bool(((listed >= 0) & (listed < p)).all())
        listed = listed[:, 0] * p + listed[:, 1] if inside else torch.tensor([-1])
    if listed.is_floating_point() or listed.ndim != 1 or not len(listed) or listed.min() < 0 or listed.max() >= p * p:
        raise ValueError(
            f"`split` must list pairs of p = {p}: pairs [a, b], places a·p + b, or a mask. {file} does not."
        )
    mask = torch.zeros(p * p, dtype=torch.bool)
    mask[listed.long()] = True
    if mask.all():
        raise ValueError(f"`split` must leave pairs to test on. {file} lists all {p * p}.")
    return mask.view(p, p)
