"""The keys of an encrypted course: fetched with a session, held in memory, forgotten with it (docs/courses.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from client.errors import BadAnswerError, NetworkError
from client.sync.api import Api, field
from ledger.content import key_id

MAX_KEYS: Final = 256
TRIES: Final = 3
_KEY: Final = re.compile(r"[0-9a-f]{64}")


class ContentKeys(Mapping[str, bytes]):
    """Keys by name, for the player to look into. They are in no file, no log and no error message."""

    def __init__(self) -> None:
        self._keys: dict[str, bytes] = {}

    def __getitem__(self, name: str) -> bytes:
        return self._keys[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        """How many, and not which."""
        return f"<{len(self._keys)} content keys>"

    def fetch(self, api: Api, sid: str) -> None:
        """Have the keys that the server releases for this session, or raise the network's errors."""
        for attempt in range(1, TRIES + 1):
            try:
                answer = api.json("GET", f"/v1/sessions/{sid}/content-key")
                break
            except NetworkError:
                if attempt == TRIES:
                    raise
        self._keys = parse_answer(answer)

    def forget(self) -> None:
        """The lesson is over: nothing more can be decrypted."""
        self._keys = {}


def parse_answer(answer: Mapping[str, Any]) -> dict[str, bytes]:
    """Keys by name from the server's answer, each named by its own hash, or `BadAnswerError`."""
    listed = field(answer, "keys", list)
    if len(listed) > MAX_KEYS:
        raise BadAnswerError(f"{len(listed)} content keys")
    found: dict[str, bytes] = {}
    for item in listed:
        if not isinstance(item, str) or not _KEY.fullmatch(item):
            raise BadAnswerError("a content key is 64 hex digits")
        key = bytes.fromhex(item)
        found[key_id(key)] = key
    return found
