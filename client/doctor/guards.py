"""Whether the agent starts and answers here, and whether the installed files are the signed ones."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Final, Protocol

from agent import bundle, link
from agent.errors import AgentError, AgentStartError, ManifestError
from agent.messages import Beat
from client.doctor.found import Found

STEP_S: Final = 0.1
TRIES: Final = 3


class Link(Protocol):
    """What of `agent.link.AgentLink` is needed to see the agent live."""

    def start(self) -> None: ...
    def poll(self) -> list[link.LinkMessage]: ...
    def close(self) -> None: ...


def agent(
    pipe: Link | None = None, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> Found:
    """Start the agent and wait for its first beat, as a session would; then end it.

    A computer that is busy is no broken one: as long as the process lives, or begins anew, two more such times pass.
    """
    guard = link.AgentLink() if pipe is None else pipe
    began = clock()
    try:
        guard.start()
        while (waited := clock() - began) < TRIES * link.START_MS / 1000:
            for message in guard.poll():
                if isinstance(message, Beat):
                    facts = {"seconds": max(1, round(waited))}
                    late = waited > link.START_MS / 1000
                    return Found("agent", "slow", "warn", facts) if late else Found("agent", "good", facts=facts)
                if isinstance(message, link.Lost):
                    if not message.detail.startswith(link.SILENT):
                        return Found("agent", "silent", "fail", {"why": message.detail[:120]})
                    guard.start()
            sleep(STEP_S)
        return Found("agent", "silent", "fail", {"why": f"{round(waited)} s"})
    except AgentStartError as error:
        return Found("agent", "silent", "fail", {"why": error.code})
    finally:
        guard.close()


def files() -> Found:
    """The installed files, and what they load, against their signed list."""
    try:
        found = bundle.check()
    except AgentError as error:
        unsigned = not isinstance(error, ManifestError)
        return Found("files", "unsigned") if unsigned else Found("files", "changed", "fail", {"count": 1})
    if found.changed and (getattr(sys, "frozen", False) or not found.development):  # a checkout changes every day
        return Found("files", "changed", "fail", {"count": len(found.changed)})
    return Found("files", "development" if found.development else "good")
