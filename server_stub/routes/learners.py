"""What a learner does before the first session, and the files that studying needs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header
from fastapi.responses import FileResponse, Response
from pydantic import Field
from starlette.background import BackgroundTask

from server_stub.domain.devices import Renewal
from server_stub.domain.errors import NotThereError, UnreadableError
from server_stub.domain.letters import LONGEST, Letter
from server_stub.domain.papers import Paper
from server_stub.published import Archive, Bytes, Whatever
from server_stub.routes.accounts import Body
from server_stub.routes.deps import Learner, Raw, Wired, bearer

router = APIRouter(tags=["learners"])

ID = r"^[0-9a-f]{32}$"
Registration = Annotated[str, Field(pattern=ID)]


class IdentifyBody(Body):
    registration: Registration


class DeviceBody(Body):
    registration: Registration
    vkey: str = Field(max_length=400)
    proof: str = Field(max_length=4096)


class RenewBody(DeviceBody):
    old: str = Field(max_length=400)
    held: str = Field(default="", max_length=4096)


class LetterBody(Body):
    letter: Registration
    registration: Registration
    what: str = Field(max_length=20)
    text: str = Field(default="", max_length=LONGEST)


@router.get("/v1/bodies/{digest}", response_class=Bytes)
def body(wired: Wired, account: Learner, digest: str) -> Response:
    """A document that a class of this learner names by its hash."""
    return Response(wired.enrolment.body(account, digest), media_type="application/octet-stream")


@router.get("/v1/courses/{digest}/{name}", response_class=Whatever)
def course_file(wired: Wired, account: Learner, digest: str, name: str) -> FileResponse:
    """A file of a course package of one of this learner's classes; `Range` works."""
    wired.enrolment.body(account, digest)  # raises for a course of somebody else's class
    return FileResponse(wired.files.file(digest, name))


@router.get("/v1/classes/{class_id}/copy", response_class=Archive)
def copy(wired: Wired, account: Learner, class_id: str) -> FileResponse:
    """The learner's own copy of a class, made now, for `verify --partial` or an appeal."""
    if not wired.people.registrations(learner=account.learner, class_id=class_id):
        raise NotThereError(f"this learner has no class {class_id[:64]!r}")
    wired.limits.count("copy", account.learner)
    path = wired.exporter.zip(class_id, masked=False, learner=account.learner)
    return FileResponse(
        path, media_type="application/zip", filename=f"{class_id}.class.zip", background=BackgroundTask(path.unlink)
    )


@router.get("/models/{digest}", response_class=Bytes)
def model(wired: Wired, digest: str) -> FileResponse:
    """A model file by its hash; whoever loads it compares the hash."""
    return FileResponse(wired.files.model(digest), media_type="application/octet-stream")


@router.post("/v1/identify")
def identify(wired: Wired, account: Learner, body: IdentifyBody) -> dict[str, Any]:
    """Development only: the development officer vouches for the person."""
    return {"leaf": wired.enrolment.identify(account, body.registration)}


@router.post("/v1/devices")
def add_device(wired: Wired, account: Learner, body: DeviceBody) -> dict[str, Any]:
    """Certify a device key for this learner."""
    device = wired.enrolment.add_device(account, body.registration, body.vkey, body.proof)
    return {"leaf": device.leaf, "owner": device.owner, "owner_salt": device.salt.hex()}


@router.post("/v1/devices/renew")
def renew_device(
    wired: Wired, account: Learner, token: Annotated[str, Depends(bearer)], body: RenewBody
) -> dict[str, Any]:
    """Revoke a device key that was lost or copied and certify a fresh one; needs a sign-in of minutes ago."""
    request = Renewal(body.registration, body.old, body.vkey, body.proof, body.held)
    device = wired.devices.renew(account, token, request)
    return {"leaf": device.leaf, "owner": device.owner, "owner_salt": device.salt.hex()}


@router.post("/v1/references")
def refer(wired: Wired, account: Learner, body: Raw) -> dict[str, Any]:
    """Keep the signed digest of the learner's template."""
    return {"reference": wired.enrolment.refer(account, body)}


@router.post("/v1/consents")
def consent(wired: Wired, account: Learner, body: Raw) -> dict[str, Any]:
    """Keep a consent signed on the device."""
    return {"leaf": wired.enrolment.consent(account, body)}


@router.get("/v1/letters")
def letters(wired: Wired, account: Learner) -> dict[str, Any]:
    """What this learner wrote to the school, and the answers."""
    return {"letters": [_letter(paper) for paper in wired.letters.written(account)]}


@router.post("/v1/letters")
def write(wired: Wired, account: Learner, body: LetterBody) -> dict[str, Any]:
    """A statement, an appeal, a request for deletion; the same `letter` again is kept once."""
    wired.limits.count("letter", account.learner)
    return _letter(wired.letters.write(account, body.letter, Letter(body.what, body.registration, body.text)))


def _letter(paper: Paper) -> dict[str, Any]:
    said = paper.read(Letter)
    return {"letter": paper.paper, "at": paper.made, "state": paper.state, "what": said.what,
            "registration": said.registration, "text": said.text, "answer": said.answer,
            "marked": list(said.marked)}  # fmt: skip


@router.get("/v1/registrations/{registration}/device")
def last_session(
    wired: Wired, account: Learner, registration: str, x_device: Annotated[str | None, Header()] = None
) -> dict[str, Any]:
    """What the server has of this device's sessions in this class."""
    if x_device is None:
        raise UnreadableError("the header X-Device names the device's key")
    prev, still_open = wired.enrolment.last_session(account, registration, x_device)
    return {"prev": prev, "open": still_open}
