"""Lists that Android keeps as text, taken apart. Foreign: what does not fit is left out."""

from __future__ import annotations

import re
from typing import Final

MAX_SERVICES: Final = 200
MAX_SOCKETS: Final = 2_000
_COMPONENT: Final = re.compile(r"[A-Za-z0-9_.$]{1,200}/[A-Za-z0-9_.$]{1,300}")


def services(value: str | None) -> tuple[str, ...]:
    """`enabled_accessibility_services`: components `package/class` between colons."""
    found = [part.strip() for part in (value or "").split(":")[:MAX_SERVICES]]
    return tuple(dict.fromkeys(part for part in found if _COMPONENT.fullmatch(part)))


def switched_on(value: str | None) -> bool | None:
    """A setting that is "1" or "0"; None where it is neither."""
    return {"1": True, "0": False}.get((value or "").strip())


def abstract_sockets(data: bytes) -> tuple[str, ...]:
    """The names (`@…`) of listening abstract sockets in a /proc/net/unix; programs on a computer reach these by adb."""
    found: dict[str, None] = {}
    for line in data.split(b"\n")[1:]:
        fields = line.split(None, 7)
        if len(fields) == 8 and fields[7].startswith(b"@") and len(found) < MAX_SOCKETS:
            found[fields[7].decode("utf-8", "replace").rstrip("@\0 ")] = None
    return tuple(found)
