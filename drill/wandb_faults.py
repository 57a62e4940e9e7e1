"""W&B's server: refused, silent, failing, full of nonsense, gone in mid-run and back. A run ends all the same."""

import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from random import Random
from typing import Any

from drill import tiny
from drill.processes import finished, started
from drill.tiny import Reference
from drill.verdicts import Do, Injection, LostError, UnclearError, Verdict, require_same, require_words

sys.path.append(str(Path(__file__).parents[1] / "tests"))
import wandb_stub

PATIENCE = 20.0  # seconds that the end of a run may wait for the server, beyond an offline run's
KEY = "local-" + "0" * 40
Fault = Callable[[Any, int], bool]  # a request and its number from 1: whether it was answered by the fault


def injections(reference: Reference, random: Random, short: bool) -> Iterator[Injection]:
    """A server with each fault from its first request on, and from a later one."""
    if short:
        yield Injection("wandb", "answers by 500", _faulty(reference, _status(500), 1))
        return
    for name, fault in FAULTS.items():
        for after in (1, random.randint(4, 9)):
            yield Injection("wandb", f"{name} from request {after} on", _faulty(reference, fault, after))
    yield Injection("wandb", "drops calls in the middle, and is back", _faulty(reference, _dropped, 5, until=9))
    yield Injection("wandb", "refuses calls", _refusing(reference))
    yield Injection("wandb", "killed online, and goes on", _killed(reference))


# --- faults


def _hang(request: Any, number: int) -> bool:
    time.sleep(60)
    return True


def _status(code: int) -> Fault:
    def fault(request: Any, number: int) -> bool:
        request.send_response(code)
        request.send_header("Content-Length", "0")
        request.end_headers()
        return True

    return fault


def _garbage(request: Any, number: int) -> bool:
    body = os.urandom(300)
    request.send_response(200)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
    return True


def _dropped(request: Any, number: int) -> bool:
    request.connection.shutdown(socket.SHUT_RDWR)
    request.close_connection = True
    return True


FAULTS: dict[str, Fault] = {
    "never answers": _hang,
    "answers by 500": _status(500),
    "answers by 429": _status(429),
    "answers nonsense": _garbage,
    "drops every call": _dropped,
}


def _environment(url: str, scratch: Path) -> dict[str, str | None]:
    home = scratch / "home"
    home.mkdir(exist_ok=True)
    return {
        "WANDB_BASE_URL": url,
        "WANDB_API_KEY": KEY,
        "WANDB_MODE": None,
        "HOME": str(home),
        "NETRC": str(home / "x"),
    }


def _online(folder: Path) -> list[str]:
    return ["train", *tiny.SETTINGS, f"hydra.run.dir={folder}", "logger=wandb"]


def _serving(fault: Fault, after: int, until: int | None) -> AbstractContextManager[Any]:
    count = 0

    class Request(wandb_stub._Request):
        def handle(self) -> None:
            with suppress(Exception):  # of a call that was cut
                super().handle()

        def parse_request(self) -> bool:
            nonlocal count
            if not super().parse_request():
                return False
            count += 1
            if count >= after and (until is None or count < until):
                self._body()
                return not fault(self, count)
            return True

    return wandb_stub.serving(request=Request)


def _faulty(reference: Reference, fault: Fault, after: int, until: int | None = None) -> Do:
    def do(scratch: Path, random: Random) -> Verdict:
        began = time.monotonic()
        offline = finished(started([*_online(scratch / "offline"), "logger.wandb.mode=offline"], scratch))
        require_words(offline, 0)
        usual = time.monotonic() - began
        folder = scratch / "run"
        with _serving(fault, after, until) as stub:
            began = time.monotonic()
            ended = finished(started(_online(folder), scratch, _environment(stub.url, scratch)))
            took = time.monotonic() - began
        require_words(ended, 0)
        _require_run(folder, reference)
        if took - usual > PATIENCE + usual:  # started anew on a machine that others use too
            raise UnclearError(f"it took {took:.0f} s, {usual:.0f} s offline")
        return Verdict("survived")

    return do


def _require_run(folder: Path, reference: Reference) -> None:
    for name in ("metrics.csv", "spectra.csv", "final_keys.csv"):
        if (folder / name).read_bytes() != (reference.ended / name).read_bytes():
            raise LostError(f"{name} is not the undisturbed run's")


def _refusing(reference: Reference) -> Do:
    def do(scratch: Path, random: Random) -> Verdict:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        ended = finished(started(_online(scratch / "run"), scratch, _environment(url, scratch)))
        require_words(ended, 0)
        if not re.search("offline", ended.said):
            raise UnclearError("it does not say that W&B is offline")
        _require_run(scratch / "run", reference)
        return Verdict("survived")

    return do


def _killed(reference: Reference) -> Do:
    def do(scratch: Path, random: Random) -> Verdict:
        folder = scratch / "run"
        with wandb_stub.serving() as stub:
            environment = _environment(stub.url, scratch)
            process = started([*_online(folder), "trainer.max_steps=20000"], scratch, environment)
            end = time.monotonic() + 60
            while len(list(folder.glob("checkpoints/*.ckpt"))) < 2 and time.monotonic() < end:
                time.sleep(0.02)
            os.kill(process.pid, signal.SIGKILL)
            finished(process)
            wanted = max(int(file.stem[5:]) for file in folder.glob("checkpoints/*.ckpt")) + 40
            words = ["train", f"resume={folder}", f"trainer.max_steps={wanted}"]
            require_words(finished(started(words, scratch, environment)), 0)
        steps = [row["trainer/global_step"] for run in stub.runs.values() for row in run.rows if "loss/train" in row]
        if len(stub.runs) != 1:
            raise LostError(f"{len(stub.runs)} runs on the server, not one")
        if len(steps) != len(set(steps)) or max(steps) != wanted:
            raise LostError(f"the server has steps {steps[-5:]}, doubled or short of {wanted}")
        require_same(folder, folder)
        return Verdict("survived")

    return do
