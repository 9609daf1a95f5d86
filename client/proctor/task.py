"""Opens the landmark model's file (`face_landmarker.task`): its networks, and the head that poses are measured on.

The file is a ZIP of two TFLite networks that matter here and of MediaPipe's geometry (`GeometryPipelineMetadata`, a
protobuf): the canonical head, 468 points in centimetres, x to the subject's left, y up, z out of the face. Its bytes
were hashed before they come here; a file that is not of this form is our own error all the same.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from client.manifest import WrongModelError

LANDMARKS: Final = "face_landmarks_detector.tflite"
SHAPES: Final = "face_blendshapes.tflite"
GEOMETRY: Final = "geometry_pipeline_metadata_landmarks.binarypb"
HEAD_POINTS: Final = 468
MAX_MEMBER: Final = 16 << 20  # the largest has 2.6 MB
_MESH, _VERTICES, _PER_VERTEX = 1, 3, 5  # fields of the two messages; x, y, z and two of the texture
_VARINT, _BYTES, _FLOAT = 0, 2, 5  # protobuf's wire types


@dataclass(frozen=True, slots=True)
class Task:
    """The two networks as TFLite bytes, and the canonical head, `HEAD_POINTS` × 3."""

    landmarks: bytes
    shapes: bytes
    head: NDArray[np.float64]


def read(data: bytes) -> Task:
    """Return what `data` holds, or raise `WrongModelError` naming what is not there."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            found = [_member(file, name) for name in (LANDMARKS, SHAPES, GEOMETRY)]
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise WrongModelError(f"no landmark model ({type(error).__name__})") from error
    return Task(found[0], found[1], head(found[2]))


def _member(file: zipfile.ZipFile, name: str) -> bytes:
    if file.getinfo(name).file_size > MAX_MEMBER:
        raise WrongModelError(f"{name} is longer than any network of this kind")
    return file.read(name)


def head(geometry: bytes) -> NDArray[np.float64]:
    """The canonical head out of MediaPipe's geometry, or `WrongModelError`."""
    try:
        mesh = next(value for field, value in _fields(geometry) if field == _MESH and isinstance(value, bytes))
        numbers = [value for field, value in _fields(mesh) if field == _VERTICES and isinstance(value, float)]
    except (StopIteration, IndexError, ValueError, struct.error) as error:
        raise WrongModelError(f"no head in the geometry ({type(error).__name__})") from error
    if len(numbers) != HEAD_POINTS * _PER_VERTEX or not np.isfinite(numbers).all():
        raise WrongModelError(f"a head of {len(numbers)} numbers")
    return np.array(numbers).reshape(HEAD_POINTS, _PER_VERTEX)[:, :3]


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Field numbers and values of one protobuf message; floats and bytes as such, anything else is a `ValueError`."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        if key & 7 == _VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
        elif key & 7 == _FLOAT:
            yield key >> 3, float(struct.unpack_from("<f", data, at)[0])
            at += 4
        elif key & 7 == _BYTES:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise ValueError("cut short")
            yield key >> 3, data[at : at + size]
            at += size
        else:
            raise ValueError(f"wire type {key & 7}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 64:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError("a number without end")
