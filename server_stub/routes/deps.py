"""What every route needs: the services, who is asking, and the raw body."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Request

from server_stub.domain.errors import NotAllowedError, NotSignedInError
from server_stub.domain.people import Account
from server_stub.domain.services import Services

COOKIE = "trueseat_staff"


async def services(request: Request) -> Services:  # async: a plain function would cost a thread of its own
    """The services that `app` wired."""
    wired: Services = request.app.state.services
    return wired


Wired = Annotated[Services, Depends(services)]


async def bearer(authorization: Annotated[str | None, Header()] = None) -> str:
    """The token of `Authorization: Bearer <token>`, or `NotSignedInError`."""
    return _token(authorization)


def _token(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not 0 < len(token) <= 200:
        raise NotSignedInError("this request needs a token")
    return token


def learner(wired: Wired, token: Annotated[str, Depends(bearer)]) -> Account:
    """The learner whose token it is."""
    return wired.sign_in.who(token, staff=False)


def staff(wired: Wired, request: Request, authorization: Annotated[str | None, Header()] = None) -> Account:
    """The member of the staff whose token it is: in the header, or in the page's cookie for reading only."""
    if authorization is None and request.method == "GET":
        token = request.cookies.get(COOKIE, "")
        if not token:
            raise NotSignedInError("this page is for the staff: sign in first")
        return _of_staff(wired.sign_in.who(token, staff=True))
    return _of_staff(wired.sign_in.who(_token(authorization), staff=True))


def _of_staff(account: Account) -> Account:
    if not account.staff:
        raise NotAllowedError("this is for the staff")
    return account


async def raw(request: Request) -> bytes:
    """The body as it came; its length is bounded by `web_guard`."""
    return await request.body()


def seen(request: Request) -> str:
    """The client's address as this server sees it; no header can say otherwise."""
    return request.client.host[:100] if request.client else "unknown"


async def _seen(request: Request) -> str:
    return seen(request)


Learner = Annotated[Account, Depends(learner)]
Staff = Annotated[Account, Depends(staff)]
Raw = Annotated[bytes, Depends(raw)]
Seen = Annotated[str, Depends(_seen)]
