"""Who reads a learner's page: the cookie of the learners, apart from that of the staff, and the same proof of forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

from fastapi import Depends

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


Reads = Annotated[MyVisit, Depends(MyVisit.reading)]
Acts = Annotated[MyVisit, Depends(MyVisit.acting)]
