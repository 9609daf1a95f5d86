"""Every byte of an archive but README.txt is bound: flip any bit, and verification refuses."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Iterator

import pytest

from ledger.archive import README
from tests.ledger.conftest import Made

LONG = os.environ.get("TRUESEAT_LONG") == "1"  # every byte of every file; about ten minutes
SAMPLE = 24  # positions a file in the short form


def positions(size: int, rnd: random.Random) -> Iterator[int]:
    """Where to flip: everywhere, or both ends and a sample."""
    if LONG or size <= SAMPLE:
        yield from range(size)
        return
    yield from (0, size - 1)
    yield from sorted(rnd.sample(range(1, size - 1), SAMPLE - 2))


@pytest.mark.slow
def test_a_flipped_bit_anywhere_is_refused(archive: Made) -> None:
    """One bit, in any file but README.txt: never exit 0, never an error that leaves the verifier."""
    rnd = random.Random(20261121)
    missed = []
    for name, content in archive.source.files.items():
        if name == README:
            continue
        for at in positions(len(content), rnd):
            data = bytearray(content)
            data[at] ^= 1 << rnd.randrange(8)
            if not archive.verify(archive.source.changed(name, bytes(data))).refused:
                missed.append((name, at))
    assert not missed


@pytest.mark.slow
def test_a_voucher_is_bound_even_for_who_cannot_check_its_signature(archive: Made) -> None:
    """Without --authority the signature in a voucher is not checkable; a changed bit of it is refused all the same."""
    vouchers = [
        name for name in archive.source.names("bodies/") if archive.source.read(name).startswith(b"trueseat/key")
    ]
    assert len(vouchers) == 2
    for name in vouchers:
        content = archive.source.read(name)
        for at in range(len(content)):
            changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
            assert archive.verify(archive.source.changed(name, changed), authority=()).refused, (name, at)


def test_the_readme_is_the_one_file_that_is_not_bound(archive: Made) -> None:
    """README.txt may be anything; nothing rests on it."""
    assert not archive.verify(archive.source.changed(README, b"anything")).refused
    assert not archive.verify(archive.source.changed(README, None)).refused


@pytest.mark.slow
def test_a_byte_cut_from_or_added_to_any_file_is_refused(archive: Made) -> None:
    """No file may be shorter or longer."""
    for name, content in archive.source.files.items():
        if name != README:
            assert archive.verify(archive.source.changed(name, content[:-1])).refused, name
            assert archive.verify(archive.source.changed(name, content + b"\n")).refused, name


def test_a_file_renamed_or_swapped_with_another_is_refused(archive: Made) -> None:
    """Every file stands in its one place."""
    names = [name for name in archive.source.names() if name != README]
    for one, two in itertools.pairwise(names):
        first, second = archive.source.read(one), archive.source.read(two)
        assert archive.verify(archive.source.changed(one, second).changed(two, first)).refused, (one, two)
