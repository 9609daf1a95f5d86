"""Carries sealed photos up, apart from the records and after them: piece by piece, going on where the line broke."""

from __future__ import annotations

from typing import Final

from client.errors import BadAnswerError
from client.ports import Reply, Transport
from client.sync import api
from client.sync.outbox import KeptPhoto, Outbox

PIECE: Final = 32 * 1024  # a photo is one piece or two, so a broken line repeats little and records wait for little
UNWANTED: Final = (404, 410, 413, 422)  # no event that counts names it, it was erased there, it is not what was named


class PhotoQueue:
    """The sealed photos of one learner on their way; belongs to the uploader's thread."""

    def __init__(self, outbox: Outbox, transport: Transport) -> None:
        self._outbox, self._transport = outbox, transport
        self._have: dict[int, int] = {}  # photo → bytes that the server has of it

    def step(self) -> bool:
        """Send one piece of the oldest photo whose event is receipted; False when none waits.

        What the server has, or will never want, is not kept here any longer. Errors leave, and the photo stays.
        """
        waiting = self._outbox.photos()
        if not waiting:
            return False
        self._send(waiting[0])
        return True

    def _send(self, photo: KeptPhoto) -> None:
        start = self._have.get(photo.number, 0)
        piece = self._outbox.photo_piece(photo.number, start, PIECE)
        headers = {
            "Content-Range": f"bytes {start}-{start + len(piece) - 1}/{photo.length}",
            "Content-Type": "application/octet-stream",
        }
        reply = self._transport.send("PUT", f"/v1/sessions/{photo.sid}/evidence/{photo.eid}", piece, headers)
        if reply.status in UNWANTED or (reply.status == 200 and _said(reply, "kept", bool)):
            self._outbox.drop_photo(photo.number)
            self._have.pop(photo.number, None)
            return
        if reply.status not in (200, 409):
            raise api.refusal(reply)
        have = _said(reply, "have", int)
        if not 0 <= have < photo.length or have == start:
            raise BadAnswerError(f"the server wants byte {have} of a photo again and again")
        self._have[photo.number] = have


def _said(reply: Reply, name: str, kind: type) -> int:
    return int(api.field(api.read_json(reply.body), name, kind))
