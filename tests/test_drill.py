"""The drill can fail: what it looks for is found where it is."""

import errno
import os
from pathlib import Path
from random import Random

import pytest
from runs import run
from safetensors.torch import load_file, save_file

from drill import corruption
from drill.file_operations import at
from drill.processes import Ended, forked
from drill.verdicts import Injection, LostError, UnclearError, Verdict, judged, require_same, require_words
from grok.runs.folder import RunFolder


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, RunFolder]:
    folder = tmp_path_factory.mktemp("twins")
    return run(folder / "one")[0], run(folder / "other")[0]


def test_two_runs_of_one_configuration_are_the_same(twins: tuple[RunFolder, RunFolder]) -> None:
    require_same(twins[0].path, twins[1].path)


def test_another_number_weight_or_leftover_is_a_loss(twins: tuple[RunFolder, RunFolder], tmp_path: Path) -> None:
    one, other = twins
    damaged = RunFolder(tmp_path / "run")
    for what in ("a digit", "a weight", "a leftover", "a row"):
        os.system(f"rm -rf {damaged.path}; cp -r {one.path} {damaged.path}")
        if what == "a digit":
            damaged.spectra.write_text(damaged.spectra.read_text().replace("1", "2", 1))
        elif what == "a row":
            damaged.final_keys.write_text("".join(damaged.final_keys.read_text().splitlines(True)[:-1]))
        elif what == "a leftover":
            (damaged.path / "summary.json.1.part").touch()
        else:
            step = max(damaged.snapshots())
            weights = load_file(damaged.snapshot_at(step))
            next(iter(weights.values())).flatten()[0] += 1e-6
            save_file(weights, damaged.snapshot_at(step))
        with pytest.raises(LostError):
            require_same(damaged.path, other.path)


@pytest.mark.parametrize(
    ("ended", "why"),
    [
        (Ended(None, "", "", 0.0), "hung"),
        (Ended(1, "", "Traceback (most recent call last):\n", 0.0), "traceback"),
        (Ended(3, "", "a sentence", 0.0), "exit status 3, not 0 or 2"),
        (Ended(2, "words", "", 0.0), "nothing said"),
    ],
)
def test_what_the_user_is_not_told_in_a_sentence_is_unclear(ended: Ended, why: str) -> None:
    with pytest.raises(UnclearError, match=why):
        require_words(ended, 0, 2)
    require_words(Ended(2, "", "One sentence.", 0.0), 0, 2)


def test_a_fault_comes_at_its_operation_and_from_then_on(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()

    def fail(path: str) -> None:
        raise OSError(errno.ENOSPC, "full", path)

    child = os.fork()
    if child == 0:
        at(folder, 2, fail, always=True)()
        written = []
        for name in ("first", "second", "third"):
            try:
                (folder / name).write_text(name)
                written.append(name)
            except OSError:
                pass
        os._exit(int(written != ["first"]))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert [file.name for file in folder.iterdir()] == ["first"]


def test_a_command_in_a_fork_says_what_it_says_alone(tmp_path: Path) -> None:
    ended = forked(["status", str(tmp_path / "nothing")], tmp_path)
    assert ended.status == 2
    assert ended.err.startswith("The folder must be that of a run or of a sweep")


def test_every_damage_changes_its_file(twins: tuple[RunFolder, RunFolder], tmp_path: Path) -> None:
    for name in corruption.FILES:
        source = twins[0].path / name
        source = max(source.iterdir()) if source.is_dir() else source
        for damage in corruption.damages(name).values():
            place = tmp_path / f"{name}"
            place.mkdir(exist_ok=True)
            file = place / source.name
            file.write_bytes(source.read_bytes())
            (place / f"other{source.suffix}").write_bytes(b"another")
            damage(file, Random(0))
            assert not file.is_file() or file.read_bytes() != source.read_bytes()
            if file.is_dir():
                file.rmdir()


def test_a_fault_of_the_drill_itself_is_not_survived(tmp_path: Path) -> None:
    def wrong(scratch: Path, random: Random) -> Verdict:
        raise ZeroDivisionError

    assert judged(Injection("kills", "wrong", wrong), tmp_path, Random(0)).what == "unclear"
