"""A live lesson from the encoder to the hours: credited is what was on the screen while it happened, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from client.ports import Reply
from client.sync.records import Records
from client.timeline import legs, timeline
from ledger.course import parse
from tests.client import world as worlds
from tests.client.hall import LONG, STARTS, Hall, course
from tests.client.world import World

pytestmark = pytest.mark.slow
SELDOM = {b"min_gap_ms = 3_000": b"min_gap_ms = 60_000", b"max_gap_ms = 30_000": b"max_gap_ms = 28_800_000"}


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the made streams lie."""
    return tmp_path_factory.mktemp("stream")


@pytest.fixture
def hall(
    make_world: Callable[..., World], source: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Hall]:
    """A learner in the hall, a minute and more before it begins; checks come seldom unless the test wants them."""
    monkeypatch.setattr(worlds, "_course", course)
    often = hasattr(request, "param")
    world = make_world(changes=request.param) if often else make_world(changes=SELDOM, calm_ms=10 * LONG)
    found = Hall(world, world.machine(), source)
    yield found
    found.close()


def test_the_lesson_begins_by_itself_and_what_was_shown_counts(hall: Hall) -> None:
    """Waiting in words before the start; then each second of the picture once, in its own place; then the hours."""
    hall.wait_until(-20_000)
    view = hall.study.view()
    assert (view.phase, view.sentence.key) == ("paused", "pause.live_waiting")
    assert view.sentence.values["time"] == "19:08"
    hall.on_air()
    hall.wait_until(30_000)
    view = hall.until("say.playing")
    assert view.unit is not None
    assert view.unit.live
    assert not view.may_seek
    assert not view.may_rate
    hall.study.press("rest")
    hall.run(500)
    hall.claims_only_what_was_shown()
    assert hall.claimed(0, LONG) >= 10_000
    assert hall.finish() == hall.claimed(0, LONG)


def test_who_comes_late_begins_at_the_live_edge(hall: Hall) -> None:
    """Twenty seconds late: nothing before is fetched, shown or claimed, and the screen says how much that was."""
    hall.on_air()
    hall.clock.advance(STARTS + 20_000 - hall.clock.wall_ms)
    hall.until("hint.live_passed")
    hall.wait_until(45_000)
    hall.study.press("rest")
    hall.run(500)
    hall.claims_only_what_was_shown()
    assert min(at for at, _, _ in hall.shown) >= 15_000
    assert hall.claimed(0, 15_000) == 0
    assert hall.claimed(15_000, LONG) >= 5_000
    assert hall.finish() == hall.claimed(0, LONG)


def test_a_moment_away_is_missed_and_not_queued(hall: Hall) -> None:
    """Another window in front for ten seconds: the picture stands, then goes on where the lesson is by now."""
    hall.on_air()
    hall.wait_until(15_000)
    hall.machine.window.lose()
    hall.until("pause.focus")
    hall.run(10_000)
    hall.machine.window.back()
    hall.until("hint.live_passed")
    hall.wait_until(45_000)
    hall.claims_only_what_was_shown()
    seen = sorted({second for _, _, second in hall.shown})
    missed = sorted(set(range(seen[0], seen[-1])) - set(seen))
    assert len(missed) >= 5, "the seconds that went by meanwhile were never on the screen"
    for second in missed[1:-1]:
        assert hall.claimed(second * 1000, second * 1000 + 1000) == 0


@pytest.mark.parametrize("hall", [{}], indirect=True)
def test_a_check_in_a_live_lesson_is_missed_time_too(hall: Hall) -> None:
    """The programme's checks come as ever; each costs its own seconds of the picture and proves those before it."""
    hall.on_air()
    hall.wait_until(LONG - 2_000)
    assert len(hall.machine.proctor.requests) >= 2, "the opening look, and one within 30 s"
    hall.claims_only_what_was_shown()
    hall.study.press("rest")
    hall.run(500)
    assert 0 < hall.finish() <= sum(span.to - span.from_ for span in hall.spans())


def test_a_stall_is_waited_for_in_words(hall: Hall) -> None:
    """The encoder falls silent for fifteen seconds: no ms is claimed for them, and the lesson goes on by itself."""
    encoder = hall.on_air()
    hall.wait_until(15_000)
    encoder.silent = True
    assert hall.until("pause.live_stalled").phase == "paused"
    hall.run(5_000)
    claimed = hall.claimed(0, LONG)
    assert claimed == hall.claimed(0, 16_000)
    encoder.silent = False
    hall.until("say.playing")
    hall.run(3_000)
    hall.study.press("rest")
    hall.run(500)
    hall.claims_only_what_was_shown()
    assert hall.claimed(0, LONG) > claimed


