"""Every route, asked by everybody: who gets in is a table, and a route without a row fails.

The table is the published list of what each role may do (R1.7). Whoever is not named is refused: nobody and learners by
401 or the form for signing in, the staff by 403, or by 404 where not even the existence is theirs to know.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from httpx import Response
from starlette.routing import BaseRoute, Route

from ledger.keys import generate_evidence
from server_stub.routes import live_pages
from tests.server_stub.bags import JPEG, bag
from tests.server_stub.classlife import FORM as APPLICATION
from tests.server_stub.classlife import papers_of
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, Device, Learner
from tests.server_stub.staff import PASSWORD, Browser, Browsers, hire
from tests.server_stub.warned import planted

EVERYBODY = frozenset({"nobody", "learner", "admin", "supervisor", "principal", "officer", "teacher", "employer",
                       "provider", "far"})  # fmt: skip
STAFF = EVERYBODY - {"nobody", "learner"}
SEES = frozenset({"admin", "supervisor", "principal", "officer", "teacher"})  # the class of this test
PLANS = frozenset({"admin", "principal", "officer"})
DECIDES = frozenset({"admin", "supervisor", "principal"})
LEARNER = frozenset({"learner"})
FILE = {"what": "courses", "courses": "20", "free": "10", "titles": "消防"}
LIST = "姓名,账号\n王芳,wang.fang\n"
QUESTIONS = "题目,选项A,选项B,答案\n先做什么？,拔销,压把,A\n"
PAID = "身份证号,工种,等级,年份\n11010519491231002X,消防设施操作员,4,2024\n"


@dataclass(frozen=True)
class Row:
    """Who gets in; `form`: what is posted; `by`: how a request shows who it is; `far`: who gets in, and sees no
    learner of this class."""

    who: frozenset[str]
    form: dict[str, str] | None = None
    by: str = "page"  # page | me (a learner's own page) | staff token | learner token


def api(who: frozenset[str], by: str = "learner token") -> Row:
    return Row(who, None, by)


TABLE: dict[tuple[str, str], Row] = {
    # the interface of clients and of anybody: no sign-in, or a learner's token (their own tests are elsewhere)
    ("GET", "/v1/health"): api(EVERYBODY, "open"),
    ("POST", "/v1/sign-in/start"): api(EVERYBODY, "open"),
    ("POST", "/v1/sign-in/finish"): api(EVERYBODY, "open"),
    ("POST", "/v1/staff/sign-in"): api(EVERYBODY, "open"),
    ("GET", "/v1/sign-in/ways"): api(EVERYBODY, "open"),
    ("POST", "/v1/sign-in/activate"): api(EVERYBODY, "open"),  # the code is the right
    ("POST", "/v1/sign-in/begin"): api(EVERYBODY, "open"),
    ("POST", "/v1/sign-in/poll"): api(EVERYBODY, "open"),  # the handle is the right
    ("GET", "/v1/sign-in/wechat"): api(EVERYBODY, "open"),  # where a browser comes back to
    ("POST", "/v1/sign-in/wechat"): api(EVERYBODY, "open"),  # and types the number of the own screen
    ("GET", "/models/{digest}"): api(EVERYBODY, "open"),
    ("POST", "/v1/sessions/{sid}/segments"): api(EVERYBODY, "open"),  # the signature is the right
    ("GET", "/v1/sessions/{sid}/evidence/{eid}"): api(EVERYBODY, "open"),  # named by a receipted event
    ("PUT", "/v1/sessions/{sid}/evidence/{eid}"): api(EVERYBODY, "open"),
    ("GET", "/v1/sessions/{sid}/receipt"): api(EVERYBODY, "open"),
    ("GET", "/v1/sessions/{sid}/reveal"): api(EVERYBODY, "open"),
    ("GET", "/log/{class_id}/checkpoint"): api(EVERYBODY, "open"),
    ("GET", "/log/{class_id}/tile/{path:path}"): api(EVERYBODY, "open"),
    ("GET", "/v1/me"): api(LEARNER),
    ("POST", "/v1/sign-in/link"): api(LEARNER),
    ("GET", "/v1/sign-in/links"): api(LEARNER),
    ("POST", "/v1/sign-in/unlink"): api(LEARNER),
    ("GET", "/v1/bodies/{digest}"): api(LEARNER),
    ("GET", "/v1/classes/{class_id}/copy"): api(LEARNER),
    ("GET", "/v1/courses/{digest}/{name}"): api(LEARNER),
    ("POST", "/v1/identify"): api(LEARNER),
    ("POST", "/v1/devices"): api(LEARNER),
    ("POST", "/v1/devices/renew"): api(LEARNER),
    ("POST", "/v1/references"): api(LEARNER),
    ("POST", "/v1/consents"): api(LEARNER),
    ("GET", "/v1/letters"): api(LEARNER),
    ("POST", "/v1/letters"): api(LEARNER),
    ("GET", "/v1/registrations/{registration}/device"): api(LEARNER),
    ("POST", "/v1/sessions"): api(LEARNER),
    ("POST", "/v1/sessions/{sid}/identify"): api(LEARNER),
    ("POST", "/v1/sessions/{sid}/hand"): api(LEARNER),
    ("POST", "/v1/sessions/{sid}/tests"): api(LEARNER),
    ("GET", "/v1/sessions/{sid}/credit"): api(LEARNER),
    ("GET", "/v1/sessions/{sid}/content-key"): api(LEARNER),
    ("GET", "/v1/sessions/{sid}/live/{unit}/index.m3u8"): api(LEARNER),
    ("GET", "/v1/sessions/{sid}/live/{unit}/{name}"): api(LEARNER),
    ("POST", "/v1/sign-out"): api(LEARNER),
    # the learner's own pages: the cookie of learners; what is another learner's is tried in test_me.py
    ("GET", "/me/sign-in"): Row(EVERYBODY, None, "open"),
    ("POST", "/me/sign-in"): Row(EVERYBODY, {"account": "nobody at all"}, "open"),
    ("POST", "/me/sign-in/code"): Row(EVERYBODY, {"challenge": "ab" * 16, "code": "123456"}, "open"),
    ("GET", "/me"): Row(LEARNER, None, "me"),
    ("GET", "/me/cases"): Row(LEARNER, None, "me"),
    ("POST", "/me/cases/{case}/statement"): Row(LEARNER, {"text": "it was my brother's screen"}, "me"),
    ("POST", "/me/cases/{case}/appeal"): Row(LEARNER, {"text": "please look again"}, "me"),
    ("GET", "/me/classes/{registration}"): Row(LEARNER, None, "me"),
    ("GET", "/me/classes/{registration}/media/{unit}"): Row(LEARNER, None, "me"),
    ("GET", "/me/classes/{registration}/practice"): Row(LEARNER, None, "me"),
    ("POST", "/me/classes/{registration}/practice"): Row(LEARNER, {"pass/q": "1"}, "me"),
    ("GET", "/me/classes/{registration}/preview"): Row(LEARNER, None, "me"),
    ("GET", "/me/classes/{registration}/rating"): Row(LEARNER, None, "me"),
    ("POST", "/me/classes/{registration}/rating"): Row(LEARNER, {"content": "5"}, "me"),
    ("POST", "/me/classes/{registration}/followup"): Row(LEARNER, {"work": "found"}, "me"),
    ("POST", "/me/letters/{letter}/helped"): Row(LEARNER, {"said": "yes"}, "me"),
    ("GET", "/me/completions/{completion}"): Row(LEARNER, None, "me"),
    ("POST", "/me/consents/withdraw"): Row(LEARNER, {"registration": "{registration}", "what": "photos"}, "me"),
    ("GET", "/me/copy/{class_id}"): Row(LEARNER, None, "me"),
    ("POST", "/me/devices/lost"): Row(LEARNER, {"device": "{device}"}, "me"),
    ("GET", "/me/letters"): Row(LEARNER, None, "me"),
    ("POST", "/me/letters"): Row(
        LEARNER, {"letter": "ab" * 16, "registration": "{registration}", "what": "question", "text": "when?"}, "me"
    ),
    ("GET", "/me/notices"): Row(LEARNER, None, "me"),
    ("GET", "/me/privacy"): Row(LEARNER, None, "me"),
    ("GET", "/me/sessions/{sid}"): Row(LEARNER, None, "me"),
    ("POST", "/me/sign-out"): Row(LEARNER, None, "me"),
    # the staff's interface and pages
    ("GET", "/v1/classes"): Row(STAFF),
    ("GET", "/v1/classes/{class_id}/archive"): Row(SEES - {"teacher"}),
    ("GET", "/v1/sessions/{sid}/tile/{path:path}"): Row(SEES - {"teacher"}),
    ("GET", "/"): Row(EVERYBODY),
    ("POST", "/sign-in"): Row(EVERYBODY, {"account": "admin", "password": "another one"}, "open"),
    ("GET", "/classes/{class_id}"): Row(SEES),
    ("GET", "/classes/{class_id}/live"): Row(SEES),
    ("GET", "/classes/{class_id}/live/stream"): Row(SEES),
    ("GET", "/classes/{class_id}/live/{sid}"): Row(SEES),
    ("GET", "/classes/{class_id}/sign-ins"): Row(SEES),
    ("GET", "/classes/{class_id}/room"): Row(DECIDES),
    ("POST", "/classes/{class_id}/hands"): Row(SEES, {"sid": "{sid}"}),
    ("POST", "/classes/{class_id}/command"): Row(SEES, {"do": "message", "text": "Please look up.", "sid": "{sid}"}),
    ("POST", "/classes/{class_id}/notes"): Row(frozenset({"admin", "supervisor", "principal"}), {"text": "none"}),
    ("GET", "/classes/{class_id}/file"): Row(SEES),
    ("POST", "/classes/{class_id}/application"): Row(PLANS, dict(APPLICATION)),
    ("POST", "/classes/{class_id}/application/decide"): Row(DECIDES, {"verdict": "approve", "reason": "complete"}),
    ("POST", "/classes/{class_id}/application/submit"): Row(PLANS),
    ("POST", "/classes/{class_id}/commitment"): Row(PLANS, {"party": "institution", "agreed": "yes"}),
    ("POST", "/classes/{class_id}/completions"): Row(PLANS, {"learner": "{learner}"}),
    ("POST", "/classes/{class_id}/eligibility"): Row(SEES),
    ("POST", "/classes/{class_id}/exam"): Row(PLANS, {"text": "learner\t80"}),
    ("POST", "/classes/{class_id}/link-test"): Row(SEES),
    ("POST", "/classes/{class_id}/open"): Row(PLANS),
    ("POST", "/classes/{class_id}/close"): Row(PLANS, {"reason": "the plan is over"}),
    ("POST", "/classes/{class_id}/plan"): Row(PLANS, {"lessons": APPLICATION["lessons"], "reason": "another room"}),
    ("POST", "/classes/{class_id}/practice"): Row(SEES, {"learner": "{learner}", "lesson": "2026-12-05 灭火器实操"}),
    ("GET", "/completions/{completion}"): Row(SEES),
    ("POST", "/completions/{completion}/revoke"): Row(DECIDES, {"reason": "a wrong score"}),
    ("GET", "/cases"): Row(DECIDES | {"far"}),
    ("POST", "/cases"): Row(DECIDES, {"class_id": CLASS, "title": "to look at"}),
    ("GET", "/cases/{case}"): Row(DECIDES),
    ("POST", "/cases/{case}/answer"): Row(DECIDES, {"reason": "it was the learner", "do": "uphold"}),
    ("POST", "/cases/{case}/close"): Row(DECIDES, {"reason": "nothing to do"}),
    ("POST", "/cases/{case}/confirm"): Row(DECIDES, {"reason": "it is so", "do": "agree"}),
    ("POST", "/cases/{case}/note"): Row(DECIDES, {"text": "called the school"}),
    ("GET", "/cases/{case}/notice"): Row(DECIDES),
    ("POST", "/cases/{case}/answers"): Row(DECIDES, {"reason": "to compare", "vkey": "none"}),
    ("POST", "/cases/{case}/photo"): Row(DECIDES, {"eid": "{eid}", "reason": "to compare", "vkey": "none"}),
    ("POST", "/cases/{case}/propose"): Row(DECIDES, {"sanction": "talk", "reason": "let them say"}),
    ("POST", "/employers/pledge"): Row(
        frozenset({"admin", "supervisor", "employer"}), {"place": "employer/works", "text": "put right"}
    ),
    ("POST", "/letters/{letter}/answer"): Row(DECIDES, {"text": "we look into it"}),
    ("GET", "/inspections"): Row(DECIDES | {"far"}),
    ("POST", "/inspections"): Row(
        DECIDES | {"far"}, {"name": "November", "source": "a lottery", "count": "1", "each": "1"}
    ),
    ("GET", "/inspections/{inspection}"): Row(DECIDES | {"far"}),
    ("POST", "/inspections/{inspection}/calls"): Row(DECIDES | {"far"}),
    ("POST", "/inspections/{inspection}/draw"): Row(DECIDES, {"seed": "1 2 3"}),
    ("POST", "/inspections/{inspection}/publish"): Row(DECIDES),
    ("POST", "/inspections/{inspection}/result"): Row(
        DECIDES | {"far"}, {"who": "{learner}", "how": "phone", "text": "reached", "compliant": "yes"}
    ),
    ("GET", "/public/inspections/{inspection}"): Row(EVERYBODY, None, "open"),
    ("GET", "/public/inspections/{inspection}/list"): Row(EVERYBODY, None, "open"),
    ("GET", "/tips"): Row(EVERYBODY, None, "open"),
    ("POST", "/tips"): Row(EVERYBODY, {"text": "something"}, "open"),
    ("POST", "/tips/helped"): Row(EVERYBODY, {"code": "AB", "said": "yes"}, "open"),  # the code is the right
    ("POST", "/tips/{tip}/answer"): Row(DECIDES | {"far"}, {"text": "looked into"}),
    ("GET", "/warnings"): Row(DECIDES | {"far"}),
    ("POST", "/warnings/inspect"): Row(DECIDES | {"far"}),
    ("GET", "/warnings/{warning}"): Row(DECIDES),
    ("POST", "/warnings/{warning}/aside"): Row(DECIDES, {"reason": "called them"}),
    ("POST", "/warnings/{warning}/case"): Row(DECIDES, {"reason": "called them"}),
    ("GET", "/self-inspections"): Row(DECIDES | {"far"}),
    ("GET", "/self-inspections/{report}"): Row(DECIDES | {"far"}),
    ("POST", "/self-inspections/{report}"): Row(DECIDES, {"class_id": CLASS, "text": "visited them"}),
    ("GET", "/classes/{class_id}/statistics"): Row(SEES),
    ("GET", "/classes/{class_id}/statistics.csv"): Row(SEES),
    ("GET", "/classes/{class_id}/statistics.xlsx"): Row(SEES),
    ("POST", "/classes/{class_id}/matching"): Row(DECIDES, {"reason": "asked for by the bureau"}),
    ("POST", "/classes/{class_id}/publication"): Row(PLANS),
    ("POST", "/classes/{class_id}/reminders"): Row(SEES),
    ("GET", "/public/lists/{publication}"): Row(EVERYBODY, None, "open"),
    ("GET", "/statistics"): Row(STAFF),
    ("GET", "/statistics.csv"): Row(STAFF),
    ("GET", "/statistics.xlsx"): Row(STAFF),
    ("GET", "/deletions/{deletion}"): Row(DECIDES),
    ("GET", "/privacy"): Row(DECIDES | {"far"}),
    ("GET", "/privacy/impact"): Row(DECIDES | {"far"}),
    ("POST", "/privacy/impact"): Row(DECIDES | {"far"}),
    ("GET", "/people/{learner}/privacy"): Row(SEES),
    ("POST", "/people/{learner}/erase"): Row(DECIDES, {"reason": "asked for by the learner"}),
    ("POST", "/people/{learner}/export"): Row(DECIDES, {"reason": "asked for by the learner"}),
    ("POST", "/people/{learner}/hold"): Row(DECIDES, {"reason": "a court asks"}),
    ("POST", "/people/{learner}/hold/end"): Row(DECIDES, {"reason": "it has answered"}),
    ("GET", "/people"): Row(SEES | {"far"}),
    ("GET", "/people/{learner}"): Row(SEES),
    ("POST", "/people/{learner}/identity"): Row(
        frozenset({"admin", "supervisor", "principal"}), {"reason": "the card was compared"}
    ),
    ("GET", "/import"): Row(frozenset({"admin", "principal", "officer", "far"})),
    ("POST", "/import"): Row(frozenset({"admin", "principal", "officer"}), {"class_id": CLASS, "text": LIST}),
    ("GET", "/import/{draft}"): Row(frozenset({"admin"})),  # whose draft it is
    ("POST", "/import/{draft}"): Row(frozenset({"admin"})),
    ("POST", "/import/photos"): Row(frozenset({"admin", "principal", "officer"}), {"class_id": CLASS}),
    ("GET", "/import/photos/{bag}"): Row(frozenset({"admin"})),  # whose draft it is
    ("POST", "/import/photos/{bag}"): Row(frozenset({"admin"})),
    ("POST", "/people/{learner}/compare"): Row(
        frozenset({"admin", "supervisor", "principal"}), {"reason": "the card was compared"}
    ),
    ("GET", "/ratings"): Row(STAFF),
    ("GET", "/providers"): Row(STAFF),
    ("GET", "/providers/{provider}"): Row(DECIDES | {"far", "provider"}),
    ("POST", "/providers/{provider}"): Row(frozenset({"admin", "provider"}), FILE),
    ("POST", "/providers/{provider}/review"): Row(DECIDES | {"far"}, {"verdict": "yes", "text": "all is there"}),
    ("GET", "/providers/{provider}/questions/{course}"): Row(frozenset({"admin", "provider"})),
    ("POST", "/providers/{provider}/questions/{course}"): Row(frozenset({"admin", "provider"}), {"text": QUESTIONS}),
    ("GET", "/providers/{provider}/questions/{course}/{hand}"): Row(frozenset({"provider"})),  # whose draft it is
    ("POST", "/providers/{provider}/questions/{course}/{hand}"): Row(frozenset({"provider"})),
    ("GET", "/questions/{handed}"): Row(PLANS),
    ("POST", "/questions/{handed}"): Row(PLANS, {"do": "return", "reason": "one answer is wrong"}),
    ("GET", "/public/providers"): Row(EVERYBODY, None, "open"),
    ("GET", "/classes/{class_id}/questions"): Row(PLANS),
    ("POST", "/classes/{class_id}/questions"): Row(PLANS, {"text": QUESTIONS}),
    ("GET", "/classes/{class_id}/questions/{bank}"): Row(frozenset({"admin"})),  # whose draft it is
    ("POST", "/classes/{class_id}/questions/{bank}"): Row(frozenset({"admin"})),
    ("GET", "/subsidies"): Row(DECIDES | {"far"}),
    ("POST", "/subsidies"): Row(DECIDES | {"far"}, {"text": PAID}),
    ("POST", "/subsidies/find"): Row(DECIDES | {"far"}, {"number": "11010519491231002X"}),
    ("GET", "/subsidies/{payments}"): Row(frozenset({"admin"})),  # whose draft it is
    ("POST", "/subsidies/{payments}"): Row(frozenset({"admin"})),
    ("POST", "/subsidies/{payment}/remove"): Row(DECIDES, {"reason": "the office took it back"}),
    ("GET", "/fleet"): Row(STAFF - {"provider", "teacher"}),
    ("POST", "/fleet/tokens"): Row(
        frozenset({"admin", "supervisor", "employer"}), {"place": "employer/works", "days": "7", "count": "2"}
    ),
    ("POST", "/fleet/tokens/end"): Row(
        frozenset({"admin", "supervisor", "employer"}), {"place": "employer/works", "token": "00"}
    ),
    ("GET", "/journal"): Row(SEES | {"far"}),
    ("GET", "/staff"): Row(frozenset({"admin", "principal", "far"})),
    ("POST", "/staff"): Row(
        frozenset({"admin", "principal"}),
        {"account": "new", "name": "New", "password": PASSWORD, "role": "teacher", "place": f"class/{CLASS}"},
    ),
    ("POST", "/staff/duties"): Row(
        frozenset({"admin", "principal"}), {"account": "spare", "role": "teacher", "place": f"class/{CLASS}"}
    ),
    ("POST", "/staff/duties/end"): Row(
        frozenset({"admin", "principal"}), {"account": "spare", "role": "teacher", "place": f"class/{CLASS}"}
    ),
    ("POST", "/places"): Row(
        frozenset({"admin"}), {"kind": "institution", "key": "second", "name": "Second", "parent": "district/north"}
    ),
    ("GET", "/account"): Row(STAFF),
    ("POST", "/account/others"): Row(STAFF),
    ("POST", "/account/password"): Row(STAFF, {"old": PASSWORD, "new": PASSWORD}),
    ("POST", "/sign-in/passkey/start"): Row(EVERYBODY, {}, "open"),
    ("POST", "/sign-in/passkey/finish"): Row(EVERYBODY, {}, "open"),
    ("GET", "/sign-in/oidc"): Row(EVERYBODY, None, "open"),
    ("GET", "/sign-in/oidc/return"): Row(EVERYBODY, None, "open"),
    ("POST", "/account/passkeys/start"): Row(STAFF, {"password": PASSWORD}),
    ("POST", "/account/passkeys/finish"): Row(STAFF, {"handle": "00", "answer": "{}"}),
    ("POST", "/account/passkeys/end"): Row(STAFF, {"key": "AAAA"}),
    ("POST", "/account/oidc"): Row(STAFF, {"password": PASSWORD}),
    ("POST", "/account/oidc/end"): Row(STAFF),
    ("POST", "/sign-out"): Row(STAFF),
}
LAST = ("POST", "/sign-out")
LATE = ("POST", "/people/{learner}/erase")  # warnings and photos go with the learner: they are asked for before
OUT = ("/", "/sign-out", "/me/sign-out")  # what answers with the form for signing in, whoever asks


@dataclass
class World:
    """The server, everybody's browser, and one running session to ask for."""

    room: Room
    browsers: dict[str, Browser]  # signed in when first asked for
    learner: Learner
    device: Device
    draft: str
    papers: dict[str, str]

    def path(self, route: str) -> str:
        values = {"class_id": CLASS, "sid": self.device.sid, "learner": self.learner.learner, "draft": self.draft,
                  "digest": "ab" * 32, "name": "x", "path:path": "0/000.p/1", "eid": "cd" * 16,
                  "registration": self.learner.registration, "unit": "pass",
                  "device": hashlib.sha256(str(self.learner.device.vkey).encode()).hexdigest()[:32],
                  **self.papers}  # fmt: skip
        for name, value in values.items():
            route = route.replace("{" + name + "}", value)
        return route

    def ask(self, who: str, method: str, route: str, form: dict[str, str] | None) -> Response:
        """The request as this person's browser or program sends it."""
        self.room.clock.now += 500
        form = {name: self.path(value) for name, value in form.items()} if form else form
        http = self.room.http
        http.cookies.clear()
        if who in STAFF:
            browser = self.browsers[who]
            headers = {} if route.startswith("/v1") and method != "GET" else {"Accept": "text/html"}
            form = {"csrf": browser.csrf, **(form or {})} if method == "POST" else None
            return browser.http.request(method, self.path(route), data=form, headers=headers, follow_redirects=False)
        headers = self.learner.headers if who == "learner" else {}
        if who == "learner" and route.startswith("/me"):
            headers = {"Cookie": f"trueseat_me={self.learner.token}"}
            proof = {"csrf": self.room.server.services.sign_in.csrf(self.learner.token)}
            form = {**proof, **(form or {})} if method == "POST" else None
        return http.request(method, self.path(route), data=form, headers=headers, follow_redirects=False)


