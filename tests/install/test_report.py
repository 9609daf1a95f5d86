"""The verifier for people with no terminal: whatever is dropped on it, a page says what it proves or what to do."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import stat
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.__main__ import main as ledger
from tests.client.world import CLASS, World
from tests.install.chroot import ROOT

VALID = ROOT / "tests" / "vectors" / "valid"


@pytest.fixture
def launcher(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """The launcher, with a home of its own for trust files."""
    monkeypatch.syspath_prepend(str(ROOT / "build" / "freeze" / "apps"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    import report

    yield report
    sys.modules.pop("report", None)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return Path(shutil.copy(VALID / "archive.zip", tmp_path / "class.zip"))


def said(page: tuple[bytes, int]) -> tuple[str, int]:
    return page[0].decode(), page[1]


def test_archive_and_trust_file_dropped_together_become_the_report(launcher: Any, archive: Path) -> None:
    """The page is the verifier's own, in the language of the system."""
    zh, code = said(launcher.report([archive, VALID / "archive.trust"], "zh", []))
    en, _ = said(launcher.report([VALID / "archive.trust", archive], "en", []))
    assert code == 0
    assert 'lang="zh-CN"' in zh
    assert 'lang="en"' in en
    assert "核验通过" in zh or "没有发现改动" in zh


def test_a_changed_archive_is_refused_on_its_page(launcher: Any, archive: Path) -> None:
    """One byte in the middle; exit code 1 or 2, never a report that looks well."""
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 1
    archive.write_bytes(data)
    page, code = said(launcher.report([archive, VALID / "archive.trust"], "zh", []))
    assert code in (1, 2)
    assert "核验通过" not in page


