"""A live stream's media playlist (RFC 8216): what lies where in programme time, and no name that leads elsewhere.

The server reads an encoder's playlist with it and the client the server's; both get plain file names or an error. Every
segment has its moment (EXT-X-PROGRAM-DATE-TIME, 4.3.2.6): without it nobody could say which minute of the lesson it is.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Final

from ledger.course import AGE, EPOCH, safe_name
from ledger.errors import FormatError

MAX_PLAYLIST: Final = 1 << 20  # a lesson of eight hours in segments of two seconds, kept whole by its encoder
MAX_PART_MS: Final = 30_000  # longer pieces are no live picture
_TAG: Final = re.compile(r"#(EXT[A-Z0-9-]*)(?::(.*))?")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)", re.ASCII)
_SECONDS: Final = re.compile(r"(\d{1,6})(?:\.(\d{1,9}))?", re.ASCII)
_MAP: Final = re.compile(r'URI="([^"]*)"')
_WHOLE: Final = re.compile(r"\d{1,15}", re.ASCII)
_SUFFIXES: Final = (".ts", ".m4s", ".mp4")
_REFUSED: Final = (  # what changes the meaning of the lines that we do read
    "EXT-X-BYTERANGE", "EXT-X-STREAM-INF", "EXT-X-MEDIA", "EXT-X-I-FRAMES-ONLY", "EXT-X-I-FRAME-STREAM-INF",
    "EXT-X-GAP", "EXT-X-DEFINE", "EXT-X-SKIP",
)  # fmt: skip


class PlaylistError(FormatError):
    """A live stream's playlist is malformed, has no programme time, or names a file outside its own folder."""

    code = "TS-L-086"
    remedy = (
        "Let the encoder write plain segments with their time beside index.m3u8 "
        "(ffmpeg: -f hls -hls_flags program_date_time+temp_file)."
    )
    zh = "直播流的播放列表不符合要求。请让编码器在 index.m3u8 旁输出带时间的普通分片（program_date_time）。"


@dataclass(frozen=True, slots=True)
class Part:
    """One segment: the file `name`, whose first picture belongs to `at_ms` (epoch).

    `init` is the file to be read before it ("" for MPEG-TS); `apart`: it does not go on from the one before.
    """

    name: str
    at_ms: int
    duration_ms: int
    init: str = ""
    apart: bool = False

    @property
    def ends_ms(self) -> int:
        """When the next one begins."""
        return self.at_ms + self.duration_ms


@dataclass(frozen=True, slots=True)
class Playlist:
    """The segments that are to be had now, the oldest first; `sequence` numbers the first. `ended`: no more follow."""

    target_ms: int
    sequence: int
    parts: tuple[Part, ...]
    ended: bool


def parse(data: bytes) -> Playlist:
    """The playlist that the bytes of an .m3u8 state, or `PlaylistError` naming the line."""
    if len(data) > MAX_PLAYLIST:
        raise PlaylistError(f"a playlist of {len(data)} bytes, more than {MAX_PLAYLIST}")
    try:
        lines = data.decode().replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError as error:
        raise PlaylistError("a playlist that is no UTF-8") from error
    if lines[0] != "#EXTM3U":
        raise PlaylistError("a playlist begins with #EXTM3U")
    reader = _Reader()
    for number, line in enumerate(lines[1:], 2):
        try:
            reader.take(line)
        except ValueError as error:  # PlaylistError is none: it is a FormatError of ours
            raise PlaylistError(f"line {number}: {str(error)[:120]}") from error
    return reader.found()


