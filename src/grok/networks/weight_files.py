"""Files of weights as torch.save and safetensors write them. No code in a file is ever run."""

import json
import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from grok.networks.unpickling import data_in
from grok.runs.checksums import refuse_damaged_zip
from grok.runs.files import replacing

SUFFIXES = (".pth", ".pt", ".safetensors")


def tensor(file: Path) -> Tensor:
    """The one tensor in a file that holds no other. `ValueError` elsewhere."""
    held = content(file, "split")
    found = [x for x in held.get("model", held).values() if isinstance(x, Tensor)]
    if len(found) != 1:
        raise ValueError(f"`split` must be a file of one tensor. {file} holds {len(found)}.")
    return found[0]


def content(file: Path, setting: str = "checkpoint") -> dict[str, Any]:
    """What the file holds, tensors on the CPU; nothing in it is run."""
    rule = f"`{setting}` must be a file of tensors, written whole by torch.save or safetensors. {file}"
    if not file.is_file():
        raise ValueError(f"{rule} is no file.")
    if zipfile.is_zipfile(file) and any(name.endswith("/constants.pkl") for name in zipfile.ZipFile(file).namelist()):
        raise ValueError(f"{rule} is a TorchScript program; save its state_dict.")
    try:
        if file.suffix == ".safetensors":
            with safe_open(file, "pt") as opened:
                metadata = {name: _parsed(text) for name, text in (opened.metadata() or {}).items()}
                return {"model": {name: opened.get_tensor(name) for name in opened.keys()}, **metadata}  # noqa: SIM118
        refuse_damaged_zip(file)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, about pickles that are not its own
            loaded = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:  # objects of other classes beside tensors: their data alone
        loaded = _data_in(file, rule)
    except Exception as error:  # whatever reading a file that is none comes to
        raise ValueError(
            f"{rule} cannot be read: {str(error).splitlines()[0] if str(error) else 'it is empty'}."
        ) from None
    if isinstance(loaded, Tensor):
        return {"tensor": loaded}
    if not isinstance(loaded, Mapping):
        raise ValueError(f"{rule} holds a {type(loaded).__name__}.")
    return dict(loaded)


def _data_in(file: Path, rule: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return data_in(file)
    except Exception as error:  # a damaged file, or one that is none
        words = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"{rule} cannot be read: {words}.") from None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def save(file: Path, state: Mapping[str, Tensor], config: Mapping[str, Any], beside: Mapping[str, Any]) -> None:
    """Write a checkpoint: torch.save of model, config and the rest, or safetensors with those as JSON metadata."""
    if file.suffix not in SUFFIXES:
        raise ValueError(f"`output` must end in one of {', '.join(SUFFIXES)}. Got {file}.")
    with replacing(file) as part:
        _save(part, file.suffix, state, config, beside)


def _save(
    file: Path, suffix: str, state: Mapping[str, Tensor], config: Mapping[str, Any], beside: Mapping[str, Any]
) -> None:
    if suffix == ".safetensors":
        save_file(dict(state), file, {name: json.dumps(x) for name, x in {"config": dict(config), **beside}.items()})
    else:
        torch.save({"model": dict(state), "config": dict(config), **beside}, file)
