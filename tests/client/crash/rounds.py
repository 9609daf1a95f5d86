"""What may befall a machine in the middle of a lesson, each as one round that is repeated at random moments."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from client.events import CameraState, MediaFault, Progress, Signal
from client.ports import UnitMedia
from tests.client.crash.power import Disk, forget
from tests.client.crash.ward import Ward
from tests.client.world import MachineSide
from tests.scripted import FakeClock, ScriptedPlayer, ScriptedProctor

MINUTE = 60_000


# --- the machine itself -----------------------------------------------------------------------------------------------


def power_cut(ward: Ward) -> None:
    """The power goes at any write or sync; the machine comes back with what its disk had."""
    was = ward.pc.folder

    def off() -> None:
        ward.pc.net.down = True

    ward.pc.outbox.close()
    with Disk(was, ward.chance, off) as disk:
        ward.start()
        disk.cut_after(ward.chance.randrange(0, ward.chance.choice((12, 60, 300))))
        for _ in range(1_200):
            ward.pc.clock.advance(100)
            ward.shown_ms += 100 if ward.pc.player.playing else 0
            ward.study.tick()
            if disk.dead:
                break
            ward.book.note(ward.pc.outbox) if ward.pc.clock.now % 1_000 == 0 else None
            button = ward.study.view().button
            if button is not None:
                ward.study.press(button.what)
        disk.dead = True
        ward.pc.outbox.close()
        found = disk.survived(ward.move())
    ward.start(found)
    forget(was)


def corrupted(ward: Ward) -> None:
    """Pages of the database are overwritten, it is cut short, or it is gone, or the log of its last changes is damaged,
    and it is whole as it was a while ago; some of it was not sent yet."""
    if ward.chance.randrange(2):
        ward.pc.net.down = True
    ward.live(ward.some(1_000, ward.chance.choice((14_000, 60_000))))
    path = ward.pc.profile.outbox
    log = path.with_name(f"{path.name}-wal")
    used = path.read_bytes(), bytearray(log.read_bytes())  # as a kill leaves them
    ward.pc.outbox.close()
    data = bytearray(path.read_bytes())
    how = ward.chance.choice(("pages", "pages", "pages", "head", "cut", "gone", "log", "log"))
    if how == "gone":
        path.unlink()
    elif how == "log":
        path.write_bytes(used[0])
        start = ward.chance.randrange(len(used[1]))
        used[1][start : start + 512] = ward.chance.randbytes(len(used[1][start : start + 512]))
        log.write_bytes(used[1])
    else:
        for _ in range(ward.chance.randrange(1, 9)):
            start = 0 if how == "head" else ward.chance.randrange(len(data))
            data[start : start + 4096] = ward.chance.randbytes(len(data[start : start + 4096]))
        path.write_bytes(data[: ward.chance.randrange(len(data))] if how == "cut" else data)
    ward.start()
    ward.pc.clock.advance(10 * MINUTE)  # the server gives no more copies than its limit
    ward.live(ward.some(500, 4_000))


def asleep(ward: Ward) -> None:
    """The lid is closed for seconds, or for hours."""
    ward.live(ward.some(500, 12_000))
    ward.pc.player.sleep(ward.chance.choice((1_000, 16_000, 5 * MINUTE, 3 * 60 * MINUTE)) + ward.some(0, 10_000))
    ward.live(ward.some(500, 4_000))


def clock_moved(ward: Ward) -> None:
    """Somebody sets the clock, by seconds or by years, forth or back."""
    ward.live(ward.some(500, 10_000))
    by = ward.chance.choice((1_000, 4_000, MINUTE, 26 * 60 * MINUTE, 10 * 365 * 24 * 60 * MINUTE))
    ward.pc.clock.wall_ms = max(1_000, ward.pc.clock.wall_ms + ward.chance.choice((-by, by)))
    ward.live(ward.some(500, 4_000))


def unplugged(ward: Ward) -> None:
    """The camera is pulled out, and put back after a while."""
    proctor = ward.pc.proctor
    assert isinstance(proctor, PluggedProctor)
    ward.live(ward.some(500, 8_000))
    proctor.pull()
    ward.live(ward.some(200, 15_000))
    proctor.plug()
    ward.live(ward.some(500, 4_000))


def picture_lost(ward: Ward) -> None:
    """The graphics context is gone in mid-picture: the player says so, and shows nothing until it loads again."""
    player = ward.pc.player
    assert isinstance(player, FragilePlayer)
    ward.live(ward.some(500, 9_000))
    player.lose()
    ward.live(ward.some(500, 4_000))


# --- the line ---------------------------------------------------------------------------------------------------------


def server_down(ward: Ward) -> None:
    """The server is away, for a moment or for minutes; every third time it was started anew."""
    ward.live(ward.some(500, 8_000))
    ward.pc.net.down = True
    if ward.chance.randrange(3) == 0:
        ward.world.server.close()
        ward.world.start()
        ward.pc.net.http = ward.world.net.http
    ward.live(ward.some(200, ward.chance.choice((3_000, 30_000, 90_000))))
    ward.pc.net.down = False
    ward.live(ward.some(500, 4_000))


def lossy(ward: Ward) -> None:
    """Requests and answers are lost, doubled, garbled or refused, and the client may be closed meanwhile."""
    kinds = ["", "drop request", "drop answer", "twice", "500", "corrupt"]
    ward.pc.net.faults = deque(ward.chance.choices(kinds, k=ward.chance.randrange(1, 8)))
    ward.live(ward.some(1_000, 24_000))
    if ward.chance.randrange(8) == 0:
        ward.start()


class PluggedProctor(ScriptedProctor):
    """A camera on a cable."""

    plugged = True

    def pull(self) -> None:
        self.plugged = False
        self._news.append(CameraState(False, "Scripted camera", "script", True, "missing"))

    def plug(self) -> None:
        """It is opened again whenever it comes back, as the real one is."""
        self.plugged = True
        self._news.append(CameraState(True, "Scripted camera", "script", True))

    def start(self) -> None:
        self.starts += 1
        gone = "" if self.plugged else "missing"
        self._news.append(CameraState(self.plugged, "Scripted camera", "script", True, gone))

    def poll(self) -> Sequence[Signal]:
        if self.plugged:
            return super().poll()
        news = list(self._news)  # no look, no verdict
        self._news.clear()
        return news


class FragilePlayer(ScriptedPlayer):
    """A picture that may lose its context; only `load` brings it back."""

    def lose(self) -> None:
        self._go()
        self.playing, self.stuck = False, True
        self.faults.append(MediaFault("the graphics context was lost"))

    def load(self, media: UnitMedia, position_ms: int) -> None:
        self.stuck = False
        super().load(media, position_ms)

    def progress(self) -> Progress:
        return super().progress()


class HurtMachine(MachineSide):
    """A machine whose camera can be pulled and whose picture can be lost."""

    def _ports(self) -> None:
        super()._ports()
        ports = self.ports
        self.player, self.proctor = FragilePlayer(self.clock), PluggedProctor(self.clock)
        self.ports = type(ports)(
            ports.clock, self.player, ports.foreground, self.proctor, ports.agent, ports.uploader
        )


class SkewedClock(FakeClock):
    """A machine's own wall clock beside the world's time: it may be set, the steady one may not."""

    def __init__(self, world: FakeClock) -> None:
        self.world = world
        self.apart = 0

    def mono(self) -> int:
        return self.world.now

    @property
    def now(self) -> int:  # type: ignore[override]
        """The steady clock."""
        return self.world.now

    @property
    def wall_ms(self) -> int:  # type: ignore[override]
        """What the machine believes the time is."""
        return self.world.wall_ms + self.apart

    @wall_ms.setter
    def wall_ms(self, value: int) -> None:
        self.apart = value - self.world.wall_ms

    def advance(self, ms: int) -> None:
        self.world.advance(ms)


class SkewedMachine(MachineSide):
    """A machine with a clock of its own."""

    def __init__(self, world, folder, who, **options) -> None:  # type: ignore[no-untyped-def]
        options["clock"] = options.get("clock") or SkewedClock(world.clock)
        super().__init__(world, folder, who, **options)
