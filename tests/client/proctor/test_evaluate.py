"""Whoever brings another pack of faces gets the same figures by the same code."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from client import manifest
from client.proctor import evaluate
from client.proctor.face import FrameError


@pytest.fixture
def pack(faces: Path, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Four people of the large pack, four webcam frames and two short clips, in its shape."""
    monkeypatch.setenv(manifest.ENV, str(model_folder))
    people = [path for path in sorted((faces / "lfw").iterdir()) if len(list(path.glob("*.jpg"))) >= 2][:4]
    (tmp_path / "lfw").mkdir()
    for path in people:
        (tmp_path / "lfw" / path.name).symlink_to(path)
    (tmp_path / "nuaa").symlink_to(faces / "nuaa")
    (tmp_path / "videos").symlink_to(faces / "videos")
    first = [sorted(path.glob("*.jpg"))[:2] for path in people]
    names = [[f"lfw/{path.parent.name}/{path.name}" for path in two] for two in first]
    pairs = [(a, b, 1, 1) for a, b in names] + [(names[i][0], names[i - 1][0], 0, 1) for i in range(4)]
    write(tmp_path / "lfw_pairs.csv", ("a", "b", "same", "fold"), pairs)
    with (faces / "pad_images.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["path"].startswith("nuaa/")][::30]
    write(tmp_path / "pad_images.csv", rows[0].keys(), (row.values() for row in rows))
    labels = {"nobody_room.mp4": {"nobody": True}}
    (tmp_path / "videos.json").write_text(json.dumps(labels), encoding="utf-8")
    yield tmp_path
    evaluate.close()


def write(path: Path, head: object, rows: object) -> None:
    """A CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)  # type: ignore[arg-type]
        writer.writerows(rows)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_report_has_every_figure_with_its_n(
    pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], listed: manifest.Manifest
) -> None:
    """Printed for people, written for machines, under the manifest that judged."""
    out = tmp_path / "report.json"
    assert evaluate.main(["--pack", str(pack), "--out", str(out)]) == 0
    report = json.loads(out.read_text(encoding="utf-8"))
    assert report["manifest"] == listed.digest
    assert report["faces"]["people"] == 4
    assert report["faces"]["genuine"] >= 4
    assert report["faces"]["fold_accuracy_at_threshold"] == 1.0
    assert report["presentation"]["real"] + report["presentation"]["printed"] == 4
    assert report["presentation"]["auc"] == 1.0
    assert report["clips"]["nobody_room.mp4"]["faces"] == [0, 0.0, 0]
    assert set(report["speed"]) == {"glance", "look_match", "look_challenge"}
    assert "fold_accuracy_best" in capsys.readouterr().out


def test_a_small_pack_gives_the_figures_that_it_allows(pack: Path, tmp_path: Path) -> None:
    """Only living faces, one picture of each person, none of an official pair: counts, and no rate of nothing."""
    rows = list(csv.DictReader((pack / "pad_images.csv").open(encoding="utf-8", newline="")))
    real = [row for row in rows if row["label"] == "real"]
    write(tmp_path / "pad_images.csv", real[0].keys(), (row.values() for row in real))
    write(tmp_path / "lfw_pairs.csv", ("a", "b", "same", "fold"), [])
    first = next(path for path in sorted((pack / "lfw").glob("*/*.jpg")))
    (tmp_path / "small" / "lfw" / "one").mkdir(parents=True)
    (tmp_path / "small" / "lfw" / "one" / first.name).symlink_to(first.resolve())
    for name in ("pad_images.csv", "lfw_pairs.csv", "nuaa"):
        (tmp_path / "small" / name).symlink_to(tmp_path / name)
    out = tmp_path / "new" / "folder" / "report.json"
    for only in ("faces", "presentation"):
        assert evaluate.main(["--pack", str(tmp_path / "small"), "--only", only, "--out", str(out)]) == 0
        report = json.loads(out.read_text(encoding="utf-8"))[only]
        assert not {"auc", "eer", "apcer_frame", "roc"} & set(report)
    assert (report["real"], report["printed"]) == (len(real), 0)
    assert report["bpcer_frame"] == 0.0


def test_what_is_no_pack_is_said_at_once(pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without anything to measure, and a picture that is none: a sentence and a code, never a trace."""
    with pytest.raises(SystemExit) as ended:
        evaluate.main(["--pack", str(tmp_path / "nowhere")])
    assert ended.value.code == 2
    assert "nothing to measure" in capsys.readouterr().err
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "broken.jpg").write_bytes(b"no picture")
    write(bad / "pad_images.csv", ("path", "label", "subject"), [("broken.jpg", "real", "x")])
    assert evaluate.main(["--pack", str(bad)]) == 1
    said = capsys.readouterr().err
    assert "broken.jpg" in said
    assert evaluate.FacePackError.remedy in said


