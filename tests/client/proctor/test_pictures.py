"""What the real models say of real pictures: who it is, how many, whether it can be judged, whether it is alive."""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from client.manifest import Manifest
from client.proctor import face as picture_of
from client.proctor import figures, presence, quality
from client.proctor.counting import blinks_in, mouth_opens_in
from client.proctor.face import FrameError, frame, upright
from client.proctor.limits import Limits
from client.proctor.look import Eyes
from client.proctor.seen import Seen, Vector, cosine, permille
from tests.tries import tries

Picture = Callable[[str], Any]


def probe(eyes: Eyes, bgr: Any) -> Vector:
    """The face of a picture, as enrolment sees it."""
    vector = eyes.look(bgr, 0, vector=True, fine=True).vector
    assert vector is not None
    return vector


def test_one_person_matches_and_another_does_not(eyes: Eyes, picture: Picture, faces: Path, shipped: Limits) -> None:
    """All pairs of two presidents, at the shipped threshold."""
    probes = {
        who: [
            probe(eyes, picture(p.relative_to(faces).as_posix()))
            for p in sorted((faces / "identities" / who).iterdir())
        ]
        for who in ("obama", "biden")
    }
    for vectors in probes.values():
        assert all(permille(cosine(a, b)) >= shipped.match for a, b in itertools.combinations(vectors, 2))
    assert all(permille(cosine(a, b)) < shipped.match for a in probes["obama"] for b in probes["biden"])


