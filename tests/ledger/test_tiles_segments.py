"""Tiles, bundles, receipts and segments: paths as published, lengths as stated, nothing more and nothing less."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import checkpoint, keys, people, proof, segment, tiles
from ledger.checkpoint import Checkpoint
from ledger.errors import FormatError, LedgerError, ProofError, ReceiptError, SegmentError, TileError
from ledger.tree import Tree, leaf_hash, node_hash
from tests.ledger.builder import Classroom

SIGNER = keys.generate("demo.trueseat.example/s/" + "ab" * 16, keys.ED25519)


def signed(size: int) -> bytes:
    return checkpoint.sign(Checkpoint(SIGNER.vkey.name, size, bytes(32)), SIGNER)


# --- tiles ------------------------------------------------------------------------------------------------------------


def test_tile_paths_are_those_of_the_specification() -> None:
    """tlog-tiles: index 1234067; a tree of 70,000 and one of 256."""
    assert tiles.tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tiles.tile_path("entries", 1000, 7) == "tile/entries/x001/000.p/7"
    widths = {level: [width for _, width in tiles.spans(70_000, level)] for level in tiles.levels(70_000)}
    assert {level: (len(found), found[-1]) for level, found in widths.items()} == {0: (274, 112), 1: (2, 17), 2: (1, 1)}
    assert sorted(tiles.paths(256)) == ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]
    assert list(tiles.paths(0)) == []


def test_a_hash_of_an_upper_tile_is_the_root_of_a_full_tile_below() -> None:
    """Each hash at level 1 stands for 256 leaves."""
    tree = Tree(leaf_hash(b"%d" % i) for i in range(600))
    found = dict(tiles.hash_tiles(tree))
    assert set(found) == {"tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"}
    level = tiles.split_hashes(found["tile/0/001"], 256)
    while len(level) > 1:
        level = [node_hash(level[i], level[i + 1]) for i in range(0, len(level), 2)]
    assert found["tile/1/000.p/2"][32:] == level[0]


@given(st.lists(st.binary(max_size=80), max_size=20))
def test_a_bundle_comes_back_as_it_was(entries: list[bytes]) -> None:
    """Lengths, then bytes; one entry more or less than stated, or a byte, is refused."""
    data = tiles.encode_bundle(entries)
    assert tiles.decode_bundle(data, len(entries)) == entries
    for wrong in (len(entries) + 1, len(entries) - 1):
        with pytest.raises(TileError):
            tiles.decode_bundle(data, wrong)
    with pytest.raises(TileError):
        tiles.decode_bundle(data + b"\x00", len(entries))


def test_an_entry_is_at_most_what_two_bytes_can_say() -> None:
    """65,535 bytes fit, one more does not; a tile has whole hashes."""
    assert len(tiles.encode_bundle([b"x" * 65_535])) == 65_537
    with pytest.raises(TileError):
        tiles.encode_bundle([b"x" * 65_536])
    with pytest.raises(TileError):
        tiles.split_hashes(bytes(33), 1)


# --- receipts ---------------------------------------------------------------------------------------------------------


def test_a_receipt_proves_its_entry_and_no_other() -> None:
    """The client prunes by it: only the right entry, index and path lead to the witnessed root."""
    room = Classroom(witnesses=1)
    index = 4
    path = tuple(room.log.tree.inclusion_proof(index, len(room.entries)))
    receipt = proof.parse(bytes(proof.Receipt(index, path, room.checkpoint())))
    assert receipt.verify(room.entries[index], room.trust()).checkpoint.size == len(room.entries)
    for wrong in (room.entries[index + 1], room.entries[index] + b" "):
        with pytest.raises(ProofError):
            receipt.verify(wrong, room.trust())
    with pytest.raises(ProofError):
        proof.Receipt(index + 1, path, receipt.checkpoint).verify(room.entries[index], room.trust())
    with pytest.raises(LedgerError):
        receipt.verify(room.entries[index], Classroom(witnesses=1).trust())


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.replace(b"@v1", b"@v2"),
        lambda d: d.replace(b"index 4", b"index 04"),
        lambda d: d.replace(b"index 4\n", b""),
        lambda d: d.replace(b"index 4", b"index -4"),
        lambda d: d.replace(b"\n\n", b"\n", 1),
        lambda d: d.replace(b"=\n", b"\n", 1),
        lambda d: d.replace(b"index", b"extra !\nindex"),
        lambda d: d.replace(b"index 4\n", b"index 4\n" + b"A" * 43 + b"=\n" * 1 + (b"A" * 43 + b"=\n") * 64),
        lambda d: d[:-1],
        lambda d: b"",
    ],
)
def test_a_malformed_receipt_is_refused(change: object) -> None:
    """One header, an index without zeros, at most 64 hashes, a checkpoint."""
    room = Classroom()
    path = tuple(room.log.tree.inclusion_proof(4, len(room.entries)))
    good = bytes(proof.Receipt(4, path, room.checkpoint()))
    proof.parse(good)
    with pytest.raises(ReceiptError):
        proof.parse(change(good))  # type: ignore[operator]


# --- segments ---------------------------------------------------------------------------------------------------------


def test_a_segment_comes_back_as_it_was() -> None:
    """Head, checkpoint and entries; an empty segment (nothing new) is one, too."""
    for old, entries in ((0, [b"a"]), (3, [b"a", b"bb"]), (5, [])):
        parsed = segment.parse(segment.build(old, signed(old + len(entries)), entries))
        assert (parsed.old, parsed.checkpoint.size, list(parsed.entries)) == (old, old + len(entries), entries)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\x00\x00",
        b"\xff\xff\xff\xff",
        segment.build(2, signed(1), []),
        segment.build(0, signed(1), []),
        segment.build(0, signed(1), [b"a", b"b"]),
        segment.build(0, signed(2), [b"a", b""]),
        segment.build(0, signed(1), [b"a"])[:-1],
        segment.build(0, signed(1), [b"a"]) + b"\x00",
        segment.build(0, signed(1), [b"a"]).replace(b"old 0", b"old 00"),
        segment.build(0, signed(1), [b"a"]).replace(b"old 0\n\n", b"old 0\nAAAA\n\n"),
        segment.build(0, b"no checkpoint\n", [b"a"]),
        bytes(segment.MAX_SEGMENT + 1),
    ],
    ids=lambda data: f"{len(data)} bytes",
)
def test_a_malformed_segment_is_refused(data: bytes) -> None:
    """Cut, backwards, too few or too many entries, an empty entry, proof lines, other zeros, over 1 MiB."""
    with pytest.raises(SegmentError):
        segment.parse(data)


@pytest.mark.parametrize(
    "order",
    [
        {"i": "now", "a": 0, "nonce": "0" * 32, "deadline_ms": 1},
        {"i": True, "a": 0, "nonce": "0" * 32, "deadline_ms": 1},
        {"i": 0, "a": 0, "nonce": "0", "deadline_ms": 1},
        {"i": 0, "a": 0, "deadline_ms": 1},
        {},
        [],
    ],
    ids=str,
)
def test_an_answer_with_a_malformed_order_is_refused(order: object) -> None:
    """The client obeys only what is of the form."""
    with pytest.raises(SegmentError):
        segment.Answer("line", order, (), "")  # type: ignore[arg-type]


# --- people -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"0" * 32,
        b"0" * 31 + b"\nlearner,name\n",
        b"0" * 32 + b"\nname,learner\n",
        b"0" * 32 + b"\nlearner,name\nx,y\n",
        b"0" * 32 + b"\nlearner,name\n" + b"1" * 32 + b",a,b\n",
        b"0" * 32 + b"\nlearner,name\n" + (b"1" * 32 + b",a\n") * 2,
        b"0" * 32 + b"\nlearner,name\n\xff",
        b"0" * 32 + b'\nlearner,name\n"' + b"1" * 32,
    ],
)
def test_a_malformed_list_of_people_is_refused(data: bytes) -> None:
    """A salt, the columns, one line a learner."""
    with pytest.raises(FormatError):
        people.decode(data)


@given(
    st.dictionaries(
        st.from_regex(r"[0-9a-f]{32}", fullmatch=True), st.text(st.characters(exclude_categories=["Cs", "Cc"]))
    )
)
def test_names_of_any_script_come_back(found: dict[str, str]) -> None:
    """Quotes, commas, rare characters: what is written is read."""
    assert people.decode(people.encode("0" * 32, found)) == found
