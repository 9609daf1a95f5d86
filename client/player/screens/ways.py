"""The ways in: which accounts elsewhere open this one, one more, one less."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from kivy.uix.widget import Widget

from client.player import theme
from client.player.pages import Ways
from client.player.screens.base import Screen, kv_of
from client.player.screens.rights import Entered, Matters
from client.player.widgets import look, tongue
from client.player.widgets.kit import Fact, Push, Row
from client.player.widgets.say import Say

kv_of(__file__)


class WaysScreen(Screen):
    """Renders `Ways`; `on_link(way, name)`, `on_unlink(issuer)`, `on_cancel()`, `on_browse()` (open the address that is
    shown), `on_retry()`."""

    def __init__(
        self,
        on_link: Callable[[str, str], None],
        on_unlink: Callable[[str], None],
        on_cancel: Callable[[], None],
        on_browse: Callable[[], None],
        on_retry: Callable[[], None] = lambda: None,
        **kwargs: Any,
    ) -> None:
        self._on_link, self._on_unlink, self._on_cancel = on_link, on_unlink, on_cancel
        self._on_browse, self._on_retry = on_browse, on_retry
        super().__init__(**kwargs)
        self.fbind("wide", self._retell)

    def retell(self) -> None:
        """The page of now."""
        shown: Ways = self.shown
        self.ids.trouble.tell(shown.trouble)
        waits = shown.busy and not shown.uri
        said = [Fact(words=tongue.say("today.loading"), mood="unknown", icon="clock")] if waits else []
        if shown.done is not None and not waits:
            said.append(Fact(words=tongue.say(shown.done), mood="good"))
        self.ids.state.hold(*said)
        self.ids.body.hold(*self._cards(shown))

    def _cards(self, shown: Ways) -> Iterator[Widget]:
        always = Matters(icon="phone", title=tongue.say("ways.always"), lead=tongue.say("ways.always_lead"))
        if shown.uri:
            yield self._linking(shown)
        yield always
        if shown.linked is None:
            return
        there = Matters(icon="link", title=tongue.say("ways.mine"), lead=tongue.say("ways.mine_lead"))
        there.hold(*(self._linked(shown, *one) for one in shown.linked) if shown.linked else (self._none(shown),))
        yield there
        if shown.offered and not shown.uri:
            more = Matters(icon="plus", title=tongue.say("ways.more"), lead=tongue.say("ways.more_lead"))
            more.hold(*(self._offered(shown, *one) for one in shown.offered))
            yield more

    def _linking(self, shown: Ways) -> Matters:
        lead = "signin.elsewhere_code" if shown.user_code else "signin.elsewhere_scan"
        title = tongue.say("ways.link", name=shown.way_name)
        card = Matters(icon="link", title=title, lead=tongue.say(lead))
        code = [Say(words=shown.user_code, points=theme.TITLE, strong=True, halign="center")] if shown.user_code else []
        card.hold(
            *code,
            Say(words=shown.uri.partition("?")[0], points=theme.SMALL, ink=look.MUTED, halign="center"),
            self._push("signin.elsewhere_open", "primary", self._on_browse),
            self._push("ways.cancel", "plain", self._on_cancel),
        )
        return card

    def _linked(self, shown: Ways, issuer: str, name: str) -> Row:
        row = Row(wide=self.wide, spacing="10dp")
        note = issuer if issuer.startswith("https://") and issuer != name else ""
        row.add_widget(Entered(wide=True, title=name, note=note, pos_hint={"center_y": 0.5} if self.wide else {}))
        push = self._push("ways.unlink", "quiet", partial(self._on_unlink, issuer), busy=shown.busy and not shown.uri)
        push.hug, push.name = True, f"ways.unlink {name}"
        push.pos_hint = {"center_y": 0.5} if self.wide else {}
        row.add_widget(push)
        return row

    def _offered(self, shown: Ways, way: str, name: str) -> Push:
        push = self._push("", "quiet", partial(self._on_link, way, name), busy=shown.busy)
        push.words, push.name = tongue.say("ways.link", name=name), f"ways.link {way}"
        return push

    @staticmethod
    def _none(shown: Ways) -> Say:
        return Say(words=tongue.say("ways.none" if shown.offered or shown.uri else "ways.none_here"))

    @staticmethod
    def _push(key: str, kind: str, act: Callable[[], None], busy: bool = False) -> Push:
        push = Push(words=tongue.say(key) if key else "", kind=kind, disabled=busy)
        push.name = key
        push.bind(on_release=lambda _: act())
        return push
