"""Real name: who confirmed that this is the person, or that nobody did yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from client.player.screens.base import Screen, kv_of
from client.player.shown import RealName
from client.player.widgets import tongue

kv_of(__file__)
MOODS = {"open": "todo", "development": "plain", "identified": "good"}


class RealNameScreen(Screen):
    """Renders `RealName`; `on_ask()` (development servers) and `on_continue()`."""

    def __init__(self, on_ask: Callable[[], None], on_continue: Callable[[], None], **kwargs: Any) -> None:
        self._on_ask, self._on_continue = on_ask, on_continue
        super().__init__(**kwargs)

    def retell(self) -> None:
        """The state and what can be done."""
        shown: RealName = self.shown
        self.ids.name.words = shown.name
        self.ids.state.words = tongue.say(f"name.state_{shown.state}")
        self.ids.state.mood = MOODS[shown.state]
        self.ids.lead.words = tongue.say(f"name.lead_{shown.state}")
        self.ids.trouble.tell(shown.trouble)
        onward = "name.later" if shown.state == "open" else "name.continue"
        if shown.state == "open" and shown.can_ask:
            offers = [("name.ask", "primary", self._on_ask), (onward, "quiet", self._on_continue)]
        else:
            offers = [(onward, "primary", self._on_continue)]
        self.ids.actions.offer(*offers, busy=shown.busy)
