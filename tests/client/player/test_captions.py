"""Captions are read strictly, and nothing in them can style or script the screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from client.player.captions import CaptionTrack, Cue, parse_captions
from client.player.errors import CaptionsError


def vtt(cues: list[Cue]) -> bytes:
    """A WebVTT file of these cues, the longest way round."""

    def stamp(ms: int) -> str:
        return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"

    def escape(text: str) -> str:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    blocks = [f"{stamp(c.start_ms)} --> {stamp(c.end_ms)} line:90%\n{escape(c.text)}\n" for c in cues]
    return ("WEBVTT\n\nNOTE made by a test\n\n" + "\n".join(blocks)).encode()


words = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]), min_size=1, max_size=40
)
cues = st.lists(st.tuples(st.integers(0, 9_999_999), st.integers(1, 9000), words), max_size=12).map(
    lambda rows: [Cue(start, start + length, text.strip()) for start, length, text in sorted(rows)]
)


@given(cues)
def test_what_was_written_is_read_again(rows: list[Cue]) -> None:
    """Round trip: times to the millisecond, words to the character."""
    assert list(parse_captions(vtt(rows))) == rows


@given(cues, st.integers(0, 10_000_000))
def test_the_words_of_a_moment_are_those_of_its_cues(rows: list[Cue], at: int) -> None:
    """The quick search finds what looking at every cue finds."""
    slow = "\n".join(c.text for c in rows if c.start_ms <= at < c.end_ms)
    assert CaptionTrack(rows).at(at) == slow


@given(st.binary(max_size=400) | st.text(max_size=300).map(lambda t: ("WEBVTT\n\n" + t).encode("utf-8", "replace")))
@example(b"WEBVTT\n\n00:00.000 --> 99999999999999999999:00:01.000\nx")
@example(b"WEBVTT\n\nid only")
def test_no_bytes_raise_anything_but_our_error(data: bytes) -> None:
    """Fuzz: cues or `CaptionsError`, nothing else."""
    try:
        parsed = parse_captions(data)
    except CaptionsError:
        return
    assert all(c.start_ms < c.end_ms for c in parsed)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("WEBVT\n", "line 1"),
        ("WEBVTT\n\n00:01.000 --> 00:00.500\nback in time", "line 3"),
        ("WEBVTT\n\nname\n00:01.000 -> 00:02.000\nwrong arrow", "line 4"),
        ("WEBVTT\n\n00:05.000 --> 00:06.000\na\n\n00:01.000 --> 00:02.000\nb", "line 6"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\na\n00:02.000 --> 00:03.000\nno blank line", "line 3"),
        ("WEBVTT\n\n00:61.000 --> 00:62.000\nno such second", "line 3"),
    ],
)
def test_a_fault_names_its_line(text: str, line: str) -> None:
    """Who made the captions is told where to look."""
    with pytest.raises(CaptionsError, match=line):
        parse_captions(text.encode())


def test_markup_never_reaches_the_screen() -> None:
    """Tags, classes, voices, styles and entities: only the words remain."""
    style = b"WEBVTT\n\nSTYLE\n::cue { color: red }\n\n"
    data = style + b"1\n00:00.000 --> 00:01.000\n<v Ann><b>5 &lt; 6</b> &amp;amp; <c.red>so</c>"
    assert parse_captions(data)[0].text == "5 < 6 &amp; so"


def test_the_demo_lesson_has_words_from_end_to_end_in_both_languages(demo_course: Path) -> None:
    """Captions of the committed lesson: same moments, both languages."""
    zh, en = (parse_captions((demo_course / f"lesson.{tag}.vtt").read_bytes()) for tag in ("zh", "en"))
    assert [(c.start_ms, c.end_ms) for c in zh] == [(c.start_ms, c.end_ms) for c in en]
    assert zh[-1].end_ms <= 60_000
    assert CaptionTrack(zh).at(16_500).startswith("第一步")
