"""What the session wants done, as values: `client/study.py` carries them out, in this order, and nothing else does."""

from __future__ import annotations

from dataclasses import dataclass

from client.events import Order, Sheet
from client.ports import CheckRequest
from ledger.events import Body


@dataclass(frozen=True, slots=True)
class Log:
    """Sign this event (with the next checkpoint). `mono` is ms since `opened`; `choice` is sealed into a `question`."""

    body: Body
    mono: int
    wall: int
    choice: int | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """End the segment: persist, sign, send. `offline`: the offline schedule may order a check at this point."""

    offline: bool = False


@dataclass(frozen=True, slots=True)
class Load:
    """Give the player this unit at this position."""

    unit: str
    position_ms: int


@dataclass(frozen=True, slots=True)
class Play:
    """Let the picture move."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Stop the picture at once."""


@dataclass(frozen=True, slots=True)
class Seek:
    """Go to a position that was seen before."""

    position_ms: int


@dataclass(frozen=True, slots=True)
class Rate:
    """Play at this rate from now on, per mille of normal speed; the policy allows it."""

    rate: int


@dataclass(frozen=True, slots=True)
class Begin:
    """Let the proctor judge one attempt."""

    request: CheckRequest


@dataclass(frozen=True, slots=True)
class Cancel:
    """The attempt is over for us; what the proctor still says about it is ignored."""


@dataclass(frozen=True, slots=True)
class Identify:
    """Ask the server where this attempt of an `identify` check stands, with the code if one was typed."""

    order: Order
    code: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Have a test marked by the server."""

    sheet: Sheet


@dataclass(frozen=True, slots=True)
class Recheck:
    """Ask the agent to look again: the learner closed what it named."""


@dataclass(frozen=True, slots=True)
class RestartAgent:
    """The agent is gone; start it again."""


@dataclass(frozen=True, slots=True)
class RestartCamera:
    """The camera is gone; open it again."""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The learner takes a consent back: have it signed by the device, kept, and sent."""

    what: str


Effect = (
    Log | Cut | Load | Play | Pause | Seek | Rate | Begin | Cancel | Identify | Mark | Recheck | RestartAgent
    | RestartCamera | Withdraw
)  # fmt: skip
