"""Deleting a learner's profile: it comes to its end whatever happened to the first try, and deletes nothing unasked."""

from __future__ import annotations

import argparse
import itertools

import pytest

from client import config, farewell
from client.farewell import UnsentProfileError, delete_profile
from client.profile import Profile, learners
from client.sync.outbox import Outbox
from tests.deaths import dies_at

ANNA, LESSON = "ab" * 16, "cd" * 16


def test_a_profile_whose_deletion_was_cut_short_is_deleted_by_the_next_call(tmp_path):
    """Killed before any change on the disk, with zeros already in the place of the records: asked again, it ends."""
    for step in itertools.count():
        profile = Profile(tmp_path / str(step), ANNA)
        profile.keep_template(LESSON, b"template")
        Outbox(profile.outbox).close()
        with dies_at(step) as life:
            delete_profile(profile)
        if profile.folder.exists():
            delete_profile(profile)
        assert learners(tmp_path / str(step)) == []
        if life.whole:
            break
    assert step > 6


def test_records_that_nobody_can_read_are_deleted_only_if_asked_for(tmp_path, capsys):
    """A damaged database may hold something that was not sent: the list says so, and deleting asks for the word."""
    profile = Profile(tmp_path, ANNA)
    Outbox(profile.outbox).close()
    profile.outbox.write_bytes(b"damaged" * 1_000)
    options = argparse.Namespace(command="profile", what="list")
    assert farewell.run(config.load({"data": str(tmp_path), "server": "http://127.0.0.1:1"}), options) == 0
    assert "cannot be told" in capsys.readouterr().out
    with pytest.raises(UnsentProfileError, match="cannot be told"):
        delete_profile(profile)
    delete_profile(profile, unsent=True)
    assert learners(tmp_path) == []
