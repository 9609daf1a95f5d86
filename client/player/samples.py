"""Sample values for pictures and tests of the screens, and a drawn person in place of a camera's picture."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any, cast

from PIL import Image, ImageDraw

from client.player import pages
from client.player.captions import CaptionTrack, parse_captions
from client.player.course import open_package
from client.player.decode import Picture
from client.player.health import Health, Line
from client.player.media import Reel
from client.player.shown import Course, SignIn
from client.player.sound import Silence
from client.preferences import Looks, Reminder
from client.timeline import Stretch, UnitLine
from client.today import Plan
from client.view import Button, Chapter, PanelLine, Part, Question, ResultView, Sentence, UnitView, View, Words, Worth
from ledger.reasons import REASONS

UNIT = Words("拔、瞄、压、扫：四步灭火", "Pull, aim, squeeze, sweep")
COURSE = Words("消防安全：灭火器的使用", "Fire safety: using an extinguisher")
TYPES = Words("灭火器的种类与适用范围", "Kinds of extinguishers and what they are for")
HALL = Words("直播答疑：身边的火灾隐患", "Live: fire hazards around you")
LEAVE = Words("什么时候必须撤离", "When to leave")
SECOND = Words("高处作业安全", "Safe work at height")
NETWORK = Words(
    "暂时无法连接服务器。请检查网络；您可以继续学习，网络恢复后会自动上传记录。",
    "Check the network. You can go on studying; records are sent when it is back.",
)
CODE = Words("验证码不正确，请核对后重新输入。", "The code is not right; look again and type it once more.")
MINUTE = 60_000
PERSON = "龑赟喆"  # a name that small character sets break


def panel(**todo: PanelLine) -> tuple[PanelLine, ...]:
    """All is well, but for these."""
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
        "phase": phase, "sentence": Sentence(sentence, changes.pop("values", {})), "button": None, "panel": panel(),
        "unit": UnitView("pass", UNIT, 1, 3, 30_400, MINUTE, 41_000, ((0, 12_000), (14_000, 22_000))),
        "last_check": Sentence("check.passed", {"minutes": 12}), "sync": Sentence("sync.good"),
        "credited_unit_ms": 22_000, "credited_all_ms": 47 * MINUTE + 22_000, "pending_ms": 7_400,
        "may_rest": True, "may_end": True, "may_seek": True, "hand": Button("hand", "button.hand"),
    }  # fmt: skip
    return View(**{**plain, **changes})


def chaptered(position_ms: int = 29_400) -> View:
    """The lesson with the chapters of its four steps; up to 41 s it was seen."""
    steps = (
        (0, "先判断", "Look first"), (16_000, "拔", "Pull"), (25_000, "瞄", "Aim"), (34_000, "压", "Squeeze"),
        (43_000, "扫", "Sweep"),
    )  # fmt: skip
    chapters = tuple(Chapter(at, Words(zh, en)) for at, zh, en in steps)
    unit = view().unit
    assert unit is not None
    unit = replace(unit, position_ms=position_ms, chapters=chapters)
    title = chapters[unit.chapter - 1].title
    return view(unit=unit, hint=Sentence("hint.chapter", {"number": unit.chapter, "title": title}))


def live(phase: str = "playing", sentence: str = "say.playing", **changes: Any) -> View:
    """A live lesson, joined at its 13th minute after a short pause; nothing of it can be sought or slowed down."""
    at = 0 if sentence == "pause.live_waiting" else 12 * MINUTE + 41_000
    unit = UnitView("hall", HALL, 2, 3, at, 45 * MINUTE, at, live=True)
    passed = Sentence("hint.live_passed", {"time": "0:14"}) if phase == "playing" else None
    return view(phase, sentence, **{"unit": unit, "hint": passed, "may_seek": False, **changes})


def result() -> ResultView:
    """A result with parts to make up."""
    unproven = Words("其后还没有通过的核验。", "No passed check follows it yet.")
    missed = Words("附近的核验没有按时回答。", "The check beside it was not answered in time.")
    parts = (
        Part("pass", UNIT, 22_000, 41_000, unproven, True),
        Part("pass", UNIT, 41_000, 47_500, missed, True),
    )
    return ResultView(34_500, 47 * MINUTE + 34_500, 5, 6, parts, True, "ended", 214, (1_795_000_000_000,), worth())


def worth() -> Worth:
    """One class hour and one lesson of three."""
    rules = (("hours", 1, 0, "1", "1"), ("units", 1, 3, "0.5", "0.5"), ("course_open", 0, 1, "2", "0"))
    why = (
        Sentence(f"points.{rule}", {"times": times, "most": most, "each": each, "sum": sum_, "share": "98"})
        for rule, times, most, each, sum_ in rules
    )
    return Worth("1.5", "1", 45, tuple(why))


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


def line(unit: str, title: Words, duration: int, *edges: tuple[str, int, str]) -> UnitLine:
    """A unit of stretches: (kind, its end, the ledger's reason)."""
    found, begin = [], 0
    for kind, end, code in edges:
        why = Words(REASONS[code].zh, REASONS[code].en) if code else None
        found.append(Stretch(cast(Any, kind), begin, end, code, why))
        begin = end
    return UnitLine(unit, title, duration, tuple(found))


def courses() -> tuple[Course, ...]:
    """One course that is under way, with a deadline and a live lesson soon, and one that was not begun."""
    first = line(
        "pass", UNIT, 15 * MINUTE, ("credited", 6 * MINUTE, ""), ("unproven", 7 * MINUTE + 20_000, "check_missed"),
        ("credited", 9 * MINUTE, ""), ("unproven", 10 * MINUTE + 40_000, "no_check_after"),
        ("waiting", 12 * MINUTE, "offline_unconfirmed"), ("unseen", 15 * MINUTE, ""),
    )  # fmt: skip
    second = line("types", TYPES, 18 * MINUTE, ("credited", 3 * MINUTE, ""), ("unseen", 18 * MINUTE, ""))
    third = line("leave", LEAVE, 12 * MINUTE, ("unseen", 12 * MINUTE, ""))
    one = Plan(33 * MINUTE, 20 * MINUTE, 12 * MINUTE, 2, enough=True)
    two = Plan(180 * MINUTE, 45 * MINUTE, 45 * MINUTE, None, enough=True)
    return (
        Course("a" * 32, COURSE, 3, 12 * MINUTE, 45 * MINUTE, 3 * MINUTE, UNIT, (first, second, third), one,
               date(2026, 11, 24), cap_ms=8 * 60 * MINUTE, window=("06:00", "23:00"),
               live=(Sentence("today.live_in", {"unit": HALL, "time": "19:30", "minutes": 25}),)),
        Course("b" * 32, SECOND, 8, 0, 180 * MINUTE, plan=two,
               live=(Sentence("today.live_at", {"unit": HALL, "time": "11-24 19:30"}),)),
    )  # fmt: skip


def rights() -> pages.Rights:
    """Something of everything."""
    at = 1_795_000_000_000
    lost = tuple(
        pages.Lost(ms, Words(REASONS[code].zh, REASONS[code].en), REASONS[code].make_up)
        for code, ms in (("no_check_after", 100_000), ("check_missed", 80_000), ("offline_unconfirmed", 80_000))
    )
    title = Words("按键宏录制工具正在运行", "A macro recorder is running")
    letters = (
        pages.Wrote("statement", at, "那是公司统一安装的键盘程序，我已经关闭了。", "已核实，不影响学时。"),
        pages.Wrote("appeal", at - 86_400_000, "那天网络断了，最后一次核验没有收到。"),
    )
    agreed = tuple(
        pages.Agreed(what, given, at - 9 * 86_400_000, sent)
        for what, given, sent in (
            ("notice", True, True), ("commitment", True, True), ("face", True, True), ("photos", False, False),
        )
    )  # fmt: skip
    return pages.Rights(
        (pages.Hours(COURSE, 12 * MINUTE, 45 * MINUTE, lost, worth()), pages.Hours(SECOND, 0, 180 * MINUTE, ())),
        (pages.Found(at, title, COURSE),), agreed,
        (pages.Taken(at, COURSE, ("school.example", "supervisor")),), letters,
    )  # fmt: skip


def settings() -> pages.Settings:
    """Two reminders, a goal of one's own and a fixed one."""
    goals = (
        pages.Goal("a" * 32, COURSE, date(2026, 11, 24), fixed=True),
        pages.Goal("b" * 32, SECOND, date(2026, 12, 20), fixed=False),
    )
    reminders = (Reminder(19 * 60 + 30, (0, 2, 4)), Reminder(9 * 60, (5, 6)))
    return pages.Settings(Looks(), reminders, goals, date(2026, 11, 22), "11-23 19:30", outside=True)


def ways(step: str = "") -> pages.Ways:
    """One account that is linked, and one more that may be; `linking` or `none`."""
    wechat = ("wechat", "微信")
    city = (("https://id.city.example", "城市统一身份认证"),)
    match step:
        case "linking":
            return pages.Ways(city, (wechat,), *wechat, uri="https://open.weixin.example/connect", user_code="48 15 26")
        case "none":
            return pages.Ways((), (("oidc", city[0][1]), wechat))
        case "linked":
            return pages.Ways((*city, ("wechat:wx01", "微信")), (), done=Sentence("ways.linked", {"name": "微信"}))
    return pages.Ways(city, (wechat,))


def health() -> Health:
    """A computer whose camera is in a meeting, in a dark room."""
    told = (
        ("ok", "显示", "display", ":0", ":0", "", ""),
        ("ok", "识别模型", "models", "3 个，校验通过", "3 verified", "", ""),
        ("ok", "环境检测", "agent", "已启动，1 秒内有回应", "started, answered within 1 s", "", ""),
        ("ok", "时钟", "clock", "与服务器一致", "agrees with the server's", "", ""),
        ("fail", "摄像头", "camera", "摄像头正被其他程序占用", "another program uses it",
         "请关闭会议、直播等正在使用摄像头的程序后再试。", "Close what uses the camera, then try again."),
        ("warn", "光线", "light", "偏暗", "too dark", "请打开灯。", "Turn on a light."),
    )  # fmt: skip
    lines = [Line(Words(zh, en), Words(a, b), Words(c, d), level) for level, zh, en, a, b, c, d in told]
    return Health(lines, busy=False)


def question() -> Question:
    """A question of the lesson with answers as long as they are in courses."""
    prompt = Words("灭火时，喷嘴应当对准哪里？", "Where does the nozzle point while you put the fire out?")
    choices = (
        Words("火焰顶端", "At the top of the flames"), Words("火焰根部", "At the base of the flames"),
        Words("浓烟最密的地方，从上往下", "Where the smoke is thickest, from above downwards"),
        Words("离自己最近的燃烧物", "At whatever burns nearest to you"),
    )  # fmt: skip
    return Question((), "", code=False, person=False, busy=False, prompt=prompt, choices=choices)


def arriving(step: str) -> SignIn:
    """Sign-in by another way than the code to the phone."""
    ways = (("oidc", "城市统一身份认证"), ("wechat", "微信"))
    match step:
        case "activation" | "help":
            return SignIn(step, ways=ways)
        case "elsewhere":
            return SignIn("elsewhere", ways=ways, uri="https://id.example/device", user_code="WDJB-MJHT",
                          way="oidc", way_name=ways[0][1])  # fmt: skip
    return SignIn(server="127.0.0.1:8799", ways=ways)
