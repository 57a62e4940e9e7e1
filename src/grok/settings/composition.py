"""What Hydra could not compose, in one sentence that names what there is."""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, IntervalSweep, Override
from hydra.errors import HydraException
from omegaconf.errors import InterpolationKeyError

from grok.settings.known import known_settings, takes
from grok.settings.misspelt import member_sentence, unknown_sentence
from grok.settings.places import conf_folder

NEEDED_GROUPS = ("data", "model", "optim", "trainer", "launch")
EXTRAS = {"optuna": "hydra-optuna-sweeper"}  # Hydra's plugins that are optional, and their distributions


def refuse_sweeps_without_values(typed: Sequence[str]) -> None:
    """`ValueError` for intervals, which only a search takes, and for `glob()`, which chooses members of a group."""
    searched = any(text.startswith("hparams_search=") and text != "hparams_search=null" for text in typed)
    for text in typed:
        try:
            override = OverridesParser.create().parse_override(text) if "interval(" in text or "glob(" in text else None
        except HydraException:
            continue  # Hydra itself says so
        if override is None or not override.is_sweep_override():
            continue
        name, value = override.key_or_group, override.value()
        if isinstance(value, IntervalSweep) and not searched:
            raise ValueError(
                f"A sweep runs through values, and an interval lists none: {name}=0.1,1 or {name}=range(1,4) does, and"
                f" hparams_search=optuna searches an interval. Got {text}."
            )
        if isinstance(value, Glob):
            members = sorted(file.stem for file in (conf_folder() / name).glob("*.yaml"))
            if not value.filter(members):
                of_group = f"`{name}` has {', '.join(members)}" if members else f"`{name}` is none, so list its values"
                raise ValueError(f"glob() chooses members of a group, as experiment=glob(*). {of_group}. Got {text}.")


def composition_sentence(error: Exception, typed: Sequence[str], own: Collection[Path] = ()) -> str:
    """Why the settings that were typed make no configuration, in one sentence.

    Args:
        own: folders of configuration besides conf/.
    """
    parser = OverridesParser.create()
    overrides = []
    for text in typed:
        try:
            overrides.append(parser.parse_override(text))
        except HydraException:
            return f"`{text}` cannot be read as key=value; a value with special characters wants quotes, '{text}'."
    launch = next((o.value() for o in overrides if o.key_or_group == "launch" and not o.is_sweep_override()), "serial")
    known = known_settings({"launch": {"kind": launch}})
    sentences = [_sentence(override, known, own) for override in overrides]
    first = next((sentence for sentence in sentences if sentence), None)
    return first or _in_hydras_words(error)


def _sentence(override: Override, known: Mapping[str, Any], own: Collection[Path]) -> str | None:
    name, text = override.key_or_group, str(override.input_line)
    if name == "hydra" or name.startswith(("hydra.", "hydra/")):
        return None
    if (conf_folder() / name).is_dir() and not override.is_delete():
        return _of_group(override, name, own)
    if name in known:
        return f"`{name}` is a setting already: leave out the +. Got {text}." if override.is_add() else None
    if any(other.startswith(f"{name}.") for other in known):
        one_value = not override.is_delete() and not all(isinstance(value, dict) for value in _values(override) or [0])
        return unknown_sentence(name, known) if one_value else None
    if takes(known, name) and not override.is_add():
        return f"`{name}` has no value in conf/ to change: +{text} gives it one."
    return unknown_sentence(name, known)


def _of_group(override: Override, name: str, own: Collection[Path]) -> str | None:
    text = str(override.input_line)
    if name in NEEDED_GROUPS and not override.is_sweep_override() and override.value() in ([], {}):
        return member_sentence(name, text.partition("=")[2])
    members = ["null" if member is None else str(member) for member in _values(override)]
    sentences = [member_sentence(name, member, own) for member in members]
    several = " Several loggers are a list: logger=[wandb,tensorboard]." if name == "logger" else ""
    add = f"`{name}` is a group that has a member already: leave out the +.{several} Got {text}."
    return next((sentence for sentence in sentences if sentence), add if override.is_add() else None)


def _values(override: Override) -> list[Any]:
    if override.is_sweep_override():
        return [text.strip("'\"") for text in override.sweep_string_iterator()]
    value = override.value()
    return list(value) if isinstance(value, list) else [value]


def _in_hydras_words(error: Exception) -> str:
    if type(error.__cause__) is ValueError:  # of our own resolvers
        return str(error.__cause__)
    if isinstance(error, InterpolationKeyError) and (missing := re.search(r"'(\S+)'", str(error))):
        return f"`{missing[1]}` must be given: `{error.full_key}` is made of it."
    words = str(error) or str(error.__cause__ or "")
    for plugin, distribution in EXTRAS.items():
        if f"hydra/sweeper/{plugin}" in words:
            return f"`hparams_search={plugin}` needs {distribution}: pip install {distribution}"
    if merging := re.match(r"Error merging override (\S+?)=(.*)", words):
        is_list = "with ListConfig" in str(error.__cause__)
        rule = "must be a list, such as [a,b]" if is_list else "must be of the kind that it is in conf/"
        return f"`{merging[1].lstrip('+')}` {rule}. Got {merging[2]}."
    if "--multirun" in words:
        return f"Several values of one setting are a sweep: add -m. Got {words.split(chr(39))[1]}."
    return f"The settings make no configuration: {' '.join(words.split())}"
