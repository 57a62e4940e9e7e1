"""Network, optimizer and task from a user's file outside the package."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from runs import TINY, assert_same

from grok.runs.folder import RunFolder

MINE = """
import torch
from torch import nn


class Sum(nn.Module):  # the minimal interface: logits of pairs
    def __init__(self, p, width, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.embedding, self.out = nn.Embedding(p, width), nn.Linear(width, p)

    def forward(self, a, b):
        return self.out((self.embedding(a) + self.embedding(b)).relu())


class Signs(torch.optim.Optimizer):
    def __init__(self, params, lr, weight_decay):
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    def step(self, closure):
        loss = closure()
        with torch.no_grad():
            for group in self.param_groups:
                for w in group["params"]:
                    w.mul_(1 - group["lr"] * group["weight_decay"]).sub_(group["lr"] * w.grad.sign())
                    self.state[w]["steps"] = self.state[w].get("steps", 0) + 1
        return loss


class Table:
    def __init__(self, p):
        a, b = torch.meshgrid(torch.arange(p), torch.arange(p), indexing="ij")
        self.answers, self.train = (a * b + 1) % p, (a + 2 * b) % 3 > 0
"""
OWN = ["~model", "+model={_target_: mine.Sum, width: 12}", "optim._target_=mine.Signs", "~optim.betas", "~optim.eps"]


def typed(command: str, *arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    (home / "mine.py").write_text(MINE)
    path = os.pathsep.join([str(home), os.environ.get("PYTHONPATH", "")])
    words = [sys.executable, "-m", f"grok.{command}", *arguments]
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(words, capture_output=True, text=True, env=environment, cwd=home, check=False)


def test_they_train_are_measured_and_resume_bit_for_bit(tmp_path: Path) -> None:
    base = [word for word in TINY if not word.startswith("model.")]
    at_once = typed("train", *base, *OWN, f"hydra.run.dir={tmp_path / 'at_once'}", home=tmp_path)
    assert at_once.returncode == 0, at_once.stderr
    assert "mine.Sum" in at_once.stdout
    assert "full-batch Signs (eager)" in at_once.stdout
    assert "Sum lacks: no spectrum of the embedding (W_E), no W_L (neuron_logit_map), no neurons (activations)" in (
        at_once.stdout
    )
    part = typed("train", *base, *OWN, "trainer.max_steps=20", f"hydra.run.dir={tmp_path / 'part'}", home=tmp_path)
    assert part.returncode == 0, part.stderr
    refused = typed("train", f"resume={tmp_path / 'part'}", "trainer.max_steps=50", home=tmp_path)
    assert (refused.returncode, "model._target_=mine.Sum" in refused.stderr) == (2, True)
    gone_on = typed("train", f"resume={tmp_path / 'part'}", "trainer.max_steps=50", "trust=true", home=tmp_path)
    assert gone_on.returncode == 0, gone_on.stderr
    one, other = RunFolder(tmp_path / "at_once"), RunFolder(tmp_path / "part")
    assert {"loss/train", "accuracy/test", "progress/symmetrized_loss"} <= set(one.read(one.metrics))
    assert "progress/gini_W_E" not in one.read(one.metrics)
    assert_same_measurements(one, other)
    report = typed("report", str(one.path), home=tmp_path)
    assert report.returncode == 0, report.stderr
    analyze = typed("analyze", str(one.path), home=tmp_path)
    assert (analyze.returncode, analyze.stderr.strip()) == (
        2,
        f"The paper's claims are about its transformer. The network of {one.path} is mine.Sum.",
    )


def assert_same_measurements(one: RunFolder, other: RunFolder) -> None:
    for run in (one, other):  # a network without spectra has no such table
        if not run.spectra.exists():
            run.spectra.write_text("step\n0\n")
    assert_same(one, other)


def test_a_task_of_ones_own_needs_answers_and_a_split_that_fit(tmp_path: Path) -> None:
    base = [word for word in TINY if not word.startswith("data.")]
    own = ["~data", "+data={_target_: mine.Table, p: 7}", "name=own"]
    run = typed("train", *base, *own, f"hydra.run.dir={tmp_path / 'run'}", home=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "mine.Table mod 7: 32 of 49 pairs to train on" in run.stdout
    assert typed("report", str(tmp_path / "run"), home=tmp_path).returncode == 0


@pytest.mark.parametrize("optim", ["adam", "sgd", "muon"])
def test_every_shipped_optimizer_trains(optim: str, tmp_path: Path) -> None:
    run = typed("train", *TINY, f"optim={optim}", f"hydra.run.dir={tmp_path / 'run'}", home=tmp_path)
    assert run.returncode == 0, run.stderr
    losses = RunFolder(tmp_path / "run").read(tmp_path / "run/metrics.csv")["loss/train"]
    assert losses.iloc[-1] < losses.iloc[0]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (["optim=sgd", "+optim.betas=[0.9,0.98]"], "`optim.betas`"),
        (["+optim.momentum=0.9"], "`optim.momentum`"),
        (["model._target_=mine.Lost"], "`model._target_` must be the import path of a class. Got 'mine.Lost'"),
    ],
)
def test_what_a_part_does_not_take_is_refused_in_a_sentence(settings: list[str], sentence: str, tmp_path: Path) -> None:
    run = typed("train", *TINY, *settings, f"hydra.run.dir={tmp_path / 'run'}", home=tmp_path)
    assert run.returncode == 2
    assert sentence in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1
