"""The ports of the client as a script plays them: a clock in the test's hand, a player that follows it, a proctor that
judges as told, an agent that beats, a window that is in front until the test says otherwise."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from client.errors import ClientError
from client.events import (
    AgentLost,
    Beat,
    CameraState,
    Judged,
    Look,
    MediaFault,
    Observation,
    Progress,
    Signal,
)
from client.ports import CheckRequest, UnitMedia
from client.sync.uploader import Uploader
from ledger.evidence import Sealed, Taken, seal

HASH = "ab" * 32
FRONT = Observation(focused=True, minimised=False, covered=0, source="scripted")


@dataclass
class FakeClock:
    """Both clocks of a machine, moved by hand; `wall` may be set apart to make it lie."""

    now: int = 50_000
    wall_ms: int = 1_795_000_000_000

    def mono(self) -> int:
        return self.now

    def wall(self) -> int:
        return self.wall_ms

    def advance(self, ms: int) -> None:
        self.now += ms
        self.wall_ms += ms


class ScriptedPlayer:
    """Moves with the clock while it is told to play. `stuck` makes it stall, `drift` run off the clock (per mille)."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.media: UnitMedia | None = None
        self.playing = False
        self.stuck = False
        self.drift = 1000
        self._place = 0.0
        self._shown = 0.0
        self._at = clock.now
        self.faults: deque[MediaFault] = deque()
        self.calls: list[str] = []

    def _go(self) -> None:
        passed, self._at = self.clock.now - self._at, self.clock.now
        if self.playing and not self.stuck and self.media:
            step = min(passed * self.drift / 1000, self.media.duration_ms - self._place)
            self._place += step
            self._shown += step / 40

    def sleep(self, ms: int) -> None:
        """The machine sleeps: the clock goes on, no picture moves."""
        self._go()
        self.clock.advance(ms)
        self._at = self.clock.now

    def load(self, media: UnitMedia, position_ms: int) -> None:
        self.calls.append(f"load {media.unit} {position_ms}")
        self.media, self._place, self._shown, self.playing, self._at = media, position_ms, 0, False, self.clock.now

    def play(self) -> None:
        self._go()
        self.calls.append("play")
        self.playing = True

    def pause(self) -> None:
        self._go()
        self.calls.append("pause")
        self.playing = False

    def seek(self, position_ms: int) -> None:
        self._go()
        self.calls.append(f"seek {position_ms}")
        self._place = position_ms

    def set_rate(self, rate: int) -> None:
        self.drift = rate

    def progress(self) -> Progress:
        self._go()
        assert self.media is not None
        ended = self._place >= self.media.duration_ms
        moving = self.playing and not self.stuck and not ended
        return Progress(self.media.unit, int(self._place), int(self._shown), moving, ended)

    def poll(self) -> Sequence[MediaFault]:
        news = list(self.faults)
        self.faults.clear()
        return news

    def close(self) -> None:
        self.calls.append("close")


@dataclass
class ScriptedWindow:
    """The foreground as the test says."""

    seen: Observation = FRONT

    def observe(self) -> Observation:
        return self.seen

    def lose(self) -> None:
        self.seen = replace(FRONT, focused=False)

    def back(self) -> None:
        self.seen = FRONT


