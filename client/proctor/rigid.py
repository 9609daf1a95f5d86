"""Does this face move by itself, or only as one stiff thing? Lids, lips and cheeks against a print that is waved.

Whatever is stiff (a flat print, one bent round a head, a mask, a portrait that a program turns over a mesh) shows the
camera, from far enough, one affine picture of one shape in space, frame after frame. The shape is the mean of what the
landmarks saw; what no affine picture of it explains is the face's own movement. It needs no colour and no light of its
own; it says nothing against a film of somebody who moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Shape = NDArray[np.float32]

POINTS: Final = 468  # of the mesh; the irises' own points behind them jump in poor light
LEAST: Final = 12  # frames: a second of a challenge
MOST: Final = 600  # of a long one, spread over it
TOP: Final = 97  # percentile of the frames: a blink takes three of 36, and one frame may be the model's mistake
STIFF: Final = 0.022  # of the face's size: the model's own unrest on prints, masks and portraits stays below in 9 of 10
A_DEGREE: Final = 0.0006  # more for each degree of yaw: the model's depth is not quite the shape's
TURN: Final = 25.0  # degrees beyond which that grows no more


@dataclass(frozen=True, slots=True)
class Posed:
    """One look at a face: when (ms), its landmarks (a row a point: x, y in pixels, depth), yaw and pitch in degrees."""

    t: int
    shape: Shape = field(compare=False, repr=False)
    yaw: float
    pitch: float = 0.0


def own(posed: Sequence[Posed]) -> float | None:
    """Log of the face's own movement over what something stiff shows that turned as far: below 0 is stiff.

    None where there are too few looks to tell.
    """
    step = max(1, len(posed) // MOST)
    shapes = [one.shape for one in posed[::step]]
    kept = np.stack(shapes)[:, :POINTS].astype(np.float64) if len(posed) >= LEAST else None
    if kept is None or not np.isfinite(kept).all():
        return None
    yaws = [one.yaw for one in posed]
    turned = float(np.percentile(yaws, 95) - np.percentile(yaws, 5))
    rest = unexplained(kept)
    rest = (rest[:-2] + rest[1:-1] + rest[2:]) / 3
    moved = float(np.percentile(np.sqrt((rest**2).sum(axis=2).mean(axis=1)), TOP))
    return float(np.log(max(moved, 1e-4) / (STIFF + A_DEGREE * min(turned, TURN))))


def unexplained(shapes: NDArray[Any]) -> NDArray[Any]:
    """Of frames × points × (x, y, depth) the part of (x, y) that is no affine picture of their mean, in face sizes."""
    flat = shapes[:, :, :2] - shapes[:, :, :2].mean(axis=1, keepdims=True)
    size = np.maximum(np.sqrt((flat**2).sum(axis=2).mean(axis=1)), 1e-6)
    flat = flat / size[:, None, None]
    depth = (shapes[:, :, 2] - shapes[:, :, 2].mean(axis=1, keepdims=True)) / size[:, None]
    space = np.column_stack([flat.mean(axis=0), depth.mean(axis=0), np.ones(flat.shape[1])])
    base, _ = np.linalg.qr(space)
    return np.asarray(flat - base @ (base.T @ flat))
