"""The sealed answers to a session's questions: opened by a reviewer for a reason, in the log first; R1.4, R0.7."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.answers import seal
from ledger.course import Text
from ledger.events import Question
from ledger.evidence import Recipient
from ledger.findings import Status
from server_stub.domain.answers import OPENED, Opening
from server_stub.domain.errors import DecisionError, NotThereError
from server_stub.domain.practice import Bank, Key
from server_stub.evidence import read_reviewer
from server_stub.signing import new_key
from tests.server_stub import conftest
from tests.server_stub.browser import Chromium, chromium, served
from tests.server_stub.learner import CLASS, Device
from tests.server_stub.screens import sign_in
from tests.server_stub.staff import hire
from tests.server_stub.test_evidence import Desk, desk  # noqa: F401 - a fixture
from tests.server_stub.test_import import audits
from tests.server_stub.test_me import Phone

ASKED = """[[unit.question]]
id = "{name}"
at_ms = {at}
point = "extinguisher"
prompt = {{ zh = "{zh}", en = "{en}" }}
choices = [{{ zh = "拔出保险销", en = "Pull the pin" }}, {{ zh = "压下把手", en = "Press the handle" }}]
"""
SAYS = "return !document.getElementById('answers-said').hidden"
ROWS = "return [...document.querySelectorAll('#answers-shown tbody tr')].map(row => row.innerText)"


@pytest.fixture(autouse=True)
def asking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A course whose lesson asks two questions."""
    first = ASKED.format(name="q1", at=5_000, zh="第一步做什么？", en="What comes first?")
    second = ASKED.format(name="q2", at=9_000, zh="第二步做什么？", en="And then?")
    both = (first + second).replace("{", "{{").replace("}", "}}")
    monkeypatch.setattr(conftest, "COURSE", conftest.COURSE + both)


def answer(device: Device, item: str, choice: int, to: tuple[str, ...] | None = None) -> Question:
    """The event as a client makes it, sealed to `to`, else to those whom the grant names."""
    asked = Question("pass", item, 0, "")
    sealed = seal(choice, device.key.vkey.name, asked, device.grant.recipients if to is None else to)
    device.add(said := Question("pass", item, 0, sealed))
    return said


def study(desk: Desk) -> Device:  # noqa: F811
    """A session in which two questions were answered; the course's right choices are known to the server."""
    device = desk.learner.open()
    device.send()
    device.play(6_000)
    answer(device, "q1", 0)
    device.play(4_000)
    answer(device, "q2", 0)
    device.close()
    files = desk.room.server.services.answers
    files.put(device.grant.course, Bank({"pass": {"q1": Key(0), "q2": Key(1, Text("压", "press"))}}))
    return device


def words(desk: Desk, device: Device, *more: object, key: Path | None = None, reason: str = "spot check") -> str:  # noqa: F811
    said = ("--key", key or desk.key, "--by", "Li Wei", "--reason", reason)
    return desk.school.run("evidence", "answers", desk.room.settings.directory, CLASS, device.sid, *said, *more)


def opened(desk: Desk) -> list[tuple[str, str]]:  # noqa: F811
    return [(item.target, item.reason) for item in audits(desk.room) if item.did == OPENED]


def test_a_reviewer_reads_a_sessions_answers_and_the_log_says_so(desk: Desk) -> None:  # noqa: F811
    """What was chosen and whether it is right; one audit with who and why, in the archive that verifies."""
    device = study(desk)
    first, second = words(desk, device).splitlines()
    assert first.endswith("pass/q1 choice 1 right 拔出保险销")
    assert second.endswith("pass/q2 choice 1 wrong 拔出保险销")
    assert opened(desk) == [(device.sid, "spot check")]
    report = desk.school.verified("archive")
    assert {name: step.status for name, step in report.findings.steps.items() if step.status is Status.REFUSED} == {}
    mine = Phone(desk.room).get("/me/privacy").text
    assert "spot check" in mine
    assert "Li Wei" in mine


