"""The player beside a bare one, same window, same run: `python build/bench_player.py [--seconds N] [--rounds N]`.

Bare is PyAV, three textures and the shader. Ours is the whole lesson screen with sound, captions, panel and camera
mirror. Prints one line of JSON: cores used, pictures shown of those due, gaps between redraws, and the ratio. Only the
ratio travels between machines; the detectors and the agent are processes of their own and are not in these figures.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
MEDIA = ROOT / "client/player/demo_course"
WARM_S, FPS = 2.0, 25


def bare(stage: Any) -> Callable[[], int]:
    """Decode in a thread, show by the machine's clock; returns the count of pictures shown."""
    import av

    from client.player.decode import picture_of
    from client.player.widgets.surface import LessonPicture

    queue: deque[Any] = deque()
    surface = LessonPicture()
    stage.add_widget(surface)
    shown, began = [0], time.monotonic()

    def decode() -> None:
        with av.open(str(MEDIA / "lesson.mp4")) as box:
            for frame in box.decode(video=0):
                while len(queue) > 8:
                    time.sleep(0.01)
                queue.append(picture_of(frame, 0.0))

    def refresh(_: float) -> None:
        at, due = (time.monotonic() - began) * 1000, None
        while queue and queue[0].at_ms <= at:
            due = queue.popleft()
        if due is not None:
            surface.show(due)
            shown[0] += 1

    from kivy.clock import Clock

    threading.Thread(target=decode, daemon=True).start()
    Clock.schedule_interval(refresh, 0)
    return lambda: shown[0]


def ours(stage: Any) -> Callable[[], int]:
    """The lesson screen as the learner has it."""
    from dataclasses import replace

    from kivy.clock import Clock

    from client.player.course import open_package
    from client.player.playback import Playback
    from client.player.samples import preview, tracks, view
    from client.player.screens import LessonScreen, Shell

    shell, screen, playback = Shell(), LessonScreen(lambda _: None, lambda _: None), Playback()
    stage.add_widget(shell)
    shell.show(screen)
    screen.set_captions(tracks())
    playback.load(open_package(MEDIA).media("pass", "zh"), 0)
    screen.play(playback)
    plain = view()

    def render(_: float) -> None:
        at = playback.progress().position_ms
        screen.render(replace(plain, unit=replace(plain.unit, position_ms=at, seen_ms=at), pending_ms=at % 9000))

    Clock.schedule_interval(render, 0.1)
    Clock.schedule_interval(lambda _: screen.show_preview(preview()), 1 / 12)
    playback.play()
    return lambda: playback.progress().shown


def child(which: str, seconds: float) -> dict[str, float]:
    """One measurement in this process."""
    from client.player import kivy_env

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
        count = (bare if which == "bare" else ours)(app.root)
        run_for(EventLoop, WARM_S)
        cpu, wall, first = time.process_time(), time.monotonic(), count()
        gaps = run_for(EventLoop, seconds)
        wall = time.monotonic() - wall
        return {
            "core": (time.process_time() - cpu) / wall,
            "shown": (count() - first) / (wall * FPS),
            "gap_p95_ms": statistics.quantiles(gaps, n=20)[-1] * 1000,
        }


def run_for(loop: Any, seconds: float) -> list[float]:
    """Step the event loop; the seconds between steps."""
    gaps, last, end = [], time.monotonic(), time.monotonic() + seconds
    while last < end:
        loop.idle()
        now = time.monotonic()
        gaps.append(now - last)
        last = now
    return gaps


def main() -> None:
    """Alternate both, print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", choices=("bare", "ours"))
    args = parser.parse_args()
    if args.child:
        print(json.dumps(child(args.child, args.seconds)))
        return
    runs: dict[str, list[dict[str, float]]] = {"bare": [], "ours": []}
    for _ in range(args.rounds):
        for which, found in runs.items():
            command = [sys.executable, __file__, "--child", which, "--seconds", str(args.seconds)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found.append(json.loads(done.stdout.splitlines()[-1]))
    figures = {w: {k: statistics.median(r[k] for r in found) for k in found[0]} for w, found in runs.items()}
    ratio = {"ratio": figures["ours"]["core"] / figures["bare"]["core"]}
    print(json.dumps({**figures, **ratio}, default=float))


if __name__ == "__main__":
    main()
