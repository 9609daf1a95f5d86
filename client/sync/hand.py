"""Raising one's hand: a person of the school is asked for while the lesson goes on; in no record (docs/http-api.md)."""

from __future__ import annotations

from client.errors import BadAnswerError
from client.sync.api import Api, field


def put(api: Api, sid: str, *, up: bool) -> None:
    """Raise or lower the hand of one's own open session `sid`.

    `NetworkError` offline; `ServerRefusedError` for a session that is over or somebody else's.
    """
    if field(api.json("POST", f"/v1/sessions/{sid}/hand", {"up": up}), "up", bool) is not up:
        raise BadAnswerError("the hand is not as it was asked for")
