"""Other ways in, asked of the server: an activation code, a sign-in elsewhere that is waited for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from client.errors import BadAnswerError
from client.ports import Transport
from client.sync.api import Api, field
from client.sync.enrol import SignedIn
from ledger import names

LONGEST_WAIT_MS: Final = 60_000
KNOWN: Final = ("oidc", "wechat")
MOST: Final = 20  # linked accounts that are listed


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A sign-in that was begun: the address to open, the code to type there ("": none), when to ask again (ms)."""

    way: str
    handle: str
    uri: str
    user_code: str
    wait_ms: int


@dataclass(frozen=True, slots=True)
class Link:
    """Who vouches elsewhere for this learner: `way` "" where this server offers it no more; `name` for people."""

    issuer: str
    way: str
    name: str


def ways(transport: Transport) -> tuple[tuple[str, str], ...]:
    """(way, what stands on its button) of those that this client knows; a server without any answers 404: none."""
    found = field(Api(transport).json("GET", "/v1/sign-in/ways"), "ways", dict)
    return tuple((way, str(found[way])[:60]) for way in KNOWN if isinstance(found.get(way), str))


def activate(transport: Transport, code: str, account: str = "") -> SignedIn:
    """Exchange an employer's code for a token; `ServerRefusedError` with the server's sentence for a wrong one.

    With an `account` the code is an employer's enrolment token, which serves the first sign-in of its learners.
    """
    body = {"code": code, "account": account} if account else {"code": code}
    return _signed_in(Api(transport).json("POST", "/v1/sign-in/activate", body))


def begin(transport: Transport, way: str) -> Elsewhere:
    """Begin a sign-in elsewhere."""
    return _begun(way, Api(transport).json("POST", "/v1/sign-in/begin", {"way": way}))


def link(api: Api, way: str) -> Elsewhere:
    """Begin to link an account elsewhere to the learner of `api`; `SignedOutError` where the sign-in is older than
    some minutes."""
    return _begun(way, api.json("POST", "/v1/sign-in/link", {"way": way}))


def links(api: Api) -> tuple[Link, ...]:
    """Where the learner of `api` has an account that opens this one."""
    return _links(api.json("GET", "/v1/sign-in/links"))


def unlink(api: Api, issuer: str) -> tuple[Link, ...]:
    """It opens this one no more; what is left."""
    return _links(api.json("POST", "/v1/sign-in/unlink", {"issuer": issuer}))


def _links(said: dict[str, object]) -> tuple[Link, ...]:
    found = []
    for one in field(said, "links", list)[:MOST]:
        if not isinstance(one, dict):
            raise BadAnswerError("a linked account that is no object")
        issuer, way, name = (field(one, part, str) for part in ("issuer", "way", "name"))
        found.append(Link(issuer, way if way in KNOWN else "", name[:60]))
    return tuple(found)


def _begun(way: str, said: dict[str, object]) -> Elsewhere:
    handle, uri, code = (field(said, name, str) for name in ("handle", "uri", "user_code"))
    if not names.is_a("sid", handle) or not is_web(uri) or len(code) > 40 or not code.isprintable():
        raise BadAnswerError("a sign-in elsewhere without an address")
    return Elsewhere(way, handle, uri, code, _wait(field(said, "wait", int)))


def poll(transport: Transport, handle: str) -> SignedIn | int:
    """Who agreed there, or after how many ms to ask again; a token of "" means: linked."""
    said = Api(transport).json("POST", "/v1/sign-in/poll", {"handle": handle})
    return _wait(field(said, "wait", int)) if "wait" in said else _signed_in(said)


def is_web(uri: str) -> bool:
    """Whether an address may be opened in a browser: https, or plain http on this machine; nothing else is a page."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
    plain = uri.isascii() and uri.isprintable() and " " not in uri and len(uri) <= 600
    return plain and bool(parts.hostname) and (parts.scheme == "https" or local)


def _wait(ms: int) -> int:
    return min(max(ms, 500), LONGEST_WAIT_MS)


def _signed_in(said: dict[str, object]) -> SignedIn:
    learner = field(said, "learner", str)
    if not names.is_a("sid", learner):
        raise BadAnswerError("a learner is 32 hex digits")
    return SignedIn(field(said, "token", str), learner, field(said, "name", str))
