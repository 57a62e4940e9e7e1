"""Points known by their configuration, also those of sweeps begun with older code."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from runs import TINY

from grok.runs.damage import DamagedFileError, reading
from grok.runs.files import write_text
from grok.settings import places
from grok.sweep import point as point_process
from grok.sweep.folder import SweepFolder
from grok.sweep.identity import FOLDER_PLACEHOLDER, identity
from grok.sweep.join import join
from grok.sweep.requested import RequestedPoint, repetitions, requested_points

# As the code of November 2026 wrote points/001.yaml, and the hash it gave it in sweep.json.
OLD_HASH = "b677841ddfe2ddd0"
OLD_POINT = """\
replicate: 0
seed: 0
data:
  p: 11
  operation: addition
  train_fraction: 0.5
  seed: 0
model:
  d_model: 16
  n_heads: 2
  d_mlp: 32
  n_layers: 1
  activation: relu
  dropout: 0.0
optim:
  lr: 0.001
  wd: 1
  betas:
  - 0.9
  - 0.98
  eps: 1.0e-08
  warmup_steps: 10
  tf32: false
trainer:
  max_steps: 1
  accelerator: cpu
  devices: 1
measure_every: 20
measure_early:
  every: 5
  until: 10
key_frequencies: W_L
stop: stable
snapshots:
  keep: 60
pictures: false
threads: 1
resume: null
ckpt_path: null
sweep: logs/train/first
mixed: false
task_name: train
tags: []
extras:
  print_config: false
name: p11_f0.5_wd1_split0_seed0
folder: the folder of the run
callbacks:
  losses:
    _target_: callbacks.losses.Losses
  key_frequencies:
    _target_: callbacks.key_frequencies.KeyFrequencies
    rule: W_L
  progress_measures:
    _target_: callbacks.progress_measures.ProgressMeasures
    rule: W_L
  phases:
    _target_: callbacks.phases.Phases
    stop: stable
  run_record:
    _target_: callbacks.run_record.RunRecord
    folder: the folder of the run
    rule: W_L
  checkpoints:
    _target_: callbacks.checkpoints.Checkpoints
    folder: the folder of the run
    every: 1000
  interruption:
    _target_: callbacks.interruption.Interruption
  progress_bar:
    _target_: callbacks.progress_bar.ProgressBar
logger: {}
launch:
  kind: serial
