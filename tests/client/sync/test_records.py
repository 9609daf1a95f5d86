"""Where the learner goes on: at the first stretch that is not counted and can no longer come to count by itself."""

from __future__ import annotations

from pathlib import Path

from client.sync.records import Records
from ledger import policy as policies
from ledger.checks import Check
from ledger.course import Course, parse
from ledger.credit import Credit, Part, SessionCredit, UnitCredit

SID = "ab" * 16


def course() -> Course:
    root = Path(__file__).resolve().parents[3]
    return parse((root / "client/player/demo_course/course.toml").read_bytes())


def after_a_kill(*checks: Check) -> Credit:
    """One session: six seconds counted, three seconds whose records the server has not confirmed."""
    unit = course().units[0]
    counted = Part(SID, 13, 29, unit.id, 0, 6_000, "")
    unconfirmed = Part(SID, 37, 37, unit.id, 6_000, 9_000, "pending")
    session = SessionCredit(SID, 6_000, 9_000, 9_000, 0, 0, (counted,), (unconfirmed,), checks, (), seed_wrong=False)
    return Credit(6_000, (session,), (UnitCredit(unit.id, unit.duration_ms, ((0, 6_000),), 6_000),))


def place(found: Credit, tmp_path: Path) -> int:
    records = Records(tmp_path / "outbox.db", "r", course(), policies.parse(policies.preset("demo")))
    return records.place(found).position_ms


def check(seq: int) -> Check:
    return Check((seq, 1), 2, "online", "missed", "pending", 1)


def test_what_was_played_after_the_last_check_is_studied_first(tmp_path: Path) -> None:
    """The client was killed three seconds after a check: no check of that session can prove them any more."""
    assert place(after_a_kill(check(34)), tmp_path) == 6_000


def test_what_only_waits_for_the_network_is_not_studied_again(tmp_path: Path) -> None:
    """A check followed it; as soon as the server confirms the records, it counts."""
    assert place(after_a_kill(check(34), check(40)), tmp_path) == 9_000
