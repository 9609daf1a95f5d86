"""Makes the attack range out of a pack of faces: `python build/attack_range.py --pack DIR --out FOLDER [--clips N]`.

Writes clips (MJPG, 640 × 480 or the source's shape, 12 frames a second, 3 s) and `videos.json` with label, species,
subject and whether the species is synthetic: a pack that `client.proctor.evaluate` reads. The same pack and seed give
the same pictures. Every species here is drawn by computer; the pack's printed photos are real and are measured where
they lie. Half of the bona fide windows pass the same simulated camera as the attacks, so that no cue can learn it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from client import manifest  # noqa: E402
from client.proctor import models  # noqa: E402
from client.proctor.face import Detector, frame  # noqa: E402
from client.proctor.landmarks import Landmarker  # noqa: E402
from client.proctor.puppet import Puppet  # noqa: E402

Image = Any
Draw = np.random.Generator
FPS, SECONDS, WIDTH, HEIGHT = 12, 3, 640, 480
COUNT: Final = FPS * SECONDS
PEOPLE: Final = (
    "lp_d0",
    "lp_d13",
    "lp_d18",
    "lp_d6",
    "lp_d9",
    "lp_s18",
    "sad_WDA_KatieHill_000",
    "bloom_orlando_bloom",
)
FACING: Final = 0.35  # of a portrait, as of a look that is compared
STILLS: Final = (  # for pictures of people who are in no clip; those that do not face the camera are left out
    *(f"diverse/stock-models-{i}.jpg" for i in range(1, 9)),
    "identities/obama/obama.jpg", "identities/biden/biden.jpg", "identities/astronaut.png",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """One window of a clip: the person's name and its frames, 12 a second."""

    subject: str
    frames: tuple[Image, ...]


# --- reading the pack -------------------------------------------------------------------------------------------------


def windows(pack: Path) -> list[Source]:
    """Every whole window of 3 s of one person; a clip one frame short of it counts."""
    found = []
    for name in PEOPLE:
        path = next((pack / "videos").glob(f"{name}.*"))
        clip = cv2.VideoCapture(str(path))
        pace, frames, at = clip.get(cv2.CAP_PROP_FPS), [], 0
        while clip.grab():
            if int(at * FPS / pace) != int((at - 1) * FPS / pace) or at == 0:
                frames.append(frame(clip.retrieve()[1]))
            at += 1
        clip.release()
        found += [Source(name, tuple(frames[i : i + COUNT])) for i in range(0, len(frames) - COUNT + 1, COUNT)]
    return found


# --- a simulated camera, and a hand that holds something before it ----------------------------------------------------


class Camera:
    """Optics, sensor noise, white balance and exposure of a cheap webcam; each clip has its own."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._blur = draw.uniform(0.3, 1.0)
        self._noise = draw.uniform(1.0, 4.0)
        self._gain = draw.uniform(0.8, 1.1) * np.array([draw.uniform(0.93, 1.07), 1.0, draw.uniform(0.93, 1.07)])
        self._quality = int(draw.integers(75, 95))

    def take(self, scene: Image) -> Image:
        """The scene as this camera gives it."""
        seen = cv2.GaussianBlur(scene.astype(np.float32), (0, 0), self._blur) * self._gain
        seen += self._draw.normal(0, self._noise, seen.shape) * np.sqrt(np.clip(seen, 8, 255) / 110)
        packed = cv2.imencode(".jpg", np.clip(seen, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        return cv2.imdecode(packed[1], cv2.IMREAD_COLOR)


class Hand:
    """Where the four corners of a held thing are, frame by frame: sway, drift and a slow turn about two axes."""

    def __init__(self, draw: Draw, height: float, aspect: float) -> None:
        self._phase = draw.uniform(0, 6.28, 6)
        self._pace = draw.uniform(0.25, 1.2, 6)
        self._far = draw.uniform(0.3, 1.0, 6) * (9, 9, 0.05, 0.22, 0.18, 0.06)
        self._height, self._aspect = height, aspect

    def corners(self, t: float) -> Image:
        """Corners (left top, right top, right low, left low) in the scene at `t` seconds."""
        x, y, near, yaw, pitch, roll = self._far * np.sin(self._phase + 6.28 * self._pace * t)
        half = np.array([self._aspect, 1.0]) * self._height / 2
        flat = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half
        depth = flat[:, 0] * np.sin(yaw) + flat[:, 1] * np.sin(pitch)
        seen = flat * (np.cos(yaw), np.cos(pitch)) * ((1 + near) * 900 / (900 + depth))[:, None]
        turn = np.array([(np.cos(roll), np.sin(roll)), (-np.sin(roll), np.cos(roll))])
        return (seen @ turn + (WIDTH / 2 + x, HEIGHT / 2 + y)).astype(np.float32)


def held(scene: Image, plane: Image, corners: Image, alpha: Image | None = None) -> Image:
    """The scene with `plane` held in it."""
    height, width = plane.shape[:2]
    move = cv2.getPerspectiveTransform(np.float32([(0, 0), (width, 0), (width, height), (0, height)]), corners)
    size = (scene.shape[1], scene.shape[0])
    drawn = cv2.warpPerspective(plane, move, size, flags=cv2.INTER_LINEAR)
    cover = np.full((height, width), 255, np.uint8) if alpha is None else alpha
    mask = cv2.warpPerspective(cover, move, size, flags=cv2.INTER_LINEAR)[..., None].astype(np.float32) / 255
    return (scene * (1 - mask) + drawn * mask).astype(np.uint8)


# --- what is held -----------------------------------------------------------------------------------------------------


def printed(still: Image, draw: Draw) -> Image:
    """Ink on paper: a smaller gamut, less contrast, the paper's grain, light that falls from one side."""
    ink = draw.uniform(18, 45) + still.astype(np.float32) * draw.uniform(0.62, 0.8)
    ink = ink.mean(axis=2, keepdims=True) * 0.2 + ink * 0.8
    dots = draw.normal(0, draw.uniform(2, 6), (*still.shape[:2], 1))
    side = np.linspace(*draw.uniform(0.85, 1.12, 2), still.shape[1])[None, :, None]
    return np.clip((ink + dots) * side, 0, 255).astype(np.uint8)


