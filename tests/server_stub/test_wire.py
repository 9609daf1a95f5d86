"""Another machine that drips holds no thread of the server, and no program that asks one, longer than it may."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from server_stub.asking import Wire
from server_stub.storage import providers, province, witnessed
from server_stub.storage.providers import HttpWeb
from server_stub.storage.province import HttpProvince
from server_stub.storage.witnessed import HttpWitnesses
from server_stub.wire import Patience, exchange
from tests import dripping
from tests.dripping import DROPS, TOTAL_S, Peer, certificate, peer


@pytest.mark.parametrize("part", dripping.ANSWERS)
def test_attack_a_server_that_drips(part: Callable[..., None]) -> None:
    """`follow` and `conformance`: header, interim answers, body, chunks, trailer; the whole has its seconds."""
    with peer(part) as machine, pytest.raises(OSError, match="time"):
        Wire(machine.url, 60, TOTAL_S).ask("GET", "/log/one/checkpoint")
    assert machine.drops < DROPS / 2


def test_attack_a_handshake_that_drips() -> None:
    """Before a single byte of ours is sent."""
    with peer(dripping.handshake) as machine, pytest.raises(OSError, match=r"\w"):
        Wire(machine.url.replace("http:", "https:"), 60, TOTAL_S).ask("GET", "/")
    assert machine.drops < DROPS / 2


@pytest.mark.parametrize("secret", [False, True])
def test_attack_a_server_that_reads_a_byte_at_a_time(
    secret: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sent is bounded as well, plain or inside TLS."""
    tls, trusted = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with peer(dripping.reader, tls if secret else None) as machine, pytest.raises(OSError, match="time"):
        Wire(machine.url, 60, TOTAL_S).ask("POST", "/v1/segments", bytes(32 << 20))
    assert machine.drops < DROPS / 2


@pytest.mark.parametrize("part", dripping.ANSWERS)
def test_attack_a_witness_a_province_and_a_provider_that_drip(
    part: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those whom a server that serves asks itself: no request of a learner waits behind them for long."""
    for module in (witnessed, province, providers):
        monkeypatch.setattr(module, "PATIENCE_S", TOTAL_S)
    asked: list[Callable[[Peer], object]] = [
        lambda machine: HttpWitnesses().add_checkpoint(machine.url, b"a checkpoint\n"),
        lambda machine: HttpProvince(machine.url).echo(b"a checkpoint\n"),
        lambda machine: HttpWeb(lambda _urls: None).get(f"{machine.url}/.well-known/openid-configuration"),
    ]
    for ask in asked:
        with peer(part) as machine, pytest.raises(OSError, match="time"):
            ask(machine)
        assert machine.drops < DROPS / 2


def test_tls_is_verified_and_an_answer_comes_inside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the authorities of the system, for the name that was asked for."""

    def answer(_peer: Peer, line: object) -> None:
        line.recv(65_536)  # type: ignore[attr-defined]
        line.sendall(dripping.OK)  # type: ignore[attr-defined]

    tls, trusted = certificate(tmp_path)
    with peer(answer, tls) as machine:
        with pytest.raises(OSError, match=r"(?i)certificate"):
            exchange("GET", machine.url, b"", {}, Patience(60, 100))
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        assert exchange("GET", f"{machine.url}/a?b=c", b"", {}, Patience(60, 100)).json() == {}
        with pytest.raises(OSError, match=r"(?i)certificate|mismatch"):
            exchange("GET", machine.url.replace("127.0.0.1", "localhost"), b"", {}, Patience(60, 100))


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "http://", "http://h:port/", "http://[::1", "http://h/a b"])
def test_what_is_no_address_is_an_oserror(url: str) -> None:
    """Whatever an operator typed, or a provider named."""
    with pytest.raises(OSError, match=r"\w"):
        exchange("GET", url, b"", {}, Patience(1, 100))
