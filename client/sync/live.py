"""A live lesson's pieces, fetched beside the screen: the newest few, in memory alone, from our own server alone.

The playlist is asked for like every other answer of the server, with the token, the proxy and the authorities of the
settings; its names are numbers of that server or it is refused. No code of FFmpeg ever opens a connection.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from client.errors import BadAnswerError, ClientError, NetworkError, ServerRefusedError
from client.ports import Clock, Portion, Transport
from client.printed import printed
from client.sync.api import Api
from ledger import playlist as playlists
from ledger.course import Unit
from ledger.errors import LedgerError
from ledger.playlist import Part, Playlist

MAX_ANSWER: Final = 64 * 1024  # a minute in segments of a second is 8 KiB
MAX_PIECE: Final = 16 << 20
KEPT_BYTES: Final = 48 << 20  # of pieces that wait to be decoded; the oldest go first
FROM_EDGE: Final = 3  # RFC 8216, 6.3.3: no nearer to the end than three target durations
STALLED_MS: Final = 8_000  # nothing new for so long, or for three target durations, is said on the screen
TAIL_MS: Final = 60_000  # after the planned end nobody waits longer
RETRY_S: Final = 2.0
NOT_ON: Final = 404
_OWN: Final = re.compile(r"(?:0|[1-9][0-9]{0,15})\.(?:ts|m4s|mp4)", re.ASCII)
log = logging.getLogger(__name__)


class LiveFeed:
    """`LiveSource` of one live unit; its thread lives from the first `join` to `close`."""

    def __init__(self, api: Api, beside: Callable[[], Transport] | None, unit: Unit, clock: Clock) -> None:
        """`beside` makes the thread's own connection; None: `api`'s serves."""
        assert unit.live is not None
        self._api, self._beside, self._clock = api, beside, clock
        self.pace = 1.0  # of the waits between two questions
        self._unit, self._starts, self._length = unit.id, unit.live.starts_ms, unit.duration_ms
        self._lock = threading.Condition()
        self._sid = ""
        self._thread: threading.Thread | None = None
        self._closing = False
        self._joined = 0  # how often; 0: never
        self._wanted = False
        self._pieces: deque[Portion] = deque()
        self._from_ms = 0  # nothing that ends before it is fetched
        self._edge_ms = 0
        self._target_ms = 0
        self._over = False
        self._state = ""
        self._news_at = clock.mono()
        self._seen = False  # whether a picture came at all
        self._inits: dict[str, bytes] = {}

    def begin(self, sid: str) -> None:
        """From now on the pieces are asked for in this session's name."""
        with self._lock:
            self._sid, self._over = sid, False
            self._lock.notify_all()

    def close(self) -> None:
        """The lesson is left: the thread ends, what was fetched is forgotten."""
        with self._lock:
            self._closing, self._wanted = True, False
            self._pieces.clear()
            self._inits.clear()
            self._lock.notify_all()

    # --- LiveSource ---------------------------------------------------------------------------------------------------

    def join(self, from_ms: int) -> None:
        """Be at the live edge from now on; what was fetched for an earlier moment is forgotten."""
        with self._lock:
            self._joined += 1
            self._wanted, self._from_ms, self._state = True, from_ms, ""
            self._news_at = self._clock.mono()
            self._pieces.clear()
            if self._thread is None and not self._closing:
                self._thread = threading.Thread(target=self._run, name="live", daemon=True)
                self._thread.start()
            self._lock.notify_all()

    def leave(self) -> None:
        """Ask for nothing until somebody joins again."""
        with self._lock:
            self._wanted = False
            self._pieces.clear()

    def take(self, wait_s: float) -> Portion | None:
        """The next piece, or None after `wait_s` without one."""
        with self._lock:
            self._lock.wait_for(lambda: bool(self._pieces) or self._closing, wait_s)
            return self._pieces.popleft() if self._pieces else None

    @property
    def edge_ms(self) -> int:
        """The end of the newest piece that the server named."""
        return self._edge_ms

    @property
    def lag_ms(self) -> int:
        """What joining leaves behind the edge, and room for a slow line."""
        return (FROM_EDGE + 2) * self._target_ms + 10_000

    @property
    def ended(self) -> bool:
        """The lesson is over, and every piece of it was taken."""
        with self._lock:
            return (self._over and not self._pieces) or self._closing

    @property
    def state(self) -> str:
        """Why nothing comes, as a word of `LiveSource`."""
        return self._state

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        api = self._api.over(self._beside()) if self._beside is not None else self._api
        round_ = _Round()
        while (number := self._await()) is not None:
            if number != round_.number:
                round_ = _Round(number)
            self._rest(self._once(api, round_), number)

    def _await(self) -> int | None:
        """Until somebody wants a picture and there is a session: which joining it is; None when it is time to stop."""
        with self._lock:
            while not self._closing and not (self._wanted and self._sid and not self._over):
                self._lock.wait(1.0)
            return None if self._closing else self._joined

    def _rest(self, seconds: float, number: int) -> None:
        with self._lock:
            news = lambda: self._closing or not self._wanted or self._joined != number  # noqa: E731
            self._lock.wait_for(news, seconds * self.pace)

    def _once(self, api: Api, round_: _Round) -> float:
        """Ask once for what is new; how long to wait before the next time (RFC 8216, 6.3.4)."""
        try:
            playlist = self._playlist(api)
            news = self._fetch(api, playlist, round_)
        except NetworkError:
            self._stands("unreachable")
            return RETRY_S
        except ServerRefusedError as error:
            self._refused(error)
            return RETRY_S
        except ClientError as error:
            log.warning("live lesson: %s", printed(str(error)))
            self._stands("refused")
            return RETRY_S
        target = self._target_ms = playlist.target_ms
        self._judge(playlist, target)
        return target / 1000 * (0.5 if news else 0.4)

    def _playlist(self, api: Api) -> Playlist:
        data = api.raw("GET", f"{self._path}/index.m3u8").body
        if len(data) > MAX_ANSWER:
            raise BadAnswerError(f"a playlist of {len(data)} bytes")
        try:
            found = playlists.parse(data)
        except LedgerError as error:
            raise BadAnswerError(str(error)) from error
        for part in found.parts:
            for name in (part.name, part.init):
                if name and not _OWN.fullmatch(name):
                    raise BadAnswerError(f"a segment called {name[:40]!r}")
        return found

    @property
    def _path(self) -> str:
        return f"/v1/sessions/{self._sid}/live/{self._unit}"

    def _fetch(self, api: Api, playlist: Playlist, round_: _Round) -> bool:
        """Have every piece that is newer than the last one; the first of a round is near the live edge."""
        parts = [part for part in playlist.parts if part.ends_ms - self._starts > self._from_ms]
        if parts:
            self._edge_ms = parts[-1].ends_ms - self._starts
        if round_.until is None:
            edge = parts[-1].ends_ms if parts else 0
            parts = [part for part in parts if part is parts[-1] or edge - part.at_ms <= FROM_EDGE * playlist.target_ms]
        else:
            parts = [part for part in parts if part.at_ms >= round_.until - playlist.target_ms // 2]
        for part in parts:
            piece = self._piece(api, part, round_)
            if not self._keep(piece, round_.number):
                return False
            round_.until = part.ends_ms
        return bool(parts)

    def _piece(self, api: Api, part: Part, round_: _Round) -> Portion:
        if part.init and part.init not in self._inits:
            self._inits = {part.init: self._bytes(api, part.init)}
        gap = round_.until is not None and abs(part.at_ms - round_.until) > 1_000
        init = self._inits[part.init] if part.init else b""
        return Portion(part.at_ms - self._starts, part.duration_ms, self._bytes(api, part.name), init,
                       apart=part.apart or gap or round_.until is None)  # fmt: skip

    def _bytes(self, api: Api, name: str) -> bytes:
        data = api.raw("GET", f"{self._path}/{name}").body
        if len(data) > MAX_PIECE:
            raise BadAnswerError(f"a segment of {len(data)} bytes")
        return data

    def _keep(self, piece: Portion, number: int) -> bool:
        """Hand it to the player, unless it was asked for in a round that is over."""
        with self._lock:
            if number != self._joined or not self._wanted:
                return False
            self._pieces.append(piece)
            while sum(len(one.data) for one in self._pieces) > KEPT_BYTES and len(self._pieces) > 1:
                self._pieces.popleft()
                self._pieces[0] = replace(self._pieces[0], apart=True)
            self._state, self._seen, self._news_at = "", True, self._clock.mono()
            self._lock.notify_all()
            return True

    # --- words --------------------------------------------------------------------------------------------------------

    def _judge(self, playlist: Playlist, target_ms: int) -> None:
        """After an answer: the lesson may be over, or may have stopped growing."""
        if playlist.ended or self._edge_ms >= self._length:
            with self._lock:
                self._over = True
                self._lock.notify_all()
        elif self._clock.mono() - self._news_at > max(STALLED_MS, FROM_EDGE * target_ms):
            self._stands("stalled" if self._seen else "late")

    def _refused(self, error: ServerRefusedError) -> None:
        if error.status != NOT_ON:
            log.warning("live lesson: %s", printed(str(error)))
            self._stands("refused")
            return
        programme = self._clock.wall() - self._starts
        if programme > self._length + TAIL_MS:
            with self._lock:
                self._over = True
                self._lock.notify_all()
        self._stands("stalled" if self._seen else "waiting" if programme < 0 else "late")

    def _stands(self, why: str) -> None:
        with self._lock:
            self._state = why
            self._lock.notify_all()


class _Round:
    """From one joining to the next: up to where (epoch ms) pieces were handed out."""

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self.until: int | None = None
