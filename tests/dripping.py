"""Machines that keep a line busy and never come to an end: what holds whoever bounds each wait and not the whole.

Each one drips for twenty seconds at the least and then behaves, so that a reader without a bound has an answer to show,
and no test waits for ever.
"""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DROP_S = 0.05
DROPS = 400  # twenty seconds
TOTAL_S = 0.4  # what a test gives a whole exchange
HELLO = b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb\x03\x03"  # TLS: a ServerHello of 16 KiB begins
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Peer:
    """One listening socket; `part` is how it behaves on every connection. `drops`: bytes that went, or came, singly."""

    def __init__(self, part: Callable[[Peer, socket.socket], None], tls: ssl.SSLContext | None = None) -> None:
        self._part, self._tls = part, tls
        self.drops, self._end, self._lines = 0, threading.Event(), []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.port = self._listening.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def wait(self) -> bool:
        """The pause before the next drop; True when the test is over."""
        self.drops += 1
        return self._end.wait(DROP_S)

    def drip(self, line: socket.socket, data: bytes) -> None:
        """Send byte by byte."""
        for at in range(len(data)):
            line.sendall(data[at : at + 1])
            if self.wait():
                return

    def close(self) -> None:
        """The test is over."""
        self._end.set()
        for line in [self._listening, *self._lines]:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = self._listening.accept()
                self._lines.append(line)
                threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._tls is not None:
                line = self._tls.wrap_socket(line, server_side=True)
                self._lines.append(line)
            with line:
                self._part(self, line)


@contextlib.contextmanager
def peer(part: Callable[[Peer, socket.socket], None], tls: ssl.SSLContext | None = None) -> Iterator[Peer]:
    """A machine of this kind, while the block lasts."""
    made = Peer(part, tls)
    try:
        yield made
    finally:
        made.close()


def _asked(line: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (piece := line.recv(65_536)):
            raise OSError("nobody asks any more")
        data += piece
    return data


def header(peer: Peer, line: socket.socket) -> None:
    """The header never ends."""
    _asked(line)
    line.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    peer.drip(line, b"x" * DROPS)
    line.sendall(OK[15:])


def go_on(peer: Peer, line: socket.socket) -> None:
    """Interim answers (100 Continue), one after the other."""
    _asked(line)
    for _ in range(DROPS):
        line.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if peer.wait():
            return
    line.sendall(OK)


def body(peer: Peer, line: socket.socket) -> None:
    """A body of a stated length, byte by byte."""
    _asked(line)
    line.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {DROPS}\r\n\r\n".encode())
    peer.drip(line, b" " * (DROPS - 2) + b"{}")


def chunks(peer: Peer, line: socket.socket) -> None:
    """A chunked body, whose chunks' very frames drip."""
    _asked(line)
    line.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    peer.drip(line, b"1\r\n \r\n" * (DROPS // 6))
    line.sendall(b"2\r\n{}\r\n0\r\n\r\n")


def trailer(peer: Peer, line: socket.socket) -> None:
    """After a chunked body, header lines without end."""
    _asked(line)
    line.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n")
    peer.drip(line, b"X: y\r\n" * (DROPS // 6))
    line.sendall(b"\r\n")


def handshake(peer: Peer, line: socket.socket) -> None:
    """A TLS handshake, byte by byte."""
    peer.drip(line, HELLO + bytes(DROPS))


def reader(peer: Peer, line: socket.socket) -> None:
    """It takes what is sent to it byte by byte."""
    for _ in range(DROPS):
        line.recv(1)
        if peer.wait():
            return


def proxy(peer: Peer, line: socket.socket) -> None:
    """A proxy whose answer to CONNECT never ends."""
    _asked(line)
    line.sendall(b"HTTP/1.1 200 Connection established\r\nX-Slow: ")
    peer.drip(line, b"x" * DROPS)
    line.sendall(b"\r\n\r\n")


ANSWERS = (header, go_on, body, chunks, trailer)


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's side of TLS for 127.0.0.1, and the file that a client trusts it by."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "drip")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    public, secret = folder / "server.pem", folder / "server.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ))  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, secret)
    return context, public
