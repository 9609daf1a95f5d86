"""Who reads a learner's page: the cookie of the learners, apart from that of the staff, and the same proof of forms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

from fastapi import Depends
from fastapi.responses import RedirectResponse

from server_stub.domain.wordlist import SORTS
from server_stub.routes.web import PageRoute, Visit

COOKIE: Final = "trueseat_me"
SIGN_IN: Final = "/me/sign-in"


class MeRoute(PageRoute):
    """A page of the learner's; without a sign-in the learner's own form."""

    home: ClassVar[str] = SIGN_IN


@dataclass(frozen=True)
class MyVisit(Visit):
    """One learner on one page."""

    cookie: ClassVar[str] = COOKIE
    staff: ClassVar[bool] = False
    unsigned: ClassVar[str] = "this page is a learner's own: sign in first"
    files: ClassVar[int] = 0
    fields: ClassVar[int] = 300  # a course's questions to try

    def menu(self) -> dict[str, Any]:
        """The learner's name alone."""
        return {"me": self.account.person}


def sent(path: str, done: str, marks: Sequence[str]) -> RedirectResponse:
    """To `path`, where it is said that what was written has arrived, and which of its words somebody will look at."""
    return RedirectResponse(f"{path}?done={done}{'&marked=' + '.'.join(marks) if marks else ''}", 303)


def marked(visit: Visit) -> list[str]:
    """The sorts of words that such an address names."""
    named = visit.request.query_params.get("marked", "").split(".")
    return [sort for sort in SORTS if sort in named]


Reads = Annotated[MyVisit, Depends(MyVisit.reading)]
Acts = Annotated[MyVisit, Depends(MyVisit.acting)]
