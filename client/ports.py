"""Ports: what the session needs of the machine, and what a test may script instead.

The rooms `player`, `proctor` and `sync` implement these and never import one another; `client/app.py` (with a screen)
and the tests wire them. Every method returns at once: slow work lives behind the port, its news comes out of `poll`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from client.events import (
    AgentLost,
    AgentNote,
    Beat,
    FindingCleared,
    FoundByAgent,
    MediaFault,
    Observation,
    Order,
    Progress,
    Signal,
)

if TYPE_CHECKING:  # cryptography costs the detectors' process 12 MB and a tenth of a second at its start
    from ledger.evidence import Sealed


class Clock(Protocol):
    """Time of this machine; tests script it."""

    def mono(self) -> int:
        """Ms that never fall, counting suspend where the OS can (CLOCK_BOOTTIME)."""

    def wall(self) -> int:
        """Ms since the epoch, for people only."""


# --- player -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Portion:
    """A fetched piece of a live lesson: `data`, decoded after `init`, begins at programme time `at_ms`.

    `apart`: it does not go on from the one before.
    """

    at_ms: int
    duration_ms: int
    data: bytes = field(repr=False)
    init: bytes = field(default=b"", repr=False)
    apart: bool = False

    @property
    def ends_ms(self) -> int:
        """Where the next one begins."""
        return self.at_ms + self.duration_ms


class LiveSource(Protocol):
    """The newest pieces of one live lesson. All moments are programme time: ms since the planned start."""

    def join(self, from_ms: int) -> None:
        """Fetch from the live edge on, and nothing that ends before `from_ms`; what was fetched before is forgotten."""

    def leave(self) -> None:
        """Fetch nothing more until somebody joins again."""

    def take(self, wait_s: float) -> Portion | None:
        """The next piece, at the latest after `wait_s`; None when there is none yet. The player's thread calls it."""

    @property
    def edge_ms(self) -> int:
        """Up to where the lesson is there to be seen, as far as is known."""

    @property
    def lag_ms(self) -> int:
        """Further behind the edge than this, a picture is no live picture."""

    @property
    def ended(self) -> bool:
        """Whether nothing follows what was taken."""

    @property
    def state(self) -> str:
        """Why nothing comes: "" | waiting | late | stalled | unreachable | refused."""


@dataclass(frozen=True, slots=True)
class UnitMedia:
    """One lesson of the course as the player needs it. `live`: it has no file, its pieces come from there."""

    unit: str
    title: str
    path: Path
    duration_ms: int
    captions: Mapping[str, Path] = field(default_factory=dict)  # language tag → WebVTT
    # of an encrypted course: by name, memory only, there once the session is open
    keys: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    live: LiveSource | None = None


class PlayerPort(Protocol):
    """Picture and sound of one unit. Position and frames shown are its own: nothing outside can script them."""

    def load(self, media: UnitMedia, position_ms: int) -> None: ...
    def play(self) -> None: ...
    def pause(self) -> None: ...
    def seek(self, position_ms: int) -> None: ...
    def set_rate(self, rate: int) -> None:
        """Per mille of normal speed."""

    def progress(self) -> Progress: ...
    def poll(self) -> Sequence[MediaFault]: ...
    def close(self) -> None: ...


class ForegroundProbe(Protocol):
    """Who has the screen, by the OS's own word and the toolkit's."""

    def observe(self) -> Observation: ...


# --- proctor ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sealing:
    """To whom a photo of this session is sealed: its log's origin, evidence keys, the clock's mono ms at `opened`."""

    origin: str
    recipients: tuple[str, ...]
    opened_at: int


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """One attempt to be judged. `thresholds` are the policy's (per mille), by the names that `models.toml` uses.

    `photo`: one photo is taken and sealed so, None where none is wanted.
    """

    check: int | str
    attempt: int
    kind: str  # match | liveness
    gestures: Sequence[str]
    deadline_ms: int
    nonce: str
    pad: str  # "gate" | "record" | "absent"
    thresholds: Mapping[str, int] = field(default_factory=dict)
    photo: Sealing | None = None


