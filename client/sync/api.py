"""The server's answers, read strictly: JSON of the expected fields, bytes of the expected hash, or an error of ours."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from client.errors import BadAnswerError, ServerRefusedError, SignedOutError
from client.ports import Reply, Transport
from client.profile import append_private, disk, sync_folder, write_private

MAX_JSON: Final = 4 << 20
MAX_NUMBER: Final = 2**53 - 1  # RFC 8259, section 6; as ms: 285,000 years
PIECE: Final = 4 << 20
MAX_DOWNLOAD: Final = 4 << 30  # bytes of one file: eight hours of a lesson's picture have less
LONGEST_S: Final = 1800
NO_PIECE: Final = 416  # HTTP: the file ends before the piece asked for
SIGN_IN_AGAIN: Final = "TS-S-015"  # the token is good; what was asked for needs a sign-in of minutes ago


class Api:
    """Requests to one server, in the name of `token` where there is one."""

    def __init__(self, transport: Transport, token: str = "") -> None:
        self._transport = transport
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def over(self, transport: Transport) -> Api:
        """The same rights by another connection: each thread has its own."""
        other = Api(transport)
        other._headers = dict(self._headers)
        return other

    def raw(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """One exchange; an error of the server becomes `ServerRefusedError` or `SignedOutError`."""
        reply = self._transport.send(method, path, body, {**self._headers, **(headers or {})})
        if reply.status in (200, 206):
            return reply
        raise refusal(reply)

    def json(self, method: str, path: str, body: Mapping[str, Any] | None = None, **headers: str) -> dict[str, Any]:
        """One exchange of JSON objects; header names are given with `_` for `-`."""
        data = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = {"Content-Type": "application/json"} if data else {}
        return read_json(self.raw(method, path, data, {**kind, **named}).body)

    def text(self, path: str, body: bytes, **headers: str) -> bytes:
        """Post a note."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.raw("POST", path, body, {"Content-Type": "text/plain; charset=utf-8", **named}).body

    def long(self, path: str) -> bytes:
        """The bytes at `path`, which may be many: as long as they keep coming, half an hour at most."""
        return self.raw("GET", path, headers={"Prefer": f"wait={LONGEST_S}"}).body

    def hashed(self, path: str, digest: str) -> bytes:
        """The bytes at `path`, which hash to `digest`, or `BadAnswerError`."""
        data = self.raw("GET", path).body
        if sha256(data).hexdigest() != digest:
            raise BadAnswerError(f"{path}: other bytes than {digest[:12]}…")
        return data

    def download(
        self, path: str, digest: str, target: Path, told: Callable[[int], None] = lambda _done: None
    ) -> Path:
        """Have the file at `path`, which hashes to `digest`, at `target`: piece by piece, kept only when right.

        What came before the network failed (or the power) is not asked for again. `told(done)` in bytes.
        """
        if target.exists() and file_digest(target) == digest:
            return target
        part = target.with_name(f".{target.name}.part")
        began = _length(part)
        self._pieces(path, part, told)
        if file_digest(part) != digest and began:
            part.unlink()  # what lay here was another file's beginning
            self._pieces(path, part, told)
        if file_digest(part) != digest:
            part.unlink()
            raise BadAnswerError(f"{path}: other bytes than {digest[:12]}…")
        with disk(str(target)):
            part.replace(target)
            sync_folder(target.parent)
        return target

    def _pieces(self, path: str, part: Path, told: Callable[[int], None]) -> None:
        """Every piece from the end of `part` on, each on the disk before the next is asked for."""
        while True:
            done = _length(part)
            told(done)
            span = {"Range": f"bytes={done}-{done + PIECE - 1}"}
            reply = self._transport.send("GET", path, b"", {**self._headers, **span})
            if reply.status == NO_PIECE and done:
                return
            if reply.status not in (200, 206):
                raise refusal(reply)
            if reply.status == 200:
                write_private(part, reply.body)
                return
            if len(reply.body) > PIECE or done + len(reply.body) > MAX_DOWNLOAD:
                part.unlink(missing_ok=True)
                raise BadAnswerError(f"{path}: more bytes than were asked for, or than any file has")
            append_private(part, reply.body)
            if len(reply.body) < PIECE:
                return


def _length(path: Path) -> int:
    with disk(str(path)):
        return path.stat().st_size if path.exists() else 0


def file_digest(path: Path) -> str:
    """SHA-256 of a file, however long."""
    with disk(str(path)), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(data: bytes) -> dict[str, Any]:
    """A JSON object from the network, or `BadAnswerError`."""
    if len(data) > MAX_JSON:
        raise BadAnswerError(f"an answer of {len(data)} bytes")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadAnswerError("an answer that is no JSON") from error
    if not isinstance(value, dict):
        raise BadAnswerError("an answer that is no JSON object")
    return value


def field(value: Mapping[str, Any], name: str, kind: type, default: Any = None) -> Any:
    """`value[name]` if it is of `kind`, or `BadAnswerError`; a number is one that every JSON reader holds exactly."""
    found = value.get(name, default)
    if not isinstance(found, kind) or (kind is int and not _is_number(found)):
        raise BadAnswerError(f"an answer without {name!r}")
    return found


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and abs(value) <= MAX_NUMBER


def refusal(reply: Reply) -> ServerRefusedError | SignedOutError:
    """The error that a reply with an error status states; a body that says nothing useful is no reason to fall."""
    try:
        said = read_json(reply.body)
    except BadAnswerError:
        said = {}
    code, message, remedy, zh = (str(said.get(name, ""))[:500] for name in ("code", "message", "remedy", "zh"))
    if reply.status == 401:
        said_so = (remedy, zh) if code == SIGN_IN_AGAIN else ("", "")
        return SignedOutError(message or "the token has ended", *said_so)
    return ServerRefusedError(reply.status, code or "?", message, remedy=remedy, zh=zh, extra=said)
