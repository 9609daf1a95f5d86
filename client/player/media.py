"""A lesson's file, decoded in a thread of its own: pictures in a short queue, sound straight to the sink.

Whatever the file holds, only `MediaError` comes out of it. A seek is exact: pictures and samples before the asked
moment are decoded and dropped.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import av.error

from client.player.decode import MediaInfo, Picture, Sight, Voice, describe, frames
from client.player.errors import MediaError
from client.player.sound import BYTES_PER_MS, Sink
from client.player.vault import NO_KEYS, open_media

AHEAD = 12  # pictures decoded ahead: half a second
AHEAD_BYTES = 96 << 20  # where sound is short, pictures may pile up this far (one thread reads both)
ENOUGH_BYTES = 32 << 20  # large pictures are decoded less far ahead
SOUND_AHEAD_MS = 400.0
_EXACT_MS = 0.6  # Matroska counts in whole ms
UNREADABLE = (av.error.FFmpegError, OSError, ValueError, MemoryError, OverflowError)  # what a file may do to a reader
log = logging.getLogger(__name__)


class Reel:
    """One open file. All methods return at once; `take` gives the pictures in order."""

    def __init__(
        self,
        path: Path | None,
        sink: Sink,
        start_ms: int = 0,
        rate: int = 1000,
        box: tuple[int, int] | None = None,
        keys: Mapping[str, bytes] = NO_KEYS,
    ) -> None:
        """Begin to open and decode at `start_ms`; `info` and `fault` tell later how it went. `box` as `Sight.see`'s."""
        self.info: MediaInfo | None = None
        self.fault: MediaError | None = None
        self.box = box  # may change at any time
        self._path, self._sink, self._keys = path, sink, keys
        self._lock = threading.Condition()
        self._pictures: deque[Picture] = deque()
        self._held = 0
        self._sounds: deque[bytes] = deque()
        self._sound_end: float | None = None  # media ms after the last sample given to the sink
        self._target: float | None = float(start_ms)
        self._rate = rate
        self._finished = False
        self._closing = False
        self._sounding = False
        self._begun = False  # something was read: to go back to 0 is a seek, too
        self._last_end = float(start_ms)
        self._thread = threading.Thread(target=self._run, name="media", daemon=True)
        self._thread.start()

    # --- for the playback -------------------------------------------------------------------------------------------

    def seek(self, position_ms: float) -> None:
        """Go on at `position_ms`; everything decoded before is dropped at once."""
        with self._lock:
            self._target = self._last_end = position_ms
            self._forget()
            self._lock.notify()

    def set_rate(self, rate: int, position_ms: float) -> None:
        """Sound at another speed, same pitch; decoding begins again at `position_ms`."""
        with self._lock:
            self._rate = rate
        self.seek(position_ms)

    def take(self, position_ms: float) -> Picture | None:
        """The picture that is due at `position_ms`; None when the one shown stays. What came too late is dropped."""
        due: Picture | None = None
        with self._lock:
            while self._pictures and self._pictures[0].at_ms <= position_ms + _EXACT_MS:
                due = self._pictures.popleft()
                self._held -= due.size
            if due is not None:
                self._lock.notify()
        return due

    def next_ms(self) -> float | None:
        """When the picture after the one taken begins, if it is decoded already."""
        with self._lock:
            return self._pictures[0].at_ms if self._pictures else None

    def heard_ms(self) -> float | None:
        """The media position that is heard now, or None while the sound says nothing about it."""
        with self._lock:
            if self._sound_end is None or self._target is not None:
                return None
            queued = self._sink.queued_ms()
            if not queued:  # silence, or drained: nothing to follow
                return None
            return self._sound_end - queued * self._rate / 1000

    def given_ms(self) -> float:
        """Up to where the lesson was decoded and given out: nothing beyond it can have been played."""
        with self._lock:
            return self._last_end

    def deafen(self) -> None:
        """Go on without sound: the device takes none any more."""
        with self._lock:
            self._sounding = False
            self._sounds.clear()
            self._sound_end = None
            self._lock.notify()

    @property
    def ready(self) -> bool:
        """Whether a picture (or sound, where there is no picture) is there to go on with."""
        with self._lock:
            return self._target is None and (self._finished or bool(self._pictures) or self._only_sound_ready())

    @property
    def end_ms(self) -> float | None:
        """Where the last picture or sample ends, once everything was decoded and taken."""
        with self._lock:
            done = self._finished and self._target is None and not self._pictures and not self._sounds
            return self._last_end if done else None

    def close(self) -> None:
        """Stop the thread; the sink is the caller's."""
        with self._lock:
            self._closing = True
            self._forget()
            self._lock.notify()
        self._thread.join(timeout=5)

    # --- the thread -------------------------------------------------------------------------------------------------

    def _only_sound_ready(self) -> bool:
        return self._no_picture() and self._sound_end is not None

    def _no_picture(self) -> bool:
        return self.info is not None and not self.info.picture

    def _forget(self) -> None:
        self._pictures.clear()
        self._sounds.clear()
        self._held = 0
        self._sound_end = None
        self._finished = False
        self._sink.clear()

    def _run(self) -> None:
        name = self._path.name if self._path is not None else "live"
        try:
            self._read()
        except MediaError as e:
            self.fault = e
        except UNREADABLE as e:
            self.fault = MediaError(f"{name}: {getattr(e, 'strerror', None) or e}")
        except Exception as e:
            log.exception("decoder")
            self.fault = MediaError(f"{name}: {type(e).__name__}")

    def _read(self) -> None:
        assert self._path is not None
        with open_media(self._path, self._keys) as file, av.open(file, metadata_errors="replace") as box:
            self._decode_all(box)

    def _decode_all(self, box: Any) -> None:
        self.info = describe(box)
        audible = self._sink.queued_ms() is not None
        self._sounding = self.info.sound and (audible or not self.info.picture)
        streams = [box.streams.video[0]] if self.info.picture else []
        streams += [box.streams.audio[0]] if self._sounding else []
        while (target := self._await_target(box, streams[0])) is not None:
            if not self._begin(target):
                continue
            voice, sight = Voice(self._rate, self.info.zero_ms), Sight(self.info.zero_ms)
            for frame in frames(box, streams):
                if isinstance(frame, av.VideoFrame):
                    self._keep_picture(sight, frame, target)
                else:
                    for at_ms, samples in voice.speak(frame):
                        self._keep_sound(at_ms, samples, target)
                if not self._pace():
                    break
            else:
                with self._lock:
                    self._finished = self._target is None

    def _await_target(self, box: Any, stream: Any) -> float | None:
        """Wait for a place to decode from and go there (ms); None when it is time to stop."""
        while True:
            with self._lock:
                if self._closing:
                    return None
                if self._target is not None:
                    target = self._target
                    break
                self._feed()
                self._lock.wait(0.04 if self._sounds else 0.25)
        if target > 0 or self._begun:
            zero = self.info.zero_ms if self.info else 0.0
            box.seek(int((target + zero) / 1000 / stream.time_base), stream=stream, backward=True)
        self._begun = True
        return target

    def _begin(self, target: float) -> bool:
        """Decode from here; False where another place was asked for while the file went to this one."""
        with self._lock:
            if self._target != target:
                return False
            self._target = None
            self._finished = False
        return True

    def _keep_picture(self, sight: Sight, frame: Any, target: float) -> None:
        if sight.ends_ms(frame) <= target + _EXACT_MS or (picture := sight.see(frame, self.box)) is None:
            return
        with self._lock:
            if self._target is None:
                self._pictures.append(picture)
                self._held += picture.size
                self._last_end = max(self._last_end, picture.until_ms)

    def _keep_sound(self, at_ms: float, samples: bytes, target: float) -> None:
        early = target - at_ms
        if early > 0:
            samples = samples[int(early * BYTES_PER_MS * 1000 / self._rate) // 4 * 4 :]
        if not samples:
            return
        with self._lock:
            if self._target is None and self._sounding:
                if self._sound_end is None and not self._sounds:
                    self._sound_end = max(at_ms, target)
                self._sounds.append(samples)

    def _feed(self) -> None:
        """Give the sink what it needs next (the lock is held)."""
        while self._sounds and (self._sink.queued_ms() or 0.0) < SOUND_AHEAD_MS:
            samples = self._sounds.popleft()
            self._sink.write(samples)
            self._sound_end = (self._sound_end or 0.0) + len(samples) / BYTES_PER_MS * self._rate / 1000
            self._last_end = max(self._last_end, self._sound_end)

    def _pace(self) -> bool:
        """Wait until more is wanted; False when a seek or the end was asked for."""
        with self._lock:
            while not self._closing and self._target is None:
                self._feed()
                enough = len(self._pictures) >= AHEAD or self._held >= ENOUGH_BYTES or self._no_picture()
                short = self._sounding and not self._sounds and self._held < AHEAD_BYTES
                if not enough or short:
                    return True
                self._lock.wait(0.04)
            return False
