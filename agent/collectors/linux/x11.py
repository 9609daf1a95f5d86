"""X11: which input devices there are, and what programs write into the synthetic ones.

Only devices that programs write to are listened to (XInput2 raw events of the XTEST slaves and of uinput devices): what
a hand types on a real keyboard never reaches the agent. Of an event its time is kept, never its key.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from agent.collectors import Context
from agent.devices import is_hand, local_devices, synthetic
from agent.errors import CollectorError
from agent.rhythm import rhythm
from agent.tables import DisplayRow, InputRow, Row

MEMORY_MS: Final = 600_000  # twenty beats of a bot that acts every 30 s
MAX_EVENTS: Final = 400
XI_VERSION: Final = (2, 2)
ALL_DEVICES: Final = 0
KEY_REPEAT: Final = 1 << 16  # a key held down, not pressed again


class XServer:
    """One connection to the X server, made anew when it broke."""

    def __init__(self) -> None:
        self._connection: Any = None
        self.input: Any = None
        self.root = 0

    def connect(self) -> Any:
        """The live connection, or `CollectorError` where there is no X server or no XInput 2.2."""
        if self._connection is not None:
            return self._connection
        try:
            import xcffib
            import xcffib.xinput
            import xcffib.xproto

            library: Any = xcffib  # untyped
            connection = library.connect()
            self.input = connection(xcffib.xinput.key)
            self.input.XIQueryVersion(*XI_VERSION).reply()
            self.root = connection.get_setup().roots[0].root
        except Exception as error:  # xcffib raises its own family and, without a display, ValueError and others
            self._connection = None
            raise CollectorError(f"x11: {type(error).__name__} {error}") from error
        self._connection = connection
        return connection

    def drop(self) -> None:
        """Forget a connection that failed."""
        connection, self._connection = self._connection, None
        try:
            if connection is not None:
                connection.disconnect()
        except Exception:  # noqa: S110  # it is being given up
            pass

    def devices(self) -> dict[int, str]:
        """Names of all input devices by id."""
        self.connect()
        try:
            infos = self.input.XIQueryDevice(ALL_DEVICES).reply().infos
            return {int(info.deviceid): _text(info.name) for info in infos}
        except Exception as error:
            self.drop()
            raise CollectorError(f"x11: {type(error).__name__} {error}") from error


    def idle_ms(self) -> int | None:
        """How long no hand touched a device: the least idle time of the devices that programs do not write to.

        None where the server keeps no such count. Only the moment is told, never what was done (SYNC's DEVICEIDLETIME).
        """
        connection = self.connect()
        try:
            import xcffib.sync

            sync: Any = connection(xcffib.sync.key)
            sync.Initialize(3, 1).reply()
            counters = _counters(connection, sync)
            hands = [number for number, name in self.devices().items() if is_hand(name)]
            wanted = [counters.get(f"DEVICEIDLETIME {number}") for number in hands]
            values = [sync.QueryCounter(counter).reply().counter_value for counter in wanted if counter is not None]
        except CollectorError:
            raise
        except Exception as error:
            self.drop()
            raise CollectorError(f"x11: {type(error).__name__} {error}") from error
        return min((value.hi << 32 | value.lo for value in values), default=None)


def _counters(connection: Any, sync: Any) -> dict[str, int]:
    """The server's counters by name; read from the reply's bytes, because xcffib's own reading of this reply fails."""
    from xcffib.ffi import ffi

    answer = connection.wait_for_reply(sync.ListSystemCounters().sequence)
    size = 32 + 4 * int.from_bytes(bytes(ffi.buffer(answer.cdata, 8))[4:8], "little")
    data = bytes(ffi.buffer(answer.cdata, size))
    found: dict[str, int] = {}
    at = 32
    for _ in range(min(int.from_bytes(data[8:12], "little"), 1_000)):
        length = int.from_bytes(data[at + 12 : at + 14], "little")
        name = data[at + 14 : at + 14 + length].decode("ascii", "replace")
        found[name] = int.from_bytes(data[at : at + 4], "little")
        at = at + 14 + length + 3 & ~3
    return found


class Inputs:
    """What programs write into synthetic devices, as one row that tells its rhythm."""

    def __init__(self, server: XServer, context: Context) -> None:
        self._server = server
        self._context = context
        self._connection: Any = None
        self._listening: dict[int, str] = {}
        self._events: deque[tuple[int, bool]] = deque(maxlen=MAX_EVENTS)  # moment on the server's clock, a click
        self._sources: set[str] = set()
        self._lag_ms = 0  # our monotonic clock minus the server's, the least that was seen

    def collect(self, now_ms: int) -> Sequence[Row]:
        """One row if synthetic devices spoke within the last minutes, else none."""
        if self._server.connect() is not self._connection:
            self._connection, self._listening = self._server.connect(), {}
        self._listen()
        self._drain(now_ms)
        while self._events and self._age(now_ms, 0) > MEMORY_MS:
            self._events.popleft()
        if not self._events:
            self._sources.clear()
            return []
        times = [moment for moment, _ in self._events]
        beat = rhythm(times, [moment for moment, click in self._events if click])
        return [
            InputRow(
                sources=tuple(sorted(self._sources)), injected=len(times), acts=beat.acts, period_ms=beat.period_ms,
                jitter=beat.jitter, regular=beat.regular, ongoing=beat.ongoing(self._age(now_ms, -1)),
                in_client=self._context.in_client,
            )
        ]  # fmt: skip

    def _listen(self) -> None:
        """Ask for raw events of every synthetic device that is new."""
        import xcffib.xinput as xi

        found = {number: name for number, name in self._server.devices().items() if synthetic(name)}
        mask = xi.XIEventMask.RawKeyPress | xi.XIEventMask.RawButtonPress | xi.XIEventMask.RawMotion
        for number in found.keys() - self._listening.keys():
            try:
                events: Any = xi.EventMask
                wanted = events.synthetic(number, 1, [mask])
                self._server.input.XISelectEventsChecked(self._server.root, 1, [wanted]).check()
            except Exception:  # noqa: S112  # the device is gone again
                continue
            self._listening[number] = found[number]

    def _drain(self, now_ms: int) -> None:
        import xcffib.xinput as xi

        while True:
            try:
                event = self._connection.poll_for_event()
            except Exception as error:
                self._server.drop()
                raise CollectorError(f"x11: {type(error).__name__} {error}") from error
            if event is None:
                return
            if not isinstance(event, xi.RawKeyPressEvent | xi.RawButtonPressEvent | xi.RawMotionEvent):
                continue
            if event.flags & KEY_REPEAT:
                continue
            self._keep(int(event.time), isinstance(event, xi.RawButtonPressEvent), int(event.sourceid), now_ms)

    def _keep(self, server_ms: int, click: bool, source: int, now_ms: int) -> None:
        # the server's clock is its own, and 32 bits wide: intervals are taken on it, ages through the least lag
        if self._events and server_ms < self._events[-1][0] - MEMORY_MS:
            self._events.clear()  # it wrapped after 49 days, or another server answers
        lag = now_ms - server_ms
        self._lag_ms = min(self._lag_ms, lag) if self._events else lag
        self._events.append((server_ms, click))
        self._sources.add(self._listening.get(source, "synthetic device"))

    def _age(self, now_ms: int, index: int) -> int:
        return now_ms - self._lag_ms - self._events[index][0]


class Display:
    """Extensions and devices of the X server: whether this desktop is served to somebody afar."""

    def __init__(self, server: XServer, root: Path = Path("/")) -> None:
        self._server, self._root = server, root

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """One row."""
        connection = self._server.connect()
        devices = tuple(self._server.devices().values())
        try:
            names = connection.core.ListExtensions().reply().names
            extensions = tuple(_text(entry.name) for entry in names)
        except Exception as error:
            self._server.drop()
            raise CollectorError(f"x11: {type(error).__name__} {error}") from error
        remote, name = login_session(self._root)
        return [
            DisplayRow(
                x_extensions=extensions, devices=devices, local_devices=local_devices(devices), remote=remote,
                session_name=name,
            )
        ]  # fmt: skip


def login_session(root: Path) -> tuple[bool | None, str]:
    """Whether systemd's login service calls our desktop's session remote, and the service that opened it.

    Unknown without that service, and for sessions that are no desktop: a terminal from afar may show windows here.
    """
    try:
        number = (root / "proc/self/sessionid").read_text("ascii").strip()
        text = (root / "run/systemd/sessions" / number).read_text("utf-8", "replace") if number.isdecimal() else ""
    except (OSError, ValueError):
        return None, ""
    said = dict(line.partition("=")[::2] for line in text.splitlines()[:100])
    if said.get("TYPE") not in ("x11", "wayland", "mir") or said.get("REMOTE") not in ("0", "1"):
        return None, ""
    return said["REMOTE"] == "1", said.get("SERVICE", "")[:100]


def _text(value: Any) -> str:
    raw = value if isinstance(value, bytes | bytearray) else getattr(value, "raw", None)
    if raw is None:
        return value if isinstance(value, str) else bytes(value).decode("utf-8", "replace")
    return bytes(raw).decode("utf-8", "replace")
