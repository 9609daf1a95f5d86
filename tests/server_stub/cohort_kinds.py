"""The kinds of people in the cohorts: honest ones of every sort, and what the rules are for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tests.server_stub.cohorts import HOUR, MINUTE, Habits, Maker, Person
from tests.server_stub.tape import Tape

Kind = Callable[[Maker, int], None]
CLASSES: Final = 40  # whose many honest learners have the few others among them


# --- honest people ----------------------------------------------------------------------------------------------------


def honest(maker: Maker, count: int) -> None:
    """In all classes; among them couples who share an address, and twins who share a PC."""
    for at in range(count):
        name = f"c{at % CLASSES}"
        if at % 100 == 16:
            _dormitory(maker, name)
        elif at % 100 == 17:
            _takeover(maker, name)
        elif at % 20 == 18:
            _couple(maker, name)
        elif at % 20 == 19:
            _twins(maker, name)
        else:
            maker.live(maker.person("honest", name))


def _couple(maker: Maker, class_id: str) -> None:
    """Two people at home, each on a computer of their own, now and then at the same hour."""
    one, other = maker.person("honest", class_id), maker.person("honest", class_id)
    other.habits.addresses = one.habits.addresses
    maker.live(one)
    for trace in list(one.traces)[:2]:
        tape = maker.tape(other, trace.granted_at + maker.rng.randrange(20_000, 20 * MINUTE))
        maker.study(other, tape)
        maker.done(other, tape)


def _dormitory(maker: Maker, class_id: str) -> None:
    """Four people behind an address that is on no list, in the evening, each on an own computer."""
    first = maker.person("honest", class_id)
    for at in range(4):
        person = first if at == 0 else maker.person("honest", class_id)
        person.habits.addresses, person.habits.hours = first.habits.addresses, (20, 21)
        maker.live(person)


def _takeover(maker: Maker, class_id: str) -> None:
    """Goes on by phone while the PC, off line, has not heard of it yet: both play for up to a minute and a half."""
    person = maker.person("honest", class_id)
    maker.live(person)
    last = person.traces[-1]
    tape = maker.tape(person, last.granted_at + last.mono - maker.rng.randrange(5_000, 90_000), maker.carrier())
    maker.study(person, tape, 15)
    maker.done(person, tape)


def _twins(maker: Maker, class_id: str) -> None:
    """Two people on one PC, one after the other."""
    one, other = maker.person("honest", class_id), maker.person("honest", class_id)
    other.habits.addresses = one.habits.addresses
    for at in range(3):
        begun = maker.begins(one.habits, at)
        boot = begun - maker.rng.randrange(2 * MINUTE, 5 * HOUR)
        for person, later in ((one, 0), (other, 2 * HOUR)):
            tape = maker.tape(person, begun + later, one.habits.addresses[0], boot)
            maker.study(person, tape)
            maker.done(person, tape)


def no_face(maker: Maker, count: int) -> None:
    """The non-face route: a code from the phone, which takes longer and is missed a little more often."""
    for at in range(count):
        person = maker.person("no-face", f"n{at // 40}")
        habits = person.habits
        habits.kind, habits.glance_ms, habits.glance_spread = "identify", 28_000.0, 0.35
        habits.misses, habits.mismatch = min(0.15, habits.misses + 0.03), 0.0
        maker.live(person)


def accommodation(maker: Maker, count: int) -> None:
    """Longer deadlines, slower, more rests; a screen reader that moves the focus."""
    for at in range(count):
        person = maker.person("accommodation", f"a{at // 40}")
        habits = person.habits
        habits.glance_ms, habits.pauses, habits.think_ms, habits.rate = 15_000.0, 8.0, 30_000.0, 750
        habits.misses = min(0.15, habits.misses + 0.03)
        maker.live(person)


def classroom(maker: Maker, count: int) -> None:
    """Labs: everybody behind one listed address, begun within a minute or two, led by a teacher; PCs used in turn."""
    for room in range(max(1, count // 30)):
        people = [maker.person("classroom", f"lab{room}") for _ in range(30)]
        for lesson in range(3):
            begun = maker.begins(Habits(sessions=3, hours=(8, 14)), lesson)
            boot = begun - 10 * MINUTE
            for seat, person in enumerate(people):
                tape = maker.tape(person, begun + maker.rng.randrange(100_000), "36.110.8.7", boot + seat * 20_000)
                maker.study(person, tape, 40)
                maker.done(person, tape)


def carrier(maker: Maker, count: int) -> None:
    """Phones behind a carrier's address."""
    for at in range(count):
        person = maker.person("carrier", f"m{at // 40}")
        person.habits.addresses = tuple(maker.carrier() for _ in range(3))
        maker.live(person)


