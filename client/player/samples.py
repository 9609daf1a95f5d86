"""Sample values for pictures and tests of the screens, and a drawn person in place of a camera's picture."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

from PIL import Image, ImageDraw

from client.events import Prompt
from client.player.captions import CaptionTrack, parse_captions
from client.player.course import open_package
from client.player.decode import Picture
from client.player.media import Reel
from client.player.sound import Silence
from client.view import Button, PanelLine, Part, Question, ResultView, Sentence, UnitView, View, Words

UNIT = Words("拔、瞄、压、扫：四步灭火", "Pull, aim, squeeze, sweep")
COURSE = Words("消防安全：灭火器的使用", "Fire safety: using an extinguisher")
SECOND = Words("高处作业安全", "Safe work at height")
NETWORK = Words(
    "暂时无法连接服务器。请检查网络；您可以继续学习，网络恢复后会自动上传记录。",
    "Check the network. You can go on studying; records are sent when it is back.",
)
CODE = Words("验证码不正确，请核对后重新输入。", "The code is not right; look again and type it once more.")
MINUTE = 60_000


def _panel(**todo: PanelLine) -> tuple[PanelLine, ...]:
    lines = {
        "window": PanelLine(Sentence("panel.window_good"), "good"),
        "camera": PanelLine(Sentence("panel.camera_good"), "good"),
        "person": PanelLine(Sentence("panel.person_good"), "good"),
        "check": PanelLine(Sentence("panel.check_good", {"minutes": 12}), "good"),
        "agent": PanelLine(Sentence("panel.agent_good"), "good"),
        "sync": PanelLine(Sentence("panel.sync_good"), "good"),
    }
    return tuple({**lines, **todo}.values())


def view(phase: str = "playing", sentence: str = "say.playing", **changes: Any) -> View:
    """The lesson in full swing, with changes."""
    plain: dict[str, Any] = {
        "phase": phase, "sentence": Sentence(sentence, changes.pop("values", {})), "button": None, "panel": _panel(),
        "unit": UnitView("pass", UNIT, 1, 3, 30_400, MINUTE, 41_000),
        "last_check": Sentence("check.passed", {"minutes": 12}), "sync": Sentence("sync.good"),
        "credited_unit_ms": 22_000, "credited_all_ms": 47 * MINUTE + 22_000, "pending_ms": 7_400,
        "may_rest": True, "may_end": True, "may_seek": True,
    }  # fmt: skip
    return View(**{**plain, **changes})


def _views() -> Iterator[tuple[str, View]]:
    ready = Button("ready", "button.ready")
    resume = Button("play", "button.continue")
    yield "lesson", view()
    yield "lesson-ready", view("ready", "say.ready", button=Button("play", "button.start"))
    focus = PanelLine(Sentence("panel.window_todo"), "todo")
    yield "lesson-paused-focus", view("paused", "pause.focus", panel=_panel(window=focus))
    yield "lesson-paused-rest", view("paused", "pause.rest", button=resume)
    camera = PanelLine(Sentence("panel.camera_todo"), "todo")
    yield "lesson-paused-camera", view("paused", "pause.camera", panel=_panel(camera=camera), button=resume)
    title = Words("按键宏录制工具正在运行", "A macro recorder is running")
    remedy = Words("请先关闭它，再按下面的按钮", "Close it, then press the button below")
    found = {"title": title, "remedy": remedy}
    recheck = Button("recheck", "button.recheck")
    yield "lesson-paused-agent", view("paused", "pause.finding", values=found, button=recheck)
    offline = PanelLine(Sentence("panel.sync_todo", {"pending": 38}), "todo")
    waits = Sentence("sync.offline", {"pending": 38})
    yield "lesson-offline", view("playing", "say.playing_offline", panel=_panel(sync=offline), sync=waits)
    yield "lesson-hint", view(hint=Sentence("hint.dark"))
    yield "lesson-notice", view("notice", "check.notice", values={"seconds": 3}, countdown_ms=3000, button=ready)
    prompt = Prompt(3, "turn_left", 1, 3, 16_000)
    photo = Sentence("check.photo", {"names": "school.example"})
    yield "lesson-check", view("check", "check.running", prompt=prompt, countdown_ms=16_000, photo=photo)
    dark = Prompt(3, "look", 0, 0, 21_000, "far")
    yield "lesson-check-hint", view("check", "check.again", prompt=dark, countdown_ms=21_000)
    other = _panel(camera=PanelLine(Sentence("panel.camera_none"), "good"))
    other = tuple(line for line in other if line.sentence.key != "panel.person_good")
    question = Question(("boat", "sun", "key", "tree"), "key", code=True, person=False, busy=False)
    yield "lesson-code", view("check", "check.code", question=question, camera=False, countdown_ms=80_000, panel=other)
    room = Question((), "", code=False, person=True, busy=False)
    yield "lesson-person", view("check", "check.code", question=room, camera=False, countdown_ms=80_000, panel=other)
    values = {"seconds": 3}
    yield (
        "lesson-code-notice",
        view("notice", "check.notice_code", values=values, camera=False, countdown_ms=3000, button=ready, panel=other),
    )
    text = "您好，请把桌面上的手机支架移开一些，谢谢。"
    yield "lesson-message", view("paused", "pause.command", message=text, button=Button("ready", "button.read"))
    helped = {"advice": Sentence("advice.dark")}
    other_way = Button("other_way", "button.other_way")
    yield "lesson-help", view("paused", "pause.help", values=helped, button=resume, second=other_way)
    yield "lesson-again", view("judging", "check.again_because", values=helped)
    yield "lesson-closing", view("closing", "say.closing_wait", values={"minutes": 9})


def result() -> ResultView:
    """A result with parts to make up."""
    unproven = Words("其后还没有通过的核验。", "No passed check follows it yet.")
    missed = Words("附近的核验没有按时回答。", "The check beside it was not answered in time.")
    parts = (
        Part("pass", UNIT, 22_000, 41_000, unproven, True),
        Part("pass", UNIT, 41_000, 47_500, missed, True),
    )
    return ResultView(34_500, 47 * MINUTE + 34_500, 5, 6, parts, True, "ended", 214, (1_795_000_000_000,))


@cache
def still() -> Picture:
    """One picture of the demo lesson, decoded."""
    package = open_package(_demo())
    reel = Reel(package.media("pass", "zh").path, Silence(), 29_400)
    try:
        while (picture := reel.take(29_440)) is None and reel.fault is None:
            time.sleep(0.005)
    finally:
        reel.close()
    assert picture is not None, reel.fault
    return picture


def _demo() -> Any:
    from pathlib import Path

    return Path(__file__).with_name("demo_course")


@cache
def tracks() -> dict[str, CaptionTrack]:
    """The demo lesson's captions."""
    files = open_package(_demo()).media("pass", "zh").captions
    return {tag: CaptionTrack(parse_captions(path.read_bytes())) for tag, path in files.items()}


