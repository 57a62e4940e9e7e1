"""Train one network, or with -m a sweep of them: `python -m grok.train [-m] [key=value …]`."""

import sys

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from grok.runs.resume import resumed_config
from grok.settings import places
from grok.training.run import execute, refuse

places.register_resolvers()


@hydra.main(version_base="1.3", config_path=str(places.conf_folder()), config_name="train")
def main(config: DictConfig) -> None:
    """The command: one run. With -m, points of a sweep (`hydra_plugins.grok_launcher`) come by `grok.sweep.point`."""
    if config.sweep or config.get("dry_run"):
        sys.exit(refuse(ValueError("`sweep` and `dry_run` are for sweeps: add -m."), config.folder))
    if config.resume:
        try:
            config = resumed_config(config, list(HydraConfig.get().overrides.task))
        except ValueError as error:
            sys.exit(refuse(error, config.folder))
    sys.exit(execute(config))


if __name__ == "__main__":
    main()
