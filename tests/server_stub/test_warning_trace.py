"""The figures of a session: from signed bytes as from values, in one go as in pieces, and blind for route and aids."""

from __future__ import annotations

import json
import random
from itertools import pairwise

import pytest

from ledger import events, note, segment
from ledger.events import Answered, Ordered
from ledger.sessionlog import Expected, SessionLog
from ledger.tree import leaf_hash
from server_stub.domain.warnings import trace
from server_stub.domain.warnings.trace import from_json
from tests.server_stub.cohorts import NOW, Maker
from tests.server_stub.learner import SERVER
from tests.server_stub.tape import Agent, Line, Tape


def lesson(label: str = "honest", seed: int = 7) -> Tape:
    maker = Maker(seed)
    person = maker.person(label, "c1")
    tape = maker.tape(person, NOW)
    maker.study(person, tape, 12)
    tape.close()
    return tape


def plain(address: str = "60.1.1.1") -> Tape:
    """A session without chance in it."""
    return Tape(random.Random(1), "ab" * 16, "c1", NOW, address, Line(), Agent(0.0, 0.0, NOW - 3_600_000))


def test_a_signed_session_verifies_and_says_what_its_events_say() -> None:
    """What the cohorts count is what a server reads from signed bytes, and `ledger` has nothing against those."""
    tape = lesson()
    signed = tape.signed()
    parts = list(signed.segments())
    expected = Expected(signed.cert.decode(), note.digest(note.parse(signed.grant).text), (signed.cosigner.vkey,))
    log = SessionLog(SERVER, tape.sid, expected)
    for _, body in parts:
        for entry in segment.parse_kept(body).entries:
            log.add(entry, leaf_hash(entry))
    assert log.fault is None
    assert len(log.stamps) == len(parts) - 2  # the answers to the last two stand in no event
    assert trace.read(tape.blank(), parts) == tape.trace()


def test_reading_on_is_reading_at_once() -> None:
    """The server reads each segment once; what it kept in between goes through JSON."""
    tape = lesson(seed=8)
    parts = list(tape.signed().segments())
    found = tape.blank()
    for at in range(1, len(parts) + 1):
        kept = from_json(json.loads(json.dumps(found.to_json())))
        assert kept == found
        found = trace.read(kept, parts[:at])  # all so far: what was read before is passed over
    assert found == tape.trace()


def test_figures_of_another_version_are_read_again() -> None:
    kept = lesson().trace().to_json()
    assert from_json({**kept, "v": 0}) is None
    assert from_json([]) is None


def test_route_and_aids_leave_no_mark() -> None:
    """R4, fairness: kind of check, models, deadline and scores of every answer changed: not one figure is another."""
    tape = lesson(seed=9)
    before = tape.trace()
    for _, said in tape.segments:
        for at, event in enumerate(said):
            body = event.body
            if isinstance(body, Answered):
                body = Answered(body.i, body.a, "identify", body.result, body.reason, {}, {"code": "cd" * 32}, None)
            elif isinstance(body, Ordered):
                body = Ordered(body.i, body.a, body.nonce, 600_000)
            said[at] = event._replace(body=body)
    assert tape.trace() == before


def test_what_is_no_event_is_counted_and_passed_over() -> None:
    tape = plain()
    tape.play(40_000)
    tape.close()
    parts = []
    for time, body in tape.signed().segments():
        parsed = segment.parse_kept(body)
        entries = [b"nonsense" if at == 1 else entry for at, entry in enumerate(parsed.entries)]
        parts.append((time, segment.build(parsed.old, bytes(parsed.note), entries)))
    found = trace.read(tape.blank(), parts)
    assert found.unreadable == len([part for part in parts if len(segment.parse_kept(part[1]).entries) > 1])
    assert found.size == tape.trace().size


def test_play_faster_than_the_clock_and_a_clock_that_leads_are_seen() -> None:
    """R2.2, R3.2: more media than time, and a device clock that runs ahead of ours."""
    tape = plain()
    tape.play(60_000, media=4.0)
    tape.close()
    found = tape.trace()
    assert len(found.faster) > 3
    assert found.ahead_ms == 0
    fast = [(NOW // 1000 + at, said) for at, (_, said) in enumerate(tape.segments)]
    tape.segments = fast  # a minute of events within three seconds of ours
    assert tape.trace().ahead_ms > 50_000


def test_outcomes_are_those_of_the_last_attempts() -> None:
    """R2.1: another face, a late answer, a dark room and an unanswered order are four things."""
    tape = plain()
    tape.check(3_000)
    tape.check(3_000, "failed", "other_person")
    tape.check(61_000, "inconclusive", "late")
    tape.check(3_000, "inconclusive", "dark")
    tape.cut()
    tape.add(Ordered(9, 0, "ab" * 16, 60_000))
    tape.close()
    assert [item.outcome for item in tape.trace().checks] == ["passed", "mismatch", "missed", "unclear", "open"]


def test_a_machine_shows_by_when_it_was_started() -> None:
    assert abs(plain().trace().boot_at) == 0
    tape = plain()
    tape.play(40_000)
    tape.close()
    assert abs(tape.trace().boot_at - (NOW - 3_600_000)) < 100


@pytest.mark.parametrize("seed", range(3))
def test_every_made_event_is_of_the_closed_vocabulary(seed: int) -> None:
    tape = lesson(seed=seed)
    said = [event for _, segment_ in tape.segments for event in segment_]
    assert [event.seq for event in said] == list(range(len(said)))
    assert all(one.mono <= other.mono for one, other in pairwise(said))
    assert [events.decode(events.encode(event)).body.verb for event in said] == [event.body.verb for event in said]
