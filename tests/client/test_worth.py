"""Credit points on the learner's screen: the figure of archive and server, by the same function, with every reason."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest

from client.courses import Shelf
from client.player import i18n
from client.player.lines import lines
from client.rights import hours
from client.study import Study
from client.worth import figure, worth
from ledger import points
from ledger.credit import Credit
from ledger.policy import parse, preset
from tests.client.world import CLASS, World
from tests.scripted import at_once

Make = Callable[..., World]
MINUTE = 60_000
STANDARD = points.standard()
POLICY = parse(preset("demo"))
RICH = b"""version = 2
hour_tenths = 10
unit_tenths = 12
unit_complete_permille = 980
course_tenths = 0
check_tenths = 1
"""


def credit(*units: tuple[int, int], passed: int = 0) -> Credit:
    """Units as (credited minutes, minutes), and so many passed checks."""
    made = [SimpleNamespace(credited_ms=done * MINUTE, duration_ms=whole * MINUTE) for done, whole in units]
    checks = [SimpleNamespace(outcome="passed")] * passed + [SimpleNamespace(outcome="missed")]
    total = sum(unit.credited_ms for unit in made)
    return cast(Credit, SimpleNamespace(units=made, credited_ms=total, sessions=[SimpleNamespace(checks=checks)]))


def test_the_reasons_add_up_to_the_points() -> None:
    """Whole class hours, complete lessons, the course: each with its sum, and together what `count` says."""
    found = credit((45, 45), (44, 45), (10, 45))
    told = worth(found, POLICY, STANDARD)
    assert (told.points, told.hours) == ("2.5", figure(points.class_hours(found.credited_ms, POLICY)))
    assert points.count(found, POLICY, STANDARD) == 25
    assert [i18n.say("en", said) for said in told.why] == [
        "+2 · whole class hours: 2, 1 each", "+0.5 · lessons complete (98 % counted): 1 of 3, 0.5 each",
        "2 more once every lesson is complete",
    ]  # fmt: skip
    assert [i18n.say("zh", said) for said in told.why][-1] == "全部课学完后，再得 2 分"


def test_a_complete_course_and_a_table_that_counts_checks() -> None:
    """A rule that gives nothing is not named; one that gives something is, once it did."""
    done = worth(credit((45, 45), passed=7), POLICY, STANDARD)
    assert [said.key for said in done.why] == ["points.hours", "points.units", "points.course"]
    rich = points.parse(RICH)
    assert [said.key for said in worth(credit((0, 45)), POLICY, rich).why] == ["points.hours", "points.units"]
    told = worth(credit((45, 45), passed=7), POLICY, rich)
    assert [said.key for said in told.why] == ["points.hours", "points.units", "points.checks"]
    assert told.points == "2.9"


@pytest.mark.parametrize(("tenths", "shown"), [(0, "0"), (5, "0.5"), (10, "1"), (123, "12.3")])
def test_tenths_as_people_write_them(tenths: int, shown: str) -> None:
    """No zero behind the point, none missing before it."""
    assert figure(tenths) == shown


@pytest.mark.slow
def test_the_screen_the_server_and_the_archive_say_the_same(make_world: Make) -> None:
    """A unit of a minute studied whole: the lesson and the course, 2.5 points on the result, the records, the server's
    pages and in the archive; a table that is published meanwhile changes nobody's."""
    world = make_world(units=(("pass", 60_000),))
    pc = world.machine(face=True)
    shelf = Shelf(pc.enrolment, "client", "agent", pc.clock)
    shelf.prepare()
    assert shelf.overview()[1][0].worth is None, "nothing was studied: no zero that looks like a result"
    opened = shelf.open(pc.registration.registration)
    study = Study(pc.ports, opened.lesson, at_once)
    study.press("play")
    pc.run(study, 20_000)
    world.server.services.publisher.publish(CLASS, "points", RICH)
    pc.run(study, 20 * MINUTE, until="done")
    result = study.result()
    assert result is not None
    assert result.worth is not None
    assert [said.key for said in result.worth.why] == ["points.hours", "points.units", "points.course"]
    opened.close()
    pc.send_all()
    again = Shelf(pc.enrolment, "client", "agent", pc.clock)  # another start of the client
    course = again.overview()[1][0]
    registration = pc.registration.registration
    counted = world.server.records.read(lambda tx: world.server.services.settler.worth(tx, registration))
    assert counted is not None
    (line,) = world.verified().points
    figures = [result.worth.points, course.worth.points, figure(counted.points_tenths), figure(line.points_tenths)]
    assert figures == ["2.5"] * 4
    assert hours(course).worth == course.worth == result.worth
    assert any("2.5" in said for said in lines(result, "en").told)
