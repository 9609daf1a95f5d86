"""A class as it studies now: who, how far, what to look at first; and what a supervisor can do about it.

The page is told of changes by server-sent events: one direction, plain text, no library.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import RedirectResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from server_stub.domain.duties import Right
from server_stub.domain.errors import ServerError, TooManyError
from server_stub.routes.web import SAFE, Acts, PageRoute, Reads, Visit, fragment
from server_stub.routes.words import WORDS

router = APIRouter(include_in_schema=False, route_class=PageRoute)
LOOK_EVERY_S: Final = 2.0
LASTS_S: Final = 600.0  # then the page asks again: nothing hangs for ever, and a right that ended ends the view
MAX_STREAMS: Final = 200


@router.get("/classes/{class_id}/live")
def live(visit: Reads, class_id: str, sent: str = "") -> Response:
    """The class now."""
    values = values_of(visit, class_id)
    may = {right.value for right in Right if visit.wired.office.may(visit.account, right, class_id)}
    return visit.show("live.html", **values, may=may, sent=sent in ("message", "pause", "notes") and sent)


@router.get("/classes/{class_id}/live/stream")
async def stream(visit: Reads, class_id: str) -> Response:
    """The same as it changes, as server-sent events: `{"head": html, "rows": {sid: html}, "said": {sid: text}, "order":
    [sid…], "look": how many to look at}`; `said` is the learner's line in the form for messages."""
    await run_in_threadpool(visit.wired.office.require, visit.account, Right.SEE, class_id)
    if not _Streams.enter():
        raise TooManyError("too many live pages are open", {"retry_after": 30})
    headers = SAFE | {"X-Accel-Buffering": "no"}
    return StreamingResponse(_changes(visit, class_id), media_type="text/event-stream", headers=headers)


async def _changes(visit: Visit, class_id: str) -> AsyncIterator[str]:
    try:
        known: dict[str, str] = {}
        rounds = int(LASTS_S / LOOK_EVERY_S)
        yield "retry: 2000\n\n"
        for _ in range(rounds):
            if await visit.request.is_disconnected():
                return
            try:
                news = await run_in_threadpool(_news, visit, class_id, known)
            except ServerError:  # signed out, or the duty ended
                yield "event: over\ndata: {}\n\n"
                return
            yield f"data: {json.dumps(news)}\n\n" if news else ": still here\n\n"
            await asyncio.sleep(LOOK_EVERY_S)
    finally:
        _Streams.leave()


@dataclass
class _Counter:
    """How many live pages are open in this process."""

    open: int = 0

    def enter(self) -> bool:
        """Whether one more may be."""
        if self.open >= MAX_STREAMS:
            return False
        self.open += 1
        return True

    def leave(self) -> None:
        """One less."""
        self.open -= 1


_Streams = _Counter()


def _news(visit: Visit, class_id: str, known: dict[str, str]) -> dict[str, Any]:
    """What changed since `known` (row → hash of its html), which is brought up to date; {} for nothing."""
    visit.wired.sign_in.who(visit.token, staff=True)
    values = values_of(visit, class_id)
    rows = {line.now.sid: _row(visit, line, values) for line in values["view"].lines}
    rows["head"] = fragment("live_head.html", visit.lang, **values)
    hashes = {name: hashlib.sha256(html.encode()).hexdigest() for name, html in rows.items()}
    changed = {name: rows[name] for name, digest in hashes.items() if known.get(name) != digest}
    order = [line.now.sid for line in values["view"].lines]
    if not changed and set(known) == set(hashes):
        return {}
    known.clear()
    known.update(hashes)
    head = changed.pop("head", None)
    word = WORDS[visit.lang]
    said = {line.now.sid: f"{line.person} · {word[f'look_{line.look.value}']}" for line in values["view"].lines}
    said = {sid: text for sid, text in said.items() if sid in changed}
    return {"head": head, "rows": changed, "said": said, "order": order, "look": values["view"].to_look_at}


def _row(visit: Visit, line: Any, values: dict[str, Any]) -> str:
    return fragment("live_row.html", visit.lang, line=line, **values)


def values_of(visit: Visit, class_id: str) -> dict[str, Any]:
    """What every page about a class now shows; the right to see it is asked for here."""
    wired = visit.wired
    classroom = wired.office.require(visit.account, Right.SEE, class_id)
    offset, titles = wired.overview.facts(class_id)
    day = 86_400_000
    now, shift = wired.clock(), offset * 60_000
    today = (now + shift) // day * day - shift
    view = wired.board.view(class_id, today, wired.overview.registered(class_id), wired.hands.up())
    units = {unit: names.get(visit.lang, unit) for unit, names in titles.items()}
    airings = [air for air in wired.broadcasts.airings(wired.overview.lessons(class_id)) if air.ends_ms > now]
    return {"view": view, "airings": airings, "classroom": classroom, "offset": offset, "units": units, "now": now,
            "origin": wired.logs.origin(class_id)}  # fmt: skip


@router.post("/classes/{class_id}/command")
def command(
    visit: Acts,
    class_id: str,
    sid: Annotated[str, Form(max_length=32)] = "",
    do: Annotated[str, Form(max_length=10)] = "",
    text: Annotated[str, Form(max_length=400)] = "",
) -> Response:
    """A message to one learner, or a pause; it goes with the next answer, within half a minute."""
    visit.wired.steering.command(visit.account, class_id, sid, do, text)
    visit.wired.hands.lower(sid)  # a word is an answer
    return RedirectResponse(f"/classes/{class_id}/live?sent={do}", 303)


@router.post("/classes/{class_id}/notes")
def hand_in(
    visit: Acts,
    class_id: str,
    text: Annotated[str, Form()] = "",
    file: Annotated[UploadFile | None, File()] = None,
    back: Annotated[str, Form(max_length=10)] = "live",
) -> Response:
    """Spot checks, identifications and verdicts that supervisors signed with their own keys, elsewhere."""
    data = file.file.read() if file is not None and file.size else text.encode()
    visit.wired.steering.hand_in(visit.account, class_id, data)
    return RedirectResponse(f"/classes/{class_id}/{'room' if back == 'room' else 'live'}?sent=notes", 303)
