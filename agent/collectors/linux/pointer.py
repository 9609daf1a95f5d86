"""A pointer that moves although no device moved it: a program warps it (XWarpPointer leaves no event of any device).

Every look compares where the pointer is. Only while nobody's hand moves it does the agent listen to motion, of all
devices at once and without positions: the first motion ends that for `REST_MS`. So a hand costs nothing, and of a hand
nothing is known but that it was there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from agent.collectors import Context
from agent.collectors.linux.x11 import XServer
from agent.errors import CollectorError
from agent.rhythm import rhythm
from agent.tables import InputRow, Row

SOURCE: Final = "pointer warp"  # stands in InputRow.sources, and in the rules
MEMORY_MS: Final = 600_000
REST_MS: Final = 10_000
MASTERS: Final = 1  # XIAllMasterDevices


class Pointer:
    """One row that tells the rhythm of such moves, while there are any."""

    def __init__(self, server: XServer, context: Context) -> None:
        self._server, self._context = server, context
        self._connection: Any = None
        self._place: tuple[int, int] | None = None
        self._foreign = False
        self._listening = False
        self._rest_ms = 0
        self._moves: deque[int] = deque(maxlen=200)

    def collect(self, now_ms: int) -> Sequence[Row]:
        """The row, or none; raises `CollectorError` where there is no X server."""
        connection = self._server.connect()
        if connection is not self._connection:
            self._connection, self._listening, self._place = connection, False, None
            self._foreign = any("xwayland" in name.casefold() for name in self._server.devices().values())
        if self._foreign:  # Wayland moves the pointer of its X server as it enters and leaves windows
            raise CollectorError("pointer: Wayland does not tell who moves it")
        try:
            self._look(now_ms)
        except CollectorError:
            raise
        except Exception as error:  # xcffib raises its own family
            self._server.drop()
            raise CollectorError(f"x11: {type(error).__name__} {error}") from error
        while self._moves and now_ms - self._moves[0] > MEMORY_MS:
            self._moves.popleft()
        if not self._moves:
            return []
        beat = rhythm(self._moves)
        return [
            InputRow(
                sources=(SOURCE,), acts=beat.acts, period_ms=beat.period_ms, jitter=beat.jitter, regular=beat.regular,
                ongoing=beat.ongoing(now_ms - self._moves[-1]), in_client=self._context.in_client,
            )
        ]  # fmt: skip

    def _look(self, now_ms: int) -> None:
        said = self._connection.core.QueryPointer(self._server.root).reply()
        place, before = (int(said.root_x), int(said.root_y)), self._place
        self._place = place
        if self._listening:
            if self._motion():
                self._listen(False)
                self._rest_ms = now_ms + REST_MS
            elif before is not None and place != before:
                self._moves.append(now_ms)
        elif now_ms >= self._rest_ms:
            self._listen(True)

    def _motion(self) -> bool:
        """Whether some device moved since the last look; what was said is thrown away."""
        seen = False
        while self._connection.poll_for_event() is not None:
            seen = True
        return seen

    def _listen(self, wanted: bool) -> None:
        import xcffib.xinput as xi

        bits = xi.XIEventMask.RawMotion | xi.XIEventMask.RawTouchBegin | xi.XIEventMask.RawTouchUpdate if wanted else 0
        events: Any = xi.EventMask
        mask = events.synthetic(MASTERS, 1, [bits])
        self._server.input.XISelectEventsChecked(self._server.root, 1, [mask]).check()
        self._motion()
        self._listening = wanted
