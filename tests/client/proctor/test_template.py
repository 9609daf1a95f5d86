"""A template is one spelling of 128 numbers, and belongs to one recogniser."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.proctor import template
from client.proctor.seen import VECTOR_SIZE, cosine
from client.proctor.template import Template, TemplateError
from tests.client.proctor.scenes import ANNA, BERTA

MODEL = "ab" * 32
BYTES = template.encode(Template(MODEL, "opencv 5.0.0", 8, ANNA))

directions = st.lists(st.floats(-1, 1, width=32), min_size=VECTOR_SIZE, max_size=VECTOR_SIZE).filter(
    lambda values: sum(v * v for v in values) > 0.01
)


@given(directions, st.integers(1, 9999))
def test_what_was_written_is_read(values: list[float], looks: int) -> None:
    """Round trip, to the precision of the file."""
    norm = math.sqrt(sum(v * v for v in values))
    made = Template(MODEL, "opencv 5.0.0", looks, tuple(v / norm for v in values))
    read = template.decode(template.encode(made))
    assert (read.model, read.engine, read.looks) == (MODEL, "opencv 5.0.0", looks)
    assert cosine(read.vector, made.vector) > 0.999999
    assert template.encode(read) == template.encode(made)


@given(st.binary(max_size=900))
def test_any_bytes_are_refused_as_a_template(data: bytes) -> None:
    """Only our own error leaves the parser."""
    with pytest.raises(TemplateError):
        template.decode(data)


@given(st.integers(0, len(BYTES) - 1), st.integers(0, 255))
def test_a_changed_byte_is_refused_or_changes_the_reference(at: int, value: int) -> None:
    """Nobody swaps a template: the server keeps its sha256."""
    changed = BYTES[:at] + bytes([value]) + BYTES[at + 1 :]
    try:
        template.decode(changed)
    except TemplateError:
        return
    assert (template.reference(changed) == template.reference(BYTES)) == (changed == BYTES)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0, 2.0])
def test_numbers_that_are_no_direction_are_refused(value: float) -> None:
    """NaN compares with nothing, and a vector of another length was not written by us."""
    bad = template.encode(Template(MODEL, "opencv 5.0.0", 8, (value, *ANNA[1:])))
    with pytest.raises(TemplateError):
        template.decode(bad)


def test_a_template_of_another_recogniser_is_refused() -> None:
    """Numbers of two models are not comparable; the remedy is to enrol again."""
    with pytest.raises(TemplateError, match="made by the model"):
        template.of_model(BYTES, "cd" * 32)


def test_a_look_of_somebody_else_does_not_enter_a_template() -> None:
    """The mean is of the looks that agree."""
    vector, looks = template.agreeing([ANNA] * 8 + [BERTA], [1.0] * 9, 0.4)
    assert looks == 8
    assert cosine(vector, ANNA) == pytest.approx(1)
