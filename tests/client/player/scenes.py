"""Scenes played in a window of their own, one process each: `python -m tests.client.player.scenes NAME WIDTHxHEIGHT`.

Every scene taps as a learner would and asserts what the callbacks were told and what stands on the screen.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from client.player import kivy_env

# width and height in px, the size of the text, the languages: Chinese where there is room, English where there is none
MEASURED = (((1280, 800), 1.0, ("zh",)), ((360, 780), 1.25, ("en",)))
MEASURED_LONG = tuple(
    (size, scale, ("zh", "en"))
    for size in ((1280, 800), (1024, 600), (768, 1024), (390, 844), (360, 640))
    for scale in (1.0, 1.25, 2.0)
)


class Told(list[Any]):
    """Remembers what callbacks were told."""

    def of(self, name: str) -> Callable[..., None]:
        """A callback that is remembered as (name, *arguments)."""
        return lambda *values: self.append((name, *values))


def notice(stage: Any, drive: Any, s: Any) -> None:
    """Nothing is ticked beforehand; Continue waits for all four answers; both refusals are an answer too."""
    told = Told()
    stage.show(s.NoticeScreen(told.of("done")))
    drive.step(5)
    assert drive.find("继续") is None
    drive.tap("我已阅读培训须知")
    drive.tap("我承诺由本人参加学习")
    refusals = [w for w in drive.widgets() if getattr(w, "words", "") == "不同意" and hasattr(w, "chosen")]
    assert len(refusals) == 2
    assert not any(w.chosen for w in drive.widgets() if hasattr(w, "chosen")), "no consent is given beforehand"
    for choice in refusals:
        assert drive.find("继续") is None
        choice.trigger_action(0)
        drive.step(2)
    drive.tap("继续")
    assert told == [("done", s.Choices(True, True, False, False))]


def signin(stage: Any, drive: Any, s: Any) -> None:
    """Account, code, a wrong code in words, and back; a code is six digits and nothing else."""
    told = Told()
    screen = s.SignInScreen(told.of("account"), told.of("code"), told.of("other"))
    stage.show(screen)
    screen.render(s.SignIn())
    drive.step(3)
    assert drive.find("获取验证码") is None
    drive.type("zhang.wei")
    drive.tap("获取验证码")
    screen.render(s.SignIn("code", "zhang.wei", development=True))
    drive.step(3)
    drive.type("12ab34-5")
    assert drive.find("登录") is None
    drive.type("1234567")
    drive.tap("登录")
    assert told == [("account", "zhang.wei"), ("code", "123456")]
    error = RuntimeError("wrong")
    error.code, error.zh, error.remedy = "TS-S-012", "验证码不正确。", "Wrong code."  # type: ignore[attr-defined]
    screen.render(s.SignIn("code", "zhang.wei", trouble=s.trouble_of(error, "")))
    drive.step(5)
    assert "验证码不正确。" in drive.said()
    assert "代码 TS-S-012" in drive.said()
    drive.tap("换一个账号")
    assert told[-1] == ("other",)


def enrol(stage: Any, drive: Any, s: Any) -> None:
    """Start, prompts one by one with guidance, unclear is not a verdict, done."""
    from client.events import Prompt
    from client.player.samples import preview

    told = Told()
    screen = s.EnrolScreen(told.of("start"), told.of("continue"), told.of("other"), told.of("practise"))
    stage.show(screen)
    screen.render(s.Enrol("intro"))
    drive.tap("开始登记")
    for step, gesture in enumerate(("turn_left", "look_up")):
        screen.render(s.Enrol("running", Prompt("enrol", gesture, step, 2, 20_000 - step, "dark")))
        screen.mirror.show(preview())
        drive.step(3)
    assert "请稍微抬头" in drive.said()
    assert "光线有点暗，亮一些更好。" in drive.said()
    assert screen.mirror.live
    screen.render(s.Enrol("unclear"))
    drive.tap("再试一次")
    drive.tap("不用人脸，换一种方式")
    screen.render(s.Enrol("passed"))
    drive.tap("继续")
    assert told == [("start",), ("start",), ("other",), ("continue",)]


def today(stage: Any, drive: Any, s: Any) -> None:
    """One blue button only: the next course; the others are quiet; an empty overview says why."""
    from client.view import Words

    told = Told()
    screen = s.TodayScreen(told.of("open"), told.of("reload"), told.of("face"))
    stage.show(screen)
    courses = tuple(
        s.Course(name * 32, Words(name, name), 1, done, 60_000) for name, done in (("a", 60_000), ("b", 9), ("c", 0))
    )
    screen.render(s.Today("张伟", courses))
    drive.step(4)
    loud = [w.words for w in drive.widgets() if getattr(w, "kind", "") == "primary" and hasattr(w, "hug")]
    assert loud == ["继续学习"]
    drive.tap("继续学习")
    drive.tap("再看一遍")
    screen.render(s.Today("张伟", ()))
    drive.tap("刷新")
    assert told == [("open", "b" * 32), ("open", "a" * 32), ("reload",)]


def lesson(stage: Any, drive: Any, s: Any) -> None:
    """Buttons tell what was pressed; a pause covers the picture; a tap on the bar never goes past what was seen."""
    from client.player.drive import Tap
    from client.player.samples import preview, tracks, view
    from client.view import Button

    told = Told()
    screen = s.LessonScreen(told.of("press"), told.of("seek"))
    stage.show(screen)
    screen.set_captions(tracks())
    screen.render(view())
    screen.show_preview(preview())
    drive.step(5)
    assert "对准火焰的根部，而不是火苗的顶端。" in drive.said()
    drive.tap("字幕")
    screen.render(view(pending_ms=7_500))
    drive.step(3)
    assert "对准火焰的根部，而不是火苗的顶端。" not in drive.said()
    bar = screen.ids.bar
    for share in (0.25, 0.99):
        touch = Tap(*bar.to_window(bar.x + share * bar.width, bar.center_y))
        touch.down()
        touch.up()
    drive.tap("休息")
    screen.render(view("paused", "pause.rest", button=Button("play", "button.continue"), may_seek=False))
    drive.step(3)
    touch = Tap(*bar.to_window(*bar.center))
    touch.down()
    touch.up()
    assert "想休息多久都可以，学时不会减少。" in drive.said()
    drive.tap("继续")
    screen.render(view("check", "check.running", countdown_ms=9000))
    screen.show_preview(preview())
    drive.step(3)
    assert screen.ids.mirror.live
    assert drive.find("继续") is None
    screen.render(view())
    drive.tap("结束")
    assert [t for t in told if t[0] == "seek"] == [("seek", 15_000), ("seek", 41_000)], told
    assert [t for t in told if t[0] == "press"] == [("press", "rest"), ("press", "play"), ("press", "end")]
    screen.close()


def chapters(stage: Any, drive: Any, s: Any) -> None:
    """The chapters of a lesson: named, marked, gone back to where their beginning was seen, said to screen readers."""
    from client.player.samples import chaptered, view
    from client.player.widgets.accessible import spoken, widgets

    told = Told()
    screen = s.LessonScreen(told.of("press"), told.of("seek"))
    stage.show(screen)
    screen.render(view())
    drive.step(3)
    parts = screen.ids.chapters.children
    assert not parts
    screen.render(chaptered())
    drive.step(5)
    assert (screen.hint if screen.wide else screen.status) == "第 3 章：瞄", "what has just begun is named"
    assert {"章节", "1. 先判断", "2. 拔", "3. 瞄", "4. 压", "5. 扫"} <= set(drive.said())
    rows = {part.at_ms: part for part in parts if hasattr(part, "at_ms")}
    assert [rows[at].disabled for at in sorted(rows)] == [False, False, False, False, True]
    assert [rows[at].here for at in sorted(rows)] == [False, False, True, False, False]
    assert screen.ids.bar.marks == [16_000, 25_000, 34_000, 43_000]
    read = {(one.role, one.name, one.disabled) for one in map(spoken, widgets(stage)) if one is not None}
    assert ("SLIDER", "播放位置 0:29，共 1:00，第 3 章：瞄", False) in read, [one for one in read if one[0] == "SLIDER"]
    assert ("BUTTON", "回到第 2 章：拔", False) in read
    assert ("BUTTON", "第 5 章：扫（尚未学到）", True) in read
    for at in sorted(rows):
        rows[at].into_sight()
        drive.step(3)
        rows[at].keyboard_on_key_down(None, (13, "enter"), "", [])
        drive.step(8)
    assert told == [("seek", at) for at in (0, 16_000, 25_000, 34_000)], "never on to one that was not seen"
    _keep(stage, "chapters")
    rows[0].focus = True
    screen.render(chaptered(18_000))
    drive.step(5)
    assert rows[16_000].here
    assert rows[0].focus, "the rows stay, and so does the focus"
    screen.render(replace(chaptered(), may_seek=False))
    drive.step(3)
    assert all(part.disabled for part in rows.values())
    screen.render(view())
    drive.step(3)
    assert not screen.ids.chapters.children
    screen.close()


def question(stage: Any, drive: Any, s: Any) -> None:
    """A check without a camera: a word and six digits together make the answer; a new attempt begins empty."""
    from client.player.samples import view
    from client.view import Question

    told = Told()
    screen = s.LessonScreen(told.of("press"), told.of("seek"), told.of("reply"))
    stage.show(screen)
    asked = Question(("boat", "sun", "key", "tree"), "key", code=True, person=False, busy=False)
    first = view("check", "check.code", question=asked, camera=False, countdown_ms=80_000)
    screen.render(first)
    drive.step(5)
    assert "请先选择“钥匙”，再输入验证码。" in drive.said()
    assert drive.find("确认") is None, "waits for both"
    drive.tap("钥匙")
    drive.type("12345")
    assert drive.find("确认") is None
    drive.type("123456")
    screen.render(replace(first, countdown_ms=70_000))
    drive.tap("确认")
    screen.render(replace(first, question=replace(asked, busy=True)))
    drive.step(3)
    assert drive.find("确认") is None, "one answer at a time"
    screen.render(replace(first, chimes=1))
    drive.step(3)
    assert drive.find("确认") is None, "nothing is left of the last attempt"
    assert screen.ids.question.ids.code.value == ""
    person = Question((), "", code=False, person=True, busy=False)
    screen.render(replace(first, question=person, chimes=2))
    drive.step(3)
    assert drive.find("确认") is None
    assert not any("验证码" in words for words in drive.said())
    assert list(told) == [("reply", 2, "123456")]
    _sit(screen, drive)
    assert list(told)[1:] == [("reply", 1, ""), ("reply", 0, "")]
    screen.close()


def _sit(screen: Any, drive: Any) -> None:
    """Two questions of a test: nothing is chosen beforehand in the second, and each says which one it is."""
    from client.player.samples import question, view

    for number, choice in ((1, 1), (2, 0)):
        values = {"number": number, "count": 2}
        screen.render(view("paused", "say.test", values=values, question=question()))
        drive.step(3)
        assert any(f"第 {number} / 2 题" in words for words in drive.said())
        assert drive.find("确认") is None, "waits for a choice"
        drive.tap(f"item {choice}")
        drive.tap("确认")


def plays(stage: Any, drive: Any, s: Any) -> None:
    """The demo lesson really plays in the window: pictures arrive by the shader, in the right colours."""
    from client.player.course import open_package
    from client.player.playback import Playback
    from client.player.samples import view
    from tests.conftest import ROOT

    screen = s.LessonScreen(lambda _: None, lambda _: None)
    stage.show(screen)
    screen.render(view())
    playback = Playback()
    playback.load(open_package(ROOT / "client/player/demo_course").media("pass", "zh"), 30_000)
    screen.play(playback)
    playback.play()
    drive.wait(lambda: playback.progress().shown >= 20, 120, "twenty pictures")
    playback.pause()
    drive.step(3)
    with tempfile.TemporaryDirectory() as folder:
        from PIL import Image

        path = Path(folder) / "stage.png"
        screen.ids.picture.export_to_png(str(path))
        picture = Image.open(path).convert("RGB")
    for (x, y), wanted in (((90, 165), (29, 95, 209)), ((1200, 680), (245, 247, 250)), ((806, 526), (216, 64, 47))):
        seen = picture.getpixel((x * picture.width // 1280, y * picture.height // 720))
        assert all(abs(a - b) <= 6 for a, b in zip(seen, wanted, strict=True)), (x, y, seen, wanted)
    screen.close()
    playback.close()


def pages(stage: Any, drive: Any, s: Any) -> None:
    """Slides in the window: a page waits for its reader, "next" goes on, "back" asks the session for the one before."""
    from client.player.playback import Playback
    from client.player.samples import view
    from client.player.sound import Silence
    from client.ports import UnitMedia
    from tests.client.player.test_book import pdf

    told, wall = Told(), [0.0]
    screen = s.LessonScreen(told.of("press"), told.of("seek"))
    stage.show(screen)
    plain = view(may_rate=True)
    plain = replace(plain, unit=replace(plain.unit, position_ms=0, seen_ms=0))
    screen.render(plain)
    playback = Playback(Silence, lambda: wall[0])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "slides.pdf"
        path.write_bytes(pdf())
        playback.load(UnitMedia("notes", "Notes", path, 30_000), 0)
        screen.play(playback)
        playback.play()
        drive.wait(lambda: playback.progress().playing, 120, "the first page")
        drive.step(3)
        assert "第 1 页，共 3 页" in drive.said()
        assert drive.find("下一页") is None, "its time is not over"
        for _ in range(120):
            wall[0] += 0.1
            drive.step(1)
        screen.render(replace(plain, unit=replace(plain.unit, position_ms=9_999, seen_ms=9_999)))
        drive.step(12)
        assert "这一页已看够时间，读完后请翻页。" in drive.said()
        _keep(stage, "pages")
        drive.step(6)
        drive.tap("下一页")
        drive.wait(lambda: "第 2 页，共 3 页" in drive.said(), 120, "the second page")
        drive.tap("上一页")
        assert told == [("seek", 0)]
        screen.close()
        playback.close()
    screen.render(view(may_rate=True, rate=750))
    drive.step(3)
    assert "0.75 倍" not in drive.said(), "pages are read at the reader's own rate"


def rate(stage: Any, drive: Any, s: Any) -> None:
    """The rate's button is there where the programme allows more than one, and says the one of now."""
    from client.player.samples import view

    told = Told()
    screen = s.LessonScreen(told.of("press"), told.of("seek"))
    stage.show(screen)
    screen.render(view())
    drive.step(3)
    assert not [words for words in drive.said() if "倍" in words]
    screen.render(view(may_rate=True))
    drive.step(3)
    drive.tap("1 倍")
    screen.render(view(may_rate=True, rate=750))
    drive.step(3)
    assert "0.75 倍" in drive.said()
    assert told == [("press", "rate")]
    _keep(stage, "rate")
    screen.render(view())
    drive.step(3)
    assert not [words for words in drive.said() if "倍" in words]
    screen.close()


