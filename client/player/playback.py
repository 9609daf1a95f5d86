"""The player: one unit's picture and sound, its position, and how many pictures really reached the screen.

`Playback` is the `PlayerPort`. Its methods are called on the screen's thread and return at once; `picture` is called
once a screen refresh and gives what is new to show. There is no other way to move the position.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from client.events import MediaFault, Progress
from client.player.book import Leaf, PageReel
from client.player.clock import MediaClock
from client.player.decode import Picture
from client.player.errors import MediaError
from client.player.live import LiveReel
from client.player.media import Reel
from client.player.sound import Silence, Sink, open_sink
from client.ports import UnitMedia

STARVED_MS = 500.0  # without a new picture for so long the clock waits for the decoder
DEAF_S = 1.5  # a sound card whose queue stands still for so long is gone
LIVE_STARVED_MS = 100.0  # a live picture stops at once: what comes late is shown, not skipped
GAP_MS = 500.0  # a live picture may stand so long (two a second); a longer hole (a lost piece) is not run through
EARLY_MS = 1000  # a file that ends so much before its declared length is not the unit that was promised
PAGES = ".pdf"
RATES = range(500, 2001)  # what keeps its pitch; the policy allows less


class Playback:
    """Plays one unit at a time. `now` gives seconds that never fall."""

    def __init__(self, sink: Callable[[], Sink] = open_sink, now: Callable[[], float] = time.monotonic) -> None:
        self._open_sink, self._now = sink, now
        self._sink: Sink = Silence()
        self._has_sink = False
        self._reel: Reel | PageReel | None = None
        self._media: UnitMedia | None = None
        self._clock = MediaClock(now)
        self._wanted = False
        self._ended = False
        self._shown = 0
        self._picture_end = 0.0
        self._faults: list[MediaFault] = []
        self._broken = False
        self._box: tuple[int, int] | None = None
        self._heard = (0.0, 0.0)  # last position heard, and when it last changed
        self._told = True  # whether the session has heard that the picture stands: only then may a live one jump

    # --- PlayerPort -------------------------------------------------------------------------------------------------

    def load(self, media: UnitMedia, position_ms: int) -> None:
        """Open a unit at a position, paused; a fault comes out of `poll`."""
        self._release()
        if not self._has_sink:
            self._sink, self._has_sink = self._open_sink(), True
        self._media, self._shown, self._wanted = media, 0, False
        self._clock.stop()
        self._clock.set_rate(1000)
        self._open(float(min(max(position_ms, 0), media.duration_ms)))

    def play(self) -> None:
        """Go on as soon as a picture is there; after a fault, try the file again."""
        if self._media is None:
            return
        if self._broken:
            self._release()
            self._open(self._clock.position())
        elif isinstance(self._reel, LiveReel) and self._reel.left and not self._ended:
            self._reel.rejoin(self._seen())
        self._wanted = not self._ended

    def pause(self) -> None:
        """Stand still at once. A live lesson goes on without us: nothing of it is kept for later."""
        self._wanted = False
        self._halt()
        if isinstance(self._reel, LiveReel):
            self._reel.leave()

    def seek(self, position_ms: int) -> None:
        """Go to exactly this place. What may be asked for is the session's rule, not the player's."""
        if self._media is None or self._reel is None or isinstance(self._reel, LiveReel):
            return
        at = float(min(max(position_ms, 0), self._media.duration_ms))
        self._halt()
        self._clock.jump(at)
        self._picture_end = at
        self._ended = at >= self._media.duration_ms
        self._reel.seek(at)

    def set_rate(self, rate: int) -> None:
        """Per mille of normal speed, 500 to 2000; the pitch stays."""
        if rate not in RATES:
            raise ValueError(f"rate {rate} per mille, allowed {RATES.start} to {RATES.stop - 1}")
        if rate == self._clock.rate or isinstance(self._reel, PageReel | LiveReel):
            return
        self._halt()
        self._clock.set_rate(rate)
        if self._reel is not None:
            self._reel.set_rate(rate, self._clock.position())

    def progress(self) -> Progress:
        """Where the lesson stands now: never further than what was really put on the screen."""
        unit, limit = (self._media.unit, self._media.duration_ms) if self._media else ("", 0)
        live = self._reel if isinstance(self._reel, LiveReel) else None
        whole = self._ended and live is None  # a live lesson may end before its planned end
        position = limit if whole else min(int(self._seen()), limit)
        self._told = True
        why = live.why if live is not None and not self._clock.running else ""
        return Progress(unit, position, self._shown, self._clock.running, self._ended, self._clock.rate, why)

    def _seen(self) -> float:
        """Up to where something was put on the screen, or given to the sound card."""
        seen = self._clock.position()
        if isinstance(self._reel, Reel) and self._reel.info is not None and not self._reel.info.picture:
            return min(seen, self._reel.given_ms())
        if self._reel is not None and self._reel.info is not None:
            return min(seen, self._picture_end)
        return seen

    @property
    def leaf(self) -> Leaf | None:
        """Where a unit of pages stands; None for every other kind."""
        return self._reel.leaf(self.progress().position_ms) if isinstance(self._reel, PageReel) else None

    def turn(self) -> bool:
        """Turn the page; False while it has not been shown for its time (or there is none)."""
        reel = self._reel
        return isinstance(reel, PageReel) and reel.turn(self.progress().position_ms)

    def page_begins(self, number: int) -> int:
        """The media ms at which a page (from 1) begins."""
        return self._reel.start_of(number) if isinstance(self._reel, PageReel) else 0

    def poll(self) -> Sequence[MediaFault]:
        """What went wrong since the last call; the player stands still then."""
        faults, self._faults = self._faults, []
        return faults

    def close(self) -> None:
        """Give file, thread and sound device back."""
        self._release()
        self._sink.close()
        self._sink, self._has_sink, self._media = Silence(), False, None

    # --- once a screen refresh --------------------------------------------------------------------------------------

    def fit(self, box: tuple[int, int] | None) -> None:
        """Hand out the pictures that are decoded from now on as RGBA that fits `box` px; None: for a GPU to scale."""
        self._box = box
        if self._reel is not None:
            self._reel.box = box

    def picture(self) -> Picture | None:
        """The picture to show from now on; None when the one on the screen stays."""
        reel = self._reel
        if reel is None or self._broken:
            return None
        if reel.fault is not None:
            self._fail(reel.fault)
            return None
        if isinstance(reel, LiveReel) and not self._in_place(reel):
            return None
        if self._wanted and not self._clock.running and reel.ready:
            self._go()
        self._listen(reel)
        picture = reel.take(self._clock.position())
        if picture is not None:
            self._picture_end = picture.until_ms
            self._shown += self._clock.running
        if not self._hole(reel):
            self._picture_end = max(self._picture_end, reel.next_ms() or 0.0)
        self._check_end(reel)
        return picture

    def _in_place(self, reel: LiveReel) -> bool:
        """Whether the picture to come is the one that belongs here. Over a hole in a live lesson it jumps, once the
        session knows that it stood: what nobody saw is in no span."""
        at = self._clock.position()
        if self._clock.running and reel.behind(at):
            self._stand()
            reel.rejoin(self._seen())
            return False
        if self._clock.running:
            if at >= self._picture_end and self._hole(reel):
                self._stand()
            return self._clock.running
        if not self._wanted:
            return True
        begins = reel.next_ms()
        if begins is not None and begins > at and self._told:
            self._clock.jump(begins)
            self._picture_end = begins
        return begins is None or begins <= at or self._told

    def _hole(self, reel: Reel | PageReel) -> bool:
        """Whether a live lesson's next picture does not follow the one that is shown."""
        return isinstance(reel, LiveReel) and (reel.next_ms() or 0.0) > self._picture_end + GAP_MS

    def _stand(self) -> None:
        self._halt()
        self._told = False

    def _go(self) -> None:
        self._clock.start()
        self._sink.pause(False)
        self._heard = (-1.0, self._now())

    def _halt(self) -> None:
        self._clock.stop()
        self._sink.pause(True)

    def _listen(self, reel: Reel | PageReel) -> None:
        """Follow the sound; leave a sound card that stands still."""
        if not self._clock.running:
            return
        heard = reel.heard_ms()
        if heard is None:
            self._heard = (-1.0, self._now())
        elif heard != self._heard[0]:
            self._heard = (heard, self._now())
            self._clock.follow(heard)
        elif self._now() - self._heard[1] > DEAF_S:
            reel.deafen()

    def _check_end(self, reel: Reel | PageReel) -> None:
        if not self._clock.running or self._media is None:
            return
        at, end = self._clock.position(), reel.end_ms
        if isinstance(reel, PageReel) and reel.stands(min(at, self._picture_end)):
            self._halt()  # the page waits to be turned; `picture` starts again then
            self._clock.jump(self._picture_end)
        elif end is None:
            patience = LIVE_STARVED_MS if isinstance(reel, LiveReel) else STARVED_MS
            if reel.info and reel.info.picture and at > self._picture_end + patience and not reel.ready:
                self._stand()  # the decoder is behind: `picture` starts again when it has something
                self._clock.jump(self._picture_end)
        elif at >= min(end, self._media.duration_ms) - 1:
            self._halt()
            self._wanted, self._ended = False, True
            if end < self._media.duration_ms - EARLY_MS and not isinstance(reel, LiveReel):
                self._faults.append(MediaFault(f"ends at {end:.0f} ms of {self._media.duration_ms}"))

    def _open(self, at: float) -> None:
        assert self._media is not None
        self._ended = at >= self._media.duration_ms
        self._broken = False
        self._clock.jump(at)
        self._picture_end = at
        self._sink.pause(True)
        media = self._media
        if media.live is not None:
            self._reel = LiveReel(media.live, self._sink, int(at), self._box)
        elif media.path.suffix == PAGES:
            self._reel = PageReel(media.path, media.duration_ms, int(at), self._box, media.keys)
        else:
            self._reel = Reel(media.path, self._sink, int(at), self._clock.rate, self._box, media.keys)

    def _fail(self, error: MediaError) -> None:
        self._halt()
        self._wanted, self._broken = False, True
        self._faults.append(MediaFault(str(error)))

    def _release(self) -> None:
        self._halt()
        if self._reel is not None:
            self._reel.close()
            self._reel = None
        self._broken = False
