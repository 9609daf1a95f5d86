"""Make the demo lesson again, `python build/make_demo_lesson.py [OUT] [--stills DIR]`: manifest, picture, captions.

A real little lesson, 60 s: how to use a fire extinguisher (拔 瞄 压 扫, PASS). Slides, drawings and sound are
computed; only the font comes from the system (fonts-wqy-microhei). The same versions of PIL, numpy and FFmpeg give
the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from demo_lesson_slides import DURATION_S, FPS, SCENES, SIZE, Stage
from demo_lesson_sound import RATE, lesson_sound

CAPTIONS = (
    (0.4, 5.8, "这一课，我们学习灭火器的正确使用。", "In this lesson you learn to use a fire extinguisher."),
    (
        6.2,
        10.4,
        "先判断：火势很小，身后就是出口，才可以自己灭火。",
        "First check: the fire is small and the way out is behind you.",
    ),
    (10.6, 15.8, "大声呼救，拨打 119，然后再动手。", "Call for help, dial 119, and only then act."),
    (16.2, 20.4, "第一步，拔：站在上风处，提起灭火器。", "Step one, pull: stand upwind and lift the extinguisher."),
    (20.6, 24.8, "拔掉保险销，这时不要按压手柄。", "Pull out the pin, and do not squeeze the lever yet."),
    (25.2, 29.4, "第二步，瞄：握住喷管的前端。", "Step two, aim: hold the hose near its end."),
    (29.6, 33.8, "对准火焰的根部，而不是火苗的顶端。", "Point it at the base of the fire, not at the flames."),
    (34.2, 38.4, "第三步，压：用力压下手柄。", "Step three, squeeze: press the lever firmly."),
    (38.6, 42.8, "瓶身保持直立，喷射只有十几秒。", "Keep the cylinder upright; it lasts only seconds."),
    (43.2, 47.4, "第四步，扫：沿着火焰根部左右扫射。", "Step four, sweep: along the base, from side to side."),
    (47.6, 51.8, "火灭以后继续观察，防止复燃。", "When the fire is out, watch it: it may flare up again."),
    (52.2, 55.8, "记住四个字：拔、瞄、压、扫。", "Remember four words: pull, aim, squeeze, sweep."),
    (56.0, 59.8, "火势变大，或看不见出口，立即撤离。", "If it grows, or you lose sight of the way out, leave."),
)


def encode(out: Path) -> None:
    """Write lesson.mp4: H.264 720p25 in 2-s groups, AAC, both bit-exact."""
    with av.open(str(out), "w", options={"movflags": "+faststart", "fflags": "+bitexact"}) as box:
        video = box.add_stream(
            "libx264",
            rate=FPS,
            options={
                "crf": "25",
                "preset": "slow",
                "tune": "animation",
                "g": "50",
                "flags": "+bitexact",
                "threads": "2",
                "x264-params": "colorprim=bt709:transfer=bt709:colormatrix=bt709:range=tv",
            },
        )
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        audio = box.add_stream("aac", rate=RATE, layout="mono", options={"b": "64000", "flags": "+bitexact"})
        for packet in _audio_packets(audio):
            box.mux(packet)
        stage = Stage()
        for n in range(int(DURATION_S * FPS)):
            frame = av.VideoFrame.from_image(stage.picture(n / FPS)).reformat(format="yuv420p", dst_colorspace="itu709")
            frame.pts, frame.time_base = n, Fraction(1, FPS)
            box.mux(video.encode(frame))
        box.mux(video.encode(None))


def _audio_packets(audio: av.AudioStream) -> Iterator[av.Packet]:
    sound = lesson_sound(DURATION_S, [s.start + 0.3 for s in SCENES])
    for start in range(0, len(sound), 1024):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[start : start + 1024])[None, :], "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
        yield from audio.encode(frame)
    yield from audio.encode(None)


def captions(column: int) -> str:
    """A WebVTT file of one language (2 = zh, 3 = en)."""
    lines = ["WEBVTT", ""]
    for row in CAPTIONS:
        lines += [f"{_stamp(row[0])} --> {_stamp(row[1])}", str(row[column]), ""]
    return "\n".join(lines)


def _stamp(seconds: float) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"


def course_toml(out: Path) -> str:
    """The manifest: every file by its sha256."""

    def sha(name: str) -> str:
        return hashlib.sha256((out / name).read_bytes()).hexdigest()

    return f'''id = "fire-extinguisher"
version = 1

[title]
zh = "消防安全：灭火器的使用"
en = "Fire safety: using an extinguisher"

[[unit]]
id = "pass"
duration_ms = {round(DURATION_S * 1000)}
media = "lesson.mp4"
media_sha256 = "{sha("lesson.mp4")}"

[unit.title]
zh = "拔、瞄、压、扫：四步灭火"
en = "Pull, aim, squeeze, sweep"

[unit.captions]
en = "lesson.en.vtt"
zh = "lesson.zh.vtt"

[unit.captions_sha256]
en = "{sha("lesson.en.vtt")}"
zh = "{sha("lesson.zh.vtt")}"
'''


def main() -> None:
    """Write the package, or with --stills one picture a scene for looking at."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", nargs="?", type=Path, default=Path(__file__).parent.parent / "client/player/demo_course")
    parser.add_argument("--stills", type=Path, help="only write one PNG a scene into this folder")
    args = parser.parse_args()
    if args.stills:
        args.stills.mkdir(parents=True, exist_ok=True)
        for i, scene in enumerate(SCENES):
            Stage().picture((scene.start + scene.end) / 2 + 1.5).save(args.stills / f"{i}.png")
        return
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "lesson.zh.vtt").write_text(captions(2), encoding="utf-8")
    (args.out / "lesson.en.vtt").write_text(captions(3), encoding="utf-8")
    encode(args.out / "lesson.mp4")
    (args.out / "course.toml").write_text(course_toml(args.out), encoding="utf-8")


if __name__ == "__main__":
    main()