"""


def requested(*typed: str) -> dict[str, RequestedPoint]:
    """The points of a command line each."""
    places.register_resolvers()
    with initialize_config_dir(str(places.conf_folder()), version_base="1.3"):
        points = [(line.split(), compose("train", [*TINY, *line.split()])) for line in typed]
    return requested_points(points)


def joined(path: Path, *typed: str, allow_changes: bool = False) -> list[str]:
    """The names of all points of the sweep once these are added."""
    folder = SweepFolder(path)
    join(folder, requested(*typed), allow_changes)
    return [str(point) for point in folder.points()]


def test_a_point_of_older_code_is_known_by_its_hash_and_opens() -> None:
    config = OmegaConf.create(OLD_POINT)
    assert identity(config) == OLD_HASH
    config.allow_changes, config.sweep, config.launch = True, "elsewhere", {"kind": "local"}
    assert identity(config) == OLD_HASH


def test_the_point_of_older_code_runs_in_the_folder_it_is_given(tmp_path: Path) -> None:
    write_text(tmp_path / "001.yaml", OLD_POINT)
    config = point_process.configuration(tmp_path / "001.yaml", tmp_path / "runs/001")
    assert config is not None
    assert config.folder == config.callbacks.checkpoints.folder == str(tmp_path / "runs/001")
    assert FOLDER_PLACEHOLDER not in OmegaConf.to_yaml(config)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (["optim.wd=0", "optim.wd=0"], "optim.wd=0 is typed 2 times: one run stands for both."),
        (["optim.wd=1", "optim.wd=1.0"], "optim.wd=1 and optim.wd=1.0 are the same point: one run stands for both."),
        (
            ["task_name=a", "task_name='a'", 'task_name="a"'],
            "task_name=a, task_name='a' and task_name=\"a\" are the same point: one run stands for all 3.",
        ),
        (
            ["optim.wd=0 data.p=13", "optim.wd=0 data.p=13", "optim.wd=0 data.p=11"],
            "data.p=13 is typed 2 times: one run stands for both.",
        ),
        (["optim.wd=0", "optim.wd=0 launch=local"], None),
    ],
)
def test_points_that_are_one_are_said_to_be_one(typed: list[str], sentence: str | None) -> None:
    sentences = [line for point in requested(*typed).values() for line in repetitions(point)]
    if sentence is not None:
        assert sentences == [sentence]
    else:
        assert len(sentences) == 1


def test_points_that_differ_are_not_said_to_be_one() -> None:
    points = requested("optim.wd=0", "optim.wd=1e-9", "optim.wd=1").values()
    assert len(points) == 3
    assert not [line for point in points for line in repetitions(point)]


def test_a_setting_that_is_taken_away_names_no_point() -> None:
    (point,) = requested("optim.wd=0 ~callbacks.phases").values()
    assert point.settings == {"optim.wd": 0}


def test_points_of_several_commands_are_named_by_all_that_varies(tmp_path: Path) -> None:
    assert joined(tmp_path, "optim.wd=1 stop=never") == ["000  optim.wd=1 stop=never"]
    assert joined(tmp_path, "optim.wd=0 stop=never", "optim.wd=1 stop=never") == ["000  optim.wd=1", "001  optim.wd=0"]
    assert joined(tmp_path, "data.p=13 stop=never", "data.p=17 stop=never") == [
        "000  optim.wd=1 data.p=11",
        "001  optim.wd=0 data.p=11",
        "002  optim.wd=1.0 data.p=13",
        "003  optim.wd=1.0 data.p=17",
    ]


def test_a_base_that_was_allowed_to_change_names_points_but_not_what_follows_from_it(tmp_path: Path) -> None:
    joined(tmp_path, "optim.wd=0 replicate=3", "optim.wd=1 replicate=3")
    with pytest.raises(
        ValueError,
        match=r"differ: data.seed .there 3, here 4., replicate .there 3, here 4., seed .* `allow_changes=true` goes on",
    ):
        joined(tmp_path, "optim.wd=0 replicate=4", "optim.wd=1 replicate=4")
    assert joined(tmp_path, "optim.wd=0 replicate=4", "optim.wd=1 replicate=4", allow_changes=True) == [
        "000  optim.wd=0 replicate=3",
        "001  optim.wd=1 replicate=3",
        "002  optim.wd=0 replicate=4",
        "003  optim.wd=1 replicate=4",
    ]


@pytest.mark.parametrize("damage", ["{", "3", ""])
def test_a_damaged_configuration_is_written_anew_by_the_command_that_asks_for_it(tmp_path: Path, damage: str) -> None:
    joined(tmp_path, "optim.wd=0", "optim.wd=1")
    file = tmp_path / "points/001.yaml"
    before = file.read_text()
    file.write_text(damage)
    joined(tmp_path, "optim.wd=0", "optim.wd=1")
    assert file.read_text() == before


def _raise(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KeyError("step"), "runs/000/metrics.csv: has no 'step'"),
        (ValueError("bad\nlines"), "runs/000/metrics.csv: cannot be read as a table: bad"),
        (IndexError(), "runs/000/metrics.csv: cannot be read as a table: IndexError"),
    ],
)
def test_damage_is_named_by_file_and_kind(tmp_path: Path, error: Exception, words: str) -> None:
    file = tmp_path / "runs/000/metrics.csv"
    write_text(file, "")
    with pytest.raises(DamagedFileError, match=f"^{words}$"), reading(file, tmp_path):
        _raise(error)()


def test_damage_is_also_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError, match="^points/000.yaml: is missing$"):  # noqa: SIM117
        with reading(tmp_path / "points/000.yaml", tmp_path):
            (tmp_path / "points/000.yaml").read_text()
