"""One media file as a reviewer needs it: picture, sound, length, and what it is made of.

A lesson that is cut, joined or packed anew without a new encoding keeps the bytes of its key pictures: their hashes
say what two files have in common. One that is encoded anew keeps what it looks like: small difference hashes of one
picture every few seconds say that. Whatever the file holds, only `ReviewError` comes out of `look`.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import av
import av.error

from client.player.errors import ReviewError

LOOK_EVERY_S: Final = 5.0
_HEAR_EVERY_S: Final = 10.0  # a second of sound out of ten
_RATE: Final = 8_000
_SILENT_DB: Final = -55.0
_UNREADABLE: Final = (av.error.FFmpegError, OSError, ValueError, MemoryError, OverflowError, IndexError)
_LEAST: Final = 200  # a packet of fewer bytes is a black or empty picture, of which every course has some


@dataclass(frozen=True, slots=True)
class Probe:
    """`loud_db`: of the louder half of the seconds that were heard, None without sound. `packets`: hashes of key
    pictures (or, of sound alone, of its packets); `looks`: difference hashes, one every few seconds."""

    length_ms: int
    video: str = ""
    height: int = 0
    rate_permille: int = 0
    audio: str = ""
    loud_db: float | None = None
    silent_permille: int = 0
    packets: frozenset[str] = field(default_factory=frozenset)
    looks: tuple[int, ...] = ()


def look(path: Path) -> Probe:
    """Read a whole file once; `ReviewError` for one that is no media."""
    try:
        with av.open(str(path)) as box:
            video = box.streams.video[0] if box.streams.video else None
            audio = box.streams.audio[0] if box.streams.audio else None
            if video is None and audio is None:
                raise ReviewError(f"{path.name}: neither picture nor sound")
            return _read(box, video, audio)
    except _UNREADABLE as error:
        raise ReviewError(f"{path.name}: cannot be read: {str(error)[:120]}") from error


def _read(box: Any, video: Any, audio: Any) -> Probe:
    packets: set[str] = set()
    sights, ears, end = _Sights(), _Ears(), 0.0
    for packet in box.demux([stream for stream in (video, audio) if stream is not None]):
        if packet.pts is None:
            continue
        begin = float(packet.pts * packet.time_base)
        end = max(end, begin + float((packet.duration or 0) * packet.time_base))
        if packet.stream is video:
            if packet.is_keyframe and packet.size >= _LEAST:
                packets.add(sha256(bytes(packet)).hexdigest()[:16])
            if packet.is_keyframe:
                sights.see(packet, begin)
        else:
            if video is None and packet.size >= _LEAST // 4:
                packets.add(sha256(bytes(packet)).hexdigest()[:16])
            ears.hear(packet, begin)
    rate = int(video.average_rate * 1000) if video is not None and video.average_rate else 0
    loud, silent = ears.judge()
    return Probe(
        round(end * 1000), video.codec_context.name if video is not None else "",
        video.codec_context.height if video is not None else 0, rate,
        audio.codec_context.name if audio is not None else "", loud, silent, frozenset(packets), tuple(sights.found),
    )  # fmt: skip


def _decoded(packet: Any) -> list[Any]:
    """The pictures or samples of a packet; none where it needs those before it, which were skipped."""
    try:
        return list(packet.decode())
    except av.error.InvalidDataError:
        return []


class _Sights:
    """A 64-bit difference hash of one key picture every few seconds."""

    def __init__(self) -> None:
        self.found: list[int] = []
        self._next = 0.0

    def see(self, packet: Any, at: float) -> None:
        if at < self._next:
            return
        for frame in _decoded(packet):
            self._next = at + LOOK_EVERY_S
            found = difference_hash(frame)
            if found is not None:
                self.found.append(found)
            return


def difference_hash(frame: Any) -> int | None:
    """64 bits: whether each of 8 × 8 places is brighter than its right neighbour; None of a picture with nothing on."""
    small = frame.reformat(width=9, height=8, format="gray")
    plane = small.planes[0]
    data, width = bytes(plane), plane.line_size
    rows = [data[line * width : line * width + 9] for line in range(8)]
    if max(map(max, rows)) - min(map(min, rows)) < 16:
        return None
    bits = [row[x] > row[x + 1] for row in rows for x in range(8)]
    return sum(bit << place for place, bit in enumerate(bits))


class _Ears:
    """How loud one second in ten is."""

    def __init__(self) -> None:
        self._resample = av.AudioResampler(format="s16", layout="mono", rate=_RATE)
        self._next = 0.0
        self._seconds: dict[int, list[float]] = {}

    def hear(self, packet: Any, at: float) -> None:
        if at < self._next:
            return
        if at >= self._next + 1.0:
            self._next = math.floor(at) + _HEAR_EVERY_S
        for frame in _decoded(packet):
            for part in self._resample.resample(frame):
                samples = array("h", bytes(part.planes[0])[: part.samples * 2])
                if samples:
                    power = sum(value * value for value in samples) / len(samples)
                    self._seconds.setdefault(int(at), []).append(power)

    def judge(self) -> tuple[float | None, int]:
        """dB of the louder half, and the share of silence in per mille."""
        powers = sorted(sum(found) / len(found) for found in self._seconds.values())
        if not powers:
            return None, 1000
        levels = [10 * math.log10(max(power, 1e-3) / 32768**2) for power in powers]
        louder = powers[len(powers) // 2 :]
        loud = 10 * math.log10(max(sum(louder) / len(louder), 1e-3) / 32768**2)
        return loud, sum(level < _SILENT_DB for level in levels) * 1000 // len(levels)
