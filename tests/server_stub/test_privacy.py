"""Personal information: clocks, holds, deletion with receipt, the count of faces, the list of addresses: R4.5, R4.7."""

from __future__ import annotations

import ast
import contextlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import server_stub
from ledger import note
from server_stub.app import Server
from server_stub.domain import houserules
from server_stub.domain.errors import DecisionError, ServerError, SetupError
from server_stub.domain.houserules import RETENTION_DAYS, YEARS_3
from server_stub.domain.privacy import purposes
from server_stub.domain.warnings.inspector import WARNING, Warned
from server_stub.domain.warnings.rows import Ref
from server_stub.domain.work_errors import EndpointError
from server_stub.storage.providers import HttpWeb
from tests.server_stub.classlife import identities, later, ok
from tests.server_stub.conftest import Room, kept
from tests.server_stub.learner import CLASS, Learner
from tests.server_stub.scene import number
from tests.server_stub.staff import Browsers, hire
from tests.server_stub.test_archive import study
from tests.server_stub.test_evidence import Desk, desk  # noqa: F401 - a fixture
from tests.server_stub.warned import planted

DAY = 86_400_000


def person(learner: Learner, step: str = "") -> str:
    return f"/people/{learner.learner}/{step}" if step else f"/people/{learner.learner}/privacy"


def known(room: Room) -> tuple[Browsers, Learner]:
    """A learner with a name, a number and a telephone, who studied."""
    browsers = hire(room)
    identities(browsers)
    text = f"姓名\t账号\t身份证号\t手机号\n张伟\tlearner\t{number(1)}\t13900139001\n"
    made = ok(browsers["officer"].post("/import", {"class_id": CLASS, "text": text}))
    ok(browsers["officer"].post(made.headers["location"]))
    learner = room.learner().ready()
    study(learner)
    return browsers, learner


def test_what_may_go_goes_at_once_with_a_signed_receipt(room: Room) -> None:
    """Telephone and sign-ins go, records and name stay for their time; the receipt says which, signed by the server."""
    browsers, learner = known(room)
    assert b"13900139001" in kept(room)
    assert browsers["officer"].post(person(learner, "erase"), {"reason": "本人申请"}).status_code == 403
    ok(browsers["supervisor"].post(person(learner, "erase"), {"reason": "本人申请"}))
    work = room.server.services.supervision
    ((paper, value),) = work.privacy.deletions(learner.learner)
    receipt = browsers["supervisor"].get(f"/deletions/{paper.paper}").content
    signed = note.parse(receipt)
    note.verify(signed, [room.server.keyring.grant.vkey])
    said = json.loads(signed.text.split("\n")[1])
    assert (said["learner"], said["kept"]) == (learner.learner, ["records", "name", "identity"])
    assert value.later >= room.clock.now + (YEARS_3 - 2) * DAY
    found = room.server.registry.person(learner.learner)
    assert found is not None
    assert (found.phone, found.name) == ("", "张伟")
    assert room.http.get("/v1/me", headers=learner.headers).status_code == 401


def test_when_its_day_has_come_the_name_goes_too(room: Room) -> None:
    """Not a day earlier; the records of the pseudonym still verify."""
    browsers, learner = known(room)
    ok(browsers["supervisor"].post(person(learner, "erase"), {"reason": "本人申请"}))
    work = room.server.services.supervision
    room.clock.now = work.privacy.deletions(learner.learner)[0][1].later - 1
    work.retention.sweep()
    found = room.server.registry.person(learner.learner)
    assert found is not None
    assert found.name == "张伟"
    room.clock.now += 1
    assert work.retention.sweep() == 1
    found = room.server.registry.person(learner.learner)
    assert found is not None
    assert (found.name, found.identity, found.sealed) == ("", "", b"")
    assert room.server.people.registrations(learner=learner.learner)


@pytest.mark.slow
def test_a_hold_stops_deletion_until_it_ends(room: Room) -> None:
    """A legal hold is stated with its reason; so does a case that is not over."""
    browsers, learner = known(room)
    supervisor = browsers["supervisor"]
    ok(supervisor.post(person(learner, "hold"), {"reason": "法院调取"}))
    refused = supervisor.post(person(learner, "erase"), {"reason": "本人申请"})
    assert (refused.status_code, "法院调取" in refused.text) == (409, True)
    ok(supervisor.post(person(learner, "hold/end"), {"reason": "调取完毕"}))
    case = room.server.services.supervision.cases.open(CLASS, learner.learner, "finding", "to look at")
    assert "TS-S-089" in supervisor.post(person(learner, "erase"), {"reason": "本人申请"}).text
    ok(supervisor.post(f"/cases/{case.paper}/close", {"reason": "无需处理"}))
    ok(supervisor.post(person(learner, "erase"), {"reason": "本人申请"}))


