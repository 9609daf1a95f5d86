"""Canonical lines: one object, one byte string, for every encoder."""

from __future__ import annotations

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ledger import canonical
from ledger.errors import CanonicalError

KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters=[chr(i) for i in range(32) if i != 10]))
PLAIN = st.none() | st.booleans() | st.integers(-canonical.MAX_INT, canonical.MAX_INT) | TEXT
NESTED = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)


def depth(value: Any) -> int:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (isinstance(value, dict | list)) + max((depth(item) for item in items), default=0)


OBJECTS = st.dictionaries(KEYS, NESTED, max_size=6).filter(lambda obj: depth(obj) <= canonical.MAX_DEPTH)


@given(OBJECTS)
def test_json_orjson_and_rfc8785_agree_byte_for_byte(obj: dict[str, Any]) -> None:
    """In our profile any of the three encoders writes the same bytes, and reading them gives the object back."""
    data = canonical.encode(obj)
    assert data == rfc8785.dumps(obj) == canonical._json_dumps(obj)
    assert canonical.decode(data) == obj
    assert b"\n" not in data


@given(st.binary(max_size=200) | OBJECTS.map(lambda o: json.dumps(o).encode()))
def test_whatever_is_read_is_canonical(data: bytes) -> None:
    """Any bytes are either refused with our error or are exactly what encoding the result writes."""
    try:
        obj = canonical.decode(data)
    except CanonicalError:
        return
    assert canonical.encode(obj) == data


@pytest.mark.parametrize(
    "data",
    [
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1}\n',
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":-0}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":9007199254740992}',
        b'{"a":' + b"9" * 400 + b"}",
        b'{"A":1}',
        b'{"":1}',
        b'{"a":"\\u0041"}',
        b'{"a":"\\/"}',
        b'{"a":"\\t"}',
        b'{"a":"\\u0000"}',
        b'{"a":"\t"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\xff"}',
        b'{"a":"\xc0\xaf"}',
        b"\xef\xbb\xbf{}",
        b"[]",
        b"1",
        b"",
        b"{",
        b'{"a":{"a":{"a":{"a":{}}}}}',
        b'{"a":' + b"[" * 100_000,
        b'{"a":"' + b"x" * canonical.MAX_BYTES + b'"}',
    ],
    ids=lambda data: data[:24].decode("latin-1").replace("\\", "/"),
)
def test_any_other_spelling_is_refused(data: bytes) -> None:
    """Order, spaces, escapes, floats, duplicate or odd keys, deep nesting, bad UTF-8: refused, never repaired."""
    with pytest.raises(CanonicalError):
        canonical.decode(data)


def test_the_reader_without_orjson_refuses_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verifier may run on the standard library alone; floats, NaN and duplicates are refused there, too."""
    monkeypatch.setattr(canonical, "_loads", canonical._json_loads)
    monkeypatch.setattr(canonical, "_dumps", canonical._json_dumps)
    assert canonical.decode(b'{"a":[1,"\\n"]}') == {"a": [1, "\n"]}
    for data in (b'{"a":1.5}', b'{"a":NaN}', b'{"a":1,"a":1}', b'{"a":"\xff"}', b'{"a":' + b"9" * 5000 + b"}"):
        with pytest.raises(CanonicalError):
            canonical.decode(data)


@pytest.mark.parametrize(
    "obj", [{"a": 1.5}, {"a": b"x"}, {"a": "\r"}, {"a": "\ud800"}, {"a b": 1}, {1: 2}, {"a": 2**53}]
)
def test_what_has_no_canonical_form_is_not_written(obj: dict[Any, Any]) -> None:
    """The writer refuses what the reader would."""
    with pytest.raises(CanonicalError):
        canonical.encode(obj)


def test_a_line_feed_in_a_string_leaves_the_object_one_line() -> None:
    """U+000A is allowed inside a string and written as backslash n."""
    assert canonical.encode({"cert": "a\nb"}) == b'{"cert":"a\\nb"}'
