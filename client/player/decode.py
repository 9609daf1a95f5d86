"""What FFmpeg makes of a file, in our own terms: pictures as three planes, sound as s16 samples, times in ms from zero.

Whatever the file holds, only `MediaError` comes out of here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import av
import av.error
import av.filter
from av.video.reformatter import Colorspace, VideoReformatter

from client.player.errors import MediaError
from client.player.geometry import fitted
from client.player.sound import RATE

MAX_SIDE = 4096
BROKEN_IN_A_ROW = 50  # packets; two seconds of nothing readable is a broken file, fewer are a scratch


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded picture, held without a copy: three planes of 8-bit 4:2:0, or one of RGBA at the screen's own size.

    Each row is `strides` bytes long.
    """

    at_ms: float
    until_ms: float
    width: int
    height: int
    planes: tuple[Any, ...]  # objects with the buffer protocol
    strides: tuple[int, ...]
    full_range: bool
    hd: bool  # BT.709 rather than BT.601

    @property
    def size(self) -> int:
        """Bytes held."""
        luma = self.strides[0] * self.height
        return luma if len(self.planes) == 1 else luma * 3 // 2


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What the file says of itself."""

    width: int
    height: int
    duration_ms: int
    picture: bool
    sound: bool
    zero_ms: float  # the file's own time of its beginning


class Voice:
    """Sound frames → s16 stereo 48 kHz, faster or slower at the same pitch; `zero_ms`: where the file begins."""

    def __init__(self, rate: int, zero_ms: float) -> None:
        self._rate, self._zero = rate, zero_ms
        self._at: float | None = None
        self._resampler = av.AudioResampler(format="s16", layout="stereo", rate=RATE)
        self._graph: Any = None

    def speak(self, frame: Any) -> Iterator[tuple[float, bytes]]:
        """The samples of one frame with the media ms of the first."""
        at_ms = float(frame.time or 0.0) * 1000 - self._zero
        if self._rate != 1000 and self._at is not None:
            at_ms = self._at  # the stretcher holds samples back: count what came out
        ready: Iterable[Any] = self._resampler.resample(frame) if self._rate == 1000 else self._stretch(frame)
        for out in ready:
            samples = bytes(out.planes[0])[: out.samples * 4]
            yield at_ms, samples
            at_ms += out.samples * self._rate / RATE
        self._at = at_ms

    def _stretch(self, frame: Any) -> Iterator[Any]:
        if self._graph is None:
            self._graph = av.filter.Graph()
            chain = [
                self._graph.add_abuffer(template=None, sample_rate=frame.sample_rate, format=frame.format.name,
                                        layout=frame.layout.name, time_base=frame.time_base),
                self._graph.add("atempo", str(self._rate / 1000)),
                self._graph.add("aformat", f"sample_fmts=s16:sample_rates={RATE}:channel_layouts=stereo"),
                self._graph.add("abuffersink"),
            ]  # fmt: skip
            self._graph.link_nodes(*chain).configure()
        self._graph.push(frame)
        while True:
            try:
                yield self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return


def describe(box: Any) -> MediaInfo:
    """What an open container holds, or `MediaError` when it is nothing to study."""
    video = box.streams.video[0] if box.streams.video else None
    sound = bool(box.streams.audio)
    if video is None and not sound:
        raise MediaError("neither picture nor sound")
    width, height = (video.codec_context.width, video.codec_context.height) if video else (0, 0)
    if video is not None and not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise MediaError(f"a picture of {width}x{height}")
    zero = float(box.start_time or 0) / 1000
    return MediaInfo(width, height, int((box.duration or 0) / 1000), video is not None, sound, zero)


def frames(box: Any, streams: list[Any]) -> Iterator[Any]:
    """All frames from here on; unreadable packets are passed over, too many in a row raise `MediaError`."""
    broken = 0
    for packet in box.demux(*streams):
        try:
            decoded = packet.decode()
        except av.error.EOFError:
            continue
        except (av.error.FFmpegError, ValueError) as e:
            broken += 1
            if broken > BROKEN_IN_A_ROW:
                at = float(packet.pts or 0) * float(packet.time_base or 0)
                raise MediaError(f"unreadable at {at:.1f} s: {e}") from e
            continue
        if decoded:
            broken = 0
        yield from decoded


class Sight:
    """Video frames → pictures; `zero_ms`: where the file begins."""

    def __init__(self, zero_ms: float) -> None:
        self._zero = zero_ms
        self._scaler = VideoReformatter()

    def ends_ms(self, frame: Any) -> float:
        """Until when a frame is to be seen; −1 when it has no time."""
        if frame.time is None:
            return -1.0
        long_ms = float((frame.duration or 0) * (frame.time_base or 0)) * 1000 or 40.0
        return float(frame.time) * 1000 - self._zero + long_ms

    def see(self, frame: Any, box: tuple[int, int] | None = None) -> Picture | None:
        """The picture as the screen wants it; None when it has no time.

        `box`: as RGBA, as large as fits into so many pixels. Without a GPU the decoder's own scaler makes that in a
        twentieth of the time in which a shader would.
        """
        if frame.time is None:
            return None
        at_ms, ends = float(frame.time) * 1000 - self._zero, self.ends_ms(frame)
        hd = int(frame.colorspace) == 1 or (int(frame.colorspace) == 2 and frame.height >= 720)
        full = frame.format.name == "yuvj420p" or int(frame.color_range) == 2
        if box is not None:
            frame = self._in_colours(frame, fitted(frame.width, frame.height, box), hd)
        elif frame.format.name not in ("yuv420p", "yuvj420p"):
            frame = self._scaler.reformat(frame, format="yuv420p")
        strides = tuple(plane.line_size for plane in frame.planes)
        return Picture(at_ms, ends, frame.width, frame.height, tuple(frame.planes), strides, full, hd)

    def _in_colours(self, frame: Any, size: tuple[int, int], hd: bool) -> Any:
        standard = Colorspace.ITU709 if hd else Colorspace.ITU601
        return self._scaler.reformat(
            frame, *size, format="rgba", src_colorspace=standard, interpolation="BILINEAR", threads=1
        )