def test_no_network_is_said_and_the_lesson_goes_on_after_it(hall: Hall) -> None:
    """The picture cannot come without the server; when that is back the lesson goes on by itself."""
    hall.on_air()
    hall.wait_until(12_000)
    hall.machine.net.down = True
    hall.until("pause.live_unreachable")
    hall.run(10_000)
    claimed = hall.claimed(0, LONG)
    hall.machine.net.down = False
    hall.until("say.playing")
    hall.run(3_000)
    hall.study.press("rest")
    hall.run(500)
    hall.claims_only_what_was_shown()
    assert hall.claimed(0, LONG) > claimed


def test_the_end_of_the_stream_ends_the_lesson(hall: Hall) -> None:
    """The teacher ends early: what was shown counts, the session closes by itself, nothing waits for more."""
    encoder = hall.on_air()
    hall.wait_until(20_000)
    encoder.end(hall.clock.wall_ms)
    encoder.silent = True
    hall.run(20_000)
    assert hall.study.state.finished
    hall.claims_only_what_was_shown()
    assert hall.claimed(20_500, LONG) == 0
    assert hall.finish() == hall.claimed(0, LONG) > 0


def test_the_planned_end_ends_it_though_the_stream_goes_on(hall: Hall) -> None:
    """Beyond its planned length nothing is the lesson's."""
    hall.on_air(kind="fmp4")
    hall.wait_until(LONG + 20_000)
    assert hall.study.state.finished
    hall.claims_only_what_was_shown()
    assert max(span.to for span in hall.spans()) <= LONG
    assert hall.claimed(LONG - 20_000, LONG) > 0


def test_a_playlist_in_the_folder_that_leads_elsewhere_is_not_followed(hall: Hall) -> None:
    """Somebody wrote an address and a path into the encoder's playlist: words on the screen, no picture, no request."""
    encoder = hall.on_air()
    hall.wait_until(10_000)
    shown = len(hall.shown)
    encoder.silent = True
    index = encoder.folder / "index.m3u8"
    index.write_bytes(index.read_bytes() + b"#EXTINF:1,\nhttp://elsewhere.example/1.ts\n#EXTINF:1,\n../../secret.ts\n")
    hall.machine.net.log.clear()
    hall.until("pause.live_refused")
    assert len(hall.shown) - shown < 80, "what was fetched before is shown to its end"
    asked = {path.rpartition("/")[2] for _, path, _ in hall.machine.net.log if "/live/" in path}
    assert asked <= {"index.m3u8", *(f"{number}.ts" for number in range(60))}


def test_a_forged_answer_of_the_server_is_not_followed(hall: Hall) -> None:
    """An answer changed on its way names another host: words on the screen, and no request of ours to anywhere."""

    def forge(reply: Reply) -> Reply:
        lines = reply.body.split(b"\n")
        forged = [b"http://elsewhere.example/1.ts" if line.endswith(b".ts") else line for line in lines]
        return Reply(reply.status, b"\n".join(forged), reply.headers)

    net = hall.machine.net
    net.hits, net.change = lambda _method, path: path.endswith("index.m3u8"), forge
    hall.on_air()
    hall.until("pause.live_refused")
    assert not hall.shown
    assert {path.rpartition("/")[2] for _, path, _ in net.log if "/live/" in path} == {"index.m3u8"}


def test_nothing_is_there_to_go_back_to(hall: Hall) -> None:
    """Seeking and another rate are the session's rules: it knows none for a live unit, whatever asks for them."""
    hall.on_air()
    hall.wait_until(15_000)
    before = hall.study.state
    hall.study.seek(0)
    hall.study.seek(LONG)
    hall.study.press("rate")
    after = hall.study.state
    assert (after.position_ms, after.rate, after.motion) == (before.position_ms, 1000, before.motion)
    hall.player.seek(40_000)
    hall.player.set_rate(500)
    hall.run(2_000)
    hall.claims_only_what_was_shown()


def test_a_missed_part_waits_for_the_recording(hall: Hall) -> None:
    """While the unit is live nothing of it can be made up; with its recording it is a video like any other."""
    hall.on_air()
    hall.wait_until(20_000)
    hall.machine.window.lose()
    hall.run(8_000)
    hall.machine.window.back()
    hall.run(8_000)
    hall.finish()
    credit, _ = hall.opened.lesson.credit()
    live = hall.opened.lesson.course
    assert legs(timeline(credit, live)) == ()
    text = (hall.world.folder / "course/course.toml").read_text(encoding="utf-8").split("live = ")[0]
    text = text.replace("version = 1", "version = 2")
    recorded = parse(f'{text}media = "hall.mp4"\nmedia_sha256 = "{"a" * 64}"\n'.encode())
    machine = hall.machine
    records = Records(machine.profile.outbox, machine.registration.registration, recorded, hall.opened.lesson.policy)
    again = records.credit()
    assert again.units[0].intervals == credit.units[0].intervals, "what was seen live stays credited"
    way = legs(timeline(again, recorded))
    assert way
    assert all(not (leg.from_ms < end and begin < leg.to_ms) for leg in way for begin, end in again.units[0].intervals)
