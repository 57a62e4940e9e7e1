"""What a user may type for a number, refused in one sentence each."""

from typing import Any


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
