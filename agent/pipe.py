"""The pipe between client and agent: what was not written by the other end, in this order, is refused.

A frame is `u32be n`, 32 bytes HMAC-SHA-256, n bytes of canonical JSON {"body": …, "kind": …, "seq": …}. Each direction
has its own key, derived from 32 random bytes that the client hands over through the child's stdin and nowhere else.
The codec does no I/O; `Sealer` and `Opener` raise `FrameError`, `MacError` or `SequenceError` and are then dead.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

from agent.errors import FrameError, MacError, PipeError, SequenceError
from agent.messages import Message, fields_of, parse_message
from ledger import canonical
from ledger.errors import CanonicalError

KEY_BYTES: Final = 32
MAC_BYTES: Final = 32
HEAD_BYTES: Final = 4 + MAC_BYTES
MAX_FRAME: Final = 32 * 1024  # a finding with all its words has about 3 KiB
TO_CLIENT: Final = b"agent to client"
TO_AGENT: Final = b"client to agent"


def direction_key(key: bytes, direction: bytes) -> bytes:
    """The key of one direction: a message cannot be turned around and sent back."""
    if len(key) != KEY_BYTES:
        raise FrameError(f"a pipe key of {len(key)} bytes, not {KEY_BYTES}")
    return hmac.digest(key, b"trueseat/agent-pipe/v1\n" + direction, hashlib.sha256)


class Sealer:
    """Writes the frames of one direction."""

    def __init__(self, key: bytes, direction: bytes) -> None:
        self._key = direction_key(key, direction)
        self._seq = 0

    def seal(self, message: Message) -> bytes:
        """The next frame, or `FrameError` when a field cannot be carried."""
        try:
            data = canonical.encode(
                {"body": fields_of(message), "kind": message.kind, "seq": self._seq}, limit=MAX_FRAME
            )
        except CanonicalError as error:
            raise FrameError(f"message {message.kind} cannot be carried: {error}") from error
        self._seq += 1
        head = len(data).to_bytes(4, "big")
        return head + hmac.digest(self._key, head + data, hashlib.sha256) + data


class Opener:
    """Reads the frames of one direction from whatever pieces the pipe delivers."""

    def __init__(self, key: bytes, direction: bytes, known: Mapping[str, type[Message]]) -> None:
        self._key = direction_key(key, direction)
        self._known = known
        self._seq = 0
        self._rest = b""
        self._dead: PipeError | None = None

    def feed(self, data: bytes) -> list[Message]:
        """Return the messages that `data` completes; after the first refusal every call raises it again."""
        if self._dead is not None:
            raise self._dead
        self._rest += data
        messages = []
        try:
            while (frame := self._next_frame()) is not None:
                messages.append(self._open(*frame))
        except PipeError as error:
            self._dead = error
            raise
        return messages

    def _next_frame(self) -> tuple[bytes, bytes, bytes] | None:
        if len(self._rest) < 4:
            return None
        size = int.from_bytes(self._rest[:4], "big")
        if not 0 < size <= MAX_FRAME:
            raise FrameError(f"a frame of {size} bytes, more than {MAX_FRAME}")
        end = HEAD_BYTES + size
        if len(self._rest) < end:
            return None
        head, mac, body = self._rest[:4], self._rest[4:HEAD_BYTES], self._rest[HEAD_BYTES:end]
        self._rest = self._rest[end:]
        return head, mac, body

    def _open(self, head: bytes, mac: bytes, data: bytes) -> Message:
        if not hmac.compare_digest(mac, hmac.digest(self._key, head + data, hashlib.sha256)):
            raise MacError("a frame was not written by the other end")
        try:
            frame = canonical.decode(data, limit=MAX_FRAME)
        except CanonicalError as error:
            raise FrameError(f"a frame is malformed: {error}") from error
        if set(frame) != {"body", "kind", "seq"} or frame["seq"] != self._seq or isinstance(frame["seq"], bool):
            raise SequenceError(f"frame {str(frame.get('seq'))[:20]} came where {self._seq} was due")
        self._seq += 1
        return parse_message(frame["kind"], frame["body"], self._known)
