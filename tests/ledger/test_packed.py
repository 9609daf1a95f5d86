"""What is kept small says the same as what is kept whole."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.archive import Directory
from ledger.classlog import ClassLog
from ledger.errors import RootMismatchError
from ledger.packed import Packed, Spool, pack, unpack
from ledger.storedtree import ThinTree
from ledger.tree import Tree, leaf_hash
from tests.ledger.conftest import Made
from tests.tries import tries

hexadecimal = st.binary(min_size=16, max_size=32).map(bytes.hex)
plain = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=64) | st.binary() | hexadecimal


@given(st.recursive(st.lists(plain).map(tuple), lambda inner: st.lists(plain | inner).map(tuple)))
def test_what_is_packed_comes_back(values: tuple[object, ...]) -> None:
    """Numbers, texts, bytes and tuples of them, upper-case digits too, are what they were."""
    assert unpack(pack(values)) == values


def test_sixty_four_digits_take_the_room_of_thirty_two_bytes() -> None:
    """That is what it is for."""
    assert len(pack(("ab" * 32,))) < 50


@given(st.lists(st.tuples(st.integers(0, 10**6), st.text())))
def test_a_spool_is_a_list_in_a_file(items: list[tuple[int, str]]) -> None:
    """Items by place, from the end, sliced, sorted, and in another process."""
    spool = Spool(lambda item: item, lambda *item: item, items)
    kept = Packed(lambda item: item, lambda *item: item, items)
    assert list(spool) == list(kept) == items
    assert spool[1:] == kept[1:] == items[1:]
    spool.sort(lambda item: item[0])
    assert list(spool) == sorted(items, key=lambda item: item[0])


def test_rows_go_to_another_process(archive: Made) -> None:
    """A report can be sent; its rows are the same there."""
    report = archive.verify()
    assert pickle.loads(pickle.dumps(report)).to_json() == report.to_json()


@settings(max_examples=tries(40), deadline=None)
@given(st.integers(0, 600), st.data())
def test_a_thin_tree_proves_what_the_tree_proves(size: int, data: st.DataObject) -> None:
    """Any root, any proof, at any size, from an eighth of the hashes and the entries; one changed entry is noticed."""
    entries = [b"%d" % i for i in range(size)]
    tree = Tree(map(leaf_hash, entries))
    thin = ThinTree(tree, lambda begin, end: entries[begin:end])
    assert thin.root() == tree.root()
    if not size:
        return
    index, part = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    assert thin.root_at(part) == tree.root_at(part)
    assert thin.inclusion_proof(index, size) == tree.inclusion_proof(index, size)
    assert thin.consistency_proof(part, size) == tree.consistency_proof(part, size)
    entries[index] += b"!"
    with pytest.raises(RootMismatchError, match="changed while it was read"):
        ThinTree(tree, lambda begin, end: entries[begin:end]).node(0, index)


def test_a_class_log_says_what_was_said_to_it(archive: Made) -> None:
    """Sessions, keys and bodies come out of their packing as the leaves that went in."""
    log, room = ClassLog(archive.room.origin), archive.room
    leaves = [log.add(entry) for entry in room.entries]
    said = {type(leaf): leaf for leaf in leaves}
    records = [log.sessions[sid] for sid in log.sessions]
    assert [record.sid for record in records] == [session.sid for session in room.sessions]
    assert {record.granted for record in records} <= set(leaves)
    assert records[-1].settled == said[type(records[-1].settled)]
    assert [record.leaf for record in log.keys] == [leaf for leaf in leaves if type(leaf) is type(log.keys[0].leaf)]
    assert [leaf for _, leaf in log.bodies] == [leaf for leaf in leaves if type(leaf) is type(log.bodies[0][1])]
    assert "0" * 32 not in log.sessions
    assert "no sid" not in log.sessions


def test_a_file_that_changes_during_verification_is_refused(archive: Made, tmp_path: Path) -> None:
    """The class log is read again where it is needed again, and held against what was verified."""
    from ledger.findings import Findings
    from ledger.steps.classlog import verify_class
    from tests.ledger.memory import Memory

    source = Memory.of(archive.path)
    verified = verify_class(source, archive.trust, (), Findings())
    (bundle,) = source.names("tile/entries/")
    source.files[bundle] = source.files[bundle].replace(b'"revealed"', b'"revealde"', 1)
    index = next(i for i, entry in enumerate(archive.room.entries) if b'"revealed"' in entry)
    with pytest.raises(RootMismatchError, match="changed while it was read"):
        verified.entry(index)
    assert isinstance(archive.source, Memory | Directory)
