"""One object, one byte string: the restricted profile of RFC 8785 in which every signed JSON line is written.

Keys `[a-z][a-z0-9_]*`; no floats; |int| <= 2**53 - 1; no duplicate keys; no control character in a string but U+000A
(written as `\\n`, so that an object stays one line); nesting <= 4, the outer object included; <= 60 KiB. In this
profile json, orjson and rfc8785 agree byte for byte (docs/wire-format.md, "Canonical JSON").
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ledger.errors import CanonicalError

MAX_BYTES = 60 * 1024  # an entry must fit the u16 length of an entry bundle, with room to spare
MAX_DEPTH = 4  # the outer object counts as one
MAX_INT = 2**53 - 1  # what an IEEE double, and so every JSON reader, holds exactly

_KEY = re.compile(r"[a-z][a-z0-9_]*")
_FORBIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_TOO_DEEP = f"nested deeper than {MAX_DEPTH}"


def _refuse_number(text: str) -> None:
    raise CanonicalError(f"number {text[:40]!r} is not an integer")


# made once: making them anew for each line would take half of the time
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_DECODER = json.JSONDecoder(parse_float=_refuse_number, parse_constant=_refuse_number)


def _json_dumps(obj: object) -> bytes:
    return _ENCODER.encode(obj).encode()


def _json_loads(data: bytes) -> object:
    return _DECODER.decode(data.decode())


_dumps: Callable[[object], bytes] = _json_dumps
_loads: Callable[[bytes], object] = _json_loads
try:
    import orjson
except ImportError:  # the verifier runs on stdlib + cryptography alone
    pass
else:
    _dumps = lambda obj: orjson.dumps(obj, option=orjson.OPT_SORT_KEYS)  # noqa: E731
    _loads = orjson.loads


def encode(obj: Mapping[str, object], *, limit: int = MAX_BYTES) -> bytes:
    """Return the canonical bytes of `obj` (one line, no newline), or raise `CanonicalError`."""
    _check(obj, 1)
    try:
        data = _dumps(obj)
    except (ValueError, TypeError, RecursionError) as error:
        raise CanonicalError(f"cannot be written: {error}") from error
    if len(data) > limit:
        raise CanonicalError(f"{len(data)} bytes, more than {limit}")
    return data


def decode(data: bytes, *, limit: int = MAX_BYTES) -> dict[str, Any]:
    """Return the object whose canonical bytes are exactly `data`, or raise `CanonicalError`."""
    if len(data) > limit:
        raise CanonicalError(f"{len(data)} bytes, more than {limit}")
    try:
        data.decode()
        _check_nesting(data)
        obj = _loads(data)
        if not isinstance(obj, dict):
            raise CanonicalError("not a JSON object")
        _check(obj, 1)
        again = _dumps(obj)
    except (ValueError, TypeError, RecursionError) as error:
        raise CanonicalError(f"not JSON of the profile: {error}") from error
    if again != data:
        raise CanonicalError("not in canonical form (order, spacing, escapes or a duplicate key)")
    return obj


def _check_nesting(data: bytes) -> None:
    """Refuse deep nesting before any parser sees it: a parser's own stack is the first thing to fall."""
    if data.count(b"{") + data.count(b"[") <= MAX_DEPTH:
        return
    depth = 0
    for byte in _STRING.sub(b"", data):
        if byte in b"{[":
            depth += 1
            if depth > MAX_DEPTH:
                raise CanonicalError(_TOO_DEEP)
        elif byte in b"}]":
            depth -= 1


def _check(value: Any, depth: int) -> None:
    kind = type(value)
    if kind is str:
        if _FORBIDDEN.search(value):
            raise CanonicalError("a string holds a control character or half a surrogate pair")
    elif kind is int:
        if not -MAX_INT <= value <= MAX_INT:
            raise CanonicalError(f"integer beyond 2**53 - 1: {str(value)[:40]}")
    elif kind in (dict, list, tuple) or isinstance(value, Mapping):
        if depth > MAX_DEPTH:
            raise CanonicalError(_TOO_DEEP)
        if kind is not list and kind is not tuple:
            for key in value:
                if type(key) is not str or not _KEY.fullmatch(key):
                    raise CanonicalError(f"key {str(key)[:40]!r} is not [a-z][a-z0-9_]*")
            value = value.values()
        for item in value:
            _check(item, depth + 1)
    elif kind is not bool and value is not None:
        raise CanonicalError(f"a value of type {kind.__name__} has no place here")
