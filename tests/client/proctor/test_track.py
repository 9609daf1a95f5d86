"""Between two detections a face is followed by its landmarks; the detector says again and again who is there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from client.proctor import track
from client.proctor.look import Eyes
from client.proctor.seen import Face
from client.proctor.track import DETECT_MS

FACE = Face(100, 80, 60, 80, ((115, 110), (145, 110), (130, 125), (118, 145), (142, 145)), 0.9)
OTHER = Face(300, 80, 50, 70, FACE.points, 0.8)


def landmarks(dx: float = 0, dy: float = 0, scale: float = 1) -> Any:
    """478 points over the face, moved and grown about its middle."""
    rng = np.random.default_rng(1)
    points = rng.uniform((100, 80, -5), (160, 160, 5), (478, 3))
    middle = np.array([130, 120, 0])
    return (points - middle) * scale + middle + (dx, dy, 0)


def test_a_face_that_stands_still_stays_where_the_detector_saw_it() -> None:
    """The landmarks lie elsewhere than the box; only their change counts."""
    moved = track.begin(0, (FACE,), landmarks()).moved(landmarks(), 40).face
    assert (moved.x, moved.y, moved.w, moved.h) == pytest.approx((FACE.x, FACE.y, FACE.w, FACE.h))
    assert np.allclose(moved.points, FACE.points)


def test_a_face_that_moves_and_comes_nearer_takes_its_box_along() -> None:
    """By the same way, and larger by the same part."""
    moved = track.begin(0, (FACE, OTHER), landmarks()).moved(landmarks(30, -10, 1.5), 40)
    assert (moved.face.w, moved.face.h) == pytest.approx((90, 120), rel=0.01)
    assert moved.face.x + moved.face.w / 2 == pytest.approx(160, abs=1)
    assert moved.face.y + moved.face.h / 2 == pytest.approx(110, abs=1)
    assert moved.others == (OTHER,)


def test_nothing_is_followed_for_longer_than_the_detector_rests() -> None:
    """However often it is moved on: only the detector makes a track anew. Nor does time run backwards."""
    now = track.begin(1_000, (FACE,), landmarks())
    for t in range(1_040, 1_000 + DETECT_MS, 40):
        assert now.fresh(t)
        now = now.moved(landmarks(), t)
    assert not now.fresh(1_000 + DETECT_MS)
    assert not now.fresh(now.last_at)
    assert not now.fresh(500)


def test_a_second_person_is_seen_by_the_next_detection(eyes: Eyes, picture: Any) -> None:
    """Somebody who comes in is counted after a quarter of a second at most, though one face is followed meanwhile."""
    two = picture("multi/obama_and_biden.jpg")
    alone = two.copy()
    first = eyes.look(two, 0, pose=True).faces[0]
    keep = alone[:, max(0, int(first.x - first.w)) : int(first.x + 2 * first.w)].copy()
    alone[:] = 128
    alone[:, max(0, int(first.x - first.w)) : int(first.x + 2 * first.w)] = keep
    assert len(eyes.look(alone, 10_000, pose=True).faces) == 1
    counts = [len(eyes.look(two, 10_000 + t, pose=True).faces) for t in range(50, 2 * DETECT_MS, 50)]
    assert counts[0] == 1
    assert min(i for i, count in enumerate(counts) if count > 1) * 50 <= DETECT_MS


def test_a_face_that_is_gone_is_not_followed(eyes: Eyes, picture: Any) -> None:
    """An empty room after a face: the landmarks find nothing, so the detector is asked in the same frame."""
    somebody, nobody = picture("identities/obama/obama.jpg"), picture("multi/nobody_background.jpg")
    assert eyes.look(somebody, 20_000, pose=True).faces
    assert eyes.look(nobody, 20_050, pose=True).faces == ()
