"""The .zip form: one archive, one form; every trick that two readers could read differently is refused."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.archive import Directory, open_source
from ledger.errors import ArchiveError, LedgerError, MissingFileError, ZipFormError
from ledger.verify import verify
from ledger.zipform import Zip, write_zip
from tests.ledger.conftest import Made
from tests.ledger.memory import Memory


def packed(source: Memory | Directory, *, deflate: bool = False) -> bytes:
    out = io.BytesIO()
    write_zip(source, out, deflate=deflate)
    return out.getvalue()


def opened(tmp_path: Path, data: bytes) -> Zip:
    path = tmp_path / "archive.zip"
    path.write_bytes(data)
    return Zip(path)


def read_all(tmp_path: Path, data: bytes) -> dict[str, bytes]:
    source = opened(tmp_path, data)
    return {name: source.read(name) for name in source.names()}


def refuse(tmp_path: Path, data: bytes) -> None:
    """Opening it, or reading any of it, raises our own error."""
    with pytest.raises(LedgerError):
        read_all(tmp_path, data)


SMALL = Memory({"README.txt": b"hello", "checkpoint": b"x" * 400, "sessions/a/checkpoint": bytes(range(256))})


@pytest.mark.parametrize("deflate", [False, True], ids=["stored", "deflated"])
def test_the_zip_verifies_as_the_directory_does(archive: Made, tmp_path: Path, deflate: bool) -> None:
    """The same files give the same report, and any ordinary tool unpacks them."""
    path = tmp_path / "archive.zip"
    path.write_bytes(packed(Directory(archive.path), deflate=deflate))
    report = verify(open_source(path), archive.trust, archive.options)
    assert not report.refused
    assert report.to_json() == archive.verify().to_json()
    with zipfile.ZipFile(path) as other:
        assert other.testzip() is None
        assert {name: other.read(name) for name in other.namelist()} == archive.source.files


def test_the_same_files_give_the_same_zip(archive: Made) -> None:
    """No clock, no user, no order of the file system stands in it."""
    assert packed(Directory(archive.path)) == packed(archive.source)


def flipped(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """`data` with each bit flipped, one at a time."""
    for at in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            yield at, bit, bytes(changed)


@pytest.mark.slow
def test_every_flipped_bit_of_a_zip_is_refused(tmp_path: Path) -> None:
    """Headers, names, data, directory, end: no bit of what we write is free. A changed name is another file."""
    for at, bit, changed in flipped(packed(SMALL)):
        try:
            found = read_all(tmp_path, changed)
        except LedgerError:
            continue
        assert set(found) != set(SMALL.files), f"byte {at}, bit {bit} is not bound"


@pytest.mark.slow
def test_no_flipped_bit_of_a_deflated_zip_changes_what_it_holds(tmp_path: Path) -> None:
    """Where data can be packed in two ways, at least nobody ever reads other data; padding bits are refused."""
    for at, bit, changed in flipped(packed(SMALL, deflate=True)):
        try:
            found = read_all(tmp_path, changed)
        except LedgerError:
            continue
        assert found == SMALL.files or set(found) != set(SMALL.files), f"byte {at}, bit {bit}"


def member(name: bytes, data: bytes, **changes: int) -> bytes:
    """A local header and its data, with fields changed."""
    f = {
        "version": 20,
        "flags": 0,
        "method": 0,
        "time": 0,
        "date": 0x21,
        "crc": zlib.crc32(data),
        "size": len(data),
    } | changes
    head = struct.pack(
        "<4sHHHHHIIIHH", b"PK\x03\x04", f["version"], f["flags"], f["method"], f["time"], f["date"], f["crc"],
        f.get("packed", len(data)), f["size"], len(name), f.get("extra", 0),
    )  # fmt: skip
    return head + name + data


def whole(*names: bytes, **changes: int) -> bytes:
    """A .zip with these members as far as its local headers go; its directory is our own."""
    out, central = b"", b""
    for name in names:
        body = member(name, b"data", **changes)
        central += struct.pack(
            "<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, changes.get("flags", 0), changes.get("method", 0),
            changes.get("time", 0), changes.get("date", 0x21), zlib.crc32(b"data"), 4, 4, len(name), 0, 0, 0, 0, 0,
            len(out),
        ) + name  # fmt: skip
        out += body
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, len(names), len(names), len(central), len(out), 0)
    return out + central + end


def test_the_hand_made_zip_is_good_before_it_is_bent(tmp_path: Path) -> None:
    """So that each refusal below is for the one thing that it changes."""
    source = opened(tmp_path, whole(b"a", b"b/c"))
    assert source.names() == ["a", "b/c"]
    assert source.read("b/c") == b"data"
    assert source.has("a")
    assert source.folders("") == ["a", "b"]
    with pytest.raises(MissingFileError):
        source.read("d")


@pytest.mark.parametrize(
    "names",
    [(b"b", b"a"), (b"a", b"a"), (b"../a",), (b"a/../b",), (b"/a",), (b"a/",), (b"a//b",), (b"a\\b",), (b".hidden",),
     (b"a\x00b",), ("é".encode(),), (b"",), (b"x" * 300,), (b"C:a",)],
)  # fmt: skip
def test_names_that_lead_elsewhere_or_stand_twice_are_refused(tmp_path: Path, names: tuple[bytes, ...]) -> None:
    """Unsorted, doubled, climbing, absolute, folder, backslash, hidden, zero byte, non-ASCII, empty, overlong."""
    refuse(tmp_path, whole(*names))


@pytest.mark.parametrize(
    "change", [{"time": 1}, {"date": 0x22}, {"flags": 1}, {"flags": 0x800}, {"flags": 8}, {"method": 12}, {"method": 8}]
)
def test_times_flags_and_other_methods_are_refused(tmp_path: Path, change: dict[str, int]) -> None:
    """Encryption, data descriptors, UTF-8 flags, clocks, bzip2: nothing that a reader may read in two ways."""
    refuse(tmp_path, whole(b"a", **change))


@pytest.mark.parametrize("where", ["before", "after", "between", "comment"])
def test_bytes_outside_the_members_are_refused(tmp_path: Path, where: str) -> None:
    """Nothing stands before, between or after: that is where a second archive would hide."""
    data = whole(b"a", b"b")
    cut = data.index(b"PK\x03\x04", 4)
    bent = {
        "before": b"#!/bin/sh\n" + data,
        "after": data + b"x",
        "between": data[:cut] + b"x" + data[cut:],
        "comment": data[:-2] + b"\x01\x00x",
    }[where]
    refuse(tmp_path, bent)


def test_a_zip_bomb_is_refused_before_it_unfolds(tmp_path: Path) -> None:
    """A member that unpacks to more than its header says stops one byte beyond it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(50_000_000)) + packer.flush()
    body = member(b"a", bomb, method=8, crc=0, size=10, packed=len(bomb))
    central = struct.pack(
        "<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, 0, 8, 0, 0x21, 0, len(bomb), 10, 1, 0, 0, 0, 0, 0, 0
    ) + b"a"  # fmt: skip
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(central), len(body), 0)
    source = opened(tmp_path, body + central + end)
    with pytest.raises(ZipFormError, match="longer"):
        source.read("a")


