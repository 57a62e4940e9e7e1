"""Train one network, or with -m a sweep of them.

usage: grok train [-m] [setting=value …]

-m                     every combination of values, each a run: p=59,113 wd=0,1
+dry_run=true          with -m: the points with time and disk, nothing started
resume=<folder>        go on with a run; resume=latest with the latest
sweep=<folder>         with -m: go on with a sweep, or add points to it
--config-dir <folder>  experiment/, model/ … with YAML files of your own
--cfg job              print the configuration, and train nothing
--help <group=member>  that member's settings: --help launch=slurm optim=sgd

grok train experiment=quick
grok train p=59 train_fraction=0.4 logger=csv
grok train -m p=59,113 wd=0,0.3,1 replicate=0,1,2 launch=local
grok train resume=latest stop=never
"""

import os
import sys
import traceback

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, InstantiationException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from grok.runs.named import without_latest
from grok.runs.resume import resumed_config
from grok.runs.trust import allow_own_parts, foreign_parts
from grok.settings import places
from grok.settings.commands import DISK, REFUSED, disk_sentence
from grok.settings.composition import composition_sentence, refuse_sweeps_without_values
from grok.settings.help import configuration
from grok.settings.known import refuse_unknown
from grok.settings.options import own_config_folders, refuse_what_is_no_setting
from grok.settings.output import steady_output, stoppable
from grok.settings.short import in_full
from grok.settings.version import version_line
from grok.sweep.launch import remove_unless_sweep
from grok.training.command import execute, refuse
from grok.training.objective import objective

places.register_resolvers()


@hydra.main(version_base="1.3", config_path=str(places.conf_folder()), config_name="train")
def train(config: DictConfig) -> float:
    """One run. With -m, points of a sweep (`hydra_plugins.grok_launcher`) come by `grok.sweep.point`."""
    searched = config.get("optimized_metric")  # hparams_search: many runs in this process, one after another
    try:
        if config.resume is not None and not (isinstance(config.resume, str) and config.resume):
            raise ValueError(f"`resume` must be the folder of a run, or null. Got {config.resume!r}.")
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
    typed = sys.argv[1:]
    if {"-h", "--help"} & set(typed):
        print(f"{__doc__}\n{configuration([word for word in typed if '=' in word])}")
        return
    if "--version" in typed:
        print(version_line())
        return
    try:
        refuse_what_is_no_setting(typed)
        sys.argv[1:] = [in_full(without_latest(word)) for word in typed]
        refuse_sweeps_without_values([word for word in sys.argv[1:] if "=" in word])
    except ValueError as error:
        print(error, file=sys.stderr)
        sys.exit(REFUSED)
    try:
        train()
    except InstantiationException:
        raise
    except (HydraException, OmegaConfBaseException, ValueError, TypeError) as error:
        if not is_hydras(error):
            raise
        settings = [word for word in sys.argv[1:] if "=" in word and not word.startswith("-")]
        print(composition_sentence(error, settings, own_config_folders(typed)), file=sys.stderr)
        remove_unless_sweep(places.last_sweep_folder())
        sys.exit(REFUSED)
    except OSError as error:  # Hydra makes the folder
        print(disk_sentence(error), file=sys.stderr)
        sys.exit(DISK)


def is_hydras(error: Exception) -> bool:
    """Whether Hydra refused what was typed: by an error of its own, or as it does data=5 and data=[5]."""
    if isinstance(error, (HydraException, OmegaConfBaseException)):
        return True
    *_, (last, _) = traceback.walk_tb(error.__traceback__)
    return str(last.f_globals.get("__name__")).startswith("hydra.")


if __name__ == "__main__":
    main()
