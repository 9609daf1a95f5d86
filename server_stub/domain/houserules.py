"""`supervision.toml` of a data directory: whom to call, what outside may be called, how long what is kept, for what
purpose, and which days are worked. Every part has a default; nothing unknown is accepted.
"""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from server_stub.domain.errors import SetupError
from server_stub.domain.work_errors import EndpointError

FILE: Final = "supervision.toml"
FACES_TO_REGISTER: Final = 100_000  # Measures on face recognition, article on registration
YEARS_3: Final = 3 * 365
RETENTION_DAYS: Final[Mapping[str, int]] = {
    "photos": 90,  # sealed photos, once their session is settled; the law asks for the shortest time
    "cases": YEARS_3,  # cases that are closed
    "tips": 365,
    "notices": YEARS_3,
    "impact": YEARS_3,  # impact assessments that were filed (PIPL, article 56): at least
    "courses": YEARS_3,  # own courses, after the last class that used them (R4.5): at least
    "archives": YEARS_3,  # class records: at least
}
_AT_LEAST: Final = {"impact": YEARS_3, "courses": YEARS_3, "archives": YEARS_3}


@dataclass(frozen=True, slots=True)
class HouseRules:
    """What one server's keepers decided."""

    province: str = ""  # URL of the provincial platform
    endpoints: tuple[str, ...] = ()  # the only hosts that may be called; () is: those that are configured
    contacts: Mapping[str, str] = field(default_factory=dict)  # institution, operator, province → whom to call
    retention_days: Mapping[str, int] = field(default_factory=lambda: dict(RETENTION_DAYS))
    holidays: tuple[datetime.date, ...] = ()
    worked: tuple[datetime.date, ...] = ()  # Saturdays and Sundays that are worked
    controller: str = ""  # who answers for personal information

    def allowed(self, *configured: str) -> frozenset[str]:
        """The hosts that this server may call: the list, where there is one; else those of its configuration."""
        hosts = {host_of(url) for url in (self.province, *configured) if url}
        return frozenset(item.lower() for item in self.endpoints or hosts) - {""}

    def check_all(self, configured: Iterable[str]) -> None:
        """Return quietly, or raise `EndpointError`: an address of the configuration is not on the list (R4.7)."""
        for url in (self.province, *configured):
            if url and host_of(url) not in self.allowed(url):
                raise EndpointError(f"{host_of(url) or url[:60]!r} is not among the addresses that may be called")

    def working_days(self, first: datetime.date, count: int) -> datetime.date:
        """The last of `count` working days after `first`."""
        day, left = first, count
        while left:
            day += datetime.timedelta(days=1)
            left -= self.is_worked(day)
        return day

    def is_worked(self, day: datetime.date) -> bool:
        """Whether a day is worked: by the lists, else Monday to Friday."""
        return day in self.worked or (day.weekday() < 5 and day not in self.holidays)


def load(directory: Path) -> HouseRules:
    """The rules of a data directory; the defaults where it has no file. `SetupError` naming what is wrong."""
    path = directory / FILE
    if not path.exists():
        return HouseRules()
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from error


def parse(data: bytes) -> HouseRules:
    """The rules that the bytes of a supervision.toml state, or `SetupError`."""
    try:
        table = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise SetupError(f"{FILE}: no TOML: {str(error)[:200]}") from error
    known = {item.name for item in fields(HouseRules)}
    unknown = sorted(set(table) - known)
    if unknown:
        raise SetupError(f"{FILE}: unknown field {unknown[0][:40]!r}")
    return HouseRules(**{name: _READ[name](table[name], name) for name in table})


def _url(value: Any, name: str) -> str:
    text = _text(value, name)
    parts = urlsplit(text)
    local = parts.hostname in ("127.0.0.1", "localhost")
    if text and not (parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and local))):
        raise SetupError(f"{FILE}: {name} is an https:// address")
    return text


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or len(value) > 300 or not value.isprintable():
        raise SetupError(f"{FILE}: {name} is one line of text")
    return value


def _texts(value: Any, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > 500:
        raise SetupError(f"{FILE}: {name} is a list of texts")
    return tuple(_text(item, name) for item in value)


def _contacts(value: Any, name: str) -> dict[str, str]:
    if not isinstance(value, dict) or set(value) - {"institution", "operator", "province"}:
        raise SetupError(f"{FILE}: {name} names institution, operator, province")
    return {key: _text(item, name) for key, item in value.items()}


def _days(value: Any, name: str) -> tuple[datetime.date, ...]:
    if not isinstance(value, list) or any(type(item) is not datetime.date for item in value):
        raise SetupError(f"{FILE}: {name} is a list of days (2026-10-01, without quotation marks)")
    return tuple(value)


def _retention(value: Any, name: str) -> dict[str, int]:
    if not isinstance(value, dict) or set(value) - set(RETENTION_DAYS):
        raise SetupError(f"{FILE}: {name} is a table of {', '.join(RETENTION_DAYS)}")
    for key, days in value.items():
        if type(days) is not int or not _AT_LEAST.get(key, 1) <= days <= 100 * 366:
            raise SetupError(f"{FILE}: {name}.{key} is at least {_AT_LEAST.get(key, 1)} days")
    return {**RETENTION_DAYS, **value}


_READ: Final[Mapping[str, Callable[[Any, str], Any]]] = {
    "province": _url, "endpoints": _texts, "contacts": _contacts, "retention_days": _retention, "holidays": _days,
    "worked": _days, "controller": _text,
}  # fmt: skip


def host_of(url: str) -> str:
    """Host and, where one is stated, port."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()
