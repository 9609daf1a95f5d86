"""The attack range is drawn from the pack, the same every time, and PAD is held against it by the product's code."""

from __future__ import annotations

import hashlib
import json
import runpy
from pathlib import Path
from typing import Any

import cv2
import pytest

from client import manifest
from client.proctor import attacks
from client.proctor.attacks import BONA_FIDE
from client.proctor.look import Eyes

SCRIPT = Path(__file__).resolve().parents[3] / "build" / "attack_range.py"


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    """The script's names."""
    return runpy.run_path(str(SCRIPT))


@pytest.fixture(scope="module")
def drawn(
    script: dict[str, Any], faces: Path, model_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """The first person's windows and one clip of three species, drawn twice."""
    whole = script["Range"].make.__globals__
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(manifest.ENV, str(model_folder))
        patch.setitem(whole, "PEOPLE", ("lp_d0",))
        patch.setitem(whole, "STILLS", ("diverse/stock-models-4.jpg", "identities/obama/obama.jpg"))
        patch.setitem(
            whole, "SPECIES", tuple(script[name] for name in ("printed_photo", "screen_replay", "injected_file"))
        )
        folders = (tmp_path_factory.mktemp("range"), tmp_path_factory.mktemp("again"))
        for folder in folders:
            script["Range"](faces, folder, 1).make(1)
    return folders


def digest(folder: Path, name: str) -> str:
    """Of the pixels: a file's head may hold a date."""
    clip, found = cv2.VideoCapture(str(folder / "videos" / name)), hashlib.sha256()
    there, raw = clip.read()
    while there:
        found.update(raw.tobytes())
        there, raw = clip.read()
    clip.release()
    return found.hexdigest()


@pytest.mark.slow
def test_the_same_pack_gives_the_same_pictures(drawn: tuple[Path, Path]) -> None:
    """Every clip twice, and each says what it is, of whom, and that a computer drew it."""
    first, again = drawn
    labels = json.loads((first / "videos.json").read_text(encoding="utf-8"))
    assert labels == json.loads((again / "videos.json").read_text(encoding="utf-8"))
    assert {one["species"] for one in labels.values() if one["synthetic"]} == {
        "printed_photo", "screen_replay", "injected_file", f"{BONA_FIDE}_again",
    }  # fmt: skip
    assert not labels["real_00.avi"]["synthetic"]
    for name in labels:
        assert digest(first, name) == digest(again, name), name


@pytest.mark.slow
def test_pad_tells_the_living_face_from_print_and_screen_and_not_from_a_file(
    drawn: tuple[Path, Path], eyes: Eyes
) -> None:
    """A file in place of the camera shows a living face: pictures alone cannot tell, and the table does not hide it."""
    found = attacks.table(attacks.read(drawn[0], eyes), 0.5)
    assert found[BONA_FIDE]["bpcer_clip"] == 0.0
    assert (found["printed_photo"]["apcer_clip"], found["screen_replay"]["apcer_clip"]) == (0.0, 0.0)
    assert found["injected_file"]["apcer_clip"] == 1.0
