"""The records' database: what it keeps, what it refuses, and that only our own errors leave it."""

from __future__ import annotations

import sqlite3

import pytest

from client.errors import DiskError, LocalRecordsError
from client.profile import UnsafeFileSeal
from client.sync.logbook import Logbook, load_key, new_key, verified_tree
from client.sync.outbox import Outbox
from ledger import checkpoint, events
from ledger.events import Closed, Event, Heartbeat

SERVER = "test.trueseat.example"
SID = "0123456789abcdef" * 2
REGISTRATION = "fe" * 16
CLASS = f"{SERVER}/c/one"
BEAT = Heartbeat(1, 1, 1, "ab" * 32, "ab" * 32, "none")


@pytest.fixture
def outbox(tmp_path):
    return Outbox(tmp_path / "outbox.db")


@pytest.fixture
def book(outbox, tmp_path):
    signer = new_key(UnsafeFileSeal(tmp_path / "secrets"), SERVER, SID)
    outbox.ask(SID, REGISTRATION, CLASS, str(signer.vkey), b"cert")
    outbox.grant(SID, b"grant", "{}")
    return Logbook(outbox, SID, signer)


def test_a_cut_signs_exactly_what_is_durable(outbox, book):
    """The checkpoint covers all events, its root is theirs, and the next segment begins where it ends."""
    for _ in range(3):
        book.write(BEAT, 10, 20)
    assert book.cut() == 3
    assert book.cut() == 3, "nothing new is signed twice"
    book.write(BEAT, 11, 20)
    assert book.cut() == 4
    first, second = outbox.signed(SID)
    assert [(first.old, first.size), (second.old, second.size)] == [(0, 3), (3, 4)]
    point, _ = checkpoint.parse(second.note)
    assert point.root == verified_tree(outbox, SID).root()
    assert [events.decode(data).seq for data in outbox.events(SID)] == [0, 1, 2, 3]


def test_what_was_not_cut_is_lost_and_nothing_signed_is(outbox, book, tmp_path):
    """A crash between two cuts loses the events since the last one; the log goes on from what was signed."""
    book.write(BEAT, 10, 20)
    book.cut()
    book.write(BEAT, 11, 20)
    again = Logbook(Outbox(outbox.path), SID, load_key(UnsafeFileSeal(tmp_path / "secrets"), outbox.session(SID)))
    assert again.size == 1
    assert again.write(BEAT, 12, 20).seq == 1


def test_closed_is_noted_with_the_events(outbox, book):
    """The session's state changes in the same transaction as its last event."""
    book.write(BEAT, 10, 20)
    book.write(Closed("ended"), 10, 20)
    book.cut()
    assert outbox.session(SID).state == "closed"


def test_a_missing_event_is_noticed(outbox, book):
    """A hole in the sequence is refused before anything is sent or signed."""
    for _ in range(3):
        book.write(BEAT, 10, 20)
    book.cut()
    with sqlite3.connect(outbox.path) as db:
        db.execute("DELETE FROM event WHERE seq=1")
    with pytest.raises(LocalRecordsError, match="missing"):
        outbox.events(SID)


def test_a_forged_checkpoint_in_the_database_is_noticed(outbox, book):
    """A checkpoint that is not over these events makes the session unusable here, not a fork elsewhere."""
    book.write(BEAT, 10, 20)
    book.cut()
    with sqlite3.connect(outbox.path) as db:
        db.execute("UPDATE segment SET note=?", (b"nonsense",))
    with pytest.raises(LocalRecordsError):
        verified_tree(outbox, SID)


def test_the_last_word_on_a_consent_counts(outbox):
    """Given, then withdrawn: the withdrawal stands, in the order in which things were said."""
    for what, given in (("notice", True), ("face", True), ("face", False)):
        outbox.keep_consent(REGISTRATION, what, given=given, notice="ab" * 32, version=1, note=b"n")
    said = [(consent.what, consent.given, consent.sent) for consent in outbox.consents(REGISTRATION)]
    assert said == [("notice", True, False), ("face", False, False)]
    outbox.consent_sent(outbox.consents(REGISTRATION)[0].number)
    assert outbox.consents(REGISTRATION)[0].sent


def test_a_sid_is_asked_for_once(outbox):
    """The same session cannot be asked for twice with two certificates."""
    outbox.ask(SID, REGISTRATION, CLASS, "vkey", b"one")
    with pytest.raises(LocalRecordsError):
        outbox.ask(SID, REGISTRATION, CLASS, "vkey", b"two")


def test_a_file_that_is_no_database_is_said_so(tmp_path):
    """Damage is a sentence with a code; the file is left as it is."""
    path = tmp_path / "outbox.db"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(LocalRecordsError, match="damaged"):
        Outbox(path)
    assert path.read_bytes().startswith(b"not a database")


def test_a_newer_database_is_not_touched(tmp_path):
    """A client that does not know the version does not write into it."""
    path = tmp_path / "outbox.db"
    Outbox(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(LocalRecordsError, match="newer"):
        Outbox(path)


def test_a_folder_that_cannot_be_made_is_a_disk_error(tmp_path):
    """The operating system's refusal becomes ours at the edge."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(DiskError):
        Outbox(tmp_path / "file" / "outbox.db")


def test_an_event_is_what_was_written(book, outbox):
    """What `write` returns is what the disk holds, salt included."""
    written = book.write(BEAT, 10, 20)
    book.cut()
    assert events.decode(outbox.events(SID)[0]) == written
    assert isinstance(written, Event)
    assert len(written.salt) == 32
