"""Train one network, or with -m a sweep of them: `python -m grok.train [-m] [key=value …]`."""

import os
import sys
import traceback

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, InstantiationException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from grok.runs.resume import resumed_config
from grok.runs.trust import allow_own_parts, foreign_parts
from grok.settings import places
from grok.settings.composition import composition_sentence
from grok.settings.known import refuse_unknown
from grok.settings.output import steady_output, stoppable
from grok.sweep.launch import remove_unless_sweep
from grok.training.command import execute, refuse
from grok.training.objective import objective

places.register_resolvers()


@hydra.main(version_base="1.3", config_path=str(places.conf_folder()), config_name="train")
def train(config: DictConfig) -> float:
    """One run. With -m, points of a sweep (`hydra_plugins.grok_launcher`) come by `grok.sweep.point`."""
    searched = config.get("optimized_metric")  # hparams_search: many runs in this process, one after another
    try:
        if not searched and (config.sweep or config.get("dry_run")):
            raise ValueError("`sweep` and `dry_run` are for sweeps: add -m.")
        if not config.resume and foreign_parts(config):  # composed now, by whoever typed it
            allow_own_parts()
        refuse_unknown(config)
        if config.resume:
            config = resumed_config(config, list(HydraConfig.get().overrides.task))
    except ValueError as error:
        sys.exit(refuse(error, config.folder))
    status = execute(config)
    if not searched or status not in (0, 1):
        sys.exit(status)
    try:
        return objective(config)
    except ValueError as error:
        sys.exit(refuse(error, config.folder))


def main() -> None:
    """The command. Exit status 0: finished · 1: diverged · 2: refused, in one sentence · 128 + n: ended by signal n."""
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra hands on what it refuses, instead of printing it
    with steady_output(), stoppable():
        _main()


def _main() -> None:
    try:
        train()
    except InstantiationException:
        raise
    except (HydraException, OmegaConfBaseException, ValueError, TypeError) as error:
        if not is_hydras(error):
            raise
        typed = [argument for argument in sys.argv[1:] if "=" in argument.lstrip("-") and not argument.startswith("-")]
        print(composition_sentence(error, typed), file=sys.stderr)
        remove_unless_sweep(places.last_sweep_folder())
        sys.exit(2)


def is_hydras(error: Exception) -> bool:
    """Whether Hydra refused what was typed: by an error of its own, or as it does data=5 and data=[5]."""
    if isinstance(error, (HydraException, OmegaConfBaseException)):
        return True
    *_, (last, _) = traceback.walk_tb(error.__traceback__)
    return str(last.f_globals.get("__name__")).startswith("hydra.")


if __name__ == "__main__":
    main()
