"""What became of a point, by what is on disk: its run's summary and heartbeat, and how its last process ended."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grok.runs.damage import reading
from grok.runs.files import write_text
from grok.runs.folder import RunFolder

STARTUP = 120.0  # seconds within which a process that began should have a run to show
LOST = "lost", "no heartbeat"


def note_beginning(process_file: Path) -> None:
    """Note that a process was started for the point."""
    write_text(process_file, json.dumps({"code": None, "reason": None}) + "\n")


def note_end(process_file: Path, output: Path, code: int) -> None:
    """Note how that process ended: its exit status, negative for a signal, and the last line of its output."""
    reason = f"signal {-code}" if code < 0 else _last_line(output) if code else None
    write_text(process_file, json.dumps({"code": code, "reason": reason}) + "\n")


def outcome(run: RunFolder, process_file: Path, root: Path) -> tuple[str, str | None]:
    """Status and reason. `DamagedFileError`, named from `root`, where a file cannot be read."""
    with reading(process_file, root):
        process = json.loads(process_file.read_text(encoding="utf-8")) if process_file.exists() else None
        code, reason = (process["code"], process["reason"]) if process is not None else (None, None)
    with reading(run.summary_file, root):
        if run.checkpoints():
            run.require_summary()
        summary: Mapping[str, Any] = run.summary()
        status, lost = summary.get("status"), run.lost_by(summary)
        status = "running" if status == "concluding" else status
    if status == "finished":
        return "finished", None
    if process and code is None:
        if status == "running":
            return LOST if lost else ("running", None)
        if status is None or _older(run.summary_file, process_file):  # it has not got so far as to write one
            fresh = time.time() - process_file.stat().st_mtime < STARTUP
            return ("running", None) if fresh else LOST
    if status in (None, "running"):
        started = process is not None or status is not None
        status = "pending" if not started else "interrupted" if _stopped(code) else "failed"
    return status, reason


def _older(file: Path, other: Path) -> bool:
    return file.stat().st_mtime_ns < other.stat().st_mtime_ns


def _stopped(code: int | None) -> bool:
    """Whether a signal ended the process, or the machine did."""
    return code is None or code < 0 or code > 128


def _last_line(file: Path) -> str | None:
    lines = [line for line in file.read_text(errors="replace").splitlines() if line.strip()] if file.exists() else []
    return lines[-1].strip() if lines else None
