"""Signals: what the rooms of the client tell the session, as values. (What is *signed* is `ledger/events.py`.)

The player, the proctor, the agent's pipe and the sync room each report through these types; `client/session.py` turns
them into signed events and into effects. `mono` is ms on the machine's own boot clock everywhere in the client; the
session subtracts the moment of `opened`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# --- the player and the window ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Observation:
    """One look at the foreground. `None` means that this platform cannot tell: never guessed."""

    focused: bool | None
    minimised: bool | None
    covered: int | None  # per mille of our window under other windows
    locked: bool | None = None
    other_desktop: bool | None = None
    active_app: str | None = None  # who has the foreground, or covers us
    source: str = "unknown"  # e.g. "x11", "x11+sdl", "sdl"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the player stands: media position, frames really shown since the unit was loaded, and whether it moves."""

    unit: str
    position_ms: int
    shown: int
    playing: bool
    ended: bool
    rate: int = 1000  # per mille
    live: str = ""  # why the picture of a live unit stands: waiting | late | stalled | unreachable | refused


@dataclass(frozen=True, slots=True)
class MediaFault:
    """The picture or the sound cannot go on; `detail` is for the log."""

    detail: str


# --- the proctor ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Look:
    """One glance of presence, about once a second. `hint` is one of the quality words, or "" when all is well."""

    mono: int
    faces: int
    near: int  # faces near and turned to the screen
    covered: bool  # the lens is covered or the picture is black
    hint: str = ""  # "" | dark | bright | far | close | blurred | hidden | covered | nobody | several
    picture: str = ""  # "" | still (it does not change) | repeats (it comes round again, after `again_ms`)
    again_ms: int = 0
    fed: str = ""  # signs that a file is played in place of a camera (doubled | bars | same), for a person


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the learner is asked to do now, during a check or an enrolment; `gesture` is a word of the policy's list."""

    check: int | str
    gesture: str  # look | neutral | turn_left | turn_right | look_up | open_mouth | blink_twice | smile | hold
    step: int
    steps: int
    remaining_ms: int
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """An attempt is over. Scores and thresholds in per mille; `models` name → sha256.

    `evidence` names the sealed photo that was taken (as `ledger.evidence.Named`), empty without one. `doubts` name what
    spoke for a picture before the camera when a challenge was not passed (texture | surroundings | grid | stiff |
    no_gesture): a finding for a person, never a result.
    """

    check: int | str
    attempt: int
    kind: str  # match | liveness | attention | identify
    result: str  # passed | failed | inconclusive
    # ok | dark | far | blurred | covered | hidden | turned | camera_lost | still_picture | two_faces | nobody
    # | other_person | gesture | late | network …
    reason: str
    scores: Mapping[str, int] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A template was made: it stays on the device; `reference` is its sha256. Not passed → nothing was kept."""

    result: str
    reason: str
    reference: str  # sha256 hex of the template file's plain bytes, or "none"


@dataclass(frozen=True, slots=True)
class CameraState:
    """A camera was opened, or is gone. `name` and `backend` as the OS tells them; `scripted` marks the demo camera.

    `detail`: why there is none (missing | permission | busy | no_frames | …), or "virtual" of one that is there.
    """

    available: bool
    name: str
    backend: str
    scripted: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ProctorRestarted:
    """The detectors' process died and was started again; a running attempt is inconclusive, the lesson goes on."""

    detail: str


# --- the agent --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Beat:
    """The agent's heartbeat, field by field the ledger's `heartbeat`."""

    beat: int
    agent_mono: int
    uptime: int
    rules: str
    agent_hash: str
    manifest: str


@dataclass(frozen=True, slots=True)
class FoundByAgent:
    """A finding of the agent with the words for the screen. `cleared` later names the same `rule`."""

    rule: str
    version: int
    severity: str
    response: str  # inform | report | pause | block
    evidence: Mapping[str, str | int | bool | None]
    title_zh: str
    title_en: str
    remedy_zh: str
    remedy_en: str


@dataclass(frozen=True, slots=True)
class FindingCleared:
    """The cause of a pausing finding is gone."""

    rule: str


@dataclass(frozen=True, slots=True)
class AgentLost:
    """No beat for too long, a broken pipe, or a message that does not verify."""

    detail: str


@dataclass(frozen=True, slots=True)
class AgentNote:
    """Something about the agent itself, for the log (`fault`, what: agent): a source is unknown, or it slowed down."""

    detail: str


# --- the sync room ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Order:
    """A check ordered by the server (or by the offline schedule)."""

    i: int | str
    a: int
    nonce: str
    deadline_ms: int


@dataclass(frozen=True, slots=True)
class SegmentAnswered:
    """The server cosigned our checkpoint of `size`; `time_ms` is the cosignature's own time."""

    size: int
    line: str
    time_ms: int
    order: Order | None
    commands: tuple[str, ...]  # signed notes, verified
    seen: str


@dataclass(frozen=True, slots=True)
class SyncState:
    """How the records stand: everything below `cosigned` is receipted; `online` is the last word of the network."""

    online: bool
    cosigned: int
    pending: int  # events signed but not yet cosigned
    problem: str = ""  # code of the error that stopped the upload, if any
    settled: bool = False  # the session is over, and its seed is here: credit can be computed to the end


@dataclass(frozen=True, slots=True)
class Identified:
    """Where an `identify` attempt stands by the server's word; `digest` is the hash of the verified note."""

    check: int | str
    attempt: int
    state: str  # sent | waiting | wrong | identified | unreachable | refused
    method: str = ""  # code | room | call
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What was chosen so far in one attempt (from 1) at a unit's test: (item, choice from 0), in the items' order."""

    unit: str
    attempt: int
    chosen: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Marked:
    """The server's verified word on one attempt at a unit's test: so many `right` of `asked`; `needed` pass."""

    unit: str
    attempt: int
    state: str  # marked | unreachable | refused
    right: int = 0
    asked: int = 0
    needed: int = 0

    @property
    def passed(self) -> bool:
        """Whether the attempt reached the mark."""
        return self.state == "marked" and self.right >= self.needed


# --- the learner ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button of the lesson screen."""

    what: str  # play | rest | rate | end | recheck | ready | other_way | no_photos | test


@dataclass(frozen=True, slots=True)
class Replied:
    """The learner's answer to a question: which of the words (from 0), and the code that was typed."""

    choice: int
    code: str = ""


@dataclass(frozen=True, slots=True)
class SeekAsked:
    """The learner wants to go to `position_ms`; the session allows only what was seen."""

    position_ms: int


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed; sent about ten times a second, and whenever something else is."""

    mono: int
    wall: int


Signal = (
    Observation | Progress | MediaFault | Look | Prompt | Judged | Enrolled | CameraState | ProctorRestarted | Beat
    | FoundByAgent | FindingCleared | AgentLost | AgentNote | SegmentAnswered | SyncState | Identified | Marked
    | Pressed | Replied | SeekAsked | Tick
)  # fmt: skip
