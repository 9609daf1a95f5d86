"""Attacks are counted by species, by clip and by frame, with n and interval; a clip without a face passes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from client.proctor import attacks, conditions, figures
from client.proctor.attacks import BONA_FIDE, Clip
from client.proctor.look import Eyes
from client.proctor.seen import Face
from tests.client.proctor.scenes import seen


def clip(species: str, *lives: float | None, subject: str = "anna") -> Clip:
    """A presentation with these P(live), a frame each."""
    return Clip(
        f"{species}.avi", species, subject, False, tuple(seen(i * 80, live=live) for i, live in enumerate(lives))
    )


def test_every_species_has_its_own_errors() -> None:
    """A species that always passes is not hidden by another that never does; the frames of a clip decide together."""
    found = attacks.table(
        [
            clip(BONA_FIDE, 0.9, 0.9, 0.2), clip(BONA_FIDE, 0.4, 0.3, 0.9, subject="berta"),
            clip("print", 0.1, 0.1, 0.9), clip("print", 0.0, 0.1, 0.2),
            clip("mask", 0.8, 0.9, 0.1), clip("mask", 0.7, 0.6, 0.9),
        ],
        0.5,
    )  # fmt: skip
    assert (found[BONA_FIDE]["bpcer_clip"], found[BONA_FIDE]["bpcer_frame"], found[BONA_FIDE]["subjects"]) == (
        0.5,
        0.5,
        2,
    )
    assert (found["print"]["apcer_clip"], found["print"]["frames"]) == (0.0, 6)
    assert found["print"]["apcer_frame"] == pytest.approx(1 / 6)
    assert found["mask"]["apcer_clip"] == 1.0
    assert found["mask"]["clip_95"] == figures.interval(1.0, 2)
    assert found["mask"]["eer_frame"] > found["print"]["eer_frame"]


def test_a_clip_without_a_face_passes_nothing() -> None:
    """An attack that shows no face is refused; a living face that is never found was turned away."""
    found = attacks.table([clip("print", None, None), clip(BONA_FIDE, None)], 0.5)
    assert found["print"]["apcer_clip"] == 0.0
    assert found[BONA_FIDE]["bpcer_clip"] == 1.0
    assert attacks.overall([clip("print", None), clip(BONA_FIDE, 0.9)]) == {}


def test_the_curve_runs_from_strict_to_loose() -> None:
    """ROC points of two overlapping heaps of scores: one error falls while the other grows, and the ends are there."""
    draw = np.random.default_rng(3)
    points = figures.curve(draw.normal(2, 1, 500), draw.normal(0, 1, 5_000))
    fmr, fnmr = zip(*points, strict=True)
    assert len(points) > 10
    assert list(fmr) == sorted(fmr, reverse=True)
    assert list(fnmr) == sorted(fnmr)
    assert min(fmr) <= 0.001


@pytest.mark.parametrize(("value", "name"), [((110, 60, 40), "dark"), ((150, 175, 225), "light")])
def test_apparent_tone_is_read_off_the_cheeks(value: tuple[int, int, int], name: str) -> None:
    """Of a plain picture in a skin's colour; at the frame's edge it is read from what there is."""
    bgr = np.full((480, 640, 3), value[::-1] if name == "dark" else value, np.uint8)
    points = ((180.0, 180.0), (300.0, 180.0), (240.0, 250.0), (190.0, 330.0), (290.0, 330.0))
    assert conditions.tone(bgr, Face(100, 60, 300, 360, points, 0.9)) == name
    outside = tuple((x + 5_000, y) for x, y in points)
    assert conditions.tone(bgr, Face(5_000, 60, 300, 360, outside, 0.9)) == "grey"
    grey = np.full((480, 640, 3), 150, np.uint8)
    assert conditions.tone(grey, Face(100, 60, 300, 360, points, 0.9)) == "grey"


@pytest.mark.slow
def test_labelled_clips_of_a_pack_are_read_by_the_products_models(eyes: Eyes, faces: Path, tmp_path: Path) -> None:
    """A living face and a real print, as clips of three pictures; a clip without such a label is left alone."""
    (tmp_path / "videos").mkdir()
    labels: dict[str, dict[str, object]] = {"other.avi": {"blink": True}}
    for kind, label in (("real", "real"), ("spoof", "spoof")):
        pictures = [cv2.imread(str(path)) for path in sorted((faces / "nuaa" / kind / "0011").glob("*.jpg"))[:3]]
        writer = cv2.VideoWriter(
            str(tmp_path / "videos" / f"{kind}.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, (640, 480)
        )
        for picture in pictures:
            writer.write(picture)
        writer.release()
        labels[f"{kind}.avi"] = {"label": label, "subject": "0011"}
    (tmp_path / "videos.json").write_text(json.dumps(labels), encoding="utf-8")
    clips = attacks.read(tmp_path, eyes)
    assert [(one.species, len(one.seen)) for one in clips] == [(BONA_FIDE, 3), ("attack", 3)]
    found = attacks.table(clips, 0.5)
    assert (found[BONA_FIDE]["bpcer_clip"], found["attack"]["apcer_clip"]) == (0.0, 0.0)
    assert attacks.overall(clips)["eer_frame"] == 0.0
