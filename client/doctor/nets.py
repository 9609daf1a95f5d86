"""The way to the server: the proxy, the server itself by one `health`, and this computer's clock against its."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from client.config import Config
from client.doctor.found import Found
from client.errors import ClientError
from client.ports import Transport

SKEW_MS: Final = 120_000  # a wrong clock costs nobody anything, but it is worth telling
TIMEOUT: Final = (3.0, 5.0)  # seconds to connect, and until something comes
TOTAL: Final = 10.0  # seconds in all
PROXIES: Final = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


def wall_ms() -> int:
    """This computer's clock, ms since the epoch."""
    return time.time_ns() // 1_000_000


def look(config: Config, *, wall: Callable[[], int] = wall_ms, transport: Transport | None = None) -> Iterator[Found]:
    """Proxy, server, clock, in this order."""
    yield proxy(config)
    from client.sync.transport import HttpTransport

    own = transport is None
    link = HttpTransport.of(config, timeout=TIMEOUT, total=TOTAL) if transport is None else transport
    try:
        yield from _server(config, link, wall)
    finally:
        if own and isinstance(link, HttpTransport):
            link.close()


def proxy(config: Config, environment: Mapping[str, str] | None = None) -> Found:
    """The proxy of the settings, if any; the environment's is never used, which is worth knowing."""
    if not config.proxy:
        named = any((os.environ if environment is None else environment).get(name) for name in PROXIES)
        return Found("proxy", "ignored", "warn") if named else Found("proxy", "good")
    parts = urlsplit(config.proxy)
    facts = {"address": f"{parts.hostname}:{parts.port}"}
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=TIMEOUT[0]).close()
    except OSError:
        return Found("proxy", "unreachable", "fail", facts)
    return Found("proxy", "reached", facts=facts)


def _server(config: Config, transport: Transport, wall: Callable[[], int]) -> Iterator[Found]:
    from client.sync.api import Api, field

    try:
        said = Api(transport).json("GET", "/v1/health")
        name, skew = field(said, "server", str), wall() - field(said, "time", int)
    except ClientError as error:
        yield Found(
            "server", "unreachable", "warn", {"address": config.server, "why": str(error).rpartition(": ")[2][:80]}
        )
        yield Found("clock", "unknown", "warn")
        return
    yield Found("server", "good", facts={"name": name[:100], "version": str(said.get("version", ""))[:20]})
    if abs(skew) > SKEW_MS:
        yield Found("clock", "off", "warn", {"seconds": skew // 1000})
    else:
        yield Found("clock", "good")
