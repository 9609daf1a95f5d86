"""The lesson: the picture, one sentence, one button, and beside it why this minute counts (`client.view.View`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from kivy.clock import Clock
from kivy.graphics import Color, Rectangle
from kivy.metrics import dp
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, OptionProperty, StringProperty
from kivy.uix.widget import Widget

from client.player import i18n, theme
from client.player.captions import CaptionTrack
from client.player.chime import Chime
from client.player.playback import Playback
from client.player.screens import chapters as _chapters  # noqa: F401 - lesson.kv holds its list
from client.player.screens import leaves as _leaves  # noqa: F401 - lesson.kv holds its row
from client.player.screens import question as _question  # noqa: F401 - lesson.kv holds its card
from client.player.screens.base import Screen, kv_of
from client.player.widgets import look, tongue
from client.player.widgets.kit import Fact, Reached
from client.view import Sentence, View

kv_of(__file__)
LATEST_S = 0.15  # what waits for a picture waits no longer than this
SEEK_MS = 10_000  # one press of an arrow key
MIRROR = ("notice", "check")  # phases in which the learner looks at the camera
CALM = ("hint.chapter", "hint.live_passed", "hint.live_on")  # hints that ask for nothing
ICONS = {"ready": "play", "unit_end": "check", "done": "check", "paused": "pause"}


class SeekBar(Reached, Widget):
    """The way through the lesson: played in blue, seen in pale blue, and nowhere else to go; what counts already has a
    quiet green line below, where a chapter begins a small stroke. Arrow keys go ten seconds back and on."""

    position = NumericProperty(0)
    seen = NumericProperty(0)
    limit = NumericProperty(0)  # the furthest place to go to
    duration = NumericProperty(1)
    proven = ListProperty([])  # (from, to) in ms
    marks = ListProperty([])  # ms at which chapters begin
    name = StringProperty("")
    may_seek = BooleanProperty(False)
    tint = BooleanProperty(False)  # follows the colours of now
    __events__ = ("on_seek",)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("pos", "size", "proven", "marks", "duration", "tint"):
            self.fbind(name, self._mark)

    def _mark(self, *_: Any) -> None:
        """A quiet line below each stretch that counts, a stroke above where a chapter begins."""
        self.canvas.after.clear()
        whole = max(self.duration, 1)
        with self.canvas.after:
            Color(*theme.rgba(look.GREEN))
            for begin, end in self.proven:
                wide = max(self.width * (end - begin) / whole - dp(1), dp(2))
                Rectangle(pos=(self.x + self.width * begin / whole, self.center_y - dp(10)), size=(wide, dp(3)))
            Color(*theme.rgba(look.MUTED))
            for at in self.marks:
                Rectangle(pos=(self.x + self.width * at / whole - dp(1), self.center_y + dp(4)), size=(dp(2), dp(6)))

    def on_touch_up(self, touch: Any) -> bool:
        """A tap inside what was seen."""
        if self.may_seek and self.collide_point(*touch.pos) and touch.grab_current is None:
            share = (touch.x - self.x) / max(self.width, 1)
            self.dispatch("on_seek", int(min(share * self.duration, self.limit)))
            return True
        return bool(super().on_touch_up(touch))

    def keyboard_on_key_down(self, window: Any, keycode: tuple[int, str], text: str, modifiers: list[str]) -> bool:
        """Left and right, within what was seen."""
        step = {"left": -SEEK_MS, "right": SEEK_MS}.get(keycode[1])
        if step is None or not self.may_seek:
            return bool(super().keyboard_on_key_down(window, keycode, text, modifiers))
        self.dispatch("on_seek", int(max(0, min(self.position + step, self.limit))))
        return True

    def on_seek(self, position_ms: int) -> None:
        """The learner wants to go there."""


class LessonScreen(Screen):
    """`on_press(what)` for every button, `on_seek(ms)`, `on_reply(choice, code)`.

    Fed by `play`, `show_preview` and `set_captions`.
    """

    overlay = OptionProperty("none", options=["none", "words", "mirror", "question"])
    sentence = StringProperty("")
    status = StringProperty("")  # below the picture
    button = StringProperty("")
    second = StringProperty("")
    icon = StringProperty("")
    message = StringProperty("")
    caption = StringProperty("")
    hint = StringProperty("")
    hinted = StringProperty("todo")  # the mood of the hint
    photo = StringProperty("")
    gesture = StringProperty("look")
    asked = StringProperty("")
    asked_for = StringProperty("")  # how a raised hand stands
    progress = NumericProperty(0)
    remaining = NumericProperty(0)
    captions_on = BooleanProperty(True)
    has_captions = BooleanProperty(False)
    camera = BooleanProperty(True)  # False: the non-face route shows no mirror
    brief = BooleanProperty(False)  # large text on a phone: buttons show their icons alone
    crowded = BooleanProperty(False)  # their words do not fit beside each other
    entitled = StringProperty("")  # the unit's title, where the bar on top has no room for it
    live = BooleanProperty(False)  # the picture happens now
    blank = BooleanProperty(True)
    boxed = BooleanProperty(False)  # the picture does not fill its stage
    around = ListProperty([0, 0, 0, 0])  # left, bottom, right, top: inside it needs no ground

    def __init__(
        self,
        on_press: Callable[[str], None],
        on_seek: Callable[[int], None],
        on_reply: Callable[[int, str], None] = lambda *_: None,
        **kwargs: Any,
    ) -> None:
        self._on_press, self._on_seek = on_press, on_seek
        self._tracks: Mapping[str, CaptionTrack] = {}
        self._facts: list[Fact] = []
        self._whole_ms, self._phase = 1, ""
        self._chime = Chime()
        self._feed: Any = None
        self._waiting: dict[str, Callable[[], None]] = {}
        self._settled = 0.0
        self._page_waits = False
        super().__init__(**kwargs)
        self.ids.question.on_reply = on_reply
        self._rate = self.ids.rate.__self__  # taken off the stage where there is one rate only

    # --- what it is fed with ----------------------------------------------------------------------------------------

    def play(self, playback: Playback) -> None:
        """Show the pictures of this player, once a screen refresh, from now on."""
        self.stop()

        def refresh(_: float) -> None:
            playback.fit(self.ids.picture.box)
            picture = playback.picture()
            if picture is not None:
                self.ids.picture.show(picture)
            if picture is not None or time.monotonic() - self._settled > LATEST_S:
                self._settle()
            self._turn_pages(playback)

        self._feed = Clock.schedule_interval(refresh, 0)

    def _turn_pages(self, playback: Playback) -> None:
        view: View | None = self.shown
        if view is None:
            return
        leaves = self.ids.leaves
        leaves.seen_ms = view.unit.seen_ms if view.unit is not None else 0
        leaves.tell(playback, self._on_seek, may=view.phase == "playing")
        if leaves.waits != self._page_waits:
            self._page_waits = leaves.waits
            self.retell()

    def stop(self) -> None:
        """Leave the player alone."""
        if self._feed is not None:
            self._feed.cancel()
            self._feed = None

    def close(self) -> None:
        """The screen will not come back."""
        self.stop()
        self._chime.close()

    def show_preview(self, preview: tuple[int, int, bytes] | None) -> None:
        """The camera's latest picture, unmirrored, to the mirror that is seen now."""
        self._soon("preview", lambda: self._mirror(preview))

    def set_captions(self, tracks: Mapping[str, CaptionTrack]) -> None:
        """Language tag → captions of the unit on the screen."""
        self._tracks = tracks
        self.has_captions = bool(tracks)

    def render(self, shown: View) -> None:
        """Show a view; while the lesson plays, together with its next picture."""
        if self.shown is None or shown.phase != self.shown.phase:
            self._waiting.pop("view", None)
            super().render(shown)
        elif shown != self.shown:
            self._soon("view", lambda: super(LessonScreen, self).render(shown))

    def _soon(self, what: str, tell: Callable[[], None]) -> None:
        """Drawing the window is dear without a GPU: while pictures come anyway, everything else waits for the next."""
        self._waiting[what] = tell
        if self._feed is None or self.shown is None or self.shown.phase != "playing":
            self._settle()

    def _settle(self) -> None:
        waiting, self._waiting, self._settled = self._waiting, {}, time.monotonic()
        for tell in waiting.values():
            tell()

    def _mirror(self, preview: tuple[int, int, bytes] | None) -> None:
        (self.ids.top_mirror if self.wide else self.ids.side_mirror).show(preview)
        if self.overlay == "mirror":
            self.ids.mirror.show(preview)

    # --- what it says -----------------------------------------------------------------------------------------------

    def retell(self) -> None:
        """The view of now; called about ten times a second, so widgets are kept and only told what changed."""
        view: View = self.shown
        self._chime.follow(view.chimes)
        self.sentence = tongue.say(view.sentence)
        self.button = tongue.say(view.button.label) if view.button else ""
        self.second = tongue.say(view.second.label) if view.second else ""
        self.message = view.message
        self.hint = tongue.say(view.hint) if view.hint else ""
        self.hinted = "plain" if view.hint and view.hint.key in CALM else "todo"
        self.photo = tongue.say(view.photo) if view.photo else ""
        self.camera = view.camera
        self.overlay = self._overlay(view)
        self.live = view.unit is not None and view.unit.live
        waits = self._waits(view) if view.phase in (*MIRROR, "paused") else ""
        over = self.hint if self.hint and not self.wide else self.sentence  # a phone's picture has no room for a hint
        self.status = over if self.overlay == "none" else waits
        if self.overlay == "none" and self._page_waits:
            self.status = tongue.say("lesson.page_waits")
        self.icon = "rest" if view.sentence.key == "pause.rest" else ICONS.get(view.phase, "")
        self._tell_unit(view)
        self._tell_prompt(view)
        self._tell_question(view)
        self._tell_panel(view)
        self._tell_buttons(view)

    def _waits(self, view: View) -> str:
        """What becomes of the lesson meanwhile: its place is kept; or it goes on; or there is nothing to miss."""
        if view.sentence.key.startswith("pause.live_"):
            return ""
        return tongue.say("lesson.waits_live" if self.live else "lesson.waits")

    def on_wide(self, *_: Any) -> None:
        """A phone was turned: what stands where is another."""
        self._retell()

    def frame(self) -> None:
        """The picture lies elsewhere: paint the ground around it (and under its round corners), not below it."""
        stage, picture = self.ids.stage, self.ids.picture
        round_ = picture.radius
        self.around = (stage.x, stage.y + round_, stage.right, stage.top - round_)
        self.boxed = abs(picture.width - picture.height * picture.ratio) > 2

    def press(self, what: str = "") -> None:
        """A button: `what`, or the one blue button of the view."""
        view: View = self.shown
        if what:
            self._on_press(what)
        elif view.button is not None:
            self._on_press(view.button.what)

    def press_second(self) -> None:
        """The quiet button below it."""
        view: View = self.shown
        if view.second is not None:
            self._on_press(view.second.what)

    def press_hand(self) -> None:
        """Raise or lower one's hand."""
        view: View = self.shown
        if view.hand is not None:
            self._on_press(view.hand.what)

    def _tell_unit(self, view: View) -> None:
        unit, bar = view.unit, self.ids.bar
        if unit is None:
            self.caption, bar.may_seek = "", False
            self.ids.chapters.tell(None, self._on_seek, may=False)
            return
        whole = max(unit.duration_ms, 1)
        pixel = max(whole // max(int(bar.width), 1), 1)  # what moves by less need not be drawn again
        bar.position, bar.duration = unit.position_ms // pixel * pixel, whole
        bar.limit, bar.seen = unit.seen_ms, unit.seen_ms // pixel * pixel
        bar.may_seek, bar.proven = view.may_seek, list(unit.proven)
        at, end = i18n.stamp(unit.position_ms), i18n.stamp(unit.duration_ms)
        self.entitled = tongue.of(unit.title)
        self.ids.position.words = tongue.say("lesson.position", at=at, all=end)
        bar.name = tongue.say("app.seek", at=at, all=end)
        if unit.chapter:
            title = unit.chapters[unit.chapter - 1].title
            bar.name = tongue.say("app.seek_chapter", place=bar.name, number=unit.chapter, title=title)
        bar.marks = [chapter.at_ms for chapter in unit.chapters[1:]]
        self.ids.chapters.tell(unit, self._on_seek, may=view.may_seek)
        self.ids.number.words = tongue.say("lesson.lesson", number=unit.number, count=unit.count)
        track = self._tracks.get(tongue.language) or next(iter(self._tracks.values()), None)
        self.caption = track.at(unit.position_ms) if track and self.captions_on else ""

    @staticmethod
    def _overlay(view: View) -> str:
        """What lies over the picture."""
        if view.message:
            return "words"
        if view.question is not None:
            return "question"
        if view.phase in MIRROR and view.camera:
            return "mirror"
        return "none" if view.phase == "playing" else "words"

    def _tell_question(self, view: View) -> None:
        """Another attempt makes another sound: nothing that was typed for the last one stays."""
        of_lesson = view.question is not None and view.question.prompt is not None
        said = view.sentence if of_lesson else None  # of a test it names the question by its number
        self.ids.question.tell(view.question, (view.chimes, said), said)
        if view.question is not None:
            self._count_down(view)
            self.ids.question.remaining = self.remaining

    def _count_down(self, view: View) -> None:
        if view.phase != self._phase:
            self._phase, self._whole_ms = view.phase, 1
        self._whole_ms = max(self._whole_ms, view.countdown_ms)
        self.remaining = view.countdown_ms / self._whole_ms

    def _tell_prompt(self, view: View) -> None:
        prompt = view.prompt
        if self.overlay != "mirror":
            self._phase = self._phase if self.overlay == "question" else ""
            return
        self._count_down(view)
        self.gesture = prompt.gesture if prompt else "look"
        self.asked = tongue.say(f"gesture.{prompt.gesture}") if prompt else self.sentence
        self.progress = prompt.step / prompt.steps if prompt and prompt.steps else 0
        if prompt and prompt.hint:
            self.hint = tongue.say(f"hint.{prompt.hint}")

    def _tell_panel(self, view: View) -> None:
        if len(self._facts) != len(view.panel):
            self._facts = [Fact() for _ in view.panel]
            self.ids.facts.hold(*self._facts)
        for fact, line in zip(self._facts, view.panel, strict=True):
            fact.words, fact.mood = tongue.say(line.sentence), line.mood
        self.ids.unit_time.words = tongue.long(view.credited_unit_ms)
        self.ids.all_time.words = tongue.long(view.credited_all_ms)
        waits = Sentence("lesson.pending")
        self.ids.pending.words = (
            f"+ {tongue.long(view.pending_ms)} · {tongue.say(waits)}" if view.pending_ms >= 1000 else ""
        )
        self.ids.last_check.words = tongue.say(view.last_check)
        self.ids.sync.words = tongue.say(view.sync)

    def _tell_rate(self, view: View) -> None:
        """The button is there only where the programme allows more than one rate (and never for pages)."""
        rate, may = self._rate, view.may_rate and not len(self.ids.leaves.children)
        if may:
            rate.words = tongue.say("lesson.rate", rate=f"{view.rate / 1000:g}")
        if may and rate.parent is None:
            self.ids.rest.parent.add_widget(rate, index=len(self.ids.rest.parent.children))
        elif not may and rate.parent is not None:
            rate.parent.remove_widget(rate)

    def _share_row(self) -> None:
        """Each button below the picture as wide as its words need; icons alone where a phone has no room for them."""
        row, stop = self.ids.rest.parent, self.ids.end
        icon = dp(theme.ICON_ROOM)
        needs = {push: push.needs + (icon if push.icon and push is not stop.__self__ else 0) for push in row.children}
        whole = sum(needs.values()) + row.spacing * (len(needs) - 1)
        self.crowded = not self.wide and row.width > 1 and whole > row.width
        for push, need in needs.items():
            push.share = 1 if self.brief else need

    def _tell_buttons(self, view: View) -> None:
        self._tell_rate(view)
        self._share_row()
        self.ids.hand.words = tongue.say(view.hand.label if view.hand else "button.hand")
        self.ids.hand.disabled = view.hand is None
        self.asked_for = tongue.say(view.asked) if view.asked else ""
        self.ids.rest.disabled = not view.may_rest
        self.ids.end.disabled = not view.may_end
        self.ids.rest.kind = "primary" if view.propose_rest and view.may_rest else "quiet"
