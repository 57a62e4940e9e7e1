"""What makes a run the run it is: settings, answers and split, kept in its checkpoints and summary.

config.yaml can be edited by hand; the network cannot be told otherwise afterwards. All that is not here (a run's
length, loggers, callbacks) may differ when it goes on.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from omegaconf import OmegaConf
from torch import Tensor

from grok.runs.configuration import leaves

SETTINGS = ("seed", "data", "model", "optim", "measure_every", "measure_early", "key_frequencies")
GONE = object()


def settings(config: Any) -> dict[str, Any]:
    """The settings that make a run what it is, by dotted name."""
    values = {key: config.get(key) for key in SETTINGS}
    return leaves(
        {key: OmegaConf.to_container(x, resolve=True) if OmegaConf.is_config(x) else x for key, x in values.items()}
    )


def identity(config: Any, answers: Tensor, train: Tensor) -> dict[str, Any]:
    """Settings, and a digest of the answers and of the training pairs that they made."""
    return {**settings(config), "(answers)": _digest(answers), "(training pairs)": _digest(train)}


def differences(kept: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs, in words; settings that came with a later version were not kept, and are none of it."""
    return [
        f"{name} (was {value}, is {now.get(name, 'gone')})"
        for name, value in kept.items()
        if now.get(name, GONE) != value
    ]


def _digest(table: Tensor) -> str:
    return hashlib.sha256(table.long().cpu().numpy().tobytes()).hexdigest()[:16]