def write(playlist: Playlist) -> bytes:
    """The bytes that `parse` reads back to the same value."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{-(-playlist.target_ms // 1000)}"]
    lines.append(f"#EXT-X-MEDIA-SEQUENCE:{playlist.sequence}")
    init = ""
    for part in playlist.parts:
        lines += ["#EXT-X-DISCONTINUITY"] if part.apart else []
        if part.init != init:
            init = part.init
            lines.append(f'#EXT-X-MAP:URI="{init}"')
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{_moment(part.at_ms)}")
        lines += [f"#EXTINF:{part.duration_ms // 1000}.{part.duration_ms % 1000:03},", part.name]
    lines += ["#EXT-X-ENDLIST"] if playlist.ended else []
    return "".join(line + "\n" for line in lines).encode()


class _Reader:
    """Takes one line after another; ValueError says what is wrong with it."""

    def __init__(self) -> None:
        self._target: int | None = None
        self._sequence = 0
        self._parts: list[Part] = []
        self._ended = False
        self._init = ""
        self._at: int | None = None
        self._long: int | None = None
        self._apart = False

    def take(self, line: str) -> None:
        """One line: empty, a comment, a tag or a name."""
        if not line or (line.startswith("#") and not line.startswith("#EXT")):
            return
        if not line.startswith("#"):
            self._part(line)
            return
        tag = _TAG.fullmatch(line)
        if tag is None:
            raise ValueError("no tag")
        name, value = tag[1], tag[2] or ""
        if name in _REFUSED or (name == "EXT-X-KEY" and value != "METHOD=NONE"):
            raise ValueError(f"{name} is not for a live lesson")
        self._tag(name, value)

    def _tag(self, name: str, value: str) -> None:
        match name:
            case "EXT-X-TARGETDURATION":
                self._target = 1000 * _whole(value)
                if not 0 < self._target <= MAX_PART_MS:
                    raise ValueError(f"segments of {value[:20]} s")
            case "EXT-X-MEDIA-SEQUENCE" if not self._parts:
                self._sequence = _whole(value)
            case "EXTINF":
                self._long = _ms(value.partition(",")[0])
            case "EXT-X-PROGRAM-DATE-TIME":
                self._at = _epoch(value)
            case "EXT-X-DISCONTINUITY":
                self._apart, self._at = True, None
            case "EXT-X-MAP":
                found = _MAP.fullmatch(value)
                if found is None:
                    raise ValueError("EXT-X-MAP names one whole file")
                self._init = _file(found[1])
            case "EXT-X-ENDLIST":
                self._ended = True
            case _:
                pass  # RFC 8216, 6.3.1: what is not known is passed over

    def _part(self, line: str) -> None:
        name, long, at = _file(line), self._long, self._at
        if long is None or at is None:
            raise ValueError(f"{name} without {'EXTINF' if long is None else 'EXT-X-PROGRAM-DATE-TIME'}")
        if name.endswith(".ts") == bool(self._init):
            raise ValueError(f"{name} {'needs' if not self._init else 'has'} an EXT-X-MAP")
        self._parts.append(Part(name, at, long, self._init, self._apart and bool(self._parts)))
        self._at, self._long, self._apart = at + long, None, False

    def found(self) -> Playlist:
        """The whole playlist, once every line was taken."""
        if self._target is None:
            raise PlaylistError("a playlist without EXT-X-TARGETDURATION")
        return Playlist(self._target, self._sequence, tuple(self._parts), self._ended)


def _file(text: str) -> str:
    try:
        name = safe_name(text)
    except FormatError:
        raise ValueError(f"{text[:80]!r} is no plain file name") from None
    if not name.endswith(_SUFFIXES):
        raise ValueError(f"{name!r} is no .ts, .m4s or .mp4")
    return name


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no whole number")
    return int(text)


def _ms(text: str) -> int:
    found = _SECONDS.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is no duration")
    long = int(found[1]) * 1000 + round(int((found[2] or "0").ljust(9, "0")) / 1_000_000)
    if not 0 < long <= MAX_PART_MS:
        raise ValueError(f"a segment of {text[:40]} s")
    return long


def _epoch(text: str) -> int:
    if not _MOMENT.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no moment with its offset")
    since = datetime.datetime.fromisoformat(text) - EPOCH
    if not AGE[0] <= since.total_seconds() < AGE[1]:
        raise ValueError(f"{text[:40]!r} is no moment of a lesson")
    return round(since / datetime.timedelta(milliseconds=1))


def _moment(ms: int) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.UTC):%Y-%m-%dT%H:%M:%S}.{rest:03}Z"
