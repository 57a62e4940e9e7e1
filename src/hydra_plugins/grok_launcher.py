"""Hydra's launcher for `python -m grok.train -m …`: every point in a fresh process, on slots of this machine."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from hydra._internal.core_plugins.basic_launcher import BasicLauncher
from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


@dataclass
class GrokLauncherConf:
    _target_: str = "hydra_plugins.grok_launcher.GrokLauncher"


ConfigStore.instance().store(group="hydra/launcher", name="grok", node=GrokLauncherConf, provider="grok")


class GrokLauncher(Launcher):
    """Hands the points to `grok.sweep.launch.run_sweep`, and ends the process with its exit status."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config
        if not config.get("optimized_metric"):
            from grok.settings.composing import PointLoader  # noqa: PLC0415 - Hydra imports all plugins, for any command

            # also for the sweeper, which composes every point a first time, to see whether that can be done
            hydra_context.config_loader = PointLoader(hydra_context.config_loader)  # type: ignore

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        if self.config.get("optimized_metric"):  # a search wants values back, and its next points depend on them
            basic = BasicLauncher()
            basic.setup(hydra_context=self.hydra_context, task_function=self.task_function, config=self.config)
            return basic.launch(job_overrides, initial_job_idx)
        from grok.sweep.launch import run_sweep  # noqa: PLC0415 - as above

        load = self.hydra_context.config_loader.load_sweep_config
        points = ((list(overrides), load(self.config, list(overrides))) for overrides in job_overrides)
        sys.exit(run_sweep(points, self.config.hydra.sweep.dir))
