"""A whole archive bent at random, in one file or several: always refused, never by an error that is not ours."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import words
from ledger.archive import PEOPLE, README, open_source
from ledger.errors import LedgerError
from ledger.page import render
from ledger.verify import Options, verify
from ledger.zipform import write_zip
from tests.bench.hostile import bend
from tests.ledger.conftest import Made
from tests.tries import tries


@pytest.mark.slow
def test_a_bent_archive_is_refused(archive: Made) -> None:
    """Up to three files bent, left out or replaced by another; the report can still be printed."""
    names = sorted(name for name in archive.source.files if name != README)

    @settings(max_examples=tries(150), deadline=None)
    @given(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True), st.integers(0, 2**32), st.booleans())
    def check(chosen: list[str], seed: int, witnessed: bool) -> None:
        rnd = random.Random(seed)
        source = archive.source
        for name in chosen:
            kind = rnd.randrange(8)
            other = archive.source.read(rnd.choice(names))
            # what may be absent is another story: a body not kept is not checkable, no people.csv is a masked copy
            keeps = name.startswith("bodies/") or name == PEOPLE
            content = None if kind == 0 and not keeps else other if kind == 1 else bend(archive.source.read(name), rnd)
            source = source.changed(name, content)
        if source.files == archive.source.files:
            return
        kept = [archive.source.read("checkpoint")] if witnessed else []
        report = archive.verify(source, witnessed=kept, partial=bool(seed & 1))
        assert report.refused, chosen
        assert "REFUSED" in words.text(report)
        render.page(report, "zh")

    check()


def test_a_bent_zip_is_refused(archive: Made, tmp_path: Path) -> None:
    """The same of the packed form: it cannot be opened, or what comes out of it is refused."""
    out = io.BytesIO()
    write_zip(archive.source, out)
    whole = out.getvalue()
    path = tmp_path / "bent.zip"
    begin = whole.index(b"PK\x03\x04", len(archive.source.read(README)))  # README.txt is the first, and the one unbound

    @settings(max_examples=tries(150), deadline=None)
    @given(st.integers(0, 2**32))
    def check(seed: int) -> None:
        rnd = random.Random(seed)
        at = rnd.randrange(begin, len(whole))
        size = rnd.choice((1, 40, 2_000))
        bent = whole[:at] + bend(whole[at : at + size], rnd) + whole[at + size :]
        path.write_bytes(bent)
        if bent == whole:
            return
        try:
            report = verify(open_source(path), archive.trust, Options())
        except LedgerError:
            return
        assert report.refused

    check()


@pytest.mark.parametrize("size", [0, 1, 21, 22, 100])
def test_a_zip_cut_short_is_refused(archive: Made, tmp_path: Path, size: int) -> None:
    """Cut anywhere, it is no archive."""
    out = io.BytesIO()
    write_zip(archive.source, out)
    (tmp_path / "cut.zip").write_bytes(out.getvalue()[:size])
    with pytest.raises(LedgerError):
        open_source(tmp_path / "cut.zip")
