"""The page of the staff: figures in two languages, calm words, and no way in from another site."""

from __future__ import annotations

import re

import pytest

from server_stub.published import Refusal
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS
from tests.server_stub.test_archive import study

FORBIDDEN = ["attack", "suspicious", "cheat", "failed face", "人脸失败", "违规", "作弊"]
CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}
ENGLISH = {"Accept-Language": "en-GB,en;q=0.9"}


def csrf(room: Room) -> str:
    """What the forms of whoever is signed in carry."""
    return re.search(r'name="csrf" value="([0-9a-f]{64})"', room.http.get("/").text)[1]  # type: ignore[index]


@pytest.fixture
def signed_in(room: Room) -> Room:
    answer = room.http.post("/sign-in", data={"account": "admin", "password": room.password})
    assert answer.status_code == 200
    return room


def test_without_a_cookie_there_is_only_the_form(room: Room) -> None:
    page = room.http.get("/", headers=ENGLISH)
    assert page.status_code == 200
    assert "<form" in page.text
    assert "Learner" not in page.text


def test_the_page_lists_classes_learners_sessions_and_minutes(signed_in: Room) -> None:
    """The credited minutes of the pages are the settled ones."""
    device = study(signed_in.learner().ready())
    for headers, words in (
        (CHINESE, ["班级", "学员", "有效学习时长", "分钟"]),
        (ENGLISH, ["Classes", "Credited time"]),
    ):
        first = signed_in.http.get("/", headers=headers).text
        page = signed_in.http.get(f"/classes/{CLASS}", headers=headers).text
        for word in [*words, "Fire", "1.0 <small>"]:
            assert word in first, word
            assert word in page, word
        for word in ["Learner", "Other", device.sid]:
            assert word in page, word
        assert not [word for word in FORBIDDEN if word in (first + page).lower()]


def test_the_switch_keeps_its_language(room: Room) -> None:
    """Chosen once, whatever the browser prefers."""
    assert 'lang="en"' in room.http.get("/?lang=en", headers=CHINESE).text
    assert 'lang="en"' in room.http.get("/", headers=CHINESE).text
    assert 'lang="zh-CN"' in room.http.get("/?lang=zh", headers=ENGLISH).text
    assert room.http.get("/?lang=xx", headers=ENGLISH).status_code == 200


def test_a_wrong_password_says_what_to_do(room: Room) -> None:
    page = room.http.post("/sign-in", data={"account": "<b>admin", "password": "x"}, headers=ENGLISH)
    assert page.status_code == 403
    assert "Check account and password." in page.text
    assert "<b>admin" not in page.text


def test_a_form_of_another_site_is_refused(signed_in: Room) -> None:
    """The cookie is strict, and the origin is compared as well."""
    for headers in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = signed_in.http.post("/sign-out", data={"csrf": csrf(signed_in)}, headers=headers)
        assert answer.status_code == 403
    assert "Fire" in signed_in.http.get("/").text
    form = {"csrf": csrf(signed_in)}
    signed_in.http.post("/sign-out", data=form, headers={"Origin": "http://testserver"})
    assert "Fire" not in signed_in.http.get("/").text


def test_the_page_forbids_scripts_and_frames(room: Room) -> None:
    headers = room.http.get("/").headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    cookie = room.http.post(
        "/sign-in", data={"account": "admin", "password": room.password}, follow_redirects=False
    ).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()


def test_a_name_that_is_markup_is_text(signed_in: Room) -> None:
    from server_stub import setup

    setup.add_learner(signed_in.server.people, "class-1", "x", "<script>alert(1)</script>")
    page = signed_in.http.get(f"/classes/{CLASS}").text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_the_interface_is_published(room: Room) -> None:
    """/openapi.json names every address of docs/http-api.md."""
    paths = room.http.get("/openapi.json").json()["paths"]
    for path in ("/v1/sessions", "/v1/sessions/{sid}/segments", "/v1/me", "/log/{class_id}/checkpoint"):
        assert path in paths


def test_refusals_are_published_as_they_are(room: Room) -> None:
    """Every operation says how it refuses, in JSON whatever kind its answer is; and that is how it does."""
    paths = room.http.get("/openapi.json").json()["paths"]
    for operations in paths.values():
        for operation in operations.values():
            assert {"4XX", "503"} <= set(operation["responses"])
            assert "422" not in operation["responses"], "a field that is wrong is 400 here"
            assert list(operation["responses"]["4XX"]["content"]) == ["application/json"]
    for path in ("/models/none", "/log/class-1/tile/none", "/v1/me"):
        refused = room.http.get(path)
        assert refused.headers["content-type"] == "application/json"
        assert Refusal.model_validate(refused.json()).code.startswith("TS-S-")
