"""A yes elsewhere that is waited for: begun on this screen, agreed to in a browser, asked about until it is there.

One at a time: whatever was begun before is forgotten, and a yes to it signs nobody in here.
"""

from __future__ import annotations

import webbrowser
from collections.abc import Callable
from typing import Any, Protocol

from client.ports import Clock, Transport
from client.sync import ways
from client.sync.enrol import SignedIn
from client.sync.ways import Elsewhere


class Line(Protocol):
    """What the machine gives for this."""

    @property
    def transport(self) -> Transport: ...
    @property
    def clock(self) -> Clock: ...


class Waited:
    """See the module. `later` runs slow work; `browse` opens an address in this computer's browser."""

    def __init__(
        self, line: Line, later: Callable[..., None], browse: Callable[[str], Any] = webbrowser.open
    ) -> None:
        self._transport, self._clock, self._later, self.open = line.transport, line.clock, later, browse
        self._elsewhere: Elsewhere | None = None
        self._ask_at = 0

    def begin(self, job: Callable[[], Elsewhere], begun: Callable[[Elsewhere], None]) -> None:
        """Have the server begin, and show what it says."""
        self.drop()

        def heard(found: Elsewhere) -> None:
            self._elsewhere = found
            self._ask_at = self._clock.mono() + found.wait_ms
            begun(found)

        self._later(job, heard)

    def drop(self) -> None:
        """Nothing is waited for any more."""
        self._elsewhere = None

    def browse(self) -> None:
        """Open the address in the browser of this computer."""
        if self._elsewhere is not None and ways.is_web(self._elsewhere.uri):
            self.open(self._elsewhere.uri)

    def ask(self, agreed: Callable[[SignedIn], None]) -> None:
        """Ask whether its owner agreed, when it is time; `agreed` is called once."""
        elsewhere = self._elsewhere
        if elsewhere is None or self._clock.mono() < self._ask_at:
            return

        def heard(found: SignedIn | int) -> None:
            if self._elsewhere is not elsewhere:
                return  # another way was chosen meanwhile
            if isinstance(found, int):
                self._ask_at = self._clock.mono() + found
                return
            self._elsewhere = None
            agreed(found)

        self._later(lambda: ways.poll(self._transport, elsewhere.handle), heard)
