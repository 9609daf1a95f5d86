"""What speaks for a picture before the camera when a challenge was not passed: words for a person who decides.

Poor light, a small face or a camera that blurs are no evidence: where most frames could not be judged, or too few were
seen, there are no doubts, only an attempt that could not be decided.
"""

from __future__ import annotations

from typing import Final

from client.proctor.seen import median, permille
from client.proctor.tally import Tally

REASON: Final = "not_clear"  # of a result that PAD leaves open
OPEN: Final = (REASON, "gesture")  # reasons of a challenge that may carry doubts
GRID_FROM: Final = 2.9  # log height of peaks above which living faces hardly ever come: the knee of pad.json
TEXTURE, RIM, GRID, STIFF, STILL = "texture", "surroundings", "grid", "stiff", "no_gesture"


def reasons(tally: Tally, *, moved: bool) -> tuple[str, ...]:
    """The cues that speak against a living face, strongest kind first; () where PAD does not doubt, or could not see.

    `moved`: the gesture that was asked for came.
    """
    live = tally.live()
    if live is None or permille(live) >= tally.limits.pad or tally.good * 2 < tally.frames:
        return ()
    found = [name for name, against in _against(tally).items() if against]
    return tuple(found if moved else [*found, STILL]) or (TEXTURE,)


def _against(tally: Tally) -> dict[str, bool]:
    near = [cues.near for cues in tally.cues]
    wide = [cues.wide for cues in tally.cues if cues.wide is not None]
    beat = [cues.beat for cues in tally.cues]
    moved = tally.moved()
    return {
        TEXTURE: bool(near) and median(near) < 0,
        RIM: bool(wide) and median(wide) < 0,
        GRID: bool(beat) and median(beat) > GRID_FROM,
        STIFF: any(part is not None and part < 0 for part in (moved.own, moved.lips)),
    }
