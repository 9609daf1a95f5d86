"""The list of models is strict data: what it does not say exactly, it does not say at all."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client import manifest
from client.manifest import Manifest, ManifestError
from client.proctor.limits import Limits, limits

SHIPPED = manifest.PATH.read_bytes()


def test_the_shipped_manifest_names_every_use(listed: Manifest) -> None:
    """Each use has a file; what judges is required, except PAD, which may be absent and then is said so."""
    assert {asset.use for asset in listed.assets} == set(manifest.USES)
    assert {asset.use for asset in listed.assets if asset.required} == {"detector", "recogniser", "landmarks"}


def test_every_threshold_has_a_reader_a_model_and_a_source(listed: Manifest) -> None:
    """No number judges that the manifest does not explain, and none stands there unread."""
    assert set(listed.thresholds) == {field.name for field in fields(Limits)}
    names = {asset.name for asset in listed.assets}
    assert all(threshold.model in names and threshold.source for threshold in listed.thresholds.values())


def test_an_engine_has_numbers_of_its_own_and_the_policy_goes_before_both(listed: Manifest) -> None:
    """OpenCV's landmarks read angles otherwise than MediaPipe's: each is judged by what was measured with it."""
    plain, own = limits(listed, engine="mediapipe"), limits(listed, engine="dnn")
    assert plain == limits(listed)
    assert {item.name for item in listed.own} == {
        field.name for field in fields(Limits) if getattr(own, field.name) != getattr(plain, field.name)
    }
    assert limits(listed, {"turn": 30}, "dnn").turn == 30


@pytest.mark.parametrize(
    ("name", "unit", "word"), [("turm", "degrees", "turm"), ("turn", "ms", "turn"), ("turn", "degrees", "twice")]
)
def test_a_number_of_an_engine_is_for_something_that_is_judged(name: str, unit: str, word: str) -> None:
    """An unknown name, another unit or a second value for one engine is refused."""
    more = (
        f'[[threshold]]\nname = "{name}"\nengine = "dnn"\nvalue = 1\nunit = "{unit}"\nmodel = "sface"\nsource = "x"\n'
    )
    with pytest.raises(ManifestError, match=word):
        manifest.parse(SHIPPED + b"\n" + more.encode())


def test_no_host_stands_in_the_manifest() -> None:
    """Wheels are named by package, version and hash: which index serves them is the machine's own setting."""
    assert b"://" not in SHIPPED
    assert not re.search(rb"\b[a-z0-9-]+\.(org|com|net|io|dev)\b", SHIPPED)


def test_the_signed_policy_goes_before_the_manifest(listed: Manifest) -> None:
    """A policy's threshold replaces ours; a name that we do not know is not ours to judge by."""
    ours = limits(listed, {"match": 450, "of_another_engine": 1})
    assert ours.match == 450
    assert ours.pad == listed.thresholds["pad"].value


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        (b"version = 1", b"version = 2", "version"),
        (b"size = 122489", b"size = -1", "yunet"),
        (b"size = 122489", b"size = true", "yunet"),
        (b'sha256 = "49f0', b'sha256 = "49F0', "yunet"),
        (b'use = "detector"', b'use = "oracle"', "yunet"),
        (b'file = "MiniFASNetV2.onnx"', b'file = "../MiniFASNetV2.onnx"', "minifasnet_export"),
        (b'member = "skimage/data/astronaut.png"', b'member = "skimage/../../etc/passwd"', "portrait"),
        (b'kind = "bundled"', b'kind = "mirror"', "yunet"),
        (b'name = "sface"', b'name = "yunet"', "yunet"),
        (b"required = true", b"required = true\ncolour = 1", "colour"),
        (b'unit = "permille"', b'unit = "miles"', "match"),
    ],
)
def test_a_changed_line_is_named(old: bytes, new: bytes, word: str) -> None:
    """The refusal says which entry is wrong."""
    assert old in SHIPPED
    with pytest.raises(ManifestError, match=word):
        manifest.parse(SHIPPED.replace(old, new, 1))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_manifest_or_a_manifest_error(data: bytes) -> None:
    """Only our own error leaves the parser."""
    with pytest.raises(ManifestError):
        manifest.parse(data)


@given(st.integers(0, len(SHIPPED) - 1), st.binary(max_size=3))
def test_a_manifest_with_a_hole_is_read_whole_or_refused(at: int, patch: bytes) -> None:
    """Whatever is done to one place, nothing but `ManifestError` comes out."""
    try:
        read = manifest.parse(SHIPPED[:at] + patch + SHIPPED[at + 1 :])
    except ManifestError:
        return
    assert read.assets


def test_a_manifest_as_large_as_a_film_is_not_read() -> None:
    """The bound stands before the parser."""
    with pytest.raises(ManifestError, match="bytes"):
        manifest.parse(b"#" * (manifest.MAX_MANIFEST + 1))
