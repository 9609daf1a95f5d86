"""Ratings, follow-up and service on pages: a learner's short forms; figures with their texts for the staff."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from server_stub.domain.duties import Right
from server_stub.domain.service import LEAST
from server_stub.domain.surveys import ASPECTS, WORK, Followup, Rating
from server_stub.routes import me
from server_stub.routes.web import PageRoute, Reads

router = APIRouter(include_in_schema=False, route_class=PageRoute)
mine = APIRouter(include_in_schema=False, route_class=me.MeRoute)
Stars = Annotated[int, Form(ge=0, le=9)]
Words = Annotated[str, Form(max_length=4_000)]
Short = Annotated[str, Form(max_length=20)]


@router.get("/ratings")
def ratings(visit: Reads) -> Response:
    """Courses by what their learners say, what became of these, how letters were served; texts for who may decide."""
    surveys, office = visit.wired.supervision.surveys, visit.wired.office
    office.require_anywhere(visit.account, Right.FIGURES)
    decides = Right.DECIDE in office.rights(visit.account)
    return visit.show(
        "ratings.html", ranking=surveys.ranking(visit.account), after=surveys.after(visit.account), aspects=ASPECTS,
        service=surveys.service(visit.account), least=LEAST, decides=decides,
        texts=surveys.texts(visit.account) if decides else [], titles=visit.wired.supervision.bench.titles(),
    )  # fmt: skip


@mine.get("/me/classes/{registration}/rating")
def my_rating(visit: me.Reads, registration: str, done: str = "") -> Response:
    """What I say of the course; months after the proof, what became of me."""
    return _form(visit, registration, done="rated" if done == "rated" else "")


@mine.post("/me/classes/{registration}/rating")
def rate(
    visit: me.Acts, registration: str, content: Stars = 0, teaching: Stars = 0, system: Stars = 0, text: Words = "",
    anyway: Short = "",
) -> Response:  # fmt: skip
    """Keep it, or show first that somebody will look at a word of it."""
    seat, surveys = visit.wired.mine.seat(visit.account, registration), visit.wired.supervision.surveys
    value = Rating(content, teaching, system, text)
    if surveys.words.marks(text) and anyway != "yes":
        return _form(visit, registration, rating=value, warned=surveys.words.marks(text))
    surveys.rate(seat.registration, value)
    return RedirectResponse(f"/me/classes/{registration}/rating?done=rated", 303)


@mine.post("/me/classes/{registration}/followup")
def follow(
    visit: me.Acts, registration: str, work: Short = "", in_trade: Short = "", satisfied: Stars = 0, text: Words = "",
    anyway: Short = "",
) -> Response:  # fmt: skip
    """Keep it, or show first that somebody will look at a word of it."""
    seat, surveys = visit.wired.mine.seat(visit.account, registration), visit.wired.supervision.surveys
    value = Followup(work, in_trade == "yes", satisfied, text)
    if surveys.words.marks(text) and anyway != "yes":
        return _form(visit, registration, followup=value, warned=surveys.words.marks(text))
    surveys.follow(seat.registration, value)
    return RedirectResponse(f"/me/classes/{registration}/rating?done=rated", 303)


@mine.post("/me/letters/{letter}/helped")
def helped(visit: me.Acts, letter: str, said: Short = "") -> Response:
    """Whether an answer helped."""
    visit.wired.letters.helped(visit.account, letter, said)
    return RedirectResponse("/me/letters", 303)


def _form(
    visit: me.MyVisit, registration: str, *, done: str = "", rating: Rating | None = None,
    followup: Followup | None = None, warned: tuple[str, ...] = (),
) -> Response:  # fmt: skip
    seat, surveys = visit.wired.mine.seat(visit.account, registration), visit.wired.supervision.surveys
    may_rate, said = surveys.rating(seat.registration)
    may_follow, became = surveys.followup(seat.registration)
    return visit.show(
        "me_rating.html", seat=seat, may_rate=may_rate, may_follow=may_follow, rating=rating or said, warned=warned,
        followup=followup or became, rating_warned=bool(warned and rating), aspects=ASPECTS, works=WORK, done=done,
    )  # fmt: skip
