"""Labelled synthetic cohorts: whole classes of learners with habits, honest in many ways and otherwise in a few.

What is assumed of honest people is written at `Habits`: it decides what false alarms mean here. Nothing is drawn from
real learners; the figures are the author's, wide on purpose.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Final

from server_stub.domain.warnings.judge import World
from server_stub.domain.warnings.networks import Block, Networks, parse_list
from server_stub.domain.warnings.shared import Roster
from server_stub.domain.warnings.trace import Trace
from tests.server_stub.tape import Agent, Line, Tape

NOW: Final = 1_795_000_000_000
DAY: Final = 86_400_000
HOUR: Final = 3_600_000
MINUTE: Final = 60_000
NETWORKS: Final = b"""
home = ["CN"]
[[network]]
cidr = "36.110.8.0/24"
kind = "classroom"
name = "school lab"
[[network]]
cidr = "117.136.0.0/16"
kind = "carrier"
name = "mobile carrier"
[[network]]
cidr = "58.30.20.0/28"
kind = "office"
name = "works"
"""
BLOCKS: Final = (
    Block(4, 36 << 24, (37 << 24) - 1, "CN"), Block(4, 58 << 24, (59 << 24) - 1, "CN"),
    Block(4, 117 << 24, (118 << 24) - 1, "CN"), Block(4, 60 << 24, (61 << 24) - 1, "CN"),
    Block(4, 81 << 24, (82 << 24) - 1, "DE"), Block(4, 126 << 24, (127 << 24) - 1, "JP"),
)  # fmt: skip
ITEMS: Final = 6  # questions a lesson


def networks() -> Networks:
    """The operator's list, and which country a block was given to."""
    listed, home = parse_list(NETWORKS)
    return Networks(listed, BLOCKS, home)


@dataclass
class Habits:
    """How somebody studies. Rates are per hour of play; times in ms."""

    sessions: int = 4
    minutes: tuple[int, int] = (20, 60)
    hours: tuple[int, ...] = (8, 12, 19, 20, 21, 22)  # when lessons begin, local time; 0–3 at night
    flicker: float = 8.0  # looks away so long that the camera sees no face, twice in a row
    pauses: float = 2.0  # rests, telephone, another window
    away: float = 0.5  # leaves the seat
    away_ms: int = 90_000
    glance_ms: float = 2_500.0  # from the notice to the answer of a check: median …
    glance_spread: float = 0.5  # … and sigma of its logarithm
    misses: float = 0.02
    unclear: float = 0.03
    mismatch: float = 0.003
    kind: str = "match"
    think_ms: float = 12_000.0
    first_right: float = 0.75
    bad_line: bool = False
    rough: float = 0.3
    rough_ms: float = 2.0
    findings: float = 0.02  # chance a session
    grave: float = 0.0
    addresses: tuple[str, ...] = ()
    rate: int = 1000


@dataclass
class Person:
    """One labelled learner with the sessions so far."""

    name: str
    label: str
    class_id: str
    habits: Habits
    traces: list[Trace] = field(default_factory=list)
    tapes: list[Tape] = field(default_factory=list)  # some, to be signed


