"""Gathering cosignatures: a witness that is down, slow or lies stops no class, and a quorum is what was agreed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import chain, combinations
from pathlib import Path

import pytest

from client.errors import ForgedAnswerError
from client.sync.receipts import verify_receipt
from ledger import checkpoint, leaves, note, proof, submission, trust
from ledger.archive import Directory
from ledger.checkpoint import Checkpoint
from ledger.errors import QuorumError
from ledger.events import Asked
from ledger.findings import Status
from ledger.keys import COSIGNATURE, generate
from ledger.report import Report
from ledger.tree import Tree, leaf_hash
from ledger.verify import Options, verify
from server_stub.__main__ import main
from server_stub.domain import gather
from server_stub.domain.clockwatch import ClockWatch
from server_stub.domain.errors import SetupError
from server_stub.domain.gather import GRANT_S, REST_MS, Reply
from server_stub.domain.since import may_be_logged
from server_stub.domain.witness_errors import NotWitnessedError
from server_stub.storage.keyfiles import parse_witnesses
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, Device
from tests.server_stub.witnessed import NAMES, Watched, hanging, url, watched

TEN_MINUTES = 600_000


@pytest.fixture
def site(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """Three witnesses that answer at once, or refuse at once: how busy this machine is makes none of them slow."""
    for wait in ("ROUND_S", "TROUBLED_S", "GRANT_S"):
        monkeypatch.setattr(gather, wait, 120.0)
    with watched(room, tmp_path) as made:
        yield made


def lesson(site: Watched, minutes: int = 1) -> Device:
    """One whole session, a segment each ten seconds, the witnesses asked as the background task would."""
    site.learner = site.learner or site.room.learner().ready()
    device = site.learner.open()
    device.send()
    for _ in range(6 * minutes):
        device.play(10_000)
        device.send()
        site.room.server.services.sweep()
        site.room.server.gatherer.sweep()
    device.add(Asked("close"))
    device.send()
    device.send()
    device.close()
    site.room.server.services.sweep()
    return device


def export(site: Watched, tmp_path: Path) -> tuple[Path, Report]:
    out = tmp_path / f"archive{len(list(tmp_path.iterdir()))}"
    site.room.server.services.exporter.write(CLASS, out, masked=False, zipped=False)
    keyring = site.room.server.keyring
    assert keyring.authority is not None
    published = trust.parse(site.room.server.services.enrolment.trust(CLASS).encode())
    return out, verify(Directory(out), published, Options(authority=(keyring.authority.vkey,)))


# --- the quorum -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("up", list(chain.from_iterable(combinations(NAMES, n) for n in range(4))))
def test_two_of_three_and_the_external_one(site: Watched, up: tuple[str, ...]) -> None:
    """A group inside a group: every combination of witnesses that are up, and what the trust file makes of it."""
    for name in NAMES:
        if name not in up:
            site.net.stop(name)
    assert site.gather() is ("bureau" in up and len(up) >= 2)
    assert bool(site.anchors()) is ("bureau" in up and len(up) >= 2)


def test_one_key_is_one_witness() -> None:
    """The same key under two names, or the log's own key as a witness, is no trust file."""
    key = generate("a.example/w", COSIGNATURE).vkey
    line = f"{key} http://a\n"
    with pytest.raises(SetupError, match="twice"):
        parse_witnesses(f"witness a {line}witness b {line}group g 2 a b\nquorum g\n".encode())


@pytest.mark.parametrize(
    "text",
    ["", "quorum none", "witness a b\n", "witness a {key}\nquorum a\n", "witness a {key} ftp://a\nquorum a\n",
     "log {log}\nwitness a {key} http://a\nquorum a\n", "witness a {key} http://a\nquorum b\n"],
)  # fmt: skip
def test_a_file_of_witnesses_that_says_nothing_clear_is_refused(text: str) -> None:
    """Before anything is made: no address, a log, an unknown name."""
    key, log = generate("a.example/w", COSIGNATURE).vkey, generate("s.example/c/k", 1).vkey
    with pytest.raises(SetupError):
        parse_witnesses(text.format(key=key, log=log).encode())


