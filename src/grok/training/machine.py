"""What torch and the C library are told, for the sake of speed alone: switches that change no result by more
than the order of its sums.
"""

import ctypes
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

BUSY = 2.0  # times as many threads as cores
TRIED, WORTH = 5, 1.3  # steps timed for a number of threads, and how much faster another number must be
LONGEST_TRIAL = 1.0  # seconds of them
EXACT = 1e-6  # relative error of an exact float32 product is about 3e-7, of TF32 3e-4, of bfloat16 3e-3


@contextmanager
def exact_products(device: torch.device) -> Iterator[str]:
    """Multiply float32 matrices on `device` exactly, by the fastest routine that does; yields its name.

    On AMD CPUs oneDNN's float32 kernels are twice as fast as the BLAS that torch comes with. The switch
    for them says "bf16", and on a CPU with bfloat16 matrix units it means that: so a product is tried
    first, and where it is not exact the BLAS stays. On Intel CPUs the BLAS is as fast. On a GPU exact
    float32 is torch's default, and made sure of here.
    """
    cpu, gpu = torch.backends.mkldnn.matmul, torch.backends.cuda.matmul  # type: ignore[attr-defined]
    before = cpu.fp32_precision, gpu.fp32_precision
    cpu.fp32_precision = gpu.fp32_precision = "ieee"
    name = "cuBLAS" if device.type == "cuda" else "BLAS"
    try:
        if device.type == "cpu" and _is_amd() and torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
            cpu.fp32_precision, name = "bf16", "oneDNN"
            if product_error(device) > EXACT:
                cpu.fp32_precision, name = "ieee", "BLAS"
        yield name
    finally:
        cpu.fp32_precision, gpu.fp32_precision = before


@contextmanager
def tf32_products() -> Iterator[None]:
    """Multiply on the tensor cores of a GPU, factors rounded to 11 bits."""
    gpu = torch.backends.cuda.matmul
    before = gpu.fp32_precision
    gpu.fp32_precision = "tf32"
    try:
        yield
    finally:
        gpu.fp32_precision = before


def product_error(device: torch.device) -> float:
    """The largest error of a float32 product as torch is set now, relative to the largest entry of the product."""
    generator = torch.Generator().manual_seed(0)
    x, w = (torch.randn(shape, generator=generator).to(device) for shape in ((2048, 128), (128, 512)))
    exact = x.double() @ w.double()
    return float(((x @ w) - exact).abs().max() / exact.abs().max())


def _is_amd() -> bool:
    cpuinfo = Path("/proc/cpuinfo")
    return "AuthenticAMD" in (cpuinfo.read_text() if cpuinfo.exists() else platform.processor())


def keep_memory() -> None:
    """Have the C library keep what is freed, where it is glibc, and torch not fill what it allocates.

    Otherwise each step's activations go back to the system and are fetched again, page by page:
    4,000 page faults a step, a twentieth of its time. And where Lightning asks torch for deterministic
    algorithms, on a GPU, torch writes nan into all new memory; nothing here reads what it has not written.
    """
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if platform.libc_ver()[0] == "glibc" else None
    if mallopt is not None:
        mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD: blocks below a GiB come from the heap
        mallopt(-1, -1)  # M_TRIM_THRESHOLD: the heap never shrinks


def available_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def chosen_threads(step: Callable[[], object]) -> tuple[int, str]:
    """How many threads a run takes that says no number, and why in a sentence, where it is not torch's number.

    On a core that is shared, two threads of one product wait for each other: they can be ten times as slow as one.

    Args:
        step: the work of a training step, which changes nothing that lasts.
    """
    most = torch.get_num_threads()
    if most == 1:
        return 1, ""
    seconds: dict[int, float] = {}
    try:
        with torch.random.fork_rng(devices=[]):  # dropout draws
            for n in (1, most):
                torch.set_num_threads(n)
                step()  # warms up
                seconds[n] = _typical_seconds(step)
    finally:
        torch.set_num_threads(most)
    gain = seconds[most] / seconds[1]
    if gain < WORTH:
        return most, ""
    return 1, f"1 thread: at present a step takes {gain:.1f} times as long on {most}; threads={most} would take them"


def _typical_seconds(step: Callable[[], object]) -> float:
    """Their median; of fewer tries where they take long."""
    taken: list[float] = []
    while len(taken) < TRIED and sum(taken) < LONGEST_TRIAL:
        began = time.perf_counter()
        step()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def busy_words(threads: int) -> list[str]:
    """One sentence where more wants to run on this machine than it has cores, and what would help; else none.

    Two threads of one product wait for each other at every step: where a core is shared with others, two threads can
    be ten times as slow as one.
    """
    cores, load = os.cpu_count() or 1, os.getloadavg()[0]
    if load + threads <= BUSY * cores:
        return []
    help = "`threads=1` would lose least by waiting" if threads > 1 else "fewer runs at once would each be faster"
    return [
        f"this machine is busy: {load:.0f} processes want its {cores} cores already, so steps take longer than they"
        f" need; {help}"
    ]


def device_name(device: torch.device) -> str:
    """The card's name of a GPU; "cpu" of a CPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