def test_nobody_reads_them_without_reason_name_or_a_counting_key(desk: Desk) -> None:  # noqa: F811
    """Each refusal leaves no audit: nobody saw anything."""
    device = study(desk)
    open_ = desk.room.server.services.sealed_answers.open
    key = read_reviewer(desk.key)
    stranger = desk.school.out()
    new_key("evidence", "elsewhere.example", stranger)
    good = Opening(CLASS, device.sid, "Li Wei", "spot check")
    for asked in (Opening(CLASS, device.sid, "", "x"), Opening(CLASS, device.sid, "Li Wei", " ")):
        with pytest.raises(DecisionError):
            open_(asked, key)
    with pytest.raises(DecisionError):
        open_(good, read_reviewer(stranger))
    with pytest.raises(DecisionError):  # the public half of the reviewer with another private one
        open_(good, Recipient(key.vkey, b"\x11" * 32))
    with pytest.raises(NotThereError):
        open_(Opening("class-2", device.sid, "Li Wei", "spot check"), key)
    assert opened(desk) == []


def test_a_crooked_devices_answer_keeps_nobody_from_the_others(desk: Desk) -> None:  # noqa: F811
    """Sealed to a stranger, moved from another question, or no sealed text at all: named, and the rest is read."""
    device = desk.learner.open()
    device.send()
    device.play(6_000)
    sealed = answer(device, "q1", 1).sealed
    device.add(Question("pass", "q2", 0, sealed))
    device.add(Question("pass", "q2", 1, "AAAA"))
    device.close()
    found = words(desk, device).splitlines()
    assert [line.partition("pass/")[2][:22].split()[1] for line in found] == ["choice", "does", "does"]


def test_a_session_that_asked_nothing_has_nothing_to_open(desk: Desk) -> None:  # noqa: F811
    """No audit of an opening that was none."""
    device = desk.learner.open()
    device.send()
    device.close()
    with pytest.raises(AssertionError):
        words(desk, device)
    assert opened(desk) == []


def case_about(desk: Desk, device: Device) -> str:  # noqa: F811
    cases = desk.room.server.services.supervision.cases
    return cases.open(CLASS, device.grant.learner, "finding", "to look at", sid=device.sid).paper


def test_the_page_hands_out_what_is_sealed_and_names_it_first(desk: Desk) -> None:  # noqa: F811
    """To whoever may decide in this class; without reason or with a stranger's key nothing, and no trace."""
    device = study(desk)
    path = f"/cases/{case_about(desk, device)}/answers"
    browsers = hire(desk.room)
    vkey = desk.key.read_text().split("\n")[0]
    good = {"reason": "核对刷课情况", "vkey": vkey}
    for bad in ({"reason": ""}, {"vkey": "none"}):
        assert browsers["supervisor"].post(path, good | bad).status_code in (400, 409)
    assert browsers["teacher"].post(path, good).status_code == 403
    assert browsers["far"].post(path, good).status_code == 404
    assert opened(desk) == []
    given = browsers["supervisor"].post(path, good).json()
    assert opened(desk) == [(device.sid, "核对刷课情况")]
    assert [(one["item"], one["right"], len(one["choices"])) for one in given] == [("q1", 0, 2), ("q2", 1, 2)]
    assert all(one["key"] for one in given)


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Chromium]:
    with chromium(tmp_path / "profile") as browser:
        yield browser


@pytest.mark.slow
def test_a_reviewer_opens_answers_in_the_browser(desk: Desk, window: Chromium) -> None:  # noqa: F811
    """WebCrypto reads what `ledger.answers` sealed; another key gives one sentence; the key is in no request."""
    device = study(desk)
    case = case_about(desk, device)
    hire(desk.room)
    vkey, secret = desk.key.read_text().split("\n")[:2]
    forged = desk.key.with_name("forged")
    forged.write_text(f"{vkey}\n{'11' * 32}\n", encoding="utf-8")
    with served(desk.room.http.app) as url:
        sign_in(window, url, "supervisor")
        for key, rows in ((desk.key, 2), (forged, 0)):
            window.open(f"{url}/cases/{case}")
            window.requests()
            window.type("#answers-reason", "核对刷课情况")
            window.type("#answers-key", str(key))
            window.press("#answers-open button")
            window.wait(SAYS)
            found = window.run(ROWS)
            assert len(found) == rows
            if rows:
                assert found[0].split("\t")[1:] == ["第一步做什么？", "拔出保险销", "正确"]
                assert found[1].split("\t")[1:] == ["第二步做什么？", "拔出保险销", "应为：压下把手"]
            assert not any(secret in address for address in window.requests())
            assert not [line for line in window.log() if "answers" not in line]
