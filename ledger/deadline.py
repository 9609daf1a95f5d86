"""An exchange with another machine that ends: so many seconds in all, however slowly the other side drips.

A socket's timeout bounds one wait: a peer that sends (or takes) a byte just before each of them ends holds us for good.
The sockets made here cut every wait to what is left of the whole: connecting, the TLS handshake, sending, header and
body. Any HTTP library can be given them; the client's and the server's are.
"""

from __future__ import annotations

import math
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

PIECE: Final = 64 * 1024  # bytes that are given to the system at once


class Deadline:
    """When the exchange that runs has to be over; its sockets serve one exchange after the other. For one thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._began, self._until = clock, 0.0, math.inf

    def begin(self, seconds: float) -> None:
        """An exchange begins that lasts no longer than `seconds` from now, or goes on that long from now."""
        self._began = self._clock()
        self._until = self._began + seconds

    def extend(self, seconds: float) -> None:
        """The exchange that runs may last `seconds` from where it began, and no less than was said before."""
        self._until = max(self._until, self._began + seconds)

    def cut(self, wait: float | None) -> float | None:
        """How long to wait now: `wait` s (None: without end) or what is left; `TimeoutError` once nothing is."""
        left = self._until - self._clock()
        if left <= 0:
            raise TimeoutError("no whole answer in the time that it has")
        if left == math.inf:
            return wait
        return left if wait is None else min(wait, left)

    def connect(self, host: str, port: int, wait: float | None, options: Iterable[tuple[Any, ...]] = ()) -> Socket:
        """A connection to `host`, each of its addresses tried for `wait` s at most; `OSError` where none answers."""
        failed: OSError = OSError("the name has no address")
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError as error:
            raise OSError("no name of a machine") from error
        for family, kind, protocol, _, address in found:
            made = Socket(family, kind, protocol)
            try:
                made.deadline = self
                for option in options:
                    made.setsockopt(*option)
                made.settimeout(wait)
                made.connect(address)
            except OSError as error:
                made.close()
                failed = error
            else:
                return made
        raise failed

    def over(self, context: ssl.SSLContext) -> ssl.SSLContext:
        """`context`, whose connections keep this deadline from now on, the handshake included."""
        context.sslsocket_class = TlsSocket
        context.deadline = self  # type: ignore[attr-defined]
        return context


class Socket(socket.socket):
    """A connection, each of whose waits ends with its deadline. `deadline`: None, without one."""

    deadline: Deadline | None = None
    _each: float | None = None

    def settimeout(self, value: float | None) -> None:
        """Seconds of one wait."""
        self._each = value
        super().settimeout(value)

    def gettimeout(self) -> float | None:
        """What `settimeout` was told, not what was left of it at the last wait."""
        return self._each

    def connect(self, address: Any) -> None:
        """As of every socket."""
        self._arm()
        super().connect(address)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """As of every socket."""
        self._arm()
        return super().recv(buflen, flags)

    def recv_into(self, buffer: WriteableBuffer, nbytes: int | None = None, flags: int = 0) -> int:
        """As of every socket."""
        self._arm()
        return super().recv_into(buffer, nbytes or memoryview(buffer).nbytes, flags)

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        """As of every socket."""
        self._arm()
        return super().send(data, flags)

    def sendall(self, data: ReadableBuffer, flags: int = 0) -> None:
        """All of it; the seconds of one wait are those of a piece, not of the whole: a slow line is no silent one."""
        with memoryview(data) as view, view.cast("B") as octets:
            sent = 0
            while sent < len(octets):
                sent += self.send(octets[sent : sent + PIECE], flags)

    def _arm(self) -> None:
        if self.deadline is not None:
            super().settimeout(self.deadline.cut(self._each))


class TlsSocket(Socket, ssl.SSLSocket):
    """The same inside TLS; made by the context that `Deadline.over` prepared, and by nothing else."""

    def do_handshake(self, block: bool = False) -> None:
        """As of every TLS socket: it may take the seconds of one wait, or what is left of the whole."""
        self.deadline = self.context.deadline  # type: ignore[attr-defined]
        self._arm()
        super().do_handshake(block)
