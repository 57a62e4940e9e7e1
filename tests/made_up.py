"""Runs and sweeps that never were, for the pages: known numbers in the files of real ones."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from omegaconf import OmegaConf
from runs import configuration

from grok.measures.catalogue import METRICS
from grok.runs.files import write_text
from grok.runs.folder import RunFolder
from grok.sweep.folder import Point, Sweep, SweepFolder

P = 11
EVERY = 20
GROKKED = {
    "fitted": [20, 40],
    "memorization_end": [80, 120],
    "cleanup_start": [280, 300],
    "generalized": [380, 400],
    "stable": [540, 560],
}
MEMORIZED = {**dict.fromkeys(GROKKED), "fitted": [20, 40], "memorization_end": [80, 120]}


def made_up_run(path: Path, *overrides: str, seed: int = 0, steps: int = 600, **summary: Any) -> RunFolder:
    """A finished run in `path`: curves drawn at random from `seed`, four snapshots, and `summary` on top."""
    folder, chance = RunFolder(path), np.random.default_rng(seed)
    write_text(folder.config, OmegaConf.to_yaml(configuration(path, *overrides)))
    names = [name.replace("…", "W_E") for name in METRICS if not name.startswith("events/")]
    drift = {name: float(chance.uniform(0.5, 2)) for name in names}
    measured = np.arange(0, steps + 1, EVERY)
    table = pd.DataFrame({name: drift[name] * np.exp(-measured / 200) + 1e-3 for name in names})
    table.insert(0, "step", measured)
    table["keys/count"], table["phase"], table["regime"] = np.where(measured > 100, 2, 5), 0, 1
    final = [name for name in names if name.startswith("final_keys/")]
    table.drop(columns=final).assign(keys="2 5").to_csv(folder.metrics, index=False)
    table[["step", *final]].to_csv(folder.final_keys, index=False)
    shares = pd.DataFrame(chance.dirichlet(np.ones(P // 2), 2 * len(measured)), columns=range(1, P // 2 + 1))
    shares.insert(0, "step", measured.repeat(2))
    shares.insert(1, "matrix", ["W_E", "W_L"] * len(measured))
    shares.to_csv(folder.spectra, index=False)
    for step in (0, EVERY, steps // 2, steps):
        folder.save_snapshot(step, {"W_E": torch.randn(8, P + 1, generator=torch.Generator().manual_seed(step))})
    known = {
        "status": "finished",
        "ended": "max_steps",
        "steps": steps,
        "regime": "grokked",
        "unstable": False,
        "key_frequencies": [2, 5],
        "keys_decided": {"contained": 120, "equal": 120},
        "phases": GROKKED,
        "command": "python -m grok.train",
        "commit": "0123456789abcdef",
        "versions": {"grok": "0.1.0", "python": "3.11"},
        "threads": 1,
        "device": "cpu",
        "final": {"loss/test": float(table["loss/test"].iloc[-1])},
    }
    folder.write_summary(**{**known, **summary})
    return folder


def made_up_sweep(path: Path, settings: Sequence[Mapping[str, float]] = ()) -> SweepFolder:
    """Weight decays 0, 1 and 3 by data fractions 0.3 and 0.5, three seeds each, 18 points.

    Without decay all memorized; with it all grokked. Point 16 failed with a hostile
    reason before it measured anything, and point 17 is still running. With `settings`: grokked runs of those.
    """
    folder = SweepFolder(path)
    (path / "output").mkdir(parents=True)
    named = settings or [
        {"optim.wd": wd, "data.train_fraction": fraction, "replicate": seed}
        for wd in (0, 1, 3)
        for fraction in (0.3, 0.5)
        for seed in range(3)
    ]
    points = [Point(n, dict(own), str(n), f"runs/{n:03d}_made_up") for n, own in enumerate(named)]
    for point in points:
        _made_up_point(folder, point, special=not settings)
    folder.write(Sweep(points=points))
    return folder


def _made_up_point(folder: SweepFolder, point: Point, special: bool) -> None:
    overrides = [f"{name}={value}" for name, value in point.settings.items()]
    run, seed = folder.path / point.run, int(point.settings.get("replicate", 0))
    write_text(folder.config_file(point), OmegaConf.to_yaml(configuration(run, *overrides)))
    if special and point.number == 16:
        folder.output_file(point).write_text("<img src=x onerror=window.hacked=1> broke\n")
        folder.ended(point, 1)
    elif special and point.number == 17:
        made = made_up_run(run, *overrides, seed=point.number, steps=200)
        made.summary_file.unlink()
        made.write_summary(status="running")
        made.heartbeat.touch()
        folder.began(point)
    else:
        grokked = {name: [a + 20 * seed, b + 20 * seed] for name, (a, b) in GROKKED.items()}
        memorized = special and not point.settings["optim.wd"]
        came: dict[str, Any] = {"phases": MEMORIZED if memorized else grokked}
        came["regime"] = "memorized" if memorized else "grokked"
        made_up_run(run, *overrides, seed=point.number, steps=600 + 20 * seed, **came)