def test_what_is_kept_of_a_learner_is_taken_along(room: Room) -> None:
    """Access and portability: all of it as JSON, for a reason that the class log keeps first."""
    browsers, learner = known(room)
    answer = browsers["supervisor"].post(person(learner, "export"), {"reason": "本人查询"})
    said = json.loads(answer.content)
    assert (said["name"], said["identity"], said["phone"]) == ("张伟", number(1), "13900139001")
    assert set(said["papers"]) >= {"case", "completion", "letter"}
    assert "本人查询" in browsers["supervisor"].get("/journal").text


def test_an_erased_learner_is_named_by_no_warning(room: Room) -> None:
    """The own warning goes, a shared one loses the pseudonym and its sessions; a hold on another keeps the evidence."""
    browsers, learner = known(room)
    other = room.learner("other").ready()
    planted(room, learner.learner)
    work, inspector = room.server.services.supervision, room.server.services.warnings.inspector
    (own,) = inspector.bench.papers.find(WARNING)
    (sid,) = room.server.records.read(lambda tx: tx.events.sessions(learner=learner.learner))
    refs = (Ref(CLASS, 3, sid, 1), Ref(CLASS, 4, "cd" * 16, 1))
    both = replace(own.read(Warned), learners=(learner.learner, other.learner), refs=refs,
                   key=f"{learner.learner} {other.learner}")  # fmt: skip
    shared = inspector.bench.keep(WARNING, own.place, "", "open", both)
    held = work.retention.hold(room.server.people.account("supervisor"), other.learner, "法院调取")  # type: ignore[arg-type]
    ok(browsers["supervisor"].post(person(learner, "erase"), {"reason": "本人申请"}))
    assert [paper.read(Warned) for paper in inspector.bench.papers.find(WARNING)] == [both]
    assert '"warnings":1' in work.privacy.deletions(learner.learner)[0][1].receipt
    inspector.bench.papers.drop([held.paper])
    room.clock.now = work.privacy.deletions(learner.learner)[0][1].later
    assert work.retention.sweep() == 1
    (paper,) = inspector.bench.papers.find(WARNING)
    left = paper.read(Warned)
    assert (paper.paper, left.learners, left.refs, left.key) == (
        shared.paper, (other.learner,), refs[1:], f"– {other.learner}"
    )  # fmt: skip
    assert learner.learner not in json.dumps(dict(paper.data))


def test_what_was_erased_is_not_judged_again(room: Room) -> None:
    """The sessions stay in the records; the next inspection does not read them, and does read those of afterwards."""
    browsers, learner = known(room)
    inspector = room.server.services.warnings.inspector
    inspector.now()
    assert [one.learner for one in inspector._world().traces] == [learner.learner]
    ok(browsers["supervisor"].post(person(learner, "erase"), {"reason": "本人申请"}))
    inspector.now()
    assert list(inspector._world().traces) == []
    room.clock.now += 60_000
    study(learner.sign_in())
    inspector.now()
    assert len(list(inspector._world().traces)) == 1


def test_a_filed_assessment_stays_three_years_and_then_goes(room: Room) -> None:
    """PIPL, article 56: at least three years; no configuration says less."""
    browsers = hire(room)
    ok(browsers["supervisor"].post("/privacy/impact"))
    work = room.server.services.supervision
    room.clock.now += YEARS_3 * DAY - 1
    assert work.retention.sweep() == 0
    room.clock.now += 1
    assert {clock.name: clock.due for clock in work.retention.clocks()}["impact"] == 1
    assert work.retention.sweep() == 1
    assert list(work.privacy.assessments()) == []
    with pytest.raises(SetupError):
        houserules.parse(b"retention_days = { impact = 1094 }")