class Display:
    """A screen: stripes of red, green and blue, a refresh that rolls through the picture, a bezel and a glare."""

    def __init__(self, draw: Draw, bezel: float) -> None:
        self._lines = int(draw.integers(700, 1100))  # lines of the panel in the face's half of it
        self._cast = np.array([draw.uniform(1.02, 1.18), 1.0, draw.uniform(0.88, 1.0)]) * draw.uniform(0.9, 1.15)
        self._depth, self._roll = draw.uniform(0.0, 0.12), draw.uniform(-2.5, 2.5)
        self._stripe, self._bezel = draw.uniform(0.25, 0.6), bezel
        self._soft = draw.uniform(0.5, 1.7)  # how far the camera's lens is from resolving the panel
        self._spot, self._glare = draw.uniform(0.1, 0.9, 2), draw.uniform(0, 90)

    def show(self, picture: Image, t: float) -> Image:
        """The screen's plane at `t` seconds."""
        width = round(picture.shape[1] * self._lines / picture.shape[0])
        lit = cv2.resize(picture, (width, self._lines), interpolation=cv2.INTER_LINEAR).astype(np.float32)
        lit = (lit * 0.94 + 12) * self._cast  # black glows
        mask = np.full((1, width, 3), 1 - self._stripe, np.float32)
        for channel in range(3):
            mask[0, 2 - channel :: 3, channel] = 1 + self._stripe
        rows = np.arange(self._lines) / self._lines
        refresh = 1 + self._depth * np.sin(6.28 * (2.2 * rows + self._roll * t))
        lit = lit * mask * refresh[:, None, None]
        lit[::3] *= 1 - self._stripe / 2  # the gap between two lines of dots
        ys, xs = np.mgrid[0 : self._lines, 0:width]
        far = (xs / width - self._spot[0]) ** 2 + (ys / self._lines - self._spot[1]) ** 2
        lit += self._glare * np.exp(-far / 0.03)[..., None]
        lit = cv2.GaussianBlur(lit, (0, 0), self._soft)
        edge = round(self._lines * self._bezel)
        return cv2.copyMakeBorder(
            np.clip(lit, 0, 255).astype(np.uint8), edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=(14, 12, 12)
        )


# --- the species: each yields the frames of one clip ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kit:
    """What a species is made of."""

    draw: Draw
    source: Source  # the clip of the one who is imitated
    still: Image  # a portrait, cut about the face
    wearer: Source  # who sits there
    room: Image
    puppet: Callable[[Image], Puppet]


def printed_photo(kit: Kit) -> Iterator[Image]:
    """A print, held in a hand."""
    plane = printed(kit.still, kit.draw)
    plane = cv2.copyMakeBorder(plane, 14, 14, 14, 14, cv2.BORDER_CONSTANT, value=(215, 220, 222))
    hand = Hand(kit.draw, kit.draw.uniform(330, 520), plane.shape[1] / plane.shape[0])
    return (held(kit.room, plane, hand.corners(i / FPS)) for i in range(COUNT))


def phone_photo(kit: Kit) -> Iterator[Image]:
    """A photo on a phone."""
    screen, hand = (
        Display(kit.draw, 0.05),
        Hand(kit.draw, kit.draw.uniform(330, 470), kit.still.shape[1] / kit.still.shape[0]),
    )
    return (held(kit.room, screen.show(kit.still, i / FPS), hand.corners(i / FPS)) for i in range(COUNT))


