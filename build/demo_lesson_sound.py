"""The sound of the demo lesson: a soft pad and a quiet bell at each step, computed, not recorded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

RATE = 48_000
CHORDS = (
    (261.63, 329.63, 392.0, 493.88),
    (220.0, 261.63, 329.63, 392.0),
    (174.61, 220.0, 261.63, 329.63),
    (196.0, 246.94, 293.66, 329.63),
)
BAR_S = 6.0
Samples = npt.NDArray[np.float64]


def _pad(t: Samples) -> Samples:
    """Overlapping chords, each tone a sine with a faint octave, slightly detuned against its twin."""
    out = np.zeros_like(t)
    for bar in range(int(np.ceil(t[-1] / BAR_S)) + 1):
        local = t - bar * BAR_S
        swell = np.clip((local + 1.0) / 2.0, 0, 1) * np.clip((BAR_S + 1.0 - local) / 2.0, 0, 1)
        swell = swell * swell * (3 - 2 * swell)
        for tone in CHORDS[bar % len(CHORDS)]:
            for detune in (0.9985, 1.0015):
                out += swell * (np.sin(2 * np.pi * tone * detune * t) + 0.18 * np.sin(4 * np.pi * tone * detune * t))
    return out * (0.9 + 0.1 * np.sin(2 * np.pi * 0.11 * t))


def _bell(t: Samples, start: float) -> Samples:
    """A bell that dies away in two seconds."""
    local = t - start
    ring = np.where(local >= 0, np.exp(-3.0 * np.clip(local, 0, None)), 0.0) * np.clip(local * 400, 0, 1)
    return ring * (
        np.sin(2 * np.pi * 1046.5 * local)
        + 0.4 * np.sin(2 * np.pi * 2093.0 * local)
        + 0.2 * np.sin(2 * np.pi * 3136.0 * local)
    )


def lesson_sound(duration_s: float, marks: Sequence[float]) -> npt.NDArray[np.int16]:
    """The whole sound as s16 mono; `marks` are the seconds at which a bell rings."""
    t: Samples = np.arange(int(duration_s * RATE)) / RATE
    out = 0.012 * _pad(t)
    for mark in marks:
        out += 0.05 * _bell(t, mark)
    out *= np.clip(t / 1.5, 0, 1) * np.clip((duration_s - t) / 2.0, 0, 1)
    return np.round(np.clip(out, -1, 1) * 32767).astype(np.int16)