def test_clocks_erase_what_is_over_and_nothing_else(room: Room) -> None:
    """Tips after a year, cases three years after they ended, an open one never; by a clock in the test's hand."""
    browsers, learner = known(room)
    work = room.server.services.supervision
    work.tips.take("", "有人替课", "")
    closed = work.cases.open(CLASS, learner.learner, "finding", "over")
    ok(browsers["supervisor"].post(f"/cases/{closed.paper}/close", {"reason": "无需处理"}))
    still = work.cases.open(CLASS, learner.learner, "finding", "still open")
    later(room, browsers, 364)
    assert work.retention.sweep() == 0
    later(room, browsers, 1)
    assert work.retention.sweep() == 1
    later(room, browsers, YEARS_3 - 365)
    assert work.retention.sweep() == 1
    assert [paper.paper for paper in work.bench.papers.find("case")] == [still.paper]


def test_the_clock_runs_by_itself_once_an_hour(room: Room) -> None:
    """The server's own sweep asks it; not every five seconds."""
    hire(room)
    work = room.server.services.supervision
    room.server.services.sweep()
    work.tips.take("", "有人替课", "")
    room.clock.now += 365 * DAY
    assert room.server.services.sweep() >= 1
    assert not work.bench.papers.find("tip")


def test_photos_go_after_their_time_unless_held(desk: Desk) -> None:  # noqa: F811
    """Sealed photos: counted as one face, erased with receipt and leaf when 90 days are over, kept while on hold."""
    room, camera = desk.room, desk.study()
    for photo in camera.photos:
        assert camera.put(photo).json()["kept"] is True
    browsers, work = hire(room), room.server.services.supervision
    assert work.privacy.faces()[0] == 1
    learner = room.server.people.account("learner")
    assert learner is not None
    ok(browsers["supervisor"].post(f"/people/{learner.learner}/hold", {"reason": "法院调取"}))
    later(room, browsers, RETENTION_DAYS["photos"] + 1)
    assert {clock.name: clock.due for clock in work.retention.clocks()}["photos"] == 1
    assert work.retention.sweep() == 0
    ok(browsers["supervisor"].post(f"/people/{learner.learner}/hold/end", {"reason": "调取完毕"}))
    assert work.retention.sweep() == 1
    assert work.privacy.faces()[0] == 0


@pytest.mark.slow
def test_the_assessment_is_of_what_is_configured_and_is_filed(room: Room) -> None:
    """The page names every class's ways without a face, purposes, clocks; filing it leaves a hash in the journal."""
    browsers = hire(room)
    page = browsers["supervisor"].get("/privacy/impact").text
    for said in ("人脸核验不是唯一方式", "验证码", "封存照片"):
        assert said in page
    ok(browsers["supervisor"].post("/privacy/impact"))
    (paper,) = room.server.services.supervision.privacy.assessments()
    assert paper.data["sha256"][:16] in browsers["supervisor"].get("/privacy").text


def test_every_purpose_is_complete_in_both_languages() -> None:
    """What, why, ground and where; a clock that exists, or words."""
    for item in purposes():
        assert all(len(pair) == 2 and all(pair) for pair in (item.what, item.why, item.ground, item.where)), item.id
        assert item.kept in RETENTION_DAYS or " " in item.kept


def test_an_own_course_is_not_erased(room: Room) -> None:
    """R4.5: kept for at least three years after it was last used; no command erases it."""
    _, learner = known(room)
    ((class_id, digest, until),) = room.server.services.supervision.retention.courses()
    assert class_id == CLASS
    assert until >= room.clock.now + (YEARS_3 - 1) * DAY
    assert learner.learner
    with pytest.raises(DecisionError):
        room.server.services.eraser.document(CLASS, digest, "no longer needed")


def test_an_address_outside_of_the_list_stops_the_start(room: Room) -> None:
    """R4.7: with a list, whatever is configured must stand on it; without one, only what is configured is called."""
    path = room.settings.directory / houserules.FILE
    path.write_text('province = "https://province.example/echo"\nendpoints = ["other.example"]\n', encoding="utf-8")
    with pytest.raises(EndpointError, match=r"province\.example"):
        Server(room.settings, room.clock, room.codes)
    path.write_text('province = "https://province.example/echo"\n', encoding="utf-8")
    Server(room.settings, room.clock, room.codes).close()
    assert houserules.load(room.settings.directory).allowed() == {"province.example"}


