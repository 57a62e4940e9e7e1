"""The commands: grok.analyze on our runs and on other people's files, grok.export, and what they refuse."""

import io
import json
import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from rich.console import Console
from runs import TINY, run

from grok import analyze
from grok import export as export_command
from grok.analysis import history as snapshots
from grok.analysis.comparison import analyzed
from grok.analysis.history import lottery, training_record
from grok.analysis.suspects import suspicion
from grok.analyze import report
from grok.claims.facts import NetworkFacts
from grok.claims.statements import CLAIMS
from grok.export import export
from grok.figures.choice import NAMES
from grok.measures.evaluation import Evaluation
from grok.networks import layouts
from grok.networks.subject import Subject, of_run
from grok.runs.folder import RunFolder
from grok.runs.opened import OpenedRun
from grok.tasks import fourier, operations, splits


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, *_ = run(tmp_path_factory.mktemp("runs") / "run", "trainer.max_steps=60")
    return folder.path


def analysed(*arguments: str) -> tuple[dict[str, Any], str]:
    text = io.StringIO()
    return report(list(arguments), Console(file=text, width=150)), text.getvalue()


def numbers(found: dict[str, Any]) -> dict[str, Any]:
    """What must not depend on where the weights were read from."""
    own = {"losses", "frequencies", "heads", "neurons", "key_frequencies", "train_accuracy", "test_accuracy"}
    claims = [row for claim, row in zip(CLAIMS, found["claims"], strict=True) if "training" not in claim.needs]
    return {"claims": claims, **{name: found[name] for name in own}}


def of_training(folder: RunFolder) -> tuple[dict[str, float], dict[str, str]]:
    """Values and notes of the claims about training, for a run of a network of one layer with an MLP."""
    run = OpenedRun(folder)
    evaluation, _, bias = of_run(run, run.step("last")).opened()
    facts = NetworkFacts(evaluation, None, bias, training=training_record(folder))
    facts.unmet.pop("answers", None)  # what its tables say is judged here, whatever this small network answers
    found = {claim.id: claim.measured(facts) for claim in CLAIMS if "training" in claim.needs}
    values = {name: value for name, (value, _) in found.items() if value is not None}
    return values, {name: note for name, (_, note) in found.items()}


def test_every_claim_is_in_the_table_and_in_analysis_json(trained: Path) -> None:
    found, text = analysed(str(trained), "figures=none")
    assert json.loads((trained / "analysis.json").read_text()) == json.loads(json.dumps(found))
    assert (found["step"], found["p"], found["operation"]) == (60, 11, "addition")
    assert [row["claim"] for row in found["claims"]] == [claim.statement for claim in CLAIMS]
    assert [row["id"] for row in found["claims"]] == [claim.id for claim in CLAIMS]
    for row in found["claims"]:
        own = ["id", "part", "claim", "section", "paper", "criterion", "here", "value", "holds", "note"]
        assert list(row) == [*own, "untrained_here", "untrained", "untrained_holds"]
        assert row["holds"] in (True, False, None)
        assert row["value"] is not None or row["holds"] is None
        assert row["holds"] is not None or row["value"] is None or row["criterion"] == "a number, no verdict"
    verdicts = [row["holds"] for row in found["claims"] if row["holds"] is not None]
    assert f"{sum(verdicts)} of {len(verdicts)} claims hold" in text
    assert found["warnings"] == [warning for warning in found["warnings"] if "above chance level" in warning]


def test_the_short_table_counts_by_part_and_names_what_does_not_hold_within_80_columns(trained: Path) -> None:
    found, text = analysed(str(trained), "figures=none")
    table = [line for line in text.partition("next:")[0].splitlines() if line.startswith(" ")]
    assert max(len(line) for line in table) <= 80
    for part in {row["part"] for row in found["claims"]}:
        assert any(line.split(":")[0].strip() == part for line in table), part
    _, long = analysed(str(trained), "figures=none", "verbose=true")
    assert all(row["criterion"] in long for row in found["claims"] if len(row["criterion"]) < 12)


