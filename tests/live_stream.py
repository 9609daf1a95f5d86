"""A real HLS stream in a test's hand: segments of a second made once by FFmpeg's own muxer, published as time passes.

Each picture tells its own second by its grey, so that a test can say which second was on the screen.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Final

import av
import numpy as np

from ledger import playlist
from ledger.playlist import Part, Playlist

SECONDS: Final = 60
FPS: Final = 10
STEP: Final = 4  # of grey a second: far more than an encoder rounds
SIZE: Final = (160, 96)


@cache
def made(folder: Path, kind: str, sound: bool = True, picture: bool = True) -> Playlist:
    """A minute of a stream in `folder`, `kind` "mpegts" or "fmp4", all of it listed."""
    folder.mkdir(parents=True, exist_ok=True)
    suffix = "ts" if kind == "mpegts" else "m4s"
    options = {"hls_time": "1", "hls_list_size": "0", "hls_flags": "program_date_time", "hls_segment_type": kind,
               "hls_segment_filename": str(folder / f"s%03d.{suffix}")}  # fmt: skip
    with av.open(str(folder / "index.m3u8"), "w", format="hls", options=options) as box:
        _encode(box, sound=sound, picture=picture)
    return playlist.parse((folder / "index.m3u8").read_bytes())


def _encode(box: av.container.OutputContainer, *, sound: bool, picture: bool) -> None:
    video = audio = None
    if picture:
        options = {"g": str(FPS), "keyint_min": str(FPS), "sc_threshold": "0", "preset": "ultrafast", "bf": "0"}
        video = box.add_stream("libx264", rate=FPS, options=options)
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
    if sound:
        audio = box.add_stream("aac", rate=48_000, layout="mono")
    for second in range(SECONDS):
        for number in range(FPS if video is not None else 0):
            planes = np.full((SIZE[1] * 3 // 2, SIZE[0]), 128, np.uint8)
            planes[: SIZE[1]] = grey(second)
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.time_base = second * FPS + number, Fraction(1, FPS)
            box.mux(video.encode(frame))
        if audio is not None:
            tone = (np.sin(np.arange(48_000) / 20) * 8_000).astype(np.int16)[None, :]
            heard = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
            heard.sample_rate, heard.pts, heard.time_base = 48_000, second * 48_000, Fraction(1, 48_000)
            box.mux(audio.encode(heard))
    for stream in (video, audio):
        if stream is not None:
            box.mux(stream.encode(None))


def grey(second: int) -> int:
    """The luma of a second's pictures."""
    return 16 + STEP * (second % 55)


def second_of(luma: int) -> int:
    """The second that a picture of this luma tells."""
    return round((luma - 16) / STEP)


class Encoder:
    """What an encoder leaves in a stream's folder at each moment: the newest `listed` seconds of a made stream."""

    def __init__(self, folder: Path, source: Path, begins: int, kind: str = "mpegts", listed: int = 12) -> None:
        """`begins`: the epoch ms of the stream's first picture."""
        self.folder, self.source, self.listed = folder, source, listed
        self.whole = made(source, kind)
        first = self.whole.parts[0].at_ms
        self.parts = tuple(replace(part, at_ms=part.at_ms - first + begins) for part in self.whole.parts)
        self.silent = False
        folder.mkdir(parents=True, exist_ok=True)
        for path in source.iterdir():
            if path.suffix != ".m3u8":
                shutil.copyfile(path, folder / path.name)

    def until(self, now: int) -> int:
        """Publish what is complete at `now`, unless `silent`; the end of the newest segment."""
        done = [part for part in self.parts if part.ends_ms <= now]
        if done and not self.silent:
            self.write(done[-self.listed :], len(done) - len(done[-self.listed :]))
        return done[-1].ends_ms if done else 0

    def write(self, parts: list[Part], sequence: int, *, ended: bool = False) -> None:
        """Exactly this playlist."""
        text = playlist.write(Playlist(self.whole.target_ms, sequence, tuple(parts), ended))
        part = self.folder / "index.m3u8.part"
        part.write_bytes(text)
        part.replace(self.folder / "index.m3u8")

    def end(self, now: int) -> None:
        """The encoder stops as it should: what is complete, and that nothing follows."""
        done = [part for part in self.parts if part.ends_ms <= now]
        self.write(done[-self.listed :], len(done) - len(done[-self.listed :]), ended=True)
