"""A learner's own copy over HTTP: by the learner's own token, and what a stranger verifies."""

from __future__ import annotations

from pathlib import Path

from ledger.archive import open_source
from ledger.trust import parse as parse_trust
from ledger.verify import Options, verify
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS
from tests.server_stub.test_archive import study


def test_a_learner_fetches_the_copy_and_anybody_verifies_it(room: Room, tmp_path: Path) -> None:
    """The file holds this learner's session alone, and verifies with --partial; nothing of it stays behind."""
    mine, other = room.learner().ready(), room.learner("other").ready()
    device, foreign = study(mine), study(other)
    reply = room.http.get(f"/v1/classes/{CLASS}/copy", headers=mine.headers)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/zip")
    path = tmp_path / "copy.zip"
    path.write_bytes(reply.content)
    trust = parse_trust(room.server.services.enrolment.trust(CLASS).encode())
    source = open_source(path)
    report = verify(source, trust, Options(partial=True))
    assert not report.refused
    assert [(row.sid, row.credited_ms) for row in report.sessions] == [(device.sid, 60_000)]
    assert not source.names(f"sessions/{foreign.sid}/")
    assert not source.has("people.csv")
    assert not list((room.settings.directory).glob("**/*.zip"))


def test_nobody_elses_class_is_given_away(room: Room) -> None:
    """Without a token 401; a class that is not the learner's, or of no form, 404: the same as one that is not kept."""
    learner = room.learner().ready()
    assert room.http.get(f"/v1/classes/{CLASS}/copy").status_code == 401
    for class_id in ("another-class", "..%2f..%2fetc", "x" * 300):
        assert room.http.get(f"/v1/classes/{class_id}/copy", headers=learner.headers).status_code == 404


def test_copies_are_made_now_and_then(room: Room) -> None:
    """Each is made and verified anew: one learner asks five times, then waits ten minutes."""
    learner = room.learner().ready()
    study(learner, 1)
    codes = [room.http.get(f"/v1/classes/{CLASS}/copy", headers=learner.headers).status_code for _ in range(6)]
    assert codes == [200] * 5 + [429]