def _keep(stage: Any, name: str) -> None:
    """A picture for whoever looks, where TRUESEAT_PICTURES names a folder."""
    folder = os.environ.get("TRUESEAT_PICTURES")
    if folder:
        stage.export_to_png(str(Path(folder) / f"{name}-{stage.width:.0f}.png"))


def kept(stage: Any, drive: Any, s: Any) -> None:
    """A kept part of a screen is drawn once, again when something in it changes, and looks as if it were not kept."""
    from kivy.graphics import Callback
    from kivy.uix.boxlayout import BoxLayout

    from client.player.widgets.kept import KeptBox
    from client.player.widgets.say import Say

    words, plain = Say(words="一 two"), Say(words="一 two")
    box, other = KeptBox(ground=(1, 1, 1, 1)), BoxLayout()
    stage.screen = None
    for holder, said in ((box, words), (other, plain)):
        holder.add_widget(said)
        stage.add_widget(holder)
    drawn = [0]
    with box._inside:
        Callback(lambda _: drawn.__setitem__(0, drawn[0] + 1))
    drive.step(4)
    before = drawn[0]
    for _ in range(10):
        stage.canvas.ask_update()
        drive.step(1)
    assert drawn[0] == before, "nothing changed, nothing is drawn inside"
    words.words = plain.words = "three 三"
    drive.step(4)
    assert before < drawn[0] <= before + 3
    with tempfile.TemporaryDirectory() as folder:
        from PIL import Image, ImageChops

        pictures = []
        for number, holder in enumerate((box, other)):
            path = Path(folder) / f"{number}.png"
            holder.export_to_png(str(path))
            seen = Image.open(path)
            pictures.append(Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("L"))
        assert pictures[0].getextrema()[0] < 128, "there are words"
        assert ImageChops.difference(*pictures).getextrema()[1] <= 48
    box.remove_widget(words)
    assert not box.children