@cache
def preview() -> tuple[int, int, bytes]:
    """A person drawn, as a camera would give it: 640×480 RGB24."""
    image = Image.new("RGB", (1280, 960), "#C9D6E6")
    pen = ImageDraw.Draw(image)
    pen.rectangle([0, 0, 1280, 960], "#D7E1EC")
    pen.rounded_rectangle([90, 80, 430, 480], 16, "#EDF3F9")
    pen.line([260, 80, 260, 480], "#D7E1EC", 14)
    pen.rounded_rectangle([270, 700, 1010, 1300], 260, "#3B5C8C")
    pen.polygon([(560, 700), (720, 700), (640, 830)], "#F4F7FB")
    pen.rounded_rectangle([570, 560, 710, 760], 60, "#DDAA86")
    pen.ellipse([470, 210, 810, 660], "#EDBF9C")
    pen.pieslice([450, 160, 830, 560], 180, 360, "#3A2E2A")
    pen.ellipse([555, 405, 585, 440], "#2B2320")
    pen.ellipse([695, 405, 725, 440], "#2B2320")
    pen.line([548, 375, 592, 370], "#3A2E2A", 9)
    pen.line([688, 370, 732, 375], "#3A2E2A", 9)
    pen.line([640, 440, 630, 505, 648, 508], "#D49A74", 8, joint="curve")
    pen.arc([580, 500, 700, 585], 25, 155, "#A4504A", 10)
    small = image.reduce(2)
    return small.width, small.height, small.tobytes()


