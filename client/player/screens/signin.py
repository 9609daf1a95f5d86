"""Sign-in: an account and the code that was sent to it; or an activation code, a sign-in elsewhere, a lost way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from client.player import theme
from client.player.screens.base import Screen, kv_of
from client.player.shown import SignIn
from client.player.widgets import look, tongue
from client.player.widgets.kit import Field, Push
from client.player.widgets.say import Say

kv_of(__file__)
CODE = 6  # digits
LOST = ("code", "number", "computer")

Button = tuple[str, str, Callable[[], None]]


class Aside(Say):
    """Quiet words."""


class SignInScreen(Screen):
    """Renders `SignIn`; `on_account(account)`, `on_code(code)`, `on_other()` (back to the account), `on_way(way)`,
    `on_browse()` (open the address that is shown)."""

    def __init__(
        self,
        on_account: Callable[[str], None],
        on_code: Callable[[str], None],
        on_other: Callable[[], None],
        on_way: Callable[[str], None] = lambda _: None,
        on_browse: Callable[[], None] = lambda: None,
        **kwargs: Any,
    ) -> None:
        self._on_account, self._on_code, self._on_other = on_account, on_code, on_other
        self._on_way, self._on_browse = on_way, on_browse
        super().__init__(**kwargs)
        self._step = ""
        self._kept: dict[str, tuple[tuple[Any, ...], list[Any]]] = {}  # made anew only for other words
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
        ids.title.words, ids.lead.words = self._told(shown)
        ids.field.hold(*self._body(shown))
        ids.note.words = tongue.say("signin.development") if shown.step == "code" and shown.development else ""
        ids.server.words = tongue.say("signin.server", server=shown.server) if shown.server else ""
        ids.trouble.tell(shown.trouble)
        self._offer()

    @staticmethod
    def _told(shown: SignIn) -> tuple[str, str]:
        match shown.step:
            case "code":
                return tongue.say("signin.code_title"), tongue.say("signin.code_lead", account=shown.account)
            case "activation":
                return tongue.say("signin.activation_title"), tongue.say("signin.activation_lead")
            case "elsewhere":
                lead = "signin.elsewhere_code" if shown.user_code else "signin.elsewhere_scan"
                return tongue.say("signin.elsewhere_title", name=shown.way_name), tongue.say(lead)
            case "help":
                return tongue.say("signin.help_title"), ""
        return tongue.say("signin.title"), tongue.say("signin.lead")

    def _body(self, shown: SignIn) -> list[Any]:
        if shown.step in ("elsewhere", "help"):
            key = ("body", tongue.language, shown.step, shown.uri, shown.user_code)
            if key != self._kept.get("body", ((), []))[0]:
                self._kept["body"] = (key, [*self._elsewhere(shown)] if shown.step == "elsewhere" else [*_lost()])
            return self._kept["body"][1]
        captions = {"code": "signin.code", "activation": "signin.activation_code"}
        hints = {"account": "signin.account_hint", "activation": "signin.activation_hint"}
        self._field.caption = tongue.say(captions.get(shown.step, "signin.account"))
        self._field.hint = tongue.say(hints[shown.step]) if shown.step in hints else ""
        return [self._field]

    @staticmethod
    def _elsewhere(shown: SignIn) -> Iterator[Say]:
        if shown.user_code:
            yield Say(words=shown.user_code, points=theme.TITLE, strong=True, halign="center")
        yield Say(words=shown.uri.partition("?")[0], points=theme.SMALL, ink=look.MUTED, halign="center")

    def go(self) -> None:
        """The blue button, or Enter."""
        shown: SignIn = self.shown
        if shown.step == "elsewhere":
            if shown.trouble is None:
                self._on_browse()
            else:
                self._on_way(shown.way)
        elif not shown.busy and self._complete():
            (self._on_account if shown.step == "account" else self._on_code)(self._field.value.strip())

    def _complete(self) -> bool:
        value = self._field.value.strip()
        return len(value) == CODE if self.shown.step == "code" else bool(value)

    def _offer(self) -> None:
        shown: SignIn = self.shown
        waits = shown.busy or not self._complete()
        match shown.step:
            case "account":
                self.ids.actions.offer(("signin.send", "primary", self.go), busy=waits)
            case "elsewhere":
                self.ids.actions.offer(("signin.elsewhere_open", "primary", self.go))
            case "help":
                self.ids.actions.offer()
            case _:
                self.ids.actions.offer(("signin.finish", "primary", self.go), busy=waits)
        self.ids.more.offer(*self._more(shown))
        self._others(shown)
        if shown.step == "code" and shown.again_in:
            self.ids.note.words = tongue.say("signin.again_in", seconds=shown.again_in)

    def _more(self, shown: SignIn) -> Iterator[Button]:
        if shown.step == "account":
            return
        if shown.step == "code" and not shown.again_in:
            yield "signin.again", "plain", lambda: self._on_account(shown.account)
        yield "signin.other" if shown.step == "code" else "app.back", "plain", self._on_other

    def _others(self, shown: SignIn) -> None:
        """Quiet buttons for the other ways in."""
        offered = shown.ways if shown.step == "account" else ()
        key = ("ways", tongue.language, shown.step, offered)
        if key == self._kept.get("ways", ((), []))[0]:
            return
        found = [("signin.by_activation", "activation", "")] if shown.step == "account" else []
        found += [("signin.by_way", way, name) for way, name in offered]
        found += [("signin.by_help", "help", "")] if shown.step in ("account", "code") else []
        self._kept["ways"] = (key, [self._push(*one) for one in found])
        self.ids.ways.hold(*self._kept["ways"][1])

    def _push(self, key: str, way: str, name: str) -> Push:
        push = Push(words=tongue.say(key, name=name), kind="plain")
        push.name = f"{key}.{way}"
        push.bind(on_release=lambda _: self._on_way(way))
        return push


def _lost() -> Iterator[Say]:
    for what in LOST:
        yield Say(words=tongue.say(f"signin.help_{what}"), strong=True)
        yield Say(words=tongue.say(f"signin.help_{what}_more"), ink=look.MUTED)