@pytest.mark.parametrize(("file", "host", "text"), [
    ("oidc.toml", "sso.example", 'issuer = "https://sso.example"\nclient = "trueseat"\nname = "统一认证"\n'),
    ("ways.toml", "sso.example", '[oidc]\nissuer = "https://sso.example"\nclient = "trueseat"\nname = "统一认证"\n'),
    ("ways.toml", "api.weixin.qq.com", '[wechat]\napp_id = "wx1"\nsecret = "s"\nback = "https://study.example"\n'),
])  # fmt: skip
def test_a_sign_in_elsewhere_is_held_to_the_list_too(room: Room, file: str, host: str, text: str) -> None:
    """R4.7: its provider's host must stand on the list, whether the staff or the learners sign in there."""
    rules, path = room.settings.directory / houserules.FILE, room.settings.directory / file
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    assert path in (room.settings.provider, room.settings.ways)
    rules.write_text('endpoints = ["other.example"]\n', encoding="utf-8")
    with pytest.raises(EndpointError, match=host):
        Server(room.settings, room.clock, room.codes)
    rules.write_text(f'endpoints = ["{host}"]\n', encoding="utf-8")
    server = Server(room.settings, room.clock, room.codes)
    assert houserules.load(room.settings.directory).allowed(*server.services.called) == {host}
    server.close()


def test_an_address_that_a_provider_names_later_is_held_to_the_list() -> None:
    """R4.7: `token_endpoint` of another host is refused before anything is sent there."""
    rules = houserules.parse(b'endpoints = ["sso.example"]')
    web = HttpWeb(rules.check_all)
    for ask in (web.get, lambda url: web.post(url, {}, None), lambda url: web.exchange(url, {}, None)):
        with pytest.raises(EndpointError, match=r"127\.0\.0\.1:9"):
            ask("http://127.0.0.1:9/token")


CALLERS = {  # all that may reach another machine, and the one way on which they do
    "storage/witnessed.py", "storage/province.py", "storage/providers.py", "wire.py",
}  # fmt: skip
LIBRARIES = ("requests", "httpx", "aiohttp", "socket", "urllib3")
WAYS = ("http.client", "urllib.request", "server_stub.wire", "ledger.deadline")
PROGRAMS = {"asking.py", "witness.py"}  # of other people: who follows or tries a server, and a witness, which listens


@pytest.mark.slow
def test_nothing_else_of_the_server_can_call_anybody() -> None:
    """R4.7: every module that imports a client of the network is one of those that ask the configuration."""
    found = set()
    home = Path(server_stub.__file__).parent
    for path in home.rglob("*.py"):
        for item in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in item.names] if isinstance(item, ast.Import) else []
            names += [item.module or ""] if isinstance(item, ast.ImportFrom) else []
            if any(name.split(".")[0] in LIBRARIES or name in WAYS for name in names):
                found.add(str(path.relative_to(home)))
    assert found <= CALLERS | PROGRAMS
    ask = "import sys, server_stub.app; print(*(name for name in sys.modules if name.startswith('server_stub.')))"
    served = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout.split()
    assert "server_stub.storage.province" in served
    assert not {f"server_stub.{name.removesuffix('.py')}" for name in PROGRAMS} & set(served)


@pytest.mark.parametrize("bad", [
    'retention_days = { archives = 30 }', 'retention_days = { unknown = 30 }', 'province = "http://far.example"',
    'holidays = ["2026-10-01"]', "nonsense = 1", "contacts = { somebody = \"x\" }", "endpoints = 3",
])  # fmt: skip
def test_house_rules_refuse_what_the_law_does_not_allow(bad: str) -> None:
    """Class records for less than three years, an address without TLS, an unknown word: refused at the start."""
    with pytest.raises(SetupError):
        houserules.parse(bad.encode())


def test_house_rules_read_back() -> None:
    """Each field as it was written."""
    found = houserules.parse(
        b'controller = "x"\nholidays = [2026-10-01]\nworked = [2026-10-10]\n[retention_days]\nphotos = 30\n'
        b'[contacts]\noperator = "010-1"\n'
    )
    assert (found.controller, found.retention_days["photos"], found.contacts["operator"]) == ("x", 30, "010-1")
    assert found.retention_days["archives"] == YEARS_3


@given(st.binary(max_size=200))
def test_no_bytes_break_the_house_rules(data: bytes) -> None:
    """Only our own error leaves the parser."""
    with contextlib.suppress(ServerError):
        houserules.parse(data)
