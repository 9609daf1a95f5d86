"""The way to another machine over HTTP: one request, one answer, both bounded. The only home of `http.client` here.

It follows no redirect, keeps no connection, and waits no longer than so many seconds in all, however slowly the other
side drips. Nothing that comes back is believed here.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from ledger.deadline import Deadline

AT_ONCE: Final = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)  # the body follows the header without a pause


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `headers`: names in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


@dataclass(frozen=True, slots=True)
class Patience:
    """How much of an answer is waited for."""

    total_s: float  # of the whole exchange, from the first address that is tried to the last byte
    most: int  # bytes of the body
    each_s: float = 30.0  # without a single byte


def exchange(
    method: str, url: str, body: bytes, headers: Mapping[str, str], patience: Patience, *, framed: bool = False
) -> Reply:
    """One request and its whole answer, or `OSError`. `framed`: only an answer that says itself where it ends."""
    deadline = Deadline()
    deadline.begin(patience.total_s)
    try:
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        with contextlib.closing(_connection(parts, deadline, min(patience.each_s, patience.total_s))) as line:
            line.request(method, path, body or None, dict(headers))
            return _answer(line.getresponse(), patience.most, framed)
    except OSError:  # also a certificate that is not trusted, which is a ValueError as well
        raise
    except (http.client.HTTPException, ValueError) as error:
        raise OSError(f"no whole HTTP answer: {type(error).__name__}") from error


def _answer(response: http.client.HTTPResponse, most: int, framed: bool) -> Reply:
    if framed and response.length is None and not response.chunked:
        raise OSError("the answer does not say how long it is: cut or whole look alike")
    data = bytearray()
    while chunk := response.read1(1 << 16):
        data += chunk
        if len(data) > most:
            raise OSError(f"the answer is too long: more than {most} bytes")
    if response.length:  # the sender promised more than came
        raise OSError(f"the answer was cut {response.length} bytes before its end")
    return Reply(response.status, bytes(data), {name.lower(): value for name, value in response.getheaders()})


def _connection(parts: SplitResult, deadline: Deadline, each_s: float) -> http.client.HTTPConnection:
    """A connection that keeps the deadline, made already."""
    host, port = parts.hostname or "", parts.port
    if parts.scheme not in ("http", "https") or not host:
        raise OSError("an address begins with https:// (or http:// on this machine) and names a host")
    if parts.scheme == "http":
        plain = http.client.HTTPConnection(host, port, each_s)
        plain.sock = deadline.connect(host, plain.port, each_s, AT_ONCE)
        return plain
    context = deadline.over(ssl.create_default_context())
    context.set_alpn_protocols(["http/1.1"])
    secret = http.client.HTTPSConnection(host, port, timeout=each_s, context=context)
    line = deadline.connect(host, secret.port, each_s, AT_ONCE)
    secret.sock = context.wrap_socket(line, server_hostname=host)
    return secret
