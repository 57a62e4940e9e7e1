import platform
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf
from runs import assert_same, run

from grok.training import machine

CPU = torch.device("cpu")


def precisions() -> tuple[str, str]:
    return torch.backends.mkldnn.matmul.fp32_precision, torch.backends.cuda.matmul.fp32_precision


@pytest.mark.parametrize("amd", [True, False])
def test_products_are_exact_whatever_the_processor_and_switches_are_put_back(
    amd: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_is_amd", lambda: amd)
    before = precisions()
    with machine.exact_products(CPU) as name:
        assert name in (("oneDNN", "BLAS") if amd else ("BLAS",))
        assert machine.product_error(CPU) < machine.EXACT
        assert torch.backends.cuda.matmul.fp32_precision == "ieee"
    assert precisions() == before


def test_a_switch_that_lowers_precision_is_found_and_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = machine.product_error

    def on_a_cpu_with_bfloat16_units(device: torch.device) -> float:
        x = torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
        lowered = (x.bfloat16() @ x.bfloat16()).float() - x @ x
        return float(lowered.abs().max() / (x @ x).abs().max())

    monkeypatch.setattr(machine, "_is_amd", lambda: True)
    monkeypatch.setattr(machine, "product_error", on_a_cpu_with_bfloat16_units)
    with machine.exact_products(CPU) as name:
        assert name == "BLAS"
        assert torch.backends.mkldnn.matmul.fp32_precision == "ieee"
        assert honest(CPU) < machine.EXACT


def test_factors_rounded_to_eleven_bits_would_not_pass_for_exact() -> None:
    x = torch.randn(512, 128, generator=torch.Generator().manual_seed(0))
    rounded = (x.view(torch.int32) + 0x1000 & ~0x1FFF).view(torch.float32)  # 10 bits after the leading one
    exact = x.double() @ x.T.double()
    assert ((rounded @ rounded.T - exact).abs().max() / exact.abs().max()) > 10 * machine.EXACT


def test_tf32_is_put_back() -> None:
    before = precisions()
    with machine.tf32_products():
        assert torch.backends.cuda.matmul.fp32_precision == "tf32"
    assert precisions() == before


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_memory_is_kept_from_step_to_step() -> None:
    faults = """
import resource, torch
from grok.training.machine import keep_memory
{}
def some():
    x = torch.ones(10_000_000)  # above 32 MB glibc never keeps a block of its own accord
    return x + 1
for _ in range(10): some()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10): some()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""

    def count(line: str) -> int:
        command = [sys.executable, "-c", faults.format(line)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)

    assert count("keep_memory()") < count("") / 4


@pytest.mark.parametrize(("alone", "together", "chosen"), [(0.02, 0.002, 2), (0.002, 0.02, 1), (0.01, 0.0101, 2)])
def test_one_thread_is_chosen_where_it_is_much_faster(
    alone: float, together: float, chosen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = [2]
    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads[-1])
    found, words = machine.chosen_threads(lambda: time.sleep(alone if threads[-1] == 1 else together))
    assert found == chosen
    assert threads[-1] == 2  # as it was
    assert ("threads=2 would take them" in words) == (chosen == 1)


def test_the_number_of_threads_is_frozen_and_the_choice_changes_no_bit(tmp_path: Path) -> None:
    most = torch.get_num_threads()
    chosen, *_ = run(tmp_path / "chosen", "threads=null", "model.dropout=0.2")
    n = OmegaConf.load(chosen.config).threads
    assert n in (1, most)
    told, *_ = run(tmp_path / "told", f"threads={n}", "model.dropout=0.2")
    assert_same(chosen, told)