@pytest.mark.slow
def test_the_stable_face_for_outsiders(pack: Path, faces: Path) -> None:
    """`METRIC`, `embed`, `pad` and `video` say what they promise."""
    picture = cv2.imread(str(faces / "identities" / "astronaut.png"))
    vector = evaluate.embed(picture)
    assert vector is not None
    assert evaluate.METRIC == "cosine"
    assert vector.shape == (128,)
    assert np.linalg.norm(vector) == pytest.approx(1)
    live = evaluate.pad(picture)
    assert live is not None
    assert 0 <= live <= 1
    empty = np.full((480, 640, 3), 127, np.uint8)
    assert evaluate.embed(empty) is None
    assert evaluate.pad(empty) is None
    read = evaluate.video([picture, empty, picture], 25)
    assert read["face_counts"] == [1, 0, 1]
    assert (read["blinks"], read["mouth_opens"]) == (0, 0)
    keys = {"blinks", "mouth_opens", "yaw_left_max", "yaw_right_max", "face_counts", "pad"}
    assert set(read) == keys
    assert set(evaluate.video([], 25)) == keys
    assert evaluate.video([empty], 25)["pad"] is None


HOSTILE = {
    "nothing": None,
    "a word": "picture",
    "floats": np.zeros((480, 640, 3)),
    "16 bits": np.zeros((480, 640, 3), np.uint16),
    "five channels": np.zeros((480, 640, 5), np.uint8),
    "one row": np.zeros((1, 640, 3), np.uint8),
    "no pixels": np.zeros((0, 0, 3), np.uint8),
    "four axes": np.zeros((2, 480, 640, 3), np.uint8),
    "objects": np.array([[None] * 32] * 32),
    "larger than 8K": np.lib.stride_tricks.as_strided(np.zeros(3, np.uint8), (10_000, 10_000, 3), (0, 0, 1)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_picture_is_our_error(pack: Path, name: str) -> None:
    """Whatever an outsider passes in: our error with its remedy, by every function, and the next picture is judged."""
    for judge in (evaluate.embed, evaluate.pad, lambda bgr: evaluate.video([bgr], 25)):
        with pytest.raises(FrameError):
            judge(HOSTILE[name])  # type: ignore[operator]
    assert evaluate.pad(np.zeros((64, 64), np.uint8)) is None


PACES = [0, -25, 1e-320, float("nan"), float("inf"), 10**400, None, "25", 1j, np.array([25])]


@pytest.mark.parametrize("fps", PACES, ids=lambda fps: f"{fps!r:.12}")
def test_a_clip_without_a_pace_is_our_error(pack: Path, fps: object) -> None:
    """Time would stand still or be no time; some readers of clips say None."""
    with pytest.raises(FrameError):
        evaluate.video([], fps)  # type: ignore[arg-type]


@pytest.mark.parametrize("frames", [None, 7, evaluate.video], ids=["nothing", "a number", "a function"])
def test_what_is_no_row_of_frames_is_our_error(pack: Path, frames: object) -> None:
    """And a path is a row of letters, none of which is a picture."""
    for wrong in (frames, "clip.mp4"):
        with pytest.raises(FrameError):
            evaluate.video(wrong, 25)  # type: ignore[arg-type]


OUTSIDER = """
import sys
from client.proctor import evaluate
heavy = {"kivy", "requests", "psutil", "matplotlib", "mediapipe", "tkinter"} & set(sys.modules)
import cv2
print(evaluate.METRIC, sorted(heavy), len(evaluate.video([cv2.imread(sys.argv[1])], 25)["face_counts"]))
"""


@pytest.mark.slow
def test_an_outsider_needs_neither_our_folder_nor_a_camera_nor_to_say_goodbye(pack: Path, faces: Path) -> None:
    """Imported from elsewhere, without a window or a camera; the models are let go at the end without any noise."""
    own = Path(evaluate.__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", OUTSIDER, str(faces / "identities" / "astronaut.png")],
        cwd=pack,
        env={**os.environ, "PYTHONPATH": str(own)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == "cosine [] 1"
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr


def test_noise_of_any_shape_has_no_face(pack: Path) -> None:
    """Grey, with alpha, a strip, a speck: no crash, no face."""
    draw = np.random.default_rng(5)
    for shape in ((16, 16), (16, 2_000, 3), (900, 20, 4), (33, 47, 1), (481, 641, 3)):
        noise = draw.integers(0, 256, shape).astype(np.uint8)
        assert evaluate.embed(noise) is None
        assert evaluate.pad(noise) is None
        assert evaluate.video([noise], 12)["face_counts"] == [0]