def test_several_networks_are_one_table_and_a_damaged_one_of_a_sweep_is_left_out_and_named(
    trained: Path, tmp_path: Path
) -> None:
    one = Path(shutil.copytree(trained, tmp_path / "one"))
    found, text = analysed(str(trained), str(one), f"output={tmp_path}")
    table = pd.read_csv(tmp_path / "claims.csv")
    assert len(found["claims"]) == len(table) == 2 * len(CLAIMS)
    assert "2 networks: how many meet each claim" in text
    (one / "config.yaml").write_text("{a: 'b")
    claims, failed = analyzed({trained: {"seed": 1}, one: {"seed": 2}}, lambda path: analysed(str(path))[0])
    assert set(claims["run"]) == {trained.name}
    assert list(failed) == [one]
    assert failed[one] == f"{one / 'config.yaml'}: cannot be read as YAML: found unexpected end of stream (line 1)"


def adder_of(p: int, first: bool) -> dict[str, torch.Tensor]:
    """A network that adds by a table: its neurons are one for each a + b; "=" before or after the numbers."""
    one_hot = torch.eye(p)
    number, d_mlp = torch.arange(p), 2 * p - 1
    W_E = torch.cat([one_hot, torch.zeros(p, 1)], 1)
    W_out = torch.zeros(p, d_mlp)
    for s in range(d_mlp):  # relu(x - s + 1) - 2 relu(x - s) + relu(x - s - 1) is a hat at s
        W_out[s % p, s] += 1
    weights = {
        "W_E": W_E,
        "W_pos": torch.zeros(3, p),
        "W_U": torch.cat([one_hot, torch.zeros(p, 1)], 1),
        "blocks.0.W_Q": torch.zeros(1, p, p),
        "blocks.0.W_K": torch.zeros(1, p, p),
        "blocks.0.W_V": one_hot[None].clone(),
        "blocks.0.W_O": one_hot.clone(),
        # attention is even, and hands on (E_a + E_b) / 3
        "blocks.0.W_in": torch.cat([number.float().expand(d_mlp, p) * 3] * 3),
        "blocks.0.b_in": torch.cat([-(torch.arange(d_mlp) + shift).float() for shift in (-1, 0, 1)]),
        "blocks.0.W_out": torch.cat([W_out, -2 * W_out, W_out], 1) * 40,
        "blocks.0.b_out": torch.zeros(p),
    }
    if first:
        weights |= {name: weights[name].roll(1, 1) for name in ("W_E", "W_U")}
    return weights


@pytest.mark.parametrize(
    ("operation", "first", "activation", "way_out"),
    [
        ("addition", False, "relu", None),
        ("subtraction", False, "relu", "data.operation=addition"),
        ("addition", True, "relu", '"=" as its first token, before the numbers'),
        ("addition", False, "gelu", "model.activation=relu"),
    ],
)
def test_a_network_read_wrongly_is_told_how_it_answers(
    operation: str, first: bool, activation: str, way_out: str | None
) -> None:
    p = 11
    y = operations.answers(operations.OPERATIONS[operation], p)
    weights = adder_of(p, first)
    if activation == "gelu":  # small neurons, on which the two differ
        weights = {name: w * 0.02 if name.endswith(("W_in", "b_in")) else w for name, w in weights.items()}
    subject = Subject(weights, y, splits.train_mask(p, 0.5, 0), activation, operation, None, "theirs", None)
    sentence = suspicion(subject, subject.opened()[0])
    assert (sentence is None) == (way_out is None)
    assert way_out is None or f" as {way_out}" in str(sentence)


def test_its_losses_are_those_that_the_run_measured(trained: Path) -> None:
    found, _ = analysed(str(trained), "figures=none", "step=20")
    measured = RunFolder(trained).read(trained / "metrics.csv").set_index("step").loc[20]
    assert found["step"] == 20
    for side in ("train", "test", "all"):
        assert found["losses"]["original"][side] == pytest.approx(measured[f"loss/{side}"], rel=1e-5)


