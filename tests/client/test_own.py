"""The learner's own pages without a screen: timeline, rights, copies that verify, letters, settings, reminders."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from client import rights
from client.journey import Journey
from client.player.pages import Rights, Settings, Timeline
from client.preferences import Looks, Reminder
from client.profile import Profile
from client.today import day_of
from client.view import Sentence
from ledger import trust as trusts
from ledger.archive import open_source
from ledger.verify import Options, verify
from server_stub.domain.papers import changed
from tests.client.test_journey import Client, enrolled
from tests.client.world import CLASS, World

MINUTE = 60_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, units=(("pass", 60_000),))
    yield world
    world.close()


@pytest.fixture
def studied(world: World, tmp_path: Path) -> Client:
    """A learner who studied half a minute, ended without a look, and is on the overview."""
    client = enrolled(world, tmp_path / "pc")
    journey = client.journey
    journey.open_course(client.registration())
    client.until("lesson")
    assert journey.study is not None
    journey.study.press("play")
    client.until("lesson", "playing")
    for _ in range(120):
        client.clock.advance(100)
        journey.tick()
    for _ in range(2):
        journey.study.press("end")
    client.until("result")
    journey.to_today()
    client.until("today")
    journey.tick()
    return client


def shown(journey: Journey) -> Rights:
    while journey.busy:
        journey.tick()
    assert isinstance(journey.shown, Rights), journey.shown
    return journey.shown


def test_the_timeline_is_the_ledgers_and_leads_to_the_make_up(studied: Client) -> None:
    """Every stretch with its reason; the button opens the lesson for the missing part alone."""
    journey = studied.journey
    journey.own.to_timeline(studied.registration())
    assert isinstance(journey.shown, Timeline)
    course = journey.shown.course
    (line,) = course.lines
    assert line.sum("credited") == course.credited_ms
    assert line.sum("unproven") > 5_000
    assert all(stretch.why for stretch in line.stretches if stretch.kind == "unproven")
    assert course.make_up_ms > 0
    journey.open_course(course.registration, "pass")
    studied.until("lesson")
    assert journey.study is not None
    assert journey.study.state.way[0].to_ms == line.seen_ms


@pytest.mark.slow
def test_the_page_of_rights_holds_everything_that_is_kept(studied: Client) -> None:
    """Hours with reasons that add up, the consents with their moments, no photo that was not taken."""
    journey = studied.journey
    course = journey.shown.courses[0]  # type: ignore[union-attr]
    journey.own.to_rights()
    page = shown(journey)
    (hours,) = page.hours
    assert hours.credited_ms == course.credited_ms
    assert sum(lost.ms for lost in hours.lost) == sum(s.ms for s in course.lines[0].stretches if s.code)
    assert {one.what: one.given for one in page.consents} == dict.fromkeys(rights_of(), True)
    assert all(one.at > 0 for one in page.consents)
    assert page.letters == ()


def rights_of() -> tuple[str, ...]:
    return ("notice", "commitment", "face", "photos")


@pytest.mark.slow
def test_a_consent_is_withdrawn_by_one_button_and_given_again(studied: Client) -> None:
    """Signed at once, known to the server; the template goes with the consent to it, and the other way serves."""
    journey = studied.journey
    registration = studied.registration()
    assert profile(journey).template(registration) is not None
    journey.own.to_rights()
    shown(journey)
    journey.own.decide("face", False)
    page = shown(journey)
    assert page.done == Sentence("rights.withdrawn")
    assert not next(one.given for one in page.consents if one.what == "face")
    assert profile(journey).template(registration) is None
    assert studied.world.server.people.registrations(class_id=CLASS)[0].reference == "none"
    journey.own.decide("face", True)
    assert next(one.given for one in shown(journey).consents if one.what == "face")


def profile(journey: Journey) -> Profile:
    who = journey.own._who
    assert who is not None
    return who.enrolment.profile


@pytest.mark.slow
def test_what_the_learner_writes_reaches_the_school_and_the_answer_comes_back(studied: Client) -> None:
    """A statement and an appeal; the school's answer stands below it."""
    journey = studied.journey
    journey.own.to_rights()
    shown(journey)
    journey.own.write("statement", "那天网络断了。")
    assert shown(journey).done == Sentence("rights.wrote")
    journey.own.write("deletion", "")
    letters = shown(journey).letters
    assert letters is not None
    assert sorted(one.what for one in letters) == ["deletion", "statement"]
    bench = studied.world.server.services.letters
    kept = bench.written(studied.world.server.people.account("learner"))
    paper = next(one for one in kept if one.data["what"] == "statement")
    bench._papers.put(changed(paper, 1, {**paper.data, "answer": "已核实，不影响学时。"}))
    journey.own.to_rights()
    answered = shown(journey).letters
    assert answered is not None
    assert "已核实，不影响学时。" in [one.answer for one in answered]


@pytest.mark.slow
def test_whoever_writes_a_word_to_look_at_is_told_after_it_was_sent(studied: Client) -> None:
    """R4.4: an appeal goes at once, whatever its words; the page says that its reader sees a mark."""
    journey = studied.journey
    journey.own.to_rights()
    shown(journey)
    journey.own.write("appeal", "这个白痴系统")
    page = shown(journey)
    assert page.done == Sentence("rights.wrote_marked")
    assert page.letters is not None
    assert [one.text for one in page.letters] == ["这个白痴系统"]