class ProctorPort(Protocol):
    """The camera and the detectors in their own process.

    `poll` yields Look, Prompt, Judged, Enrolled, CameraState and ProctorRestarted.
    """

    def start(self) -> None:
        """Open the camera and load the models; news of both come out of `poll`."""

    def set_reference(self, template: bytes, follower: bytes = b"") -> None:
        """The learner's enrolled template (decrypted, in memory only), and what followed it since."""

    def take_follower(self) -> bytes:
        """What followed the template in this session, to be kept beside it; b"" where it did not move."""

    def enrol(self, gestures: Sequence[str], deadline_ms: int) -> None:
        """Begin an enrolment with a live challenge; after `Enrolled` came out of `poll`, `take_template` has it."""

    def take_template(self) -> bytes:
        """The template of the last passed enrolment, once."""

    def begin(self, request: CheckRequest) -> None: ...
    def take_photo(self) -> Sealed | None:
        """The sealed photo that the last `Judged` names, once; None where it names none."""

    def cancel(self) -> None: ...
    def poll(self) -> Sequence[Signal]: ...
    def preview(self) -> tuple[int, int, bytes] | None:
        """Latest camera picture, unmirrored: width, height, RGB24 bytes; None when there is none."""

    def models(self) -> Mapping[str, str]:
        """Name → sha256 of what is loaded."""

    def close(self) -> None: ...


# --- agent ------------------------------------------------------------------------------------------------------------

AgentSignal = Beat | FoundByAgent | FindingCleared | AgentLost | AgentNote


class AgentPort(Protocol):
    """The agent's pipe. `recheck` is the learner's "I closed it, check again"."""

    def start(self) -> None: ...
    def poll(self) -> Sequence[AgentSignal]: ...
    def recheck(self) -> None: ...
    def camera(self, name: str) -> None:
        """The camera in use, by the operating system's name for it."""

    def foreground(self, ours: bool) -> None:
        """Whether our window has the foreground: input that goes elsewhere is nobody's business."""

    def rules(self, sha256: str, path: Path, at_ms: int, installation: str) -> None:
        """Judge by the pack that the grant names (its file, the grant's time); `installation` as the class has it."""

    def close(self) -> None: ...


# --- sync -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Transport(Protocol):
    """One HTTP exchange with the supervision server; `NetworkError` when there was no answer at all."""

    def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply: ...


class SessionStore(Protocol):
    """The signed log of the running session on disk: events first, then the size, only then a signature."""

    def append(self, event_bytes: bytes) -> int:
        """Keep one event (its index is returned); durable by the next `cut`."""

    def cut(self) -> int:
        """End a segment: persist, sign the checkpoint, queue it for upload; the new size is returned."""

    def attach(self, photo: Sealed) -> None:
        """Keep the sealed photo that the event just appended names: durable with it, sent after it."""

    def room(self) -> bool:
        """Whether another photo may be taken: those that wait to be sent are bounded."""


class UploaderPort(Protocol):
    """Carries segments up in the background; `poll` yields SegmentAnswered and SyncState."""

    def watch(self, sid: str) -> None:
        """Tell the news of this session from now on."""

    def wake(self) -> None: ...
    def hurry(self) -> None:
        """Try now, also while it waits after a failure: somebody asked."""

    def poll(self) -> Sequence[Signal]: ...
    def close(self) -> None: ...


class SealPort(Protocol):
    """The OS key store (or a marked 0600 file): keeps small secrets of this device."""

    def put(self, name: str, secret: bytes) -> None: ...
    def get(self, name: str) -> bytes | None: ...
    def delete(self, name: str) -> None: ...


__all__ = [
    "AgentPort", "AgentSignal", "CheckRequest", "Clock", "ForegroundProbe", "LiveSource", "Order", "PlayerPort",
    "Portion", "ProctorPort", "Reply", "SealPort", "Sealing", "SessionStore", "Transport", "UnitMedia", "UploaderPort",
]  # fmt: skip
