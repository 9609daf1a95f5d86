"""Sign-in: an account, then the code that was sent to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from client.player.screens.base import Screen, kv_of
from client.player.shown import SignIn
from client.player.widgets import tongue
from client.player.widgets.kit import Field

kv_of(__file__)
CODE = 6  # digits


class SignInScreen(Screen):
    """Renders `SignIn`; `on_account(account)`, `on_code(code)` and `on_other()` (back to the account)."""

    def __init__(
        self,
        on_account: Callable[[str], None],
        on_code: Callable[[str], None],
        on_other: Callable[[], None],
        **kwargs: Any,
    ) -> None:
        self._on_account, self._on_code, self._on_other = on_account, on_code, on_other
        super().__init__(**kwargs)
        self._step = ""
        self._field = Field()
        self._field.bind(on_enter=lambda _: self.go(), value=lambda *_: self._offer())
        self.render(SignIn())

    def retell(self) -> None:
        """The step of now."""
        shown: SignIn = self.shown
        ids = self.ids
        if shown.step != self._step:
            self._step = shown.step
            self._field.value = shown.account if shown.step == "account" else ""
            self._field.digits = shown.step == "code"
        by_code = shown.step == "code"
        ids.title.words = tongue.say("signin.code_title" if by_code else "signin.title")
        ids.lead.words = tongue.say("signin.code_lead", account=shown.account) if by_code else tongue.say("signin.lead")
        self._field.caption = tongue.say("signin.code" if by_code else "signin.account")
        self._field.hint = "" if by_code else tongue.say("signin.account_hint")
        ids.field.hold(self._field)
        ids.note.words = tongue.say("signin.development") if by_code and shown.development else ""
        ids.server.words = tongue.say("signin.server", server=shown.server) if shown.server else ""
        ids.trouble.tell(shown.trouble)
        self._offer()

    def go(self) -> None:
        """The blue button, or Enter."""
        shown: SignIn = self.shown
        value = self._field.value.strip()
        if shown.busy or not self._complete():
            return
        (self._on_code if shown.step == "code" else self._on_account)(value)

    def _complete(self) -> bool:
        value = self._field.value.strip()
        return len(value) == CODE if self.shown.step == "code" else bool(value)

    def _offer(self) -> None:
        shown: SignIn = self.shown
        if shown.step == "account":
            self.ids.actions.offer(("signin.send", "primary", self.go), busy=shown.busy or not self._complete())
            self.ids.more.offer()
            return
        self.ids.actions.offer(("signin.finish", "primary", self.go), busy=shown.busy or not self._complete())
        again = ("signin.again", "plain", lambda: self._on_account(shown.account))
        other = ("signin.other", "plain", self._on_other)
        self.ids.more.offer(other if shown.again_in else again, *(() if shown.again_in else (other,)))
        if shown.again_in:
            self.ids.note.words = tongue.say("signin.again_in", seconds=shown.again_in)
