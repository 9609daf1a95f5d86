"""One request, one whole answer: whatever another machine sends, it is that or `OSError`."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server_stub import asking
from server_stub.asking import Reply, Wire
from tests.tries import tries


@contextlib.contextmanager
def saying(data: bytes) -> Iterator[str]:
    """A machine that answers this to one request, whatever it is, and hangs up; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            line, _ = listening.accept()
            with line, contextlib.suppress(OSError):
                line.recv(65_536)
                line.sendall(data)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def test_a_whole_answer_comes_as_it_is() -> None:
    """Status, bytes and headers; a redirect is an answer, and followed nowhere."""
    with saying(b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/\r\nContent-Length: 2\r\n\r\n{}") as url:
        reply = Wire(url).ask("GET", "/v1/health")
    assert (reply.status, reply.json(), reply.headers["location"]) == (302, {}, "http://elsewhere.example/")


@pytest.mark.parametrize("data", [
    b"", b"no HTTP at all\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n", b"HTTP/1.1 200 OK\r\nContent-Le",
])  # fmt: skip
def test_an_answer_that_is_cut_is_none(data: bytes) -> None:
    """Fewer bytes than were promised are not taken for all of them."""
    with saying(data) as url, pytest.raises(OSError, match=r"\w"):
        Wire(url).ask("GET", "/")


def test_an_answer_without_end_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than the most is not even held."""
    monkeypatch.setattr(asking, "MOST", 1_000)
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + bytes(2_000)
    with saying(data) as url, pytest.raises(OSError, match="too long"):
        Wire(url).ask("GET", "/")


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "http://", "https://user:word@host.example", "host.example"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(OSError, match="address"):
        Wire(url)


def test_json_that_is_none_is_none() -> None:
    """Deep, broken or no UTF-8: nothing leaves but None."""
    assert [Reply(200, data).json() for data in (b"[" * 100_000, b"{", b"\xff", b"1")] == [None, None, None, 1]


@settings(max_examples=tries(40), deadline=None)
@given(st.binary(max_size=200))
def test_whatever_a_machine_says_is_an_answer_or_oserror(data: bytes) -> None:
    with saying(data) as url, contextlib.suppress(OSError):
        Wire(url, patience_s=20).ask("GET", "/")