def language(stage: Any, drive: Any, s: Any) -> None:
    """One tap retells everything, and what was chosen stays."""
    told = Told()
    stage._on_language = told.of("language")
    screen = s.NoticeScreen(told.of("done"))
    stage.show(screen)
    drive.tap("我已阅读培训须知")
    drive.tap("English")
    drive.step(3)
    assert "I have read this notice" in drive.said()
    assert screen.read
    assert [words for words in drive.said() if any("\u4e00" <= c <= "\u9fff" for c in words)] == ["中文"]
    assert told == [("language", "en")]


def layout(stage: Any, drive: Any, s: Any) -> None:
    """Every screen at every size, size of text and language, measured: targets of 48 dp and more, nothing cut, torn,
    over each other or beyond an edge, no word of blame."""
    from kivy.core.window import Window

    from client.player.album import screens
    from client.player.i18n import FORBIDDEN
    from tests.client.player.laid import faults, settle

    found: dict[str, list[str]] = {}
    for size, scale, languages in MEASURED_LONG if os.environ.get("TRUESEAT_LONG") else MEASURED:
        Window.size, s.look.scale = size, scale
        for s.tongue.language in languages:
            for name, title, make in screens():
                screen = make()
                stage.show(screen, title)
                settle(stage)
                wrong = faults(stage)
                said = [w.words for w in stage.walk() if type(w).__name__ == "Say"]
                wrong += [f"blame: {words!r}" for words in said if any(bad in words.lower() for bad in FORBIDDEN)]
                if wrong:
                    found[f"{name} {size[0]}x{size[1]} {s.tongue.language} {scale:g}"] = wrong
                if hasattr(screen, "close"):
                    screen.close()
    assert not found, "\n".join(f"{where}: {one}" for where, wrong in found.items() for one in wrong)