class Maker:
    """Makes people and their sessions from one seed."""

    def __init__(self, seed: int, *, keep_tapes: int = 0) -> None:
        self.rng = random.Random(seed)
        self.people: list[Person] = []
        self.keep = keep_tapes
        self._made = 0

    # --- people -------------------------------------------------------------------------------------------------------

    def person(self, label: str, class_id: str, habits: Habits | None = None) -> Person:
        """Somebody new; honest habits unless others are given."""
        made = Person(self.rng.randbytes(16).hex(), label, class_id, habits or self.honest())
        self.people.append(made)
        return made

    def honest(self) -> Habits:
        """One of many ways in which honest people study."""
        rng = self.rng
        habits = Habits(
            sessions=rng.choice((2, 3, 3, 4, 4, 5, 6, 8)),
            hours=rng.choice(((8, 9, 10), (12, 13), (19, 20, 21), (19, 20, 21, 22), (22, 23, 0, 1, 2), (5, 6, 7))),
            flicker=max(1.0, rng.lognormvariate(2.0, 0.9)), pauses=max(0.5, rng.lognormvariate(0.7, 0.8)),
            away=rng.lognormvariate(-0.7, 1.0), away_ms=int(rng.lognormvariate(11.2, 0.8)),
            glance_ms=rng.lognormvariate(7.8, 0.4), glance_spread=rng.uniform(0.1, 0.9),
            misses=min(0.12, rng.lognormvariate(-4.2, 0.9)), unclear=rng.uniform(0, 0.1),
            think_ms=rng.lognormvariate(9.4, 0.5), first_right=rng.uniform(0.5, 0.95),
            bad_line=rng.random() < 0.15, rough=rng.choice((0.1, 0.3, 0.6, 0.9)), rough_ms=rng.choice((1.0, 2.0, 8.0)),
            findings=rng.choice((0.0, 0.0, 0.0, 0.05, 0.15)), addresses=(self.home(),),
        )  # fmt: skip
        return self._unusual(habits)

    def _unusual(self, habits: Habits) -> Habits:
        """Rare and honest: who sits still, an old photo, a clicker, a traveller, a phone, a forgotten tool."""
        lot = self.rng.random()
        if lot < 0.03:
            habits.flicker, habits.pauses, habits.away = 1.0, 1.0, 0.1
        elif lot < 0.05:
            habits.mismatch = 0.04
        elif lot < 0.08:
            habits.think_ms = 3_500.0
        elif lot < 0.10:
            habits.addresses = (*habits.addresses, self.home("81"))
        elif lot < 0.25:
            habits.addresses = tuple(self.carrier() for _ in range(4))
        elif lot < 0.27:
            habits.glance_spread, habits.flicker = 0.05, 2.0
        elif lot < 0.272:
            habits.grave = 0.3
        return habits

    def home(self, net: str = "60") -> str:
        """A household's address."""
        return f"{net}.{self.rng.randrange(256)}.{self.rng.randrange(256)}.{self.rng.randrange(1, 255)}"

    def carrier(self) -> str:
        """One of a few addresses of a mobile carrier, shared by thousands."""
        return f"117.136.{self.rng.randrange(4)}.{self.rng.randrange(1, 20)}"

    # --- sessions -----------------------------------------------------------------------------------------------------

    def begins(self, habits: Habits, at: int) -> int:
        """When session `at` begins: some evening, morning or night of the last ten days."""
        day = NOW - 11 * DAY + at * 10 * DAY // max(1, habits.sessions)
        return day // DAY * DAY - 8 * HOUR + self.rng.choice(habits.hours) * HOUR + self.rng.randrange(HOUR)

    def free(self, person: Person, begun: int) -> int:
        """`begun`, or ten minutes after whatever of this person's would still run then."""
        late = [trace for trace in person.traces if trace.granted_at < begun + 3 * HOUR]
        return max([begun, *(trace.granted_at + trace.mono + 10 * MINUTE for trace in late)])

    def tape(self, person: Person, begun: int, address: str = "", boot_at: int = 0) -> Tape:
        """An empty session of this person."""
        rng, habits = self.rng, person.habits
        boot = boot_at or begun - rng.randrange(2 * MINUTE, 3 * DAY)
        line = Line([], rng.randrange(80, 900))
        if habits.bad_line:
            for _ in range(rng.randrange(1, 4)):
                at = rng.randrange(0, 40 * MINUTE)
                line.off.append((at, at + rng.randrange(20_000, 12 * MINUTE)))
        address = address or rng.choice(habits.addresses or (self.home(),))
        return Tape(rng, person.name, person.class_id, begun, address, line, Agent(habits.rough, habits.rough_ms, boot))

    def done(self, person: Person, tape: Tape) -> None:
        """The session is over; what it says is kept."""
        tape.close()
        person.traces.append(tape.trace())
        self._made += 1
        if self.keep and len(tape.segments) < 200 and self._made % self.keep == 0:
            person.tapes.append(tape)

    def study(self, person: Person, tape: Tape, minutes: int | None = None) -> None:
        """A lesson as this person's habits make it."""
        rng, habits = self.rng, person.habits
        left = (minutes or rng.randint(*habits.minutes)) * MINUTE
        self.look(person, tape)
        due = rng.randrange(0, 15 * MINUTE)
        lesson, asked = left // ITEMS, 0
        if rng.random() < habits.findings:
            tape.find("windows.covered", rng.choice(("inform", "report")))
        if rng.random() < habits.grave:
            tape.find("macro.recorder", "pause")
        while left > 0:
            until = min(left, due, lesson, self._next(habits))
            tape.play(max(1_000, until), habits.rate)
            left, due, lesson = left - max(1_000, until), due - until, lesson - until
            if due <= 0:
                self.look(person, tape)
                due = rng.randrange(MINUTE, 15 * MINUTE)
            elif lesson <= 0:
                self.ask(person, tape, asked)
                asked, lesson = asked + 1, left // max(1, ITEMS - asked) + 1_000
            elif left > 0:
                self._life(habits, tape)
        self.look(person, tape)

    def _next(self, habits: Habits) -> int:
        """Ms until something human happens."""
        return int(self.rng.expovariate(habits.flicker + habits.pauses + habits.away) * HOUR) + 500

    def _life(self, habits: Habits, tape: Tape) -> None:
        rng = self.rng
        lot = rng.random() * (habits.flicker + habits.pauses + habits.away)
        if lot < habits.flicker:
            tape.glimpse(rng.randrange(800, 20_000), habits.rate)
        elif lot < habits.flicker + habits.pauses:
            tape.pause(rng.choice(("learner", "rest", "focus", "minimised")), int(rng.lognormvariate(10, 1.2)))
        else:
            tape.pause("absent", min(20 * MINUTE, habits.away_ms))

    def look(self, person: Person, tape: Tape) -> None:
        """One check."""
        rng, habits = self.rng, person.habits
        took = min(58_000, 5_000 + int(rng.lognormvariate(0, habits.glance_spread) * habits.glance_ms))
        lot = rng.random()
        if lot < habits.misses:
            tape.check(61_000, "inconclusive", "late", habits.kind)
        elif lot < habits.misses + habits.unclear:
            tape.check(took, "inconclusive", "dark", habits.kind)
        elif lot < habits.misses + habits.unclear + habits.mismatch:
            tape.check(took, "failed", "other_person", habits.kind)
        else:
            tape.check(took, kind=habits.kind)

    def ask(self, person: Person, tape: Tape, number: int) -> None:
        """One question of the lesson, with as many tries as it takes."""
        rng, habits = self.rng, person.habits
        item = f"q{len(person.traces)}-{number}"
        attempt = 1
        while True:
            tape.question(item, int(rng.lognormvariate(0, 0.6) * habits.think_ms), attempt)
            if rng.random() < habits.first_right or attempt == 4:
                return
            attempt += 1

    def live(self, person: Person) -> None:
        """All of somebody's ordinary sessions."""
        for at in range(person.habits.sessions):
            tape = self.tape(person, self.free(person, self.begins(person.habits, at)))
            self.study(person, tape)
            self.done(person, tape)

    # --- the whole ----------------------------------------------------------------------------------------------------

    def world(self) -> World:
        """Everybody, as an inspection sees them."""
        classes: dict[str, set[str]] = {}
        for person in self.people:
            classes.setdefault(person.class_id, set()).add(person.name)
        rosters = [Roster(name, NOW - 40 * DAY, frozenset(found)) for name, found in classes.items()]
        traces = [trace for person in self.people for trace in person.traces]
        return World(traces, rosters, NOW, networks(), {"institution/one": frozenset(classes)})
