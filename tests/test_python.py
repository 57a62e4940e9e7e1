"""Runs, sweeps and networks as values."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hydra.core.global_hydra import GlobalHydra
from made_up import made_up_sweep
from matplotlib.figure import Figure
from runs import TINY

import grok
from grok.measures.evaluation import Evaluation
from grok.measures.shapes import require_shapes
from grok.notebook import run as notebook_run
from grok.notebook.run import Run
from grok.tasks import operations, splits


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return grok.train_run(TINY, tmp_path_factory.mktemp("python") / "run", silent=True)


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import grok; print(*(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "pandas", "lightning", "hydra", "matplotlib", "numpy"} & set(loaded)


def test_a_trained_run_is_an_opened_run(run: Run) -> None:
    again = grok.open_run(run.folder.path)
    assert again.metrics["step"].tolist() == again.steps == [0, 5, 10, 20, 40, 50]
    assert again.summary["status"] == "finished"
    assert again.regime == again.summary["regime"]
    assert again.key_frequencies == again.summary["key_frequencies"]
    assert {name: when and list(when) for name, when in again.events.items()} == again.summary["phases"]
    assert set(again.spectra["matrix"]) == {"W_E", "W_L"}
    assert again.final_keys["step"].tolist() == again.steps


@pytest.mark.parametrize("step", [0, 20, 50])
def test_an_evaluation_gives_the_losses_that_were_measured(run: Run, step: int) -> None:
    row = run.metrics.set_index("step").loc[step]
    assert float(run.evaluation(step).train_loss) == pytest.approx(row["loss/train"], rel=1e-6)
    assert float(run.evaluation(step).test_loss) == pytest.approx(row["loss/test"], rel=1e-6)
    assert torch.equal(run.network(step).W_E, run.folder.load_snapshot(step)["W_E"])


def test_claims_are_those_of_the_command(run: Run, tmp_path: Path) -> None:
    from grok.analyze import report  # noqa: PLC0415 - the door, for this test alone

    told = report([str(run.folder.path), "step=50", "figures=none", f"output={tmp_path}"])
    found = run.claims(50)
    assert found["claim"].tolist() == [row["claim"] for row in told["claims"]]
    assert found["here"].tolist() == [row["here"] for row in told["claims"]]


@pytest.mark.parametrize("name", notebook_run.FIGURES)
def test_every_figure_is_a_matplotlib_figure(name: str, run: Run) -> None:
    figure = run.figure(name)
    assert isinstance(figure, Figure)
    assert figure.axes


def test_training_leaves_the_process_as_it_was(tmp_path: Path) -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)]
    threads, precision = torch.get_num_threads(), torch.backends.mkldnn.matmul.fp32_precision
    torch.manual_seed(5)
    np.random.seed(5)
    random.seed(5)
    states = torch.get_rng_state(), np.random.get_state()[1], random.getstate()
    grok.train_run(TINY, tmp_path / "run", silent=True)
    assert handlers == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)]
    assert (threads, precision) == (torch.get_num_threads(), torch.backends.mkldnn.matmul.fp32_precision)
    assert torch.equal(states[0], torch.get_rng_state())
    assert (states[1] == np.random.get_state()[1]).all()
    assert states[2] == random.getstate()
    assert not GlobalHydra.instance().is_initialized()


def test_a_run_goes_on_from_a_cell(tmp_path: Path) -> None:
    grok.train_run([*TINY, "stop=never"], tmp_path / "run", silent=True)
    longer = grok.train_run([f"resume={tmp_path / 'run'}", "trainer.max_steps=80"], silent=True)
    assert longer.steps[-1] == 80
    assert longer.folder.path == tmp_path / "run"


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["data.p=2"], "`data.p` must be a whole number, 3 or more. Got 2."),
        (["data.q=3"], "Could not override 'data.q'."),
        (["sweep=x"], "`sweep` and `dry_run` are for sweeps"),
        (["resume=x"], "`folder` is for a new run"),
        ("data.p=5", "`overrides` must be a list of settings such as"),
    ],
)
def test_what_cannot_be_trained_is_refused(overrides: list[str], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=sentence):
        grok.train_run(overrides, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_is_not_there_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="41 was not; the nearest is 40 .kept next to it: 40 and 50."):
        run.evaluation(41)
    with pytest.raises(ValueError, match="`step` must be a whole number or last. Got 'first'."):
        run.network("first")
    with pytest.raises(ValueError, match="`name` must be one of progress, spectrum, spectra, test_set, .* Got 'loss'."):
        run.figure("loss")
    with pytest.raises(ValueError, match="The folder must be that of a run, with a config.yaml."):
        grok.open_run(tmp_path)
    with pytest.raises(ValueError, match="`sweep` must be the folder of a sweep"):
        grok.open_sweep(tmp_path)


def test_a_sweep_has_its_table_runs_and_figures(tmp_path: Path) -> None:
    made_up_sweep(tmp_path)
    sweep = grok.open_sweep(tmp_path)
    assert len(sweep.table) == len(sweep.runs) == 18
    assert sweep.runs[0].regime == sweep.table["regime"][0]
    for name in ("curves", "events", "phase_diagram"):
        assert isinstance(sweep.figure(name), Figure)
    with pytest.raises(ValueError, match="`name` must be one of curves, events, phase_diagram. Got 'x'."):
        sweep.figure("x")


def test_a_network_of_a_file_has_the_claims_of_its_run(run: Run, tmp_path: Path) -> None:
    from grok.export import export  # noqa: PLC0415 - the door, for this test alone

    export([str(run.folder.path), "step=50", f"output={tmp_path / 'network.pth'}"])
    network = grok.open_network(tmp_path / "network.pth")
    assert float(network.evaluation.train_loss) == pytest.approx(float(run.evaluation(50).train_loss), rel=1e-6)
    of_weights = run.claims(50)["section"].str.startswith("4")
    pd.testing.assert_frame_equal(network.claims()[of_weights], run.claims(50)[of_weights])
    assert isinstance(network.figure("norms"), Figure)
    with pytest.raises(ValueError, match="`name` must be one of norms, circles, .* Got 'progress'."):
        network.figure("progress")


def test_a_misspelt_rule_is_refused(run: Run) -> None:
    rule = "`key_frequencies` must be one of W_L, max, W_E, neurons, logits, waves, or a list. Got 'w_l'."
    with pytest.raises(ValueError, match=rule):
        run.evaluation(50).key_frequencies("w_l")


P = 7
ANSWERS = operations.answers(operations.addition, P)
WHOLE = {
    "logits": torch.zeros(P, P, P),
    "answers": ANSWERS,
    "train": splits.train_mask(P, 0.5, 0),
    "neurons": torch.zeros(P, P, 12),
    "W_E": torch.zeros(8, P),
    "W_L": torch.zeros(P, 12),
}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("answers", ANSWERS.double(), "`answers` must be integers of shape .p, p."),
        ("answers", ANSWERS[:3], "`answers` must be integers of shape .p, p."),
        ("train", ANSWERS, "`train` must be a mask, torch.bool of shape .7, 7."),
        ("logits", torch.zeros(P * P, P), "`logits` must be floats of shape"),
        ("logits", torch.zeros(P, P, P - 1), "`logits` must be floats of shape"),
        ("logits", torch.zeros(P, P, P).long(), "`logits` must be floats of shape"),
        ("neurons", torch.zeros(12, P, P), "`neurons` must be of shape .7, 7, d_mlp."),
        ("W_E", torch.zeros(P, 8), "`W_E` must be of shape .* it may be transposed."),
        ("W_E", torch.zeros(8, P + 1), "`W_E` must be of shape .d_model, 7., without"),
        ("W_L", torch.zeros(12, P), "`W_L` must be of shape .7, 12.. .* it may be transposed."),
        ("W_L", torch.zeros(P, 11), "`W_L` must be of shape .7, 12."),
        ("W_L", torch.zeros(P), "`W_L` must be of shape .7, 12.. .* a matrix is needed."),
    ],
)
def test_tensors_of_another_shape_are_refused(name: str, value: torch.Tensor, sentence: str) -> None:
    Evaluation(**WHOLE)
    with pytest.raises(ValueError, match=sentence):
        require_shapes(**{**WHOLE, name: value})
