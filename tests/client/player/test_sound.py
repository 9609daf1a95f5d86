"""Sound: the chime before a check is soft and whole, and no machine without a sound card stands still."""

from __future__ import annotations

import array
import ctypes
from typing import Any

import pytest

from client.player import sound
from client.player.chime import LENGTH_S, Chime, samples
from client.player.sound import FRAME, RATE, SdlSink, Silence, open_sink, sdl_library


class Recorder(Silence):
    """A sink that counts."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def write(self, samples: bytes) -> None:
        self.calls.append(f"write {len(samples)}")

    def pause(self, paused: bool) -> None:
        self.calls.append(f"pause {paused}")

    def clear(self) -> None:
        self.calls.append("clear")


def test_the_chime_is_soft_begins_and_ends_in_silence() -> None:
    """Heard, never frightening: below half of full scale, no click at either end."""
    data = array.array("h", samples())
    assert len(data) == int(LENGTH_S * RATE) * 2
    loudest = max(map(abs, data))
    assert 3000 < loudest < 16_000
    assert abs(data[0]) < 50
    assert max(map(abs, data[-200:])) < loudest / 20


def test_the_chime_sounds_once_for_each_check() -> None:
    """Ten views a second with the same count play it once; a new session's lower count plays nothing."""
    recorder = Recorder()
    chime = Chime(lambda: recorder)
    for count in (0, 0, 1, 1, 1, 2, 0, 0):
        chime.follow(count)
    size = int(LENGTH_S * RATE) * FRAME
    assert recorder.calls == ["clear", f"write {size}", "pause False"] * 2


def test_without_a_sound_card_there_is_silence_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """No SDL at all: the lesson goes on by the machine's clock."""

    def none() -> ctypes.CDLL:
        raise OSError("no SDL 2 library")

    monkeypatch.setattr(sound, "sdl_library", none)
    monkeypatch.setenv("SDL_AUDIODRIVER", "dummy")
    sink = open_sink()
    assert isinstance(sink, Silence)
    assert sink.queued_ms() is None


def test_a_machine_without_a_card_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No device, no sound server: SDL is not even loaded, so that ALSA does not complain on the terminal."""
    for name in ("SDL_AUDIODRIVER", "PULSE_SERVER", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sound.Path, "exists", lambda _: False)
    monkeypatch.setattr(sound.sys, "platform", "linux")
    monkeypatch.setattr(sound, "sdl_library", lambda: pytest.fail("asked"))
    assert isinstance(open_sink(), Silence)


def test_sdls_own_device_drains_what_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dummy driver plays in real time: what is queued is heard, what is paused is kept, what is cleared is gone."""
    monkeypatch.setenv("SDL_AUDIODRIVER", "dummy")
    try:
        sink: Any = SdlSink(sdl_library())
    except OSError as e:
        pytest.skip(f"left out: SDL has no dummy driver here ({e})")
    sink.write(bytes(FRAME * RATE * 60))  # a minute: nobody stops this test for so long before it pauses
    assert 59_950 < sink.queued_ms() <= 60_000
    sink.pause(False)
    for _ in range(24_000):
        if sink.queued_ms() < 59_900:
            break
        sdl_library().SDL_Delay(5)
    assert sink.queued_ms() < 59_900
    sink.pause(True)
    kept = sink.queued_ms()
    assert kept > 0
    sink.clear()
    assert sink.queued_ms() == 0
    sink.close()
