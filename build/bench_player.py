"""The player beside a bare one, same window, same run: `python build/bench_player.py [--seconds N] [--rounds N]`.

Bare is PyAV, three textures and a shader. Ours is the whole lesson screen with sound, captions, panel and mirror,
beside the detectors' process (a scripted camera) and the agent's. Two passes each, alternating:

- *by pictures*: every picture is waited for and shown, on a clock that the bench moves; processor seconds a picture.
  Says the same on a busy machine.
- *by the clock*: what is shown of what is due, gaps between redraws, the lesson's clock (by which pictures are chosen)
  against the sound that is heard (95 of 100 turns are below the figure), and for how long one turn
  of the event loop holds the screen's thread (its own processor time; the buffer swap apart).

Closes with one line of JSON. `ratio` = (ours by pictures at 25 a second + detectors + agent) / bare by pictures.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
MEDIA = ROOT / "client/player/demo_course"
WARM_S, FPS, PICTURES = 2.0, 25, 250
LIMITS = {"ratio": 1.25, "core_480": 1.0, "shown": 0.95, "drift_ms": 80, "hold_p99_ms": 16, "hold_max_ms": 50}
Figures = dict[str, float]


class Wall:
    """Seconds: the machine's, or those that the bench moves (`locked`)."""

    def __init__(self, *, locked: bool) -> None:
        self.locked, self.seconds = locked, 0.0

    def __call__(self) -> float:
        return self.seconds if self.locked else time.monotonic()


@dataclass
class Show:
    """One player on the stage."""

    wall: Wall
    shown: Callable[[], int]
    turn: Callable[[], None] = lambda: None  # what happens beside the pictures, each turn of the loop
    ready: Callable[[], bool] = lambda: True  # the next picture is decoded
    drift: Callable[[], float | None] = lambda: None
    close: Callable[[], None] = lambda: None
    children: list[int] = field(default_factory=list)


def bare(stage: Any, wall: Wall, media: Path) -> Show:
    """Decode in a thread, show by the clock."""
    import av
    from kivy.clock import Clock

    from client.player.decode import Sight
    from client.player.widgets.surface import LessonPicture

    queue: deque[Any] = deque()
    surface, sight = LessonPicture(), Sight(0.0)
    stage.add_widget(surface)
    shown, began = [0], wall()

    def decode() -> None:
        with av.open(str(media)) as box:
            for frame in box.decode(video=0):
                while len(queue) > 8:
                    time.sleep(0.01)
                queue.append(sight.see(frame))

    def refresh(_: float) -> None:
        at, due = (wall() - began) * 1000, None
        while queue and queue[0].at_ms <= at:
            due = queue.popleft()
        if due is not None:
            surface.show(due)
            shown[0] += 1

    threading.Thread(target=decode, daemon=True).start()
    Clock.schedule_interval(refresh, 0)
    return Show(wall, lambda: shown[0], ready=lambda: len(queue) > 1)


class Speaker:
    """A sound card on the bench's clock."""

    def __init__(self, wall: Wall) -> None:
        from client.player.sound import BYTES_PER_MS

        self.wall, self.queued, self.since, self.per_s = wall, 0.0, 0.0, BYTES_PER_MS * 1000
        self.playing = False

    def _pass(self) -> None:
        if self.playing:
            self.queued = max(0.0, self.queued - (self.wall() - self.since) * self.per_s)
        self.since = self.wall()

    def write(self, samples: bytes) -> None:
        self._pass()
        self.queued += len(samples)

    def queued_ms(self) -> float | None:
        self._pass()
        return self.queued / self.per_s * 1000

    def pause(self, paused: bool) -> None:
        self._pass()
        self.playing = not paused

    def clear(self) -> None:
        self.queued = 0.0

    def close(self) -> None:
        """Nothing is held."""


