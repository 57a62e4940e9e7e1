"""What each setting outside the groups must be: one rule and one sentence for each."""

from collections.abc import Callable
from typing import Any, NamedTuple

from omegaconf import DictConfig, ListConfig, OmegaConf

from grok.settings.checks import is_number, is_whole

LONGEST = 150  # bytes of a folder's name, which has a time before it; file systems take 255
MOST_THREADS = 1024


class Rule(NamedTuple):
    """What a setting must be, in words and as a test."""

    words: str
    holds: Callable[[Any], bool]


def _is_name(value: Any) -> bool:
    return (isinstance(value, str) and value != "") or is_number(value)


FLAG = Rule("true or false", lambda value: isinstance(value, bool))
PATH = Rule("a path, or null", lambda value: value is None or (isinstance(value, str) and value != ""))
NAME = Rule("a name", _is_name)
WHOLE = Rule("a whole number, 0 or more", lambda value: is_whole(value) and value >= 0)
RULES = {
    "replicate": WHOLE,
    "seed": WHOLE,
    "snapshots.keep": Rule(
        "a whole number, 2 or more, or all", lambda value: value == "all" or (is_whole(value) and value >= 2)
    ),
    "snapshots.at": Rule("a list of steps, such as [1000,1200]", lambda value: isinstance(value, ListConfig)),
    "threads": Rule(
        f"a whole number from 1 to {MOST_THREADS:,}, or null",
        lambda value: value is None or (is_whole(value) and 1 <= value <= MOST_THREADS),
    ),
    "measure_early": Rule(
        "{every: steps, until: step}",
        lambda value: isinstance(value, DictConfig) and set(value) == {"every", "until"},
    ),
    "tags": Rule("a list, such as [first,look]", lambda value: isinstance(value, ListConfig)),
    "pictures": FLAG,
    "allow_changes": FLAG,
    "mixed": Rule("true, false or null", lambda value: value is None or isinstance(value, bool)),
    "trust": FLAG,
    "extras.print_config": FLAG,
    "resume": PATH,
    "ckpt_path": PATH,
    "sweep": PATH,
    "task_name": Rule(f"a name of at most {LONGEST} bytes", lambda x: _is_name(x) and len(str(x).encode()) <= LONGEST),
    "name": NAME,
}
MISSING = object()  # configurations of older versions lack settings that came later


def check_values(config: DictConfig) -> None:
    """Raise `ValueError` for the first of these settings that is not what it must be."""
    for name in RULES:
        check_value(name, OmegaConf.select(config, name, default=MISSING))


def check_value(name: str, value: Any) -> None:
    """The same for one setting."""
    rule = RULES[name]
    if value is not MISSING and not rule.holds(value):
        shown = value if isinstance(value, (DictConfig, ListConfig)) else repr(value)
        raise ValueError(f"`{name}` must be {rule.words}. Got {shown}.")
