"""The animated portrait of the demonstration: one still picture that turns and looks up when it is asked to.

The 478 landmarks of the portrait are rotated in three dimensions and the picture is warped after them, triangle by
triangle; two rings around the face and the frame's border hold the rest. The real models read it, and nothing is told
to them: a portrait that did not turn would fail the challenge. It is no person, and PAD says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from client.proctor.face import Detector, FrameError, Image, frame
from client.proctor.landmarks import Landmarks

Points = NDArray[Any]

OVAL: Final = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip  # the outline of MediaPipe's face mesh
RINGS: Final = ((1.25, 0.75), (1.8, 0.25))  # (how far out, how much of the outline's movement)
FACE_HEIGHT: Final = 170  # pixels of the portrait's face in the frame: as near as somebody at a laptop
SIZE: Final = (640, 480)
ASKED: Final = {"turn_left": (40.0, 0.0), "turn_right": (-40.0, 0.0), "look_up": (0.0, 24.0)}  # yaw, pitch in degrees
REACTION_MS: Final = 350  # nobody answers a prompt at once
SPEED: Final = 70.0  # degrees a second
STEP: Final = 1.0  # degrees between two pictures: each is drawn once and kept


@dataclass(frozen=True, slots=True)
class Mesh:
    """Source points in the frame (x, y), depth towards the camera, who moves them, and the triangles over them."""

    points: Points
    depth: Points
    share: Points
    triangles: NDArray[np.int32]
    centre: tuple[float, float]


class Puppet:
    """The portrait in the frame, and its pictures by pose."""

    def __init__(self, portrait: bytes, detector: Detector, landmarker: Landmarks) -> None:
        self._still = _framed(portrait, detector)
        found = detector.find(self._still)
        read = landmarker.read(self._still, found[0]) if found else None
        if read is None:
            raise FrameError("there is no face in the portrait")
        self._mesh = _mesh(read.points, self._still.shape[1], self._still.shape[0])
        self._drawn: dict[tuple[int, int], Image] = {}
        self._noise = np.random.default_rng(1)
        self._pose = [0.0, 0.0]
        self._gesture, self._asked_at, self._at = "", 0, 0

    def follow(self, gesture: str, t: int) -> None:
        """From `t` ms on (and a human reaction later) do `gesture`; anything unknown is rest."""
        if gesture != self._gesture:
            self._gesture, self._asked_at = gesture, t

    def picture(self, t: int) -> Image:
        """The frame at `t` ms: never twice the same, as no camera gives the same picture twice."""
        self._move(t)
        sway = (1.2 * math.sin(t / 1700), 0.8 * math.sin(t / 2300))
        drawn = self.at(self._pose[0] + sway[0], self._pose[1] + sway[1])
        noise = self._noise.normal(0, 2.0, (60, 80, 1)).astype(np.float32)
        grain = cv2.resize(noise, SIZE, interpolation=cv2.INTER_NEAREST)
        return cv2.convertScaleAbs(drawn.astype(np.float32) + grain[:, :, None])

    def at(self, yaw: float, pitch: float) -> Image:
        """The portrait turned by `yaw` (positive to the subject's own left) and `pitch` (positive up), in degrees."""
        key = (round(yaw / STEP), round(pitch / STEP))
        if key not in self._drawn:
            self._drawn[key] = _draw(self._still, self._mesh, key[0] * STEP, key[1] * STEP)
        return self._drawn[key]

    def _move(self, t: int) -> None:
        passed, self._at = min(100, t - self._at), t
        awake = t - self._asked_at >= REACTION_MS
        goal = ASKED.get(self._gesture, (0.0, 0.0)) if awake else None
        for i in (0, 1) if goal else ():
            step = SPEED * passed / 1000
            self._pose[i] += max(-step, min(step, goal[i] - self._pose[i])) if goal else 0.0


def _framed(portrait: bytes, detector: Detector) -> Image:
    """Cut the portrait to 4 : 3 so that its face is as large as at a desk."""
    raw = cv2.imdecode(np.frombuffer(portrait, np.uint8), cv2.IMREAD_COLOR)
    still = frame(raw)
    found = detector.find(still)
    if not found:
        raise FrameError("there is no face in the portrait")
    face, (width, height) = found[0], SIZE
    scale = FACE_HEIGHT / face.h
    centre = np.array([face.x + face.w / 2, face.y + face.h * 0.55])
    move = np.array([width / 2, height * 0.5]) - scale * centre
    matrix = np.array([[scale, 0, move[0]], [0, scale, move[1]]])
    return cv2.warpAffine(still, matrix, SIZE, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _mesh(landmarks: Points, width: int, height: int) -> Mesh:
    flat = landmarks[:, :2]
    depth = landmarks[:, 2].max() - landmarks[:, 2]  # 0 at the ears, grows towards the camera
    outline = np.array(OVAL)
    centre = flat[outline].mean(axis=0)
    parts, depths, shares = [flat], [depth], [np.ones(len(flat))]
    for out, share in RINGS:
        parts.append(centre + (flat[outline] - centre) * out)
        depths.append(depth[outline])
        shares.append(np.full(len(outline), share))
    xs, ys = np.linspace(0, width - 1, 9), np.linspace(0, height - 1, 7)
    border = np.array([(x, y) for x in xs for y in ys if x in (0, width - 1) or y in (0, height - 1)])
    points = np.concatenate([*parts, border])
    inside: NDArray[Any] = np.all((points > 0) & (points < (width - 1, height - 1)), axis=1)
    inside[-len(border) :] = True
    depth_all = np.concatenate([*depths, np.zeros(len(border))])[inside]
    share_all = np.concatenate([*shares, np.zeros(len(border))])[inside]
    return Mesh(points[inside], depth_all, share_all, _triangles(points[inside], width, height), tuple(centre))


def _triangles(points: Points, width: int, height: int) -> NDArray[np.int32]:
    """Delaunay triangles over the points, as indexes."""
    division = cv2.Subdiv2D((0, 0, width, height))
    names = {}
    for i, (x, y) in enumerate(points.astype(np.float32)):
        division.insert((float(x), float(y)))
        names[(float(x), float(y))] = i
    corners = np.asarray(division.getTriangleList()).reshape(-1, 3, 2)
    known = [[names.get((float(x), float(y)), -1) for x, y in corner] for corner in corners]
    return np.array([three for three in known if min(three) >= 0], np.int32)


def _turned(mesh: Mesh, yaw: float, pitch: float) -> tuple[Points, Points]:
    """Where the points lie, and how near, after the head has turned about the ears."""
    a, b = math.radians(yaw), math.radians(pitch)
    x, y = mesh.points[:, 0] - mesh.centre[0], mesh.points[:, 1] - mesh.centre[1]
    z = mesh.depth
    x1, z1 = x * math.cos(a) + z * math.sin(a), z * math.cos(a) - x * math.sin(a)
    y1, z2 = y * math.cos(b) - z1 * math.sin(b), z1 * math.cos(b) + y * math.sin(b)
    moved = mesh.points + np.stack([x1 - x, y1 - y], axis=1) * mesh.share[:, None]
    return moved, z2 * mesh.share


def _draw(still: Image, mesh: Mesh, yaw: float, pitch: float) -> Image:
    """Warp the still picture: for every pixel, which triangle covers it (nearest last), and where it came from."""
    target, near = _turned(mesh, yaw, pitch)
    height, width = still.shape[:2]
    order = np.argsort(near[mesh.triangles].mean(axis=1))
    owner = np.full((height, width), -1, np.int32)
    back = np.zeros((len(mesh.triangles), 2, 3))
    for i in order:
        corners = mesh.triangles[i]
        to, source = target[corners].astype(np.float32), mesh.points[corners].astype(np.float32)
        if _area(to) * _area(source) <= 0:  # turned away from the camera
            continue
        back[i] = cv2.getAffineTransform(to, source)
        cv2.fillConvexPoly(owner, np.round(to).astype(np.int32), int(i))
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    way = back[np.maximum(owner, 0)].astype(np.float32)
    from_x = np.where(owner >= 0, way[..., 0, 0] * xs + way[..., 0, 1] * ys + way[..., 0, 2], xs)
    from_y = np.where(owner >= 0, way[..., 1, 0] * xs + way[..., 1, 1] * ys + way[..., 1, 2], ys)
    return cv2.remap(
        still, from_x.astype(np.float32), from_y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def _area(corners: NDArray[np.float32]) -> float:
    (ax, ay), (bx, by), (cx, cy) = corners
    return float((bx - ax) * (cy - ay) - (cx - ax) * (by - ay))
