"""The learner's other ways in: an activation code, a sign-in elsewhere."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse
from pydantic import Field

from server_stub.domain.errors import NotThereError, SignInAgainError
from server_stub.domain.people import Account
from server_stub.domain.ways import Asked, Still
from server_stub.domain.wechat import WeChat
from server_stub.routes.accounts import Body
from server_stub.routes.deps import Learner, Seen, Wired, bearer
from server_stub.routes.web import language, render, same_site

router = APIRouter(tags=["accounts"])
Token = Annotated[str, Depends(bearer)]


class ActivateBody(Body):
    code: str = Field(min_length=1, max_length=40)
    account: str = Field(default="", max_length=100)  # with an employer's enrolment token: whose first sign-in it is


class WayBody(Body):
    way: Literal["oidc", "wechat"]


class IssuerBody(Body):
    issuer: str = Field(min_length=1, max_length=500)


class PollBody(Body):
    handle: str = Field(pattern=r"^[0-9a-f]{32}$")


@router.get("/v1/sign-in/ways")
def ways(wired: Wired) -> dict[str, Any]:
    """The ways in that this server has beside the code to the phone and the activation code."""
    return {"ways": wired.ways.listed()}


@router.post("/v1/sign-in/activate")
def activate(wired: Wired, body: ActivateBody, address: Seen) -> dict[str, Any]:
    """Exchange an employer's activation code (good once), or its enrolment token and an account, for a token."""
    wired.limits.count("sign-in", address)
    if body.account:
        return _signed_in(*wired.tokens.enter(body.code, body.account))
    token, account = wired.sign_in.activate(body.code)
    return _signed_in(token, account)


@router.post("/v1/sign-in/begin")
def begin(wired: Wired, body: WayBody, address: Seen) -> dict[str, Any]:
    """Begin a sign-in elsewhere."""
    wired.limits.count("sign-in", address)
    return _asked(wired.ways.begin(body.way))


@router.post("/v1/sign-in/link")
def link(wired: Wired, body: WayBody, account: Learner, token: Token, address: Seen) -> dict[str, Any]:
    """Begin linking a sign-in elsewhere to this learner, who signed in minutes ago: a forgotten window links nobody."""
    wired.limits.count("sign-in", address)
    if not wired.sign_in.is_fresh(token):
        raise SignInAgainError("a way in is linked by somebody who signed in just now")
    return _asked(wired.ways.begin(body.way, account))


@router.get("/v1/sign-in/links")
def links(wired: Wired, account: Learner) -> dict[str, Any]:
    """Where this learner has an account that opens this one."""
    return {"links": [asdict(one) for one in wired.ways.links(account)]}


@router.post("/v1/sign-in/unlink")
def unlink(wired: Wired, body: IssuerBody, account: Learner) -> dict[str, Any]:
    """One of them opens it no more; what is left is listed."""
    wired.ways.unlink(account, body.issuer)
    return links(wired, account)


@router.post("/v1/sign-in/poll")
def poll(wired: Wired, body: PollBody, address: Seen) -> dict[str, Any]:
    """Whether the learner agreed there: `{"wait"}` (ms), or the token; `token` "" where it was linked."""
    wired.limits.count("poll", address)
    found = wired.ways.poll(body.handle)
    return {"wait": found.interval_ms} if isinstance(found, Still) else _signed_in(*found)


@router.get("/v1/sign-in/wechat", response_class=HTMLResponse)
def wechat(request: Request, wired: Wired, address: Seen, state: str = "", code: str = "") -> HTMLResponse:
    """Where WeChat sends the learner's browser: nothing is exchanged before the number of the own screen is typed."""
    provider = _wechat(wired, address, state, code)
    if not code:
        provider.returned(state, "")
    return render(request, "way.html", language(request), state=state, answer=code)


@router.post("/v1/sign-in/wechat", response_class=HTMLResponse)
def wechat_confirmed(
    request: Request, wired: Wired, address: Seen,
    state: Annotated[str, Form()] = "", code: Annotated[str, Form()] = "", number: Annotated[str, Form()] = "",
) -> HTMLResponse:  # fmt: skip
    """The learner typed the number, or said that nobody here began this (`number` empty)."""
    same_site(request)
    provider = _wechat(wired, address, state, code)
    provider.returned(state, code if number else "", number[:10].strip())
    return render(request, "way.html", language(request), state="", answer="")


def _wechat(wired: Wired, address: str, state: str, code: str) -> WeChat:
    wired.limits.count("sign-in", address)
    provider = wired.ways.provider("wechat")
    if not isinstance(provider, WeChat) or len(state) > 64 or len(code) > 600:
        raise NotThereError("nothing was asked of WeChat here")
    return provider


def _asked(asked: Asked) -> dict[str, Any]:
    begun = asked.begun
    shown = {"uri": begun.uri, "user_code": begun.user_code, "expires": begun.expires, "wait": begun.interval_ms}
    return {"handle": asked.handle, **shown}


def _signed_in(token: str, account: Account) -> dict[str, Any]:
    return {"token": token, "learner": account.learner, "name": account.person}
