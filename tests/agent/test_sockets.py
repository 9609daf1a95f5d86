"""Listening ports, proxies and added roots on Linux: real sockets, a real certificate, and hostile text instead."""

from __future__ import annotations

import datetime
import os
import socket
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import example, given
from hypothesis import strategies as st

from agent.collectors.linux.networks import FOLDERS, Networks
from agent.collectors.linux.processes import Processes
from agent.collectors.linux.sockets import Sockets, parse_listening
from agent.engine import Engine
from agent.errors import CollectorError
from agent.tables import NetworkRow, ProcessRow

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="left out: reads Linux's /proc")

HEAD = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
LINE = b"   0: 0100007F:2406 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 41234 1 0\n"


def test_a_listening_port_stands_in_its_program_s_row() -> None:
    """This very process listens; once it closes, the port is gone from the row."""
    sockets = Sockets()
    table = Processes(listen=lambda: sockets.listen)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        sockets.collect(0)
        (mine,) = [row for row in table.collect(0) if isinstance(row, ProcessRow) and row.pid == os.getpid()]
        assert f"127.0.0.1:{port}" in mine.listen
    sockets.collect(30_000)
    (mine,) = [row for row in table.collect(30_000) if isinstance(row, ProcessRow) and row.pid == os.getpid()]
    assert f"127.0.0.1:{port}" not in mine.listen


def test_both_families_are_read_as_people_write_them() -> None:
    """Little-endian groups, mapped addresses, and only what listens."""
    six = LINE.replace(b"0100007F:2406 00000000:0000", b"0" * 24 + b"01000000:2406 " + b"0" * 32 + b":0000")
    mapped = six.replace(b"0" * 24 + b"01000000", b"0000000000000000FFFF00000100007F")
    assert parse_listening(HEAD + LINE) == {41234: "127.0.0.1:9222"}
    assert parse_listening(HEAD + six) == {41234: "[::1]:9222"}
    assert parse_listening(HEAD + mapped) == {41234: "127.0.0.1:9222"}
    assert parse_listening(HEAD + LINE.replace(b" 0A ", b" 01 ")) == {}


@given(st.binary(max_size=400))
@example(HEAD + LINE.replace(b"41234", b"9" * 400))
@example(HEAD + LINE.replace(b"0100007F", b"zz"))
@example(HEAD + LINE.replace(b"2406", b"-1"))
def test_any_text_in_its_place_is_read_without_an_error(data: bytes) -> None:
    """Fuzz: what does not fit is left out."""
    for inode, address in parse_listening(HEAD + data).items():
        assert inode >= 0
        assert 0 < int(address.rpartition(":")[2]) < 65_536


def test_a_hidden_table_is_unknown(tmp_path: Path) -> None:
    """Never a guess."""
    with pytest.raises(CollectorError):
        Sockets(str(tmp_path)).collect(0)


def test_a_browser_with_a_debugging_port_is_reported(engine: Engine) -> None:
    """Even where its command line says nothing of it."""
    found = engine.judge([ProcessRow(name="chromium", cmdline="chromium", listen=("127.0.0.1:9222",))])
    assert [(finding.rule, finding.response) for finding in found] == [("driver.debug-listener", "report")]


def test_the_program_behind_a_local_proxy_is_named_and_its_password_is_not(tmp_path: Path, engine: Engine) -> None:
    """mitmdump on this machine: interception of our TLS. A proxy far away is none of our business."""
    tool = ProcessRow(name="mitmdump", cmdline="mitmdump -p 18080", listen=("127.0.0.1:18080",))
    local = Networks(lambda: [tool], {"HTTPS_PROXY": "http://li:secret@127.0.0.1:18080/"}, str(tmp_path))
    rows = local.collect(0)
    assert rows == [NetworkRow(proxy="http://127.0.0.1:18080/", listener="mitmdump mitmdump -p 18080")]
    assert engine.judge(rows)[0].response == "block"
    far = Networks(lambda: [tool], {"https_proxy": "http://proxy.hospital.example:3128"}, str(tmp_path)).collect(0)
    assert engine.judge(far) == ()
    assert Networks(lambda: [tool], {}, str(tmp_path)).collect(0) == []


@pytest.mark.parametrize(("name", "rules"), [("mitmproxy", ["tls.inspection-root"]), ("City Hospital Root", [])])
def test_an_added_root_is_read_by_its_subject(name: str, rules: list[str], tmp_path: Path, engine: Engine) -> None:
    """A real certificate where an administrator puts it; beside it files that are none."""
    folder = tmp_path / FOLDERS[0][1:]
    folder.mkdir(parents=True)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    day = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    built = x509.CertificateBuilder(subject, subject, key.public_key(), 1, day, day + datetime.timedelta(1))
    data = built.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    (folder / "root.crt").write_bytes(data)
    (folder / "broken.crt").write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    (folder / "readme").write_bytes(b"\xff\x00nothing")
    rows = Networks(list, {}, str(tmp_path)).collect(0)
    assert rows == [NetworkRow(roots=(f"CN={name}",))]
    assert [finding.rule for finding in engine.judge(rows)] == rules
