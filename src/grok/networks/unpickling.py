"""torch.save files with objects of other programs' classes in them: their data is read, and none of their code is run.

Tensors, numbers, text and plain containers come back as they are. An object of any other class comes back as a
`StandIn` with the same attributes; functions that a file asks to be called are not.
"""

import collections
import pickle
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

# What a file may name: constructors of data, which do nothing else.
ALLOWED = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("builtins", "set"): set,
    ("builtins", "frozenset"): frozenset,
    ("builtins", "complex"): complex,
    ("builtins", "bytearray"): bytearray,
    ("builtins", "slice"): slice,
    ("builtins", "range"): range,
    ("_codecs", "encode"): lambda text, encoding="latin1": str(text).encode(encoding),
    ("torch", "Size"): torch.Size,
    ("torch", "device"): torch.device,
    ("torch._utils", "_rebuild_tensor"): torch._utils._rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
    ("torch._utils", "_rebuild_parameter"): lambda data, requires_grad, hooks: data,
    ("torch.nn.parameter", "Parameter"): lambda data, *_: data,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    **{
        (module, name): pkgutil.resolve_name(f"numpy._core.multiarray:{name}")
        for module in ("numpy.core.multiarray", "numpy._core.multiarray")
        for name in ("_reconstruct", "scalar")
    },
}


class StandIn:
    """An object of a class that is not imported: the attributes that the file gives it, and no behaviour."""

    _items: dict[Any, Any]

    def __new__(cls, *_: Any, **__: Any) -> "StandIn":
        made = super().__new__(cls)
        made.__dict__["_items"] = {}  # what is put into it, where it is a container
        return made

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        for part in state if isinstance(state, tuple) else (state,):
            if isinstance(part, Mapping):
                self.__dict__.update({str(name): value for name, value in part.items()})

    def __setitem__(self, key: Any, value: Any) -> None:
        self._items[key] = value

    def append(self, value: Any) -> None:
        self._items[len(self._items)] = value

    def extend(self, values: Any) -> None:
        for value in values:
            self.append(value)

    add = append

    def __hash__(self) -> int:
        return id(self)


class Unpickler(pickle.Unpickler):
    """pickle's, with everything that is not data replaced by stand-ins."""

    def find_class(self, module: str, name: str) -> Any:
        module = "builtins" if module == "__builtin__" else module
        if (module, name) in ALLOWED:
            return ALLOWED[module, name]
        if module == "torch" and isinstance(getattr(torch, name, None), torch.dtype):
            return getattr(torch, name)
        return type(name, (StandIn,), {"__module__": module})


def _load(file: Any, **arguments: Any) -> Any:
    return Unpickler(file, **arguments).load()


READER: Any = SimpleNamespace(Unpickler=Unpickler, load=_load, __name__="grok.networks.unpickling")


def data_in(file: Path) -> Any:
    """What a file of torch.save holds, with mappings and lists for the objects in it."""
    return plain(torch.load(file, map_location="cpu", weights_only=False, pickle_module=READER))


def plain(value: Any) -> Any:
    """The same with a dictionary for each stand-in, and a state dict for each network."""
    if isinstance(value, StandIn):
        own = {name: x for name, x in vars(value).items() if name != "_items"}
        if "_parameters" in own and "_modules" in own:
            return state_dict(value)
        return {str(name): plain(x) for name, x in {**value._items, **own}.items()}
    if isinstance(value, Mapping):
        return {key if isinstance(key, int | float) else str(key): plain(x) for key, x in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(x) for x in value]
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return torch.from_numpy(value.copy())
    return value.item() if isinstance(value, np.generic) else value


def state_dict(module: StandIn, prefix: str = "") -> dict[str, Tensor]:
    """The tensors of a network that was saved as an object, by the names that its state dict would have."""
    own = vars(module)
    found = {}
    for kind in ("_parameters", "_buffers"):
        for name, tensor in dict(own.get(kind) or {}).items():
            if isinstance(tensor, Tensor):
                found[f"{prefix}{name}"] = tensor
    for name, child in dict(own.get("_modules") or {}).items():
        if isinstance(child, StandIn):
            found |= state_dict(child, f"{prefix}{name}.")
    return found