def screen_replay(kit: Kit) -> Iterator[Image]:
    """A clip on a screen; with the larger one no edge of it is seen."""
    first = kit.source.frames[0]
    screen = Display(kit.draw, 0.03)
    hand = Hand(kit.draw, kit.draw.choice([430, 620, 700]), first.shape[1] / first.shape[0])
    return (held(kit.room, screen.show(one, i / FPS), hand.corners(i / FPS)) for i, one in enumerate(kit.source.frames))


def cut_out(kit: Kit) -> Iterator[Image]:
    """A print that is cut along the head."""
    plane = printed(kit.still, kit.draw)
    alpha = _oval(plane, 0.40, 0.47)
    rim = cv2.dilate(alpha, np.ones((7, 7), np.uint8)) > alpha
    plane[rim] = (225, 228, 230)
    alpha = cv2.dilate(alpha, np.ones((7, 7), np.uint8))
    hand = Hand(kit.draw, kit.draw.uniform(330, 470), plane.shape[1] / plane.shape[0])
    return (held(kit.room, plane, hand.corners(i / FPS), alpha) for i in range(COUNT))


def paper_mask(kit: Kit) -> Iterator[Image]:
    """A print with holes for the eyes, worn by somebody who moves."""
    detect = Detector(models.load_set(manifest.load()).detector)
    plane = printed(kit.still, kit.draw)
    worn = detect.find(kit.still)[0]
    alpha = np.zeros(plane.shape[:2], np.uint8)
    middle = (round(worn.x + worn.w / 2), round(worn.y + worn.h / 2))
    cv2.ellipse(alpha, middle, (round(worn.w * 0.56), round(worn.h * 0.58)), 0, 0, 360, 255, -1)
    for x, y in worn.points[:2]:
        cv2.ellipse(alpha, (round(x), round(y)), (round(worn.w * 0.11), round(worn.h * 0.05)), 0, 0, 360, 0, -1)
    for one in kit.wearer.frames:
        found = detect.find(one)
        if not found:
            yield one
            continue
        move = cv2.estimateAffinePartial2D(np.float32(worn.points), np.float32(found[0].points))[0]
        size = (one.shape[1], one.shape[0])
        mask = cv2.warpAffine(alpha, move, size)[..., None].astype(np.float32) / 255
        yield (one * (1 - mask) + cv2.warpAffine(plane, move, size) * mask).astype(np.uint8)


