"""Commands as processes of their own: forked from one that has imported everything, or started anew."""

import atexit
import importlib
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LONGEST = 120.0  # seconds that a command may take before it counts as hung


@dataclass(frozen=True)
class Ended:
    """A command that has ended: its exit status (below 0: the signal that killed it, None: it hung), and its words."""

    status: int | None
    out: str
    err: str
    seconds: float

    @property
    def said(self) -> str:
        return self.out + self.err


def forked(
    words: Sequence[str],
    scratch: Path,
    fault: Callable[[], object] | None = None,
    meanwhile: Callable[[int], None] | None = None,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Ended:
    """`python -m grok.<words>` in a fork of this process.

    Args:
        scratch: a folder for what it prints.
        fault: called in the new process before the command.
        meanwhile: called in this process with the new one's id.
    """
    out, err = scratch / "stdout", scratch / "stderr"
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        _become(words, out, err, fault, cwd or scratch, environment or {})
    if meanwhile:
        meanwhile(pid)
    return Ended(_status(pid, began), _text(out), _text(err), time.monotonic() - began)


def preload(words: Sequence[str], scratch: Path) -> Ended:
    """Run a command in a fork, and import into this process what it imported there, so that later forks need not."""
    names = scratch / "modules"
    ended = forked(words, scratch, lambda: atexit.register(lambda: names.write_text("\n".join(sys.modules))))
    for name in names.read_text().splitlines():
        with suppress(Exception):  # some can be imported in a certain order alone
            importlib.import_module(name)
    return ended


def started(
    words: Sequence[str], cwd: Path, environment: Mapping[str, str | None] | None = None
) -> subprocess.Popen[str]:
    """`python -m grok.<words>` as a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", f"grok.{words[0]}", *words[1:]],
        cwd=cwd,
        env={name: value for name, value in {**os.environ, **(environment or {})}.items() if value is not None},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finished(process: subprocess.Popen[str], seconds: float = LONGEST) -> Ended:
    """Wait for it; one that hangs is killed with all its processes."""
    began = time.monotonic()
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        return Ended(None, out or "", err or "", time.monotonic() - began)
    return Ended(process.returncode, out or "", err or "", time.monotonic() - began)


def _become(
    words: Sequence[str],
    out: Path,
    err: Path,
    fault: Callable[[], object] | None,
    cwd: Path,
    environment: Mapping[str, str],
) -> None:
    status = 1
    try:
        for stream, file in ((1, out), (2, err)):
            opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            os.dup2(opened, stream)
            os.close(opened)
        os.close(0)
        os.open(os.devnull, os.O_RDONLY)
        sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.chdir(cwd)
        os.environ.update(environment)
        sys.argv = [f"grok.{words[0]}", *words[1:]]
        if fault:
            fault()
        importlib.import_module(f"grok.{words[0]}").main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)


def _status(pid: int, began: float) -> int | None:
    while time.monotonic() - began < LONGEST:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def _text(file: Path) -> str:
    return file.read_text(errors="replace") if file.exists() else ""