GAPS = """
BoxLayout:
    orientation: "vertical"
    Column:
        id: closed
        spacing: 0
        Say:
            words: "above"
        Slot:
            id: slot
        Say:
            id: silent
        Say:
            words: "below"
    Column:
        id: open
        spacing: 10
        Say:
            words: "above"
        Slot:
            id: other
        Say:
            words: "below"
    Widget:
"""


def gaps(stage: Any, drive: Any, s: Any) -> None:
    """What is empty takes no room and leaves no gap, whatever the spacing of its column, and when that changes."""
    from kivy.lang import Builder

    from client.player.widgets.say import Say

    root = Builder.load_string(GAPS)
    stage.show(root, None)

    def between(name: str) -> int:
        """Px between the first and the last line of this column."""
        drive.step(6)
        last, *_, first = root.ids[name].children
        return round(first.y - last.top)

    assert (between("closed"), between("open")) == (0, 10)
    assert root.ids.closed.height == sum(child.height for child in root.ids.closed.children if child.height > 0)
    for name in ("slot", "other"):
        root.ids[name].hold(Say(words="between"))
    high = root.ids.slot.children[0].height
    assert (between("closed"), between("open")) == (high, high + 20)
    for name in ("slot", "other"):
        root.ids[name].hold()
    assert (between("closed"), between("open")) == (0, 10)
    root.ids.closed.spacing, root.ids.open.spacing = 6, 0
    assert (between("closed"), between("open")) == (6, 0)