@pytest.mark.parametrize("layout", layouts.LAYOUTS)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_run_there_and_back_gives_identical_numbers(trained: Path, tmp_path: Path, layout: str, suffix: str) -> None:
    file = tmp_path / f"theirs{suffix}"
    export([str(trained), f"layout={layout}", f"output={file}"])
    found, _ = analysed(f"checkpoint={file}", "figures=none")
    assert numbers(found) == numbers(analysed(str(trained), "figures=none")[0])
    assert found["step"] == 60
    assert not any("probably others" in warning for warning in found["warnings"])
    assert json.loads((tmp_path / "theirs_analysis/analysis.json").read_text())["name"] == "theirs"


@pytest.mark.parametrize(
    "shape",
    ["model.d_mlp=0", "model.n_layers=2", "data.p=12", "data.operation=subtraction", "data.operation=x2+xy+y2"],
)
def test_other_networks_and_operations_are_analysed_too(tmp_path: Path, shape: str) -> None:
    folder, *_ = run(tmp_path / "run", shape)
    found, _ = analysed(str(folder.path), "steps=all", "figures=[attention,neurons,histogram,ablations]")
    measured = folder.read(folder.metrics).iloc[-1]
    assert found["losses"]["original"]["test"] == pytest.approx(measured["loss/test"], rel=1e-5)
    reasons = {
        "model.d_mlp=0": "it has no MLP",
        "model.n_layers=2": "it has more than one layer",
        "data.p=12": "p is even",
        "data.operation=x2+xy+y2": "its answers are no invertible linear function of a and b",
    }
    notes = [row["note"] for row in found["claims"] if row["holds"] is None]
    if shape in reasons:
        assert f"does not apply: {reasons[shape]}" in notes
    history = pd.read_csv(folder.path / "analysis_history.csv")
    assert history["step"].tolist() == list(folder.snapshots())
    assert ("cos_1" in history) == (shape != "data.operation=x2+xy+y2")


def test_the_history_agrees_with_what_was_measured_and_with_the_final_key_pass(trained: Path) -> None:
    analysed(str(trained), "steps=all", "figures=none")
    history = pd.read_csv(trained / "analysis_history.csv").set_index("step")
    measured = pd.read_csv(trained / "metrics.csv").set_index("step").loc[history.index]
    final = pd.read_csv(trained / "final_keys.csv").set_index("step").loc[history.index]
    for mine, theirs in {
        "train_loss": measured["loss/train"],
        "test_accuracy": measured["accuracy/test"],
        "mirrored_loss": measured["loss/mirrored"],
        "mirrored_accuracy": measured["accuracy/mirrored"],
        "unseen_loss": measured["loss/unseen"],
        "unseen_accuracy": measured["accuracy/unseen"],
        "symmetrized_loss": measured["progress/symmetrized_loss"],
        "gini_W_L": measured["progress/gini_W_L"],
        "sum_squared_weights": measured["progress/sum_squared_weights"],
        "restricted_loss": final["final_keys/restricted_loss"],
        "excluded_loss": final["final_keys/excluded_loss"],
    }.items():
        pd.testing.assert_series_equal(history[mine], theirs, check_names=False, rtol=1e-5)
    assert history["restricted_accuracy"].between(0, 1).all()


def test_the_key_free_loss_over_all_test_pairs_is_taken_in_by_mirrors_and_that_over_unseen_ones_is_not() -> None:
    p, margin = 13, 20.0
    answers, train = operations.answers(operations.addition, p), splits.train_mask(p, 0.5, 0)
    known = train | train.T  # a table of the trained answers and their mirrors
    logits = margin * torch.nn.functional.one_hot(answers, p).double() * known[:, :, None]
    found = snapshots.row(Evaluation(logits, answers, train, weights={"W_E": torch.ones(1)}), [1])
    assert found["symmetrized_loss_test"] < 0.1 < math.log(p) <= found["symmetrized_loss"] + 1e-12
    assert (found["mirrored_accuracy"], found["unseen_loss"]) == (1, pytest.approx(math.log(p)))


