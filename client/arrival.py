"""How a learner comes in: the code to the phone, an employer's activation code, a sign-in elsewhere; and lost ways.

One instance a window, driven by the journey: `later` runs slow work, `enter` takes whoever signed in. A profile on this
machine is opened by a sign-in and by nothing else: nobody is listed here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from client.config import Config
from client.errors import ClientError, ServerRefusedError
from client.own import Stage
from client.player import shown
from client.sync import ways
from client.sync.enrol import Enrolment, SignedIn, finish_sign_in, start_sign_in
from client.sync.ways import Elsewhere
from client.waited import Line, Waited

FORBIDDEN: Final = 403
CODE_EVERY_MS: Final = 30_000  # the server sends one code in this time


class Arrival:
    """See the module."""

    def __init__(
        self,
        config: Config,
        kit: Line,
        stage: Stage,
        later: Callable[..., None],
        enter: Callable[[Enrolment], None],
    ) -> None:
        """`later(job, done, again=…)` is the journey's."""
        self._config, self._transport, self._clock, self._stage = config, kit.transport, kit.clock, stage
        self._later, self._enter = later, enter
        self.waited = Waited(kit, later)
        self.browse = self.waited.browse
        self._challenge = ""
        self._code_at: int | None = None
        self._ways: tuple[tuple[str, str], ...] | None = None

    def own_trust(self) -> bytes | None:
        """This client's own trust file, where it has one."""
        return self._config.trust.read_bytes() if self._config.trust else None

    def page(self, **changes: Any) -> shown.SignIn:
        """The page as it begins."""
        server = self._config.server
        self.waited.drop()
        known = self._ways or ()
        return shown.SignIn(server=server, development=server.startswith("http://"), ways=known, **changes)

    def look(self) -> None:
        """Ask once which other ways the server has; a server that does not answer is asked at the next page."""
        if self._ways is None:
            self._later(self._listed, self._told)

    def _listed(self) -> tuple[tuple[str, str], ...]:
        try:
            return ways.ways(self._transport)
        except ClientError:
            return ()  # the two ways that every server has are there all the same

    def _told(self, found: tuple[tuple[str, str], ...]) -> None:
        self._ways = found or None
        self._stage.change(ways=found)

    def tick(self) -> None:
        """Count down until a code may be sent again; ask whether the learner agreed elsewhere."""
        page = self._here()
        if page is None:
            return
        if page.step == "code":
            self._stage.change(again_in=self._again_in())
        elif page.step == "elsewhere" and not page.busy and page.trouble is None:
            self.waited.ask(lambda found: self._sign_in(lambda: found))

    # --- the code to the phone ----------------------------------------------------------------------------------------

    def ask_code(self, account: str) -> None:
        """Have a code sent to the account; where the settings hold an enrolment token, its first sign-in needs none."""
        account = account.strip()
        self._stage.change(account=account)

        def done(answer: Enrolment | tuple[str, int]) -> None:
            if isinstance(answer, Enrolment):
                self._enter(answer)
                return
            self._challenge, self._code_at = answer[0], self._clock.mono()
            self._stage.change(step="code", again_in=self._again_in())

        own = self.own_trust()
        self._later(lambda: self._by_token(account, own) or start_sign_in(self._transport, account), done)

    def _by_token(self, account: str, own: bytes | None) -> Enrolment | None:
        """Whoever the settings' enrolment token lets in; None without one, and where it does not serve this account."""
        if not self._config.token or not account:
            return None
        try:
            who = ways.activate(self._transport, self._config.token, account)
        except ServerRefusedError as error:
            if error.status != FORBIDDEN:
                raise
            return None  # not the first sign-in, or the token is used up: the code to the phone, as everywhere
        return self._enrolment(who, own)

    def _enrolment(self, who: SignedIn, own: bytes | None) -> Enrolment:
        config = self._config
        return Enrolment.signed_in(self._transport, config.data, who, own_trust=own, authority=config.authorities)

    def _again_in(self) -> int:
        since = self._clock.mono() - (self._code_at or 0)
        return max(0, (CODE_EVERY_MS - since + 999) // 1000)

    def enter_code(self, code: str) -> None:
        """Sign in with the code; one from an employer where that was chosen."""
        page = self._here()
        if page is not None and page.step == "activation":
            self._sign_in(lambda: ways.activate(self._transport, code))
        else:
            self._sign_in(lambda: finish_sign_in(self._transport, self._challenge, code.strip()))

    def _sign_in(self, who: Callable[[], SignedIn]) -> None:
        own = self.own_trust()

        def job() -> Enrolment:
            return self._enrolment(who(), own)

        self._later(job, self._enter, again="")

    # --- other ways ---------------------------------------------------------------------------------------------------

    def other_account(self) -> None:
        """Back to the account."""
        self.waited.drop()
        self._stage.change(step="account", trouble=None, uri="", user_code="")

    def choose(self, way: str) -> None:
        """Another way: "activation", "help" (lost code, new number, lost computer), or one that the server has."""
        self.waited.drop()
        self._stage.change(trouble=None)
        if way in ("activation", "help"):
            self._stage.change(step=way)
            return

        def begun(found: Elsewhere) -> None:
            name = dict(self._ways or ()).get(way, way)
            self._stage.change(step="elsewhere", uri=found.uri, user_code=found.user_code, way=way, way_name=name)

        self.waited.begin(lambda: ways.begin(self._transport, way), begun)

    def _here(self) -> shown.SignIn | None:
        page = self._stage.here()[1]
        return page if isinstance(page, shown.SignIn) else None


