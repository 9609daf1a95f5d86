"""Whether the agent starts and answers here, and whether the installed files are the signed ones."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Final, Protocol

from agent import link, manifest
from agent.errors import AgentError, AgentStartError, ManifestError
from agent.messages import Beat
from client.doctor.found import Found

STEP_S: Final = 0.1


class Link(Protocol):
    """What of `agent.link.AgentLink` is needed to see the agent live."""

    def start(self) -> None: ...
    def poll(self) -> list[link.LinkMessage]: ...
    def close(self) -> None: ...


def agent(
    pipe: Link | None = None, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> Found:
    """Start the agent and wait for its first beat, as a session would; then end it."""
    guard = link.AgentLink() if pipe is None else pipe
    started = clock()
    try:
        guard.start()
        while clock() - started < link.START_MS / 1000:
            for message in guard.poll():
                if isinstance(message, Beat):
                    return Found("agent", "good", facts={"seconds": max(1, round(clock() - started))})
                if isinstance(message, link.Lost):
                    return Found("agent", "silent", "fail", {"why": message.detail[:120]})
            sleep(STEP_S)
        return Found("agent", "silent", "fail", {"why": "…"})
    except AgentStartError as error:
        return Found("agent", "silent", "fail", {"why": error.code})
    finally:
        guard.close()


def files() -> Found:
    """The installed files against their signed list."""
    try:
        found = manifest.check()
    except AgentError as error:
        unsigned = not isinstance(error, ManifestError)
        return Found("files", "unsigned") if unsigned else Found("files", "changed", "fail", {"count": 1})
    if found.changed and (getattr(sys, "frozen", False) or not found.development):  # a checkout changes every day
        return Found("files", "changed", "fail", {"count": len(found.changed)})
    return Found("files", "development" if found.development else "good")
