"""Nonsense typed for every setting of every command: a run, or one sentence that names the setting."""

import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from drill import tiny
from drill.processes import forked
from drill.tiny import Reference
from drill.verdicts import Do, Injection, UnclearError, Verdict, contents, require_untouched, require_words
from grok.settings import places

NONSENSE = (
    *("-1", "0", "1e309", "nan", "null", "''", "ä", "[]", "{}", "[1,2]", "true", "1e10", "10000000000", "x" * 300),
    *("0.5", "two words", "-0.5", "inf", "[x]", "{a: 1}", "../..", "~", "$HOME", "a=b", "#", "!", "1,2", "(", "'"),
)
PATIENCE = 25.0  # seconds that a run of nonsense may train
SHORT = [setting for setting in tiny.SETTINGS if not setting.startswith("trainer.max_steps")]
NAMED_BY_ANOTHER = {
    "replicate": "seed",
    "callbacks.phases.boundaries": "phases.rule",
    "callbacks.stopping.stop": "stop",
}
OTHERS = ("analyze", "report", "status", "final_keys", "export", "collect", "sync", "import_run")


def injections(reference: Reference, random: Random, short: bool) -> Iterator[Injection]:
    """Some of all settings and all nonsense, other ones by each seed."""
    cases = [(name, value) for name in _settings_of_train(reference) for value in NONSENSE]
    for name, value in random.sample(cases, 15 if short else 380):
        yield Injection("input", f"train {name}={value[:20]}", _train(name, value))
    of_others = [(c, name, value) for c in OTHERS for name in _settings_of(c, reference) for value in NONSENSE]
    for command, name, value in random.sample(of_others, 10 if short else 150):
        yield Injection("input", f"{command} {name}={value[:20]}", _other(reference, command, name, value))


def _settings_of_train(reference: Reference) -> list[str]:
    places.register_resolvers()
    with initialize_config_dir(str(places.conf_folder()), version_base="1.3"):
        config = compose("train", SHORT)
    return [name for name in dict.fromkeys(_below(config)) if name != "folder"]


def _below(node: Any, prefix: str = "") -> Iterator[str]:
    for name in node:
        yield f"{prefix}{name}"
        child = node._get_node(name)
        if isinstance(node, DictConfig) and OmegaConf.is_dict(child) and child:
            yield from _below(child, f"{prefix}{name}.")


def _settings_of(command: str, reference: Reference) -> list[str]:
    """As the command itself says when it is given another."""
    said = forked([command, str(reference.ended), "other=1"], reference.folder).err
    found = re.search(r"The settings are (.*?)\. Got", said)
    return found[1].split(", ") if found else []


def _quoted(value: str) -> str:
    """As one types it in a shell, for Hydra."""
    return value if re.fullmatch(r"[\w.\-\[\]{}:', ]*", value) and " " not in value else f"'{value}'"


def _stopped_in_time(pid: int) -> None:
    def stop() -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)

    timer = threading.Timer(PATIENCE, stop)
    timer.daemon = True
    timer.start()


def _train(name: str, value: str) -> Do:
    def do(scratch: Path, random: Random) -> Verdict:
        steps = [] if name in ("trainer", "trainer.max_steps") else ["trainer.max_steps=3"]
        others = [setting for setting in SHORT if not setting.startswith(f"{name}=")]
        folder = scratch / "run"
        typed = f"{name}={_quoted(value)}"
        ended = forked(
            ["train", *others, *steps, f"hydra.run.dir={folder}", typed], scratch, meanwhile=_stopped_in_time
        )
        require_words(ended, 0, 1, 2, 4, 128 + signal.SIGTERM, -signal.SIGTERM)
        if ended.status == 2:
            first, *_, last = name.split(".") * 2
            names = {name, first, last, NAMED_BY_ANOTHER.get(name, name)}
            if not any(f"`{x}" in ended.err or f"{x}`" in ended.err or f"{x}=" in ended.err for x in names):
                raise UnclearError(f"`{name}` is not named: {ended.err[-300:]}")
            if len(ended.err.strip().splitlines()) > 3:
                raise UnclearError(f"{len(ended.err.splitlines())} lines: {ended.err[:300]}")
        return Verdict("survived")

    return do


def _other(reference: Reference, command: str, name: str, value: str) -> Do:
    def do(scratch: Path, random: Random) -> Verdict:
        folder = reference.copy(reference.ended, scratch / "run")
        before = contents(folder)
        elsewhere = [] if name == "output" or command not in ("analyze", "report") else [f"output={scratch}/made"]
        words = [command, str(folder), f"{name}={value}", *elsewhere]
        ended = forked(words, scratch, meanwhile=_stopped_in_time)
        require_words(ended, 0, 2, 4, *([-signal.SIGTERM] if name == "live" else []))  # which follows until it is told
        changing = ("summary.json", "wandb") if command in ("final_keys", "sync") else ()
        require_untouched(folder, before, changing)
        if ended.status and len(ended.err.strip().splitlines()) > 3:
            raise UnclearError(f"{len(ended.err.splitlines())} lines: {ended.err[:300]}")
        return Verdict("survived")

    return do
