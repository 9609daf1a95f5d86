"""Whoever brings another pack of faces gets the same figures by the same code."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from client import manifest
from client.proctor import evaluate


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
