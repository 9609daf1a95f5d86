"""From the session's state to what the learner sees: one sentence, one button, and why this minute counts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from client import closing, tested
from client.airing import moment
from client.checks import HELP
from client.machine import (
    SEVERAL_HINT_MS,
    Blocker,
    agent_lives,
    blockers,
    camera_fault,
    present,
    window_fault,
)
from client.motion import Running, Starting, Still
from client.question import ASKED
from client.state import Announced, Attempting, Closing, Idle, Opening, Over, State, Studying, Unit, Waiting
from client.view import (
    TEXT,
    Button,
    PanelLine,
    Phase,
    Question,
    Sentence,
    UnitView,
    View,
)
from ledger import identify

MINUTE: Final = 60_000
NAMED: Final = 2  # recipients of a photo that are named on the screen; the rest are counted
COUNTED_MS: Final = 8_000  # how long "the last 18 minutes are counted" stays
PASSED_MS: Final = 10_000  # how long it is said what passed unseen of a live lesson
CHAPTER_MS: Final = 5_000  # of the lesson, for which the chapter that has just begun is named over the picture
SETTLE_MS: Final = 10_000  # for the revealed seed, with which the figures are final
START: Final = Button("play", "button.start")
CONTINUE: Final = Button("play", "button.continue")
_HINTED: Final = ("dark", "bright", "far", "close", "blurred", "covered", "nobody")


@dataclass(frozen=True, slots=True)
class Figures:
    """Credited ms so far, by ledger.credit on this device's records."""

    units: Mapping[str, int] = field(default_factory=dict)
    all_ms: int = 0
    proven: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)  # unit → what counts of it


def view(state: State, figures: Figures, *, wanted: bool, opening: bool, begun: bool) -> View:
    """The screen of the moment. Before the session begins, `wanted` and `opening` tell whether Start was pressed."""
    phase, sentence, button = _lesson(state) if begun else _before(state, wanted=wanted, opening=opening)
    studying = phase in ("playing", "paused")
    unit = _unit(state, figures)
    return View(
        phase=phase,
        sentence=sentence,
        button=button,
        panel=tuple(_panel(state)),
        unit=unit,
        last_check=_last_check(state),
        sync=_sync(state),
        credited_unit_ms=figures.units.get(state.unit.unit, 0),
        credited_all_ms=figures.all_ms,
        pending_ms=state.tally.pending_ms,
        prompt=state.prompt if phase == "check" else None,
        question=_question(state),
        camera=state.rules.face,
        countdown_ms=_countdown(state),
        chimes=state.chimes,
        photo=_photo(state),
        hint=((_chapter(unit) or _live_hint(state)) if phase == "playing" else None) or _hint(state),
        message=state.message,
        may_rest=phase == "playing",
        may_end=studying or phase == "unit_end",
        may_seek=studying and not state.unit.live,
        rate=1000 if state.unit.live else state.rate,
        may_rate=studying and len(state.rules.policy.rates) > 1 and not state.unit.live,
        propose_rest=phase == "playing" and state.tally.studied_ms > state.rules.policy.rest_after_ms,
        second=_second(state) if phase in ("paused", "unit_end") else None,
    )


Said = tuple[Phase, Sentence, Button | None]


def _before(state: State, *, wanted: bool, opening: bool) -> Said:
    if opening:
        return "opening", Sentence("say.opening"), None
    blocker = _blocker(state)
    if blocker is not None:
        return "ready", blocker.sentence, blocker.button
    return "ready", Sentence("say.ready"), None if wanted else START


