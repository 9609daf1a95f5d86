"""How the records of one learner stand: what waits to be sent, since when, and when something last arrived."""

from __future__ import annotations

from dataclasses import dataclass

from client.errors import FINAL
from client.sync.outbox import Outbox
from client.view import Sentence

MINUTE: int = 60_000
HOUR: int = 60 * MINUTE
DAY: int = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Standing:
    """`sent_at`: ms by the server of the last receipt, 0 before the first; `stuck`: sessions that go no further."""

    sessions: int = 0  # with records that the server does not have
    records: int = 0
    photos: int = 0  # bytes of sealed photos that wait
    sent_at: int = 0
    stuck: int = 0

    @property
    def waits(self) -> bool:
        """Whether anything is still to be sent."""
        return bool(self.sessions or self.photos)


def standing(outbox: Outbox) -> Standing:
    """How they stand now."""
    kept = outbox.sessions()
    waiting = [one for one in kept if one.cosigned < one.size and one.problem not in FINAL]
    return Standing(
        sessions=len(waiting),
        records=sum(one.size - one.cosigned for one in waiting),
        photos=outbox.photos_waiting(),
        sent_at=outbox.last_sent() * 1000,
        stuck=sum(one.problem in FINAL for one in kept),
    )


def sentences(found: Standing, now_ms: int) -> tuple[Sentence, ...]:
    """The same for people: when something was last sent, and what waits. `now_ms` is this machine's wall clock."""
    said = [_last(found.sent_at, now_ms)] if found.sent_at else [Sentence("sync.never")]
    if found.sessions:
        said.append(Sentence("sync.waiting", {"sessions": found.sessions, "records": found.records}))
    elif found.photos:
        said.append(Sentence("sync.photos_waiting"))
    else:
        said.append(Sentence("sync.all_sent"))
    if found.stuck:
        said.append(Sentence("sync.stuck", {"sessions": found.stuck}))
    return tuple(said)


def _last(sent_at: int, now_ms: int) -> Sentence:
    ago = max(0, now_ms - sent_at)  # a clock that is behind the server's says "just now"
    for length, key in ((DAY, "sync.sent_days"), (HOUR, "sync.sent_hours"), (MINUTE, "sync.sent_minutes")):
        if ago >= length:
            return Sentence(key, {"count": ago // length})
    return Sentence("sync.sent_now")
