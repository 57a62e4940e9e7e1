"""A TransformerLens network opened here gives the same logits: `python tests/transformer_lens_check.py <its python>`.

TransformerLens has an environment of its own. There, networks get random weights, biases among them, and say their
logits over all pairs (`make`); here they are opened and compared (`check`). The other way round, a network of ours
is exported here (`export`) and put into a HookedTransformer there (`load`).
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from torch import Tensor

TOLERANCE = 1e-5
NETWORKS = {
    "demo": {"p": 113, "n_heads": 4, "d_head": 32, "d_mlp": 512, "outputs": 113, "n_layers": 1},
    "with =": {"p": 31, "n_heads": 2, "d_head": 24, "d_mlp": 40, "outputs": 32, "n_layers": 1},
    "no MLP": {"p": 29, "n_heads": 2, "d_head": 16, "d_mlp": 0, "outputs": 29, "n_layers": 1},
}
OURS = {"p": 113, "n_heads": 4, "d_head": 32, "d_mlp": 512, "outputs": 114, "n_layers": 2}


def hooked(p: int, n_heads: int, d_head: int, d_mlp: int, outputs: int, n_layers: int):  # type: ignore[no-untyped-def]
    from transformer_lens import HookedTransformer, HookedTransformerConfig  # noqa: PLC0415

    shape = {"n_layers": n_layers, "n_heads": n_heads, "d_head": d_head, "d_model": 128, "n_ctx": 3}
    mlp = {"d_mlp": d_mlp, "act_fn": "relu"} if d_mlp else {"attn_only": True}
    vocabulary = {"d_vocab": p + 1, "d_vocab_out": outputs, "normalization_type": None}
    return HookedTransformer(HookedTransformerConfig(**shape, **mlp, **vocabulary, seed=0, device="cpu"))


def tokens(p: int) -> Tensor:
    a, b = torch.meshgrid(torch.arange(p), torch.arange(p), indexing="ij")
    return torch.stack([a.flatten(), b.flatten(), torch.full((p * p,), p)], 1)


def logits_of(network, p: int) -> Tensor:  # type: ignore[no-untyped-def]
    with torch.no_grad():
        return torch.cat([network(part)[:, -1] for part in tokens(p).split(4096)])


def make(folder: Path) -> None:
    """In TransformerLens' environment: networks with every weight and bias random, and their logits."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    for name, sizes in NETWORKS.items():
        network = hooked(**sizes)
        for parameter in network.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator) * 128**-0.5
        torch.save({"model": network.state_dict(), "config": {"frac_train": 0.3, "seed": 0}}, folder / f"{name}.pth")
        torch.save(logits_of(network, sizes["p"]), folder / f"{name}.logits")


def export(folder: Path) -> None:
    """In this project's environment: a network of ours, in TransformerLens' layout."""
    from grok.model.transformer import Transformer  # noqa: PLC0415
    from grok.networks import weight_files  # noqa: PLC0415

    network = Transformer(OURS["p"], n_layers=OURS["n_layers"])
    weight_files.save(folder / "ours.pth", exporting.exported(network.state_dict(), "transformer_lens"), {}, {})
    weight_files.save(folder / "ours.safetensors", dict(network.state_dict()), {}, {})


def load(folder: Path) -> None:
    """In TransformerLens' environment: that file in a HookedTransformer, and its logits."""
    network = hooked(**OURS)
    network.load_state_dict(torch.load(folder / "ours.pth", weights_only=True)["model"], strict=True)
    torch.save(logits_of(network, OURS["p"]), folder / "ours.logits")


def check(folder: Path) -> None:
    """In this project's environment: compare, and exit with status 1 where anything differs."""
    from grok.model.transformer import Transformer  # noqa: PLC0415
    from grok.networks import layouts, subject  # noqa: PLC0415

    settings = ("data.p", "data.operation", "data.train_fraction", "data.seed", "split", "model.activation")
    pairs: dict[str, tuple[Tensor, Tensor]] = {}
    for name, sizes in NETWORKS.items():
        table, _, _ = subject.of_file(folder / f"{name}.pth", dict.fromkeys(settings)).opened()
        pairs[name] = table.logits.flatten(0, 1), torch.load(folder / f"{name}.logits")[:, : sizes["p"]]
    network = Transformer(OURS["p"], n_layers=OURS["n_layers"]).double()
    network.load_state_dict(layouts.checkpoint(folder / "ours.safetensors").weights)
    mine = network(*tokens(OURS["p"])[:, :2].unbind(1)).detach()
    pairs["ours, opened there"] = mine, torch.load(folder / "ours.logits")
    differences = {name: float((here - there.double()).abs().max()) for name, (here, there) in pairs.items()}
    for name, difference in differences.items():
        print(f"{name}: largest difference {difference:.1e}, largest logit {float(pairs[name][1].abs().max()):.2f}")
    sys.exit(max(differences.values()) > TOLERANCE)


def main(there: str) -> None:
    """Both environments in turn; exit status 1 where logits differ."""
    with tempfile.TemporaryDirectory() as folder:
        for step, python in (("make", there), ("export", sys.executable), ("load", there), ("check", sys.executable)):
            environment = dict(os.environ)
            if python == there:
                environment.pop("PYTHONPATH", None)
            command = [python, "-W", "ignore::DeprecationWarning", __file__, step, folder]
            if subprocess.run(command, env=environment, check=False).returncode:
                sys.exit(f"{step} failed, or logits differ by more than {TOLERANCE:g}")


if __name__ == "__main__":
    steps = {"make": make, "export": export, "load": load, "check": check}
    if sys.argv[1] in steps:
        steps[sys.argv[1]](Path(sys.argv[2]))
    else:
        main(sys.argv[1])
