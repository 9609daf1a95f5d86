"""Events: the closed vocabulary is published as it is, and refuses everything beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger import canonical, events, schemas
from ledger.errors import EventError, FormatError
from ledger.events import VERBS, Event, Presence
from tests.ledger.builder import Classroom

DOCS = Path(__file__).parent.parent.parent / "docs"
GOOD = Event(3, 1, 2, "ab" * 16, "cd" * 16, Presence(1))


def test_the_published_schema_is_the_vocabulary() -> None:
    """docs/events.schema.json is what `python -m ledger schema` prints; run that when a verb changes."""
    assert (DOCS / "events.schema.json").read_text(encoding="utf-8") == schemas.text("events")


def test_every_verb_of_the_specification_is_there_and_no_other() -> None:
    """records.md, "Event": the table is closed."""
    assert set(VERBS) == {
        "opened", "played", "paused", "resumed", "focus", "presence", "cosigned", "asked", "ordered", "answered",
        "command", "finding", "heartbeat", "question", "consent", "fault", "note", "closed",
    }  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"verb": "absent"},
        {"verb": ["presence"]},
        {"v": 2},
        {"v": True},
        {"faces": None},
        {"faces": -1},
        {"faces": "1"},
        {"faces": True},
        {"extra": 1},
        {"sid": "AB" * 16},
        {"sid": "ab"},
        {"salt": ""},
        {"seq": -1},
        {"mono": 2**53},
    ],
    ids=str,
)
def test_an_event_that_is_not_of_the_table_is_refused(change: dict[str, object]) -> None:
    """Unknown verbs, another version, missing, extra or odd fields."""
    obj = {**canonical.decode(events.encode(GOOD)), **change}
    obj = {name: value for name, value in obj.items() if value is not None}
    with pytest.raises(FormatError):
        events.decode(canonical.encode(obj) if obj.get("mono") != 2**53 else str(obj).encode())


def test_a_missing_field_is_refused() -> None:
    """Every field is required, the common ones too."""
    obj = canonical.decode(events.encode(GOOD))
    for name in obj:
        with pytest.raises(EventError):
            events.decode(canonical.encode({key: value for key, value in obj.items() if key != name}))


def test_the_events_of_a_whole_session_come_back_as_they_were() -> None:
    """Reading and writing again gives the same bytes, so the hash that was signed stays the hash."""
    session = Classroom()
    studied = session.session(session.device(session.learner())).study(30_000).close()
    for data in studied.log:
        assert events.encode(events.decode(data)) == data
