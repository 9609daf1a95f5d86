"""Live units over HTTP: the newest minute of the lesson for the learner of an open session, and nobody else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from ledger import playlist
from ledger.playlist import Part, Playlist
from server_stub import setup
from server_stub.app import Server, create_app
from server_stub.domain.broadcast import KEPT_MS, MAX_SEGMENT_BYTES
from server_stub.settings import Settings
from tests.server_stub.conftest import COURSE, Room, policy
from tests.server_stub.learner import CLASS, SERVER, Clock, Codes, Device, Learner
from tests.server_stub.staff import hire

STARTS = 1_795_000_200_000
LONG = 1_800_000
UNIT = f"""
[[unit]]
id = "hall"
duration_ms = {LONG}
title = {{ zh = "直播", en = "In the hall" }}
live = {{ stream = "hall-1", starts = 2026-11-18T11:10:00Z }}
"""


class Encoder:
    """What fills the stream's folder: segments of 2 s, the newest `listed` of them in the playlist."""

    def __init__(self, folder: Path, *, mp4: bool = False) -> None:
        self.folder, self.mp4 = folder, mp4
        self.parts: list[Part] = []
        folder.mkdir(parents=True, exist_ok=True)
        if mp4:
            (folder / "init.mp4").write_bytes(b"the beginning")

    def until(self, now: int, begin: int = STARTS) -> None:
        """Write every segment that is complete at `now`."""
        at = self.parts[-1].ends_ms if self.parts else begin
        while at + 2_000 <= now:
            name = f"hall_{len(self.parts)}.{'m4s' if self.mp4 else 'ts'}"
            (self.folder / name).write_bytes(f"segment at {at}".encode())
            self.parts.append(Part(name, at, 2_000, "init.mp4" if self.mp4 else ""))
            at += 2_000
        self.list()

    def list(self, *, ended: bool = False) -> None:
        self.say(playlist.write(Playlist(2_000, 0, tuple(self.parts), ended)))

    def say(self, data: bytes) -> None:
        (self.folder / "index.m3u8").write_bytes(data)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """A class whose course has a video and a live unit."""
    clock, codes = Clock(), Codes()
    settings = Settings(tmp_path / "data", SERVER)
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "lesson.mp4").write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    (folder / "course.toml").write_text(COURSE.format(digest=empty) + UNIT, encoding="utf-8")
    setup.make_directory(settings)
    setup.make_class_key(settings, CLASS)
    server = Server(settings, clock, codes)
    server.class_maker.make(setup.ClassPlan(CLASS, "Fire", folder, policy()), clock)
    password = setup.add_administrator(server.people)
    for account in ("learner", "other"):
        setup.add_learner(server.people, CLASS, account, account.title())
    server.close()
    app = create_app(settings, clock, sender=codes)
    yield Room(settings, TestClient(app, raise_server_exceptions=False), clock, codes, app.state.server, password)
    app.state.server.close()


@pytest.fixture
def encoder(room: Room) -> Encoder:
    return Encoder(room.settings.streams / "hall-1")


@pytest.fixture
def learner(room: Room) -> Learner:
    return room.learner().ready()


@pytest.fixture
def device(learner: Learner) -> Device:
    device = learner.open()
    device.send()
    return device


def ask(room: Room, learner: Learner, device: Device, name: str = "index.m3u8", unit: str = "hall") -> Response:
    return room.http.get(f"/v1/sessions/{device.sid}/live/{unit}/{name}", headers=learner.headers)


def test_the_moment_of_the_plan_is_what_the_course_says() -> None:
    """The fixture's start, as the parser reads it."""
    from ledger import course

    assert course.parse((COURSE.format(digest="a" * 64) + UNIT).encode()).unit("hall").live == course.Live(
        "hall-1", STARTS
    )