def test_every_picture_is_drawn_as_png_and_on_request_as_pdf(trained: Path, tmp_path: Path) -> None:
    _, text = analysed(str(trained), "steps=all", f"output={tmp_path}", "figures.style.formats=[png,pdf]")
    for name in NAMES:
        if name == "animation":
            assert (tmp_path / "animation.gif").read_bytes().startswith(b"GIF89a")
            continue
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (tmp_path / f"{name}.pdf").read_bytes().startswith(b"%PDF")
    assert f"{len(NAMES)} pictures in {tmp_path}" in text
    analysed(str(trained), "figures=[circles]", f"output={tmp_path / 'few'}")
    assert {file.name for file in (tmp_path / "few").iterdir()} == {"circles.png", "analysis.json"}


def test_another_split_than_that_of_the_stored_train_loss_is_warned_of(trained: Path, tmp_path: Path) -> None:
    export([str(trained), f"output={tmp_path / 'x.pth'}"])
    found, text = analysed(
        f"checkpoint={tmp_path / 'x.pth'}", "data.seed=5", "data.train_fraction=0.05", "figures=none"
    )
    warning = found["warnings"][0]
    assert "the training pairs are probably others (data.seed, data.train_fraction, split)." in warning
    assert warning.endswith(" data.train_fraction=0.5 data.seed=0 would give that.")
    assert f"Warning: {warning}" in text


def test_leads_and_order_are_read_from_the_runs_own_tables(trained: Path, tmp_path: Path) -> None:
    folder = RunFolder(Path(shutil.copytree(trained, tmp_path / "run")))
    folder.unseal()
    values, notes = of_training(folder)
    assert "gini_rise" not in values
    assert notes["gini_rise"] == "the run did not come to all of its events within its steps"
    steps = range(0, 100, 10)
    falling = [9.0, 8, 7, 6, 5, 4, 0.5, 0.4, 0.3, 0.2]
    earlier = [9.0, 8, 7, 0.5, 0.4, 0.4, 0.3, 0.3, 0.2, 0.2]
    excluded = [9.0, 2, 1, 2, 4, 9, 9, 9, 9, 9]
    metrics = pd.DataFrame({"step": steps, "loss/test": falling, "progress/symmetrized_loss": earlier})
    metrics["progress/gini_W_L"] = [0.0, 0, 0.1, 0.1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.5]
    metrics["progress/sum_squared_weights"] = [9.0, 9, 9, 8, 7, 6, 4, 2, 1, 1]
    metrics["keys"] = ["1 2", "1 3", "1", "1", "2 1", "1", "1", "1", "1", "1"]
    metrics.to_csv(folder.metrics, index=False)
    curves = pd.DataFrame({"step": steps, "final_keys/restricted_loss": earlier, "final_keys/excluded_loss": excluded})
    curves.to_csv(folder.final_keys, index=False)
    phases = {"fitted": [0, 10], "memorization_end": [10, 20], "cleanup_start": [40, 50], "generalized": [70, 80]}
    folder.write_summary(phases=phases)
    values, notes = of_training(folder)
    assert values == {
        "key_free_lead": 30,
        "restricted_lead": 30,
        "gini_rise": pytest.approx((0.3 / 30) / (0.1 / 30)),
        "weights_fall": pytest.approx((5 / 30) / (3 / 30)),
        "excluded_rise": 9,
        "weights_inflect": pytest.approx(50 / 30),  # it falls fastest about 70, and circuit formation is 20 to 50
    }
    assert {name: note for name, note in notes.items() if note} == {
        "weights_inflect": "20 and 50; inflections at 70 and 70",
        "coefficients_grow_early": "its metrics have no progress/circuit_waves",
    }
    assert lottery(folder, [1]) == {"winners": {1: 0}, "losers": {2: 40, 3: 10}}
    folder.summary_file.unlink()
    values, notes = of_training(folder)
    assert values == {}
    assert set(notes.values()) == {"its run has not ended"}


