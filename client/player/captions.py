"""Captions: WebVTT read strictly, and the words that belong to a moment.

Source: WebVTT (W3C), section 4. Cue settings, STYLE, REGION and NOTE blocks are read over; tags are dropped, so that
nothing in a captions file can style or script the screen.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from client.player.errors import CaptionsError

MAX_BYTES = 2 << 20  # a day of speech is about 1 MB
MAX_CUE = 2000  # characters; longer covers the picture
_STAMP = r"(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_TIMING = re.compile(rf"{_STAMP}[ \t]+-->[ \t]+{_STAMP}(?:[ \t]+\S.*)?")
_TAG = re.compile(r"<[^<>]*>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&nbsp;": " ", "&lrm;": "", "&rlm;": "", "&amp;": "&"}
_ENTITY = re.compile("|".join(_ENTITIES))
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Cue:
    """Plain words shown in [start_ms, end_ms)."""

    start_ms: int
    end_ms: int
    text: str


def parse_captions(data: bytes) -> tuple[Cue, ...]:
    """The cues of a WebVTT file in order of start, or `CaptionsError` naming the line."""
    if len(data) > MAX_BYTES:
        raise CaptionsError(f"captions file of {len(data)} bytes, at most {MAX_BYTES}")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as e:
        raise CaptionsError(f"not UTF-8 at byte {e.start}") from None
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not re.fullmatch(r"WEBVTT(?:[ \t].*)?", lines[0]):
        raise CaptionsError("line 1: does not begin with WEBVTT")
    cues: list[Cue] = []
    at = _end_of_block(lines, 0)
    while at < len(lines):
        if not lines[at]:
            at += 1
            continue
        end = _end_of_block(lines, at)
        cue = _block(lines[at:end], at + 1)
        if cue is not None:
            if cues and cue.start_ms < cues[-1].start_ms:
                raise CaptionsError(f"line {at + 1}: cues are not in order of time")
            cues.append(cue)
        at = end
    return tuple(cues)


def _end_of_block(lines: Sequence[str], at: int) -> int:
    while at < len(lines) and lines[at]:
        at += 1
    return at


def _block(block: Sequence[str], number: int) -> Cue | None:
    """A cue, or None for the blocks that show nothing."""
    if re.match(r"(NOTE|STYLE|REGION)(?:[ \t]|$)", block[0]):
        return None
    timing = 0 if "-->" in block[0] else 1
    if len(block) <= timing or (found := _TIMING.fullmatch(block[timing])) is None:
        raise CaptionsError(f"line {number + timing}: no cue timing")
    start, end = _ms(found.groups()[:4]), _ms(found.groups()[4:])
    if end <= start:
        raise CaptionsError(f"line {number + timing}: the cue ends before it starts")
    body = block[timing + 1 :]
    if any("-->" in line for line in body):
        raise CaptionsError(f"line {number + timing}: a timing inside a cue")
    return Cue(start, end, _plain("\n".join(body), number + timing))


def _ms(parts: Sequence[str | None]) -> int:
    hours, minutes, seconds, thousandths = (int(p or 0) for p in parts)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths


def _plain(text: str, line: int) -> str:
    plain = _ENTITY.sub(lambda m: _ENTITIES[m[0]], _TAG.sub("", text)).strip()
    if len(plain) > MAX_CUE:
        raise CaptionsError(f"line {line}: a cue of {len(plain)} characters, at most {MAX_CUE}")
    if _CONTROL.search(plain):
        raise CaptionsError(f"line {line}: a control character in the words")
    return plain


class CaptionTrack:
    """The words of any moment; overlapping cues stand under each other."""

    def __init__(self, cues: Sequence[Cue]) -> None:
        self._cues = tuple(cues)
        self._starts = [c.start_ms for c in self._cues]
        self._longest = max((c.end_ms - c.start_ms for c in self._cues), default=0)

    def at(self, position_ms: int) -> str:
        """What is to be read at `position_ms`; "" when nobody speaks."""
        last = bisect_right(self._starts, position_ms)
        first = bisect_right(self._starts, position_ms - self._longest - 1)
        return "\n".join(c.text for c in self._cues[first:last] if position_ms < c.end_ms)
