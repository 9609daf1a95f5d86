"""Roots that an administrator added: real certificates are named, and no file in that folder breaks the look."""

from __future__ import annotations

import datetime
import tempfile
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors.linux.networks import FOLDERS, Networks, subjects
from agent.engine import Engine
from agent.tables import NetworkRow


def certificate(name: str, form: serialization.Encoding = serialization.Encoding.DER) -> bytes:
    """A root of one's own, as an inspection proxy makes it."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    day = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(7).not_valid_before(day).not_valid_after(day.replace(year=2036))
    )  # fmt: skip
    return made.sign(key, None).public_bytes(form)


@pytest.mark.parametrize("form", [serialization.Encoding.DER, serialization.Encoding.PEM])
def test_an_added_root_is_named(form: serialization.Encoding, tmp_path: Path, engine: Engine) -> None:
    """The root of an inspection proxy is reported, a company's is not; the folder may hold other things."""
    folder = tmp_path / FOLDERS[0].lstrip("/")
    folder.mkdir(parents=True)
    (folder / "README").write_text("none here", "ascii")
    (folder / "hospital.crt").write_bytes(certificate("City Hospital Root", form))
    (row,) = Networks(tuple, {}, str(tmp_path)).collect(0)
    assert isinstance(row, NetworkRow)
    assert row.roots == ("CN=City Hospital Root",)
    assert engine.judge([row]) == ()
    (folder / "mitm.crt").write_bytes(certificate("mitmproxy", form))
    rules = {found.rule for found in engine.judge(Networks(tuple, {}, str(tmp_path)).collect(0))}
    assert rules == {"tls.inspection-root"}


def test_a_certificate_of_an_unknown_version_is_no_root() -> None:
    """Version 8 in an otherwise whole certificate: named by nobody, and the look goes on."""
    data = certificate("x")
    bent = data.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07", 1)
    assert bent != data
    assert read(bent) == []


@given(st.binary(max_size=80), st.integers(0, 220))
def test_any_file_is_a_certificate_or_nothing(noise: bytes, at: int) -> None:
    """Noise, and a certificate with noise written over it, as DER and as PEM."""
    for good in (certificate("x"), certificate("x", serialization.Encoding.PEM)):
        for data in (noise, good[:at] + noise + good[at + len(noise) :]):
            assert all(isinstance(name, str) for name in read(data))


def read(data: bytes) -> list[str]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        return list(subjects(Path(file.name)))
