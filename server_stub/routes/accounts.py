"""Signing in and out, and what a learner is registered for."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from server_stub.domain.signin import account_name
from server_stub.routes.deps import Learner, Seen, Wired, bearer

router = APIRouter(tags=["accounts"])


class Body(BaseModel):
    """A closed JSON body: unknown fields and other kinds of values are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class StartBody(Body):
    account: str = Field(min_length=1, max_length=100)


class FinishBody(Body):
    challenge: str = Field(pattern=r"^[0-9a-f]{32}$")
    code: str = Field(pattern=r"^[0-9]{6}$")


class StaffBody(Body):
    account: str = Field(min_length=1, max_length=100)
    password: str = Field(min_length=1, max_length=200)


@router.get("/v1/health")
def health(wired: Wired) -> dict[str, Any]:
    """Who answers, and what time it is here (ms)."""
    return {"server": wired.server, "time": wired.clock(), "version": wired.version}


@router.post("/v1/sign-in/start")
def start(wired: Wired, body: StartBody, address: Seen) -> dict[str, Any]:
    """Send a code to the account's owner."""
    wired.limits.count("sign-in", address)
    challenge, expires = wired.sign_in.start(body.account)
    return {"challenge": challenge, "expires": expires}


@router.post("/v1/sign-in/finish")
def finish(wired: Wired, body: FinishBody, address: Seen) -> dict[str, Any]:
    """Exchange the code for a token."""
    wired.limits.count("sign-in", address)
    token, account = wired.sign_in.finish(body.challenge, body.code)
    return {"token": token, "learner": account.learner, "name": account.person}


@router.post("/v1/sign-out")
def sign_out(wired: Wired, _account: Learner, token: Annotated[str, Depends(bearer)]) -> dict[str, Any]:
    """End the token."""
    wired.sign_in.sign_out(token)
    return {}


@router.post("/v1/staff/sign-in")
def staff_sign_in(wired: Wired, body: StaffBody, address: Seen) -> dict[str, Any]:
    """Exchange an administrator's or supervisor's password for a token."""
    wired.limits.count("password", address)
    wired.limits.count("account", account_name(body.account))
    token, account = wired.sign_in.staff(body.account, body.password)
    return {"token": token, "roles": sorted({duty.role for duty in wired.office.duties(account)})}


@router.get("/v1/me")
def me(wired: Wired, account: Learner) -> dict[str, Any]:
    """The learner's registrations with everything a client needs to open a session."""
    return wired.enrolment.me(account)
