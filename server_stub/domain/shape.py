"""Values as plain data and back: what a stored paper holds is of its form, or it is not read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from server_stub.domain.errors import UnreadableError

T = TypeVar("T")
_PLAIN = (str, int, bool, float)


def to_data(value: Any) -> Any:
    """A value made of frozen dataclasses, tuples, mappings and plain values as JSON can hold it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_data(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [to_data(item) for item in value]
    if isinstance(value, Mapping):
        return {key: to_data(item) for key, item in value.items()}
    return value


def from_data(kind: type[T], data: Any) -> T:
    """The value of this type that `data` states; `UnreadableError` naming the field that is not of its type.

    A field that is absent takes its default: papers of earlier releases are read.
    """
    found: T = _read(kind, data, kind.__name__)
    return found


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(kind: Any, data: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _record(kind, data, where)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is tuple and isinstance(data, list):
        return tuple(_read(inner[0], item, where) for item in data)
    if origin in (dict, Mapping) and isinstance(data, dict):
        return {key: _read(inner[1], item, f"{where}.{key}") for key, item in data.items()}
    if origin is UnionType:
        if data is None and NoneType in inner:
            return None
        return _read(next(item for item in inner if item is not NoneType), data, where)
    if kind in _PLAIN and type(data) is kind:
        return data
    raise UnreadableError(f"{where}: {str(data)[:60]!r} is not of its form")


def _record(kind: Any, data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise UnreadableError(f"{where}: no record")
    hints = _hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    unknown = sorted(set(data) - set(fields))
    needed = [name for name, field in fields.items() if field.default is dataclasses.MISSING]
    missing = [name for name in needed if name not in data]
    if unknown or missing:
        raise UnreadableError(f"{where}: unknown or missing field {str((unknown + missing)[0])[:40]!r}")
    return kind(**{name: _read(hints[name], item, f"{where}.{name}") for name, item in data.items()})
