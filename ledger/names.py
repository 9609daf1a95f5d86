"""How things are named: servers, classes, sessions, devices. One spelling each, because names are signed."""

from __future__ import annotations

import re
from typing import Final

SERVER: Final = r"[a-z0-9](?:[a-z0-9.-]{0,98}[a-z0-9])?"  # a configured name for life, not a listening address
CLASS: Final = r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?"  # a class ID; stands in paths, so no dot and no capital
ID128: Final = r"[0-9a-f]{32}"

_PATTERNS: Final = {
    "server": re.compile(SERVER),
    "class": re.compile(CLASS),
    "sid": re.compile(ID128),
    "session origin": re.compile(f"({SERVER})/s/({ID128})"),
    "class origin": re.compile(f"({SERVER})/c/({CLASS})"),
    "device": re.compile(f"({SERVER})/d/({ID128})"),
}


def is_a(what: str, text: str) -> bool:
    """Whether `text` is one of: server, class, sid, session origin, class origin, device."""
    return _PATTERNS[what].fullmatch(text) is not None


def split(what: str, text: str) -> tuple[str, str] | None:
    """(server name, class ID, sid or device ID) of an origin or a device name; None when it is none."""
    match = _PATTERNS[what].fullmatch(text)
    return (match[1], match[2]) if match else None


def class_origin(server: str, class_id: str) -> str:
    """The class log's origin, and the name of its key."""
    return f"{server}/c/{class_id}"


def session_origin(server: str, sid: str) -> str:
    """The session log's origin, and the name of its key."""
    return f"{server}/s/{sid}"


def device(server: str, device_id: str) -> str:
    """The name of a device key; `device_id` is 32 random hex digits."""
    return f"{server}/d/{device_id}"


def grant(server: str) -> str:
    """The name of the key that signs grants and commands."""
    return f"{server}/g"


def cosigner(server: str) -> str:
    """The name of the key by which the server cosigns session checkpoints; never a quorum member."""
    return f"{server}/w"
