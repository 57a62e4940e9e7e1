import re
from pathlib import Path

import pytest
from runs import run

import callbacks
from grok.measures.catalogue import METRICS, metric

CALLBACKS = (callbacks.Losses, callbacks.KeyFrequencies, callbacks.ProgressMeasures, callbacks.Phases)


def family(name: str) -> str:
    return "weights/…" if name.startswith("weights/") else name


def test_what_a_run_logs_and_what_is_described_are_the_same(tmp_path: Path) -> None:
    folder, _, _ = run(tmp_path / "run")
    columns = [*folder.read(folder.metrics).columns, *folder.read(folder.final_keys).columns]
    logged = {family(name) for name in columns if name not in ("step", "keys")}
    assert logged == set(METRICS)


def test_the_callbacks_tables_and_the_descriptions_name_the_same_metrics() -> None:
    rows = [line for callback in CALLBACKS for line in (callback.__doc__ or "").splitlines() if "| `" in line]
    documented = {name for row in rows for name in re.findall(r"`([a-zA-Z_/…]+)`", row.split("|")[1])}
    described = {"events/…" if name.startswith("events/") else name for name in METRICS}
    assert documented == {name for name in described if not name.startswith("final_keys/")}


@pytest.mark.parametrize("name", METRICS)
def test_a_description_is_a_label_of_its_own_and_two_sentences(name: str) -> None:
    found = METRICS[name]
    assert found.name == name
    assert [other.name for other in METRICS.values() if other.label == found.label] == [name]
    assert len(re.findall(r"\.(?= [A-Z0-9]|$)", found.text.replace("1e-4", ""))) == 2, found.text
    assert len(found.label) <= 40
    assert not found.section or re.match(r"§\d|App\. [A-D]", found.section)


def test_a_member_of_a_family_has_its_own_label() -> None:
    assert metric("weights/blocks.0.W_in").label == "squared weights of blocks.0.W_in"
    assert metric("loss/test").axis == "test loss [nats]"
    assert metric("keys/count").axis == "key frequencies"


@pytest.mark.parametrize("name", ["loss/tset", "weights/", "nothing/at_all"])
def test_an_unknown_metric_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"A metric must be one that is logged. Got '{name}'"):
        metric(name)
