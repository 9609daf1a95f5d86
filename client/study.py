"""One lesson from Start to result: carries signals from the ports into the session, and its effects out to them.

No screen and no thread of its own: whoever owns the screen (or a test) calls `tick` about ten times a second. Slow work
(opening a session, computing credit) runs through `work`, which a test makes immediate.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from client import effects, session
from client.errors import ClientError, UnsentRecordsError
from client.events import MediaFault, Order, Pressed, Replied, SeekAsked, Sheet, Signal, Tick
from client.hand import PRESSES, Hand
from client.lesson import Lesson, Ports, Running, first, fresh, running, sealed
from client.machine import blockers, window_fault
from client.results import result
from client.screen import Figures, view
from client.slow import Slow, Work
from client.state import Item, Over, Rules, State, Unit
from client.sync.opening import Granted
from client.sync.records import Place
from client.view import Chapter, ResultView, View, Words
from ledger import course as courses
from ledger import events
from ledger.credit import Credit
from ledger.events import Answered, Event

__all__ = ["Lesson", "Ports", "Study"]

RESTART_MS: Final = 5_000  # between two tries to start the agent or the camera again
RETRY_MS: Final = 2_000  # between two tries to open while earlier records are on their way



@dataclass(slots=True)
class _Again:
    """When something was last started, so that it is not started all the time."""

    at: dict[str, int] = field(default_factory=dict)

    def may(self, what: str, now: int) -> bool:
        if now - self.at.get(what, -RESTART_MS) < RESTART_MS:
            return False
        self.at[what] = now
        return True


class Study:
    """The loop. `problem` is what keeps a session from opening (or the disk from keeping it), for the screen."""

    def __init__(self, ports: Ports, lesson: Lesson, work: Work) -> None:
        """Starts camera and agent; the session opens on `press("play")` once the machine is ready."""
        self._ports, self._lesson = ports, lesson
        self._slow = Slow(work)
        self._again = _Again()
        self._running: Running | None = None
        self._figures = Figures()
        self._credit: Credit | None = None
        self._place = Place(0, 0, {})
        self._wanted = self._opening = self._take_over = False
        self._told = ("", False)
        self._retry_at = 0
        self.problem: ClientError | None = None
        self._hand = Hand(lesson.hand, work)
        units = tuple(_unit(unit) for unit in lesson.course.units)
        policy = lesson.policy
        rules = Rules("", policy, units, policy.session_ms, policy.offline_ms, lesson.face, sparing=lesson.sparing)
        self.state = State(rules=rules)
        self._base = ports.clock.mono()
        ports.agent.start()
        if lesson.face:
            ports.proctor.start()
        self._later(lesson.credit, self._counted)

    # --- what the screen calls ----------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Hear everybody once and do what follows. After a failure of the disk nothing more is done."""
        if self._failed:
            return
        try:
            self._slow.finish()  # a session that begins here has a clock of its own
            self._hear()
        except ClientError as error:
            self._stop(error)

    def _hear(self) -> None:
        ports, state = self._ports, self.state
        heard: list[Signal] = [Tick(max(ports.clock.mono() - self._base, state.now), ports.clock.wall())]
        if state.loaded:
            heard.append(ports.player.progress())
        heard += [ports.foreground.observe(), *ports.player.poll(), *ports.proctor.poll()]
        heard += [*ports.agent.poll(), *ports.uploader.poll()]
        for signal in heard:
            self._take(signal)
        self._tell_agent()
        self._hand.tick(ports.clock.mono())
        self._open_if_ready()
        self._slow.finish()

    def _tell_agent(self) -> None:
        """The agent learns what only the client knows: which camera is used, whether our window is in front."""
        machine = self.state.machine
        camera = machine.camera.name if machine.camera is not None and machine.camera.available else ""
        told = (camera, not window_fault(machine.window, self.state.rules.conditions))
        if told != self._told:
            if camera and camera != self._told[0]:
                self._ports.agent.camera(camera)
            self._ports.agent.foreground(told[1])
            self._told = told

    def press(self, what: str) -> None:
        """A button: before the session Start opens it, within it every button goes to the session."""
        if self._running is None:
            self._wanted = what == "play" or (self._wanted and what != "end")
            self._take_over, self.problem = False, None
            if what == "recheck":
                self._ports.agent.recheck()
        elif what in PRESSES:
            self._hand.press(self.sid, what)
        elif not self._failed:
            self._guarded(Pressed(what))

    def take_over(self) -> None:
        """Go on here: the learner saw that another device studies, and chose this one."""
        self.press("play")
        self._take_over = True

    def seek(self, position_ms: int) -> None:
        """Go to a place of this unit; the session allows only what was seen."""
        if self._running is not None and not self._failed:
            self._guarded(SeekAsked(position_ms))

    def reply(self, choice: int, code: str) -> None:
        """Answer the question of a check: which of the words, and the code."""
        if self._running is not None and not self._failed:
            self._guarded(Replied(choice, code))

    def view(self) -> View:
        """What the lesson screen shows now; "done" only once the figures of the result are there, too."""
        begun = self._running is not None
        hand = (self._hand.button, self._hand.said) if begun and not self.over else (None, None)
        seen = view(self.state, self._figures, wanted=self._wanted, opening=self._opening, begun=begun)
        seen = replace(seen, hand=hand[0], asked=hand[1])
        return replace(seen, phase="sending") if seen.phase == "done" and self._slow else seen

    def result(self) -> ResultView | None:
        """What the result screen shows; None before the session is closed."""
        if self._running is None or not isinstance(self.state.stage, Over):
            return None
        worth = self._lesson.worth(self._credit) if self._credit is not None else None
        return result(self.state, self._running.granted.sid, self._credit, worth)

    @property
    def over(self) -> bool:
        """Whether `closed` is signed; the records may still be on their way."""
        return isinstance(self.state.stage, Over)

    @property
    def other_way(self) -> bool:
        """Whether the learner wants to go on without a camera."""
        return self.state.other_way

    @property
    def sent(self) -> bool:
        """Whether every record of the session is cosigned."""
        return isinstance(self.state.stage, Over) and self.state.cosigned >= self.state.stage.size

    @property
    def sid(self) -> str:
        """The session's 32 hex digits, "" before it is granted."""
        return self._running.granted.sid if self._running else ""

    @property
    def place(self) -> Place:
        """Where the learner goes on."""
        return self._place

    # --- opening ------------------------------------------------------------------------------------------------------

    def _open_if_ready(self) -> None:
        state = self.state
        if not self._wanted or self._opening or self._running is not None or state.now < self._retry_at:
            return
        if self._slow or any(blockers(state.machine, state.rules.conditions, state.now, running=False)):
            return
        self._opening = True
        take_over = self._take_over
        self._later(lambda: self._lesson.open(take_over), self._begin, self._refused)

    def _refused(self, error: ClientError) -> None:
        self._opening = False
        if isinstance(error, UnsentRecordsError):
            self._retry_at = self.state.now + RETRY_MS
            self._ports.uploader.wake()
        else:
            self._wanted = False
        self.problem = error

    def _begin(self, granted: Granted) -> None:
        """The grant is here: a new clock base, a fresh state with the machine as it is, event 0, the first segment."""
        ports, old, grant = self._ports, self.state, granted.grant
        self._base += old.now
        self._running = running(self._lesson, granted, self._base)
        self._opening, self.problem = False, None
        begins = fresh(old, self._lesson, granted, self._place, self._base)
        ports.agent.rules(grant.rules, granted.rules, grant.time, granted.installation)
        ports.uploader.watch(granted.sid)
        self._step(session.begin(begins, first(self._lesson, granted, begins.machine)))

    # --- signals in, effects out --------------------------------------------------------------------------------------

    @property
    def _failed(self) -> bool:
        return self._running is not None and self.problem is not None

    def _guarded(self, signal: session.Input) -> None:
        try:
            self._take(signal)
        except ClientError as error:
            self._stop(error)

    def _stop(self, error: ClientError) -> None:
        """The disk does not keep the records: stop the lesson, say so; the next start recovers what is signed."""
        self.problem = error
        self._wanted = False
        self._ports.player.pause()
        self._ports.proctor.cancel()

    def _take(self, signal: session.Input) -> None:
        self._step(session.step(self.state, signal))

    def _step(self, stepped: tuple[State, tuple[effects.Effect, ...]]) -> None:
        self.state, wanted = stepped
        for effect in wanted:
            self._do(effect)
        self._count_if_news()
        if self._running is not None and self._running.metered:
            self._take(self._running.metered.pop(0))

    def _do(self, effect: effects.Effect) -> None:
        ports, now = self._ports, self.state.now
        match effect:
            case effects.Log():
                self._log(effect)
            case effects.Cut(offline):
                self._cut(offline=offline)
            case effects.Load(unit, position):
                self._load(unit, position)
            case effects.Play():
                ports.player.play()
            case effects.Pause():
                ports.player.pause()
            case effects.Seek(position):
                ports.player.seek(position)
            case effects.Rate(rate):
                ports.player.set_rate(rate)
            case effects.Begin(request):
                ports.proctor.begin(request if self._room() else replace(request, photo=None))
            case effects.Cancel():
                ports.proctor.cancel()
            case effects.Identify(order, code):
                self._identify(order, code)
            case effects.Mark(sheet):
                self._mark(sheet)
            case effects.Recheck():
                ports.agent.recheck()
            case effects.Withdraw(what):
                self._later(lambda: self._lesson.withdraw(what), lambda _: None)
            case effects.RestartAgent():
                if self._again.may("agent", now):
                    ports.agent.start()
            case effects.RestartCamera():
                if self._again.may("camera", now):
                    ports.proctor.start()

    def _log(self, log: effects.Log) -> None:
        running = self._running
        assert running is not None
        sid = running.granted.sid
        event = Event(running.size, max(0, log.wall), log.mono, sid, secrets.token_hex(16), sealed(running, log))
        running.store.append(events.encode(event))
        if isinstance(log.body, Answered) and log.body.evidence is not None:
            photo = self._ports.proctor.take_photo()
            if photo is not None:
                running.store.attach(photo)
        running.desk.feed(event)
        running.size += 1

    def _room(self) -> bool:
        return self._running is not None and self._running.store.room()

    def _cut(self, *, offline: bool) -> None:
        """End the segment; the meter's word, and perhaps an offline order, follow when this step is done."""
        running = self._running
        assert running is not None
        running.store.cut()
        self._ports.uploader.wake()
        due = running.desk.next(self.state.now) if offline else None
        order = None if due is None else Order(due.i, due.a, due.nonce, due.deadline_ms)
        meter = running.desk.meter
        running.metered.append(session.Metered(meter.e, meter.f, order))

    def _identify(self, order: Order, code: str) -> None:
        running = self._running
        assert running is not None
        granted, ask = running.granted, self._lesson.identify
        self._later(lambda: ask(granted, order, code), self._guarded)

    def _mark(self, sheet: Sheet) -> None:
        running = self._running
        assert running is not None
        granted, mark = running.granted, self._lesson.mark
        self._later(lambda: mark(granted, sheet), self._guarded)

    def _load(self, unit: str, position_ms: int) -> None:
        try:
            self._ports.player.load(self._lesson.media[unit], position_ms)
        except (ClientError, KeyError) as error:
            self._take(MediaFault(str(error)[:200]))

    # --- slow work ----------------------------------------------------------------------------------------------------

    def _later(
        self,
        job: Callable[[], Any],
        done: Callable[[Any], None],
        refused: Callable[[ClientError], None] | None = None,
    ) -> None:
        self._slow.begin(job, done, refused or self._unknown)

    def _counted(self, found: tuple[Credit, Place]) -> None:
        self._credit, place = found
        way = self._lesson.way
        if way:
            place = replace(place, index=way[0].index, position_ms=way[0].from_ms)
        if self._running is None:
            self._place = place
            self.state = replace(self.state, index=place.index, position_ms=place.position_ms, seen=place.seen, way=way)
        units = {unit.unit: unit.credited_ms for unit in self._credit.units}
        counted = {unit.unit: unit.intervals for unit in self._credit.units}
        self._figures = Figures(units, self._credit.credited_ms, counted)

    def _unknown(self, _error: ClientError) -> None:
        """Credit cannot be computed here; the lesson does not depend on it, the screen shows nothing counted."""
        self._credit = None

    def _count_if_news(self) -> None:
        """Compute the credit again when a check passed or the records are all receipted."""
        running, state = self._running, self.state
        if running is None:
            return
        receipted = state.outcome is not None and state.cosigned >= state.outcome.size
        news = (state.tally.passed if receipted else running.counted[0], self.sent, self.sent and state.sync.settled)
        if news != running.counted:
            running.counted = news
            self._later(self._lesson.credit, self._counted)

    def close(self) -> None:
        """Let go of the ports; what is signed is on the disk."""
        self._ports.player.close()
        self._ports.proctor.close()
        self._ports.agent.close()


def _unit(unit: courses.Unit) -> Unit:
    """A unit of the course as the session knows it."""
    chapters = tuple(Chapter(one.at_ms, _words(one.title)) for one in unit.chapters)
    starts = unit.live.starts_ms if unit.live is not None else None
    test = _items(unit.test.questions if unit.test is not None else ())
    return Unit(unit.id, _words(unit.title), unit.duration_ms, chapters, starts, _items(unit.questions), test)


def _items(asked: Sequence[courses.Question]) -> tuple[Item, ...]:
    return tuple(Item(one.id, one.at_ms, _words(one.prompt), tuple(map(_words, one.choices))) for one in asked)


def _words(text: courses.Text) -> Words:
    return Words(text.zh, text.en)
