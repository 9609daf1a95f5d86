"""What the session makes of a camera: its name in the log, a swap, a virtual one, a picture that does not live."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.events import CameraState, Look
from client.screen import Figures, view
from client.telling import described
from ledger.events import Fault, Finding, Opened
from tests.client.bench import Bench, check_log
from tests.client.world import World


def shown(bench: Bench) -> str:
    """The sentence on the screen."""
    return view(bench.state, Figures(), wanted=True, opening=False, begun=True).sentence.key


def look(bench: Bench, picture: str, again_ms: int = 0) -> None:
    """A face, in a picture of this kind."""
    bench.send(Look(bench.state.now, 1, 1, covered=False, picture=picture, again_ms=again_ms))


def test_a_picture_that_stands_still_pauses_as_a_fault_of_the_camera() -> None:
    """Never a person's: one fault, one sentence, and the lesson goes on when the picture lives again."""
    bench = Bench().study()
    for _ in range(3):
        look(bench, "still")
    assert not bench.playing
    assert shown(bench) == "pause.camera_still"
    assert bench.bodies(Fault) == [Fault("camera", "the picture does not change")]
    look(bench, "")
    assert bench.playing
    check_log(bench)


def test_a_picture_that_comes_round_again_is_one_finding_with_its_period() -> None:
    """What was seen and what was done; the screen names the remedy and nobody's intention."""
    bench = Bench().study()
    for _ in range(3):
        look(bench, "repeats", 8_000)
    assert not bench.playing
    assert shown(bench) == "pause.camera_repeats"
    (found,) = bench.bodies(Finding)
    assert isinstance(found, Finding)
    assert (found.rule, found.severity, dict(found.evidence)) == ("presence.repeats", "medium", {"again_ms": 8_000})
    look(bench, "")
    look(bench, "repeats", 9_000)
    assert len(bench.bodies(Finding)) == 2, "once each time"
    check_log(bench)


def test_signs_of_a_file_are_one_finding_and_stop_nothing() -> None:
    """A person looks at it; the lesson plays on, and the same signs are told once."""
    bench = Bench().study()
    for fed in ("", "doubled", "doubled", "", "doubled"):
        bench.send(Look(bench.state.now, faces=1, near=1, covered=False, fed=fed))
    assert bench.playing
    (found,) = bench.bodies(Finding)
    assert isinstance(found, Finding)
    assert (found.rule, found.response, dict(found.evidence)) == ("presence.fed", "report", {"signs": "doubled"})
    check_log(bench)


def test_a_swapped_camera_is_in_the_log() -> None:
    """Another name in mid-session; the same camera that comes back is no news."""
    bench = Bench().study()
    bench.send(CameraState(False, "cam", "none", False, "missing"))
    bench.send(CameraState(True, "cam", "bench", False))
    assert [body.detail for body in bench.bodies(Fault)] == ["cam: missing"]  # type: ignore[attr-defined]
    bench.send(CameraState(True, "OBS Virtual Camera", "V4L2", False, "virtual"))
    assert bench.bodies(Fault)[-1] == Fault("camera", "another camera: OBS Virtual Camera, V4L2, virtual")


@pytest.mark.parametrize("why", ["missing", "permission", "busy", "no_frames"])
def test_each_reason_for_no_picture_has_its_remedy(why: str) -> None:
    """Plug it in, allow it, close the other program."""
    bench = Bench().study()
    bench.send(CameraState(False, "cam", "none", False, why))
    assert not bench.playing
    assert shown(bench) == ("pause.camera" if why == "no_frames" else f"pause.camera_{why}")


def test_event_0_names_the_camera(tmp_path: Path) -> None:
    """Name and backend as the operating system tells them, and the mark of a scripted one."""
    world = World(tmp_path, units=(("pass", 60_000),))
    machine = world.machine()
    lesson = machine.study()
    machine.run(lesson, 5_000)
    first = machine.events(lesson.sid)[0].body
    assert isinstance(first, Opened)
    assert first.client == "client under test; camera: Scripted camera, script, scripted"
    assert described(CameraState(True, "Logi", "V4L2", False, "virtual")) == "Logi, V4L2, virtual"
    world.close()