def test_exports_lie_in_the_run_folder_and_say_where(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export([str(trained), "layout=transformer_lens", "step=10"])
    file = trained / "exports/transformer_lens_step_00000010.pth"
    assert str(file) in capsys.readouterr().out
    found = torch.load(file, weights_only=True)
    assert found["epoch"] == 10
    assert found["epochs"] == [0, 5, 10]
    assert found["config"]["d_vocab_out"] == 12
    assert found["config"]["frac_train"] == 0.5


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{run}", "checkpoint=x"], "One network is analyzed: of a folder, or of checkpoint=<file>. Got "),
        (["{run}", "other"], "The folder must be that of a run or of a sweep, or hold some. There is no folder other."),
        (["{run}", "{run}", "checkpoint=x"], "`checkpoint` is for one network. Got 2 folders, or a sweep."),
        (["{run}", "stepp=1"], "The settings are step, steps, key_frequencies, figures, "),
        (["{run}", "figures=[a"], "`figures` cannot be read from '[a': "),
        (["nowhere"], "The folder must be that of a run, with a config.yaml. nowhere has none."),
        (
            ["{run}", "step=21"],
            "`step` must be one whose snapshot was kept. 21 was not; the nearest is 20 (kept next to it: 20 and 40).",
        ),
        (["{run}", "step=early"], "`step` must be a whole number or last. Got 'early'."),
        (["{run}", "steps=some"], "`steps` must be all, and `step` is for one of them. Got 'some'."),
        (["{run}", "steps=all", "step=20"], "`steps` must be all, and `step` is for one of them. Got 'all'."),
        (["{run}", "figures=circle"], "`figures` must be all, none, or a list of norms, circles, "),
        (
            ["{run}", "key_frequencies=W"],
            "`key_frequencies` must be one of W_L, max, W_E, neurons, logits, waves, or a list",
        ),
        (["{run}", "key_frequencies=[6]"], "A frequency must be a whole number from 1 to 5. Got 6."),
        (["{run}", "data.seed=1"], "`data.seed` is for checkpoint=<file>. A run folder tells its own."),
        (["{run}", "threads=two"], "`threads` must be a whole number, 1 or more. Got 'two'."),
        (["checkpoint=x.pth", "steps=all"], "`steps=all` needs a run folder. A checkpoint is one network."),
        (["checkpoint=x.pth"], "`checkpoint` must be a file of tensors, written whole by torch.save or safetensors."),
    ],
)
def test_bad_input_is_one_sentence(trained: Path, arguments: list[str], sentence: str) -> None:
    with pytest.raises(ValueError) as found:  # noqa: PT011, the sentence is compared whole
        report([argument.format(run=trained) for argument in arguments])
    assert str(found.value).startswith(sentence)
    assert "\n" not in str(found.value)


def test_a_run_without_snapshots_is_refused(trained: Path, tmp_path: Path) -> None:
    shutil.copy(trained / "config.yaml", tmp_path)
    with pytest.raises(ValueError, match="The run must have snapshots to analyse. .* has none."):
        report([str(tmp_path)])


