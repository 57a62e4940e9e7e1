"""Short names of the settings that are typed most; `seed`, of the initial weights, is short as it is."""

SHORT = {"p": "data.p", "train_fraction": "data.train_fraction", "wd": "optim.wd", "lr": "optim.lr"}


def in_full(typed: str) -> str:
    """`wd=0` as `optim.wd=0`; whatever begins with no short name as it is."""
    name, equals, text = typed.partition("=")
    bare = name.lstrip("+~")
    sign = name.removesuffix(bare)
    return f"{sign}{SHORT[bare]}{equals}{text}" if bare in SHORT and (equals or sign) else typed