Entry = tuple[str, Callable[[], str] | None, Callable[[], Any]]


def screens() -> Iterator[Entry]:
    """Name, title and maker of every screen in every state worth a picture."""
    from client.player import screens as s
    from client.player.widgets import tongue

    def nothing(*_: Any) -> None:
        """A button in a picture."""

    def shown(screen: Any, value: Any) -> Callable[[], Any]:
        def make() -> Any:
            made = screen()
            made.render(value)
            return made

        return make

    trouble, wrong = s.Trouble(NETWORK, "TS-C-001"), s.Trouble(CODE, "TS-S-012", "")
    sign_in = lambda: s.SignInScreen(nothing, nothing, nothing)  # noqa: E731
    enrol = lambda: s.EnrolScreen(nothing, nothing, nothing, nothing)  # noqa: E731
    name = lambda: s.RealNameScreen(nothing, nothing)  # noqa: E731
    today = lambda: s.TodayScreen(nothing, nothing, nothing)  # noqa: E731
    yield "notice", None, shown(lambda: s.NoticeScreen(nothing), s.Notice())
    yield "notice-filled", None, lambda: _filled(s.NoticeScreen(nothing))
    yield "signin", None, shown(sign_in, s.SignIn(server="127.0.0.1:8799"))
    yield "signin-code", None, shown(sign_in, s.SignIn("code", "13800000000", development=True, trouble=wrong))
    yield "name", None, shown(name, s.RealName("龑赟喆", "open", can_ask=True))
    yield "enrol", None, shown(enrol, s.Enrol("intro"))
    running = Prompt("enrol", "turn_right", 1, 3, 21_000, "")
    yield "enrol-running", None, shown(enrol, s.Enrol("running", running, scripted=True))
    yield "enrol-unclear", None, shown(enrol, s.Enrol("unclear", advice="dark"))
    yield "enrol-known", None, shown(enrol, s.Enrol("intro", known=True))
    missing = Prompt("enrol", "turn_left", 0, 1, 4_000, "")
    yield "enrol-practice", None, shown(enrol, s.Enrol("running", missing, practice=True, missing=True))
    yield "enrol-practised", None, shown(enrol, s.Enrol("practised", practice=True))
    courses = (
        s.Course("a" * 32, COURSE, 3, 12 * MINUTE, 45 * MINUTE, 3 * MINUTE, UNIT),
        s.Course("b" * 32, SECOND, 8, 0, 180 * MINUTE),
    )
    yield (
        "today",
        None,
        shown(today, s.Today("龑赟喆", courses, pending=38, online=False, identity_open=True, face=True, sparing=True)),
    )
    yield "today-empty", None, shown(today, s.Today("龑赟喆", ()))
    yield "today-trouble", None, shown(today, s.Today("龑赟喆", (), trouble=trouble))
    for key, value in _views():
        yield key, lambda: tongue.of(UNIT), partial(_lesson, s, nothing, value)
    yield "result", None, shown(lambda: s.ResultScreen(nothing, nothing), result())
    yield "problem", None, shown(lambda: s.ProblemScreen(nothing), s.Page(trouble))


def _filled(screen: Any) -> Any:
    screen.read = screen.promised = True
    screen.face, screen.photos = 1, 0
    return screen


def _lesson(s: Any, nothing: Any, value: View) -> Any:
    screen = s.LessonScreen(nothing, nothing)
    screen.set_captions(tracks())
    screen.render(value)
    screen.ids.picture.show(still())
    return screen
