"""A class on its way from the application to the completion, told through the pages."""

from __future__ import annotations

import pytest
from httpx import Response

from ledger.completion import Completion, person_hash, sign
from ledger.events import Asked
from server_stub.domain.certificates import Issued
from server_stub.domain.letters import Letter
from server_stub.domain.retention import Deleted
from server_stub.domain.work_errors import FontMissingError
from server_stub.printing import find_font
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, SERVER, Device, Learner
from tests.server_stub.scene import number
from tests.server_stub.staff import Browser, Browsers, hire

# the clock of the tests stands at 2026-11-18
PLAN = """\
日期\t时间\t方式\t类别\t学时\t主题\t教师\t标签
2026-12-01\t09:00-11:00\t线上\t理论\t3\t消防四步\t王老师\t消防 法律
2026-12-02\t09:00-11:00\t直播\t理论\t3\t安全与权益\t李老师\t安全生产 禁毒防艾 妇女儿童权益
2026-12-05\t13:00-17:00\t线下\t实操\t6\t灭火器实操\t王老师\t
"""
FORM = {
    "trade": "消防设施操作员", "level": "5", "practical": "yes", "assessment": "理论与实操考试",
    "teachers": "王老师，一级消防工程师\n李老师，讲师", "resources": "实训场地一处\n灭火器二十具", "lessons": PLAN,
}  # fmt: skip


def font() -> None:
    """Leave a test out where there is no Chinese font to print with."""
    try:
        find_font()
    except FontMissingError:
        pytest.skip("left out: fonts-wqy-microhei is not installed")


def at(step: str) -> str:
    return f"/classes/{CLASS}/{step}"


def ok(answer: Response) -> Response:
    """Done, and not sent to the form for signing in."""
    assert answer.status_code in (200, 303), answer.text[-900:]
    assert answer.headers.get("location") != "/", "signed out"
    return answer


def later(room: Room, browsers: Browsers, days: int) -> None:
    """Days pass; everybody signs in anew."""
    room.clock.now += days * 86_400_000
    browsers.clear()


def identities(browsers: Browsers) -> None:
    """Both learners have an identity number on file."""
    text = f"姓名\t账号\t身份证号\n张伟\tlearner\t{number(1)}\n王芳\tother\t{number(2)}\n"
    made = ok(browsers["officer"].post("/import", {"class_id": CLASS, "text": text}))
    ok(browsers["officer"].post(made.headers["location"]))


def applied(room: Room, browsers: Browsers | None = None) -> Browsers:
    """The application is handed in, with everything signed."""
    browsers = browsers or hire(room)
    identities(browsers)
    officer = browsers["officer"]
    ok(officer.post(at("application"), FORM))
    for party in ("institution", "provider"):
        ok(officer.post(at("commitment"), {"party": party, "agreed": "yes"}))
    ok(officer.post(at("application/submit")))
    return browsers


def approved(room: Room) -> Browsers:
    """A supervisor has approved it."""
    browsers = applied(room)
    ok(browsers["supervisor"].post(at("application/decide"), {"verdict": "approve", "reason": "材料齐全"}))
    return browsers


def opened(room: Room) -> tuple[Browsers, Learner]:
    """The class is open; `learner` has a device, both are identified."""
    browsers = approved(room)
    learner = room.learner().ready()
    room.learner("other").ready()
    ok(browsers["officer"].post(at("eligibility")))
    ok(browsers["officer"].post(at("link-test")))
    ok(browsers["officer"].post(at("open")))
    return browsers, learner


def study_all(room: Room, learner: Learner) -> Device:
    """The whole course of an hour, in one session."""
    device = learner.open()
    device.send()
    while device.position < 3_600_000:
        device.play(min(20_000, 3_600_000 - device.position))
        _answered(device)
    device.add(Asked("close"))  # one look, so that the last minutes count
    _answered(device)
    device.close()
    room.server.services.sweep()
    return device


def _answered(device: Device) -> None:
    """Send, and send each answer at once, as a client does: checks come faster here than segments, and one that
    waits for the next segment falls behind the seed's moments until it is missed."""
    for _ in range(40):
        device.send()
        if device.answers[-1].ordered is None:
            return
    raise AssertionError("the orders never ended")


def lines(browser: Browser, path: str) -> str:
    return browser.get(path).text


def completion_of(room: Room, learner: str) -> str:
    """A completion proof on file, whoever earned it; the paper's name."""
    grant = room.server.keyring.grant
    value = Completion(
        "TS2026-000001-ABCD", f"{SERVER}/c/{CLASS}", "张伟", "00" * 16, person_hash("00" * 16, number(1)), "消防",
        "消防设施操作员", 5, "2026-12-01", "2026-12-05", "市职业培训学校", "2026-12-06", "ab12", 60, 60, 860,
    )  # fmt: skip
    issued = Issued(value.serial, sign(value, grant).decode(), value.digest, str(grant.vkey), "officer")
    bench = room.server.services.supervision.bench
    return bench.keep("completion", f"class/{CLASS}", learner, "issued", issued).paper


def papers_of(room: Room, learner: str) -> dict[str, str]:
    """One paper of each sort that an address can name, about this learner."""
    work = room.server.services.supervision
    admin = room.server.people.account("admin")
    assert admin is not None
    round_ = work.inspections.announce(admin, "十一月抽查", "某期开奖号码", 1, 1)
    work.tips.take("", "有人替课", "")
    deleted = work.bench.keep("deletion", "", learner, "waiting", Deleted("admin", "a receipt", 4_000_000_000_000))
    case = work.cases.open(CLASS, learner, "finding", "to look at")
    letter = work.bench.keep("letter", f"class/{CLASS}", learner, "open", Letter("question", "", "何时考试？"))
    return {
        "completion": completion_of(room, learner), "case": case.paper,
        "inspection": round_.paper, "tip": work.bench.papers.find("tip")[0].paper,
        "deletion": deleted.paper, "letter": letter.paper,
    }  # fmt: skip
