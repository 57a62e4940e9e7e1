"""What an evaluation is made of, checked in sentences: outside of tests nobody else looks at shapes."""

import torch
from torch import Tensor


def require_shapes(  # plain tensors: the annotations of jaxtyping would refuse them first, in tests
    logits: Tensor, answers: Tensor, train: Tensor, neurons: Tensor | None, W_E: Tensor | None, W_L: Tensor | None
) -> None:
    """Raise `ValueError` for what no evaluation of all p² pairs can be made of."""
    if answers.ndim != 2 or answers.shape[0] != answers.shape[1] or not _is_integer(answers):
        raise ValueError(f"`answers` must be integers of shape (p, p), one for each pair. Got {_described(answers)}.")
    p = len(answers)
    if train.shape != answers.shape or train.dtype != torch.bool:
        raise ValueError(
            f"`train` must be a mask, torch.bool of shape ({p}, {p}) like `answers`. Got {_described(train)}."
        )
    if logits.ndim != 3 or logits.shape[:2] != answers.shape or logits.shape[2] < p or not logits.is_floating_point():
        raise ValueError(
            f"`logits` must be floats of shape ({p}, {p}, {p} or more classes): pairs first. Got {_described(logits)}."
        )
    if neurons is not None and (neurons.ndim != 3 or neurons.shape[:2] != answers.shape):
        raise ValueError(f"`neurons` must be of shape ({p}, {p}, d_mlp): pairs first. Got {_described(neurons)}.")
    if W_E is not None and (W_E.ndim != 2 or W_E.shape[1] != p):
        raise ValueError(f'`W_E` must be of shape (d_model, {p}), without "=". Got {_described(W_E)}; {_way_out(W_E)}.')
    if W_L is not None:
        d_mlp = "d_mlp" if neurons is None else neurons.shape[2]
        if W_L.ndim != 2 or W_L.shape[0] != p or (neurons is not None and W_L.shape[1] != d_mlp):
            raise ValueError(f"`W_L` must be of shape ({p}, {d_mlp}). Got {_described(W_L)}; {_way_out(W_L)}.")


def _is_integer(x: Tensor) -> bool:
    return not (x.is_floating_point() or x.is_complex() or x.dtype == torch.bool)


def _described(x: Tensor) -> str:
    return f"{x.dtype} of shape {tuple(x.shape)}"


def _way_out(matrix: Tensor) -> str:
    return "it may be transposed" if matrix.ndim == 2 else "a matrix is needed"
