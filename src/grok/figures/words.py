"""Settings and their values as axes and legends call them."""

from typing import Any

import pandas as pd

SETTINGS = {
    "p": "modulus $p$",
    "train_fraction": "training fraction",
    "wd": "weight decay",
    "optim.lr": "learning rate",
    "data.operation": "operation",
    "data.split": "split",
    "model.n_layers": "layers",
    "model.n_heads": "heads",
    "model.d_model": "width of the network",
    "model.d_mlp": "neurons",
    "model.dropout": "dropout",
    "model.activation": "activation",
}


def setting_words(name: str) -> str:
    """A setting in words; one that has none by the last part of its name."""
    return SETTINGS.get(name, name.rpartition(".")[2].replace("_", " "))


def value_words(value: object) -> str:
    """A value as it is typed."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def values_of(table: pd.DataFrame, setting: str) -> list[Any]:
    """The values of a setting, numbers by size before words."""
    return sorted(table[setting].dropna().unique().tolist(), key=lambda value: (isinstance(value, str), value))
