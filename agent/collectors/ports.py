"""Which protocol a debugging port speaks, by the files that browsers leave beside their profile while it is open.

Chromium writes `DevToolsActivePort`, Firefox `MarionetteActivePort` and `WebDriverBiDiServer.json`. A file may be left
over from a crash: it means something only together with a program that listens there now. Nothing is connected to.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from agent.collectors.browsers import data_folders, mapping, profiles, read_json
from agent.tables import ProcessRow

MAX_FILE: Final = 4096


class DebugPorts:
    """Port → protocol, as the profiles of this user's browsers say now."""

    def __init__(
        self,
        processes: Callable[[], Sequence[ProcessRow]] = tuple,
        home: Path | None = None,
        system: str = sys.platform,
    ) -> None:
        self._processes = processes
        self._home = home if home is not None else Path.home()
        self._system = system

    def read(self) -> dict[int, str]:
        """What the files say; whether somebody listens there is for the caller to find."""
        return dict(self._found())

    def _found(self) -> Iterator[tuple[int, str]]:
        rows = self._processes()
        for folder in data_folders(self._home, self._system, rows):
            yield from ((port, "devtools") for port in number_in(folder / "DevToolsActivePort"))
        for profile in profiles(self._home, self._system, rows):
            if profile.firefox:
                yield from ((port, "marionette") for port in number_in(profile.folder / "MarionetteActivePort"))
                server = mapping(read_json(profile.folder / "WebDriverBiDiServer.json", MAX_FILE))
                port = server.get("ws_port")
                if isinstance(port, int) and 0 < port < 65_536:
                    yield port, "bidi"


def number_in(path: Path) -> tuple[int, ...]:
    """The port number in the first line of a small file; none for any other file."""
    try:
        if not path.is_file():
            return ()
        with path.open("rb") as file:
            line = file.read(MAX_FILE).split(b"\n")[0].strip()
    except (OSError, ValueError):
        return ()
    return (int(line),) if line.isdigit() and len(line) <= 5 and 0 < int(line) < 65_536 else ()
