"""Browsers' stores: what was written is read, the newest counts, and no bytes whatever break the reader."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import StoreError
from agent.formats.leveldb import read_folder, read_log, read_table
from agent.formats.mozilla import read_store, values
from agent.formats.snappy import decompress
from tests.agent import stores
from tests.tries import tries


@given(st.lists(st.sampled_from([b"playbackRate", b"\n", b"a" * 70, b"\xff\x00", b"xyz"]), max_size=300).map(b"".join))
def test_what_was_packed_is_unpacked(data: bytes) -> None:
    """Literals, copies, and copies that overlap themselves."""
    assert decompress(stores.packed(data)) == data


def test_a_run_is_a_copy_of_itself() -> None:
    """`a` and a copy of it, 63 times, from one byte before."""
    assert decompress(bytes([64, 0]) + b"a" + bytes([62 << 2 | 2, 1, 0])) == b"a" * 64


@given(st.binary(max_size=400))
def test_any_bytes_are_unpacked_or_refused(data: bytes) -> None:
    """Only our own error leaves, and never more than was announced."""
    with contextlib.suppress(StoreError):
        assert len(decompress(data, 10_000)) <= 10_000


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    """Four gigabytes announced in five bytes."""
    with pytest.raises(StoreError):
        decompress(b"\xff\xff\xff\xff\x0f" + b"\0a")


pairs = st.lists(
    st.tuples(st.binary(min_size=1, max_size=20), st.none() | st.binary(max_size=3_000)),
    min_size=1, max_size=30, unique_by=lambda pair: pair[0],
)  # fmt: skip


@given(pairs, st.booleans())
def test_tables_and_logs_hold_what_was_written(written: list[tuple[bytes, bytes | None]], compress: bool) -> None:
    """Every entry with its number; prefixes shared, blocks packed or not, records cut at the blocks' ends."""
    read = [(key, value) for key, _, value in read_table(stores.table(written, 7, compress))]
    assert read == sorted(written)
    assert [(key, value) for key, _, value in read_log(stores.log(written, 7))] == written


def test_a_record_longer_than_a_block_is_put_together() -> None:
    """A script of 200 KiB spans seven blocks."""
    big = bytes(range(256)) * 800
    assert list(read_log(stores.log([(b"k", big)], 3))) == [(b"k", 3, big)]


def test_the_newest_value_counts_and_a_deleted_one_is_gone(tmp_path: Path) -> None:
    """An old table, a newer one and the log: the sequence decides, not the file's name."""
    (tmp_path / "000009.ldb").write_bytes(stores.table([(b"a", b"old"), (b"b", b"old"), (b"c", b"stays")], 1))
    (tmp_path / "000005.ldb").write_bytes(stores.table([(b"a", b"new")], 10))
    (tmp_path / "000010.log").write_bytes(stores.log([(b"b", None)], 20))
    (tmp_path / "LOCK").write_bytes(b"")
    assert read_folder(tmp_path) == {b"a": b"new", b"c": b"stays"}
    assert read_folder(tmp_path / "none") == {}


@given(st.binary(max_size=2_000), st.integers(0, 400), st.booleans())
def test_any_bytes_are_entries_or_refused(noise: bytes, at: int, as_log: bool) -> None:
    """Noise alone, and a good file with noise written over it."""
    good = stores.log([(b"a", b"1" * 300)]) if as_log else stores.table([(b"a", b"1" * 300)])
    for data in (noise, good[:at] + noise + good[at + len(noise) :]):
        try:
            for key, number, _ in read_log(data) if as_log else read_table(data):
                assert isinstance(key, bytes)
                assert number >= 0
        except StoreError:
            pass


def test_firefox_is_read_while_it_writes(tmp_path: Path) -> None:
    """What stands in the log only is read too; neither the file nor its log is touched."""
    path = tmp_path / "store.sqlite"
    browser = stores.firefox(path, {"code:1": ["code:1", "中文 ==UserScript=="], "scr:1": ["enabled", True, "n", 5]})
    log = path.with_name("store.sqlite-wal")
    before = (path.read_bytes(), log.read_bytes())
    assert before[1]
    assert read_store(path) == {"code:1": ["code:1", "中文 ==UserScript=="], "scr:1": ["enabled", True, "n", 5]}
    assert (path.read_bytes(), log.read_bytes()) == before
    browser.close()
    assert "code:1" in read_store(path)


def test_a_heavy_user_s_store_is_read_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Larger than what is put together in memory: read from the file, and nothing appears beside it."""
    path = tmp_path / "a store?.sqlite"
    stores.firefox(path, {"code:1": ["==UserScript=="], "val:1": ["x" * 50_000]}).close()
    monkeypatch.setattr("agent.formats.mozilla.MAX_FILE", 8_000)
    assert read_store(path)["code:1"] == ["==UserScript=="]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a store?.sqlite"]


def test_a_store_of_another_form_is_refused(tmp_path: Path) -> None:
    """No file, no database, a database without the table."""
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE t (a)")
    for path in (tmp_path / "none", other, Path(__file__)):
        with pytest.raises(StoreError):
            read_store(path)


@settings(max_examples=tries(30))
@given(st.binary(max_size=600), st.integers(0, 12_000), st.booleans())
def test_any_bytes_of_a_firefox_store_are_read_or_refused(noise: bytes, at: int, in_log: bool) -> None:
    """A good store and its log, with noise written over one of them."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.sqlite"
        browser = stores.firefox(path, {"code:1": ["==UserScript=="]})
        bent = path.with_name("s.sqlite-wal") if in_log else path
        data = bytearray(bent.read_bytes())
        data[at : at + len(noise)] = noise
        copy = Path(folder) / "copy.sqlite"
        for name in ("s.sqlite", "s.sqlite-wal"):
            other = path.with_name(name)
            good = bytes(data) if other == bent else other.read_bytes()
            copy.with_name(name.replace("s.", "copy.", 1)).write_bytes(good)
        browser.close()
        with contextlib.suppress(StoreError):
            assert all(isinstance(key, str) for key in read_store(copy))


@given(st.binary(max_size=300))
def test_any_clone_is_read(data: bytes) -> None:
    """Texts, flags and numbers or nothing."""
    assert all(isinstance(value, str | bool | int) for value in values(data))