# --- what the rules are for -------------------------------------------------------------------------------------------


def idler(maker: Maker, count: int) -> None:
    """Leaves it running: away for long, or near and busy with something else; comes back for some checks."""
    for at in range(count):
        habits = maker.honest()
        habits.sessions = max(3, habits.sessions)
        habits.misses, habits.away, habits.away_ms = maker.rng.uniform(0.4, 0.8), 3.0, 6 * MINUTE
        if at % 3 == 0:  # never far away, hears half of the chimes
            habits.away, habits.misses = 0.5, maker.rng.uniform(0.4, 0.6)
        maker.live(maker.person("idler", f"c{at % CLASSES}", habits))


def script(maker: Maker, count: int) -> None:
    """Four kinds: a program that speaks the protocol itself, a macro on the real client, one that skips ahead, and one
    script on many accounts. One that plays a person's pauses at random and differently each time is not among them."""
    for at in range(count):
        (_own_client, _macro, _skipper, _copies)[at % 4](maker, f"c{at % CLASSES}", at)


def _own_client(maker: Maker, class_id: str, _: int) -> None:
    habits = maker.honest()
    habits.flicker = habits.pauses = habits.away = 0.05
    habits.rough, habits.rough_ms, habits.glance_spread, habits.unclear, habits.misses = 0.0, 0.0, 0.002, 0.0, 0.0
    habits.sessions = max(3, habits.sessions)
    maker.live(maker.person("script", class_id, habits))


def _macro(maker: Maker, class_id: str, _: int) -> None:
    habits = maker.honest()
    habits.flicker, habits.pauses, habits.away, habits.grave = 0.1, 0.05, 0.02, 0.6
    habits.sessions, habits.minutes = max(4, habits.sessions), (40, 60)
    maker.live(maker.person("script", class_id, habits))


def _skipper(maker: Maker, class_id: str, _: int) -> None:
    person = maker.person("script", class_id)
    for at in range(3):
        tape = maker.tape(person, maker.free(person, maker.begins(person.habits, at)))
        maker.study(person, tape, 10)
        for _ in range(4):
            tape.play(2 * MINUTE, media=8.0)
            maker.look(person, tape)
        maker.done(person, tape)


