"""Small real runs for the tests: the command's own configuration, made quick by overrides."""

import io
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from grok.runs.folder import RunFolder
from grok.settings import places
from grok.training.experiment import assemble
from grok.training.run import train

TINY = [
    "data.p=11",
    "data.train_fraction=0.5",
    "model.d_model=16",
    "model.n_heads=2",
    "model.d_mlp=32",
    "trainer.max_steps=50",
    "trainer.accelerator=cpu",
    "measure_every=20",
    "measure_early={every: 5, until: 10}",
    "logger=none",
    "threads=1",
    "pictures=false",
]


def configuration(folder: Path, *overrides: str, base: list[str] = TINY) -> DictConfig:
    """The composed configuration of a run in `folder`."""
    places.register_resolvers()
    with initialize_config_dir(str(places.conf_folder()), version_base="1.3"):
        config = compose("train", [*base, *overrides])
    config.folder = str(folder)
    plain = OmegaConf.create(OmegaConf.to_container(config, resolve=True))
    assert isinstance(plain, DictConfig)
    return plain


def run(folder: Path, *overrides: str, base: list[str] = TINY) -> tuple[RunFolder, dict[str, Any], str]:
    """Train in `folder`; the folder, its summary, and what was printed."""
    text = io.StringIO()
    summary = train(assemble(configuration(folder, *overrides, base=base)), Console(file=text, width=200))
    return RunFolder(folder), summary, text.getvalue()


def assert_same(one: RunFolder, other: RunFolder) -> None:
    """Measurements, spectra and weights of two runs agree bit for bit."""
    for file in ("metrics.csv", "spectra.csv"):
        pd.testing.assert_frame_equal(one.read(one.path / file), other.read(other.path / file), check_exact=True)
    assert list(one.snapshots()) == list(other.snapshots())
    for step in one.snapshots():
        first, second = one.load_snapshot(step), other.load_snapshot(step)
        assert all(torch.equal(first[name], second[name]) for name in first)


def wait(condition: Callable[[], object], seconds: float = 60) -> None:
    """Until a condition holds; fail where it does not within so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def pid_of(config: Path) -> int | None:
    """The process that runs a point."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"grok.sweep.point" in words and os.fsencode(config) in words:
                return int(entry.name)
    return None
