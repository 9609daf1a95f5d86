"""The composition root: the one place where screens, player, proctor, agent and sync meet.

`run` opens the window and returns when it is closed. Ten times a second the journey is asked where the learner is, and
the screen of that page renders it; nothing else happens on the screen's thread.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

from client import updating
from client.about import describe
from client.config import Config
from client.fit import Fit, choose, measure
from client.guard import AgentGuard
from client.player import kivy_env
from client.ports import ForegroundProbe, UploaderPort
from client.printed import printed
from client.proctor.handle import Proctor
from client.proctor.setup import ProctorSetup
from client.sync.carry import Carrier
from client.sync.enrol import Enrolment, Registration
from client.sync.transport import HttpTransport
from client.sync.uploader import UploaderThread

AGENT: Final = "trueseat agent"


class SystemClock:
    """`Clock` of this machine; the monotonic one counts suspend where the OS does."""

    _BOOT: Final = getattr(time, "CLOCK_BOOTTIME", None)

    def mono(self) -> int:
        """Ms that never fall."""
        now = time.monotonic_ns() if self._BOOT is None else time.clock_gettime_ns(self._BOOT)
        return now // 1_000_000

    def wall(self) -> int:
        """Ms since the epoch."""
        return time.time_ns() // 1_000_000


class Background:
    """`Work`: one thread for everything slow, in the order in which it was asked for."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="slow")

    def __call__(self, job: Callable[[], Any]) -> Future[Any]:
        """Run `job` there."""
        return self._pool.submit(job)

    def close(self) -> None:
        """Wait for what runs, forget the rest."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def proctor_setup(config: Config, fit: Fit, *, demo: bool) -> ProctorSetup:
    """The camera as configured: a device, or in the demonstration a scripted one; engine and load as they fit."""
    return ProctorSetup(
        mode="demo" if demo else "normal",
        camera=config.camera,
        models=config.models,
        log=config.data / "proctor.log",
        presence_ms=fit.presence_ms,
        engine=fit.engine,
        sparing=fit.load == "low",
    )


def downloads() -> Path:
    """Where this user looks for files that a program saved."""
    import platformdirs

    return Path(platformdirs.user_downloads_dir())


def uploader_of(config: Config) -> Callable[[Enrolment, Sequence[Registration]], UploaderPort]:
    """Makes the thread that sends one learner's records."""

    def make(enrolment: Enrolment, registrations: Sequence[Registration]) -> UploaderPort:
        trusted = {item.class_: enrolment.trust(item) for item in registrations}
        profile = enrolment.profile
        return UploaderThread(profile.outbox, lambda: HttpTransport.of(config), profile.seal, trust_of=trusted.get)

    return make


@contextlib.contextmanager
def _machine(config: Config, probe: ForegroundProbe, about: str, *, demo: bool) -> Iterator[tuple[Any, Any, Proctor]]:
    """The journey, its player and its detectors, on this machine; all of it ends with the block."""
    from client.journey import Journey, Kit
    from client.player.playback import Playback

    fit = choose(measure(), config.engine, config.load)
    player, background = Playback(), Background()
    proctor, agent = Proctor(proctor_setup(config, fit, demo=demo)), AgentGuard()
    transport = HttpTransport.of(config)
    carrier = Carrier(config.data, lambda: HttpTransport.of(config), SystemClock().wall)
    kit = Kit(
        clock=SystemClock(), transport=transport, player=player, foreground=probe, proctor=proctor, agent=agent,
        uploader=uploader_of(config), about=describe("file", f"{fit}{about}"), agent_about=AGENT,
        sparing=fit.load == "low", saves=downloads(), here=carrier.leave, others=lambda: carrier.others.sessions,
        beside=lambda: HttpTransport.of(config),
    )  # fmt: skip
    journey = Journey(config, kit, background)
    carrier.start()
    try:
        yield journey, player, proctor
    finally:
        journey.close()
        carrier.close()
        background.close()
        for part in (player, proctor, agent, transport):
            part.close()


def run(config: Config, *, demo: bool = False, script: Callable[[Any, Any], None] | None = None) -> int:
    """Open the window until it is closed. `script(window, drive)` (demonstrations, tests) uses it as a person would."""
    config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    kivy_env.prepare(config.data / "kivy")
    kivy_env.configure()

    from client.doctor import examine
    from client.doctor.window import Consultation
    from client.player.focus import open_probe
    from client.profile import learners
    from client.window import Window

    probe = open_probe()
    with _machine(config, probe, "", demo=demo) as (journey, player, proctor):
        doctor = partial(Consultation, config, partial(examine, camera=False))  # nobody has agreed to a picture yet
        window = Window(journey, player, proctor.preview, probe.watch, doctor)
        if not demo and not learners(config.data):
            window.consult(quiet=True)  # the first start: what would keep somebody from studying is said at once
        window.go(script)
    updating.begin(config)
    return 0


def run_text(config: Config, *, demo: bool = False) -> int:
    """The same, told on the terminal and steered by what is typed there; the log says so (`screen=text`)."""
    from client.text import Terminal, TerminalProbe, typed_lines

    config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _machine(config, TerminalProbe(os.environ), " screen=text", demo=demo) as (journey, player, _):
        Terminal(journey, player, lambda line: print(printed(line), flush=True), typed_lines()).run()
    return 0
