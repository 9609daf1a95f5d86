"""What a learner likes: colours and size of text of this computer, reminders, goals of one's own. Never sent anywhere.

Two small JSON files, strictly read: `looks.json` of the machine (the screen before anybody signed in), `wishes.json` in
the learner's own folder. A damaged file is no reason not to study: whoever reads one starts with the ordinary values.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeVar

from client.errors import ClientError, DiskError
from client.profile import disk, write_private
from ledger import names

LOOKS: Final = "looks.json"
WISHES: Final = "wishes.json"
MAX_BYTES: Final = 64 * 1024
SCALES: Final = (100, 125, 150, 200)  # per cent of the text
DAYS: Final = 7
MOST: Final = 5  # reminders
DAY_MINUTES: Final = 24 * 60
T = TypeVar("T")


class PreferencesError(ClientError):
    """A file of preferences is not what this program wrote."""

    code = "TS-C-095"
    remedy = "Set your preferences again; the old file is replaced then."
    zh = "个人设置文件已损坏。请重新设置，旧文件将被替换。"


@dataclass(frozen=True, slots=True)
class Looks:
    """How the screen looks on this computer."""

    dark: bool = False
    scale: int = 100  # per cent

    def __post_init__(self) -> None:
        if type(self.dark) is not bool or type(self.scale) is not int or self.scale not in SCALES:
            raise PreferencesError("looks: dark is true or false, scale one of 100, 125, 150, 200")


@dataclass(frozen=True, slots=True)
class Reminder:
    """Every week on these days (0 is Monday) at this minute of the local day."""

    minute: int
    days: tuple[int, ...]

    def __post_init__(self) -> None:
        if type(self.minute) is not int or not 0 <= self.minute < DAY_MINUTES:
            raise PreferencesError("a reminder is at a minute of the day")
        right = all(type(day) is int and 0 <= day < DAYS for day in self.days)
        if not right or list(self.days) != sorted(set(self.days)) or not self.days:
            raise PreferencesError("a reminder is on days of the week, each once")

    @property
    def clock(self) -> str:
        """19:30."""
        return f"{self.minute // 60:02d}:{self.minute % 60:02d}"


@dataclass(frozen=True, slots=True)
class Wishes:
    """One learner's reminders and goals. `heard`: up to when (wall ms) reminders were told already."""

    reminders: tuple[Reminder, ...] = ()
    goals: Mapping[str, date] = field(default_factory=dict)  # registration → the day to be through by
    heard: int = 0

    def __post_init__(self) -> None:
        if len(self.reminders) > MOST or type(self.heard) is not int or self.heard < 0:
            raise PreferencesError(f"wishes: at most {MOST} reminders")
        if not all(names.is_a("sid", name) for name in self.goals):
            raise PreferencesError("a goal belongs to a registration")


def load_looks(folder: Path) -> Looks:
    """The machine's looks; ordinary ones where there is no file, or none that can be read."""
    return _or(lambda: parse_looks(_read(folder / LOOKS)), Looks())


def load_wishes(folder: Path) -> Wishes:
    """A learner's wishes; none where there is no file, or none that can be read."""
    return _or(lambda: parse_wishes(_read(folder / WISHES)), Wishes())


def save_looks(folder: Path, looks: Looks) -> None:
    """Keep them for the next start; `DiskError`."""
    write_private(folder / LOOKS, encode_looks(looks))


def save_wishes(folder: Path, wishes: Wishes) -> None:
    """Keep them, readable by this user alone; `DiskError`."""
    write_private(folder / WISHES, encode_wishes(wishes))


def encode_looks(looks: Looks) -> bytes:
    """As JSON."""
    return _bytes({"dark": looks.dark, "scale": looks.scale})


def encode_wishes(wishes: Wishes) -> bytes:
    """As JSON."""
    reminders = [{"minute": one.minute, "days": list(one.days)} for one in wishes.reminders]
    goals = {name: day.isoformat() for name, day in sorted(wishes.goals.items())}
    return _bytes({"reminders": reminders, "goals": goals, "heard": wishes.heard})


def parse_looks(data: bytes) -> Looks:
    """The looks that a file states, or `PreferencesError`."""
    table = _table(data, {"dark", "scale"})
    return Looks(table["dark"], table["scale"])


def parse_wishes(data: bytes) -> Wishes:
    """The wishes that a file states, or `PreferencesError`."""
    table = _table(data, {"reminders", "goals", "heard"})
    listed, goals = table["reminders"], table["goals"]
    if not isinstance(listed, list) or not isinstance(goals, dict):
        raise PreferencesError("wishes: reminders are a list, goals an object")
    return Wishes(tuple(map(_reminder, listed)), {name: _day(text) for name, text in goals.items()}, table["heard"])


def _reminder(item: Any) -> Reminder:
    if not isinstance(item, dict) or set(item) != {"minute", "days"} or not isinstance(item["days"], list):
        raise PreferencesError("a reminder has a minute and days")
    if not all(type(day) is int for day in item["days"]):
        raise PreferencesError("a reminder's days are numbers")
    return Reminder(item["minute"], tuple(item["days"]))


def _day(text: Any) -> date:
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise PreferencesError("a goal is a day: 2026-12-31") from error


def _table(data: bytes, keys: set[str]) -> dict[str, Any]:
    try:
        table = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise PreferencesError(f"no JSON: {str(error)[:100]}") from error
    if not isinstance(table, dict) or set(table) != keys:
        raise PreferencesError("other fields than this program writes")
    return table


def _read(path: Path) -> bytes:
    with disk(str(path)):
        if not path.exists():
            raise PreferencesError("none yet")
        if path.stat().st_size > MAX_BYTES:
            raise PreferencesError(f"longer than {MAX_BYTES} bytes")
        return path.read_bytes()


def _bytes(table: Mapping[str, Any]) -> bytes:
    return json.dumps(table, ensure_ascii=False, sort_keys=True, indent=1).encode() + b"\n"


def _or(read: Callable[[], T], ordinary: T) -> T:
    try:
        return read()
    except (PreferencesError, DiskError):
        return ordinary
