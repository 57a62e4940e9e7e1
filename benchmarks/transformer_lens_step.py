"""The training step of TransformerLens' grokking demo, without its test pass; runs in an environment of its own."""

import argparse

import torch
from transformer_lens import HookedTransformer, HookedTransformerConfig  # type: ignore[import-not-found]

from benchmarks.worker import serve, usual_step


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--p", type=int)
    parser.add_argument("--pairs", type=int)
    parser.add_argument("--device")
    arguments = parser.parse_args()
    p = arguments.p
    model = HookedTransformer(
        HookedTransformerConfig(
            n_layers=1,
            n_heads=4,
            d_model=128,
            d_head=32,
            d_mlp=512,
            act_fn="relu",
            normalization_type=None,
            d_vocab=p + 1,
            d_vocab_out=p,
            n_ctx=3,
            init_weights=True,
            device=arguments.device,
            seed=0,
        )
    )
    for name, parameter in model.named_parameters():
        if "b_" in name:
            parameter.requires_grad = False
    chosen = torch.randperm(p * p, generator=torch.Generator().manual_seed(0))[: arguments.pairs].to(arguments.device)
    a, b = chosen // p, chosen % p
    tokens = torch.stack([a, b, torch.full_like(a, p)], 1)
    serve(usual_step(model, lambda: model(tokens)[:, -1], (a + b) % p))


if __name__ == "__main__":
    main()
