"""Loggers as the configuration names them, each by its `_target_`."""

from collections.abc import Mapping
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from lightning.pytorch.loggers import Logger


def configured_loggers(config: Mapping[str, Any] | None) -> list[Logger]:
    """One logger for each member of `logger`; `ValueError` that names the package one of them lacks."""
    return [_logger(name, settings) for name, settings in (config or {}).items() if settings is not None]


def _logger(name: str, settings: Any) -> Logger:
    try:
        logger = instantiate(settings)
    except InstantiationException as error:
        if isinstance(error.__cause__, ModuleNotFoundError):
            raise ValueError(f"`logger={name}` needs a package that is not installed: pip install {name}") from error
        raise
    if not isinstance(logger, Logger):
        raise ValueError(f"`logger.{name}` must have a `_target_` that makes a Lightning logger. Got {settings}.")
    return logger