def test_without_the_network_only_the_letters_are_missing(studied: Client) -> None:
    """Everything of this device is shown; nothing is claimed of what the server has."""
    journey = studied.journey
    studied.world.net.down = True
    journey.own.to_rights()
    page = shown(journey)
    assert page.letters is None
    assert page.trouble is None
    assert page.hours


@pytest.mark.slow
def test_one_button_makes_everything_for_an_appeal(studied: Client, tmp_path: Path) -> None:
    """The bundle's copy verifies offline by its trust file; report and words lie beside it; nothing is replaced."""
    journey = studied.journey
    journey.own.to_rights()
    shown(journey)
    journey.own.save("appeal", "请核实第二段。")
    page = shown(journey)
    assert page.done is not None
    assert page.done.key == "rights.saved"
    folder = tmp_path / "pc" / "exports"
    (path,) = folder.glob("*.zip")
    assert path.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(path) as bundle:
        assert sorted(bundle.namelist()) == [
            "README.txt", "class.trust", "copy.zip", "report.html", "report.json", "statement.txt",
        ]  # fmt: skip
        bundle.extractall(tmp_path / "appeal")
    made = tmp_path / "appeal"
    report = verify(
        open_source(made / "copy.zip"), trusts.parse((made / "class.trust").read_bytes()), Options(partial=True)
    )
    assert not report.refused
    assert (made / "statement.txt").read_text(encoding="utf-8") == "请核实第二段。\n"
    assert json.loads((made / "report.json").read_text(encoding="utf-8"))
    journey.own.save("copy")
    shown(journey)
    journey.own.save("copy")
    shown(journey)
    assert len(list(folder.glob("*.zip"))) == 3
    assert not list(folder.glob(".*"))


def test_a_copy_that_does_not_verify_is_said(studied: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that hands out nonsense is no reason to say "saved"."""
    journey = studied.journey
    who = journey.own._who
    assert who is not None
    send = studied.world.net.send

    def tampered(method, path, body=b"", headers=None):  # type: ignore[no-untyped-def]
        reply = send(method, path, body, headers)
        return replace(reply, body=reply.body[:-40]) if path.endswith("/copy") else reply

    monkeypatch.setattr(studied.world.net, "send", tampered)
    with pytest.raises(rights.CopyRefusedError):
        rights.copy(who.enrolment, who.registrations[0], tmp_path / "out", date(2026, 11, 22))


def test_settings_hold_at_once_and_at_the_next_start(studied: Client, tmp_path: Path) -> None:
    """Dark, large, a reminder, a goal: kept, and the overview counts with the goal."""
    journey = studied.journey
    journey.own.to_settings()
    journey.own.set_looks(Looks(dark=True, scale=150))
    journey.own.set_reminders((Reminder(19 * 60 + 30, (0, 1, 2, 3, 4, 5, 6)),))
    assert isinstance(journey.shown, Settings)
    goal = journey.shown.today + timedelta(days=9)
    journey.own.set_goal(journey.shown.goals[0].registration, goal)
    assert journey.shown.goals[0].due == goal
    journey.own.back()
    studied.until("today")
    journey.tick()
    course = journey.shown.courses[0]  # type: ignore[union-attr]
    assert (course.due, course.own_goal) == (goal, True)
    there = day_of(studied.clock.wall_ms, course.utc_offset_minutes)  # this computer's calendar may be a day apart
    assert course.plan.days == (goal - there).days + 1
    again = Client(studied.world, tmp_path / "pc")
    assert again.journey.own.looks == Looks(dark=True, scale=150)


def test_a_reminder_is_told_on_the_overview_and_by_the_desktop_once(studied: Client) -> None:
    """It stands on the page and beside the window; while somebody studies nothing rings."""
    journey, told = studied.journey, []

    class Desktop:
        here = True

        def tell(self, title: str, words: str) -> bool:
            told.append((title, words))
            return True

    journey.own._outside = Desktop()
    now = journey.own._now()
    soon = (now + timedelta(minutes=2)).replace(second=0)
    journey.own.set_reminders((Reminder(soon.hour * 60 + soon.minute, tuple(range(7))),))
    for _ in range(5):
        studied.clock.advance(MINUTE)
        journey.tick()
    assert [title for title, _ in told] == ["TrueSeat"]
    assert journey.shown.bell.key == "bell.now"  # type: ignore[union-attr]


@pytest.mark.slow
def test_who_signs_out_leaves_nothing_on_the_pages(studied: Client) -> None:
    """A shared PC: the next one sees no course, no reminder, no goal."""
    journey = studied.journey
    journey.own.set_reminders((Reminder(5, (1,)),))
    journey.sign_out()
    while journey.busy:
        journey.tick()
    journey.own.to_settings()
    assert isinstance(journey.shown, Settings)
    assert not journey.shown.signed_in
    assert (journey.shown.reminders, journey.shown.goals) == ((), ())
