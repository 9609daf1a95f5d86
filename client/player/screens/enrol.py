"""Face enrolment: the camera as a mirror, one prompt at a time, guidance instead of refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.properties import BooleanProperty, NumericProperty, StringProperty

from client.player.screens.base import Screen, kv_of
from client.player.shown import Enrol
from client.player.widgets import tongue
from client.view import TEXT, Sentence

kv_of(__file__)


class EnrolScreen(Screen):
    """Renders `Enrol`; `on_start()`, `on_continue()`, `on_other_way()`, `on_practise()`.

    `mirror.show(preview)` feeds the picture.
    """

    icon = StringProperty("look")
    words = StringProperty("")
    note = StringProperty("")
    share = NumericProperty(0)
    step = NumericProperty(0)
    steps = NumericProperty(0)
    practice = BooleanProperty(False)

    def __init__(
        self,
        on_start: Callable[[], None],
        on_continue: Callable[[], None],
        on_other_way: Callable[[], None],
        on_practise: Callable[[], None],
        **kwargs: Any,
    ) -> None:
        self._on_start, self._on_continue, self._on_other_way = on_start, on_continue, on_other_way
        self._on_practise = on_practise
        self._whole_ms = 1
        super().__init__(**kwargs)
        self._mark = self.ids.mark.__self__  # what `ids` has is weak, and nobody else holds it while it is not shown

    @property
    def mirror(self) -> Any:
        """The camera's picture (`CameraMirror`)."""
        return self.ids.mirror

    def retell(self) -> None:
        """The step of now."""
        shown: Enrol = self.shown
        self.ids.trouble.tell(shown.trouble)
        self.ids.scripted.hold(*([self._mark] if shown.scripted else []))
        self.icon, self.words, self.note = "look", "", ""
        prompt = shown.prompt
        if shown.step == "running" and prompt is not None:
            self._whole_ms = max(self._whole_ms, prompt.remaining_ms)
            self.icon, self.words = prompt.gesture, tongue.say(f"gesture.{prompt.gesture}")
            self.note = tongue.say(f"hint.{prompt.hint}") if prompt.hint else ""
            if shown.missing:
                self.note = tongue.say("enrol.miss")
            self.step, self.steps = prompt.step, prompt.steps
            self.share = prompt.remaining_ms / self._whole_ms
        else:
            self.steps, self._whole_ms = 0, 1
            self.words = self._sentence(shown)
            icons = {"passed": "check", "practised": "check", "camera": "camera", "starting": "camera"}
            self.icon = icons.get(shown.step, "look")
        self.practice = shown.practice
        self._offer(shown)

    @staticmethod
    def _sentence(shown: Enrol) -> str:
        if shown.step == "intro":
            return tongue.say("enrol.lead_known" if shown.known else "enrol.lead")
        if shown.step == "unclear" and Sentence(f"advice.{shown.advice}").key in TEXT:
            return tongue.say("enrol.unclear_because", advice=Sentence(f"advice.{shown.advice}"))
        return tongue.say(f"enrol.{shown.step}")

    def _offer(self, shown: Enrol) -> None:
        other = ("enrol.other_way", "plain", self._on_other_way)
        practise = ("enrol.practise", "quiet", self._on_practise)
        match shown.step:
            case "intro" if shown.known:
                anew = ("enrol.anew", "quiet", self._on_start)
                back = ("enrol.back", "plain", self._on_continue)
                self.ids.actions.offer((practise[0], "primary", practise[2]), anew, other, back, busy=shown.busy)
            case "intro":
                self.ids.actions.offer(("enrol.start", "primary", self._on_start), other, busy=shown.busy)
            case "unclear" | "camera" if shown.practice:
                back = ("enrol.back", "plain", self._on_continue)
                self.ids.actions.offer(("enrol.again", "primary", self._on_practise), back, busy=shown.busy)
            case "unclear" | "camera":
                self.ids.actions.offer(("enrol.again", "primary", self._on_start), other, busy=shown.busy)
            case "passed" | "practised":
                self.ids.actions.offer(("enrol.continue", "primary", self._on_continue), practise, busy=shown.busy)
            case _:
                self.ids.actions.offer()
