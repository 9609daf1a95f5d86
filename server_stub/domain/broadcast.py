"""Live lessons: what an encoder left in a stream's folder, for the learner of an open session and nobody else.

The encoder's playlist is read as something hostile and written anew: only the newest minute of the lesson's own time,
each segment under its number. A learner never names a file, and who comes late cannot fetch what is past.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from ledger import playlist as playlists
from ledger.course import Live, Unit
from ledger.errors import LedgerError
from ledger.playlist import MAX_PLAYLIST, Part, Playlist
from server_stub.domain.content import OpenSessions
from server_stub.domain.errors import NotThereError, ServerError
from server_stub.domain.live_errors import BrokenStreamError, NotOnError
from server_stub.domain.people import Account
from server_stub.domain.signin import Clock

INDEX: Final = "index.m3u8"
KEPT_MS: Final = 60_000  # of the lesson that can be fetched: enough for a stall, too little to study afterwards
LATE_MS: Final = 30_000  # a segment that was listed can still be fetched for so long
AHEAD_MS: Final = 30_000  # an encoder whose clock is further ahead has a wrong one
MAX_SEGMENT_BYTES: Final = 16 << 20  # 30 s at 4 Mbit/s
_NAME: Final = re.compile(r"(0|[1-9][0-9]{0,15})\.(ts|m4s|mp4)", re.ASCII)


class Folders(Protocol):
    """Where encoders write."""

    def read(self, stream: str, name: str, limit: int) -> bytes:
        """A plain file of a stream; `NotThereError` or `TooLargeError`."""


@dataclass(frozen=True, slots=True)
class Airing:
    """A live unit of a class: when it is planned, and whether its picture comes now (`on`, or why not)."""

    unit: Unit
    starts_ms: int
    ends_ms: int
    on: bool
    fault: str = ""  # a refusal's code, where somebody has to look at the encoder


class Broadcasts:
    """Serves live units and tells the staff which are on."""

    def __init__(self, sessions: OpenSessions, folders: Folders, clock: Clock) -> None:
        self._sessions, self._folders, self._clock = sessions, folders, clock

    def playlist(self, account: Account, sid: str, unit: str) -> bytes:
        """The unit's playlist as it is now. `UnknownSessionError`, `SessionOverError` as for content keys;
        `NotThereError` for a unit that is not live, `NotOnError` while nothing comes, `BrokenStreamError`."""
        found, live = self._unit(account, sid, unit)
        return playlists.write(_numbered(self._newest(live, found.duration_ms)))

    def part(self, account: Account, sid: str, unit: str, name: str) -> bytes:
        """The segment (`<number>.ts`, `.m4s`) or its initialisation (`<number>.mp4`) of that playlist."""
        found, live = self._unit(account, sid, unit)
        asked = _NAME.fullmatch(name)
        newest = self._newest(live, found.duration_ms, KEPT_MS + LATE_MS)
        index = int(asked[1]) - newest.sequence if asked else -1
        if asked is None or not 0 <= index < len(newest.parts):
            raise NotThereError("the live lesson has no such segment (any more)")
        part = newest.parts[index]
        file = part.init if asked[2] == "mp4" else part.name
        if not file or (asked[2] != "mp4" and asked[2] != _kind(part)):
            raise NotThereError("the live lesson has no such segment")
        return self._folders.read(live.stream, file, MAX_SEGMENT_BYTES)

    def airings(self, units: Sequence[Unit]) -> tuple[Airing, ...]:
        """The live ones among these units, for the staff."""
        return tuple(self._airing(unit, unit.live) for unit in units if unit.live is not None)

    def _airing(self, unit: Unit, live: Live) -> Airing:
        on, fault = False, ""
        try:
            on = not self._newest(live, unit.duration_ms).ended
        except NotOnError:
            pass
        except ServerError as error:
            fault = error.code
        return Airing(unit, live.starts_ms, live.starts_ms + unit.duration_ms, on, fault)

    def _unit(self, account: Account, sid: str, name: str) -> tuple[Unit, Live]:
        course = self._sessions.course(account, sid)
        unit = next((unit for unit in course.units if unit.id == name), None)
        if unit is None or unit.live is None:
            raise NotThereError("the course of this session has no such live unit")
        return unit, unit.live

    def _newest(self, live: Live, duration_ms: int, kept_ms: int = KEPT_MS) -> Playlist:
        """What of the stream is the lesson's and new, the oldest first, numbered as the encoder numbers."""
        try:
            whole = playlists.parse(self._folders.read(live.stream, INDEX, MAX_PLAYLIST))
        except NotThereError as error:
            raise NotOnError("no picture yet", {"starts": live.starts_ms}) from error
        except LedgerError as error:
            raise BrokenStreamError(f"{live.stream}: {error}") from error
        now = self._clock()
        if whole.parts and whole.parts[-1].at_ms > now + AHEAD_MS:
            raise BrokenStreamError(f"{live.stream}: the encoder's clock is ahead of the server's")
        last, ends = whole.parts[-1].ends_ms if whole.parts else 0, live.starts_ms + duration_ms
        new = [
            (number, part) for number, part in enumerate(whole.parts, whole.sequence)
            if part.ends_ms > max(live.starts_ms, now - kept_ms) and part.at_ms < ends
        ]  # fmt: skip
        ended = last >= ends or (whole.ended and last > live.starts_ms)  # what was streamed before is another lesson
        if not new and not ended:
            raise NotOnError("no picture now", {"starts": live.starts_ms})
        first = new[0][0] if new else whole.sequence + len(whole.parts)
        return Playlist(whole.target_ms, first, tuple(part for _, part in new), ended)


def _kind(part: Part) -> str:
    return "m4s" if part.init else "ts"


def _numbered(playlist: Playlist) -> Playlist:
    """The same with every file under a number: nothing of what the encoder wrote as a name is passed on."""
    parts: list[Part] = []
    init, named = "", ""
    for number, part in enumerate(playlist.parts, playlist.sequence):
        if part.init != init:
            init, named = part.init, f"{number}.mp4" if part.init else ""
        apart = part.apart and bool(parts)
        parts.append(replace(part, name=f"{number}.{_kind(part)}", init=named, apart=apart))
    return replace(playlist, parts=tuple(parts))
