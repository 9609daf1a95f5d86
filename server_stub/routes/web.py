"""What every page of the staff needs: who is here, in which language, a form's proof, and a safe answer."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Self

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.concurrency import run_in_threadpool

from ledger.errors import LedgerError
from server_stub.domain.citizen import masked
from server_stub.domain.duties import Right
from server_stub.domain.errors import NotAllowedError, NotSignedInError, ServerError, UnreadableError
from server_stub.domain.people import Account
from server_stub.domain.services import Services
from server_stub.routes.deps import COOKIE, Wired
from server_stub.routes.words import LANGUAGES, WORDS

LANG_COOKIE: Final = "trueseat_lang"
CHINA_MINUTES: Final = 480  # where no class says another offset
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; media-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
SAFE: Final = {  # not `no-referrer`: with it browsers send `Origin: null` with our own forms, too
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "web" / "templates"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters["shell"] = shlex.quote  # a command that a page tells people to run is theirs alone


def language(request: Request) -> str:
    """The language of the switch, else of the browser, else Chinese."""
    for wanted in (request.query_params.get("lang"), request.cookies.get(LANG_COOKIE)):
        if wanted in LANGUAGES:
            return wanted
    for part in request.headers.get("accept-language", "").split(",")[:20]:
        tag = part.partition(";")[0].strip().lower()[:2]
        if tag in LANGUAGES:
            return tag
    return "zh"


@dataclass(frozen=True)
class Visit:
    """One of the staff on one page; learners' pages have theirs in `routes.me`."""

    request: Request
    wired: Services
    account: Account
    token: str
    lang: str

    cookie: ClassVar[str] = COOKIE
    staff: ClassVar[bool] = True
    unsigned: ClassVar[str] = "this page is for the staff: sign in first"
    files: ClassVar[int] = 1  # of one form
    fields: ClassVar[int] = 100

    @classmethod
    def reading(cls, request: Request, wired: Wired) -> Self:
        """Who reads a page, or `NotSignedInError`."""
        token = request.cookies.get(cls.cookie, "")
        if not 0 < len(token) <= 200:
            raise NotSignedInError(cls.unsigned)
        return cls(request, wired, wired.sign_in.who(token, staff=cls.staff), token, language(request))

    @classmethod
    async def acting(cls, request: Request, wired: Wired) -> Self:
        """Who sends a form, if this server made the form for this sign-in; `NotAllowedError` for any other."""
        same_site(request)
        visit = await run_in_threadpool(cls.reading, request, wired)
        try:
            given = (await request.form(max_files=cls.files, max_fields=cls.fields)).get("csrf", "")
        except Exception as error:  # starlette raises its own for a form that is none
            raise UnreadableError("the form cannot be read") from error
        if not isinstance(given, str) or not wired.sign_in.is_csrf(visit.token, given):
            raise NotAllowedError("this form was not made for this sign-in: open the page again")
        return visit

    def menu(self) -> dict[str, Any]:
        """Who is named on the page, and what the menu shows."""
        rights = {right.value for right in self.wired.office.rights(self.account)}
        return {"person": self.account.person, "rights": rights}

    def show(self, template: str, status: int = 200, /, **values: Any) -> HTMLResponse:
        """The page with its menu; `values` are the template's."""
        menu = {**self.menu(), "csrf": self.wired.sign_in.csrf(self.token), "staff": cache(self._person)}
        return render(self.request, template, self.lang, status, **(menu | values))

    def _person(self, name: str) -> str:
        """What an account of the staff is called."""
        found = self.wired.people.account(name)
        return found.person if found and found.person else name

    def word(self, key: str) -> str:
        """One word in the visitor's language."""
        return WORDS[self.lang][key]


Reads = Annotated[Visit, Depends(Visit.reading)]
Acts = Annotated[Visit, Depends(Visit.acting)]


def same_site(request: Request) -> None:
    """A form of another site may not act here: the cookie is strict, and the origin is compared as well."""
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("//")[2] != request.headers.get("host"):
        raise NotAllowedError("this form was sent from another site")
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise NotAllowedError("this form was sent from another site")


def under_tls(request: Request, wired: Services) -> bool:
    """Whether browsers come by https: as this request did, or as the operator says where a proxy does not tell."""
    return request.url.scheme == "https" or wired.origin.startswith("https://")


class PageRoute(APIRoute):
    """A refusal on a page is a page; without a sign-in it is the form for signing in, at `home`."""

    home: ClassVar[str] = "/"

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's own handler with our refusals around it."""
        plain = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await plain(request)
            except NotSignedInError:
                return RedirectResponse(self.home, 303)
            except ServerError as error:
                return problem(request, error)
            except LedgerError as error:
                return problem(request, UnreadableError(f"{error.code}: {error}"))
            except RequestValidationError:
                return problem(request, UnreadableError("the address or the form cannot be read"))

        return handler


def problem(request: Request, error: ServerError) -> HTMLResponse:
    """One refusal as a page: one sentence, what to do, and the code for whoever helps."""
    lang = language(request)
    said = error.zh if lang == "zh" else error.remedy
    return render(request, "problem.html", lang, error.status, said=said, code=error.code, detail=str(error)[:300])


def render(request: Request, template: str, lang: str, status: int = 200, /, **values: Any) -> HTMLResponse:
    """A template as an answer that no script, frame or cache of others gets at."""
    html = fragment(template, lang, path=request.url.path, **values)
    answer = HTMLResponse(html, status, headers=SAFE)
    if request.query_params.get("lang") in LANGUAGES:
        answer.set_cookie(LANG_COOKIE, lang, samesite="lax", max_age=365 * 24 * 3600)
    return answer


def fragment(template: str, lang: str, /, **values: Any) -> str:
    """A template as text; every value in it is escaped."""
    base: dict[str, Any] = {"staff": str, "person": "", "rights": set(), "csrf": "", "me": ""}
    return _templates.get_template(template).render(
        **(base | values), lang=lang, w=WORDS[lang], other="en" if lang == "zh" else "zh", minutes=minutes,
        moment=moment, clock=clock, zone=zone, masked=masked, Right=Right,
    )  # fmt: skip


def minutes(ms: int) -> str:
    """Minutes with one decimal, cut and not rounded: nobody is shown more than is credited."""
    tenths = ms // 6000
    return f"{tenths // 10}.{tenths % 10}"


def moment(ms: int, offset_minutes: int = CHINA_MINUTES) -> str:
    """A moment in the programme's local time."""
    return _local(ms, offset_minutes, "%Y-%m-%d %H:%M")


def clock(ms: int, offset_minutes: int = CHINA_MINUTES) -> str:
    """The time of the day with seconds."""
    return _local(ms, offset_minutes, "%H:%M:%S")


def _local(ms: int, offset_minutes: int, form: str) -> str:
    """Local time; "–" for none, and for what a device wrote that no calendar has."""
    try:
        at = datetime.fromtimestamp(ms / 1000, timezone(timedelta(minutes=offset_minutes)))
    except (OverflowError, ValueError, OSError):
        return "–"
    return at.strftime(form) if ms else "–"


def zone(offset_minutes: int) -> str:
    """The programme's time zone, as people write it: UTC+8, UTC+5:30."""
    hours, left = divmod(abs(offset_minutes), 60)
    return f"UTC{'-' if offset_minutes < 0 else '+'}{hours}" + (f":{left:02d}" if left else "")
