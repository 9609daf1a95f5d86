"""Signing in without a password: by a passkey, or by the organisation's own sign-in."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from server_stub.domain.key_errors import PasskeyRefusedError, SignInElsewhereError
from server_stub.domain.oidc import Oidc
from server_stub.domain.passkeys import MAX_ANSWER, Site
from server_stub.domain.people import Account
from server_stub.domain.services import Services
from server_stub.domain.signin import STAFF_TOKEN_MS
from server_stub.routes.deps import COOKIE, Wired, seen
from server_stub.routes.web import SAFE, Acts, PageRoute, language, render, same_site, under_tls

router = APIRouter(include_in_schema=False, route_class=PageRoute)
Text = Annotated[str, Form(max_length=200)]
Answer = Annotated[str, Form(max_length=MAX_ANSWER)]
CEREMONY: Final = "trueseat_ceremony"  # lax: it has to come back with the provider's redirect


def site(request: Request, wired: Services) -> Site:
    """Where the pages stand, as the operator says; in development `http://localhost:…` does without."""
    if wired.origin:
        return Site(wired.origin)
    host = request.headers.get("host", "")
    if host.partition(":")[0] == "localhost":
        return Site(f"{request.url.scheme}://{host}")
    raise PasskeyRefusedError("this server does not know its own address: `origin` in server.toml")


@router.post("/sign-in/passkey/start")
def ask(wired: Wired, request: Request) -> Response:
    """What the browser asks a passkey; the same for everybody."""
    same_site(request)
    wired.limits.count("password", seen(request))
    return JSONResponse(wired.passkeys.ask(site(request, wired)), headers=SAFE)


@router.post("/sign-in/passkey/finish")
def enter(wired: Wired, request: Request, handle: Text = "", answer: Answer = "") -> Response:
    """The passkey's answer for a new cookie, whatever cookie was there before."""
    same_site(request)
    wired.limits.count("password", seen(request))
    token, _ = wired.passkeys.enter(handle, answer, site(request, wired))
    return admitted(request, wired, token, JSONResponse({"to": "/"}, headers=SAFE))


def admitted(request: Request, wired: Services, token: str, answer: Response) -> Response:
    """End the token that was there, set the new one."""
    wired.sign_in.sign_out(request.cookies.get(COOKIE, ""))
    secure = under_tls(request, wired)
    answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=secure, max_age=STAFF_TOKEN_MS // 1000)
    return answer


@router.post("/account/passkeys/start")
def ask_new(visit: Acts, password: Text = "") -> Response:
    """What the browser asks for a new passkey; the password is asked for again."""
    visit.wired.limits.count("account", visit.account.name)
    asked = visit.wired.passkeys.ask_new(visit.account, password, site(visit.request, visit.wired))
    return JSONResponse(asked, headers=SAFE)


@router.post("/account/passkeys/finish")
def take_new(visit: Acts, handle: Text = "", answer: Answer = "", label: Text = "") -> Response:
    """Keep the new passkey."""
    made = visit.wired.passkeys.take_new(visit.account, handle, answer, label, site(visit.request, visit.wired))
    visit.wired.office.audit(visit.account, "added a passkey", "own account", made.label)
    return JSONResponse({"to": "/account?done=passkey"}, headers=SAFE)


@router.post("/account/passkeys/end")
def drop(visit: Acts, key: Annotated[str, Form(max_length=1400)] = "") -> Response:
    """Forget a passkey; sign-ins that it made run on until they are ended."""
    visit.wired.passkeys.drop(visit.account, key)
    visit.wired.office.audit(visit.account, "removed a passkey", "own account", "own account")
    return RedirectResponse("/account?done=passkey_gone", 303)


@router.get("/sign-in/oidc")
def go(wired: Wired, request: Request) -> Response:
    """Off to the organisation's sign-in."""
    wired.limits.count("password", seen(request))
    return _off(request, wired, None)


@router.post("/account/oidc")
def link(visit: Acts, password: Text = "") -> Response:
    """The same, to link this account; the password is asked for again."""
    visit.wired.limits.count("account", visit.account.name)
    visit.wired.sign_in.check(visit.account, password)
    return _off(visit.request, visit.wired, visit.account)


@router.post("/account/oidc/end")
def unlink(visit: Acts) -> Response:
    """The organisation's sign-in opens this account no more."""
    _provider(visit.wired).unlink(visit.account)
    visit.wired.office.audit(visit.account, "ended the link to the organisation", "own account", "own account")
    return RedirectResponse("/account?done=unlinked", 303)


@router.get("/sign-in/oidc/return")
def come_back(wired: Wired, request: Request) -> Response:
    """Back from there. A page, not a redirect: a strict cookie is not sent after a redirect from another site."""
    wired.limits.count("password", seen(request))
    given = {name: value[:4000] for name, value in request.query_params.items()}
    token, account = _provider(wired).end(request.cookies.get(CEREMONY, "")[:64], given)
    answer = _onward(request, "/" if token else "/account?done=linked")
    if token:
        admitted(request, wired, token, answer)
    else:
        wired.office.audit(account, "linked the account to the organisation", "own account", "own account")
    answer.delete_cookie(CEREMONY, path="/sign-in/oidc")
    return answer


def _off(request: Request, wired: Services, account: Account | None) -> Response:
    provider = _provider(wired)
    back = site(request, wired).origin + "/sign-in/oidc/return"
    there, handle = provider.begin(back, account)
    # a form may not lead to another site (content-security policy), a page may
    answer = _onward(request, there) if account else RedirectResponse(there, 303)
    kept: dict[str, Any] = {"httponly": True, "samesite": "lax", "secure": back.startswith("https://")}
    answer.set_cookie(CEREMONY, handle, path="/sign-in/oidc", max_age=600, **kept)
    return answer


def _onward(request: Request, to: str) -> Response:
    return render(request, "onward.html", language(request), 200, to=to)


def _provider(wired: Services) -> Oidc:
    if wired.oidc is None:
        raise SignInElsewhereError("this server has no organisation's sign-in")
    return wired.oidc