@pytest.mark.slow
def test_error_rates_on_people_never_seen(eyes: Eyes, picture: Picture, faces: Path, shipped: Limits) -> None:
    """Every sixth pair of LFW's first fold: hardly a mistake at the shipped threshold (all of them: docs/models.md)."""
    with (faces / "lfw_pairs.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[::6]
    known = {name: probe(eyes, picture(name)) for row in rows for name in (row["a"], row["b"])}
    score = {same: np.array([cosine(known[r["a"]], known[r["b"]]) for r in rows if r["same"] == same]) for same in "01"}
    found = figures.rates(score["1"], score["0"], shipped.match / 1000)
    assert (found.genuine, found.impostors) == (50, 50)
    assert found.fmr == 0
    assert found.fnmr <= 0.04


def test_the_upright_face_is_opencvs_own(picture: Picture, eyes: Eyes, model_folder: Path, listed: Manifest) -> None:
    """Our least-squares turn is the one the recogniser was measured with."""
    bgr = picture("identities/astronaut.png")
    face = eyes.look(bgr, 0, fine=True).faces[0]
    row = np.array([face.x, face.y, face.w, face.h, *itertools.chain(*face.points), face.score], np.float32)[None]
    model = listed.by_use("recogniser")[0].file
    theirs = cv2.FaceRecognizerSF.create(str(model_folder / model), "").alignCrop(bgr, row)
    assert np.abs(upright(bgr, face).astype(int) - theirs).max() <= 1


@pytest.mark.parametrize(("name", "least"), [("image_T1", 0.99), ("image_F1", 0.0), ("image_F2", 0.0)])
def test_pad_reads_its_makers_samples_as_they_do(
    eyes: Eyes, picture: Picture, faces: Path, name: str, least: float
) -> None:
    """One living face, two flat ones: the crop, the colours and the scale are those of the training."""
    path = next((faces / "pad_samples").glob(f"{name}.*"))
    seen = eyes.look(picture(f"pad_samples/{path.name}"), 0, fine=True)
    assert seen.live is not None
    assert seen.cues is not None
    assert least <= 1 / (1 + math.exp(-seen.cues.near)) <= least + 0.05
    assert (seen.live > 0.9) if least else (seen.live < 0.1)


def test_printed_photos_score_below_living_faces(eyes: Eyes, picture: Picture, faces: Path) -> None:
    """Every fourth webcam frame of the pack."""
    with (faces / "pad_images.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[::4]
    live: dict[str, list[float]] = {"real": [], "other": []}
    for row in rows:
        value = eyes.look(picture(row["path"]), 0).live
        live["real" if row["label"] == "real" else "other"].append(value if value is not None else 0.0)
    assert figures.auc(np.array(live["real"]), np.array(live["other"])) > 0.99


@pytest.mark.parametrize(("name", "least"), [("group-3.jpg", 3), ("group-5.jpg", 5), ("group-6.jpg", 3)])
def test_groups_are_counted(eyes: Eyes, picture: Picture, name: str, least: int) -> None:
    """Nobody is invented in an empty street, and a group is a group."""
    assert len(eyes.glance(picture(f"multi/{name}"), 0).faces) >= least
    assert not eyes.glance(picture("multi/nobody_background.jpg"), 0).faces


def test_faces_of_every_skin_are_found(eyes: Eyes, picture: Picture, faces: Path) -> None:
    """All portraits of the varied set, at monitoring size."""
    for path in (faces / "diverse").iterdir():
        assert eyes.glance(picture(f"diverse/{path.name}"), 0).faces, path.name


def spoil(bgr: Any, how: str) -> Any:
    """A real frame made as bad as rooms and cameras make it."""
    match how:
        case "dark":
            return (bgr * 0.12).astype(np.uint8)
        case "blurred":
            return cv2.GaussianBlur(bgr, (0, 0), 5)
        case "covered":
            return np.full_like(bgr, 3)
        case "far":
            small = cv2.resize(bgr, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA)
            return cv2.copyMakeBorder(small, 170, 166, 220, 228, cv2.BORDER_REPLICATE)
        case "several":
            return np.hstack([bgr[:, 120:520], bgr[:, 120:520]])
        case "nobody":
            return bgr[:120, :160]
    return bgr


@pytest.mark.parametrize("how", ["", "dark", "blurred", "covered", "far", "several", "nobody"])
def test_a_spoiled_frame_is_named(eyes: Eyes, picture: Picture, faces: Path, shipped: Limits, how: str) -> None:
    """Of the webcam frames, hardly one is called otherwise."""
    names = [p.relative_to(faces).as_posix() for p in sorted((faces / "nuaa" / "real").glob("*/*.jpg"))[::8]]
    words = [quality.hint(eyes.glance(frame(spoil(picture(name), how)), 0), shipped) for name in names]
    assert words.count(how) >= len(words) - 1, words


def test_presence_sees_both_people(eyes: Eyes, faces: Path, shipped: Limits) -> None:
    """Two people side by side are two near faces and the hint for them."""
    seen = eyes.glance(first_frames(faces, "composite_two_people.mp4", 1)[0], 0)
    look = presence.look(seen, shipped)
    assert (look.faces, look.near, look.hint) == (2, 2, "several")


def first_frames(faces: Path, name: str, count: int, every: int = 1) -> list[Any]:
    """Some frames of a clip."""
    clip = cv2.VideoCapture(str(faces / "videos" / name))
    read = [clip.read() for _ in range(count * every)]
    return [frame(raw) for there, raw in read[::every] if there]


def followed(eyes: Eyes, frames: list[Any], fps: float) -> list[Seen]:
    """A clip as a challenge looks at it."""
    return [eyes.look(bgr, round(i * 1000 / fps), pose=True) for i, bgr in enumerate(frames)]


@pytest.mark.slow
def test_a_turned_head_is_read_on_the_subjects_own_side(eyes: Eyes, faces: Path, shipped: Limits) -> None:
    """The clip turns to profile both ways; a clip of a still head reads no turn at all."""
    yaws = [
        one.pose.yaw for one in followed(eyes, first_frames(faces, "bloom_orlando_bloom.avi", 46, 3), 8) if one.pose
    ]
    assert max(yaws) >= shipped.turn
    assert min(yaws) <= -shipped.turn
    still = [one.pose.yaw for one in followed(eyes, first_frames(faces, "lp_d0.mp4", 12, 6), 4) if one.pose]
    assert max(abs(yaw) for yaw in still) < shipped.turn


@pytest.mark.slow
def test_blinks_and_open_mouths_are_read(eyes: Eyes, faces: Path, shipped: Limits) -> None:
    """A clip that blinks, one that opens the mouth; and none of either in a face that rests."""
    assert blinks_in(followed(eyes, first_frames(faces, "lp_d0.mp4", 78), 25), shipped) >= 1
    assert mouth_opens_in(followed(eyes, first_frames(faces, "lp_d18.mp4", 108, 2), 15), shipped) >= 1
    assert mouth_opens_in(followed(eyes, first_frames(faces, "lp_s18.mp4", 40, 4), 7.5), shipped) == 0


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "picture",
        np.zeros((480, 640, 3), np.float32),
        np.full((480, 640), np.nan),
        np.zeros((0, 640, 3), np.uint8),
        np.zeros((4, 4, 3), np.uint8),
        np.zeros((480, 640, 2), np.uint8),
        np.zeros((480, 640, 3, 1), np.uint8),
        np.zeros((16, 4_000_000, 3), np.uint8),
    ],
    ids=["nothing", "text", "float", "nan", "empty", "tiny", "two channels", "four axes", "huge"],
)
def test_what_is_no_picture_is_refused(raw: object) -> None:
    """Only our own error leaves the camera."""
    with pytest.raises(FrameError):
        frame(raw)


@pytest.mark.parametrize(
    "shape", [(2160, 3840, 3), (4320, 7680, 3), (480, 640), (480, 640, 4), (640, 16, 3), (17, 17, 1)]
)
def test_any_picture_becomes_one_of_ours(shape: tuple[int, ...], eyes: Eyes) -> None:
    """8K, grey, alpha, a strip: brought to size and looked at."""
    bgr = frame(np.full(shape, 90, np.uint8))
    assert max(bgr.shape[:2]) <= picture_of.MAX_SIDE
    assert bgr.shape[2] == 3
    assert eyes.look(bgr, 0, pose=True, vector=True).faces == ()


@settings(max_examples=tries(15), deadline=None)
@given(arrays.arrays(np.uint8, st.tuples(st.integers(16, 80), st.integers(16, 80), st.just(3))))
def test_no_pattern_breaks_a_look(eyes: Eyes, shipped: Limits, noise: Any) -> None:
    """Any pixels at all: numbers come out, and a word."""
    seen = eyes.look(frame(noise), 0, pose=True, vector=True)
    assert quality.hint(seen, shipped) in ("", *quality.HINTS)
