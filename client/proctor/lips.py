"""Do the lips move by themselves, in a way that lasts from one look to the next? They never rest quite; paper does.

Beside `rigid.py`, which lets a blink count: eyes blink behind the holes of a mask, too, but its mouth is paper. Taken
away is what no movement of the lips' own explains: one affine picture of one shape in space (the head), and whatever
goes with the head's turn and nod (a portrait that a program bends, the landmarks' own error of a turned head). What is
left of something stiff is the landmarks' trembling, new in every look; what is left of lips goes on for some looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from client.proctor import rigid
from client.proctor.rigid import Posed

LIPS: Final = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409,
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415,
)  # fmt: skip  # the outer and the inner rim of the mouth in MediaPipe's face mesh
LIDS: Final = (
    33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246,
    263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466,
)  # fmt: skip  # left out where the head is looked for: a blink is no movement of it
EVERY_MS: Final = 55  # looks that are nearer are skipped: what a codec smooths over two frames would last, too
GAP_MS: Final = 110  # a longer one ends a row of looks
MIDDLE_MS: Final = 90  # between the looks of a row: at ten a second a word is over before the next look
WINDOW_MS: Final = 3_000  # judged at once; a longer row in parts
LEAST: Final = 24  # looks in a row
TREMBLE: Final = 0.22  # what stiff things reach by chance: masks and portraits up to 0.16, in squeezed files up to 0.23
FLOOR: Final = 0.01
HEAD: Final = np.setdiff1d(np.arange(rigid.POINTS), LIDS)
MOUTH: Final = np.searchsorted(HEAD, LIPS)  # where these stand among those


def lasting(posed: Sequence[Posed]) -> float | None:
    """Log of how much of the lips' own movement lasts, over what stiff things show by chance: below 0 they are still.

    None where there are too few looks in a row, or they are too far apart.
    """
    rows = _rows(posed)
    if not rows:
        return None
    found = float(np.average([_lasting(row) for row in rows], weights=[len(row) for row in rows]))
    return float(np.log(max(found, FLOOR) / TREMBLE)) if np.isfinite(found) else None


def _rows(posed: Sequence[Posed]) -> list[list[Posed]]:
    """Parts of `WINDOW_MS` at most whose looks follow one another."""
    rows: list[list[Posed]] = []
    for one in posed:
        row = rows[-1] if rows else None
        if row is None or one.t - row[-1].t > GAP_MS or one.t - row[0].t >= WINDOW_MS:
            rows.append([one])
        elif one.t - row[-1].t >= EVERY_MS:
            row.append(one)
    return [row for row in rows if len(row) >= LEAST and row[-1].t - row[0].t <= MIDDLE_MS * (len(row) - 1)]


def _lasting(row: Sequence[Posed]) -> float:
    """Half the log of the variance over that of a trembling with the same second differences: 0 where nothing lasts."""
    rest = rigid.unexplained(np.stack([one.shape for one in row])[:, HEAD].astype(np.float64))[:, MOUTH]
    flat = _beyond(rest.reshape(len(row), -1), [one.yaw for one in row], [one.pitch for one in row])
    trembles = ((flat[2:] - 2 * flat[1:-1] + flat[:-2]) ** 2).mean() / 6  # of white noise: its variance
    return float(np.log(max((flat**2).mean(), 1e-12) / max(trembles, 1e-12)) / 2)


def _beyond(flat: NDArray[Any], yaws: Sequence[float], pitches: Sequence[float]) -> NDArray[Any]:
    """What does not go with the head's turn and nod (least squares)."""
    turn = np.column_stack([np.ones(len(flat)), yaws, pitches])
    base, _ = np.linalg.qr(turn - np.r_[0, turn[:, 1:].mean(axis=0)])
    return np.asarray(flat - base @ (base.T @ flat))
