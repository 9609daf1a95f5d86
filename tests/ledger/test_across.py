"""Several archives together (step 9), and what the verifier tells people to compare."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger import fingerprint, keys
from ledger.__main__ import main
from ledger.across import Across, verify_many
from ledger.archive import open_source
from ledger.errors import InconsistentLogError
from ledger.export import ArchiveData, write_archive
from ledger.findings import Status
from ledger.leaves import KeyLeaf
from ledger.trust import Trust
from ledger.trust import parse as parse_trust
from ledger.verify import Options, verify
from tests.ledger.builder import Classroom, Device
from tests.ledger.conftest import Made

HOUR = 3_600_000


@dataclass
class Shelf:
    """Classes whose archives are verified together."""

    folder: Path
    rooms: dict[str, Classroom]

    def room(self, name: str, *, later: int = 0) -> Classroom:
        """One more class of the same server, begun `later` ms after noon."""
        made = self.rooms[name] = Classroom(class_id=name)
        made._counter, made.now = 1000 * len(self.rooms), made.now + later
        return made

    def study(self, room: Classroom, learner: str, ms: int = 60_000) -> Device:
        """One whole credited session of `learner` in `room`."""
        room.people[learner] = "王小明"
        device = room.device(learner)
        room.session(device).study(ms).close().settle(ms)
        return device

    @property
    def trust(self) -> Trust:
        return Trust(tuple(room.log_key.vkey for room in self.rooms.values()), {})

    def verify(self, **options: object) -> Across:
        for name, room in self.rooms.items():
            if not (self.folder / name).exists():
                room.export(self.folder / name)
        authority = tuple(room.authority.vkey for room in self.rooms.values())
        sources = {name: open_source(self.folder / name) for name in self.rooms}
        return verify_many(sources, self.trust, Options(authority=authority, **options))  # type: ignore[arg-type]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path, {})


LEARNER = "ab" * 16


def test_two_classes_one_after_the_other_are_both_good(shelf: Shelf) -> None:
    """The same learner, an hour apart: every minute counts, in each class."""
    for name, later in (("a", 0), ("b", HOUR)):
        shelf.study(shelf.room(name, later=later), LEARNER)
    found = shelf.verify()
    assert (found.status, found.exit_code) == (Status.OK, 0)
    assert found.totals() == {LEARNER: {"a": 60_000, "b": 60_000}}


def test_two_lessons_at_once_are_named(shelf: Shelf) -> None:
    """Each archive is good by itself; together they hold more credit than time passed: not credited, and how much."""
    for name in ("a", "b"):
        shelf.study(shelf.room(name), LEARNER)
    found = shelf.verify()
    assert all(not report.refused for report in found.reports.values())
    (finding,) = found.findings
    assert finding.status is Status.NOT_CREDITED
    assert LEARNER in finding.message
    assert "a, b" in finding.message
    assert found.exit_code == 0


def test_two_learners_at_once_are_nobodys_concern(shelf: Shelf) -> None:
    """The comparison is by learner."""
    for name, learner in (("a", LEARNER), ("b", "cd" * 16)):
        shelf.study(shelf.room(name), learner)
    assert shelf.verify().status is Status.OK


def test_a_session_that_stands_in_two_classes_is_refused(shelf: Shelf) -> None:
    """The operator counts one session twice: the same identifier in two class logs."""
    for name, later in (("a", 0), ("b", HOUR)):
        room = shelf.room(name, later=later)
        room._counter = 5000
        shelf.study(room, LEARNER)
    found = shelf.verify()
    assert found.exit_code == 1
    assert "stands in a and in b" in found.findings[0].message


def test_a_device_that_speaks_for_two_learners_is_named(shelf: Shelf) -> None:
    """One phone, two people, in two classes: proxy study would look like this, and a lent phone, too."""
    a, b = shelf.room("a"), shelf.room("b", later=HOUR)
    device = shelf.study(a, LEARNER)
    other = "cd" * 16
    b.people[other] = "李娜"
    second = b.device(other)
    log_device(b, device, other)
    second.signer = device.signer
    b.session(second).study(60_000).close().settle(60_000)
    found = shelf.verify()
    (finding,) = found.findings
    assert finding.status is Status.NOT_CREDITED
    assert LEARNER in finding.message
    assert other in finding.message


def log_device(room: Classroom, device: Device, learner: str) -> None:
    """Certify the key of another class's device for `learner`."""
    owner = room.keep_plain(bytes.fromhex(room.random(16)) + learner.encode())
    room.append(KeyLeaf(room.now, "add", "device", str(device.signer.vkey), owner=owner))


