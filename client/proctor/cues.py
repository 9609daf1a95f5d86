"""What physics says of a face before a camera, beside the networks: the grid of a screen beats with that of the sensor.

Measured and left out: how far the five points are from an affine picture of one plane (people who sit still are as flat
as a print, to this detector), the same peaks in red against blue (they say nothing more), rolling bands (lamps at 50 Hz
make them, too). No cue looks at the colour of the face: the learner's skin is no evidence.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from client.proctor.face import Image
from client.proctor.seen import Face

Grid = NDArray[Any]

SIDE: Final = 128  # pixels of the patch, at the camera's own resolution: scaling would make beats of its own
LEAST: Final = 0.10  # cycles a pixel: below it lies the face itself
RINGS: Final = 32
AXIS: Final = 3  # bins beside the axes that are left out: there lie the blocks of JPEG and the edges of hair
PEAKS: Final = 8  # bins: a peak under the window is that wide, and there are two of it at most


def beat(bgr: Image, face: Face) -> float:
    """Log height of the sharpest peaks over their own ring of the spectrum: 2 to 3 for skin, 3 to 5 where grids beat.

    Skin, cloth and noise spread over a ring; the beat of two grids (moiré) stands in a few bins of it.
    """
    grey = cv2.cvtColor(_patch(bgr, face), cv2.COLOR_BGR2GRAY).astype(np.float32)
    packed = cv2.dft((grey - grey.mean()) * WINDOW, flags=cv2.DFT_COMPLEX_OUTPUT)[:, : SIDE // 2 + 1]
    power = (packed[..., 0] ** 2 + packed[..., 1] ** 2 + 1.0).ravel()
    mean = np.bincount(RING, power, RINGS + 1) / COUNT
    over = power / mean[RING]
    over[RING == 0] = 0
    return float(np.log(np.partition(over, -PEAKS)[-PEAKS:].mean()))


def noise(bgr: Image, face: Face) -> float:
    """Deviation of the sensor's noise on the face in grey levels, by what no plane of three by three pixels explains.

    0.2 to 0.8 in recorded clips and webcam pictures, 4 where a webcam of the dark has 6 (Immerkær 1996, the median).
    """
    grey = cv2.cvtColor(_patch(bgr, face), cv2.COLOR_BGR2GRAY)
    rest = cv2.filter2D(grey, cv2.CV_16S, ROUGH)[1:-1:3, 1:-1:3]
    return float(np.median(np.abs(rest))) / 6 / 0.6745


def _patch(bgr: Image, face: Face) -> Image:
    """`SIDE` pixels about the middle of the face, mirrored beyond a frame that is smaller."""
    height, width = bgr.shape[:2]
    left = min(max(0, round(face.x + face.w / 2) - SIDE // 2), max(0, width - SIDE))
    top = min(max(0, round(face.y + face.h / 2) - SIDE // 2), max(0, height - SIDE))
    cut = bgr[top : top + SIDE, left : left + SIDE]
    below, beside = SIDE - cut.shape[0], SIDE - cut.shape[1]
    return cut if not below and not beside else cv2.copyMakeBorder(cut, 0, below, 0, beside, cv2.BORDER_REFLECT)


def _rings() -> tuple[Grid, Grid]:
    """For every bin of the half spectrum its ring (0 = left out), and how many bins each ring has."""
    fy = np.abs(np.fft.fftfreq(SIDE))[:, None]
    fx = np.fft.rfftfreq(SIDE)[None, :]
    far = np.hypot(fx, fy)
    seen = (far >= LEAST) & (far < 0.5) & (fx * SIDE >= AXIS) & (fy * SIDE >= AXIS)
    ring = np.where(seen, 1 + np.floor((far - LEAST) / (0.5 - LEAST) * RINGS), 0).astype(np.int64).ravel()
    return ring, np.maximum(np.bincount(ring, minlength=RINGS + 1), 1)


ROUGH: Final = np.array([(1, -2, 1), (-2, 4, -2), (1, -2, 1)], np.float32)
WINDOW: Final = np.outer(np.hanning(SIDE), np.hanning(SIDE)).astype(np.float32)
RING, COUNT = _rings()