def test_a_learners_own_copy_is_verified_as_what_it_is(launcher: Any, tmp_path: Path) -> None:
    """Dropped by the learner it is no archive with sessions missing; with one byte changed it is refused."""
    (tmp_path / "world").mkdir()
    world = World(tmp_path / "world")
    try:
        for name, account in (("one", "learner"), ("two", "other")):
            pc = world.machine(name, account)
            study = pc.study()
            pc.run(study, 20_000)
            pc.finish(study)
            pc.send_all()
        mine = world.server.services.people.registrations(class_id=CLASS)[0].learner
        copy = world.server.services.exporter.zip(CLASS, masked=False, learner=mine)
        whole = world.server.services.exporter.zip(CLASS, masked=False)
        trust = world.trust_file()
    finally:
        world.close()
    for lang in ("zh", "en"):
        page, code = said(launcher.report([copy, trust], lang, []))
        assert code == 0
        assert html.escape(launcher.WORDS[lang]["own"]) in page
        assert html.escape(launcher.WORDS[lang]["own"]) not in said(launcher.report([whole, trust], lang, []))[0]
    with zipfile.ZipFile(copy) as file:  # of the copy itself not every byte counts: names and times of its files
        (name,) = [each for each in file.namelist() if re.search("^sessions/.*/tile/entries/", each)]
        inside = file.read(name)
    data = bytearray(copy.read_bytes())
    data[data.index(inside) + len(inside) // 2] ^= 1
    copy.write_bytes(data)
    page, code = said(launcher.report([copy, trust], "en", []))
    assert code in (1, 2)
    assert html.escape(launcher.WORDS["en"]["own"]) not in page


def test_without_a_trust_file_nothing_is_verified_and_the_page_says_how(launcher: Any, archive: Path) -> None:
    """An archive never brings whom to trust; the page names the folder, which is there to be opened."""
    page, code = said(launcher.report([archive], "zh", [launcher.kept()]))
    assert code == 2
    assert "信任文件" in page
    assert str(launcher.kept()) in page
    assert launcher.kept().is_dir()
    shutil.copy(VALID / "archive.trust", launcher.kept() / "authority.trust")
    assert said(launcher.report([archive], "zh", [launcher.kept()]))[1] == 0


def test_of_several_trust_files_the_one_that_names_the_log_counts(launcher: Any, archive: Path) -> None:
    """A supervisor of ten institutions keeps ten; a broken one beside them is named only when it is needed."""
    (launcher.kept() / "a-broken.trust").write_bytes(b"not a trust file")
    (launcher.kept() / "b-other.trust").write_text("quorum none\n")
    shutil.copy(VALID / "archive.trust", launcher.kept() / "c-right.trust")
    assert said(launcher.report([archive], "en", [launcher.kept()]))[1] == 0
    (launcher.kept() / "c-right.trust").unlink()
    (launcher.kept() / "b-other.trust").unlink()
    page, code = said(launcher.report([archive], "en", [launcher.kept()]))
    assert code == 2
    assert "a-broken.trust" in page


def test_a_double_click_without_a_file_says_what_to_do(launcher: Any) -> None:
    """In both languages."""
    for language in ("zh", "en"):
        page, code = said(launcher.report([], language, []))
        assert code == 2
        assert html.escape(launcher.WORDS[language]["how"]) in page
    assert set(launcher.WORDS["zh"]) == set(launcher.WORDS["en"])


def test_what_is_no_archive_is_said_on_the_page(launcher: Any, tmp_path: Path) -> None:
    """A picture, a folder, a file that is gone: a sentence with a code, never a traceback; no markup of theirs."""
    strange = tmp_path / "<b>x.zip"
    strange.write_bytes(b"PK\x03\x04 nothing")
    for path in (strange, tmp_path, tmp_path / "gone.zip"):
        page, code = said(launcher.report([path, VALID / "archive.trust"], "en", []))
        assert code == 2
        assert "TS-L-" in page
        assert "<b>x" not in page


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="left out: names of files are bytes there alone")
def test_attack_a_file_name_that_is_no_text(launcher: Any, archive: Path, tmp_path: Path, capsys: Any) -> None:
    """Bytes that no encoding knows, letters that turn the order: the others are verified, and the page and the JSON
    stand."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for name in (b"good.zip", b"other-\xff\xfe.zip", "turned-\u202epiz.exe.zip".encode()):
        shutil.copy(archive, shelf / os.fsdecode(name))
    page, code = said(launcher.report([shelf, VALID / "archive.trust"], "zh", []))
    assert code == 0
    assert "good.zip" in page
    assert "\u202e" not in page
    assert ledger(["verify", str(shelf), "--trust", str(VALID / "archive.trust"), "--json"]) == code
    assert len(json.loads(capsys.readouterr().out)["archives"]) == 3
    page, code = said(launcher.report([shelf / os.fsdecode(b"not there-\xff.zip"), VALID / "archive.trust"], "zh", []))
    assert code == 2


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="left out: no file here that opens and cannot be read")
def test_a_file_that_cannot_be_read_is_said_on_the_page(launcher: Any, tmp_path: Path) -> None:
    """A stick that was pulled out: a sentence of ours, with its code."""
    (tmp_path / "class.zip").symlink_to("/proc/self/mem")
    page, code = said(launcher.report([tmp_path / "class.zip", VALID / "archive.trust"], "en", []))
    assert code == 2
    assert "TS-L-" in page


@given(data=st.binary(max_size=300))
def test_any_trust_file_is_refused_by_our_own_words(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever lies there, a page comes out."""
    sys.path.insert(0, str(ROOT / "build" / "freeze" / "apps"))
    try:
        import report
    finally:
        sys.path.pop(0)
    folder = tmp_path_factory.mktemp("trust")
    (folder / "x.trust").write_bytes(data)
    page, code = report.report([VALID / "archive.zip"], "en", [folder])
    assert page.startswith(b"<!doctype html>")
    assert code in (1, 2)


def test_the_page_is_for_its_owner_alone(launcher: Any, archive: Path, tmp_path: Path) -> None:
    """It names learners: 0600, and no browser is opened where none is wanted."""
    out = tmp_path / "page.html"
    assert launcher.main(["--keep", "--lang", "en", "--out", str(out), str(archive), str(VALID / "archive.trust")]) == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_the_language_is_the_systems(launcher: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """zh_CN and zh_TW read Chinese; all others English."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for value, language in (("zh_CN.UTF-8", "zh"), ("zh_TW", "zh"), ("de_DE.UTF-8", "en"), ("C.UTF-8", "en")):
        monkeypatch.setenv("LANG", value)
        assert launcher.language() == language
