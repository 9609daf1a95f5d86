"""Folders and secrets of one learner: private files, whole or not at all, invisible to the others."""

from __future__ import annotations

import itertools
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from client.errors import AlreadyRunningError, DiskError, SealError
from client.profile import Profile, UnsafeFileSeal, claim, learners, write_private
from tests.deaths import dies_at

ANNA, BERT = "aa" * 16, "bb" * 16


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_readable_by_their_owner_alone(tmp_path):
    """Keys lie in 0600 files in a 0700 folder, and come back byte for byte."""
    profile = Profile(tmp_path, ANNA)
    profile.seal.put("session-1", b"secret")
    assert profile.seal.get("session-1") == b"secret"
    assert mode(profile.folder) == 0o700
    assert mode(profile.folder / "secrets" / "session-1") == 0o600


def test_a_secret_that_is_deleted_is_gone(tmp_path):
    """get answers None, and deleting again is no error."""
    seal = UnsafeFileSeal(tmp_path)
    seal.put("k", b"x")
    seal.delete("k")
    seal.delete("k")
    assert seal.get("k") is None


def test_a_secret_half_deleted_by_a_power_cut_is_gone(tmp_path, monkeypatch):
    """The zeros were on the disk, the shorter list of names not yet: what is left is no secret."""
    seal = UnsafeFileSeal(tmp_path)
    seal.put("k", b"secret")
    monkeypatch.setattr(Path, "unlink", lambda path: None)
    seal.delete("k")
    assert (tmp_path / "k").read_bytes() == bytes(6)
    assert seal.get("k") is None


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "A", "x" * 200])
def test_a_secrets_name_leads_nowhere_else(tmp_path, name):
    """Names are plain: no path, no dot file."""
    with pytest.raises(SealError):
        UnsafeFileSeal(tmp_path).put(name, b"x")


def test_two_learners_do_not_see_each_other(tmp_path):
    """Each learner has a folder of their own; a learner is 32 hex digits and nothing else."""
    Profile(tmp_path, ANNA).seal.put("k", b"a")
    assert Profile(tmp_path, BERT).seal.get("k") is None
    assert learners(tmp_path) == [ANNA, BERT]
    with pytest.raises(SealError):
        Profile(tmp_path, "../" + ANNA)


def test_a_template_is_encrypted_and_bound_to_its_registration(tmp_path):
    """The plain bytes stand in no file; a changed file is refused; another registration has none."""
    profile = Profile(tmp_path, ANNA)
    digest = profile.keep_template(BERT, b"numbers of a face")
    assert len(digest) == 64
    assert profile.template(BERT) == b"numbers of a face"
    assert profile.template(ANNA) is None
    assert not any(b"face" in path.read_bytes() for path in profile.folder.rglob("*") if path.is_file())
    path = profile.folder / f"template-{BERT}"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1  # whatever it is: one in 256 ends in any given byte
    path.write_bytes(data)
    with pytest.raises(SealError):
        profile.template(BERT)
    profile.forget_template(BERT)
    assert profile.template(BERT) is None


def test_a_face_enrolled_again_by_a_program_that_dies_is_the_old_one_or_the_new_one(tmp_path):
    """Killed before any change on the disk: never a template that its key does not open, which a learner would be told
    was changed by somebody."""
    for before in (b"old", None):
        for step in itertools.count():
            profile = Profile(tmp_path / f"{before}-{step}", ANNA)
            if before:
                profile.keep_template(BERT, before)
            with dies_at(step) as life:
                profile.keep_template(BERT, b"new")
            assert profile.template(BERT) in ((b"new",) if life.whole else (b"new", before)), step
            if life.whole:
                break
        assert step > 1


def test_a_face_forgotten_by_a_program_that_dies_is_enrolled_anew(tmp_path):
    """Whatever is left of the old one, the new one can be read."""
    for step in itertools.count():
        profile = Profile(tmp_path / str(step), ANNA)
        profile.keep_template(BERT, b"old")
        with dies_at(step) as life:
            profile.forget_template(BERT)
        assert profile.template(BERT) in (b"old", None)
        for again in itertools.count():
            with dies_at(again) as life_again:
                profile.keep_template(BERT, b"new")
            assert profile.template(BERT) in (b"old", b"new", None)
            if life_again.whole:
                break
        assert profile.template(BERT) == b"new"
        if life.whole:
            break
    assert step > 2


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    """Whole or not at all: a crash in the middle keeps what was there, and leaves no litter."""
    target = tmp_path / "file"
    write_private(target, b"old")

    def broken(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(DiskError, match="No space"):
        write_private(target, b"new")
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_second_program_is_told_that_the_client_is_open(tmp_path):
    """One process writes a learner's records; another is refused, until the first has ended."""
    path = tmp_path / "outbox.db"
    code = f"import pathlib; from client.profile import claim; claim(pathlib.Path({str(path)!r})); print('mine')"
    first = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert first.stdout == "mine\n"
    claim(path)
    claim(path)  # this process has it
    second = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert AlreadyRunningError.__name__ in second.stderr
