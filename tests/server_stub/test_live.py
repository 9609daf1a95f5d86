"""The class as it studies now, and what the staff do about it: seen from the segments, audited before it happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger import bodies, events
from ledger.bodies import Audit, Command, Spot
from ledger.events import Answered, Event, Fault, Finding, Paused, Played, Resumed
from server_stub.domain.errors import DecisionError, NotThereError, ServerError, SessionOverError
from server_stub.domain.now import SILENT_MS, Look, Now, fold
from server_stub.domain.steer import PAUSE_TEXT, split
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, Device
from tests.server_stub.school import ORIGIN, School
from tests.server_stub.staff import Browser, account, hire
from tests.server_stub.test_import import audits


def after(*bodies_: events.Body) -> Now:
    """A session after these events, a second apart."""
    now = Now("ab" * 16, "cd" * 16, 0, size=1, heard_at=0)
    for at, body in enumerate(bodies_):
        now = fold(now, Event(at, 0, (at + 1) * 1000, now.sid, "00" * 16, body))
    return now


PLAYING = Played("pass", 0, 1000, 1000, 1000, 25)


def answered(result: str) -> Answered:
    return Answered(0, 0, "match", result, "ok" if result == "passed" else "dark", {}, {}, None)


@pytest.mark.parametrize(
    ("seen", "look"),
    [
        ((PLAYING,), Look.STUDYING),
        ((PLAYING, Paused("pass", 1, "rest")), Look.PAUSED),
        ((PLAYING, Finding("x", 1, "high", "pause", {}), Paused("pass", 1, "finding")), Look.HELD),
        ((PLAYING, Finding("x", 1, "low", "inform", {})), Look.STUDYING),
        ((PLAYING, Finding("x", 1, "medium", "report", {})), Look.FINDING),
        ((answered("failed"), PLAYING), Look.MISSED),
        ((answered("inconclusive"),), Look.UNCLEAR),
        ((answered("inconclusive"), answered("passed"), PLAYING), Look.STUDYING),
        ((Fault("camera", "gone"),), Look.FAULT),
        ((Fault("camera", "gone"), Resumed("pass", 1)), Look.STUDYING),
    ],
)
def test_what_is_looked_at_first(seen: tuple[events.Body, ...], look: Look) -> None:
    """A rank is no judgement: whoever needs somebody stands above whoever rests, and all above who study."""
    assert after(*seen).look(1000) is look


def test_who_sends_nothing_is_named_after_a_while() -> None:
    """A learner off line is silent, too: the word says so."""
    assert after(PLAYING).look(SILENT_MS) is Look.STUDYING
    assert after(PLAYING).look(SILENT_MS + 1) is Look.SILENT


def view(room: Room) -> dict[str, Look]:
    found = room.server.services.board.view(CLASS, 0, 2)
    return {line.now.sid: line.look for line in found.lines}


def test_the_board_reads_on_from_where_it_stopped(room: Room) -> None:
    """The same figures by reading on and by reading all anew; a session that ended is gone."""
    first, second = room.learner().ready().open(), room.learner("other").ready().open()
    for device in (first, second):
        device.send()
        device.play(5_000)
        device.send()
    assert view(room) == dict.fromkeys([first.sid, second.sid], Look.STUDYING)
    second.add(Paused("pass", second.position, "finding"))
    second.send()
    assert next(iter(view(room).items())) == (second.sid, Look.HELD)
    now = room.server.services.board.one(second.sid)
    room.restart()
    assert room.server.services.board.one(second.sid) == now
    assert now is not None
    assert (now.played_ms, now.client) == (5_000, "client 1")
    first.http = room.http
    first.close()
    assert list(view(room)) == [second.sid]


def test_entries_that_are_no_events_are_shown_and_stop_nothing(room: Room) -> None:
    device = room.learner().ready().open()
    device.send()
    device.add_raw(b"no event")
    device.send()
    assert view(room) == {device.sid: Look.UNREAD}


def test_sign_in_statistics(room: Room) -> None:
    """R1.9: registered, ever studied, today."""
    device = room.learner().ready().open()
    device.send()
    device.close()
    room.clock.now += 86_400_000
    room.learner("other").ready().open().send()
    found = room.server.services.board.view(CLASS, room.clock.now - 3_600_000, 2)
    assert (found.registered, found.ever, found.today, len(found.lines)) == (2, 2, 1, 1)


def test_a_pause_is_audited_and_carried_once(room: Room) -> None:
    """A command by the grant key that a verifier can check; its audit leaf stands before it."""
    device = room.learner().ready().open()
    device.send()
    steering = room.server.services.steering
    steering.command(account(room, "admin"), CLASS, device.sid, "pause", "")
    [note] = device.send().commands
    body, signed = bodies.parse(note.encode())
    assert isinstance(body, Command)
    assert (body.do, body.text, body.sid) == ("pause", PAUSE_TEXT, device.sid)
    assert device.send().commands == ()
    last = audits(room)[-1]
    assert isinstance(last, Audit)
    assert (last.did, last.target) == ("sent a pause", device.sid)
    device.add(events.Command(signed.digest))
    device.close()


@pytest.mark.parametrize(
    ("do", "text"), [("check", "x"), ("message", ""), ("message", "x" * 301), ("message", "a\x00b"), ("stop", "x")]
)
def test_other_commands_are_refused(room: Room, do: str, text: str) -> None:
    device = room.learner().ready().open()
    with pytest.raises(ServerError):
        room.server.services.steering.command(account(room, "admin"), CLASS, device.sid, do, text)


def test_a_session_that_is_over_or_nobodys_takes_no_command(room: Room) -> None:
    device = room.learner().ready().open()
    device.send()
    device.close()
    steering, admin = room.server.services.steering, account(room, "admin")
    with pytest.raises(SessionOverError):
        steering.command(admin, CLASS, device.sid, "pause", "")
    with pytest.raises(NotThereError):
        steering.command(admin, CLASS, "0" * 32, "pause", "")


@pytest.fixture
def checked(room: Room, tmp_path: Path) -> tuple[Room, School, Path, Device, Browser]:
    """A school with a supervisor's key, one open session, and the page on which notes are handed in."""
    school = School(room, tmp_path / "school")
    key = school.supervisor()
    room.restart()
    browser = hire(room)["supervisor"]
    device = room.learner().ready().open()
    device.send()
    return room, school, key, device, browser