def ours(stage: Any, wall: Wall, media: Path, *, proctored: bool) -> Show:
    """The lesson screen as the learner has it; `proctored`: with detectors and agent in their own processes."""
    from dataclasses import replace

    from client.player.course import open_package
    from client.player.playback import Playback
    from client.player.samples import preview, tracks, view
    from client.player.screens import LessonScreen, Shell
    from client.player.sound import open_sink

    shell, screen = Shell(), LessonScreen(lambda _: None, lambda _: None)
    playback = Playback((lambda: Speaker(wall)) if wall.locked else open_sink, wall)
    stage.add_widget(shell)
    shell.show(screen)
    screen.set_captions(tracks())
    playback.load(replace(open_package(MEDIA).media("pass", "zh"), path=media), 0)
    screen.play(playback)
    plain, told = view(), {"view": -1, "mirror": -1}
    proctor, agent, pids = _proctoring() if proctored else (None, None, [])

    def turn() -> None:
        if told["view"] != (now := int(wall() * 10)):
            told["view"] = now
            for port in (proctor, agent):
                if port is not None:
                    port.poll()
            at = playback.progress().position_ms
            screen.render(replace(plain, unit=replace(plain.unit, position_ms=at, seen_ms=at), pending_ms=at % 9000))
        if told["mirror"] != (now := int(wall() * 12)):
            told["mirror"] = now
            screen.show_preview((proctor.preview() if proctor is not None else None) or preview())

    def drift() -> float | None:
        heard = playback._reel.heard_ms() if playback._reel and playback.progress().playing else None
        return None if heard is None else abs(heard - playback._clock.position())

    def close() -> None:
        for port in (playback, proctor, agent):
            if port is not None:
                port.close()

    def ready() -> bool:
        reel = playback._reel
        return reel is not None and reel.ready and reel.next_ms() is not None

    playback.play()
    return Show(wall, lambda: playback.progress().shown, turn, ready, drift, close, pids)


def _proctoring() -> tuple[Any, Any, list[int]]:
    import psutil

    from client.guard import AgentGuard
    from client.proctor.handle import Proctor
    from client.proctor.setup import ProctorSetup

    proctor, agent = Proctor(ProctorSetup(mode="demo", camera="puppet")), AgentGuard()
    proctor.start()
    agent.start()
    return proctor, agent, [child.pid for child in psutil.Process().children(recursive=True)]


def child(which: str, seconds: float, media: Path) -> Figures:
    """One measurement in this process: `bare` or `ours`, `-locked` by pictures, else by the clock."""
    from client.player import kivy_env

    kind, _, how = which.partition("-")
    with tempfile.TemporaryDirectory() as home:
        kivy_env.prepare(Path(home), offscreen=True)
        kivy_env.configure()
        from kivy.app import App
        from kivy.base import EventLoop
        from kivy.uix.boxlayout import BoxLayout

        import client.player.widgets  # noqa: F401  the kit's font and looks

        class Bench(App):
            def build(self) -> Any:
                return BoxLayout()

        app = Bench()
        app._run_prepare()
        wall = Wall(locked=how == "locked")
        show = bare(app.root, wall, media) if kind == "bare" else ours(app.root, wall, media, proctored=how == "clock")
        try:
            return by_pictures(EventLoop, show) if wall.locked else by_the_clock(EventLoop, show, seconds)
        finally:
            show.close()


def by_pictures(loop: Any, show: Show) -> Figures:
    """Processor ms a picture, everything in this process: decoding, scaling, sound, panel, drawing."""
    from kivy.graphics.opengl import glFinish

    def one() -> None:
        while not show.ready():
            time.sleep(0.001)
        show.wall.seconds += 1 / FPS
        show.turn()
        loop.idle()
        glFinish()

    for _ in range(FPS):
        one()
    began, first = time.process_time(), show.shown()
    for _ in range(PICTURES):
        one()
    return {"picture_ms": (time.process_time() - began) * 1000 / max(show.shown() - first, 1)}


def by_the_clock(loop: Any, show: Show, seconds: float) -> Figures:
    """What a learner gets in so many seconds."""
    held, swap = _Held(loop), _children(show.children)
    settle = 15.0 if show.children else 0.0  # detectors load their models
    _run(loop, show, WARM_S + settle, None)
    cpu, wall, first, before = time.process_time(), time.monotonic(), show.shown(), swap()
    drifts, gaps = _run(loop, show, seconds, held)
    wall = time.monotonic() - wall
    return {
        "core": (time.process_time() - cpu) / wall,
        "proctoring_core": (swap() - before) / wall,
        "shown": (show.shown() - first) / (wall * FPS),
        "gap_p95_ms": statistics.quantiles(gaps, n=20)[-1] * 1000,
        "drift_ms": statistics.quantiles(drifts, n=20)[-1] if len(drifts) > 1 else 0.0,
        "hold_p99_ms": statistics.quantiles(held.ms, n=100)[-1],
        "hold_max_ms": max(held.ms),
    }