# --- anchors ----------------------------------------------------------------------------------------------------------


def test_an_anchor_stands_after_the_first_entries_and_then_each_ten_minutes_of_something(site: Watched) -> None:
    """Nothing new: no anchor. Something new: one, when the last is ten minutes old."""
    first = len(site.entries())
    assert site.gather()
    assert site.anchors() == [first]
    site.room.clock.now += TEN_MINUTES
    assert site.gather()
    assert site.anchors() == [first]
    site.room.learner().ready()
    site.room.clock.now += TEN_MINUTES - 1_000
    assert site.gather()
    assert len(site.anchors()) == 2
    site.room.learner("other").ready()
    assert site.gather()
    assert len(site.anchors()) == 2


def test_an_anchor_is_a_prefix_with_a_quorum(site: Watched) -> None:
    """What a verifier asks of it, asked of the entry itself."""
    site.gather()
    (index,) = site.anchors()
    entry = leaves.decode(site.entries()[index])
    assert isinstance(entry, leaves.Logged)
    seen = site.trust.verify_parsed(entry.checkpoint, entry.note)
    assert len(seen.times) == 3
    root = Tree(map(leaf_hash, site.entries()[: seen.checkpoint.size])).root()
    assert (seen.checkpoint.size, seen.checkpoint.root) == (index, root)


def test_a_grant_after_a_quiet_night_has_a_young_anchor_before_it(site: Watched) -> None:
    """The bound on credit begins where the last anchor before the grant stands: minutes ago, not yesterday."""
    learner = site.room.learner().ready()
    site.gather()
    site.room.clock.now += 10 * TEN_MINUTES
    before = len(site.anchors())
    device = learner.open()
    assert len(site.anchors()) == before + 1
    granted = next(i for i, entry in enumerate(site.entries()) if b'"type":"granted"' in entry)
    assert site.anchors()[-1] < granted
    assert device.grant.time == site.room.clock.now


