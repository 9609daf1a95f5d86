"""Every screen in every state worth a picture: name, title and maker. Import after `client.player.kivy_env.prepare`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from client.events import Prompt
from client.player import pages, samples
from client.player import screens as s
from client.player.samples import MINUTE, PERSON, UNIT, chaptered, panel, view
from client.player.widgets import tongue
from client.view import Button, PanelLine, Question, Sentence, View, Words

Entry = tuple[str, Callable[[], str] | None, Callable[[], Any]]
Maker = Callable[[], Any]

TROUBLE = s.Trouble(samples.NETWORK, "TS-C-001")
RESUME = Button("play", "button.continue")
READY = Button("ready", "button.ready")


def screens() -> Iterator[Entry]:
    """All of them, in the order in which a learner meets them."""
    yield from _arriving()
    yield from _enrolling()
    yield from _overview()
    yield from _own()
    for key, value in (*_lessons(), *_paused(), *_checks()):
        yield key, partial(_lesson_title, value), partial(_lesson, value)
    yield "result", None, _shown(lambda: s.ResultScreen(_nothing, _nothing), samples.result())
    yield "problem", None, _shown(lambda: s.ProblemScreen(_nothing, _nothing), s.Page(TROUBLE))
    yield "doctor", None, _shown(lambda: s.DoctorScreen(_nothing, _nothing, _nothing), samples.health())


def _arriving() -> Iterator[Entry]:
    sign_in = lambda: s.SignInScreen(_nothing, _nothing, _nothing)  # noqa: E731
    name = lambda: s.RealNameScreen(_nothing, _nothing)  # noqa: E731
    wrong = s.Trouble(samples.CODE, "TS-S-012", "")
    yield "notice", None, _shown(lambda: s.NoticeScreen(_nothing), s.Notice())
    yield "notice-filled", None, lambda: _filled(s.NoticeScreen(_nothing))
    yield "signin", None, _shown(sign_in, s.SignIn(server="127.0.0.1:8799"))
    for step in ("ways", "activation", "elsewhere", "help"):
        yield f"signin-{step}", None, _shown(sign_in, samples.arriving(step))
    yield "signin-code", None, _shown(sign_in, s.SignIn("code", "13800000000", development=True, trouble=wrong))
    yield "name", None, _shown(name, s.RealName(PERSON, "open", can_ask=True))


def _enrolling() -> Iterator[Entry]:
    enrol = lambda: s.EnrolScreen(_nothing, _nothing, _nothing, _nothing)  # noqa: E731
    running = Prompt("enrol", "turn_right", 1, 3, 21_000, "")
    missing = Prompt("enrol", "turn_left", 0, 1, 4_000, "")
    for name, value in (
        ("enrol", s.Enrol("intro")),
        ("enrol-running", s.Enrol("running", running, scripted=True)),
        ("enrol-unclear", s.Enrol("unclear", advice="dark")),
        ("enrol-known", s.Enrol("intro", known=True)),
        ("enrol-practice", s.Enrol("running", missing, practice=True, missing=True)),
        ("enrol-practised", s.Enrol("practised", practice=True)),
    ):
        yield name, None, _shown(enrol, value)


def _overview() -> Iterator[Entry]:
    today = lambda: s.TodayScreen(_nothing, _nothing, _nothing)  # noqa: E731
    courses = samples.courses()
    done = replace(courses[0], credited_ms=45 * MINUTE, make_up_ms=0, next_unit=None, plan=None)
    bell = Sentence("bell.missed", {"at": "11-21 19:30"})
    for name, value in (
        ("today", s.Today(PERSON, courses, pending=38, online=False, identity_open=True, face=True, sparing=True)),
        ("today-done", s.Today(PERSON, (done,), bell=bell, face=True)),
        ("today-busy", s.Today("", (), busy=True)),
        ("today-empty", s.Today(PERSON, ())),
        ("today-trouble", s.Today(PERSON, (), trouble=TROUBLE)),
    ):
        yield name, None, _shown(today, value)


def _own() -> Iterator[Entry]:
    line = lambda: s.TimelineScreen(_nothing)  # noqa: E731
    rights = lambda: s.RightsScreen(_nothing, _nothing, _nothing)  # noqa: E731
    settings = lambda: s.SettingsScreen(_nothing, _nothing, _nothing, _nothing)  # noqa: E731
    ways = lambda: s.WaysScreen(_nothing, _nothing, _nothing, _nothing)  # noqa: E731
    offline = replace(samples.rights(), letters=None, trouble=TROUBLE, findings=(), photos=())
    for name, title, screen, value in (
        ("timeline", "timeline", line, pages.Timeline(samples.courses()[0])),
        ("rights", "rights", rights, samples.rights()),
        ("rights-busy", "rights", rights, pages.Rights(busy=True)),
        ("rights-offline", "rights", rights, offline),
        ("settings", "settings", settings, samples.settings()),
        ("ways", "ways", ways, samples.ways()),
        *((f"ways-{step}", "ways", ways, samples.ways(step)) for step in ("linking", "linked", "none")),
    ):
        yield name, _titled(f"{title}.title"), _shown(screen, value)


# --- the lesson -------------------------------------------------------------------------------------------------------


def _lessons() -> Iterator[tuple[str, View]]:
    yield "lesson", view()
    yield "lesson-hand", view(hand=Button("hand_down", "button.hand_down"), asked=Sentence("hand.up"))
    yield "lesson-ready", view("ready", "say.ready", button=Button("play", "button.start"))
    offline = PanelLine(Sentence("panel.sync_todo", {"pending": 38}), "todo")
    waits = Sentence("sync.offline", {"pending": 38})
    yield "lesson-offline", view("playing", "say.playing_offline", panel=panel(sync=offline), sync=waits)
    low = PanelLine(Sentence("panel.low_load"), "unknown")
    yield "lesson-making-up", view("playing", "say.making_up", values={"number": 2, "count": 3}, panel=panel(low=low))
    yield "lesson-hint", view(hint=Sentence("hint.dark"))
    yield "lesson-chapters", chaptered()
    yield "lesson-question", view("paused", "say.question", question=samples.question())
    test = view("paused", "say.test", values={"number": 2, "count": 5}, question=samples.question())
    yield "lesson-test", test
    marks, again = {"right": 2, "asked": 5, "needed": 3}, Button("test", "button.test_again")
    following = Button("play", "button.next")
    yield "lesson-test-again", view("unit_end", "say.test_again", values=marks, button=following, second=again)
    yield "lesson-live", samples.live()
    begins = {"unit": samples.HALL, "time": "19:30"}
    yield "lesson-live-waiting", samples.live("paused", "pause.live_waiting", values=begins)
    yield "lesson-live-stalled", samples.live("paused", "pause.live_stalled")
    yield "lesson-live-rest", samples.live("paused", "pause.rest_live", button=RESUME)
    yield "lesson-closing", view("closing", "say.closing_wait", values={"minutes": 9})


def _paused() -> Iterator[tuple[str, View]]:
    focus = PanelLine(Sentence("panel.window_todo"), "todo")
    yield "lesson-paused-focus", view("paused", "pause.focus", panel=panel(window=focus))
    yield "lesson-paused-rest", view("paused", "pause.rest", button=RESUME)
    camera = PanelLine(Sentence("panel.camera_todo"), "todo")
    yield "lesson-paused-camera", view("paused", "pause.camera", panel=panel(camera=camera), button=RESUME)
    title = Words("按键宏录制工具正在运行", "A macro recorder is running")
    remedy = Words("请先关闭它，再按下面的按钮", "Close it, then press the button below")
    found = {"title": title, "remedy": remedy}
    recheck = Button("recheck", "button.recheck")
    yield "lesson-paused-agent", view("paused", "pause.finding", values=found, button=recheck)
    text = "您好，请把桌面上的手机支架移开一些，谢谢。"
    yield "lesson-message", view("paused", "pause.command", message=text, button=Button("ready", "button.read"))
    helped = {"advice": Sentence("advice.dark")}
    other_way = Button("other_way", "button.other_way")
    yield "lesson-help", view("paused", "pause.help", values=helped, button=RESUME, second=other_way)
    yield "lesson-again", view("judging", "check.again_because", values=helped)


def _checks() -> Iterator[tuple[str, View]]:
    values = {"seconds": 3}
    yield "lesson-notice", view("notice", "check.notice", values=values, countdown_ms=3000, button=READY)
    prompt = Prompt(3, "turn_left", 1, 3, 16_000)
    photo = Sentence("check.photo", {"names": "school.example"})
    yield "lesson-check", view("check", "check.running", prompt=prompt, countdown_ms=16_000, photo=photo)
    far = Prompt(3, "look", 0, 0, 21_000, "far")
    yield "lesson-check-hint", view("check", "check.again", prompt=far, countdown_ms=21_000)
    other = panel(camera=PanelLine(Sentence("panel.camera_none"), "good"))
    other = tuple(line for line in other if line.sentence.key != "panel.person_good")
    blind: dict[str, Any] = {"camera": False, "panel": other}
    question = Question(("boat", "sun", "key", "tree"), "key", code=True, person=False, busy=False)
    yield "lesson-code", view("check", "check.code", question=question, countdown_ms=80_000, **blind)
    room = Question((), "", code=False, person=True, busy=False)
    yield "lesson-person", view("check", "check.code", question=room, countdown_ms=80_000, **blind)
    notice = view("notice", "check.notice_code", values=values, countdown_ms=3000, button=READY, **blind)
    yield "lesson-code-notice", notice


# --- small things -----------------------------------------------------------------------------------------------------


def _nothing(*_: Any) -> None:
    """A button in a picture."""


def _titled(key: str) -> Callable[[], str]:
    return lambda: str(tongue.say(key))


def _shown(screen: Maker, value: Any) -> Maker:
    def make() -> Any:
        made = screen()
        made.render(value)
        return made

    return make


def _filled(screen: Any) -> Any:
    screen.read = screen.promised = True
    screen.face, screen.photos = 1, 0
    return screen


def _lesson_title(value: View) -> str:
    return str(tongue.of(value.unit.title if value.unit is not None else UNIT))


def _lesson(value: View) -> Any:
    screen = s.LessonScreen(_nothing, _nothing)
    screen.set_captions({} if value.unit is not None and value.unit.live else samples.tracks())
    screen.render(value)
    screen.ids.picture.show(samples.still())
    return screen