def test_a_spot_check_reaches_its_session_as_it_was_signed(
    checked: tuple[Room, School, Path, Device, Browser],
) -> None:
    """The supervisor's own nonce: drawn and signed elsewhere, handed in on the page, carried by the next answer."""
    room, school, key, device, browser = checked
    path = school.out()
    words = ("--class", ORIGIN, "--sid", device.sid, "--kind", "match", "--deadline-ms", 60_000)
    school.run("spot", *words, "--key", key, "--out", path)
    answer = browser.post(f"/classes/{CLASS}/notes", {"text": path.read_text(encoding="utf-8")})
    assert answer.headers["location"].endswith("sent=notes"), answer.text
    browser.post(f"/classes/{CLASS}/notes", {"text": path.read_text(encoding="utf-8")})
    [note] = device.send().commands
    assert note.encode() == path.read_bytes()
    body = bodies.parse(note.encode())[0]
    assert isinstance(body, Spot)
    assert audits(room)[-1].did == "handed in what was signed"


def test_a_spot_check_by_the_operators_key_is_refused(
    checked: tuple[Room, School, Path, Device, Browser],
) -> None:
    """Whoever runs the server cannot make one up: its keys are no supervisor's."""
    room, _, _, device, browser = checked
    spot = Spot(room.clock.now, ORIGIN, device.sid, 1, "ab" * 16, "match", 60_000)
    forged = bodies.sign(spot, room.server.keyring.grant)
    answer = browser.post(f"/classes/{CLASS}/notes", {"text": forged.decode()})
    assert answer.status_code == 409
    assert device.send().commands == ()


def test_a_round_through_the_room_is_handed_in_at_once(
    checked: tuple[Room, School, Path, Device, Browser],
) -> None:
    """Identifications of several learners as one file, each appended."""
    room, school, key, _, browser = checked
    learners = [item.learner for item in room.server.people.registrations(class_id=CLASS)]
    out = school.out()
    words = [word for learner in learners for word in ("--learner", learner)]
    school.run("identify", "--class", ORIGIN, "--method", "room", *words, "--key", key, "--out", out)
    text = b"\n".join(path.read_bytes() for path in sorted(out.iterdir()))
    answer = browser.post(f"/classes/{CLASS}/notes", files={"file": ("round.txt", text)})
    assert answer.status_code == 303, answer.text
    kinds = room.server.records.read(
        lambda tx: [leaf.kind for _, leaf in room.server.services.logs.log(tx, CLASS).bodies]
    )
    assert kinds.count("identification") == len(learners) + 1  # and the one of signing up


@pytest.mark.parametrize("text", [b"", b"no note", b"a\n\n\xe2\x80\x94 x AAAA\ntrailing"])
def test_what_is_no_note_is_refused_before_anything_is_taken(text: bytes) -> None:
    with pytest.raises(DecisionError):
        split(text)
