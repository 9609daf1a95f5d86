"""Who reads a learner's page: the cookie of the learners, apart from that of the staff, and the same proof of forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from server_stub.domain.errors import NotAllowedError, NotSignedInError, UnreadableError
from server_stub.domain.people import Account
from server_stub.domain.services import Services
from server_stub.routes.deps import Wired
from server_stub.routes.web import PageRoute, language, render, same_site

COOKIE: Final = "trueseat_me"
SIGN_IN: Final = "/me/sign-in"


class MeRoute(PageRoute):
    """A page of the learner's; without a sign-in the learner's own form."""

    home: ClassVar[str] = SIGN_IN


@dataclass(frozen=True, slots=True)
class MyVisit:
    """One learner on one page."""

    request: Request
    wired: Services
    account: Account
    token: str
    lang: str

    def show(self, template: str, status: int = 200, /, **values: Any) -> HTMLResponse:
        """The page with its menu."""
        menu = {"me": self.account.person, "csrf": self.wired.sign_in.csrf(self.token)}
        return render(self.request, template, self.lang, status, **(menu | values))


def visitor(request: Request, wired: Wired) -> MyVisit:
    """Whose page it is, or `NotSignedInError`."""
    token = request.cookies.get(COOKIE, "")
    if not 0 < len(token) <= 200:
        raise NotSignedInError("this page is a learner's own: sign in first")
    return MyVisit(request, wired, wired.sign_in.who(token, staff=False), token, language(request))


async def actor(request: Request, wired: Wired) -> MyVisit:
    """Who sends a form, if it was made by this server for this sign-in; `NotAllowedError` for any other."""
    same_site(request)
    visit = await run_in_threadpool(visitor, request, wired)
    try:
        given = (await request.form(max_files=0, max_fields=300)).get("csrf", "")
    except Exception as error:  # starlette raises its own for a form that is none
        raise UnreadableError("the form cannot be read") from error
    if not isinstance(given, str) or not wired.sign_in.is_csrf(visit.token, given):
        raise NotAllowedError("this form was not made for this sign-in: open the page again")
    return visit


Reads = Annotated[MyVisit, Depends(visitor)]
Acts = Annotated[MyVisit, Depends(actor)]
