"""A userscript's own words about itself: the header block, read as managers read it. Pure.

What it does is judged by `agent/texts.py` on its text; here stands where it runs (Greasemonkey's metadata block).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from agent.tables import ScriptRow

OPEN: Final = "==UserScript=="
CLOSE: Final = "==/UserScript=="
MAX_HEADER: Final = 65_536
MAX_VALUES: Final = 400  # of one key
EVERYWHERE: Final = frozenset(
    {"<all_urls>", "*://*/*", "http*://*/*", "http*://*", "https://*/*", "http://*/*", "*", "*://*"}
)
_LINE: Final = re.compile(r"^[ \t]{0,8}//[ \t]{0,8}@([\w:-]{1,40})(?:[ \t]{1,40}(\S[^\r\n]{0,1000}))?")


def header(text: str) -> Mapping[str, tuple[str, ...]]:
    """The keys of the header and their values; nothing where there is no header."""
    start = text.find(OPEN)
    if start < 0:
        return {}
    end = text.find(CLOSE, start, start + MAX_HEADER)
    found: dict[str, list[str]] = {}
    for line in text[start : end if end >= 0 else start + MAX_HEADER].splitlines()[1:]:
        match = _LINE.match(line)
        if match is not None and len(found.setdefault(match[1], [])) < MAX_VALUES:
            found[match[1]].append((match[2] or "").strip())
    return {key: tuple(values) for key, values in found.items()}


def everywhere(hosts: tuple[str, ...]) -> bool:
    """Whether some pattern covers every site."""
    return any(host.strip() in EVERYWHERE for host in hosts)


def script_row(text: str, browser: str = "", enabled: bool | None = None) -> ScriptRow:
    """The row of a script, without what its text says (`tokens` and `marks`)."""
    said = header(text)
    hosts = said.get("match", ()) + said.get("include", ())
    return ScriptRow(
        name=first(said, "name"), namespace=first(said, "namespace"), hosts=hosts, everywhere=everywhere(hosts),
        connects=said.get("connect", ()), grants=said.get("grant", ()), browser=browser, enabled=enabled,
        sha256=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
    )  # fmt: skip


def first(said: Mapping[str, tuple[str, ...]], key: str) -> str:
    """The first value of a key, "" if it has none."""
    values = said.get(key, ())
    return values[0] if values else ""
