"""What a run was made with."""

import platform
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grok.settings.version import installed_version

PACKAGES = ("torch", "lightning", "torchmetrics", "hydra-core", "wandb")
COMMIT_FILE = "COMMIT"  # in a copy of a checkout: what `commit` said there


def provenance(device: str, threads: int) -> dict[str, Any]:
    """Versions, commit, command, threads and device, for summary.json.

    Args:
        device: its name; of a GPU the card's, or "cpu".
        threads: of the CPU.
    """
    return {
        "command": command(sys.orig_argv),
        "commit": commit(),
        "versions": {"grok": installed_version(), "python": platform.python_version()}
        | {package: installed_version(package) for package in PACKAGES},
        "threads": threads,
        "device": f"{device} {platform.machine()}" if device == "cpu" else device,
    }


def command(typed: Sequence[str]) -> str:
    """What was typed, to be typed again anywhere: without the place of Python, or of the command, on this machine."""
    program, *rest = typed
    if rest and Path(rest[0]).name == "grok":
        return shlex.join(["grok", *rest[1:]])
    return shlex.join(["python" if Path(program).name.startswith("python") else program, *rest])


def commit() -> str | None:
    """The commit of this checkout, with + where files differ from it; None outside a checkout and its copies."""
    root = Path(__file__).resolve().parents[3]
    if (root / COMMIT_FILE).exists():
        return (root / COMMIT_FILE).read_text(encoding="utf-8") or None
    if not (root / ".git").exists():
        return None
    try:
        git = ["git", "-C", str(root)]
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True, timeout=10)
        dirty = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return head.stdout.strip() + ("+" if dirty.stdout.strip() else "")
