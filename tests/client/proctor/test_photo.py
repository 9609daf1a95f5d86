"""One photo of a check: small, of the learner alone, holding nothing but the picture, sealed where it was taken."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from client.events import Judged, ProctorRestarted, Prompt
from client.ports import CheckRequest, Sealing
from client.proctor.limits import Limits
from client.proctor.photo import MAX_BYTES, SIDE, PhotoError, Photographer, around, compress
from client.proctor.quality import hint
from client.proctor.seen import Face, Seen, cosine
from ledger.evidence import Recipient, check_named, expect
from ledger.keys import generate_evidence
from tests.client.proctor.test_worker import LONG, Window

REVIEWER = Recipient(*generate_evidence("school.example/e"))
ORIGIN = "demo.trueseat.example/s/" + "ab" * 16
SEALING = Sealing(ORIGIN, (str(REVIEWER.vkey),), 0)
REQUEST = CheckRequest(3, 1, "match", (), 60_000, "0f" * 16, "record", photo=SEALING)
PASSED = Judged(3, 1, "match", "passed", "ok")
POINTS = ((40.0, 40.0), (60.0, 40.0), (50.0, 50.0), (42.0, 60.0), (58.0, 60.0))
PICTURES = (
    [f"nuaa/real/0011/0011_01_07_03_{n}.jpg" for n in (109, 142, 18)]
    + ["diverse/stock-models-3.jpg", "diverse/stock-models-4.jpg"]
    + ["identities/astronaut.png"]
)


def segments(jpeg: bytes) -> list[int]:
    """The markers of a JPEG up to its picture data."""
    found, at = [], 2
    while jpeg[at] == 0xFF and (not found or found[-1] != 0xDA):
        found.append(jpeg[at + 1])
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return found


@pytest.mark.parametrize("name", PICTURES)
def test_a_photo_is_small_and_the_person_is_still_known(
    eyes: Any, picture: Callable[[str], Any], shipped: Limits, name: str
) -> None:
    """At most 30 KB, a third of it in practice; the recogniser finds the same person in it; no metadata."""
    import cv2

    bgr = picture(name)
    seen = eyes.look(bgr, 0, vector=True)
    assert not hint(seen, shipped), "a frame that can be judged: no other becomes a photo"
    jpeg = compress(around(bgr, seen.faces))
    assert len(jpeg) <= MAX_BYTES / 2
    assert set(segments(jpeg)) <= {0xE0, 0xDB, 0xC0, 0xC4, 0xDA}, "JFIF's own head, tables, frame, scan; no Exif"
    shown = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert max(shown.shape[:2]) <= SIDE
    again = eyes.look(shown, 0, vector=True, fine=True)
    assert cosine(seen.vector, again.vector) > 0.8


def test_noise_fits_too_and_what_cannot_be_compressed_is_our_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worst picture of all still fits, at less quality; were there none, only our own error would leave."""
    noise = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    assert len(compress(noise)) <= MAX_BYTES
    monkeypatch.setattr("client.proctor.photo.MAX_BYTES", 100)
    with pytest.raises(PhotoError):
        compress(noise)


def test_nobody_else_can_be_known_in_it(eyes: Any, picture: Callable[[str], Any]) -> None:
    """Who sits beside the learner agreed to nothing: that face is a few squares before anything is compressed."""
    import cv2

    bgr, other = picture(PICTURES[0]), picture("identities/astronaut.png")
    mine, theirs = (eyes.look(one, 0, vector=True, fine=True) for one in (bgr, other))
    face, their = mine.faces[0], theirs.faces[0]
    x, y, w, h = (round(value) for value in (their.x, their.y, their.w, their.h))
    beside = cv2.resize(other[y - 20 : y + h + 10, x - 15 : x + w + 15], (90, 120))
    left, top = round(face.x + face.w) + 8, round(face.y)
    bgr[top : top + 120, left : left + 90] = beside
    seen = eyes.look(bgr, 0, vector=True, fine=True)
    assert len(seen.faces) == 2
    known = [eyes.look(around(bgr, faces), 0, vector=True, fine=True) for faces in (seen.faces[:1], seen.faces)]
    assert [len(found.faces) for found in known] == [2, 1]
    assert cosine(known[1].vector, mine.vector) > 0.6


