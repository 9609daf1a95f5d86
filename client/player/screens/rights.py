"""The learner's rights on one page: hours with reasons, findings, words to the school, copies, consents, photos,
deletion."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from kivy.properties import StringProperty
from kivy.uix.widget import Widget

from client.player.pages import Agreed, Hours, Rights, Wrote
from client.player.screens.base import Screen, kv_of
from client.player.widgets import tongue
from client.player.widgets.kit import Card, Fact, Letter, Pill, Push, Row
from client.player.widgets.say import Say

kv_of(__file__)
MINE: Final = ("face", "photos")  # what may be taken back while one studies; the notice is what study itself rests on


class Matters(Card):
    """One part of the page: a heading, a sentence, what there is."""

    icon = StringProperty("")
    title = StringProperty("")
    lead = StringProperty("")

    def hold(self, *widgets: Widget) -> None:
        """Hold these below the heading."""
        self.ids.body.hold(*widgets)


class Entered(Row):
    """One line with a note below and a figure at its end."""

    title = StringProperty("")
    note = StringProperty("")
    figure = StringProperty("")


class RightsScreen(Screen):
    """Renders `Rights`; `on_write(what, text)`, `on_save(what, text)`, `on_decide(what, given)`, `on_reload()`."""

    def __init__(
        self,
        on_write: Callable[[str, str], None],
        on_save: Callable[[str, str], None],
        on_decide: Callable[[str, bool], None],
        on_reload: Callable[[], None] = lambda: None,
        **kwargs: Any,
    ) -> None:
        self._on_write, self._on_save, self._on_decide = on_write, on_save, on_decide
        self._on_reload = on_reload
        self._letter = Letter()
        self._letter.name = "letter"
        self._sure = False
        super().__init__(**kwargs)
        self._letter.fbind("text", self._enable)

    def retell(self) -> None:
        """Everything again; what was typed stays until it was sent."""
        shown: Rights = self.shown
        if shown.done is not None and shown.done.key in ("rights.wrote", "rights.wrote_marked"):
            self._letter.text, self._sure = "", False
        self.ids.trouble.tell(shown.trouble)
        said = [Fact(words=tongue.say("today.loading"), mood="unknown", icon="clock")] if shown.busy else []
        if shown.done is not None and not shown.busy:
            said.append(Fact(words=tongue.say(shown.done), mood="good"))
        self.ids.state.hold(*said)
        self.ids.hours.hold(*self._hours(shown))
        self.ids.findings.hold(*self._findings(shown))
        self.ids.words.hold(*self._words(shown))
        self.ids.copies.hold(
            self._push("rights.copy", lambda: self._on_save("copy", "")),
            self._push("rights.bundle", lambda: self._on_save("appeal", self._letter.text)),
        )
        self.ids.consents.hold(*(self._consent(one) for one in shown.consents))
        self.ids.photos.hold(*self._photos(shown))
        self.ids.deletion.hold(*self._deletion())
        self._enable()

    # --- the parts --------------------------------------------------------------------------------------------------

    def _hours(self, shown: Rights) -> Iterator[Widget]:
        if not shown.hours:
            yield self._note("rights.none_yet" if not shown.busy else "today.loading")
        for course in shown.hours:
            yield from self._course(course)

    @staticmethod
    def _course(course: Hours) -> Iterator[Widget]:
        done, whole = tongue.long(course.credited_ms), tongue.long(course.all_ms)
        yield Entered(
            wide=True, title=tongue.of(course.title), note=tongue.say("today.credited", done=done, all=whole)
        )
        if course.worth is not None:
            line = tongue.say("points.line", points=course.worth.points, hours=course.worth.hours)
            yield Entered(wide=True, title=line, note=" · ".join(tongue.say(said) for said in course.worth.why))
        for lost in course.lost:
            mood = "todo" if lost.make_up else "unknown"
            yield Fact(words=f"{tongue.long(lost.ms)} · {tongue.of(lost.why)}", mood=mood)

    def _findings(self, shown: Rights) -> Iterator[Widget]:
        if not shown.findings:
            yield self._note("rights.findings_none")
        for found in shown.findings:
            note = f"{_when(found.at)} · {tongue.of(found.course)}"
            yield Entered(wide=True, title=tongue.of(found.title), note=note)

    def _words(self, shown: Rights) -> Iterator[Widget]:
        self._letter.hint_text = tongue.say("rights.letter_hint")
        yield self._letter
        yield self._push("rights.send", lambda: self._on_write("statement", self._letter.text))
        yield self._push("rights.appeal", lambda: self._on_write("appeal", self._letter.text))
        if shown.letters is None:
            yield self._note("rights.letters_unknown")
        for letter in shown.letters or ():
            yield from self._sent(letter)

    @staticmethod
    def _sent(letter: Wrote) -> Iterator[Widget]:
        title = tongue.say(f"rights.was_{letter.what}", at=_when(letter.at))
        yield Entered(wide=True, title=title, note=letter.text[:200])
        said = tongue.say("rights.answer", text=letter.answer) if letter.answer else tongue.say("rights.no_answer")
        yield Fact(words=said, mood="good" if letter.answer else "unknown")

    def _consent(self, agreed: Agreed) -> Widget:
        row = Row(wide=self.wide, spacing="10dp")
        note = tongue.say("rights.since", at=_when(agreed.at)) + ("" if agreed.sent else tongue.say("rights.unsent"))
        row.add_widget(Entered(wide=True, title=tongue.say(f"rights.what_{agreed.what}"), note=note))
        words = tongue.say("rights.state_given" if agreed.given else "rights.state_withdrawn")
        pill = Pill(words=words, mood="good" if agreed.given else "plain")
        pill.pos_hint = {"center_y": 0.5} if self.wide else {}
        row.add_widget(pill)
        if agreed.what in MINE:
            key = "rights.withdraw" if agreed.given else "rights.give"
            push = self._push(key, lambda: self._on_decide(agreed.what, not agreed.given))
            push.hug, push.name = True, f"{key} {agreed.what}"
            push.pos_hint = {"center_y": 0.5} if self.wide else {}
            row.add_widget(push)
        return row

    def _photos(self, shown: Rights) -> Iterator[Widget]:
        if not shown.photos:
            yield self._note("rights.photos_none")
        for taken in shown.photos:
            note = tongue.say("rights.photo", names=", ".join(taken.recipients))
            yield Entered(wide=True, title=f"{_when(taken.at)} · {tongue.of(taken.course)}", note=note)

    def _deletion(self) -> Iterator[Widget]:
        if not self._sure:
            yield self._push("rights.delete", self._ask)
            return
        yield Fact(words=tongue.say("rights.delete_sure"), mood="todo")
        yield self._push("rights.delete_yes", lambda: self._on_write("deletion", ""))
        yield self._push("rights.delete_no", self._unask)

    def _ask(self) -> None:
        self._sure = True
        self.retell()

    def _unask(self) -> None:
        self._sure = False
        self.retell()

    # --- small things -----------------------------------------------------------------------------------------------

    def _enable(self, *_: Any) -> None:
        """Nothing empty is sent, nothing twice."""
        busy = self.shown is None or self.shown.busy
        for widget in self.walk(restrict=True):
            if isinstance(widget, Push):
                name = getattr(widget, "name", "")
                widget.disabled = busy or (name in ("rights.send", "rights.appeal") and not self._letter.text.strip())

    def _push(self, key: str, act: Callable[[], None]) -> Push:
        push = Push(words=tongue.say(key), kind="quiet")
        push.name = key
        push.bind(on_release=lambda _: act())
        return push

    @staticmethod
    def _note(key: str) -> Say:
        return Say(words=tongue.say(key))


def _when(ms: int) -> str:
    """A moment by this computer's clock."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(ms / 1000))
