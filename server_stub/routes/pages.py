"""The page for administrators and supervisors: classes, learners, sessions, credited minutes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from server_stub.domain.errors import NotAllowedError, NotSignedInError, ServerError
from server_stub.routes.deps import COOKIE, Wired, seen, staff
from server_stub.routes.words import LANGUAGES, WORDS

router = APIRouter(include_in_schema=False)

_LANG_COOKIE = "trueseat_lang"
_SAFE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "web" / "templates"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def language(request: Request) -> str:
    """The language of the switch, else of the browser, else Chinese."""
    for wanted in (request.query_params.get("lang"), request.cookies.get(_LANG_COOKIE)):
        if wanted in LANGUAGES:
            return wanted
    for part in request.headers.get("accept-language", "").split(",")[:20]:
        tag = part.partition(";")[0].strip().lower()[:2]
        if tag in LANGUAGES:
            return tag
    return "zh"


Language = Annotated[str, Depends(language)]


@router.get("/", response_class=HTMLResponse)
def page(wired: Wired, request: Request, lang: Language) -> Response:
    """The classes, or the sign-in form."""
    try:
        account = staff(wired, request)
    except NotSignedInError:
        return _render(request, "sign_in.html", lang, problem="", account="")
    return _render(request, "classes.html", lang, person=account.person, classes=wired.overview.classes())


@router.post("/sign-in")
def sign_in(
    wired: Wired,
    request: Request,
    lang: Language,
    account: Annotated[str, Form(max_length=100)] = "",
    password: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Set the cookie that the page reads; a wrong password says so and nothing else."""
    _same_site(request)
    try:
        wired.limits.count("password", seen(request))
        token, _ = wired.sign_in.staff(account, password)
    except ServerError as error:
        problem = error.zh if lang == "zh" else error.remedy
        return _render(request, "sign_in.html", lang, error.status, problem=problem, account=account)
    answer = RedirectResponse("/", 303)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=secure, max_age=12 * 3600)
    return answer


@router.post("/sign-out")
def sign_out(wired: Wired, request: Request) -> Response:
    """End the token of the cookie."""
    _same_site(request)
    wired.sign_in.sign_out(request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(COOKIE)
    return answer


def _same_site(request: Request) -> None:
    """A form of another site may not act here: the cookie is strict, and the origin is compared as well."""
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("//")[2] != request.headers.get("host"):
        raise NotAllowedError("this form was sent from another site")


def _render(request: Request, template: str, lang: str, status: int = 200, /, **values: Any) -> Response:
    words = WORDS[lang]
    html = _templates.get_template(template).render(
        lang=lang, w=words, other="en" if lang == "zh" else "zh", minutes=_minutes, moment=_moment, zone=_zone, **values
    )
    answer = HTMLResponse(html, status, headers=_SAFE)
    if request.query_params.get("lang") in LANGUAGES:
        answer.set_cookie(_LANG_COOKIE, lang, samesite="lax", max_age=365 * 24 * 3600)
    return answer


def _minutes(ms: int) -> str:
    """Minutes with one decimal, cut and not rounded: nobody is shown more than is credited."""
    tenths = ms // 6000
    return f"{tenths // 10}.{tenths % 10}"


def _moment(ms: int, offset_minutes: int) -> str:
    """A moment in the programme's local time."""
    zone = timezone(timedelta(minutes=offset_minutes))
    return datetime.fromtimestamp(ms / 1000, zone).strftime("%Y-%m-%d %H:%M") if ms else "–"


def _zone(offset_minutes: int) -> str:
    """The programme's time zone, as people write it: UTC+8, UTC+5:30."""
    hours, minutes = divmod(abs(offset_minutes), 60)
    return f"UTC{'-' if offset_minutes < 0 else '+'}{hours}" + (f":{minutes:02d}" if minutes else "")
