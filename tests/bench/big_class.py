"""A class of any size for the benchmarks: every event signed for real, exported as a real archive.

    python -m tests.bench.big_class OUT --sessions 1000 --segments 20 --events 50

Four sessions a learner; in each the unit plays from its beginning, checks fall due and are passed, and the rest of a
segment is what an agent and a camera say: heartbeats, presence, focus. Prints one line of JSON: what was made.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from ledger import course as courses
from ledger import events as ev
from ledger import policy as policies
from ledger.credit import SessionRecord, credit
from ledger.events import Event
from ledger.schedule import Order
from ledger.sessionlog import Stamp
from tests.ledger.builder import Classroom, Device, Session

SESSIONS_A_LEARNER = 4
RULES = (
    policies.preset("demo")
    .replace(b"min_gap_ms = 3_000", b"min_gap_ms = 60_000")
    .replace(b"max_gap_ms = 30_000", b"max_gap_ms = 900_000")
    .replace(b"segment_ms = 10_000", b"segment_ms = 30_000")
)
HASH = sha256(b"").hexdigest()


class Lesson(Session):
    """A session that remembers its events and times until it is settled."""

    def __post_init__(self) -> None:
        self.order = len(self.room.entries)
        self.kept: list[Event] = []
        self.stamps: list[Stamp] = []
        self.last = (0, 0)
        self.drawn = 0
        self.prev = self.owner.prev.sid if self.owner.prev else None
        super().__post_init__()

    def say(self, body: ev.Body, *, mono: int | None = None) -> int:
        """Append an event and remember it."""
        seq, now = len(self.log), self.room.now
        salt = sha256(b"%d" % seq + self.seed).hexdigest()[:32]
        event = Event(seq, now, now - self.began if mono is None else mono, self.sid, salt, body)
        self.desk.feed(event)
        self.put(ev.encode(event))
        self.kept.append(event)
        return seq

    def upload(self) -> tuple[str, Order | None]:
        """As always; the time of the cosignature is remembered."""
        size, time = len(self.log), self.room.now // 1000
        self.stamps.append(Stamp(size, size, time))
        self.last = (size, time)
        return super().upload()

    def fill(self, count: int) -> None:
        """Let the agent and the camera speak."""
        for _ in range(count):
            self.drawn += 1
            mono = self.room.now - self.began
            match self.drawn % 4:
                case 0:
                    self.say(ev.Heartbeat(self.drawn, mono, mono + 60_000, HASH, HASH, "none"))
                case 1:
                    self.say(ev.Focus(gained=True, covered=0, source="x11"))
                case _:
                    self.say(ev.Presence(1))

    def run(self, segments: int, events: int, segment_ms: int) -> None:
        """Study so many segments of so many events each."""
        for _ in range(segments):
            begin = self.room.now - self.began
            self.fill(events // 2 - 1)
            self.room.now += segment_ms
            self.say(ev.Played(self.unit, self.at, self.at + segment_ms, 1000, begin, segment_ms // 40))
            self.at += segment_ms
            self.fill(events - events // 2 - 1)
            self.segment()

    def record(self) -> SessionRecord:
        """The session as credit takes it."""
        closing = self.stamps[-1]  # stands in no event
        return SessionRecord(
            grant=self.grant, order=self.order, events=self.kept, stamps=[s for s in self.stamps if s != closing],
            last=self.last, prev=self.prev, seed=self.seed, issued=self.desk.issued,
        )  # fmt: skip


def lessons(room: Classroom, device: Device, segments: int, events: int) -> Iterator[Lesson]:
    """One learner's sessions, revealed but not settled."""
    for n in range(SESSIONS_A_LEARNER):
        lesson = Lesson(room, device, lambda order: ("passed", "ok", 1_000), {})
        lesson.unit = f"u{n % 2 + 1}"
        lesson.run(segments, events, min(30_000, 600_000 // segments))
        lesson.close()
        room.sessions.append(lesson)
        room.now += 60_000
        yield lesson


def make(out: Path, sessions: int, segments: int, events: int) -> dict[str, int]:
    """Write the archive and its trust file (`OUT.trust`); return counts."""
    room = Classroom(policy=RULES, witnesses=1)
    rules, course = policies.parse(RULES), courses.parse(room.documents["course"])
    for _ in range(-(-sessions // SESSIONS_A_LEARNER)):
        device = room.device(room.learner())
        records = [lesson.record() for lesson in lessons(room, device, segments, events)]
        for settled in credit(records, course, rules).sessions:
            session = next(s for s in room.sessions[-SESSIONS_A_LEARNER:] if s.sid == settled.sid)
            session.settle(settled.credited_ms)
            session.kept.clear()  # type: ignore[attr-defined]
        room.anchor()
    report = room.export(out)
    out.with_suffix(".trust").write_text(str(room.trust()))
    return {
        "sessions": len(room.sessions),
        "events": sum(session.sent for session in room.sessions),
        "segments": sum(len(session.stamps) for session in room.sessions if isinstance(session, Lesson)),
        "credited_ms": report.credited_ms,
    }


def main() -> int:
    """Make one archive."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.big_class", description=__doc__)
    parser.add_argument("out", type=Path)
    for name, default in (("sessions", 4), ("segments", 20), ("events", 50)):
        parser.add_argument(f"--{name}", type=int, default=default)
    arguments = parser.parse_args()
    json.dump(make(arguments.out, arguments.sessions, arguments.segments, arguments.events), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
