"""The phone's eyes: everything that a check asks for, by OpenCV alone, where mediapipe cannot even be imported."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from client.manifest import Manifest, WrongModelError
from client.proctor import counting, models, task
from client.proctor.dnn_landmarks import DnnLandmarker, rotation, upright_square
from client.proctor.face import frame
from client.proctor.limits import limits
from client.proctor.look import Eyes
from client.proctor.models import Model
from client.proctor.seen import Face, Seen
from tests.client.proctor.test_worker import Window

ROOT = Path(__file__).resolve().parents[3]
FLIP = np.diag([1.0, -1.0, -1.0])


@pytest.fixture
def no_mediapipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder before all others in which mediapipe refuses to be imported; the worker gets this path, too."""
    (tmp_path / "mediapipe.py").write_text("raise ImportError('blocked for this test')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def phone(listed: Manifest, model_folder: Path) -> Iterator[Eyes]:
    """The models with the second engine."""
    loaded = Eyes(models.load_set(listed, model_folder), "dnn")
    yield loaded
    loaded.close()


@pytest.mark.slow
def test_an_enrolment_and_a_challenge_pass_without_mediapipe(
    no_mediapipe: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way in the real process, template, match and challenge; the signed figures name the engine."""
    monkeypatch.setattr(Window, "engine", "dnn")
    window = Window("puppet", model_folder)
    try:
        window.enrol()
        judged = window.obeyed("turn_left", "look_up")
        assert (judged.result, judged.reason) == ("passed", "ok"), judged
        assert judged.scores["dnn"] == judged.scores["opencv"]
        assert "mediapipe" not in judged.scores
    finally:
        window.proctor.close()


def test_the_block_is_a_block(no_mediapipe: Path) -> None:
    """Whoever imports it there gets an ImportError: the test above cannot have used it."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(no_mediapipe)!r}); import mediapipe"],
        check=False, capture_output=True, cwd=ROOT,
    )  # fmt: skip
    assert b"blocked for this test" in done.stderr


def watched(phone: Eyes, pack: Path, name: str) -> list[Seen]:
    """What is seen in every second frame of a clip of the pack."""
    clip = cv2.VideoCapture(str(pack / "videos" / name))
    rate, seen = (clip.get(cv2.CAP_PROP_FPS) or 25) / 2, []
    there, bgr = clip.read()
    while there:
        seen.append(phone.look(frame(bgr), round(len(seen) * 1000 / rate), pose=True))
        clip.grab()
        there, bgr = clip.read()
    clip.release()
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lp_d18.mp4", "bloom_orlando_bloom.avi", "nobody_room.mp4"])
def test_what_the_labels_say_is_found_with_its_own_thresholds(phone: Eyes, faces: Path, name: str) -> None:
    """Blink, mouth and both turns where they are labelled; nobody in the empty room. (All clips: bench_proctor.)"""
    label: dict[str, Any] = json.loads((faces / "videos.json").read_text())[name]
    now, seen = limits(models.manifest.load(), engine="dnn"), watched(phone, faces, name)
    left, right = counting.turned(one.pose.yaw for one in seen if one.pose is not None)
    found = {
        "blink": counting.blinks_in(seen, now) > 0,
        "mouth": counting.mouth_opens_in(seen, now) > 0,
        "turn_left": left >= now.turn,
        "turn_right": right >= now.turn,
        "nobody": not any(one.faces for one in seen),
        "multi": max(len(one.faces) for one in seen) > 1,
    }
    said = set(found) & set(label)
    assert {kind: found[kind] for kind in said} == {kind: label[kind] for kind in said}


@pytest.mark.slow
def test_both_engines_read_the_same_face(phone: Eyes, eyes: Eyes, picture: Any) -> None:
    """Landmarks within two hundredths of the face's width, the pose within some degrees, eyes and mouth alike."""
    for name in ("identities/obama/obama.jpg", "identities/astronaut.png", "diverse/stock-models-3.jpg"):
        bgr = picture(name)
        face = eyes.look(bgr, 0).faces[0]
        a, b = eyes.landmarker.read(bgr, face), phone.landmarker.read(bgr, face)
        assert a is not None
        assert b is not None
        off = np.abs(a.points[:, :2] - b.points[:, :2]).mean() / face.w
        assert off < 0.02, name
        assert abs(a.pose.yaw - b.pose.yaw) < 6, name
        assert abs(a.pose.pitch - b.pose.pitch) < 8, name
        assert abs(a.pose.blink - b.pose.blink) < 0.2, name
        assert abs(a.pose.jaw - b.pose.jaw) < 0.2, name


def test_an_empty_place_has_no_face(phone: Eyes) -> None:
    """The network says that nobody is there: no pose is made up."""
    grey = np.full((480, 640, 3), 120, np.uint8)
    place = Face(200, 150, 120, 150, ((230, 200), (290, 200), (260, 230), (235, 265), (285, 265)), 0.9)
    assert phone.landmarker.read(grey, place) is None


@pytest.mark.parametrize("yaw", [-40, -20, 0, 20, 40])
@pytest.mark.parametrize("pitch", [-20, 0, 20])
def test_a_head_turned_by_known_angles_is_measured_so(faces: Path, yaw: int, pitch: int) -> None:
    """The canonical head, turned and seen from afar, gives back its angles: positive to the subject's left, and up."""
    head = task.read((faces / "models" / "face_landmarker.task").read_bytes()).head
    turn_y, _ = cv2.Rodrigues(np.array([0, np.radians(yaw), 0]))
    turn_x, _ = cv2.Rodrigues(np.array([np.radians(-pitch), 0, 0]))
    turned = head @ (turn_y @ turn_x).T @ FLIP
    focal, far = 3000.0, 200.0
    points = np.column_stack([turned[:, :2] * focal / (turned[:, 2:] + far) + (320, 240), turned[:, 2]])
    found = rotation(head @ FLIP, points, focal)
    assert found is not None
    assert np.degrees(np.arctan2(-found[2, 0], np.hypot(found[0, 0], found[1, 0]))) == pytest.approx(yaw, abs=2)
    assert -np.degrees(np.arctan2(found[2, 1], found[2, 2])) == pytest.approx(pitch, abs=2)


def test_the_square_around_a_tilted_face_is_level(picture: Any) -> None:
    """Eyes on one height, the face's middle in the square's middle, and the way back leads to where they were."""
    face = Face(200, 150, 100, 120, ((220, 190), (280, 230), (250, 220), (225, 245), (265, 255)), 0.9)
    square, back = upright_square(picture("identities/astronaut.png"), face)
    assert square.shape == (256, 256, 3)
    there = np.linalg.inv(np.vstack([back, [0, 0, 1]]))
    right, left = (there @ [*point, 1] for point in face.points[:2])
    assert right[1] == pytest.approx(left[1])
    assert back @ [128, 128, 1] == pytest.approx([250, 210])


def test_a_model_that_is_none_is_our_own_error() -> None:
    """Bytes of something else never reach a network."""
    with pytest.raises(WrongModelError):
        DnnLandmarker(Model("landmarker", "0" * 64, b"PK\x05\x06" + bytes(18)))
