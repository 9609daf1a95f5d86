"""Playlists of live streams: plain names with their moments, or an error of ours that names the line."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import playlist
from ledger.playlist import MAX_PLAYLIST, Part, Playlist, PlaylistError

ENCODER = b"""#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:41
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-DISCONTINUITY
#EXTINF:2.000000,
#EXT-X-PROGRAM-DATE-TIME:2026-11-24T19:30:00.500+0800
hall_41.ts
#EXTINF:1.960000, a title
hall_42.ts

# a remark
#EXT-X-DISCONTINUITY
#EXTINF:2,
#EXT-X-PROGRAM-DATE-TIME:2026-11-24T11:31:00Z
hall_43.ts
"""
AT = 1_795_519_800_500  # 2026-11-24T11:30:00.5Z


def test_what_an_encoder_writes_is_read_in_programme_time() -> None:
    """Each segment has its moment: its own, or the end of the one before it (RFC 8216, 4.3.2.6)."""
    assert playlist.parse(ENCODER) == Playlist(
        2_000,
        41,
        (
            Part("hall_41.ts", AT, 2_000),
            Part("hall_42.ts", AT + 2_000, 1_960),
            Part("hall_43.ts", AT + 59_500, 2_000, apart=True),
        ),
        ended=False,
    )


def test_fragmented_mp4_is_read_with_its_beginning() -> None:
    """The file of EXT-X-MAP belongs to every segment after it; the last line of a lesson is EXT-X-ENDLIST."""
    text = ENCODER.replace(b"#EXTINF:2.000000", b'#EXT-X-MAP:URI="init.mp4"\n#EXTINF:2.000000').replace(b".ts", b".m4s")
    found = playlist.parse(text.replace(b"\n", b"\r\n") + b"#EXT-X-ENDLIST\r\n")
    assert {part.init for part in found.parts} == {"init.mp4"}
    assert found.ended


NUMBERS = st.integers(0, 10**15 - 1)
PARTS = st.lists(
    st.tuples(st.integers(1, 30_000), st.integers(0, 9_000), st.booleans()), max_size=8
)  # duration, gap before, apart


@given(sequence=NUMBERS, rows=PARTS, ended=st.booleans(), target=st.integers(1, 30), mp4=st.booleans())
def test_what_is_written_is_read_again(
    sequence: int, rows: list[tuple[int, int, bool]], ended: bool, target: int, mp4: bool
) -> None:
    """Every playlist that the server can make."""
    at, parts = AT, []
    for number, (long, gap, apart) in enumerate(rows, sequence):
        at += gap
        init, kind = ("0.mp4", "m4s") if mp4 else ("", "ts")
        parts.append(Part(f"{number}.{kind}", at, long, init, apart and bool(parts)))
        at += long
    made = Playlist(target * 1000, sequence, tuple(parts), ended)
    assert playlist.parse(playlist.write(made)) == made


@pytest.mark.parametrize(
    "name",
    ["../../records.sqlite", "/etc/passwd", "..", "a/b.ts", "a\\b.ts", "http://elsewhere.example/1.ts",
     "//elsewhere.example/1.ts", "file:///etc/passwd", "data:video/mp2t;base64,AA==", "1.ts?token=1", "1.ts#t=1",
     "%2e%2e%2f1.ts", "C:1.ts", "con.ts", ".hidden.ts", "hall.key", "server.toml", "1.m3u8", "1.ts ", "x" * 200 + ".ts",
     "hall\x00.ts", "直播.ts"],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    """Paths, addresses, queries and everything that is no segment: in the place of a segment and in EXT-X-MAP."""
    with pytest.raises(PlaylistError, match="line 9"):
        playlist.parse(ENCODER.replace(b"hall_41.ts", name.encode()))
    mapped = ENCODER.replace(b"#EXT-X-VERSION:6", b'#EXT-X-MAP:URI="' + name.encode() + b'"')
    with pytest.raises(PlaylistError, match="line 2"):
        playlist.parse(mapped)


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        (b"#EXTM3U", b"#EXTM3U8", "begins with"),
        (b"#EXTM3U", b"\xff\xfe", "UTF-8"),
        (b"#EXT-X-TARGETDURATION:2\n", b"", "without EXT-X-TARGETDURATION"),
        (b"TARGETDURATION:2", b"TARGETDURATION:0", "line 3"),
        (b"TARGETDURATION:2", b"TARGETDURATION:31", "line 3"),
        (b"TARGETDURATION:2", "TARGETDURATION:２".encode(), "line 3"),
        (b"SEQUENCE:41", b"SEQUENCE:-1", "line 4"),
        (b"SEQUENCE:41", b"SEQUENCE:" + b"9" * 16, "line 4"),
        (b"#EXTINF:2.000000,\n", b"", "without EXTINF"),
        (b"EXTINF:2.000000", b"EXTINF:-2", "line 7"),
        (b"EXTINF:2.000000", b"EXTINF:0", "line 7"),
        (b"EXTINF:2.000000", b"EXTINF:1e9", "line 7"),
        (b"EXTINF:2.000000", b"EXTINF:nan", "line 7"),
        (b"#EXT-X-PROGRAM-DATE-TIME:2026-11-24T19:30:00.500+0800\n", b"", "PROGRAM-DATE-TIME"),
        (b"#EXT-X-PROGRAM-DATE-TIME:2026-11-24T11:31:00Z\n", b"", "PROGRAM-DATE-TIME"),
        (b"19:30:00.500+0800", b"19:30:00.500", "no moment"),
        (b"2026-11-24T19", b"0001-01-01T00", "moment of a lesson"),
        (b"2026-11-24T19", b"9999-12-31T23", "moment of a lesson"),
        (b"2026-11-24T19", b"2026-13-24T19", "line 8"),
        (b"#EXT-X-VERSION:6", b"#EXT-X-KEY:METHOD=AES-128,URI=\"http://elsewhere.example/key\"", "EXT-X-KEY"),
        (b"#EXT-X-VERSION:6", b"#EXT-X-STREAM-INF:BANDWIDTH=1", "EXT-X-STREAM-INF"),
        (b"#EXT-X-VERSION:6", b"#EXT-X-BYTERANGE:5@0", "EXT-X-BYTERANGE"),
        (b"#EXT-X-VERSION:6", b'#EXT-X-MAP:URI="init.mp4",BYTERANGE="5@0"', "one whole file"),
        (b"#EXT-X-VERSION:6", b'#EXT-X-MAP:URI="init.mp4"', "has an EXT-X-MAP"),
        (b"hall_41.ts", b"hall_41.m4s", "needs an EXT-X-MAP"),
        (b"#EXT-X-VERSION:6", b"#EXT X", "no tag"),
    ],
)  # fmt: skip
def test_a_broken_playlist_is_refused_with_the_line(before: bytes, after: bytes, word: str) -> None:
    """Each fault is named, so that whoever runs the encoder can correct it."""
    assert before in ENCODER
    with pytest.raises(PlaylistError, match=word):
        playlist.parse(ENCODER.replace(before, after))


def test_a_playlist_without_end_is_refused_unread() -> None:
    with pytest.raises(PlaylistError, match="bytes"):
        playlist.parse(ENCODER + b"#" * MAX_PLAYLIST)


@given(st.one_of(st.binary(max_size=400), st.lists(st.sampled_from(ENCODER.split(b"\n")), max_size=20).map(b"\n".join)))
def test_nothing_but_our_error_leaves_the_parser(data: bytes) -> None:
    """Bytes from anywhere, and lines of real playlists in any order."""
    with contextlib.suppress(PlaylistError):
        playlist.parse(b"#EXTM3U\n" + data)
