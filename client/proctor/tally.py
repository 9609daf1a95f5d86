"""What one attempt has gathered so far: scores, P(live), hints and times; the same for a check and for an enrolment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from client.proctor import movement, pad
from client.proctor.limits import Limits
from client.proctor.movement import Movement
from client.proctor.quality import REASON_OF, hint
from client.proctor.rigid import Posed
from client.proctor.seen import Cues, Seen, Vector, median, permille

TURNED: Final = "turned"  # a hint of one attempt alone: a challenge asks for turned heads
STALE_MS: Final = 2_000  # a camera without a new frame for so long is lost


@dataclass(slots=True)
class Tally:
    """Filled frame by frame. `hint` is the word of the last frame, "" when it could be judged."""

    limits: Limits
    started: int
    deadline_ms: int
    hint: str = ""
    frames: int = 0
    good: int = 0
    last_frame: int = 0
    matches: list[int] = field(default_factory=list)  # comparison scores, per mille
    lives: list[float] = field(default_factory=list)
    cues: list[Cues] = field(default_factory=list)  # of the same frames
    hints: Counter[str] = field(default_factory=Counter)
    yaws: list[float] = field(default_factory=list)
    lowers: list[float] = field(default_factory=list)  # what was seen of the lower face, in the frames compared
    looks: list[Vector] = field(default_factory=list)  # the faces that were compared
    sizes: list[float] = field(default_factory=list)  # the face's height, of the longer side of the frame
    asked: bool = False  # a challenge: whoever is there was asked to move
    posed: list[Posed] = field(default_factory=list)  # landmarks of the good frames

    def add(self, seen: Seen) -> str:
        """Take one frame in; return its hint."""
        self.hint = hint(seen, self.limits)
        self.frames += 1
        self.last_frame = seen.t
        self.good += not self.hint
        self.hints[self.hint] += bool(self.hint)
        if seen.live is not None and not self.hint:
            self.lives.append(seen.live)
        if seen.cues is not None and not self.hint:
            self.cues.append(seen.cues)
        if seen.pose is not None:
            self.yaws.append(seen.pose.yaw)
        posed = movement.posed(seen)
        if posed is not None and not self.hint:
            self.posed.append(posed)
        if seen.vector is not None and not self.hint:
            self.lowers.append(seen.lower)
        if seen.faces:
            self.sizes.append(seen.faces[0].h / max(seen.width, seen.height))
        return self.hint

    def turned_away(self) -> None:
        """The last frame was good but for where the head was turned: say so."""
        self.hint = TURNED
        self.hints[TURNED] += 1

    @property
    def hidden(self) -> bool:
        """Tell whether mouth and chin were under something in most of the frames that were compared."""
        return bool(self.lowers) and permille(median(self.lowers)) < self.limits.hidden

    def remaining(self, now: int) -> int:
        """Ms until the deadline, never below 0."""
        return max(0, self.started + self.deadline_ms - now)

    def why_not(self, now: int) -> str:
        """The one reason that kept this attempt from being judged, for a result that is inconclusive."""
        if now - max(self.last_frame, self.started) > STALE_MS:
            return "camera_lost"
        word = self.hint or (self.hints.most_common(1)[0][0] if self.hints.total() > self.good else "")
        return REASON_OF.get(word, word) or "late"

    def moved(self) -> Movement:
        """The face's own movement so far."""
        return movement.of(self.posed, mouth=bool(self.limits.pad_lips))

    def live(self) -> float | None:
        """P(live) of this attempt over enough frames, or None: one frame alone says nothing."""
        if len(self.lives) < self.limits.pad_frames:
            return None
        return pad.attempt(self.lives, self.moved(), asked=self.asked)

    def scores(self, now: int, **more: int) -> Mapping[str, int]:
        """What the signed event holds beside the result: figures, and the thresholds they were held against."""
        found = {"frames": self.frames, "good": self.good, "ms": now - self.started, **more}
        if self.matches:
            found |= {
                "match": round(median(self.matches)),
                "match_least": min(self.matches),
                "looks": len(self.matches),
            }
        found["match_threshold"] = self.limits.match
        if self.lowers:
            found |= {"lower": permille(median(self.lowers)), "lower_threshold": self.limits.hidden}
        if self.sizes:
            found |= {"size": permille(median(self.sizes)), "size_threshold": self.limits.far}
        if self.lives:
            whole = pad.attempt(self.lives, self.moved(), asked=self.asked)
            found |= {"pad": permille(whole), "pad_median": permille(median(self.lives))}
            found |= {"pad_least": permille(min(self.lives)), "pad_threshold": self.limits.pad}
        found["pad_frames"] = len(self.lives)
        found |= self._why()
        if self.yaws:
            found |= {"yaw_left": round(max(self.yaws)), "yaw_right": round(-min(self.yaws))}
        return found

    def _why(self) -> Mapping[str, int]:
        """What each cue of PAD said in the middle: log odds of the networks, the beat, own movement, × 1000."""
        if not self.cues:
            return {}
        wide = [cues.wide for cues in self.cues if cues.wide is not None]
        found = {"pad_near": permille(median([cues.near for cues in self.cues]))}
        found |= {"pad_wide": permille(median(wide))} if wide else {}
        found |= {"pad_beat": permille(median([cues.beat for cues in self.cues]))}
        moved = self.moved()
        found |= {} if moved.own is None else {"pad_moved": permille(moved.own)}
        return found | ({} if moved.lips is None else {"pad_lips": permille(moved.lips)})