def test_two_histories_of_one_class_are_refused_and_both_named(shelf: Shelf, tmp_path: Path) -> None:
    """Two archives, each good by itself, signed by one key: neither begins the other."""
    room = shelf.room("a")
    shelf.study(room, LEARNER)
    twin = Classroom(class_id="a")
    twin.log_key = room.log_key
    twin.now += 60_000
    shelf.rooms["twin"] = twin
    shelf.study(twin, LEARNER)
    room.export(tmp_path / "a")
    twin.export(tmp_path / "twin")
    trust = Trust((room.log_key.vkey,), {})
    sources = {name: open_source(tmp_path / name) for name in ("a", "twin")}
    found = verify_many(sources, trust, Options(authority=(room.authority.vkey, twin.authority.vkey)))
    assert found.exit_code == 1
    assert "two histories" in found.findings[0].message
    assert all(not report.refused for report in found.reports.values())


def test_an_older_archive_of_the_same_class_is_a_beginning_of_the_newer(shelf: Shelf, tmp_path: Path) -> None:
    """One history; its sessions are compared once, not against themselves."""
    room = shelf.room("a")
    device = shelf.study(room, LEARNER)
    room.export(tmp_path / "older")
    room.now += HOUR
    second = room.session(device)
    second.unit = "u2"
    second.study(30_000).close().settle(30_000)
    room.export(tmp_path / "newer")
    sources = {name: open_source(tmp_path / name) for name in ("older", "newer")}
    found = verify_many(sources, shelf.trust, Options(authority=(room.authority.vkey,)))
    assert (found.status, found.exit_code) == (Status.OK, 0)


def test_each_witnessed_checkpoint_goes_to_its_own_class(shelf: Shelf) -> None:
    """And one that is of none of these classes is not passed over in silence."""
    for name, later in (("a", 0), ("b", HOUR)):
        shelf.study(shelf.room(name, later=later), LEARNER)
    kept = [shelf.rooms["b"].checkpoint()]
    found = shelf.verify(witnessed=kept)
    assert found.reports["b"].findings.steps["1 freshness"].status is Status.OK
    assert found.reports["a"].findings.steps["1 freshness"].status is Status.NOT_CHECKABLE
    with pytest.raises(InconsistentLogError):
        shelf.verify(witnessed=[Classroom(class_id="other").checkpoint()])


def test_the_command_line_ends_in_one_table(shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`verify A B`: both reports, step 9, and each learner's credit by archive; the same as JSON."""
    for name in ("a", "b"):
        shelf.study(shelf.room(name), LEARNER)
    shelf.verify()
    (tmp_path / "t").write_text(str(shelf.trust))
    arguments = ["verify", str(tmp_path / "a"), str(tmp_path / "b"), "--trust", str(tmp_path / "t")]
    main(arguments)
    out = capsys.readouterr().out
    assert "=== 2 archives together" in out
    assert "more credited" in out
    main([*arguments, "--json"])
    assert json.loads(capsys.readouterr().out)["across"]["status"] == "not credited"
    assert main([*arguments[:2], *arguments[1:2], *arguments[3:]]) == 2


# --- what people compare ----------------------------------------------------------------------------------------------


def test_the_report_shows_the_groups_of_everything_relied_on(archive: Made) -> None:
    """Trust file, log, witness and authority, as the letter prints them; a comment in the file changes nothing."""
    report = archive.verify()
    shown = report.fingerprints
    assert shown["trust file"] == fingerprint.of_trust(archive.trust)
    assert shown[archive.room.origin] == fingerprint.of_key(archive.room.log_key.vkey)
    assert shown["witness0.example/w"] == fingerprint.of_key(archive.room.witnesses[0].vkey)
    assert shown["school.example/a"] == fingerprint.of_key(archive.room.authority.vkey)
    commented = parse_trust(b"# from the bureau\n" + str(archive.trust).encode())
    assert fingerprint.of_trust(commented) == shown["trust file"]


def test_groups_are_all_of_the_hash() -> None:
    """256 bits in 16 groups: the operator draws the keys, so fewer digits could be met by two of them."""
    key = keys.generate("a.example/w", keys.COSIGNATURE).vkey
    groups = fingerprint.of_key(key).split(" ")
    assert len(groups) == 16
    assert all(len(group) == 4 for group in groups)
    assert " ".join(fingerprint.halves(" ".join(groups))) == " ".join(groups)
    other = keys.Vkey("b.example/w", key.type, key.key)
    assert fingerprint.of_key(other).split(" ") != groups


def test_the_operator_cannot_witness_himself(tmp_path: Path) -> None:
    """A key that stands in the class log (the server's cosigner) is no witness, whatever the trust file calls it."""
    room = Classroom()
    data = ArchiveData(checkpoint=room.checkpoint(), entries=room.entries, sessions=[], bodies=room.bodies.items())
    write_archive(tmp_path / "a", data, room.trust(), room.options())
    room.witnesses = [room.cosigner]
    (tmp_path / "a" / "checkpoint").write_bytes(room.checkpoint())
    report = verify(open_source(tmp_path / "a"), room.trust(), room.options())
    assert report.refused
    assert "operator's own cosign key" in next(report.findings.all()).message
