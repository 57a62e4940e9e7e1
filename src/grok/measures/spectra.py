"""Which frequencies a network uses: spectra, Gini sparsity and the rules for its key frequencies.

The paper publishes no threshold for "key" (App. C.2); the rules here are named, and all but
`neurons` (after the authors' code) and `W_E` (after the TransformerLens demo, with the joint norm
of cos and sin) are this project's own.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from grok.tasks import fourier
from grok.tasks.structure import Structure

# A neuron belongs to a frequency that explains more than this share of its variance (paper §4.3).
EXPLAINED = 0.85
BLOCK = 256  # pairs squared at a time, so that the squares stay in a CPU's cache


def gini(x: Float[Tensor, " n"]) -> Float[Tensor, ""]:
    """Hurley-Rickard Gini coefficient of |x|: 0 where all are equal, 1 - 1/n where one is all (paper §5.1).

    1 - 2 Σ_i (x_i / Σx) (n - i + 1/2) / n over ascending x_i. Undefined (nan) where all are 0.
    """
    ascending = x.abs().double().sort().values
    n = len(ascending)
    rank = torch.arange(1, n + 1, device=x.device)
    return 1 - 2 * (ascending / ascending.sum() * (n - rank + 0.5)).sum() / n


def shares(norms: Float[Tensor, " k"]) -> Float[Tensor, " k"]:
    """n_k² / Σ n²: the share of each frequency in the spectrum (all 0 where there is nothing)."""
    square = norms.double().square()
    return square / square.sum().clamp_min(torch.finfo(torch.float64).tiny)


def above_median(norms: Float[Tensor, " k"]) -> list[int]:
    """Frequencies with n_k - median(n) > ¼ (max(n) - median(n)): those that stand out of the floor.

    On a finished network the same set as `above_maximum`. While memorization still fills every
    frequency, that one says "all"; the median takes the common floor away first.
    """
    floor = norms.double().quantile(0.5)
    return _set(norms - floor > (norms.max() - floor) / 4)


def above_maximum(norms: Float[Tensor, " k"]) -> list[int]:
    """Frequencies with n_k > ¼ max(n)."""
    return _set(norms > norms.max() / 4)


def of_neurons(explained: Float[Tensor, "k neuron"]) -> list[int]:
    """Frequencies that some neuron belongs to, by more than `EXPLAINED` of its variance; may be empty."""
    best, frequency = explained.max(0)
    return sorted({int(k) + 1 for k in frequency[best > EXPLAINED]})


def _set(chosen: Bool[Tensor, " k"]) -> list[int]:
    return [int(k) + 1 for k in chosen.nonzero().flatten()]


def explained_variance(
    neurons: Float[Tensor, "a=p b=p neuron"], group: Structure | None = None
) -> Float[Tensor, "k neuron"]:
    """The share of each neuron's variance over the p² pairs that each frequency explains (FVE).

    The waves {1, cos_k, sin_k} ⊗ {1, cos_k, sin_k} without the constant (paper §4.3); in any other group, the products
    of the functions of a and of b in each block of its basis. A neuron that never changes has share 0.
    """
    if group is None or group.has_waves:
        return _explained_by_waves(neurons)
    if group.number is not None:  # a cyclic group: addition by other names
        a, b = (group.number[x.cpu()].argsort().to(neurons.device) for x in (group.first, group.second))
        return _explained_by_waves(neurons[a][:, b])
    return _explained_by_blocks(neurons, group)


def _explained_by_waves(neurons: Float[Tensor, "a=p b=p neuron"]) -> Float[Tensor, "k neuron"]:
    """For addition the eight products are waves in a, in b, in a + b and in a - b: four marginals say it all."""
    p = neurons.shape[0]
    shift = neurons[0].mean(0)  # near the mean, so that squares of float32 do not cancel
    flat = (neurons - shift).flatten(0, 1)
    marginals = fourier.line_sums(flat.view_as(neurons))
    mean = marginals[0].sum(0) / p**2
    variance = sum(rows.square().sum(0).double() for rows in torch.split(flat, BLOCK)) - (p * mean).square()
    waves = fourier.basis(p, flat.device)[1:].to(flat.dtype)  # as precise as the neurons: half of the time of float64
    energy = (waves @ marginals.to(flat.dtype)).double().square() / p  # coordinate, component, neuron
    if p % 2 == 0:  # the waves of frequency p/2 in a + b and in a - b are one and the same
        energy[3, -1] = 0
    explained = fourier.energies(energy.sum(0))
    alive = variance > 1e-12 * (p * (mean + shift.double())).square()  # not rounding alone
    return torch.where(alive, explained / torch.where(alive, variance, 1.0), 0.0)


def _explained_by_blocks(neurons: Float[Tensor, "a=p b=p neuron"], group: Structure) -> Float[Tensor, "k neuron"]:
    basis = group.basis
    functions = basis.on(neurons.device).to(neurons.dtype)
    mean = neurons.mean((0, 1))
    flat = (neurons - mean).flatten(0, 1)
    along_a = (functions[:, group.first] @ flat.view(len(neurons), -1)).view_as(neurons)  # row, b, neuron
    along_b = functions[:, group.second]
    energies = []
    for k in range(1, basis.count + 1):
        rows = [0, *basis.rows([k])]
        energies.append((along_b[rows] @ along_a[rows]).square().sum((0, 1)).double())  # of the products of two rows
    variance = sum(rows.square().sum(0).double() for rows in torch.split(flat, BLOCK))
    alive = variance > 1e-12 * (len(neurons) * mean.double()).square()  # not rounding alone
    return torch.where(alive, torch.stack(energies) / torch.where(alive, variance, 1.0), 0.0)


def explained_parts(
    neurons: Float[Tensor, "a=p b=p neuron"], answers: Int[Tensor, "a=p b=p"], group: Structure
) -> Float[Tensor, "part=3 k neuron"]:
    """The shares of each neuron's variance that are functions of a alone, of b alone, and of their answer alone, in
    each frequency or representation (2302.03025: ρ(a), ρ(b) and ρ(ab))."""
    n, device = len(neurons), neurons.device
    centred = (neurons - neurons.mean((0, 1))).double()
    of_answer = torch.zeros(n, neurons.shape[2], dtype=torch.float64, device=device)
    of_answer.index_add_(0, answers.flatten(), centred.flatten(0, 1))
    sums = [centred.sum(1)[group.first.argsort()], centred.sum(0)[group.second.argsort()], of_answer]
    variance = centred.square().sum((0, 1))
    waves = group.basis.on(device)[1:]
    energies = torch.stack([group.basis.energies((waves @ each).square()) / n for each in sums])
    alive = variance > 1e-12 * neurons.double().square().sum((0, 1))
    return torch.where(alive, energies / torch.where(alive, variance, 1.0), 0.0)
