"""Sound out: s16 stereo 48 kHz queued to SDL's own audio device; silence with the same interface where there is none.

SDL is the one that Kivy ships, loaded by ctypes: a second audio library would fight it for the device.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib.util
import logging
import os
import sys
from pathlib import Path
from typing import Protocol

RATE = 48_000
FRAME = 4  # bytes: two channels of s16
BYTES_PER_MS = RATE * FRAME // 1000
_INIT_AUDIO = 0x10
_S16LE = 0x8010
log = logging.getLogger(__name__)


class Sink(Protocol):
    """Where samples go. `queued_ms` is what was written and not yet heard, None when nothing is ever heard."""

    def write(self, samples: bytes) -> None: ...
    def queued_ms(self) -> float | None: ...
    def pause(self, paused: bool) -> None: ...
    def clear(self) -> None: ...
    def close(self) -> None: ...


class Silence:
    """No sound device: the lesson goes on by the machine's clock, with captions."""

    def write(self, samples: bytes) -> None:
        """Nobody hears it."""

    def queued_ms(self) -> float | None:
        """Nothing to follow."""
        return None

    def pause(self, paused: bool) -> None:
        """Silence does not need to stop."""

    def clear(self) -> None:
        """Nothing is queued."""

    def close(self) -> None:
        """Nothing is held."""


class _AudioSpec(ctypes.Structure):
    """SDL_AudioSpec of SDL 2."""

    _fields_ = (
        ("freq", ctypes.c_int),
        ("format", ctypes.c_uint16),
        ("channels", ctypes.c_uint8),
        ("silence", ctypes.c_uint8),
        ("samples", ctypes.c_uint16),
        ("padding", ctypes.c_uint16),
        ("size", ctypes.c_uint32),
        ("callback", ctypes.c_void_p),
        ("userdata", ctypes.c_void_p),
    )


class SdlSink:
    """An open SDL audio device in queue mode; starts paused."""

    def __init__(self, sdl: ctypes.CDLL) -> None:
        """Open the default device, or raise OSError with SDL's own words."""
        sdl.SDL_GetError.restype = ctypes.c_char_p
        sdl.SDL_QueueAudio.argtypes = (ctypes.c_uint32, ctypes.c_char_p, ctypes.c_uint32)
        sdl.SDL_GetQueuedAudioSize.restype = ctypes.c_uint32
        if sdl.SDL_InitSubSystem(_INIT_AUDIO) != 0:
            raise OSError(sdl.SDL_GetError().decode(errors="replace"))
        want, have = _AudioSpec(RATE, _S16LE, 2, 0, 1024), _AudioSpec()
        self._device = sdl.SDL_OpenAudioDevice(None, 0, ctypes.byref(want), ctypes.byref(have), 0)
        if not self._device:
            raise OSError(sdl.SDL_GetError().decode(errors="replace"))
        self._sdl = sdl

    def write(self, samples: bytes) -> None:
        """Queue samples behind those not yet heard."""
        self._sdl.SDL_QueueAudio(self._device, samples, len(samples))

    def queued_ms(self) -> float | None:
        """What is still to be heard."""
        return float(self._sdl.SDL_GetQueuedAudioSize(self._device)) / BYTES_PER_MS

    def pause(self, paused: bool) -> None:
        """Hold the device; the queue stays."""
        self._sdl.SDL_PauseAudioDevice(self._device, int(paused))

    def clear(self) -> None:
        """Forget what was queued (after a seek)."""
        self._sdl.SDL_ClearQueuedAudio(self._device)

    def close(self) -> None:
        """Give the device back."""
        self._sdl.SDL_CloseAudioDevice(self._device)


def sdl_library() -> ctypes.CDLL:
    """The SDL 2 that Kivy itself loads, or the system's; OSError when there is none."""
    spec = importlib.util.find_spec("kivy")
    places: list[Path] = []
    if spec is not None and spec.origin:
        site = Path(spec.origin).parent.parent
        places = [*site.glob("Kivy.libs/libSDL2-2*"), Path(sys.prefix) / "share/sdl2/bin/SDL2.dll"]
    for place in places:
        if place.is_file():
            return ctypes.CDLL(str(place))
    found = ctypes.util.find_library("SDL2")
    if found is None:
        raise OSError("no SDL 2 library")
    return ctypes.CDLL(found)


def open_sink() -> Sink:
    """The default sound device, or `Silence` (with a line in the log) where there is none."""
    if _no_card():
        log.info("no sound card, the lesson is silent")
        return Silence()
    try:
        return SdlSink(sdl_library())
    except OSError as e:
        log.warning("no sound device, the lesson is silent: %s", e)
        return Silence()


def _no_card() -> bool:
    """Linux without any: asking ALSA all the same would fill the terminal with its complaints."""
    if not sys.platform.startswith("linux") or os.environ.get("SDL_AUDIODRIVER") or os.environ.get("PULSE_SERVER"):
        return False
    sockets = Path(os.environ.get("XDG_RUNTIME_DIR", "/run/nowhere"))
    return not any(p.exists() for p in (Path("/dev/snd"), sockets / "pulse/native", sockets / "pipewire-0"))