def animated_portrait(kit: Kit) -> Iterator[Image]:
    """A portrait that a program turns and lifts as it is asked."""
    puppet = kit.puppet(kit.still)
    for i in range(COUNT):
        puppet.follow(("", "turn_left", "", "look_up", "")[i * 5 // COUNT], round(i * 1000 / FPS))
        yield puppet.picture(round(i * 1000 / FPS))


def injected_file(kit: Kit) -> Iterator[Image]:
    """A compressed file in place of the camera."""
    for one in kit.source.frames:
        packed = cv2.imencode(".jpg", one, [cv2.IMWRITE_JPEG_QUALITY, 55])[1]
        yield cv2.imdecode(packed, cv2.IMREAD_COLOR)


def virtual_camera(kit: Kit) -> Iterator[Image]:
    """The same through a virtual camera: scaled to its fixed frame, with bars."""
    for one in kit.source.frames:
        scale = min(WIDTH / one.shape[1], HEIGHT / one.shape[0])
        small = cv2.resize(one, None, fx=scale, fy=scale)
        place = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        top, left = (HEIGHT - small.shape[0]) // 2, (WIDTH - small.shape[1]) // 2
        place[top : top + small.shape[0], left : left + small.shape[1]] = small
        yield place


def looped_clip(kit: Kit) -> Iterator[Image]:
    """A third of a clip, to and fro on a screen."""
    part = kit.source.frames[:6]
    round_ = (*part, *part[::-1])
    screen, hand = Display(kit.draw, 0.04), Hand(kit.draw, 480, part[0].shape[1] / part[0].shape[0])
    return (held(kit.room, screen.show(round_[i % 12], i / FPS), hand.corners(i / FPS)) for i in range(COUNT))


SPECIES: Final = (
    printed_photo, phone_photo, screen_replay, cut_out, paper_mask, animated_portrait, injected_file, virtual_camera,
    looped_clip,
)  # fmt: skip
DIGITAL: Final = (injected_file, virtual_camera)  # no camera sees them


def _oval(plane: Image, across: float, down: float) -> Image:
    height, width = plane.shape[:2]
    alpha = np.zeros((height, width), np.uint8)
    cv2.ellipse(
        alpha, (width // 2, round(height * 0.5)), (round(width * across), round(height * down)), 0, 0, 360, 255, -1
    )
    return alpha


# --- the whole range --------------------------------------------------------------------------------------------------


class Range:
    """Writes the clips, and what they are."""

    def __init__(self, pack: Path, out: Path, seed: int) -> None:
        self._out, self._seed = out, seed
        found = models.load_set(manifest.load())
        self._detector, self._landmarker = Detector(found.detector), Landmarker(found.landmarks)
        self._sources = windows(pack)
        stills = [(Path(name).stem, self._portrait(cv2.imread(str(pack / name)))) for name in STILLS]
        self._stills = [(name, still) for name, still in stills if self._faces(still)]
        room = cv2.VideoCapture(str(pack / "videos" / "nobody_room.mp4")).read()[1]
        street = cv2.imread(str(pack / "multi" / "nobody_background.jpg"))
        self._rooms = [cv2.resize(one, (WIDTH, HEIGHT)) for one in (room, street)]
        self._labels: dict[str, dict[str, object]] = {}
        (out / "videos").mkdir(parents=True, exist_ok=True)

    def make(self, clips: int, only: str = "") -> None:
        """Every bona fide window, plain and through the simulated camera, and `clips` of every species."""
        for i, source in enumerate(self._sources if not only else ()):
            self._write(f"real_{i:02}", source.frames, "real", "bona_fide", source.subject, False)
            camera = Camera(np.random.default_rng((self._seed, i)))
            self._write(
                f"seen_{i:02}", map(camera.take, source.frames), "real", "bona_fide_again", source.subject, True
            )
        for number, species in enumerate(SPECIES):
            for i in range(clips if only in ("", species.__name__) else 0):
                self._attack(number, species, i)
        self._landmarker.close()
        (self._out / "videos.json").write_text(json.dumps(self._labels, indent=1) + "\n", encoding="utf-8")

    def _attack(self, number: int, species: Callable[[Kit], Iterator[Image]], i: int) -> None:
        draw = np.random.default_rng((self._seed, 100 + number, i))
        by_person = [next(s for s in self._sources if s.subject == name) for name in PEOPLE]
        source, wearer = by_person[(i + number) % len(by_person)], by_person[(i + 3) % len(by_person)]
        name, still = self._stills[(i + number) % len(self._stills)]
        if i % 2 and species in (printed_photo, phone_photo, cut_out):  # of the people whose living face is there, too
            name, still = source.subject, self._portrait(source.frames[0])
        moving = species in (screen_replay, injected_file, virtual_camera, looped_clip)
        kit = Kit(draw, source, still, wearer, self._rooms[i % len(self._rooms)], self._puppet)
        camera = Camera(draw)
        frames = species(kit) if species in DIGITAL else map(camera.take, species(kit))
        self._write(
            f"{species.__name__}_{i:02}", frames, "spoof", species.__name__, source.subject if moving else name, True
        )

    def _faces(self, still: Image) -> bool:
        found = self._detector.find(still)
        return bool(found) and abs(found[0].turn) <= FACING

    def _portrait(self, picture: Image) -> Image:
        """About the head, 480 pixels high."""
        picture = frame(picture)
        found = self._detector.find(picture)[0]
        picture = frame(picture)
        x, y, side = found.x + found.w / 2, found.y + found.h * 0.45, found.h * 1.9
        left, top = max(0, round(x - side * 0.4)), max(0, round(y - side * 0.5))
        cut = picture[top : round(y + side * 0.5), left : round(x + side * 0.4)]
        return cv2.resize(cut, (round(480 * cut.shape[1] / cut.shape[0]), 480), interpolation=cv2.INTER_CUBIC)

    def _puppet(self, still: Image) -> Puppet:
        return Puppet(cv2.imencode(".png", still)[1].tobytes(), self._detector, self._landmarker)

    def _write(self, name: str, frames: Any, label: str, species: str, subject: str, synthetic: bool) -> None:
        file, writer = f"{name}.avi", None
        for one in frames:
            if writer is None:
                size = (one.shape[1], one.shape[0])
                writer = cv2.VideoWriter(str(self._out / "videos" / file), cv2.VideoWriter_fourcc(*"MJPG"), FPS, size)
                writer.set(cv2.VIDEOWRITER_PROP_QUALITY, 95)
            writer.write(one)
        if writer is not None:
            writer.release()
        self._labels[file] = {"label": label, "species": species, "subject": subject, "synthetic": synthetic}


def main() -> None:
    """Make the range."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--pack", type=Path, default=ROOT.parent / "shared" / "faces")
    parser.add_argument("--out", type=Path, required=True, help="a cache folder; nothing of it is kept in the product")
    parser.add_argument("--clips", type=int, default=8, help="of every species")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="one species")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    Range(options.pack, options.out, options.seed).make(options.clips, options.only)


if __name__ == "__main__":
    main()