def keyboard(stage: Any, drive: Any, s: Any) -> None:
    """Tab goes from button to button, Enter presses."""
    from kivy.core.window import Window

    told = Told()
    screen = s.RealNameScreen(told.of("ask"), told.of("continue"))
    stage.show(screen)
    screen.render(s.RealName("张伟", "open", can_ask=True))
    drive.step(4)
    first = drive.find("立即确认（测试服务器）")
    first.focus = True
    drive.step(2)
    assert first.ring
    Window.dispatch("on_key_down", 13, 40, "\r", [])
    drive.step(2)
    Window.dispatch("on_key_down", 9, 43, "\t", [])
    drive.step(2)
    assert not first.focus
    assert told == [("ask",)]


TABBED = ("notice-filled", "signin", "today", "timeline", "rights", "settings", "lesson", "lesson-paused-rest",
          "lesson-help", "lesson-code", "lesson-check", "result", "problem")  # fmt: skip


def tabs(stage: Any, drive: Any, s: Any) -> None:
    """From nothing the first Tab comes to the first button; from there to everything that can be used, each once and in
    sight with its ring, round to the first again, and the same way back: no trap, nothing that only a mouse reaches."""
    from client.player.album import screens
    from client.player.widgets.kit import reachable

    stage.may_set(True)
    for name, title, make in screens():
        if name not in TABBED:
            continue
        screen = make()
        stage.show(screen, title)
        drive.step(6)
        wanted = reachable(stage)
        usable = [w for w in drive.widgets() if hasattr(w, "trigger_action") and not w.disabled and w.width > 0]
        assert not [w for w in usable if w not in wanted], name
        _tab(drive)
        first = next(w for w in wanted if w.focus)
        order = [first]
        for _ in wanted[1:]:
            _tab(drive)
            order.append(next(w for w in wanted if w.focus))
            _visible(order[-1], name, stage)
        assert len(set(map(id, order))) == len(wanted), (name, [getattr(w, "words", "") for w in order])
        _tab(drive)
        assert first.focus, name
        _tab(drive, ["shift"])
        assert order[-1].focus, name
        order[-1].focus = False
        if hasattr(screen, "close"):
            screen.close()


