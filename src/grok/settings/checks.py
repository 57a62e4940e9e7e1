"""What a user may type for a number, refused in one sentence each."""

import os
from typing import Any

GIGABYTE = 10**9


def is_whole(value: Any) -> bool:
    """Whether `value` is an integer (True and False are none)."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether `value` is an integer or a float, nan included."""
    return isinstance(value, float) or is_whole(value)


def require_whole(name: str, value: Any, least: int, unit: str = "") -> None:
    """Raise `ValueError` unless `value`, typed as `name`, is a whole number, `least` or more."""
    if not is_whole(value) or value < least:
        raise ValueError(f"`{name}` must be a whole number{unit}, {least} or more. Got {value!r}.")


def require_room(names: str, what: str, size: float) -> None:
    """Raise `ValueError` where `what`, as the settings `names` have it, needs more bytes than this machine has."""
    has = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if size > has:
        raise ValueError(
            f"{names} must leave a size that fits into memory. Got {what}, which takes {size / GIGABYTE:,.3g} GB; this"
            f" machine has {has / GIGABYTE:.3g}."
        )


def require_pairs_fit(p: int) -> None:
    """Raise `ValueError` where p² pairs with their answers and places do not fit into memory."""
    require_room("`p`", f"{p:,}", 64 * p * p)