def test_help_is_the_commands_own_description(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for command, word in ((analyze, "checkpoint=<file>"), (export_command, "layout=transformer_lens")):
        monkeypatch.setattr(sys, "argv", ["grok", "--help"])
        command.main()
        assert word in capsys.readouterr().out


def test_commands_refuse_with_status_2_and_a_sentence(trained: Path) -> None:
    command = [sys.executable, "-m", "grok.analyze", str(trained), "step=21"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert (
        done.stderr
        == "`step` must be one whose snapshot was kept. 21 was not; the nearest is 20 (kept next to it: 20 and 40).\n"
    )


@pytest.mark.parametrize("operation", ["multiplication", "division"])
def test_a_network_that_multiplies_is_one_that_adds_logarithms(operation: str, tmp_path: Path) -> None:
    folder, _, _ = run(tmp_path / "run", f"data.operation={operation}", "data.p=13")
    opened = OpenedRun(folder)
    subject = of_run(opened, opened.step("last"))
    evaluation, parts, _ = subject.opened()
    ours = opened.evaluation("last")
    assert parts is not None
    assert evaluation.is_linear
    assert not ours.is_linear
    assert evaluation.basis is fourier.cyclic(12)
    assert float(evaluation.losses.mean()) == pytest.approx(float(ours.losses.mean()), rel=1e-5)
    assert evaluation.counts == ours.counts
    for rule in ("W_L", "max", "logits", [1, 4]):
        mine, theirs = evaluation.key_losses(rule), ours.key_losses(rule)
        assert evaluation.key_frequencies(rule) == ours.key_frequencies(rule)
        assert {k: float(v) for k, v in mine.items()} == pytest.approx(
            {k: float(v) for k, v in theirs.items()}, rel=1e-4
        )
    assert evaluation.explained is not None
    assert ours.explained is not None
    assert (evaluation.explained - ours.explained).abs().max() < 1e-4  # by lines of a table, and by products
    assert float(subject.pair_losses()[2, 3]) == pytest.approx(float(ours.losses[2, 3]), rel=1e-4)
    found, printed = analysed(str(folder.path), "figures=none")
    assert f"{operation} mod 13, key frequencies" in printed
    assert found["p"] == 12
    assert "is no invertible linear function" not in printed


@pytest.mark.parametrize("operation", ["D_5", "Z_2xZ_4"])
def test_a_network_on_another_group_is_analysed_by_its_representations(operation: str, tmp_path: Path) -> None:
    settings = [f"data.operation={operation}", "trainer.max_steps=40"]
    folder, _, _ = run(tmp_path / "run", *settings, base=[word for word in TINY if not word.startswith("data.p=")])
    found, printed = analysed(str(folder.path), "steps=all")
    group = found["group"]
    assert "of_one_representation" in group["neurons"]
    assert group["neurons"]["of_cosets"] is not None
    assert [row["k"] for row in group["representations"]] == list(range(1, len(found["frequencies"]) + 1))
    assert sum(row["share_W_L"] for row in group["representations"]) == pytest.approx(1)
    assert f"{operation}, key frequencies" in printed
    assert "stand for frequencies" in printed
    claims = {row["id"]: row for row in found["claims"]}
    assert claims["logits_fit"]["claim"].startswith("logits are Σ α χ_ρ")
    assert claims["logits_fit"]["value"] is not None
    assert "no invertible linear function" in claims["significant_in_blocks"]["note"]
    drawn = {file.stem for file in (folder.path / "analysis").iterdir()}
    assert {"norms", "circles", "histogram", "ablations", "coefficients", "excluded"} <= drawn
    assert not {"attention", "neurons", "logit_spectrum", "animation"} & drawn


@pytest.mark.parametrize("layout", ["authors", "transformer_lens"])
@pytest.mark.parametrize("operation", ["multiplication", "A_4"])
def test_a_network_on_another_group_is_exported_and_opened_again(operation: str, layout: str, tmp_path: Path) -> None:
    settings = [f"data.operation={operation}", *(["data.p=13"] if operation == "multiplication" else [])]
    folder, _, _ = run(tmp_path / "run", *settings, base=[word for word in TINY if not word.startswith("data.p=")])
    export([str(folder.path), f"layout={layout}"])
    (file,) = (folder.path / "exports").iterdir()
    ours, _ = analysed(str(folder.path), "figures=none")
    theirs, printed = analysed(f"checkpoint={file}", "figures=none", f"output={tmp_path}")
    assert theirs["loss"] == pytest.approx(ours["loss"], rel=1e-9)
    assert theirs["key_frequencies"] == ours["key_frequencies"]
    assert theirs["group"] == ours["group"]
    assert f"{operation} mod 13" in printed if operation == "multiplication" else "A_4, key" in printed
