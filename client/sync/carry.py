"""Records of everybody who studied on this computer reach the server, whoever sits at it now.

A segment needs no sign-in: its signature is the right to send it. So what other learners left unsent (offline, a crash)
is sent beside the lesson of the one who is here, one profile at a time, each from its own database with its own keys.
Nothing of it is shown but how many sessions wait: nobody sees another's data.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client.errors import AlreadyRunningError, ClientError
from client.ports import Transport
from client.profile import Profile, learners, release
from client.sync.logbook import recover
from client.sync.outbox import Outbox
from client.sync.rebuild import mend
from client.sync.standing import Standing, standing
from client.sync.uploader import Uploader

EVERY_S: Final = 300.0  # between two rounds over the profiles
MOST_STEPS: Final = 10_000  # a profile with weeks of segments; then the next has its turn


def carry(profile: Profile, transport: Transport, wall: Callable[[], int], stop: Callable[[], bool]) -> Standing:
    """Send what one profile still holds, until all of it is there, the network fails, or `stop` says so.

    Whatever a crash left is mended and closed first. `AlreadyRunningError` while another program holds the profile.
    """
    mend(profile.outbox)
    with closing(Outbox(profile.outbox)) as outbox:
        recover(outbox, profile.seal, wall)
        worker = Uploader(outbox, transport, profile.seal)
        for _ in range(MOST_STEPS):
            if stop() or worker.step() or worker.failing:
                break
        return standing(outbox)


@dataclass(frozen=True, slots=True)
class Others:
    """What waits on this computer beside the learner who is here."""

    sessions: int = 0


class Carrier:
    """A thread that carries for everybody but the learner who is signed in."""

    def __init__(self, data: Path, transport: Callable[[], Transport], wall: Callable[[], int]) -> None:
        self._data, self._transport, self._wall = data, transport, wall
        self._here = ""
        self._at_work = threading.Lock()
        self._changed = threading.Event()
        self._stop = threading.Event()
        self._waiting: dict[str, int] = {}
        self._thread = threading.Thread(target=self._run, name="carrier", daemon=True)

    def start(self) -> None:
        """Begin; once."""
        self._thread.start()

    def leave(self, learner: str) -> None:
        """This learner is here now ("" nobody): return when nothing of theirs is touched by the carrier any more."""
        self._here = learner
        self._changed.set()
        with self._at_work:
            self._waiting.pop(learner, None)

    @property
    def others(self) -> Others:
        """What still waits, as of the last round."""
        return Others(sum(list(self._waiting.values())))

    def round(self) -> None:
        """Every other profile once."""
        for learner in learners(self._data):
            with self._at_work:
                if learner != self._here and not self._stop.is_set():
                    self._one(learner)

    def _one(self, learner: str) -> None:
        self._changed.clear()
        profile = Profile(self._data, learner)
        if not profile.outbox.exists():
            return
        transport = self._transport()
        try:
            found = carry(profile, transport, self._wall, lambda: self._stop.is_set() or self._changed.is_set())
        except AlreadyRunningError:
            return  # another window is open with it, and sends
        except ClientError:
            self._waiting.setdefault(learner, 1)
        else:
            self._waiting[learner] = found.sessions
        finally:
            getattr(transport, "close", lambda: None)()
            if learner != self._here:
                release(profile.outbox)

    def close(self) -> None:
        """Stop after the exchange that runs."""
        self._stop.set()
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join(timeout=60)

    def _run(self) -> None:
        while not self._stop.is_set():
            self.round()
            self._stop.wait(EVERY_S)