def frame(t: int, h: float, *, dark: bool = False) -> Seen:
    """A look at one face of height `h`."""
    face = Face(100, 100, h * 0.8, h, tuple((x + 100, y + 100) for x, y in POINTS), 0.9)
    return Seen(t, 640, 480, 120, 60, (face,), 20 if dark else 130, 14)


def test_the_best_look_is_kept_and_belongs_to_its_attempt(shipped: Limits) -> None:
    """Of three looks the nearest that can be judged; its time, check, attempt and nonce are inside the seal."""
    photographer = Photographer(REQUEST, SEALING, shipped)
    for t, h, shade, dark in ((100, 120.0, 40, False), (200, 180.0, 90, False), (300, 190.0, 200, True)):
        photographer.look(np.full((480, 640, 3), shade, np.uint8), frame(t, h, dark=dark))
    photo = photographer.seal(PASSED)
    assert photo is not None
    check_named(photo)
    header, jpeg = REVIEWER.open(photo, ORIGIN)
    expect(header, 3, 1, "0f" * 16)
    assert header.mono == 200
    import cv2

    shown = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert abs(float(shown.mean()) - 90) < 3
    assert photographer.seal(PASSED) is None, "one photo an attempt"


@pytest.mark.parametrize("why", ["inconclusive", "nothing seen"])
def test_without_a_judgement_there_is_no_photo(shipped: Limits, why: str) -> None:
    """An attempt that could not be judged takes none, and neither does one that never saw a face."""
    photographer = Photographer(REQUEST, SEALING, shipped)
    if why == "inconclusive":
        photographer.look(np.zeros((480, 640, 3), np.uint8), frame(1, 150))
        assert photographer.seal(Judged(3, 1, "match", "inconclusive", "late")) is None
    assert photographer.seal(PASSED) is None


# --- the real process -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clip(faces: Path, model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """A real person before the camera, and a folder for temporary files of its own."""
    temporary = tmp_path_factory.mktemp("temporary")
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(temporary)
    window = Window(f"file:{faces / 'videos' / 'lp_d9.mp4'}", model_folder)
    window.temporary = temporary  # type: ignore[attr-defined]
    try:
        yield window
    finally:
        window.proctor.close()
        os.environ.pop("TMPDIR") if before is None else os.environ.update(TMPDIR=before)


@pytest.mark.slow
def test_the_worker_sends_the_photo_sealed_and_writes_it_nowhere(clip: Window, eyes: Any) -> None:
    """A glance of the real process: one photo, opened by its reviewer alone, of the person who was looked at. Killed in
    the middle of the next one, it leaves no picture on any disk."""
    clip.enrol()
    judged = clip.judged(REQUEST)
    assert judged.result == "passed"
    photo = clip.proctor.take_photo()
    assert photo is not None
    assert clip.proctor.take_photo() is None, "once"
    assert photo.named.to_json() == judged.evidence
    header, jpeg = REVIEWER.open(photo, ORIGIN)
    assert (header.i, header.a, header.nonce) == (3, 1, "0f" * 16)
    assert len(jpeg) <= MAX_BYTES / 2
    clip.proctor.begin(replace(REQUEST, kind="liveness", gestures=("turn_left", "look_up"), deadline_ms=LONG))
    for _ in range(6):  # long enough to hold a good look of the person
        clip.next(Prompt)
    os.kill(clip.pid(), signal.SIGKILL)
    clip.next(ProctorRestarted)
    assert clip.proctor.take_photo() is None
    temporary: Path = clip.temporary  # type: ignore[attr-defined]
    files = [path for path in temporary.rglob("*") if path.is_file()]
    assert not [path for path in files if b"\xff\xd8\xff\xe0" in path.read_bytes()]


@pytest.mark.slow
def test_without_an_order_for_one_the_worker_takes_none(clip: Window) -> None:
    """A check that asks for no photo names none."""
    clip.enrol()
    judged = clip.check("match")
    assert judged.result == "passed"
    assert judged.evidence == {}
    assert clip.proctor.take_photo() is None