class ScriptedProctor:
    """A camera with one face in it; each attempt ends after `takes` ms with the next of `verdicts` (passed if none)."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.faces = 1
        self.takes = 2_000
        self.verdicts: deque[tuple[str, str]] = deque()
        self.doubts: tuple[str, ...] = ()  # of every attempt that is not clear
        self.silent = False
        self.requests: list[CheckRequest] = []
        self._open: tuple[CheckRequest, int] | None = None
        self._photo: Sealed | None = None
        self.photos: list[bytes] = []  # every JPEG that was sealed
        self._news: deque[Signal] = deque()
        self._looked = -10_000
        self.starts = 0

    def start(self) -> None:
        self.starts += 1
        self._news.append(CameraState(True, "Scripted camera", "script", True))

    def unplug(self) -> None:
        self._news.append(CameraState(False, "Scripted camera", "script", True, "unplugged"))

    def say(self, signal: Signal) -> None:
        self._news.append(signal)

    def set_reference(self, template: bytes, follower: bytes = b"") -> None: ...

    def take_follower(self) -> bytes:
        return b""

    def enrol(self, gestures: Sequence[str], deadline_ms: int) -> None: ...

    def take_template(self) -> bytes:
        return b"template"

    def begin(self, request: CheckRequest) -> None:
        self.requests.append(request)
        self._open = (request, self.clock.now + self.takes)

    def cancel(self) -> None:
        self._open = None

    def poll(self) -> Sequence[Signal]:
        now = self.clock.now
        if not self.silent and now - self._looked >= 1_000:
            self._looked = now
            self._news.append(Look(now, self.faces, min(self.faces, 1), covered=False))
        if self._open and now >= self._open[1]:
            request, self._open = self._open[0], None
            result, reason = self.verdicts.popleft() if self.verdicts else ("passed", "ok")
            scores, models = {"match": 700, "match_min": 363}, {"sface": HASH}
            evidence = self._seal(request) if request.photo and result != "inconclusive" else {}
            said = (request.check, request.attempt, request.kind, result, reason, scores, models, evidence)
            self._news.append(Judged(*said, doubts=self.doubts if reason == "not_clear" else ()))
        news = list(self._news)
        self._news.clear()
        return news

    def _seal(self, request: CheckRequest) -> dict[str, str]:
        """A photo as the worker makes it: a JPEG that is nobody's, sealed for real."""
        assert request.photo is not None
        jpeg = b"\xff\xd8\xff\xe0\x00\x10JFIF" + secrets.token_bytes(9_000)
        self.photos.append(jpeg)
        mono = self.clock.now - request.photo.opened_at
        taken = Taken(request.check, request.attempt, request.nonce, mono, jpeg)
        self._photo = seal(taken, request.photo.origin, request.photo.recipients)
        return self._photo.named.to_json()

    def take_photo(self) -> Sealed | None:
        photo, self._photo = self._photo, None
        return photo

    def preview(self) -> tuple[int, int, bytes] | None:
        return None

    def models(self) -> Mapping[str, str]:
        return {"sface": HASH}

    def close(self) -> None: ...


class ScriptedAgent:
    """Beats every five seconds until it is killed; `start` brings it back."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.alive = False
        self.starts = self.rechecks = 0
        self._beat = 0
        self._at = -10_000
        self.news: deque[Any] = deque()
        self.told: list[object] = []

    def start(self) -> None:
        self.starts += 1
        self.alive, self._at = True, -10_000

    def kill(self) -> None:
        self.alive = False
        self.news.append(AgentLost("the pipe is closed"))

    def recheck(self) -> None:
        self.rechecks += 1

    def camera(self, name: str) -> None:
        self.told.append(name)

    def foreground(self, ours: bool) -> None:
        self.told.append(ours)

    def rules(self, sha256: str, path: Path, at_ms: int, installation: str) -> None:
        self.told.append((sha256, path, at_ms, installation))

    def poll(self) -> Sequence[Any]:
        now = self.clock.now
        if self.alive and now - self._at >= 5_000:
            self._at = now
            self._beat += 1
            self.news.append(Beat(self._beat, now, now, HASH, HASH, "none"))
        news = list(self.news)
        self.news.clear()
        return news

    def close(self) -> None:
        self.alive = False


@dataclass
class SteppedUploader:
    """`UploaderPort` without a thread: steps on the fake clock, as often as the uploader itself wants."""

    uploader: Uploader
    clock: FakeClock
    next_at: float = 0
    calls: list[str] = field(default_factory=list)

    def watch(self, sid: str) -> None:
        self.uploader.live = sid
        self.wake()

    def wake(self) -> None:
        if not self.uploader.failing:
            self.next_at = 0

    def hurry(self) -> None:
        self.next_at = 0

    def poll(self) -> Sequence[Signal]:
        for _ in range(200):
            if self.clock.now < self.next_at:
                break
            wait = self.uploader.step()
            self.next_at = self.clock.now + wait * 1000 if wait else 0
        return self.uploader.poll()

    def close(self) -> None: ...


def at_once(job: Callable[[], Any]) -> Future[Any]:
    """Slow work done at once."""
    future: Future[Any] = Future()
    try:
        future.set_result(job())
    except ClientError as error:
        future.set_exception(error)
    return future