def test_a_grant_does_not_wait_for_a_witness(site: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """A witness that hangs costs a learner half a second once, and nothing once it is known to hang."""
    monkeypatch.setattr(gather, "GRANT_S", GRANT_S)
    learner = site.room.learner().ready()
    site.gather()
    site.room.clock.now += 10 * TEN_MINUTES
    end, answered = threading.Event(), list[float]()
    site.net.bends[url("bureau")] = hanging(end, answered)
    learner.open()
    assert not answered, "the witness still hangs when the learner has the grant"
    end.set()
    assert b'"type":"granted"' in b"".join(site.entries())


# --- witnesses that fail ----------------------------------------------------------------------------------------------


def lie_other_key(reply: Reply, body: bytes) -> Reply:
    found = checkpoint.parse(body.partition(b"\n\n")[2])[0]
    return Reply(200, checkpoint.cosign(found, generate("school.example/w", COSIGNATURE), 1).encode() + b"\n")


def lie_bent(reply: Reply, body: bytes) -> Reply:
    return Reply(reply.status, reply.body[:-10] + b"AAAAAAA==\n")


def lie_sizes(reply: Reply, body: bytes) -> Reply:
    return Reply(409, b"1\n" if body.startswith(b"old 0") else b"0\n")


@pytest.mark.parametrize(
    "bend",
    [
        lie_other_key, lie_bent, lie_sizes, lambda r, b: Reply(200, b""), lambda r, b: Reply(200, b"\xff\xfe\n"),
        lambda r, b: Reply(409, b"99999999999999\n"), lambda r, b: Reply(409, b"-1\n"), lambda r, b: Reply(500, b""),
        lambda r, b: Reply(302, b""), lambda r, b: Reply(200, b + r.body),
    ],
)  # fmt: skip
def test_a_witness_that_lies_is_left_out_and_the_class_goes_on(site: Watched, bend: object, tmp_path: Path) -> None:
    """Whatever one of the two near witnesses answers: the other and the external one are the quorum."""
    site.net.bends[url("school")] = bend  # type: ignore[assignment]
    lesson(site)
    _, report = export(site, tmp_path)
    assert not report.refused
    assert sorted(report.witnesses) == ["bureau.example/w", "employer.example/w"]
    assert report.credited_ms > 0


@pytest.mark.slow
def test_a_witness_whose_clock_stands_still_cannot_take_credit_away(site: Watched, tmp_path: Path) -> None:
    """Its signatures are genuine, its time never falls: it is left out, or no minute would fit between its anchors."""
    frozen = site.room.clock.now // 1000
    site.witnesses["school"]._clock = lambda: frozen
    for _ in range(3):
        lesson(site, 12)
        site.room.clock.now += TEN_MINUTES
    _, report = export(site, tmp_path)
    assert not report.refused
    assert report.findings.steps["8 witnessed"].status is Status.OK
    assert "school.example/w" not in report.witnesses


def test_a_witness_in_the_future_is_left_out(site: Watched) -> None:
    """Its next honest time would fall."""
    site.witnesses["school"]._clock = lambda: site.room.clock.now // 1000 + 7_200
    assert site.gather()
    assert "school" in site.room.server.gatherer.trouble(CLASS)


def test_steady_clocks_that_differ_are_fine_and_a_lost_second_is_not_held_against_anybody() -> None:
    """Only differences count; cutting to seconds and the way of the answer are allowed for."""
    now = [5_000_000]
    watch = ClockWatch(lambda: now[0], lambda: 10**13)
    key = generate("a.example/w", COSIGNATURE).vkey
    for passed in (0, 1_999, 1, 600_000, 999):
        now[0] += passed
        watch.check(key, (now[0] + 86_400_000) // 1000)
    with pytest.raises(ValueError, match="lost"):
        watch.check(key, (now[0] + 86_400_000) // 1000 - 4)
    now[0] += 25 * 3_600_000
    watch.check(key, now[0] // 1000)


def test_all_witnesses_down_stop_no_lesson_only_the_archive(site: Watched, tmp_path: Path) -> None:
    """Study, receipts 1 and credit go on; what verifiers would refuse is not given away; it is said who is missing."""
    site.gather()
    for name in NAMES:
        site.net.stop(name)
    device = lesson(site)
    assert device.answers
    with pytest.raises(NotWitnessedError, match=r"bureau.*refused"):
        export(site, tmp_path)
    for name in NAMES:
        site.net.start(name)
    _, report = export(site, tmp_path)
    assert not report.refused


def test_a_witness_that_was_away_catches_up_by_itself(site: Watched) -> None:
    """Its 409 names the size that it signed; the proof goes from there."""
    site.gather()
    site.net.stop("school")
    lesson(site)
    site.net.start("school")
    assert site.gather()
    assert len(site.entries()) >= checkpoint.parse(site.witnesses["school"].last(site.key.name))[0].size > 14


def test_a_new_process_goes_on_where_the_witnesses_are(site: Watched) -> None:
    """What the server knows of them in memory may be lost."""
    site.gather()
    site.room.learner().ready()
    site.room.server.gatherer._known.clear()
    site.net.asked.clear()
    assert site.room.server.gatherer.gather(CLASS)
    assert sorted(site.net.asked) == sorted(url(name) for name in NAMES for _ in range(2))


# --- two histories ----------------------------------------------------------------------------------------------------


def test_a_server_that_signs_two_histories_is_caught(site: Watched, tmp_path: Path) -> None:
    """The operator keeps a second log without one session, under the same key: no honest witness signs it, each keeps
    both checkpoints, an archive of it lacks the quorum, and against a kept checkpoint it is refused."""
    lesson(site)
    export(site, tmp_path)
    kept = site.witnesses["bureau"].last(site.key.name)
    honest = site.entries()
    tree = Tree(map(leaf_hash, [*honest[:12], *honest[20:], b"one more", *[b"and more"] * 20]))
    forged = Checkpoint(site.key.name, len(tree), tree.root())
    signed = checkpoint.sign(forged, site.room.server.keyring.log(CLASS))
    old = checkpoint.parse(kept)[0].size
    body = f"old {old}\n\n".encode() + signed
    for name in NAMES:
        assert site.net.add_checkpoint(url(name), body).status == 422
        (found,) = site.books[name].write(lambda store: store.contradictions())
        assert found.theirs == signed
        note.verify(note.parse(found.ours), [site.key], others=True)
    with pytest.raises(QuorumError):
        site.trust.verify(signed)


def test_a_log_that_was_cut_back_gets_no_more_signatures(site: Watched, tmp_path: Path) -> None:
    """A restored backup: the witnesses are ahead of it and say so; it cannot pass for the whole."""
    lesson(site)
    assert site.gather()
    size = len(site.entries())
    for name in NAMES:
        body = submission.build(0, [], checkpoint.sign(site.at(size - 3), site.room.server.keyring.log(CLASS)))
        assert site.net.add_checkpoint(url(name), body) == Reply(409, b"%d\n" % size)
    assert site.room.server.gatherer.cosigned(CLASS, size - 3) is None
    assert "signed size" in site.room.server.gatherer.trouble(CLASS)["school"]


# --- what comes of it -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_archive_carries_all_cosignatures_and_verifies_with_the_published_trust_file(
    site: Watched, tmp_path: Path
) -> None:
    """All three on `checkpoint`, the receipt embeds it byte for byte, credit lies within witnessed time, and a
    checkpoint fetched from the external witness makes freshness checkable."""
    site.gather()
    device = lesson(site, 13)
    out, report = export(site, tmp_path)
    assert not report.refused
    assert sorted(report.witnesses) == [f"{name}.example/w" for name in sorted(NAMES)]
    assert report.findings.steps["8 witnessed"].status is Status.OK
    assert report.credited_ms > 0
    receipt = proof.parse((out / "sessions" / device.sid / "receipt.tlog-proof").read_bytes())
    assert receipt.checkpoint == (out / "checkpoint").read_bytes()
    fresh = verify(Directory(out), site.trust, Options(witnessed=[site.witnesses["bureau"].last(site.key.name)]))
    assert fresh.findings.steps["1 freshness"].status is Status.OK


def test_an_older_archive_is_refused_where_a_witness_saw_more(site: Watched, tmp_path: Path) -> None:
    """Cut at the end: good signatures, a quorum, and out of date."""
    lesson(site)
    out, _ = export(site, tmp_path)
    lesson(site)
    site.gather()
    kept = site.witnesses["bureau"].last(site.key.name)
    report = verify(Directory(out), site.trust, Options(witnessed=[kept]))
    assert report.exit_code == 1
    assert any("stale" in finding.message for finding in report.findings.steps["1 freshness"].findings)


def test_a_receipt_waits_for_the_quorum_and_then_satisfies_the_clients_own_trust_file(site: Watched) -> None:
    """404 until the witnesses have seen the session's last entry: a client deletes nothing on the operator's word."""
    for name in NAMES:
        site.net.stop(name)
    device = lesson(site)
    path = f"/v1/sessions/{device.sid}/receipt"
    assert site.room.http.get(path).json()["code"] == "TS-S-041"
    for name in NAMES:
        site.net.start(name)
    assert site.gather()
    reply = site.room.http.get(path)
    assert reply.status_code == 200
    index = proof.parse(reply.content).index
    seen = verify_receipt(reply.content, site.entries()[index], site.trust)
    assert len(seen.times) == 3
    without = b"".join(line for line in reply.content.splitlines(keepends=True) if b" bureau.example/w " not in line)
    with pytest.raises(ForgedAnswerError, match="no quorum"):
        verify_receipt(without, site.entries()[index], site.trust)


def test_a_device_that_was_off_line_is_not_suspected(site: Watched, tmp_path: Path) -> None:
    """Its checkpoint comes after an anchor that is younger than the study that follows: it is not logged as it comes,
    or verifiers would find more credit between two entries than the witnesses saw pass."""
    site.gather()
    device = site.room.learner().ready().open()
    device.send()
    device.play(30_000)
    device.send()
    bodies = []
    for _ in range(24):  # twelve minutes without network: the segments wait
        device.play(30_000)
        bodies.append(device.body())
        device.sent = len(device.entries)
        site.room.server.gatherer.sweep()
    site.room.learner("other").ready()
    assert site.gather()
    assert len(site.anchors()) == 2
    server = site.room.server
    session = server.records.read(lambda tx: tx.events.session(device.sid))
    assert session is not None
    for body in bodies[:10]:
        assert device.post(body).status_code == 200
        assert not server.records.read(lambda tx: may_be_logged(tx, session))
    assert server.records.read(lambda tx: tx.events.progress(device.sid)).logged_leaf < 0
    for body in bodies[10:]:
        assert device.post(body).status_code == 200
    assert server.records.read(lambda tx: may_be_logged(tx, session))
    device.send()
    device.close()
    site.room.server.services.sweep()
    _, report = export(site, tmp_path)
    assert not report.refused


def test_witnesses_sign_what_has_rested_a_few_seconds(site: Watched) -> None:
    """A session that ends now is not covered by a signature of now: a device's clock is not believed to the second."""
    site.gather()
    device = lesson(site)
    before = len(site.entries())
    site.room.server.gatherer.sweep()
    assert site.room.server.records.read(lambda tx: tx.witnessed.size(CLASS)) < before
    site.room.clock.now += REST_MS
    site.room.server.gatherer.sweep()
    assert site.room.server.records.read(lambda tx: tx.witnessed.size(CLASS)) == before
    assert device.closed


def test_an_anchor_comes_ten_minutes_after_the_last_even_if_all_is_quiet_since(site: Watched) -> None:
    """Something was appended in the third minute and witnessed at once; its anchor is due in the tenth."""
    site.gather()
    site.room.clock.now += 180_000
    site.room.learner().ready()
    site.gather()
    assert len(site.anchors()) == 1
    site.room.clock.now += 420_000
    site.room.server.gatherer.sweep()
    assert len(site.anchors()) == 2
    for _ in range(3):
        site.room.clock.now += TEN_MINUTES
        site.room.server.gatherer.sweep()
    assert len(site.anchors()) == 2


# --- who watches is agreed upon before, or with what stands already ---------------------------------------------------


def test_witnesses_are_named_or_moved_only_where_the_anchors_that_stand_allow_it(site: Watched, tmp_path: Path) -> None:
    """A verifier's trust file must hold for the oldest anchor, too: another quorum than the log carries is refused."""
    site.gather()
    data = site.room.settings.witnesses.read_text()
    moved, stranger = tmp_path / "moved", tmp_path / "stranger"
    moved.write_text(data.replace("http://bureau.example", "https://elsewhere.example"))
    key = generate("stranger.example/w", COSIGNATURE).vkey
    stranger.write_text(f"witness stranger {key} https://stranger.example\nquorum stranger\n")
    directory = str(site.room.settings.directory)
    assert main(["witnesses", directory, str(moved)]) == 0
    assert "elsewhere" in site.room.settings.witnesses.read_text()
    published = trust.parse(site.room.settings.trust_file(CLASS, first=True).read_bytes())
    assert published == trust.parse(str(site.trust).encode())
    assert main(["witnesses", directory, str(stranger)]) == 2
    assert "elsewhere" in site.room.settings.witnesses.read_text()
