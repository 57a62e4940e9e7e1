import os

import pytest
import torch
from omegaconf import OmegaConf

from grok.sweep.pool import Slot
from grok.sweep.slots import slots_here, threads_words
from grok.training.machine import busy_words

LOCAL = {"kind": "local", "gpus": "auto", "jobs_per_gpu": 1, "cpu_slots": None}


@pytest.fixture
def four_gpus(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return monkeypatch


def test_every_gpu_gets_its_jobs_and_its_share_of_the_threads(four_gpus: pytest.MonkeyPatch) -> None:
    slots = slots_here(OmegaConf.create({**LOCAL, "jobs_per_gpu": 2}))
    assert sorted(slot.gpu or "" for slot in slots) == ["0", "0", "1", "1", "2", "2", "3", "3"]
    assert [slot.gpu for slot in slots[:4]] == ["0", "1", "2", "3"]  # the first points spread out
    assert {slot.threads for slot in slots} == {1}
    assert slots[3].environment["CUDA_VISIBLE_DEVICES"] == "3"


def test_gpus_are_numbered_among_those_that_are_visible(four_gpus: pytest.MonkeyPatch) -> None:
    four_gpus.setenv("CUDA_VISIBLE_DEVICES", "2,5,6,7")
    assert [slot.gpu for slot in slots_here(OmegaConf.create({**LOCAL, "gpus": [0, 3]}))] == ["2", "7"]
    with pytest.raises(ValueError, match=r"`launch.gpus` must name GPUs of this machine, which has 4. Got \[5\]."):
        slots_here(OmegaConf.create({**LOCAL, "gpus": [5]}))


def test_without_gpus_threads_are_shared_out(four_gpus: pytest.MonkeyPatch) -> None:
    assert slots_here(OmegaConf.create({**LOCAL, "gpus": [], "cpu_slots": 3})) == [Slot(None, 2)] * 3
    assert slots_here(OmegaConf.create({**LOCAL, "gpus": []})) == [Slot(None, 1)] * 8


def test_one_after_another_has_the_whole_machine(four_gpus: pytest.MonkeyPatch) -> None:
    assert slots_here(OmegaConf.create({"kind": "serial"})) == [Slot(None, 8)]


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "MKL_NUM_THREADS"])
def test_a_number_of_threads_in_the_environment_bounds_each_point_and_not_how_many_run(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr("grok.sweep.slots.available_cores", lambda: 8)
    for other in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, "2")
    slots = slots_here(OmegaConf.create({**LOCAL, "gpus": []}))
    assert slots == [Slot(None, 1)] * 8
    assert slots_here(OmegaConf.create({**LOCAL, "gpus": [], "cpu_slots": 2})) == [Slot(None, 2)] * 2
    assert slots_here(OmegaConf.create({"kind": "serial"})) == [Slot(None, 2)]
    assert threads_words(slots) == ["OMP_NUM_THREADS or MKL_NUM_THREADS is set: 8 at once, each with 1 thread"]


def test_a_busy_machine_is_named_with_what_would_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    for load, threads, words in (
        (0.5, 2, None),
        (2.0, 2, None),
        (9.2, 2, "`threads=1`"),
        (9.2, 1, "fewer runs at once"),
    ):
        monkeypatch.setattr(os, "getloadavg", lambda load=load: (load, 0.0, 0.0))
        sentences = busy_words(threads)
        assert len(sentences) == (words is not None)
        assert words is None or (words in sentences[0] and "9 processes want its 2 cores" in sentences[0])
