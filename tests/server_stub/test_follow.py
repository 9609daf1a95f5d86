"""R2.3: a province follows a class while it studies: signed, resumable, nothing lost and nothing twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import events, grant
from ledger.archive import Directory
from ledger.events import Opened
from ledger.findings import Status
from ledger.leaves import ErasedLeaf, Logged
from ledger.leaves import decode as decode_leaf
from ledger.tiles import decode_bundle
from ledger.trust import parse as parse_trust
from ledger.verify import Options, verify
from server_stub.__main__ import main
from server_stub.asking import Reply
from server_stub.domain.errors import SetupError
from server_stub.domain.feed import FOLLOWED
from server_stub.domain.work_errors import FeedError
from server_stub.follow import Province
from server_stub.followed import Followed
from tests.server_stub.browser import served
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, HASH, SERVER, Device
from tests.server_stub.staff import PASSWORD, hire
from tests.server_stub.test_import import audits
from tests.tries import tries

Change = Callable[[str, Reply], Reply]
TEN_MINUTES = 10 * 60_000


class Line:
    """The port to an app in this process; the request that `cut` names finds the line cut."""

    def __init__(self, http: TestClient, change: Change | None = None) -> None:
        self.http, self.change, self.asked, self.cut = http, change, 0, -1

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        self.asked += 1
        if self.asked == self.cut:
            raise OSError("the line was cut")
        answer = self.http.request(method, path, content=body, headers=dict(headers or {}))
        reply = Reply(answer.status_code, answer.content)
        return self.change(path, reply) if self.change else reply


def province(room: Room, folder: Path, line: Line | None = None, account: str = "supervisor") -> Province:
    trusted = parse_trust(room.server.services.enrolment.trust(CLASS).encode())
    who = (account, PASSWORD) if account else None
    return Province(line or Line(room.http), CLASS, trusted, folder, who)


def study(room: Room, account: str = "learner") -> Device:
    """A session with some events, and the class log's word on it."""
    device = room.learner(account).ready().open()
    device.send()
    for _ in range(3):
        device.play(20_000)
        device.send()
    room.clock.now += TEN_MINUTES
    device.play(1_000)
    device.send()
    room.server.services.sweep()
    return device


def followed(folder: Path) -> list[bytes]:
    return decode_bundle((folder / "class.log").read_bytes())


def there(room: Room) -> list[bytes]:
    """The class log as the server has it."""
    return room.server.records.read(lambda tx: tx.log.entries(CLASS, 0, tx.log.size(CLASS)))


def kept(folder: Path, sid: str) -> tuple[bytes, ...]:
    return Followed(folder, f"{SERVER}/c/{CLASS}").session(sid)[0]


def test_a_class_is_followed_while_it_studies(room: Room, tmp_path: Path) -> None:
    """The class log and the events as they are logged: the sign-in's address with them; one audit a day says who."""
    hire(room)
    device, here = study(room), tmp_path / "province"
    far = province(room, here)
    first = far.look()
    assert followed(here) == there(room)[: len(followed(here))]
    events_ = kept(here, device.sid)
    assert events_ == tuple(device.entries[: len(events_)])
    assert len(events_) > 8
    opened = events.decode(events_[0]).body
    assert isinstance(opened, Opened)
    assert grant.parse(opened.grant.encode())[0].seen == "testclient"
    assert {"session": device.sid, "from": 0, "to": len(events_)} in first
    device.close()
    again = far.look()
    assert kept(here, device.sid) == tuple(device.entries)
    assert {"session": device.sid, "from": len(events_), "to": len(device.entries)} in again
    assert [line["entry"] for line in [*first, *again] if "entry" in line] == list(range(len(followed(here))))
    assert all(path.stat().st_mode & 0o077 == 0 for path in here.rglob("*") if path.is_file())
    assert [item.did for item in audits(room)].count(FOLLOWED) == 1
    room.clock.now += 25 * 3_600_000
    study(room, "other")
    province(room, here).look()
    assert [item.did for item in audits(room)].count(FOLLOWED) == 2


