"""Where browsers keep their profiles: the Chromium family and Firefox, of this user, on every system."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agent.tables import ProcessRow

MAX_PROFILES: Final = 50
MAX_JSON: Final = 32 * 1024 * 1024  # a heavy user's Preferences has a few MiB
CHROMIUM: Final[Mapping[str, Mapping[str, str]]] = {
    "linux": {
        "chrome": ".config/google-chrome", "chrome-beta": ".config/google-chrome-beta", "chromium": ".config/chromium",
        "edge": ".config/microsoft-edge", "brave": ".config/BraveSoftware/Brave-Browser", "vivaldi": ".config/vivaldi",
        "opera": ".config/opera", "yandex": ".config/yandex-browser", "360": ".config/browser360",
        "qax": ".config/qaxbrowser", "chromium-snap": "snap/chromium/common/chromium",
        "chrome-flatpak": ".var/app/com.google.Chrome/config/google-chrome",
        "chromium-flatpak": ".var/app/org.chromium.Chromium/config/chromium",
        "brave-flatpak": ".var/app/com.brave.Browser/config/BraveSoftware/Brave-Browser",
        "edge-flatpak": ".var/app/com.microsoft.Edge/config/microsoft-edge",
    },
    "win32": {
        "chrome": "AppData/Local/Google/Chrome/User Data", "edge": "AppData/Local/Microsoft/Edge/User Data",
        "chromium": "AppData/Local/Chromium/User Data", "brave": "AppData/Local/BraveSoftware/Brave-Browser/User Data",
        "360": "AppData/Local/360Chrome/Chrome/User Data", "360x": "AppData/Local/360ChromeX/Chrome/User Data",
        "360se": "AppData/Roaming/360se6/User Data", "qq": "AppData/Local/Tencent/QQBrowser/User Data",
        "vivaldi": "AppData/Local/Vivaldi/User Data", "sogou": "AppData/Roaming/SogouExplorer/Webkit",
        "yandex": "AppData/Local/Yandex/YandexBrowser/User Data", "cent": "AppData/Local/CentBrowser/User Data",
        "liebao": "AppData/Local/liebao/User Data", "opera": "AppData/Roaming/Opera Software/Opera Stable",
    },
    "darwin": {
        "chrome": "Library/Application Support/Google/Chrome", "edge": "Library/Application Support/Microsoft Edge",
        "chromium": "Library/Application Support/Chromium", "vivaldi": "Library/Application Support/Vivaldi",
        "brave": "Library/Application Support/BraveSoftware/Brave-Browser",
        "arc": "Library/Application Support/Arc/User Data",
    },
}  # fmt: skip
FIREFOX: Final[Mapping[str, Sequence[str]]] = {
    "linux": (
        ".mozilla/firefox", "snap/firefox/common/.mozilla/firefox", ".var/app/org.mozilla.firefox/.mozilla/firefox",
    ),
    "win32": ("AppData/Roaming/Mozilla/Firefox/Profiles",),
    "darwin": ("Library/Application Support/Firefox/Profiles",),
}  # fmt: skip
_DATA_DIR: Final = re.compile(r"(?:^| )--user-data-dir=((?:[^ ]| (?!-)){1,1000})")
_FIREFOX_DIR: Final = re.compile(r"(?:^| )--?profile[ =]((?:[^ ]| (?!-)){1,1000})")


@dataclasses.dataclass(frozen=True, slots=True)
class Profile:
    """One profile: of which browser, where, and how it is laid out."""

    browser: str
    folder: Path
    firefox: bool = False


def profiles(home: Path, system: str, processes: Sequence[ProcessRow] = ()) -> Iterator[Profile]:
    """The profiles of this user: at their usual places, and where the command line of a running browser says."""
    usual = [(browser, home / folder) for browser, folder in CHROMIUM.get(system, {}).items()]
    found: dict[Path, Profile] = {}
    for browser, root in [*usual, *_named(processes, _DATA_DIR)]:
        for folder in [root, *folders(root)]:
            named = folder.name == "Default" or folder.name.startswith("Profile ")
            if (named and folder != root) or (folder == root and browser == "opera"):
                found.setdefault(folder, Profile(browser, folder))
    for place in FIREFOX.get(system, ()):
        for folder in folders(home / place):
            found.setdefault(folder, Profile("firefox", folder, firefox=True))
    for _, folder in _named(processes, _FIREFOX_DIR):
        if (folder / "prefs.js").is_file():
            found.setdefault(folder, Profile("firefox", folder, firefox=True))
    yield from list(found.values())[:MAX_PROFILES]


def data_folders(home: Path, system: str, processes: Sequence[ProcessRow] = ()) -> list[Path]:
    """The folders above the profiles of the Chromium family, in use or not."""
    usual = [home / folder for folder in CHROMIUM.get(system, {}).values()]
    return list(dict.fromkeys([*usual, *(folder for _, folder in _named(processes, _DATA_DIR))]))[: 2 * MAX_PROFILES]


def _named(processes: Sequence[ProcessRow], option: re.Pattern[str]) -> list[tuple[str, Path]]:
    found: dict[str, str] = {}
    for row in processes:
        match = None if " --type=" in row.cmdline or "-contentproc" in row.cmdline else option.search(row.cmdline)
        if match is not None:
            found.setdefault(existing(match[1]), row.name)
    return [(name, Path(folder)) for folder, name in list(found.items())[:MAX_PROFILES]]


def existing(folder: str) -> str:
    """A folder on a command line, whose end nobody marked: without the words behind it, if it exists without them."""
    shorter = folder
    while not os.path.isdir(shorter) and " " in shorter:
        shorter = shorter.rpartition(" ")[0]
    return shorter if os.path.isdir(shorter) else folder


def folders(root: Path) -> list[Path]:
    """The folders in `root`, none where it cannot be read."""
    try:
        return sorted(entry for entry in root.iterdir() if entry.is_dir())[:MAX_PROFILES]
    except (OSError, ValueError):
        return []


def read_json(path: Path, limit: int = MAX_JSON) -> Any:
    """What a JSON file holds; None for any other file, or one that is no plain file."""
    try:
        if not path.is_file():
            return None  # a pipe put in its place would hold the agent up
        with path.open("rb") as file:
            data = file.read(limit + 1)
        return json.loads(data) if len(data) <= limit else None
    except (OSError, ValueError, RecursionError):
        return None


def mapping(value: Any) -> Mapping[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def text(value: Any) -> str:
    """`value` if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def texts(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """The texts in a list of an object."""
    value = data.get(key)
    return tuple(entry for entry in value if isinstance(entry, str)) if isinstance(value, list) else ()
