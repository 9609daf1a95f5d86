"""Closed JSON objects: a frozen type whose fields are all required, all checked, and nothing else is accepted."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Self

from ledger import canonical, names
from ledger.errors import FormatError, KeyFormatError
from ledger.keys import MAX_VKEY, parse_vkey

Check = Callable[[object], bool]
Table = Mapping[str, Check]
VERSION = 1


SCHEMAS: Final[dict[Check, Mapping[str, Any]]] = {}  # each check of this page as JSON Schema, for other implementers


def _published(check: Check, schema: Mapping[str, Any]) -> Check:
    SCHEMAS[check] = schema
    return check


def matching(pattern: str) -> Check:
    """A string that matches the whole pattern."""
    compiled = re.compile(pattern)
    schema = {"type": "string", "pattern": f"^(?:{pattern})$"}
    return _published(lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None, schema)


def one_of(*values: str) -> Check:
    """One of these strings."""
    return _published(lambda value: isinstance(value, str) and value in values, {"enum": list(values)})


def integer(low: int = 0, high: int = canonical.MAX_INT) -> Check:
    """An integer within both bounds."""
    schema = {"type": "integer", "minimum": low, "maximum": high}
    return _published(lambda value: type(value) is int and low <= value <= high, schema)


def text(limit: int) -> Check:
    """A string of at most `limit` characters."""
    schema = {"type": "string", "maxLength": limit}
    return _published(lambda value: isinstance(value, str) and len(value) <= limit, schema)


def many(check: Check, limit: int) -> Check:
    """A list of at most `limit` different items that each pass `check`."""

    def accepts(value: object) -> bool:
        return (
            isinstance(value, list | tuple)
            and len(value) <= limit
            and all(check(item) for item in value)
            and len(set(value)) == len(value)
        )

    return _published(accepts, {"type": "array", "maxItems": limit, "uniqueItems": True, "items": SCHEMAS[check]})


def is_vkey(value: object) -> bool:
    """The text of a verifier key."""
    try:
        return isinstance(value, str) and str(parse_vkey(value)) == value
    except KeyFormatError:
        return False


def flag(value: object) -> bool:
    """true or false."""
    return isinstance(value, bool)


def numbers(*keys: str) -> Check:
    """An object of exactly these keys, each a count or ms."""
    each = integer()
    schema = {
        "type": "object", "properties": dict.fromkeys(keys, SCHEMAS[each]), "required": sorted(keys),
        "additionalProperties": False,
    }  # fmt: skip
    return _published(
        lambda value: isinstance(value, Mapping) and set(value) == set(keys) and all(map(each, value.values())), schema
    )


def settings(value: object) -> bool:
    """An object of named settings: numbers, flags, texts, or lists of texts."""

    def plain(item: object) -> bool:
        return isinstance(item, bool | int) or text(200)(item) or many(text(64), 32)(item)

    return isinstance(value, Mapping) and len(value) <= 32 and all(map(plain, value.values()))


ID128 = matching(names.ID128)
HASH = matching(r"[0-9a-f]{64}")
HASH_OR_NONE = matching(r"[0-9a-f]{64}|none")
MS = integer()
CLASS_ORIGIN = matching(f"{names.SERVER}/c/{names.CLASS}")
NAME = matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SHORT = text(200)
REASON = text(1000)
SCHEMAS[is_vkey] = {"type": "string", "maxLength": MAX_VKEY, "description": "a verifier key (C2SP signed-note)"}
SCHEMAS[flag] = {"type": "boolean"}
SCHEMAS[settings] = {"type": "object", "maxProperties": 32, "description": "numbers, flags, texts or lists of texts"}


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """Base of a closed object. A field's JSON name is its attribute's without a trailing underscore.

    A field in `optional` may be None, and is absent from the JSON then. `error` is what its parser raises.
    """

    checks: ClassVar[Table] = {}
    optional: ClassVar[frozenset[str]] = frozenset()
    error: ClassVar[type[FormatError]] = FormatError

    def __post_init__(self) -> None:
        self.check(self.to_json())

    @classmethod
    def check(cls, obj: Mapping[str, Any]) -> None:
        """Return quietly, or raise `cls.error`: all fields are there, each of its kind, and no other."""
        wrong = (set(obj) - set(cls.checks)) | (set(cls.checks) - set(obj) - cls.optional)
        if wrong:
            raise cls.error(f"{cls.__name__.lower()}: missing or unknown field {min(wrong)!r}")
        for name, value in obj.items():
            if not cls.checks[name](value):
                raise cls.error(f"{cls.__name__.lower()}: field {name!r} is not of its kind")

    def to_json(self) -> dict[str, Any]:
        """The object as it is written, without `v` and its type."""
        values = {f.name.rstrip("_"): getattr(self, f.name) for f in dataclasses.fields(self)}
        return {name: value for name, value in values.items() if value is not None or name not in self.optional}

    @classmethod
    def from_json(cls, obj: Mapping[str, Any]) -> Self:
        """Return the object that these fields are, or raise `cls.error`."""
        cls.check(obj)
        values = {}
        for field in dataclasses.fields(cls):
            value = obj.get(field.name.rstrip("_"))
            values[field.name] = tuple(value) if isinstance(value, list) else value
        return cls(**values)

    @classmethod
    def json_schema(cls, **constants: str | int) -> dict[str, Any]:
        """The same as JSON Schema (2020-12), beside constants such as `v`; KeyError for a check that has none."""
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                **{name: {"const": value} for name, value in constants.items()},
                **{name: SCHEMAS[check] for name, check in cls.checks.items()},
            },
            "required": sorted({*constants, *cls.checks} - cls.optional),
        }


def strip_version(obj: Mapping[str, Any], error: type[FormatError]) -> dict[str, Any]:
    """The object without its `v`, which must be 1; `error` otherwise."""
    if type(obj.get("v")) is not int or obj["v"] != VERSION:
        raise error(f"version {str(obj.get('v'))[:20]!r} is not {VERSION}")
    return {name: value for name, value in obj.items() if name != "v"}
