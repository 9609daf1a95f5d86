"""The copies beside the database: what was added is read, whatever tore or bent the file."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from client.sync import journal
from client.sync.journal import Head, Journal
from ledger import checkpoint, segment
from ledger.checkpoint import Checkpoint
from ledger.keys import ED25519, generate
from ledger.tree import Tree, leaf_hash

SID = "ab" * 16
HEAD = Head(SID, "cd" * 16, "x.example/c/1", "vkey", b"cert\xff", b"grant", "{}")
SIGNER = generate(f"x.example/s/{SID}", ED25519)


def body(old: int, entries: list[bytes]) -> bytes:
    """An upload of everything from `old` on."""
    tree = Tree(leaf_hash(entry) for entry in entries)
    point = Checkpoint(SIGNER.vkey.name, len(entries), tree.root())
    return segment.build(old, checkpoint.sign(point, SIGNER), entries[old:])


FIRST, SECOND = body(0, [b"a", b"b"]), body(2, [b"a", b"b", b"c"])
WHOLE = journal.frame(bytes(HEAD)) + journal.frame(FIRST) + journal.frame(SECOND)


def test_what_was_added_is_read(tmp_path: Path) -> None:
    """Head and uploads come back as they were, in their order; dropped, the file is gone."""
    kept = Journal(tmp_path / "unsent")
    kept.begin(HEAD)
    kept.add(SID, FIRST)
    kept.add(SID, SECOND)
    (copied,) = kept.read()
    assert (copied.head, copied.whole) == (HEAD, True)
    assert [part.entries for part in copied.segments] == [(b"a", b"b"), (b"c",)]
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "unsent").iterdir()] == [0o600]
    kept.drop(SID)
    assert kept.read() == []


def test_a_torn_end_is_cut_off_before_more_is_added(tmp_path: Path) -> None:
    """A crash in the middle of a frame hides nothing that is added after it."""
    kept = Journal(tmp_path)
    (tmp_path / SID).write_bytes(WHOLE[:-3])
    assert [len(copied.segments) for copied in kept.read()] == [1]
    kept.mend(SID)
    kept.add(SID, SECOND)
    (copied,) = kept.read()
    assert (len(copied.segments), copied.whole) == (2, True)


def test_a_file_without_a_whole_head_is_none_of_ours(tmp_path: Path) -> None:
    """It is passed over, and mending removes it, so that the session begins its file anew."""
    kept = Journal(tmp_path)
    (tmp_path / SID).write_bytes(WHOLE[:20])
    assert kept.read() == []
    kept.mend(SID)
    assert not kept.has(SID)


@given(st.binary(max_size=400))
def test_no_bytes_break_it(data: bytes) -> None:
    """Whatever lies there: something of ours, or nothing."""
    assert journal.parse(data) is None or len(data) > 36


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_a_changed_byte_ends_what_is_believed_there(place: int, by: int) -> None:
    """Frames before the change are read, none from it on, and the file is not called whole."""
    data = bytearray(WHOLE)
    data[place] ^= by
    copied = journal.parse(bytes(data))
    good = [FIRST, SECOND]
    assert copied is None or not copied.whole
    if copied is not None:
        built = [segment.build(part.old, bytes(part.note), part.entries) for part in copied.segments]
        assert built == good[: len(built)]
        assert place >= len(journal.frame(bytes(HEAD))) + sum(len(journal.frame(one)) for one in built)


@given(st.text(max_size=40), st.binary(max_size=40))
def test_a_head_is_read_as_it_was_written(text: str, data: bytes) -> None:
    """Round trip, whatever the fields hold."""
    head = Head(SID, text, text, text, data, data, text)
    assert Head.parse(bytes(head)) == head