def test_a_zip_packed_again_by_another_program_is_refused(archive: Made, tmp_path: Path) -> None:
    """It may hold the same files; but then two archives would be one, and what differs is bound by nothing."""
    path = tmp_path / "again.zip"
    with zipfile.ZipFile(path, "w") as other:
        for name, content in sorted(archive.source.files.items()):
            other.writestr(name, content)
    with pytest.raises(ZipFormError):
        open_source(path)


@pytest.mark.parametrize("data", [b"", b"PK\x05\x06" + bytes(18), b"PK", b"hello world"])
def test_what_is_no_archive_is_unreadable(tmp_path: Path, data: bytes) -> None:
    """Empty files, an empty zip, other files: our own error, at once."""
    path = tmp_path / "x.zip"
    path.write_bytes(data)
    try:
        assert open_source(path).names() == []
    except ArchiveError:
        return


def test_links_devices_and_empty_folders_have_no_place_in_a_directory(archive: Made, tmp_path: Path) -> None:
    """A directory holds plain files only; a link could show a file that is not of the archive."""
    for name, content in archive.source.files.items():
        (tmp_path / "a" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "a" / name).write_bytes(content)
    assert not verify(Directory(tmp_path / "a"), archive.trust, archive.options).refused
    (tmp_path / "a/bodies/empty").mkdir()
    assert verify(Directory(tmp_path / "a"), archive.trust, archive.options).refused
    (tmp_path / "a/bodies/empty").rmdir()
    (tmp_path / "a/checkpoint").rename(tmp_path / "elsewhere")
    (tmp_path / "a/checkpoint").symlink_to(tmp_path / "elsewhere")
    assert verify(Directory(tmp_path / "a"), archive.trust, archive.options).refused