def test_wherever_the_line_is_cut_the_next_look_goes_on(room: Room, tmp_path: Path) -> None:
    """Each request once, the first to the last: nothing is lost, nothing stands twice, every line is told once."""
    hire(room)
    devices = [study(room), study(room, "other")]
    province(room, tmp_path / "first").look()  # the class log says today that somebody follows
    whole = Line(room.http)
    province(room, tmp_path / "whole", whole).look()
    wanted = followed(tmp_path / "whole")
    assert whole.asked >= 5
    for cut in range(1, whole.asked + 1):
        here, line = tmp_path / f"cut{cut}", Line(room.http)
        far, line.cut = province(room, here, line), cut
        with pytest.raises(OSError, match="cut"):
            far.look()
        told = far.look()
        assert [line["entry"] for line in told if "entry" in line] == list(range(len(wanted)))
        assert followed(here) == wanted
        for device in devices:
            assert kept(here, device.sid) == kept(tmp_path / "whole", device.sid) != ()


def test_a_machine_that_stops_in_the_middle_goes_on(room: Room, tmp_path: Path) -> None:
    """The class log cut at any byte of what was written last, or the events without their hashes: all comes again."""
    hire(room)
    device, here = study(room), tmp_path / "province"
    for _ in range(2):  # the second one brings that somebody follows
        province(room, here).look()
    data, wanted = (here / "class.log").read_bytes(), followed(here)
    for cut in (0, 1, 2, 50, len(data) - 1, len(data) // 2):
        (here / "class.log").write_bytes(data[:cut])
        province(room, here).look()
        assert (followed(here), kept(here, device.sid)) == (wanted, kept(here, device.sid))
    hashes = here / "sessions" / f"{device.sid}.hashes"
    size, _ = len(hashes.read_bytes()) // 32, hashes.write_bytes(hashes.read_bytes()[:64])
    assert len(kept(here, device.sid)) == 2
    province(room, here).look()
    assert len(kept(here, device.sid)) == size


def test_without_an_account_the_public_log_alone_is_followed_and_events_come_later(room: Room, tmp_path: Path) -> None:
    """Anybody follows the class log; once an account is there, what was logged before comes, too."""
    hire(room)
    device, here = study(room), tmp_path / "province"
    province(room, here, account="").look()
    assert followed(here) == there(room)
    assert kept(here, device.sid) == ()
    told = province(room, here).look()
    assert [line for line in told if "session" in line] == [
        {"session": device.sid, "from": 0, "to": len(kept(here, device.sid))}
    ]


def test_the_kept_log_is_read_once_for_all_sessions_that_lack_events(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A province that gets its account late: a class of many sessions is not read again for each of them."""
    hire(room)
    devices, here = [study(room), study(room, "other")], tmp_path / "province"
    province(room, here, account="").look()
    real, reads = Path.read_bytes, []

    def read(path: Path) -> bytes:
        reads.append(path.name)
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    province(room, here).look()
    assert reads.count("class.log") == 2  # what was kept, and the entries that the sessions are held to
    assert all(kept(here, device.sid) for device in devices)


@pytest.mark.parametrize("who", ["teacher", "provider", "far"])
def test_who_may_not_export_gets_no_events(room: Room, tmp_path: Path, who: str) -> None:
    """The rights of the archive: others are refused, and a class of others does not exist."""
    hire(room)
    study(room)
    with pytest.raises(SetupError):
        province(room, tmp_path / "province", account=who).look()
    assert FOLLOWED not in [item.did for item in audits(room)]


def flipped(part: str) -> Change:
    """One bit of the last byte of what comes from addresses with this part."""
    return lambda path, reply: (
        Reply(reply.status, reply.body[:-1] + bytes([reply.body[-1] ^ 1])) if part in path and reply.body else reply
    )


@pytest.mark.parametrize("part", [f"/log/{CLASS}/checkpoint", f"/log/{CLASS}/tile", "/v1/sessions/"])
def test_what_is_not_as_it_was_signed_is_not_taken(room: Room, tmp_path: Path, part: str) -> None:
    """A forged checkpoint, a changed entry, a changed event: refused by name; what stood before stands."""
    hire(room)
    here = tmp_path / "province"
    province(room, here).look()
    before = followed(here)
    device = study(room)
    with pytest.raises(FeedError):
        province(room, here, Line(room.http, flipped(part))).look()
    assert followed(here) == before
    assert kept(here, device.sid) == ()
    assert (here / "contradiction").exists()
    province(room, here).look()
    assert len(followed(here)) > len(before)


def test_a_log_that_goes_back_or_is_another_is_named(
    room: Room, tmp_path: Path, make_room: Callable[..., Room]
) -> None:
    """An earlier state shown again, and a second history under the same name."""
    hire(room)
    here, old = tmp_path / "province", dict[str, Reply]()
    province(room, here, Line(room.http, old.setdefault)).look()
    study(room)
    province(room, here).look()
    with pytest.raises(FeedError, match="went back"):
        province(room, here, Line(room.http, old.get)).look()
    other = make_room()
    with pytest.raises(FeedError):
        province(room, here, Line(other.http)).look()


def test_what_is_erased_there_is_erased_here(room: Room, tmp_path: Path) -> None:
    """The `erased` leaf takes the bytes along; hashes stay and later events still verify. Who comes after the erasure
    never gets them. An event that such a leaf names for its photo alone stays."""
    hire(room)
    device = study(room)
    here, late = tmp_path / "province", tmp_path / "late"
    province(room, here).look()
    device.close()
    room.server.services.sweep()
    room.server.services.eraser.events(CLASS, device.sid, [3], "asked for by the learner")
    for folder in (here, late):
        province(room, folder).look()
        found = kept(folder, device.sid)
        assert [at for at, entry in enumerate(found) if not entry] == [3]
        assert len(found) == len(device.entries)
    room.server.records.write(lambda tx: room.server.services.logs.append(
        tx, CLASS, ErasedLeaf(room.clock.now, device.sid, (4,), HASH)))  # fmt: skip
    province(room, here).look()
    assert kept(here, device.sid)[4] == device.entries[4]


def test_the_kept_checkpoint_is_a_witnessed_one_for_the_verifier(room: Room, tmp_path: Path) -> None:
    """What the province has seen is compared with any archive: `verify --witnessed`."""
    hire(room)
    device, here = study(room), tmp_path / "province"
    province(room, here).look()
    device.close()
    out = tmp_path / "archive"
    room.server.services.exporter.write(CLASS, out, masked=False, zipped=False)
    trusted = parse_trust(room.server.services.enrolment.trust(CLASS).encode())
    report = verify(Directory(out), trusted, Options(witnessed=((here / "checkpoint").read_bytes(),)))
    assert report.findings.steps["1 freshness"].status is Status.OK
    logged = [entry for data in followed(here) if isinstance(entry := decode_leaf(data), Logged)]
    assert device.sid in [entry.sid for entry in logged]


@settings(max_examples=tries(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.sampled_from(["checkpoint", "tile/entries", "/v1/sessions/", "sign-in"]))
def test_whatever_comes_back_only_our_errors_leave(room: Room, tmp_path: Path, data: bytes, part: str) -> None:
    """A fuzz of the other server: cut, refused by name, or not set up; never anything else."""
    if room.server.registry.person("x") is None and not room.server.people.account("supervisor"):
        hire(room)
        study(room)
    line = Line(room.http, lambda path, reply: Reply(200, data) if part in path else reply)
    with pytest.raises((OSError, FeedError, SetupError)):
        province(room, tmp_path / "fuzz", line).look()


def test_the_command_keeps_a_folder_and_prints_what_came(
    room: Room, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Over a real socket; the password is a file of one's own, never a word of the command line."""
    hire(room)
    device = study(room)
    trust_file, secret = tmp_path / "class.trust", tmp_path / "password"
    trust_file.write_text(room.server.services.enrolment.trust(CLASS))
    secret.write_text(PASSWORD + "\n")
    secret.chmod(0o600)
    with served(room.http.app) as url:
        words = ["follow", url, CLASS, str(tmp_path / "province"), "--trust", str(trust_file), "--once"]
        assert main([*words, "--account", "supervisor"]) == 2
        assert main([*words, "--account", "supervisor", "--password-file", str(secret)]) == 0
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert {"entry": 0, "type": "class"} in lines
        assert any(line.get("session") == device.sid for line in lines)
        assert main([*words, "--account", "supervisor", "--password-file", str(secret)]) == 0
        assert [line for line in capsys.readouterr().out.splitlines() if device.sid in line] == []
    assert main(words) == 2, "nobody answers any more"