def _lesson(state: State) -> Said:
    match state.stage:
        case Over() as over:
            return _after(state, over)
        case Opening():
            return "opening", Sentence("say.opening"), None
        case _:
            pass
    match state.check:
        case Announced():
            seconds = -(-_countdown(state) // 1000)
            words = Sentence(_way(state, "check.notice"), {"seconds": seconds})
            return "notice", words, Button("ready", "button.ready")
        case Attempting(task):
            return "check", Sentence("check.code" if task.kind == "identify" else "check.running"), None
        case Waiting():
            return "judging", _again(state), None
        case Idle():
            pass
    if isinstance(state.stage, Closing):
        minutes = max(1, state.tally.pending_ms // MINUTE)
        words = Sentence(_way(state, "say.closing_wait"), {"minutes": minutes})
        return "closing", words, Button("end", _way(state, "button.end_now"))
    if isinstance(state.motion, Still):
        return _standing(state)
    waits = _no_picture(state)
    return ("paused", waits, None) if waits is not None else ("playing", _playing(state), None)


def _way(state: State, key: str) -> str:
    """The wording for the learner's way: nobody without a camera is asked for a look."""
    return key if state.rules.face else f"{key}_code"


def _no_picture(state: State) -> Sentence | None:
    """Why the live picture that is waited for does not come; None while it comes."""
    why = state.progress.live if state.unit.live and state.progress is not None else ""
    starts = state.unit.starts_ms
    if not why or not isinstance(state.motion, Starting) or starts is None:
        return None
    if why != "waiting":
        return Sentence(f"pause.live_{why}")
    time = moment(starts, state.wall, state.rules.policy.utc_offset_minutes)
    return Sentence("pause.live_waiting", {"unit": state.unit.title, "time": time})


def _live_hint(state: State) -> Sentence | None:
    """What passed unseen before the live picture was joined; or that another unit of the course is live now."""
    if state.unit.live and state.passed is not None and state.now - state.passed[1] < PASSED_MS:
        minutes, seconds = divmod(state.passed[0] // 1000, 60)
        return Sentence("hint.live_passed", {"time": f"{minutes}:{seconds:02}"})
    if state.live_on is not None and not state.unit.live and not state.way:
        return Sentence("hint.live_on", {"unit": state.rules.units[state.live_on].title})
    return None


def _second(state: State) -> Button | None:
    """The quiet button of a pause: the other way to be known, the live lesson that is on, or the unit's test."""
    if state.hold == HELP and not state.finished:
        return _other_way(state)
    joins = state.live_on is not None and not state.unit.live and not state.way
    if joins:
        return Button("live", "button.live")
    if not tested.may(state):
        return None
    tried = state.unit.unit in state.marks
    return Button("test", "button.test_mark" if tested.unmarked(state) else f"button.test{'_again' if tried else ''}")


def _other_way(state: State) -> Button:
    """How this class identifies somebody without a camera: by a code, else by a person."""
    code = identify.CODE in state.rules.policy.routes
    return Button("other_way", "button.other_way" if code else "button.other_way_person")


def _again(state: State) -> Sentence:
    """Another attempt follows: the one thing to change, where the camera's word names it."""
    outcome = state.outcome
    if not state.rules.face or outcome is None or outcome.reason == "other_person":
        return Sentence(_way(state, "check.again"))
    return Sentence("check.again_because", {"advice": _advice(outcome.reason)})


def _advice(reason: str) -> Sentence:
    """What to change after an attempt that ended with `reason`."""
    key = f"advice.{reason}"
    return Sentence(key if key in TEXT else "advice.other")


def _question(state: State) -> Question | None:
    if _asks(state) and state.asking is not None:
        item = state.asking
        return Question((), "", code=False, person=False, busy=False, prompt=item.prompt, choices=item.choices)
    if not isinstance(state.check, Attempting) or state.check.task.kind not in ASKED:
        return None
    open_, routes = state.check, state.rules.policy.routes
    drawn = identify.item(bytes.fromhex(open_.task.order.nonce))
    by_code = open_.task.kind == "identify" and identify.CODE in routes
    chosen = by_code or open_.task.kind == "attention"
    return Question(
        words=drawn.words if chosen else (),
        asked=drawn.words[drawn.asked] if chosen else "",
        code=by_code,
        person=open_.task.kind == "identify" and bool(set(routes) - {identify.CODE}),
        busy=open_.chosen >= 0,
    )


def _after(state: State, over: Over) -> Said:
    if state.cosigned >= over.size:
        settled = state.sync.settled or state.now - over.at > SETTLE_MS
        return ("done" if settled else "sending"), Sentence("say.done"), None
    if state.sync.online and not state.sync.problem:
        return "sending", Sentence("say.sending"), None
    return "done", Sentence("say.done_later"), None


def _playing(state: State) -> Sentence:
    outcome = state.outcome
    if isinstance(state.motion, Starting):
        return Sentence("say.joining" if state.unit.live else "say.loading")
    if state.tally.studied_ms > state.rules.policy.rest_after_ms:
        return Sentence("say.rest_proposed", {"minutes": state.tally.studied_ms // MINUTE})
    recent = outcome is not None and outcome.result == "passed" and state.now - outcome.at < COUNTED_MS
    if recent and outcome is not None and outcome.proved_ms >= MINUTE:
        return Sentence("say.counted", {"minutes": outcome.proved_ms // MINUTE})
    if state.on_way is not None and not state.alone:
        return Sentence("say.making_up", {"number": state.leg + 1, "count": len(state.way)})
    return Sentence("say.playing_offline" if state.alone else "say.playing")


def _asks(state: State) -> bool:
    """Whether the lesson's question is what the learner looks at: checks, rests and blockers go first."""
    free = isinstance(state.check, Idle) and isinstance(state.stage, Studying) and not state.hold
    return state.asking is not None and free and _blocker(state) is None


def _standing(state: State) -> Said:
    """A pause: the most pressing reason, and the one thing to do about it."""
    if _asks(state):
        return "paused", _asked(state), None
    if state.finished:
        return _unit_end(state)
    if state.hold == "media":
        return "paused", Sentence("pause.media", {"detail": state.media_fault}), CONTINUE
    if state.hold == HELP:
        key = "pause.help" if identify.CODE in state.rules.policy.routes else "pause.help_person"
        return "paused", Sentence(key, {"advice": _advice(state.help)}), CONTINUE
    if state.hold:
        live = state.unit.live and f"pause.{state.hold}_live" in TEXT
        return "paused", Sentence(f"pause.{state.hold}_live" if live else f"pause.{state.hold}"), CONTINUE
    blocker = _blocker(state)
    if blocker is not None:
        return "paused", blocker.sentence, blocker.button
    if closing.offline_over(state):
        return "paused", Sentence("pause.network"), Button("end", "button.end")
    return "paused", Sentence("say.loading"), None


def _asked(state: State) -> Sentence:
    """Above the question: of the lesson, or which one of the test it is."""
    if state.sheet is None:
        return Sentence("say.question")
    return Sentence("say.test", {"number": len(state.sheet.chosen) + 1, "count": len(state.unit.test)})


def _unit_end(state: State) -> Said:
    following = state.following
    if following is None:
        said = "say.live_end" if state.unit.live else "say.course_end"
        return "unit_end", _marks(state) or Sentence(said), Button("end", "button.end")
    names = {"unit": state.unit.title, "next": state.rules.units[following].title}
    said_next = Sentence("say.live_end") if state.unit.live else Sentence("say.unit_end", names)
    return "unit_end", _marks(state) or said_next, Button("play", "button.next")


def _marks(state: State) -> Sentence | None:
    """How the unit's test stands, once one was handed in here."""
    marks = state.marks.get(state.unit.unit)
    if marks is None:
        return None
    word = marks.word
    if word is None:
        return Sentence("say.test_marking")
    if word.state != "marked":
        return Sentence(f"say.test_{word.state}")
    given = {"right": word.right, "asked": word.asked, "needed": word.needed}
    return Sentence("say.test_passed" if word.passed else "say.test_again", given)


def _blocker(state: State) -> Blocker | None:
    running = not isinstance(state.motion, Still)
    return next(blockers(state.machine, state.rules.conditions, state.now, running=running), None)


def _countdown(state: State) -> int:
    match state.check:
        case Announced(_, at):
            return max(0, at - state.now)
        case Attempting(task):
            return max(0, task.until - state.now)
    return 0


def _photo(state: State) -> Sentence | None:
    """Said while a look is announced or running that takes a photo: for whom it is."""
    photos = state.rules.photos
    match state.check:
        case Announced(task) | Attempting(task) if task.photo and photos is not None:
            names = list(dict.fromkeys(text.partition("+")[0].removesuffix("/e") for text in photos.recipients))
            listed = ", ".join(names[:NAMED]) + (f" (+{len(names) - NAMED})" if len(names) > NAMED else "")
            return Sentence("check.photo", {"names": listed})
    return None


def _unit(state: State, figures: Figures) -> UnitView:
    unit: Unit = state.unit
    place = state.position_ms
    if isinstance(state.motion, Running):
        place = state.motion.last.position_ms
    seen = max(state.seen_ms, place)
    count = len(state.rules.units)
    proven = figures.proven.get(unit.unit, ())
    leg = (state.leg + 1, len(state.way)) if state.on_way is not None else None
    return UnitView(
        unit.unit, unit.title, state.index + 1, count, place, unit.duration_ms, seen, proven, leg, unit.chapters,
        unit.live,
    )  # fmt: skip


def _chapter(unit: UnitView) -> Sentence | None:
    """The name of the chapter that has just begun: nobody crosses into one without being told."""
    if not unit.chapter:
        return None
    chapter = unit.chapters[unit.chapter - 1]
    if unit.position_ms - chapter.at_ms >= CHAPTER_MS:
        return None
    return Sentence("hint.chapter", {"number": unit.chapter, "title": chapter.title})


def _hint(state: State) -> Sentence | None:
    """A small word over the picture: several people after 3 s, else what the camera says of the light."""
    machine = state.machine
    if not state.rules.face or machine.look is None:
        return None
    if machine.several_since is not None:
        long = state.now - machine.several_since > SEVERAL_HINT_MS
        return Sentence("hint.several") if long else None
    return Sentence(f"hint.{machine.look.hint}") if machine.look.hint in _HINTED else None


# --- why this minute counts -------------------------------------------------------------------------------------------


def _panel(state: State) -> Iterator[PanelLine]:
    conditions, machine = state.rules.conditions, state.machine
    unknown = machine.window is None or machine.window.focused is None or machine.window.covered is None
    fault = window_fault(machine.window, conditions)
    if fault and fault != "unknown":
        yield PanelLine(Sentence("panel.window_todo"), "todo")
    elif unknown:
        yield PanelLine(Sentence("panel.window_unknown"), "unknown")
    else:
        yield PanelLine(Sentence("panel.window_good"), "good")
    if conditions.face:
        yield _line("panel.camera", not camera_fault(machine, state.now))
        yield _line("panel.person", present(machine, conditions.absence_grace_ms, state.now))
    else:
        yield PanelLine(Sentence("panel.camera_none"), "good")
    yield _line("panel.agent", agent_lives(machine, conditions, state.now))
    outcome = state.outcome
    if outcome is not None and outcome.result == "passed":
        minutes = (state.now - outcome.at) // MINUTE
        said = Sentence("panel.check_good", {"minutes": minutes}) if minutes else Sentence("panel.check_now")
        yield PanelLine(said, "good")
    else:
        yield PanelLine(Sentence("panel.check_todo"), "todo" if outcome else "unknown")
    if state.sync.online:
        yield PanelLine(Sentence("panel.sync_good"), "good")
    else:
        yield PanelLine(Sentence("panel.sync_todo", {"pending": _pending(state)}), "todo")
    if state.rules.sparing:
        yield PanelLine(Sentence("panel.low_load"), "unknown")


def _line(key: str, good: bool) -> PanelLine:
    return PanelLine(Sentence(f"{key}_good" if good else f"{key}_todo"), "good" if good else "todo")


def _pending(state: State) -> int:
    return max(0, state.size - state.cosigned)


def _last_check(state: State) -> Sentence:
    outcome = state.outcome
    if outcome is None:
        return Sentence("check.none")
    if outcome.result != "passed":
        return Sentence(_way(state, "check.unclear"))
    minutes = (state.now - outcome.at) // MINUTE
    return Sentence("check.passed", {"minutes": minutes}) if minutes else Sentence("check.passed_now")


def _sync(state: State) -> Sentence:
    if state.sync.problem:
        return Sentence("sync.problem", {"code": state.sync.problem})
    if not state.sync.online:
        return Sentence("sync.offline", {"pending": _pending(state)})
    signed = _pending(state) - state.since_cut
    return Sentence("sync.sending", {"pending": signed}) if signed > 0 else Sentence("sync.good")
