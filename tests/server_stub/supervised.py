"""A class under supervision to be drawn: opened, looked at, counted; and the way through its pages."""

from __future__ import annotations

from collections.abc import Callable

from server_stub.domain.duties import Duty
from server_stub.domain.people import Account
from tests.server_stub.browser import Chromium
from tests.server_stub.classlife import FORM, at, completion_of, ok
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, Device
from tests.server_stub.staff import Browsers, kept_password


def scene(room: Room, browsers: Browsers, devices: list[Device]) -> dict[str, str]:
    """One paper of each sort in the middle of its life; what is open in the addresses of the pages."""
    for name in ("second", "third"):
        room.server.people.add_account(Account(name, {"second": "刘主任", "third": "陈科长"}[name],
                                               password=kept_password()))  # fmt: skip
        room.server.registry.add_duty(Duty(name, "supervisor", "district/north"))
    officer, supervisor = browsers["officer"], browsers["supervisor"]
    ok(officer.post(at("application"), FORM))
    for party in ("institution", "provider"):
        ok(officer.post(at("commitment"), {"party": party, "agreed": "yes"}))
    ok(officer.post(at("application/submit")))
    ok(supervisor.post(at("application/decide"), {"verdict": "approve", "reason": "材料齐全，同意开班"}))
    ok(officer.post(at("eligibility")))
    ok(officer.post(at("link-test")))
    room.server.services.sweep()
    return {"case": _case(room, browsers, devices[3]), "round": _round(room, browsers), "list": _list(room, browsers),
            "learner": devices[0].grant.learner}  # fmt: skip


def _case(room: Room, browsers: Browsers, device: Device) -> str:
    learner = device.grant.learner
    form = {"class_id": CLASS, "learner": learner, "sid": device.sid, "title": "学习期间出现自动输入，三次核验未通过"}
    case = ok(browsers["supervisor"].post("/cases", form)).headers["location"]
    ok(browsers["supervisor"].post(f"{case}/note", {"text": "已电话联系机构，机构称学员当天在外地。"}))
    room.server.services.supervision.cases.state(learner, case.rpartition("/")[2], "我用的是屏幕键盘，不是脚本。")
    ok(browsers["supervisor"].post(f"{case}/propose", {"sanction": "zeroing", "reason": "照片与登记照片不一致",
                                                       "first": "0", "last": "12"}))  # fmt: skip
    room.server.services.supervision.tips.take("消防班", "听说有人收费代学，请核实。", "13900139999")
    other = room.server.services.supervision.cases
    other.open(CLASS, "", "inspection", "两次抽查合规率低于 80%（3/5, 2/5）")
    ok(browsers["employer"].post("/employers/pledge", {"place": "employer/works", "text": "已整改，附学习记录。"}))
    return case


def _round(room: Room, browsers: Browsers) -> str:
    form = {"name": "十一月双随机抽查", "source": "中国福利彩票双色球第 2026136 期开奖号码", "count": "4", "each": "2"}
    path = ok(browsers["supervisor"].post("/inspections", form)).headers["location"]
    ok(browsers["supervisor"].post(f"{path}/draw", {"seed": "03 08 15 21 26 30 + 07"}))
    work = room.server.services.supervision
    value = work.inspections.published(path.rpartition("/")[2])[1]
    for number, (who, by) in enumerate((value.drawn or {}).items()):
        if number < 3:
            form = {"who": who, "how": "phone", "text": "电话接通，所学内容与记录一致",
                    "compliant": "no" if number == 1 else "yes"}  # fmt: skip
            ok(browsers[value.people[by[0]]].post(f"{path}/result", form))
    return path


def _list(room: Room, browsers: Browsers) -> str:
    for item in room.server.people.registrations(class_id=CLASS)[:6]:
        completion_of(room, item.learner)
    return ok(browsers["officer"].post(at("publication"))).headers["location"]


def tour(browser: Chromium, url: str, papers: dict[str, str], shot: Callable[[str], None]) -> None:
    """Page by page, signed in as a supervisor; the public's pages last."""
    learner = papers["learner"]
    pages = {
        "class-file": at("file"), "class-statistics": at("statistics"), "statistics": "/statistics", "cases": "/cases",
        "case": papers["case"], "inspections": "/inspections", "inspection": papers["round"], "privacy": "/privacy",
        "impact": "/privacy/impact", "person-privacy": f"/people/{learner}/privacy",
        "public-inspection": f"/public{papers['round']}", "public-list": papers["list"], "tips": "/tips",
    }  # fmt: skip
    for name, path in pages.items():
        browser.open(url + path)
        shot(name)