class _Held:
    """For how long each turn of the event loop holds the screen's thread, in its processor time, without the swap."""

    def __init__(self, loop: Any) -> None:
        self.ms: list[float] = []
        self._swap = 0.0
        window, flip = loop.window, loop.window.flip

        def timed() -> None:
            began = time.thread_time()
            flip()
            self._swap += time.thread_time() - began

        window.flip = timed

    def turn(self, act: Callable[[], None]) -> None:
        self._swap, began = 0.0, time.thread_time()
        act()
        self.ms.append((time.thread_time() - began - self._swap) * 1000)


def _children(pids: list[int]) -> Callable[[], float]:
    """Processor seconds of these processes so far."""
    import psutil

    processes = [psutil.Process(pid) for pid in pids]

    def used() -> float:
        return sum(sum(p.cpu_times()[:2]) for p in processes if p.is_running())

    return used


def _run(loop: Any, show: Show, seconds: float, held: _Held | None) -> tuple[list[float], list[float]]:
    drifts: list[float] = []
    gaps, last, end = [], time.monotonic(), time.monotonic() + seconds

    def turn() -> None:
        show.turn()
        loop.idle()

    while last < end:
        if held is not None:
            held.turn(turn)
        else:
            turn()
        if (drift := show.drift()) is not None:
            drifts.append(drift)
        now = time.monotonic()
        gaps.append(now - last)
        last = now
    return drifts, gaps


def smaller(target: Path) -> Path:
    """The lesson at 854 × 480, 25 pictures a second."""
    from bench_oldpc import _smaller

    _smaller(MEDIA / "lesson.mp4", target)
    return target


def main() -> int:
    """Alternate all, print the medians; exit 1 when a limit is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--media", type=Path, default=MEDIA / "lesson.mp4")
    parser.add_argument("--child")
    args = parser.parse_args()
    if args.child:
        print(json.dumps(child(args.child, args.seconds, args.media)), flush=True)
        os._exit(0)  # llvmpipe's threads have nothing left to say
    kinds = ("bare-locked", "ours-locked", "bare-clock", "ours-clock")
    with tempfile.TemporaryDirectory() as folder:
        jobs = [(kind, args.media) for kind in kinds] + [("ours-480", smaller(Path(folder) / "480.mp4"))]
        runs: dict[str, list[Figures]] = {kind: [] for kind, _ in jobs}
        for _ in range(args.rounds):
            for kind, media in jobs:
                runs[kind].append(_measured(kind, media, args.seconds))
    medians = {w: {k: statistics.median(r[k] for r in found) for k in found[0]} for w, found in runs.items()}
    figures = summary(medians)
    kept = {name: _keeps(name, figures[name]) for name in LIMITS}
    print(json.dumps({"name": "player", **figures, "limits": LIMITS, "kept": kept}))
    return 0 if all(kept.values()) else 1


def _measured(kind: str, media: Path, seconds: float) -> Figures:
    command = [sys.executable, __file__, "--child", kind, "--seconds", str(seconds), "--media", str(media)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: Figures = json.loads(done.stdout.splitlines()[-1])
    print(f"{kind:12} " + "  ".join(f"{name} {value:.3f}" for name, value in found.items()), flush=True)
    return found


def _keeps(name: str, value: float) -> bool:
    return value >= LIMITS[name] if name == "shown" else value <= LIMITS[name]


def summary(found: dict[str, Figures]) -> Figures:
    """The figures that are held to the limits."""
    bare_core = found["bare-locked"]["picture_ms"] * FPS / 1000
    ours_core = found["ours-locked"]["picture_ms"] * FPS / 1000
    clock = found["ours-clock"]
    figures = {
        "bare_core": bare_core,
        "ours_core": ours_core,
        "proctoring_core": clock["proctoring_core"],
        "ratio": (ours_core + clock["proctoring_core"]) / bare_core,
        "ratio_without_proctoring": ours_core / bare_core,
        "core_480": found["ours-480"]["core"],
        "shown": clock["shown"] / found["bare-clock"]["shown"],
        **{name: clock[name] for name in ("drift_ms", "hold_p99_ms", "hold_max_ms", "gap_p95_ms")},
        "bare_gap_p95_ms": found["bare-clock"]["gap_p95_ms"],
    }
    return {name: round(value, 3) for name, value in figures.items()}


if __name__ == "__main__":
    sys.exit(main())
