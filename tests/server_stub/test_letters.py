"""What a learner writes to the school: kept once, for the class, and shown to nobody else who asks as a learner."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, Learner

NAME = "ab" * 16


def letter(learner: Learner, **changes: Any) -> dict[str, Any]:
    plain = {"letter": NAME, "registration": learner.registration, "what": "statement", "text": "那天网络断了。"}
    return {**plain, **changes}


def test_a_statement_is_kept_once_and_stands_in_the_class_drawer(room: Room) -> None:
    """Sent twice (the answer was lost): one letter, for whoever reviews the class."""
    learner = room.learner().ready()
    first = room.http.post("/v1/letters", json=letter(learner), headers=learner.headers)
    again = room.http.post("/v1/letters", json=letter(learner), headers=learner.headers)
    assert (first.status_code, first.json()) == (200, again.json())
    mine = room.http.get("/v1/letters", headers=learner.headers).json()["letters"]
    assert [(one["what"], one["text"], one["state"], one["answer"]) for one in mine] == [
        ("statement", "那天网络断了。", "open", "")
    ]
    kept = room.server.services.letters.written(room.server.people.account("learner"))
    assert [paper.place for paper in kept] == [f"class/{CLASS}"]


def test_a_letter_is_between_the_learner_and_the_school(room: Room) -> None:
    """Another learner neither reads it nor writes under its name, nor for a registration that is not theirs."""
    mine, other = room.learner().ready(), room.learner("other").ready()
    assert room.http.post("/v1/letters", json=letter(mine), headers=mine.headers).status_code == 200
    assert room.http.get("/v1/letters", headers=other.headers).json() == {"letters": []}
    assert room.http.post("/v1/letters", json=letter(other), headers=other.headers).status_code == 404
    stolen = letter(mine, letter="cd" * 16)
    assert room.http.post("/v1/letters", json=stolen, headers=other.headers).status_code == 404
    assert room.http.get("/v1/letters").status_code == 401


@pytest.mark.parametrize(
    "changes", [{"what": "praise"}, {"text": "   "}, {"text": "x" * 4001}, {"letter": "zz"}, {"extra": 1}]
)
def test_a_letter_of_another_form_is_refused(room: Room, changes: dict[str, Any]) -> None:
    """400, with the sentence of the error."""
    learner = room.learner().ready()
    assert room.http.post("/v1/letters", json=letter(learner, **changes), headers=learner.headers).status_code == 400


def test_a_request_for_deletion_needs_no_reason(room: Room) -> None:
    """Nobody has to explain."""
    learner = room.learner().ready()
    asked = letter(learner, what="deletion", text="")
    assert room.http.post("/v1/letters", json=asked, headers=learner.headers).json()["what"] == "deletion"
