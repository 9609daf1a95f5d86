"""The short way to read an event and the long way say the same, for every line that the short way reads."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import canonical, events, forms
from ledger.errors import FormatError
from ledger.kinds import JsonMap, Kind
from tests.ledger.builder import Classroom
from tests.tries import tries

SHORT = sorted(verb for verb in events.VERBS if verb not in ("answered", "finding"))


def values(schema: JsonMap) -> st.SearchStrategy[object]:
    """Any value of a schema, and now and then one just beyond it."""
    if "anyOf" in schema:
        return st.one_of([values(option) for option in schema["anyOf"]])
    match schema["type"]:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans() | st.integers(0, 1)
        case "integer":
            low, high = schema["minimum"], schema["maximum"]
            return st.integers(low, high) | st.sampled_from([low - 1, low, high, high + 1, True])
    if "enum" in schema:
        return st.sampled_from([*schema["enum"], "", "other"])
    if "pattern" in schema:
        return st.from_regex(rf"\A(?:{schema['pattern']})\Z") | st.just("") | st.text(max_size=5)
    limit = schema["maxLength"]
    edges = ["a" * limit, "a" * (limit + 1), '"', "\\", "\x7f\u2028\n"]
    return st.text(max_size=min(limit, 40)) | st.sampled_from(edges)


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """A line of some verb, canonical but for what is drawn wrong."""
    verb = draw(st.sampled_from(SHORT))
    fields = {name: draw(values(kind.schema)) for name, kind in events._KINDS[verb].items()}
    return canonical._dumps({"v": 1, "verb": verb, **fields})


def compare(data: bytes) -> None:
    short = events.decode_short(data)
    if short is not None:
        assert short == events.decode_long(data)
        assert events.encode(short) == data
        assert [type(v) for v in short.body.fields().values()] == [
            type(v) for v in events.decode_long(data).body.fields().values()
        ]


@settings(max_examples=tries(300), deadline=None)
@given(lines())
def test_what_the_short_way_reads_the_long_way_reads_the_same(data: bytes) -> None:
    """No line gets past the short way that the long way would refuse, and both give one event."""
    compare(data)


@settings(max_examples=tries(300), deadline=None)
@given(lines(), st.data())
def test_a_bent_line_does_not_get_past_the_short_way(data: bytes, draw: st.DataObject) -> None:
    """One piece replaced by what JSON could also say: a space, an escape, another number, another key, raw bytes."""
    at = draw.draw(st.integers(0, len(data)))
    end = min(len(data), at + draw.draw(st.integers(0, 3)))
    parts = st.sampled_from([b" ", b"0", b"-", b".", b"e1", b"\\u0061", b'"', b",", b"\xff", b"\xed\xa0\x80", b"\n"])
    compare(data[:at] + draw.draw(parts | st.binary(max_size=2)) + data[end:])


def test_a_real_session_goes_the_short_way() -> None:
    """All but the grant's own event (a note has line ends, which are escaped) and answers is read the short way."""
    room = Classroom()
    session = room.session(room.device(room.learner())).study(60_000).close()
    long = [data for data in session.log if events.decode_short(data) is None]
    assert {events.decode(data).body.verb for data in long} == {"opened", "answered"}


def test_every_verb_but_those_with_free_objects_has_a_short_form() -> None:
    """The table of forms is made of the table of verbs."""
    assert sorted(verb for verb, form in events._FORMS.items() if form) == SHORT


@pytest.mark.parametrize("pattern", [r'a"b', r"a.b", r"[^a]b", r"\d"])
def test_a_kind_whose_pattern_might_match_an_escape_has_no_short_form(pattern: str) -> None:
    """A pattern that could run over the end of a string is left to the long way."""
    own = {"a": Kind("x", {"type": "string", "pattern": pattern})}
    assert forms.form({"v": 1}, {"b": events.COUNT}, own, events.Event, events.Closed) is None


def test_the_long_way_says_what_is_wrong() -> None:
    """A line of no form is refused by the long way's words."""
    with pytest.raises(FormatError, match="canonical"):
        events.decode(b'{ "v":1}')
