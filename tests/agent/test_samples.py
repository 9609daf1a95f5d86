"""Samples are foreign: every line is answered, a bad one by its number and what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import SampleError
from agent.judge import judge_lines
from agent.pack import Pack
from agent.samples import BLIND, READERS, parse_sample
from tests.tries import tries


def lines(*samples: object) -> list[bytes]:
    return [sample if isinstance(sample, bytes) else json.dumps(sample).encode() for sample in samples]


def test_a_bad_line_is_answered_by_its_number_and_the_rest_is_judged(pack: Pack) -> None:
    """Between two broken lines a good one keeps its place."""
    good = {"id": "A", "os": "linux", "kind": "file", "data": {"path": "cxapi/exam.py"}}
    answers = list(judge_lines(lines(b"{", b"", good, b'"x"', {"id": "B"}, b"\xff"), pack))
    assert [answer.get("line") for answer in answers] == [1, None, 4, 5, 6]
    assert answers[1]["action"] == "report"
    errors = [answer["error"] for answer in answers if "line" in answer]
    assert all(error["code"] == "TS-A-020" and error["remedy"] for error in errors)


@pytest.mark.parametrize("kind", [*sorted(BLIND), "telepathy"])
def test_what_no_collector_sees_is_none_with_a_note(pack: Pack, kind: str) -> None:
    """Kinds that only the server or a web page could judge say so."""
    answer = next(judge_lines(lines({"id": "A", "kind": kind, "data": {"navigator_webdriver": True}}), pack))
    assert answer["action"] == "none"
    assert kind in answer["note"]


@pytest.mark.parametrize("kind", sorted(READERS))
@pytest.mark.parametrize("data", [None, 3, "x", True, [3], [[]], ["a"]])
def test_data_of_another_shape_is_refused_or_empty(kind: str, data: Any) -> None:
    """Each reader refuses what is not of its kind with an error of ours."""
    line = json.dumps({"id": "A", "kind": kind, "data": data}).encode()
    with pytest.raises(SampleError):
        parse_sample(line)


NAMES = """
    name exe cmdline pid ppid listen original_name extensions permissions header match tokens source_devices events
    flags interval_s hook foreground processes x_extensions input_devices SM_REMOTESESSION manufacturer model pnp mac
    cameras
    selected path driver tracer_pid tracer maps modules helpers rwx_anon wall_jump_s monotonic_delta_s window_s_wall
    window_s_proc_uptime peer_cert_issuer listener proxy sha256 packages accessibility sensors sockets
"""
KEYS = st.sampled_from(NAMES.split())
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just("XTEST pointer"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=tries(400))
@given(st.sampled_from(sorted(READERS)), st.dictionaries(KEYS, VALUES, max_size=6) | st.lists(VALUES, max_size=4))
def test_any_data_is_judged_or_refused(pack: Pack, kind: str, data: Any) -> None:
    """Fuzz: one answer a line, whatever the line holds; answers are plain JSON."""
    line = json.dumps({"id": "A", "os": "any", "kind": kind, "data": data}).encode()
    answer = next(judge_lines([line], pack))
    assert ("error" in answer) != ("action" in answer)
    json.dumps(answer, allow_nan=False).encode()


@given(st.binary(max_size=200))
def test_any_bytes_are_answered(pack: Pack, line: bytes) -> None:
    """Fuzz: bytes that are no sample at all."""
    assert len(list(judge_lines([line], pack))) == (1 if line.strip() else 0)


@pytest.mark.parametrize("field", ["id", "os", "kind"])
@pytest.mark.parametrize("value", [5, [], {}, None, True])
def test_a_wrong_head_is_answered(pack: Pack, field: str, value: Any) -> None:
    """Number, platform or kind of a wrong type: an answer, never a traceback."""
    sample = {"id": "A", "os": "linux", "kind": "input_events", "data": {"processes": [1]}, field: value}
    assert len(list(judge_lines(lines(sample), pack))) == 1


def test_deep_nesting_is_refused(pack: Pack) -> None:
    """A line that would exhaust a parser's stack is an error of ours."""
    assert "error" in next(judge_lines([b'{"kind":"file","data":' + b"[" * 200_000], pack))
