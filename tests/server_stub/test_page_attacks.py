"""Attacks on the pages, by class: what people write is text, addresses lead nowhere else, logs keep no secret."""

from __future__ import annotations

import dataclasses
import json
import logging
import shlex
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from httpx import Response
from sqlalchemy.exc import SQLAlchemyError

from ledger import bodies, events
from ledger.events import Event, Fault, Finding
from server_stub import setup
from server_stub.domain.people import Account
from server_stub.routes import live_pages
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS
from tests.server_stub.staff import PASSWORD, hire, sign_in
from tests.server_stub.test_privileges import TABLE, World, make_world

PROBE = "\"'></td></script><x-probe onfocus=alert(1)>{{7*7}}"
NAMED = ("\"'><x-probe onfocus=1>", "<x-probe>&amp;", "{{7*7}}<x-probe/a='")  # where a name is short
IDS = {
    "class_id", "learner", "sid", "do", "verdict", "sanction", "what", "how", "role", "place", "kind", "parent",
    "key", "party", "agreed", "compliant", "registration", "device", "eid", "vkey", "days", "count", "each",
    "password", "old", "new", "account", "letter", "handle", "answer", "token", "challenge", "code", "csrf",
    "practical", "level", "lesson",
}  # fmt: skip
ELSEWHERE = (
    "//evil.example/", "/\\evil.example", "https://evil.example", "..%2f..%2fetc%2fpasswd", "%0d%0aX-Probe:%201",
    "x%0aSet-Cookie:%20a=b", '"><x-probe>', "a" * 3000,
)  # fmt: skip


