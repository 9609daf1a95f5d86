"""A page that only says what is in the way and how to go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from client.player.screens.base import Screen, kv_of
from client.player.shown import Page
from client.player.widgets import tongue

kv_of(__file__)


class ProblemScreen(Screen):
    """Renders `Page`; `on_press()` for its button, `on_doctor()` to look at this computer."""

    def __init__(
        self, on_press: Callable[[], None], on_doctor: Callable[[], None] | None = None, **kwargs: Any
    ) -> None:
        self._on_press, self._on_doctor = on_press, on_doctor
        super().__init__(**kwargs)

    def retell(self) -> None:
        """The sentence, the code and the button."""
        shown: Page = self.shown
        self.ids.title.words = tongue.say(shown.title)
        self.ids.sentence.words = tongue.of(shown.trouble.sentence)
        self.ids.code.words = tongue.say("error.code", code=shown.trouble.code)
        action = shown.trouble.action
        offered = [(action, "primary", self._on_press)] if action else []
        offered += [("doctor.open", "quiet", self._on_doctor)] if self._on_doctor is not None else []
        self.ids.actions.offer(*offered)
