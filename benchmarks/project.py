"""The contestants that live in this project's environment: its step, its fit, its measurement, and the floor."""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from hydra import compose, initialize_config_dir
from lightning import Callback, LightningModule, Trainer
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from benchmarks.worker import answer_ready, answer_seconds, commands, serve, usual_step
from callbacks.measurement import Measurement
from grok.measures.evaluation import Evaluation
from grok.model.transformer import Transformer
from grok.settings import places
from grok.training.experiment import Experiment, assemble
from grok.training.machine import exact_products, keep_memory, tf32_products
from grok.training.run import train


def configuration(folder: str, p: int, device: str, *overrides: str) -> DictConfig:
    """The mainline run at p, in `folder`."""
    places.register_resolvers()
    with initialize_config_dir(str(places.conf_folder()), version_base="1.3"):
        config = compose("train", [f"data.p={p}", f"trainer.accelerator={device}", *overrides])
    config.folder = folder
    return cast(DictConfig, OmegaConf.create(OmegaConf.to_container(config, resolve=True)))


def mainline(folder: str, p: int, device: str) -> Experiment:
    """The mainline run at p, its network and pairs on the device."""
    experiment = assemble(configuration(folder, p, device, "logger=none"))
    where = torch.device(device)
    experiment.module.to(where)
    data = experiment.data
    data.training = type(data.training)(*(x.to(where) for x in data.training))
    data.all = data.all.to(where)
    return experiment


def project_step(experiment: Experiment) -> Callable[[], object]:
    """The step that training takes, without Lightning."""
    optimizer = experiment.module.configure_optimizers()
    gradients = experiment.module.gradients(experiment.data.training)
    return lambda: optimizer.step(gradients)


def paper_style_step(experiment: Experiment) -> Callable[[], object]:
    """The step of the plain network: three positions through every matrix, einsum by einsum."""
    network, (a, b, answers) = cast(Transformer, experiment.module.network), experiment.data.training
    return usual_step(network, lambda: network.plain_forward(a, b), answers)


def measurement(experiment: Experiment) -> Callable[[], object]:
    """All that the default callbacks measure, from the forward pass on; files are part of a whole run."""
    module, pairs = experiment.module, experiment.data.all
    device = pairs.answers.device
    callbacks = cast(Any, experiment.trainer).callbacks
    measuring = [x for x in callbacks if isinstance(x, Measurement)]

    def measure() -> list[float]:
        evaluation = Evaluation.over(pairs, module.network)
        values = [x for callback in measuring for x in callback.measure(evaluation, module).values()]
        return torch.stack([torch.as_tensor(x, dtype=torch.float64, device=device) for x in values]).tolist()

    return measure


def floor(p: int, pairs: int, device: str, d_model: int = 128, d_mlp: int = 512) -> Callable[[], object]:
    """The matrix products of one step alone: forward, gradient of the input, gradient of the weights."""
    rows = 2 * p + 1
    shapes = [
        (rows, d_model, d_model),  # keys of all distinct rows
        (rows, d_model, d_model),  # values
        (pairs, d_model, d_model),  # W_O
        (pairs, d_model, d_mlp),  # W_in
        (pairs, d_mlp, d_model),  # W_out
        (pairs, d_model, p + 1),  # W_U
    ]
    products = []
    for n, inner, outer in shapes:
        x, w, y = (torch.randn(shape, device=device) for shape in ((n, inner), (outer, inner), (n, outer)))
        products += [(x, w.T, torch.empty_like(y)), (y, w, torch.empty_like(x)), (y.T, x, torch.empty_like(w))]

    def step() -> None:
        for left, right, out in products:
            torch.mm(left, right, out=out)

    if device != "cuda":
        return step
    step()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def fastest_exact_floor(p: int, pairs: int, device: str) -> None:
    """Serve the floor by whichever exact routine is fastest here."""
    step = floor(p, pairs, device)
    times = {}

    def timed() -> float:
        begin = time.perf_counter()
        for _ in range(5):
            step()
        return time.perf_counter() - begin

    with exact_products(torch.device(device)) as chosen:
        timed()
        times[chosen] = timed()
    plain = "cuBLAS" if device == "cuda" else "BLAS"
    timed()
    times[plain] = min(timed(), times.get(plain, float("inf")))
    fastest = min(times, key=lambda name: times[name])
    if fastest == plain:
        serve(step, products=fastest)
    else:
        with exact_products(torch.device(device)):
            serve(step, products=fastest)


class Turnstile(Callback):
    """Lets a run go on by n steps at each command n, and times them: measurements, files and Lightning included."""

    def __init__(self) -> None:
        self.commands = commands()
        self.until = -1
        self.began = 0.0

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        if cast(Any, pl_module).measured_step < 0:  # the first measurement belongs to starting up
            return
        if self.until < 0:
            answer_ready()
        elif trainer.global_step < self.until:
            return
        else:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            answer_seconds(time.perf_counter() - self.began)
        steps = next(self.commands, None)
        if steps is None:
            raise SystemExit
        self.until = trainer.global_step + steps
        self.began = time.perf_counter()


def whole_run(p: int, device: str, every: int) -> None:
    """Serve a run with all default callbacks and loggers, W&B offline, as the command starts it."""
    os.environ["WANDB_MODE"] = "offline"
    with tempfile.TemporaryDirectory() as folder:
        config = configuration(
            str(Path(folder) / "run"),
            p,
            device,
            "trainer.max_steps=1000000000",
            f"measure_every={every}",
            f"measure_early.every={every}",
            "stop=never",
        )
        experiment = assemble(config)
        cast(Any, experiment.trainer).callbacks.insert(0, Turnstile())
        with open(os.devnull, "w") as nowhere:
            train(experiment, Console(file=nowhere))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("contestant", choices=["project", "tf32", "paper_style", "floor", "measurement", "whole_run"])
    parser.add_argument("--p", type=int)
    parser.add_argument("--pairs", type=int)
    parser.add_argument("--device")
    parser.add_argument("--every", type=int, default=100)
    arguments = parser.parse_args()
    if arguments.contestant != "paper_style":  # that one runs as others do
        keep_memory()
    if arguments.contestant == "floor":
        fastest_exact_floor(arguments.p, arguments.pairs, arguments.device)
        return
    if arguments.contestant == "whole_run":
        whole_run(arguments.p, arguments.device, arguments.every)
        return
    with tempfile.TemporaryDirectory() as folder:
        experiment = mainline(folder, arguments.p, arguments.device)
    if arguments.contestant == "paper_style":
        serve(paper_style_step(experiment))
        return
    with exact_products(torch.device(arguments.device)) as name:
        if arguments.contestant == "measurement":
            serve(measurement(experiment), products=name)
        elif arguments.contestant == "project":
            serve(project_step(experiment), warm_up=5, products=name)
        else:
            with tf32_products():
                serve(project_step(experiment), warm_up=5, products="TF32")


if __name__ == "__main__":
    main()
