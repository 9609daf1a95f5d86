"""The learner's ways in, seen and changed by the learner: which accounts elsewhere open this one, one more, one less.

One instance a window, driven by the journey. Linking needs a sign-in of some minutes ago; where it is older the learner
signs in again, and what was asked for goes on by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from client.errors import SignedOutError
from client.own import Stage
from client.player.pages import Ways
from client.sync import ways
from client.sync.enrol import Enrolment
from client.sync.ways import Elsewhere, Link
from client.view import Sentence
from client.waited import Line, Waited


class Linking:
    """See the module."""

    def __init__(self, line: Line, stage: Stage, later: Callable[..., None]) -> None:
        """`later(job, done, again=…)` is the journey's."""
        self._transport, self._stage, self._later = line.transport, stage, later
        self._enrolment: Enrolment | None = None
        self._wanted: tuple[str, str, str] | None = None  # learner, way, name: put off until they signed in again
        self.waited = Waited(line, later)

    def enter(self, enrolment: Enrolment) -> bool:
        """Somebody signed in; whether this page goes on with what they had asked for before."""
        self._enrolment = enrolment
        wanted, self._wanted = self._wanted, None
        if wanted is None or wanted[0] != enrolment.profile.learner:
            return False
        self._stage.put("ways", Ways(busy=True))
        self._look(lambda: self.link(*wanted[1:]))
        return True

    def leave(self) -> None:
        """Nobody is signed in."""
        self._enrolment = None
        self.waited.drop()

    def leave_page(self) -> None:
        """Another page is shown: nothing is waited for."""
        self.waited.drop()

    def to_page(self) -> None:
        """What is linked, and what may be."""
        if self._enrolment is not None:
            self.waited.drop()
            self._stage.put("ways", Ways(busy=True))
            self._look(lambda: None)

    def _look(self, then: Callable[[], None]) -> None:
        api, transport = self._known().api, self._transport

        def found(both: tuple[tuple[tuple[str, str], ...], tuple[Link, ...]]) -> None:
            offered, linked = both
            if self._here() is not None:
                there = {one.way for one in linked}
                self._stage.change(
                    offered=tuple(one for one in offered if one[0] not in there),
                    linked=tuple((one.issuer, one.name) for one in linked),
                )
                then()

        self._later(lambda: (ways.ways(transport), ways.links(api)), found)

    def link(self, way: str, name: str) -> None:
        """One more: begun, agreed to in a browser, and noticed here by itself."""
        api, learner = self._known().api, self._known().profile.learner
        self._stage.change(way=way, way_name=name, uri="", user_code="", done=None)

        def begin() -> Elsewhere:
            try:
                return ways.link(api, way)
            except SignedOutError:
                self._wanted = (learner, way, name)
                raise

        def begun(found: Elsewhere) -> None:
            self._stage.change(uri=found.uri, user_code=found.user_code)

        self.waited.begin(begin, begun)

    def unlink(self, issuer: str) -> None:
        """One less: that account opens this one no more."""
        api = self._known().api
        self._later(lambda: ways.unlink(api, issuer), lambda _: self._again(Sentence("ways.unlinked")))

    def cancel(self) -> None:
        """Nothing is linked after all."""
        self.waited.drop()
        self._again(None)

    def retry(self) -> None:
        """After a trouble: link once more, or look once more."""
        page = self._here()
        if page is not None and page.way:
            self.link(page.way, page.way_name)
        else:
            self._again(None)

    def tick(self) -> None:
        """Ask whether the learner agreed elsewhere."""
        page = self._here()
        if page is not None and page.uri and not page.busy and page.trouble is None:
            self.waited.ask(lambda _: self._again(Sentence("ways.linked", {"name": page.way_name})))

    def _again(self, done: Sentence | None) -> None:
        page = self._here()
        if page is not None:
            self._stage.put("ways", Ways(page.linked, page.offered, done=done, busy=True))
            self._look(lambda: None)

    def _here(self) -> Ways | None:
        page: Any = self._stage.here()[1]
        return page if isinstance(page, Ways) else None

    def _known(self) -> Enrolment:
        assert self._enrolment is not None
        return self._enrolment

