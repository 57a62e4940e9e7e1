"""W&B accounts for the tests: none at all, or one at the stub."""

from pathlib import Path

import pytest
import wandb
from wandb_stub import KEY


def no_account(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """A machine on which nobody has set up W&B."""
    for name in ("WANDB_MODE", "WANDB_API_KEY", "WANDB_BASE_URL", "SLURM_JOB_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("NETRC", str(home / "no-netrc"))
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    wandb.teardown()  # settings are read from the environment anew


def account(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """A key for the server at `url`."""
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_BASE_URL", url)
    wandb.teardown()
