"""The real server in this process behind the client's Transport port, and everything that a network can do to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fastapi.testclient import TestClient

from client.errors import NetworkError
from client.ports import Reply

Fault = str  # "drop request" | "drop answer" | "twice" | "500" | "corrupt"


@dataclass
class Simulator:
    """`Transport` onto an ASGI app. `down` answers nothing; `faults` are used up one an exchange that `hits` names."""

    http: TestClient
    down: bool = False
    faults: deque[Fault] = field(default_factory=deque)
    hits: Callable[[str, str], bool] = lambda _method, path: path.endswith("/segments")
    change: Callable[[Reply], Reply] | None = None  # what a forger does to answers that `hits` names
    delay: Callable[[], None] = lambda: None
    log: list[tuple[str, str, int]] = field(default_factory=list)

    def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """One exchange, as well as the script lets it."""
        if self.down:
            raise NetworkError(f"{method} {path}: down")
        hit = self.hits(method, path)
        fault = self.faults.popleft() if hit and self.faults else ""
        if fault == "drop request":
            raise NetworkError(f"{method} {path}: request lost")
        if fault == "500":
            return Reply(503, b'{"code": "TS-S-000", "message": "on fire"}')
        reply = self._ask(method, path, body, headers)
        if fault == "twice":
            again = self._ask(method, path, body, headers)
            assert (again.status, again.body) == (reply.status, reply.body), "the same request got another answer"
        if hit:
            self.delay()
        if fault == "drop answer":
            raise NetworkError(f"{method} {path}: answer lost")
        if fault == "corrupt":
            reply = Reply(reply.status, reply.body[:-20] + bytes(20), reply.headers)
        return self.change(reply) if self.change and hit else reply

    def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str] | None) -> Reply:
        response = self.http.request(method, path, content=body, headers=dict(headers or {}))
        self.log.append((method, path, response.status_code))
        return Reply(response.status_code, response.content, dict(response.headers))