@pytest.mark.parametrize("mp4", [False, True])
def test_the_newest_minute_is_served_under_numbers(room: Room, learner: Learner, device: Device, mp4: bool) -> None:
    """No name of the encoder's is passed on; each number gives the segment of its moment; no cache keeps it."""
    encoder = Encoder(room.settings.streams / "hall-1", mp4=mp4)
    room.clock.now = STARTS + 300_000
    encoder.until(room.clock.now)
    answer = ask(room, learner, device)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"
    assert b"hall" not in answer.content
    found = playlist.parse(answer.content)
    assert (found.sequence, len(found.parts), found.ended) == (120, KEPT_MS // 2_000, False)
    for number, part in enumerate(found.parts, found.sequence):
        assert part.at_ms == STARTS + number * 2_000
        assert ask(room, learner, device, part.name).content == f"segment at {part.at_ms}".encode()
        if mp4:
            assert ask(room, learner, device, part.init).content == b"the beginning"
    room.clock.now += 20_000
    assert ask(room, learner, device, found.parts[0].name).status_code == 200, "what was listed a moment ago"


def test_who_comes_late_cannot_fetch_what_is_past(
    room: Room, learner: Learner, device: Device, encoder: Encoder
) -> None:
    """The encoder's folder still holds the beginning; the server serves the newest minute of it."""
    room.clock.now = STARTS + 300_000
    encoder.until(room.clock.now)
    assert ask(room, learner, device, "0.ts").status_code == 404
    assert ask(room, learner, device, "100.ts").status_code == 404
    assert ask(room, learner, device, "149.ts").status_code == 200
    assert ask(room, learner, device, "150.ts").status_code == 404


def test_nothing_without_an_open_session_of_ones_own(
    room: Room, learner: Learner, device: Device, encoder: Encoder
) -> None:
    """Nobody: 401; another learner of the class: 404; after the session: 410; and the same for every segment."""
    room.clock.now = STARTS + 10_000
    encoder.until(room.clock.now)
    other = room.learner("other").ready()
    for name in ("index.m3u8", "0.ts"):
        path = f"/v1/sessions/{device.sid}/live/hall/{name}"
        assert room.http.get(path).status_code == 401
        assert room.http.get(path, headers=other.headers).status_code == 404
        assert room.http.get(path, headers=learner.headers).status_code == 200
    device.close()
    for name in ("index.m3u8", "0.ts"):
        over = ask(room, learner, device, name)
        assert (over.status_code, over.json()["code"]) == (410, "TS-S-038")


NAMES = ("server.toml", "..%2fserver.toml", "../../server.toml", "%2e%2e/index.m3u8", "hall_1.ts", "init.mp4", "01.ts",
     "-1.ts", "1.key", "1.ts%00", "1.m4s", "1.mp4", "1", "9" * 17 + ".ts", "1.ts%2f..%2f2.ts")  # fmt: skip


def test_no_name_leads_anywhere_else(room: Room, learner: Learner, device: Device, encoder: Encoder) -> None:
    """A learner asks for numbers; paths, names of the encoder, other kinds and other units are not there."""
    room.clock.now = STARTS + 10_000
    encoder.until(room.clock.now)
    assert ask(room, learner, device, "1.ts").status_code == 200
    for name in NAMES:
        answer = ask(room, learner, device, name)
        assert (answer.status_code, answer.json()["code"][:5]) == (404, "TS-S-"), name
    for unit in ("pass", "nothing", "..", "hall-1"):
        assert ask(room, learner, device, unit=unit).status_code == 404


ELSEWHERE = (b"../../records.sqlite", b"/etc/passwd", b"http://elsewhere.example/1.ts", b"..%2f..%2fsecret",
     b"//elsewhere.example/1.ts", b"keys/grant.pem")  # fmt: skip


def test_a_playlist_that_leads_elsewhere_stops_the_stream(
    room: Room, learner: Learner, device: Device, encoder: Encoder
) -> None:
    """Whoever can write into the folder reaches nothing beyond it: 503 with words for the school, and no byte of it."""
    room.clock.now = STARTS + 10_000
    encoder.until(room.clock.now)
    honest = (encoder.folder / "index.m3u8").read_bytes()
    for line in ELSEWHERE:
        encoder.say(honest.replace(b"hall_1.ts", line))
        for name in ("index.m3u8", "0.ts", "1.ts"):
            answer = ask(room, learner, device, name)
            assert (answer.status_code, answer.json()["code"]) == (503, "TS-S-094"), line


def test_a_link_in_the_folder_is_no_segment(room: Room, learner: Learner, device: Device, encoder: Encoder) -> None:
    """Links, pipes and folders in place of a segment: not there; nothing waits on them."""
    room.clock.now = STARTS + 10_000
    encoder.until(room.clock.now)
    for number, make in enumerate(
        (lambda path: path.symlink_to(room.settings.secret), os.mkfifo, lambda path: path.mkdir())
    ):
        path = encoder.folder / f"hall_{number}.ts"
        path.unlink()
        make(path)
        assert ask(room, learner, device, f"{number}.ts").status_code == 404


def test_sizes_are_bounded(room: Room, learner: Learner, device: Device, encoder: Encoder) -> None:
    """A playlist of megabytes and a segment beyond 16 MiB are refused, and never read whole."""
    room.clock.now = STARTS + 10_000
    encoder.until(room.clock.now)
    with (encoder.folder / "hall_1.ts").open("wb") as file:
        file.truncate(MAX_SEGMENT_BYTES + 1)
    assert ask(room, learner, device, "1.ts").status_code == 413
    with (encoder.folder / "index.m3u8").open("ab") as file:
        file.truncate(1 << 32)
    assert ask(room, learner, device).json()["code"] in ("TS-S-002", "TS-S-094")


def test_before_the_start_and_in_a_silence_it_is_not_on(
    room: Room, learner: Learner, device: Device, encoder: Encoder
) -> None:
    """No folder, a rehearsal before the planned start, yesterday's stream, a minute of silence: 404 with the start."""
    assert ask(room, learner, device).json()["code"] == "TS-S-093"
    encoder.until(STARTS - 60_000, begin=STARTS - 100_000)
    encoder.list(ended=True)
    room.clock.now = STARTS - 50_000
    answer = ask(room, learner, device)
    assert (answer.status_code, answer.json()["code"], answer.json()["starts"]) == (404, "TS-S-093", STARTS)
    encoder.parts.clear()
    room.clock.now = STARTS + 20_000
    encoder.until(room.clock.now)
    assert ask(room, learner, device).status_code == 200
    room.clock.now += KEPT_MS
    assert ask(room, learner, device).json()["code"] == "TS-S-093"


def test_the_lesson_ends_with_its_stream_or_its_plan(
    room: Room, learner: Learner, device: Device, encoder: Encoder
) -> None:
    """An encoder that says so ends it; so does the planned end, beyond which nothing is the lesson's."""
    room.clock.now = STARTS + 20_000
    encoder.until(room.clock.now)
    encoder.list(ended=True)
    assert playlist.parse(ask(room, learner, device).content).ended
    room.clock.now += 10 * KEPT_MS
    assert playlist.parse(ask(room, learner, device).content) == Playlist(2_000, 10, (), ended=True)
    room.clock.now = STARTS + LONG + 30_000
    encoder.until(room.clock.now)
    found = playlist.parse(ask(room, learner, device).content)
    assert found.ended
    assert found.parts[-1].ends_ms == STARTS + LONG


def test_an_encoder_whose_clock_is_wrong_is_named(
    room: Room, learner: Learner, device: Device, encoder: Encoder
) -> None:
    """Half a minute ahead of the server: its minutes would be nobody's; the staff see it."""
    room.clock.now = STARTS + 10_000
    encoder.until(STARTS + 60_000)
    assert ask(room, learner, device).json()["code"] == "TS-S-094"


def test_the_staff_see_whether_it_is_on(room: Room, learner: Learner, device: Device, encoder: Encoder) -> None:
    """The class's live page says of each live unit: planned, on, or to be looked at."""
    page = f"/classes/{CLASS}/live?lang=en"
    admin = hire(room)["admin"]
    assert "In the hall" in admin.get(page).text
    assert "planned" in admin.get(page).text
    room.clock.now = STARTS + 10_000
    encoder.until(room.clock.now)
    assert "picture comes" in admin.get(page).text
    encoder.say(b"#EXTM3U\n")
    assert "TS-S-094" in admin.get(page).text


def test_a_preview_offers_no_live_unit(room: Room) -> None:
    """What anybody of the class may look at without credit are lessons that have a file."""
    from server_stub.domain.mine import preview_units

    units = room.server.services.overview.lessons(CLASS)
    assert [unit.id for unit in preview_units(tuple(replace(unit, duration_ms=1) for unit in units))] == ["pass"]