@pytest.fixture
def world(room: Room, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(live_pages, "LOOK_EVERY_S", 0.001)
    monkeypatch.setattr(live_pages, "LASTS_S", 0.001)  # one look, then the stream ends
    return make_world(room)


def make_world(room: Room) -> World:
    """Everybody, and one of everything that an address can name."""
    browsers = hire(room)
    learner = room.learner().ready()
    device = learner.open()
    device.send()
    room.server.records.write(lambda tx: room.server.services.revealer.log_checkpoint(tx, device.sid))
    text = f"name,account,id number\nLearner,learner,{'11010519491231002X'}\n"
    answer = browsers["admin"].post("/import", {"class_id": CLASS, "text": text})
    browsers["admin"].post(answer.headers["location"])  # so that an identity number is kept
    made = browsers["admin"].post("/import", {"class_id": CLASS, "text": LIST})
    reviewer, _ = generate_evidence("school.example/e")
    room.server.class_maker.add_reviewer(CLASS, str(reviewer), room.clock)
    for shade in (b"1", b"2"):  # the first one is kept, the second one waits
        photos = {"file": ("photos.zip", bag({"learner.jpg": JPEG + shade}))}
        waits = browsers["admin"].post("/import/photos", {"class_id": CLASS}, files=photos).headers["location"]
        if shade == b"1":
            assert browsers["admin"].post(waits).status_code == 200
    other = room.server.people.account("other")
    assert other is not None  # an erased learner takes a warning along that names nobody else
    papers = papers_of(room, learner.learner) | planted(room, learner.learner, other.learner)
    papers |= {"bag": waits.rpartition("/")[2]}
    for year in ("2023", "2024"):  # the first payment is kept, the second one waits
        paid = browsers["admin"].post("/subsidies", {"text": PAID.replace("2024", year)}).headers["location"]
        if year == "2023":
            assert browsers["admin"].post(paid).status_code == 303
    papers |= {"provider": "press", **handed_in(room, browsers)}
    payment = room.server.services.supervision.bench.papers.find("subsidy")[0].paper
    asked = browsers["admin"].post(f"/classes/{CLASS}/questions", {"text": QUESTIONS}).headers["location"]
    papers |= {"bank": asked.rpartition("/")[2]}
    papers |= {"payments": paid.rpartition("/")[2], "payment": payment}
    return World(room, browsers, learner, device, made.headers["location"].rpartition("/")[2], papers)


def handed_in(room: Room, browsers: Browsers) -> dict[str, str]:
    """A provider's file that stands, a list of it that waits for a reviewer, and one that is not handed in yet."""
    browsers["provider"].post("/providers/press", FILE)
    room.clock.now += 1_000
    browsers["admin"].post("/providers/press/review", {"verdict": "yes", "text": "all is there"})
    course = room.server.services.practice.course(CLASS).sha256
    path = f"/providers/press/questions/{course}"
    drafts = [browsers["provider"].post(path, {"text": QUESTIONS}).headers["location"] for _ in range(2)]
    assert browsers["provider"].post(drafts[0]).status_code == 303
    waits = room.server.services.supervision.bench.papers.find("questions")[0].paper
    return {"course": course, "hand": drafts[1].rpartition("/")[2], "handed": waits}


def refused(answer: Response) -> bool:
    """401, 403, 404, or sent to the form for signing in."""
    return answer.status_code in (401, 403, 404) or (
        answer.status_code == 303 and answer.headers["location"] in ("/", "/me/sign-in")
    )


def routes(found: list[BaseRoute]) -> Iterator[tuple[str, str]]:
    """(method, path) of all routes, those of included routers among them."""
    for route in found:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from routes(inner.routes)
        elif isinstance(route, Route):
            yield from ((method, route.path) for method in (route.methods or set()) - {"HEAD"})


def test_every_route_has_a_row(room: Room) -> None:
    """Whoever adds a route says here who may use it; the interface's own description is for everybody."""
    there = set(routes(room.http.app.routes)) - {("GET", "/openapi.json")}
    assert there - set(TABLE) == set()
    assert set(TABLE) - there == set()
    paths = {path for _, path in TABLE}
    assert {path.replace("{path}", "{path:path}") for path in room.http.app.openapi()["paths"]} <= paths


@pytest.mark.slow
def test_who_is_named_gets_in_and_nobody_else(world: World) -> None:
    """Route by role; a refusal changes nothing and an admission is no server error."""
    wrong = []
    for (method, route), row in sorted(TABLE.items(), key=lambda item: (item[0] == LAST, item[0] == LATE, item[0][1])):
        if row.by == "open":
            continue
        for who in sorted(EVERYBODY, key=lambda name: (name == "admin", name)):  # a draft is used up by whom it is
            answer = world.ask(who, method, route, row.form)
            if answer.status_code >= 500:
                wrong.append((method, route, who, answer.status_code, answer.text[:200]))
            elif row.by in ("page", "me") and (who in row.who) == refused(answer) and route not in OUT:
                if not _other_reason(route, who, row, answer):
                    wrong.append((method, route, who, answer.status_code, answer.text[-600:]))
            elif row.by == "learner token" and who != "learner" and answer.status_code != 401:
                wrong.append((method, route, who, answer.status_code, answer.text[:200]))
    assert wrong == []


_SAID = (
    ("/me/devices/lost", "TS-S-015"),
    ("/staff/duties/end", "TS-S-040"), ("/fleet/tokens/end", "TS-S-040"), ("/account/passkeys/", "TS-S-110"),
    ("/subsidies/{payment}/remove", "TS-S-040"),  # the first one took it out
    ("/account/passkeys/end", "TS-S-040"),
    ("/account/passkeys/start", "TS-S-013"), ("/account/oidc", "TS-S-111"), ("/account/oidc", "TS-S-013"),
)  # fmt: skip


def _other_reason(route: str, who: str, row: Row, answer: Response) -> bool:
    """Who may, and is refused for what is asked and not for who asks: said by another code than those of rights."""
    if who not in row.who:
        return False
    return (route == "/account/password" and who == "admin" and "TS-S-013" in answer.text) or any(
        route.startswith(start) and code in answer.text for start, code in _SAID
    )


@pytest.mark.slow
def test_no_form_counts_without_the_proof_of_its_sign_in(world: World) -> None:
    """Cross-site request forgery: no proof, another's proof, or a proof of an earlier sign-in: refused, all forms."""
    admin, other = world.browsers["admin"], world.browsers["officer"]
    for (method, route), row in TABLE.items():
        if method != "POST" or row.by != "page":
            continue
        for proof in ("", other.csrf, "0" * 64, "ü"):
            world.room.clock.now += 31_000
            form = {**(row.form or {}), "csrf": proof}
            answer = admin.http.post(world.path(route), data=form, follow_redirects=False)
            assert answer.status_code == 403, (route, proof)
    assert admin.get("/account").status_code == 200


def test_a_sign_in_takes_no_cookie_that_was_there_before(world: World) -> None:
    """Session fixation: the token is new, whatever the browser brought, and the one brought has ended."""
    admin = world.browsers["admin"]
    planted = admin.http.cookies["trueseat_staff"]
    answer = admin.http.post("/sign-in", data={"account": "teacher", "password": PASSWORD}, follow_redirects=False)
    assert planted not in answer.headers["set-cookie"]
    world.room.http.cookies.set("trueseat_staff", planted)
    assert world.room.http.get("/account", follow_redirects=False).headers["location"] == "/"


def test_a_learners_token_is_no_cookie_of_the_staff(world: World) -> None:
    world.room.http.cookies.set("trueseat_staff", world.learner.token)
    assert refused(world.room.http.get("/people", follow_redirects=False))


def test_a_duty_that_ended_ends_what_is_open(world: World) -> None:
    """The next request of an account whose duty was taken back is refused."""
    assert world.browsers["teacher"].get(f"/classes/{CLASS}").status_code == 200
    form = {"account": "teacher", "role": "teacher", "place": f"class/{CLASS}"}
    assert world.browsers["admin"].post("/staff/duties/end", form).status_code == 303
    assert refused(world.browsers["teacher"].get(f"/classes/{CLASS}"))


@pytest.mark.slow
def test_what_is_anothers_does_not_exist(world: World) -> None:
    """Direct references: a class, a session, a learner or a draft of others answers as one that nobody has."""
    far = world.browsers["far"]
    for there, nowhere in (
        (f"/classes/{CLASS}", "/classes/none"), (f"/classes/{CLASS}/live", "/classes/none/live"),
        (f"/people/{world.learner.learner}", f"/people/{'0' * 32}"), (f"/import/{world.draft}", f"/import/{'0' * 32}"),
    ):  # fmt: skip
        one, other = far.get(there), far.get(nowhere)
        assert one.status_code == other.status_code == 404
        assert one.text.replace(there, "") == other.text.replace(nowhere, "")


@pytest.mark.slow
def test_an_employer_reads_devices_and_no_learning(world: World) -> None:
    page = world.browsers["employer"].get("/fleet").text
    assert "机械厂" in page
    for path in ("/people", "/journal", f"/classes/{CLASS}", f"/v1/classes/{CLASS}/archive"):
        assert refused(world.browsers["employer"].get(path))


@pytest.mark.slow
def test_passwords_are_counted_by_account_wherever_they_come_from(world: World) -> None:
    """Ten guesses, then one in 30 seconds: also when each comes from another address."""
    http = world.room.http
    codes = [http.post("/sign-in", data={"account": "teacher", "password": str(n)}).status_code for n in range(14)]
    assert codes[0] == 403
    assert codes[-1] == 429


@pytest.mark.slow
def test_a_change_of_the_password_ends_the_other_sign_ins(world: World) -> None:
    from tests.server_stub.staff import sign_in

    first, second = world.browsers["teacher"], sign_in(world.room, "teacher")
    new = {"old": PASSWORD, "new": "four quite other words"}
    assert first.post("/account/password", new | {"old": "wrong"}).status_code == 403
    assert first.post("/account/password", new).status_code == 303
    assert refused(second.get("/account"))
    assert first.get("/account").status_code == 200
