import pytest
import torch
from omegaconf import OmegaConf

from grok.sweep.pool import Slot
from grok.sweep.slots import slots_here

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