def _tab(drive: Any, modifiers: list[str] | None = None) -> None:
    from kivy.core.window import Window

    Window.dispatch("on_key_down", 9, 43, "\t", modifiers or [])
    drive.step(1)


def _visible(widget: Any, name: str, stage: Any) -> None:
    """The ring is shown, and the widget's middle is inside the window."""
    x, y = widget.to_window(*widget.center)
    assert getattr(widget, "ring", True), (name, widget)
    assert 0 <= x <= stage.width, (name, getattr(widget, "words", ""), x)
    assert 0 <= y <= stage.height, (name, getattr(widget, "words", ""), y)


def doctor(stage: Any, drive: Any, s: Any) -> None:
    """What is to be done stands first with its remedy; buttons wait for the last look; the bundle's place is said."""
    from client.player.health import Health, Line
    from client.view import Words

    def line(level: str) -> Line:
        return Line(Words("摄像头", "camera"), Words("被占用", "busy"), Words("请关闭会议", "Close meetings"), level)

    told = Told()
    screen = s.DoctorScreen(told.of("again"), told.of("bundle"), told.of("done"))
    stage.show(screen)
    screen.render(Health((line("ok"), line("fail"))))
    drive.step(4)
    assert "正在检查…" in drive.said()
    assert drive.find("再检查一次") is None
    screen.render(Health((line("ok"), line("fail")), busy=False, kept="/tmp/support.zip"))
    drive.step(4)
    assert "有 1 处需要先处理。" in drive.said()
    assert "请关闭会议" in drive.said()
    assert any("/tmp/support.zip" in words for words in drive.said())
    for words in ("再检查一次", "生成求助文件（不含个人信息）", "返回"):
        drive.tap(words)
    assert told == [("again",), ("bundle",), ("done",)]
    s.tongue.language = "en"
    drive.step(4)
    assert "Close meetings" in drive.said()


SCENES = {
    f.__name__: f
    for f in (
        notice, signin, enrol, today, lesson, chapters, question, plays, pages, rate, kept, language, layout, keyboard,
        tabs, doctor, gaps,
    )
}


def main() -> None:
    """Open the window and play one scene."""
    name, size = sys.argv[1], sys.argv[2]
    width, height = (int(n) for n in size.split("x"))
    with tempfile.TemporaryDirectory() as home:
        kivy_env.prepare(Path(home), offscreen=True)
        kivy_env.configure(width, height)
        from kivy.app import App

        from client.player import screens
        from client.player.drive import Drive

        class Stage(App):
            def build(self) -> Any:
                return screens.Shell()

        screens.tongue.language = "zh"
        app = Stage()
        app._run_prepare()
        began = time.monotonic()
        SCENES[name](app.root, Drive(app.root), screens)
        print(f"{name} {size}: {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