def _copies(maker: Maker, class_id: str, at: int) -> None:
    """The same recording of pauses and answers, on this account as on others of its gang."""
    person = maker.person("script", class_id)
    from random import Random

    gang = Random(at // 16)  # four of these in a gang
    for lesson in range(3):
        tape = maker.tape(person, maker.free(person, maker.begins(person.habits, lesson)))
        tape.check(5_000 + gang.randrange(4_000))
        for _ in range(12):
            tape.play(gang.randrange(MINUTE, 4 * MINUTE))
            tape.pause("learner", gang.randrange(3_000, 20_000))
        maker.done(person, tape)


def substitute(maker: Maker, count: int) -> None:
    """Somebody else studies: a friend throughout; the learner opens and a friend goes on; a friend who avoids checks
    where he can. One who was enrolled with his own photo is not among them: only a person can notice that."""
    for at in range(count):
        habits = maker.honest()
        habits.sessions = max(3, habits.sessions)
        habits.mismatch = maker.rng.uniform(0.6, 0.95)
        if at % 3 == 2:
            habits.mismatch, habits.misses = 0.4, 0.3
        person = maker.person("substitute", f"c{at % CLASSES}", habits)
        for lesson in range(habits.sessions):
            tape = maker.tape(person, maker.free(person, maker.begins(habits, lesson)))
            if at % 3 == 1:
                tape.check(7_000)
            maker.study(person, tape)
            maker.done(person, tape)


def several(maker: Maker, count: int) -> None:
    """Two devices play at once, in one class or in two; or one device's log goes on in two histories."""
    for at in range(count):
        person = maker.person("several", f"c{at % CLASSES}")
        maker.live(person)
        if at % 5 == 0:
            person.traces[0].forks = 1
            continue
        for trace in list(person.traces)[:2]:
            tape = maker.tape(person, trace.granted_at + maker.rng.randrange(MINUTE, 6 * MINUTE))
            tape.class_id = f"c{(at + at % 2) % CLASSES}"
            maker.study(person, tape, 20)
            maker.done(person, tape)


def cameo(maker: Maker, count: int) -> None:
    """One person's two accounts: the first tries every answer, the second is right a little later."""
    for at in range(count // 2):
        giver, taker = (maker.person("cameo", f"c{at % CLASSES}") for _ in range(2))
        for lesson in range(3):
            begun = maker.begins(giver.habits, lesson)
            first, second = maker.tape(giver, begun), maker.tape(taker, begun + 40_000)
            if at % 2:
                second.address = second.seen = first.address
            for number in range(7):
                for tape in (first, second):
                    tape.play(3 * MINUTE)
                _tries(maker, first, f"q{lesson}-{number}")
                second.wait(max(0, first.now - second.now - 40_000) + maker.rng.randrange(5_000, 80_000))
                second.question(f"q{lesson}-{number}", 2_000)
            maker.done(giver, first)
            maker.done(taker, second)


def _tries(maker: Maker, tape: Tape, item: str) -> None:
    for attempt in range(1, maker.rng.randint(2, 4) + 1):
        tape.question(item, 1_500, attempt)


def organised(maker: Maker, count: int) -> None:
    """A teacher runs a class's accounts from a room that is on no list: begun one after the other by a program."""
    for room in range(max(1, count // 20)):
        people = [maker.person("organised", f"org{room}") for _ in range(20)]
        address = maker.home("58")
        for lesson in range(3):
            begun = maker.begins(Habits(sessions=3, hours=(1, 2)), lesson)
            for at, person in enumerate(people):
                tape = maker.tape(person, begun + at * 4_000, address, begun - HOUR + (at % 4) * 100_000)
                maker.study(person, tape, 40)
                maker.done(person, tape)


def together(maker: Maker, count: int) -> None:
    """A group passes the answers round: all answer the same items within seconds, with the same number of tries."""
    for at in range(count // 4):
        people = [maker.person("together", f"c{at % CLASSES}") for _ in range(4)]
        for lesson in range(3):
            begun = maker.begins(people[0].habits, lesson)
            tapes = [maker.tape(person, begun + maker.rng.randrange(8_000)) for person in people]
            for number in range(7):
                tries = maker.rng.randint(1, 3)
                for tape in tapes:
                    tape.play(3 * MINUTE + maker.rng.randrange(2_000))
                    for attempt in range(1, tries + 1):
                        tape.question(f"q{lesson}-{number}", 1_000 + maker.rng.randrange(500), attempt)
            for person, tape in zip(people, tapes, strict=True):
                maker.done(person, tape)


def tools(maker: Maker, count: int) -> None:
    """A tool that the agent names runs in most sessions."""
    for at in range(count):
        habits = maker.honest()
        habits.sessions, habits.grave = max(4, habits.sessions), 0.8
        maker.live(maker.person("tools", f"c{at % CLASSES}", habits))


def abroad(maker: Maker, count: int) -> None:
    """An account that is used at home and abroad within the hour."""
    for at in range(count):
        person = maker.person("abroad", f"c{at % CLASSES}")
        maker.live(person)
        begun = person.traces[-1].granted_at + 90 * MINUTE
        tape = maker.tape(person, begun, maker.home("126"))
        maker.study(person, tape, 20)
        maker.done(person, tape)


GOOD: Final = ("honest", "no-face", "accommodation", "classroom", "carrier")
KINDS: Final[dict[str, Kind]] = {
    "honest": honest, "no-face": no_face, "accommodation": accommodation, "classroom": classroom, "carrier": carrier,
    "idler": idler, "script": script, "substitute": substitute, "several": several, "cameo": cameo,
    "organised": organised, "together": together, "tools": tools, "abroad": abroad,
}  # fmt: skip
MEANT: Final = {  # which labels a rule is for
    "sessions.at-once": {"several"}, "play.faster-than-clock": {"script"}, "software.foreign": {"script", "tools"},
    "software.even": {"script"}, "software.no-pause": {"script"}, "software.rapid-answers": {"script", "cameo"},
    "person.mismatch": {"substitute"}, "idle.left-running": {"idler", "substitute"}, "place.abroad": {"abroad"},
    "shared.address": {"organised"}, "shared.machine": {"organised"}, "shared.moves": {"script"},
    "shared.harvest": {"cameo"}, "shared.answers": {"together"},
}  # fmt: skip


def make(seed: int, sizes: dict[str, int], keep_tapes: int = 0) -> Maker:
    """All cohorts of one seed."""
    maker = Maker(seed, keep_tapes=keep_tapes)
    for label, count in sizes.items():
        KINDS[label](maker, count)
    return maker


def labels(maker: Maker) -> dict[str, Person]:
    """Learner → person."""
    return {person.name: person for person in maker.people}
