"""Members of a JSON object, checked one by one before they are believed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

# Greater numbers are refused, because sums of them would overflow.
_HUGE = 1e300


class UnknownMember(Exception):  # noqa: N818 - said in the terms of the caller
    """A member that this program does not know, so that the file must be newer.

    Args:
        where: the path of the member, such as ``settings.roi``.
    """

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where


def refuse_unknown(value: dict[str, Any], known: Collection[str], where: str) -> None:
    """Raises UnknownMember for a member that is not known."""
    for name in value:
        if name not in known:
            raise UnknownMember(f"{where}{name}")


def is_of(value: Any, kind: type) -> bool:
    """Whether a JSON value is of a type; an integer is also a float, a bool is not an integer, and NaN is nothing."""
    if isinstance(value, bool):
        return kind is bool
    if kind is float:
        return isinstance(value, int | float) and -_HUGE < value < _HUGE
    if kind is int:
        return isinstance(value, int) and -_HUGE < value < _HUGE
    return isinstance(value, kind)


def member(value: Any, name: str, kind: type) -> Any:
    """A member of a type.

    Raises:
        ValueError: it is missing, or of another type.
    """
    if not isinstance(value, dict) or name not in value or not is_of(value[name], kind):
        raise ValueError(f"{name!r} is missing, or is not of type {kind.__name__}")
    # Another program may have written 1.0 as 1.
    return kind(value[name])


def list_of(value: dict[str, Any], name: str, kind: type) -> list[Any]:
    """A member that is a list of values of a type.

    Raises:
        ValueError: it is missing, or something else.
    """
    entries = member(value, name, list)
    if not all(is_of(entry, kind) for entry in entries):
        raise ValueError(f"{name!r} holds something that is not of type {kind.__name__}")
    if kind is float:
        # Another program may have written 1.0 as 1.
        return list(map(float, entries))
    return list(entries)


def objects(value: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """A member that is a list of objects; see `list_of`."""
    return list_of(value, name, dict)
