"""Sessions: the grant, the segments, and what can be asked about a session afterwards."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header
from fastapi.responses import Response
from pydantic import Field

from server_stub.domain.errors import SegmentSignatureError
from server_stub.domain.identify import Attempt
from server_stub.domain.marking import Sheet
from server_stub.domain.services import Services
from server_stub.published import Note
from server_stub.routes.accounts import Body
from server_stub.routes.deps import Learner, Raw, Seen, Wired, bearer

router = APIRouter(tags=["sessions"])
NAMED = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


class IdentifyAttemptBody(Body):
    i: Annotated[int, Field(ge=0, le=1_000_000)] | Annotated[str, Field(pattern=r"^(close|spot-[0-9]{1,9})$")]
    a: int = Field(ge=0, le=9)
    nonce: str = Field(pattern=r"^[0-9a-f]{32}$")
    code: str = Field(default="", pattern=r"^([0-9]{6})?$")


class TestBody(Body):
    unit: str = Field(pattern=NAMED)
    attempt: int = Field(ge=1, le=1_000_000)
    choices: dict[Annotated[str, Field(pattern=NAMED)], Annotated[int, Field(ge=0, le=20)]] = Field(max_length=200)


@router.post("/v1/sessions", response_class=Note)
def open_session(
    wired: Wired,
    account: Learner,
    token: Annotated[str, Depends(bearer)],
    body: Raw,
    address: Seen,
    x_take_over: Annotated[str | None, Header()] = None,
) -> Response:
    """Grant a session for a certificate."""
    wired.limits.count("session", address)
    fresh = wired.sign_in.is_fresh(token)
    given = wired.sessions.open(account, body, take_over=x_take_over == "1", seen=address, fresh=fresh)
    return Response(given, media_type="text/plain; charset=utf-8")


@router.post("/v1/sessions/{sid}/segments")
async def segment(wired: Wired, sid: str, body: Raw, address: Seen) -> Response:
    """Take a segment: cosign its checkpoint, and say what is to be done next."""
    return Response(await take(wired, sid, body, address), media_type="application/json")


async def take(wired: Services, sid: str, body: bytes, address: str) -> bytes:
    """The answer to a segment; `fastlane` calls it without the framework's detours."""
    try:
        return await wired.ingest.accept(sid, body, address)
    except SegmentSignatureError:
        wired.limits.count("refused", address)
        raise


@router.post("/v1/sessions/{sid}/identify")
def identify(wired: Wired, account: Learner, sid: str, body: IdentifyAttemptBody) -> dict[str, Any]:
    """Be identified without a face for one ordered attempt: have a code sent, bring it, or wait for a person."""
    attempt = Attempt(sid, body.i, body.a, body.nonce)
    return asdict(wired.identifier.ask(account, attempt, body.code))


@router.post("/v1/sessions/{sid}/tests", response_class=Note)
def test(wired: Wired, account: Learner, sid: str, body: TestBody) -> Response:
    """Have the test of a unit marked: the result, signed."""
    wired.limits.count("test", account.learner)
    found = wired.marker.mark(account, sid, Sheet(body.unit, body.attempt, body.choices))
    return Response(found, media_type="text/plain; charset=utf-8")


@router.get("/v1/sessions/{sid}/receipt", response_class=Note)
def receipt(wired: Wired, sid: str) -> Response:
    """The receipt (tlog-proof) of the session's last checkpoint in the class log."""
    return Response(wired.revealer.receipt(sid), media_type="text/plain; charset=utf-8")


@router.get("/v1/sessions/{sid}/reveal")
def reveal(wired: Wired, sid: str) -> dict[str, Any]:
    """The seed of a session that is over."""
    return wired.revealer.revealed(sid)


@router.get("/v1/sessions/{sid}/credit")
def credit(wired: Wired, account: Learner, sid: str) -> dict[str, Any]:
    """The server's own computation of credited time, for comparison."""
    return wired.settler.shown(account, sid)
