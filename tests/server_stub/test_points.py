"""R1.8, R1.11: credit points are one figure on pages, in client and verifier; exam results stand beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from client.timeline import timeline
from ledger import course, points
from ledger.points import Rules
from ledger.report import Report
from server_stub.domain.errors import DecisionError
from server_stub.domain.figures import Progress
from tests.server_stub.classlife import at, later, ok, opened
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, Learner
from tests.server_stub.test_archive import export, study

FIELDS = ("version", "hour_tenths", "unit_tenths", "unit_complete_permille", "course_tenths", "check_tenths")
TENTHS = st.integers(0, 100)


def written(rules: Rules) -> bytes:
    return "".join(f"{name} = {getattr(rules, name)}\n" for name in FIELDS).encode()


def progress(room: Room, learner: Learner) -> Progress:
    """What the pages of the staff show of a learner."""
    registration = room.server.people.registrations(learner=learner.learner)[0]
    return room.server.services.supervision.figures.of(registration)


@pytest.mark.slow
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    table=st.builds(Rules, st.just(2), TENTHS, TENTHS, st.integers(0, 30), TENTHS, TENTHS),
    sessions=st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=3), late=st.booleans(),
)  # fmt: skip
def test_the_same_points_everywhere(
    make_room: Callable[..., Room], tmp_path_factory: pytest.TempPathFactory, table: Rules,
    sessions: list[tuple[int, bool]], late: bool,
) -> None:  # fmt: skip
    """Property: whatever was studied and whichever table is in force, server, client and verifier say the same."""
    room = make_room()
    publisher = room.server.services.publisher
    if not late:
        publisher.publish(CLASS, "points", written(table))
    learner = room.learner().ready()
    for rounds, close in sessions:
        study(learner, rounds, close=close)
    if late:
        publisher.publish(CLASS, "points", written(table))
    found = export(room, tmp_path_factory.mktemp("points") / "archive")
    mine = progress(room, learner)
    assert _said(found) == [(learner.registration, 1 if late else 2, mine.hours_tenths, mine.points)]
    credit = room.server.records.read(lambda tx: room.server.services.settler.whole(tx, learner.registration))
    lessons = course.parse(room.server.records.read(
        lambda tx: room.server.services.enrolment.in_force(tx, CLASS, "course")))  # fmt: skip
    assert credit is not None
    assert sum(line.sum("credited") for line in timeline(credit, lessons)) == found.credited_ms == mine.credited_ms


def _said(found: Report) -> list[tuple[str, int, int, int]]:
    return [(line.registration, line.table, line.hours_tenths, line.points_tenths) for line in found.points]


def test_a_class_begins_with_the_table_that_is_shipped_and_takes_a_newer_one(room: Room) -> None:
    """The version only rises; a table that is none is not published."""
    publisher = room.server.services.publisher
    assert room.server.records.read(
        lambda tx: room.server.services.enrolment.in_force(tx, CLASS, "points")
    ) == points.shipped()
    for bad in (written(Rules(1, 1, 1, 1, 1, 1)), b"version = 2\n", b"= 3\n"):
        with pytest.raises(DecisionError):
            publisher.publish(CLASS, "points", bad)
    assert publisher.publish(CLASS, "points", written(Rules(7, 1, 1, 1, 1, 1))) == 7


@pytest.mark.slow
def test_exam_results_stand_in_the_archive_as_they_were_handed_in(room: Room, tmp_path: Path) -> None:
    """R1.11: signed, once each; a corrected one follows and counts; the list again appends nothing."""
    browsers, learner = opened(room)
    later(room, browsers, 18)
    size = room.server.records.read(lambda tx: tx.log.size(CLASS))
    ok(browsers["officer"].post(at("exam"), {"text": "learner\t54\nother\t91.5"}))
    assert room.server.records.read(lambda tx: tx.log.size(CLASS)) == size + 3  # the audit and two results
    room.clock.now += 1_000
    ok(browsers["officer"].post(at("exam"), {"text": "learner\t72\nother\t91.5"}))
    assert room.server.records.read(lambda tx: tx.log.size(CLASS)) == size + 5
    found = export(room, tmp_path / "archive")
    assert {line.learner: (line.score_tenths, line.passed) for line in found.exams.values()} == {
        learner.learner: (720, True),
        next(item.learner for item in room.server.people.registrations(class_id=CLASS)
             if item.learner != learner.learner): (915, True),
    }  # fmt: skip
