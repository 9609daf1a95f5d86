"""The landmark model's file is read strictly: two networks and a head, or our own error."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.manifest import WrongModelError
from client.proctor import task


@pytest.fixture(scope="module")
def data(faces: Path) -> bytes:
    """MediaPipe's own file."""
    return (faces / "models" / "face_landmarker.task").read_bytes()


def packed(**members: bytes) -> bytes:
    """A ZIP of these members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return out.getvalue()


def test_the_head_of_the_model_looks_like_a_head(data: bytes) -> None:
    """In centimetres: as wide as a head, symmetric, the nose in front, the eyes above the mouth."""
    head = task.read(data).head
    assert head.shape == (task.HEAD_POINTS, 3)
    wide, high, deep = head.max(axis=0) - head.min(axis=0)
    assert 12 < wide < 18
    assert 14 < high < 20
    assert 8 < deep < 16
    nose, right, left, mouth = head[1], head[33], head[263], head[13]
    assert abs(nose[0]) < 0.01
    assert right[0] == pytest.approx(-left[0], abs=0.01)
    assert right[1] > mouth[1]
    assert nose[2] > max(right[2], mouth[2])


def test_the_networks_are_tflite(data: bytes) -> None:
    """Both carry the mark of that format."""
    found = task.read(data)
    assert found.landmarks[4:8] == found.shapes[4:8] == b"TFL3"


def test_a_file_without_a_network_is_refused() -> None:
    """A ZIP of something else is no model."""
    with pytest.raises(WrongModelError, match="KeyError"):
        task.read(packed(other=b"x"))


def test_a_member_as_large_as_a_film_is_not_unpacked() -> None:
    """The bound stands before the reading."""
    with pytest.raises(WrongModelError, match="longer"):
        task.read(packed(**{task.LANDMARKS: bytes(task.MAX_MEMBER + 1)}))


def test_a_head_with_a_point_that_is_no_number_is_refused(data: bytes) -> None:
    """Nothing is measured on a head that is not finite."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        geometry = file.read(task.GEOMETRY)
    first = np.float32(task.head(geometry)[0, 1]).tobytes()
    with pytest.raises(WrongModelError, match="head"):
        task.head(geometry.replace(first, np.float32("nan").tobytes(), 1))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_model_or_our_own_error(junk: bytes) -> None:
    """Neither the ZIP nor the geometry lets another error out."""
    for read in (task.read, task.head):
        with pytest.raises(WrongModelError):
            read(junk)


@given(at=st.integers(0, 3_000), patch=st.binary(min_size=1, max_size=4))
def test_a_geometry_with_a_hole_is_a_head_or_our_own_error(data: bytes, at: int, patch: bytes) -> None:
    """Lengths, numbers and kinds may all be wrong."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        geometry = file.read(task.GEOMETRY)
    try:
        head = task.head(geometry[:at] + patch + geometry[at + len(patch) :])
    except WrongModelError:
        return
    assert head.shape == (task.HEAD_POINTS, 3)
    assert np.isfinite(head).all()
