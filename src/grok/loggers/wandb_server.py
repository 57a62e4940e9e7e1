"""The W&B server: whether it can be reached, in which mode to log, and how long to wait for it."""

import netrc
import os
from pathlib import Path
from ssl import SSLError
from urllib.error import HTTPError
from urllib.parse import urlparse
from urllib.request import Request, urlopen

import wandb

TOO_MANY, FAILING = 429, 500  # HTTP statuses; others, such as 400 for the empty question asked here, are answers
MODES = ("online", "offline", "disabled")
PATIENCE = 2.0  # seconds for the server to answer at all
INIT_PATIENCE = 6.0  # seconds for it to take a run
FINISH_PATIENCE = 12.0  # seconds for it to take the rest when a run ends
SILENCE = 3.0  # seconds of these without a word


def wandb_mode(mode: str | None = None) -> tuple[str, str]:
    """The mode to log in, and why.

    As set by `mode` or WANDB_MODE; else offline under SLURM, whose nodes often have no way out,
    and online where a key is set up and the server answers within two seconds.
    """
    if mode is not None and mode not in MODES:
        raise ValueError(f"`logger.wandb.mode` must be one of {', '.join(MODES)}, or null. Got {mode!r}.")
    chosen = mode or os.environ.get("WANDB_MODE")
    if chosen:
        return chosen, "as told"
    if "SLURM_JOB_ID" in os.environ:
        return "offline", "a SLURM job; logger.wandb.mode=online if its nodes reach the server"
    server_answers, why = reachable()
    return ("online" if server_answers else "offline"), why


def wandb_settings() -> wandb.Settings:
    """Of every W&B run: nothing printed, nothing waited for without end."""
    return wandb.Settings(
        silent=True,
        console="off",
        init_timeout=INIT_PATIENCE,
        finish_timeout=FINISH_PATIENCE,
        finish_timeout_raises=True,
    )


def reachable() -> tuple[bool, str]:
    """Whether a key is set up and the server answers within two seconds, and what was found."""
    settings = wandb.setup(wandb.Settings(silent=True)).settings
    server = urlparse(settings.base_url)
    if not (settings.api_key or _netrc_has_key(server.hostname or "")):
        return False, "no key is set up; `wandb login` sets one up"
    request = Request(f"{settings.base_url}/graphql", b"{}", {"Content-Type": "application/json"})
    try:
        urlopen(request, timeout=PATIENCE).close()  # by way of a proxy, where one is set
    except HTTPError as error:
        if error.code == TOO_MANY or error.code >= FAILING:
            return False, f"{server.hostname} answers by {error.code} {error.reason}"
    except OSError as error:
        if not isinstance(getattr(error, "reason", None), SSLError):
            return False, f"no answer from {server.hostname} within {PATIENCE:.0f} s"
    return True, f"{server.hostname} answers"


def _netrc_has_key(host: str) -> bool:
    """Whether `wandb login` wrote a key for this host into the netrc file (NETRC, or ~/.netrc or ~/_netrc)."""
    wanted = [os.environ.get("NETRC"), "~/.netrc", "~/_netrc"]
    file = next((path for name in wanted if name and (path := Path(name).expanduser()).is_file()), None)
    try:
        return file is not None and netrc.netrc(file).authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):  # unreadable or no netrc: no key in it
        return False
