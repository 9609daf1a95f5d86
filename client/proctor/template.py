"""The learner's template as bytes: 128 numbers, the model and engine they belong to. Its sha256 is the reference."""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from client.errors import ClientError
from client.proctor.seen import VECTOR_SIZE, Vector, cosine, permille

HEAD: Final = "trueseat/template/v1"
_VALUES: Final = struct.Struct(f"<{VECTOR_SIZE}f")
_ENGINE: Final = re.compile(r"[a-z]{1,20} [0-9][0-9a-z.+-]{0,39}")
_LOOKS: Final = re.compile(r"[1-9][0-9]{0,3}")


class TemplateError(ClientError):
    """The stored template cannot be read, or belongs to another model."""

    code = "TS-C-311"
    remedy = "Enrol your face again; nothing of your records is lost."
    zh = "本机的人脸模板无法使用。请重新录入人脸，学习记录不受影响。"


@dataclass(frozen=True, slots=True)
class Template:
    """What one person looks like to one recogniser: `model` is its sha256, `engine` what ran it, of `looks` frames."""

    model: str
    engine: str
    looks: int
    vector: Vector


def encode(template: Template) -> bytes:
    """The file of a template: five lines of ASCII, one spelling each."""
    vector = base64.b64encode(_VALUES.pack(*template.vector)).decode("ascii")
    return f"{HEAD}\n{template.model}\n{template.engine}\n{template.looks}\n{vector}\n".encode("ascii")


def decode(data: bytes) -> Template:
    """Return the template that `data` spells, or raise `TemplateError`."""
    try:
        head, model, engine, looks, text, end = data.decode("ascii").split("\n")
        vector = _VALUES.unpack(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error, struct.error) as error:
        raise TemplateError("not a template of this version") from error
    right = head == HEAD and end == "" and re.fullmatch(r"[0-9a-f]{64}", model) and _ENGINE.fullmatch(engine)
    if not right or not _LOOKS.fullmatch(looks):
        raise TemplateError("not a template of this version")
    template = Template(model, engine, int(looks), vector)
    norm = math.sqrt(sum(value * value for value in vector))
    if not abs(norm - 1) < 1e-3 or encode(template) != data:  # NaN fails the first test
        raise TemplateError("the numbers of the template are damaged")
    return template


def of_model(data: bytes, model: str) -> Template:
    """Return the template in `data`, or raise `TemplateError` when another recogniser made it."""
    template = decode(data)
    if template.model != model:
        raise TemplateError(f"made by the model {template.model[:12]}…, not {model[:12]}…")
    return template


def may_replace(old: bytes, new: bytes, least: int) -> bool:
    """Tell whether `new` may take the place of `old`: the same face by at least `least` per mille.

    A template that cannot be compared (damaged, of another model or engine) may be replaced: it is of no use any more.
    """
    try:
        before, after = decode(old), decode(new)
    except TemplateError:
        return True
    comparable = (before.model, before.engine) == (after.model, after.engine)
    return not comparable or permille(cosine(before.vector, after.vector)) >= least


def reference(data: bytes) -> str:
    """The sha256 that the server keeps, so that nobody swaps a template."""
    return hashlib.sha256(data).hexdigest()


def mean(vectors: Sequence[Vector], weights: Sequence[float]) -> Vector:
    """The weighted mean direction of several looks, of length 1."""
    total = [sum(w * v[i] for v, w in zip(vectors, weights, strict=True)) for i in range(VECTOR_SIZE)]
    norm = math.sqrt(sum(value * value for value in total)) or 1.0
    return tuple(value / norm for value in total)


def agreeing(vectors: Sequence[Vector], weights: Sequence[float], least: float) -> tuple[Vector, int]:
    """The mean of the looks that agree with each other by at least `least` (cosine), and how many they are."""
    centre = mean(vectors, weights)
    kept = [(v, w) for v, w in zip(vectors, weights, strict=True) if cosine(v, centre) >= least]
    return (mean([v for v, _ in kept], [w for _, w in kept]), len(kept)) if kept else (centre, 0)