class Markup(HTMLParser):
    """What a page is made of: its elements that should not be there."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        bad = [name for name in names if name.startswith("on") or name == "style" or "<" in name or '"' in name]
        if tag == "x-probe" or bad or (tag == "script" and "src" not in names):
            self.wrong.append(f"{tag} {sorted(names)}")


@pytest.fixture
def world(room: Room, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(live_pages, "LOOK_EVERY_S", 0.001)
    monkeypatch.setattr(live_pages, "LASTS_S", 0.001)
    return make_world(room)


def planted(world: World) -> None:
    """The probe wherever somebody can write: names, titles, places, reasons, messages, letters, tips, findings."""
    people = world.room.server.people
    for at, name in enumerate((PROBE, *NAMED)):
        setup.add_learner(people, CLASS, f"probe{at}", name)
    people.add_account(Account(PROBE[:40], PROBE))
    device = world.device
    device.add(Finding("probe.rule", 1, "high", "pause", {"name": PROBE}))
    device.add(Fault("camera", PROBE))
    device.send()
    for (method, route), row in sorted(TABLE.items()):
        if method != "POST" or not row.form or route in ("/me/devices/lost", "/people/{learner}/erase"):
            continue
        form = {name: value if name in IDS else PROBE for name, value in row.form.items()}
        who = "learner" if row.by == "me" else "admin"
        answer = world.ask(who, method, route, form)
        assert answer.status_code < 500, (route, answer.text[:300])
        assert "html" not in _kind(answer) or Markup(answer.text).wrong == [], route
    for text in (f"姓名,账号,单位\n{PROBE},probe-x,{PROBE}\n".replace('"', "“"), f"{PROBE}\n{PROBE}\n"):
        made = world.browsers["admin"].post("/import", {"class_id": CLASS, "text": text})
        if made.status_code == 303:
            world.papers["draft"] = made.headers["location"].rpartition("/")[2]
    world.browsers["admin"].post("/import", {"class_id": CLASS}, files={"file": (f"{PROBE}.csv", b"\xff\xfe" + b"x")})


def shown(world: World) -> dict[str, Response]:
    """Every page as an administrator, the learner and nobody see it, the probe in the query, too."""
    found = {}
    for (method, route), row in sorted(TABLE.items()):
        if method == "GET" and row.by in ("page", "me", "open") and not route.startswith("/v1"):
            for who in ("admin", "learner", "nobody"):
                found[f"{who} {route}"] = world.ask(who, method, route, None)
    admin = world.browsers["admin"].http
    for path in ("/people", "/", f"/classes/{CLASS}", "/cases", "/warnings", "/account", "/statistics", "/fleet"):
        for name in ("q", "state", "done", "place", "class_id", "after", "lang", "sent"):
            found[f"{path}?{name}"] = admin.get(path, params={name: PROBE}, follow_redirects=False)
    return found


@pytest.mark.slow
def test_what_anybody_writes_is_text_on_every_page(world: World) -> None:
    """Cross-site scripting by names, titles, places, reasons, messages, letters, tips, file names, findings and
    addresses, also through the stream that the live page puts into its table; and no template runs what they wrote."""
    planted(world)
    pages = shown(world)
    wrong = {name: Markup(answer.text).wrong for name, answer in pages.items() if "html" in _kind(answer)}
    assert {name: found for name, found in wrong.items() if found} == {}
    carry = [name for name, answer in pages.items() if "x-probe" in answer.text and "html" in _kind(answer)]
    assert len(carry) >= 20, carry  # it is there, as text
    assert not [name for name, answer in pages.items() if "alert(1)&gt;49" in answer.text]
    stream = pages["admin /classes/{class_id}/live/stream"].text
    news = json.loads(next(line[6:] for line in stream.splitlines() if line.startswith("data: ")))
    rows = [*news["rows"].values(), news["head"]]
    assert [Markup(f"<table><tr>{html}</tr></table>").wrong for html in rows] == [[]] * len(rows)


@pytest.mark.slow
def test_attack_a_devices_clock_that_no_calendar_has(world: World) -> None:
    """A device writes any number for its clock, which is for people alone: no page about its learner fails by it."""
    device, learner, wall = world.device, world.learner, 2**53 - 1  # the year 287396
    body = Finding("tools.frida", 1, "high", "pause", {"name": "frida"})
    device.add_raw(events.encode(Event(len(device.entries), wall, device.mono, device.sid, "ab" * 16, body)))
    device.send()
    word = bodies.Consent(wall, learner.origin, learner.learner, "cd" * 32, "photos", True)
    sent = world.room.http.post("/v1/consents", content=bodies.sign(word, learner.device), headers=learner.headers)
    assert sent.status_code == 200
    for (method, route), row in sorted(TABLE.items()):
        about = row.by == "me" or {"{learner}", "{sid}", "{paper}", "live"} & {*route.split("/")}
        if method == "GET" and row.by in ("page", "me") and about:
            answer = world.ask("learner" if row.by == "me" else "admin", method, route, None)
            assert answer.status_code < 500, (route, answer.text[:300])


def _kind(answer: Response) -> str:
    return str(answer.headers.get("content-type", ""))


@pytest.mark.slow
def test_every_answer_is_in_no_frame_and_kept_by_nobody(world: World) -> None:
    """Clickjacking, guessed types and shared caches: on pages, downloads, refusals, redirects and the interface."""
    wrong = []
    for (method, route), row in sorted(TABLE.items()):
        for who in ("admin", "learner", "nobody") if method == "GET" else ():
            head = world.ask(who, method, route, None).headers
            kept = head["cache-control"] == "no-store" or (row.by == "open" and not route.startswith(("/me", "/v1")))
            safe = head["x-content-type-options"] == "nosniff" and head["x-frame-options"] == "DENY"
            if not (kept and safe and "frame-ancestors 'none'" in head["content-security-policy"]):
                wrong.append((route, who, dict(head)))
    assert wrong == []
    static = world.room.http.get("/static/page.css").headers
    assert (static["cache-control"], static["x-content-type-options"]) == ("no-cache", "nosniff")


@pytest.mark.slow
def test_no_address_and_no_form_leads_elsewhere(world: World) -> None:
    """Open redirects and headers by line breaks: whatever stands in an address or a form, the way on is one of ours."""
    http, wrong = world.browsers["admin"].http, []
    for (method, route), row in sorted(TABLE.items()):
        if row.by not in ("page", "open") or "{" not in route or route.startswith("/v1"):
            continue
        for value in ELSEWHERE:
            path = "/".join(value if part.startswith("{") else part for part in route.split("/"))
            form = {"csrf": world.browsers["admin"].csrf, **(row.form or {})} if method == "POST" else None
            answer = http.request(method, path, data=form, follow_redirects=False)
            if _leads_away(answer) or answer.status_code >= 500:
                wrong.append((method, path[:80], answer.status_code, answer.headers.get("location")))
    for name in ("next", "to", "return", "url", "back", "lang"):
        for value in ("//evil.example", "https://evil.example"):
            for path in ("/", "/me/sign-in", "/sign-in/oidc", "/account"):
                answer = http.get(f"{path}?{name}={quote(value, safe='')}", follow_redirects=False)
                if _leads_away(answer) or "evil.example" in answer.text:
                    wrong.append(("GET", path, answer.status_code, name))
    assert wrong == []


def _leads_away(answer: Response) -> bool:
    to = answer.headers.get("location", "/")
    return (
        not to.startswith("/") or to.startswith(("//", "/\\"))
        or "x-probe" in answer.headers or "a=b" in answer.headers.get("set-cookie", "")
    )  # fmt: skip


@pytest.mark.slow
def test_a_download_is_called_what_we_call_it(world: World) -> None:
    """A file's name in a header is made of the class's ID alone; a title with a quote and a line break is not in it."""
    admin = world.browsers["admin"]
    for path in (f"/classes/{CLASS}/statistics.csv", f"/classes/{CLASS}/statistics.xlsx"):
        head = admin.get(path).headers["content-disposition"]
        assert head == f'attachment; filename="{path.rpartition("/")[2].replace("statistics", CLASS)}"'


def test_a_command_on_a_page_runs_nothing_else(room: Room) -> None:
    """The public page of a draw tells anybody what to type: a seed with quotes and `$(…)` stays one argument of it."""
    supervisor = hire(room)["supervisor"]
    room.learner().ready()
    form = {"name": "November", "source": "a lottery", "count": "1", "each": "1"}
    path = supervisor.post("/inspections", form).headers["location"]
    object.__setattr__(room.server.services, "origin", "https://study.example")  # as settings.toml says it
    seed = "1 2\"; rm -rf ~; $(reboot) `id` '3'"
    assert supervisor.post(f"{path}/draw", {"seed": seed}).status_code == 303
    page = room.http.get(f"/public{path}", headers={"Host": "evil.example"}).text
    assert "evil.example" not in page  # what a request calls this server is not what the page tells people to fetch
    texts: list[str] = []
    reader = HTMLParser()
    reader.handle_data = texts.append  # type: ignore[method-assign]
    reader.feed(page)
    line = next(text for text in "".join(texts).splitlines() if text.startswith("python -m ledger draw"))
    assert shlex.split(line) == ["python", "-m", "ledger", "draw", "list", "--seed", seed]


def test_a_cookie_is_for_this_site_for_programs_and_under_tls_for_tls(room: Room) -> None:
    """Both sign-ins: HttpOnly, SameSite=Strict, and Secure as soon as the address is https."""
    hire(room)
    for base in ("http://testserver", "https://testserver"):
        room.clock.now += 60_000
        staff = room.http.post(f"{base}/sign-in", data={"account": "teacher", "password": PASSWORD},
                               headers={"Origin": base}, follow_redirects=False)  # fmt: skip
        asked = room.http.post(f"{base}/me/sign-in", data={"account": "learner"}, headers={"Origin": base})
        challenge = asked.text.partition('name="challenge" value="')[2].partition('"')[0]
        form = {"challenge": challenge, "code": room.codes.sent["learner"]}
        mine = room.http.post(f"{base}/me/sign-in/code", data=form, headers={"Origin": base}, follow_redirects=False)
        for answer in (staff, mine):
            assert answer.status_code == 303, answer.text[:400]
            said = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
            assert {"httponly", "samesite=strict"} <= said
            assert ("secure" in said) == base.startswith("https")


def test_a_cookie_is_for_tls_where_the_operator_says_so(room: Room) -> None:
    """A proxy that does not tell how the browser came: `origin` does, and no cookie goes over plain http."""
    hire(room)
    room.settings = dataclasses.replace(room.settings, origin="https://study.example")
    room.restart()
    staff = room.http.post("/sign-in", data={"account": "teacher", "password": PASSWORD}, follow_redirects=False)
    asked = room.http.post("/me/sign-in", data={"account": "learner"})
    challenge = asked.text.partition('name="challenge" value="')[2].partition('"')[0]
    form = {"challenge": challenge, "code": room.codes.sent["learner"]}
    mine = room.http.post("/me/sign-in/code", data=form, follow_redirects=False)
    for answer in (staff, mine):
        assert answer.status_code == 303, answer.text[:400]
        assert "; secure" in answer.headers["set-cookie"].lower()


@pytest.mark.slow
def test_the_log_keeps_no_secret(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    """Passwords, codes, tokens, identity numbers and names: in no line of the log, also when something fails inside."""
    caplog.set_level(logging.DEBUG)
    browser = hire(room)["officer"]
    secret = "open sesame 4711 long"
    number = "11010519491231002X"
    room.http.post("/sign-in", data={"account": "officer", "password": secret})
    sign_in(room, "teacher")
    browser.post("/import", {"class_id": CLASS, "text": f"姓名,账号,身份证号\n王小芳,wang,{number}\n"})
    browser.get(f"/people?q={number}")
    learner = room.learner().ready()
    with pytest.MonkeyPatch.context() as broken:

        def fail(*_: object, **__: object) -> None:
            raise RuntimeError("the database is gone")

        broken.setattr(type(room.server.services.office), "search", fail)
        assert browser.get(f"/people?q={number}").status_code == 500
    ours = [record for record in caplog.records if record.name not in ("httpx", "httpcore")]  # the test's own browser
    said = "\n".join(logging.Formatter().format(record) for record in ours)
    assert "the database is gone" in said
    cookies = [value for item in (browser.http.cookies, room.http.cookies) for value in item.values()]
    for word in (secret, PASSWORD, number, "王小芳", learner.token, browser.csrf, *cookies, *room.codes.sent.values()):
        assert word not in said


def test_attack_an_address_that_writes_lines_into_the_log(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    """What an address holds stands in one line of the log, and no terminal that shows it obeys."""
    hire(room)
    browser = sign_in(room, "teacher")
    with pytest.MonkeyPatch.context() as broken:

        def fail(*_: object, **__: object) -> None:
            raise RuntimeError("the database is gone")

        broken.setattr(type(room.server.services.office), "require", fail)
        path = quote("/classes/x\nfault at GET safe\x1b[2J\x9b2J\u202e")
        assert browser.get(path).status_code == 500
    told = [record.getMessage() for record in caplog.records if record.name == "server_stub"]
    assert any("/classes/x" in line for line in told)
    assert all(line.isprintable() for line in told), told


def test_an_error_of_the_database_names_no_person(room: Room) -> None:
    """What SQLAlchemy tells of a statement that failed does not hold what was to be written."""
    broken = Account("probe", "王小芳", password=object())  # type: ignore[arg-type]
    with pytest.raises(SQLAlchemyError) as caught:
        room.server.people.add_account(broken)
    assert "INSERT" in str(caught.value)
    assert "王小芳" not in str(caught.value)
