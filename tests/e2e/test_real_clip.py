"""A real person's clip as the camera, real detectors, player, agent and server: what counts, and what a kill leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("machine_at_rest")]

SEGMENT_S = 10  # of the demo policy: by then something of the tail is signed
MATCH_ONLY = {
    b'opening_kind = "liveness"': b'opening_kind = "match"',
    b'kinds = ["match", "match", "liveness"]': b'kinds = ["match"]',
}


def there_and_back(clip: Path, made: Path) -> Path:
    """The clip forwards, then backwards: over a minute in which a person never moves the same way again. A clip that
    simply starts over is a loop, which the lesson rightly stands still for."""
    with av.open(str(clip)) as source:
        frames = [frame.to_ndarray(format="bgr24") for n, frame in enumerate(source.decode(video=0)) if n % 2 == 0]
    with av.open(str(made), "w") as file:
        height, width = (side // 2 * 2 for side in frames[0].shape[:2])
        stream = file.add_stream("mpeg4", rate=15, width=width, height=height, pix_fmt="yuv420p", bit_rate=4_000_000)
        for picture in [*frames, *reversed(frames)]:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture[:height, :width], format="bgr24")))
        file.mux(stream.encode())
    return made


def session_of(report: dict[str, Any], sid: str) -> dict[str, Any]:
    return next(session for session in report["sessions"] if session["sid"] == sid)


def test_a_real_clip_studies_is_cut_off_and_killed_and_every_proven_span_counts(
    world: Any, shared: Path, tmp_path: Path
) -> None:
    """Enrolled by an officer, matched by the real models, cut off and killed in mid-lesson: the spans proven before the
    kill are credited, the tail is listed for make-up, and the next session makes it up."""
    server = world(MATCH_ONLY)
    clip = ["--camera", f"file:{there_and_back(shared / 'faces' / 'videos' / 'lp_d6.mp4', tmp_path / 'camera.mp4')}"]
    first = world.client(server, "pc", *clip)
    enrolled = first.wait_for(lambda said: "enrolled" in said)
    assert enrolled["enrolled"] == "passed", enrolled
    proven = first.wait_for(lambda said: said.get("credited_ms", 0) > 0 and said["phase"] == "playing", 180)
    server.stop()  # the network is cut ...
    first.wait_played(SEGMENT_S + 3, len(first.said))  # a long silence brings its own checks: the tail follows the last
    first.kill()  # ... and the client killed

    server.start()
    again = world.client(server, "pc", *clip)
    result = again.wait_for(lambda said: "result" in said, 200)
    assert result["sent"]
    archive = server.export(tmp_path / "archive")
    code, report = server.verify(archive)
    assert code == 0, report
    killed = session_of(report, proven["sid"])
    assert killed["state"] == "closed"
    assert killed["credited_ms"] >= proven["credited_ms"] - 1000
    assert killed["not_credited"], "the tail that no check followed is listed"
    assert result["all_ms"] == report["credited_ms"]
    assert result["all_ms"] >= 59_000
