"""The course: units in order with their lengths, files by hash, and no name that leads out of the package."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import course
from ledger.course import CourseError

A, B = "a" * 64, "b" * 64
PACKAGE = f"""
id = "safety"
version = 2
[title]
zh = "安全"
en = "Safety"

[[unit]]
id = "one"
duration_ms = 60000
media = "one.mp4"
media_sha256 = "{A}"
[unit.title]
zh = "一"
en = "One"
[unit.captions]
zh = "one.zh.vtt"
en = "one.en.vtt"
[unit.captions_sha256]
zh = "{A}"
en = "{B}"
[[unit.question]]
id = "q1"
at_ms = 30000
point = "fire.extinguisher"
choices = [{{ zh = "拔", en = "Pull" }}, {{ zh = "压", en = "Press" }}]
[unit.question.prompt]
zh = "先做什么？"
en = "What comes first?"

[[unit]]
id = "two"
duration_ms = 120000
media = "two.webm"
media_sha256 = "{B}"
[unit.title]
zh = "二"
en = "Two"
""".encode()


def test_a_course_says_its_units_in_order() -> None:
    """Order and length of units are what credit counts by; the hash of the bytes is the course's identity."""
    found = course.parse(PACKAGE)
    assert [(unit.id, unit.duration_ms) for unit in found.units] == [("one", 60_000), ("two", 120_000)]
    assert found.sha256 == hashlib.sha256(PACKAGE).hexdigest()
    assert found.title.in_("zh-CN") == "安全"
    assert found.title.in_("en") == "Safety"
    question = found.unit("one").questions[0]
    assert (question.at_ms, question.point, question.choices[1].en) == (30_000, "fire.extinguisher", "Press")
    assert found.files() == {"one.mp4": A, "one.zh.vtt": A, "one.en.vtt": B, "two.webm": B}
    with pytest.raises(CourseError):
        found.unit("three")


@pytest.mark.parametrize(
    "name",
    ["../one.mp4", "/etc/passwd", "a/b.mp4", "a\\b.mp4", "C:one.mp4", ".hidden", "con.mp4", "NUL", "one.mp4\n", "",
     "course.toml", "a..mp4", "one.", "ünit.mp4", "x" * 200, "a.b.c.d.e"],
)  # fmt: skip
def test_a_file_name_that_leads_elsewhere_is_refused(name: str) -> None:
    """Paths, drive letters, hidden and device names: none is a file of the package on any system."""
    with pytest.raises(CourseError):
        course.safe_name(name)
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").encode()
    with pytest.raises(CourseError):
        course.parse(PACKAGE.replace(b"two.webm", escaped))


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        (b'id = "two"', b'id = "one"', "same id twice"),
        (b"duration_ms = 120000", b"duration_ms = 0", "duration_ms"),
        (b"duration_ms = 120000", b"duration_ms = 120000.0", "duration_ms"),
        (b"at_ms = 30000", b"at_ms = 60001", "at_ms"),
        (b"version = 2", b"version = 2\nlevel = 1", "unknown field 'level'"),
        (b"version = 2", b"", "missing field 'version'"),
        (b'en = "one.en.vtt"', b"", "different languages"),
        (b'media = "two.webm"', b'media = "ONE.mp4"', "two contents"),
        (b'media = "two.webm"', b'lower = "small.mp4"\nmedia = "two.webm"', "belong together"),
        (B.encode(), b"B" * 64, "not of its form"),
        ('zh = "二"'.encode(), b'zh = ""', "plain sentence"),
        ('zh = "二"'.encode(), b'zh = "a\\u202eb"', "plain sentence"),
    ],
)
def test_a_broken_course_is_refused_with_the_field(before: bytes, after: bytes, word: str) -> None:
    """Each fault is named, so that the provider can correct it."""
    assert before in PACKAGE
    with pytest.raises(CourseError, match=word):
        course.parse(PACKAGE.replace(before, after))


def chaptered(*rows: tuple[object, str]) -> bytes:
    """The package, its last unit (120 s) with these chapters."""
    tables = (f'[[unit.chapter]]\nat_ms = {at}\ntitle = {{ zh = "章", en = {json.dumps(en)} }}\n' for at, en in rows)
    return PACKAGE + "".join(tables).encode()


NAMES = st.text("abcdefgh XYZ09'-é章", min_size=1, max_size=80)
STARTS = st.sets(st.integers(1, 119_999), max_size=99).map(lambda later: [0, *sorted(later)])


@given(starts=STARTS, name=NAMES)
def test_chapters_come_back_as_they_were_written(starts: list[int], name: str) -> None:
    """Every list of chapters in order, from the unit's beginning to before its end; a unit without any has none."""
    found = course.parse(chaptered(*((at, name) for at in starts)))
    assert [(part.at_ms, part.title) for part in found.units[1].chapters] == [
        (at, course.Text("章", name)) for at in starts
    ]
    assert found.units[0].chapters == ()


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ([(1, "late")], "chapter 1: at_ms"),
        ([(0, "a"), (0, "b")], "chapter 2: at_ms"),
        ([(0, "a"), (9_000, "b"), (8_000, "c")], "chapter 3: at_ms"),
        ([(0, "a"), (120_000, "b")], "chapter 2: at_ms"),
        ([(0, "a"), (-1, "b")], "chapter 2: at_ms"),
        ([(0, "a"), ("true", "b")], "chapter 2: at_ms"),
        ([(0, "a"), ("5.0", "b")], "chapter 2: at_ms"),
        ([(0, "x" * 81)], "more than 80"),
        ([(0, "")], "plain sentence"),
        ([(0, "\u202eb")], "plain sentence"),
        ([(at, "many") for at in range(101)], "list of 0 to 100"),
    ],
)
def test_chapters_out_of_place_are_refused_with_their_number(rows: list[tuple[object, str]], word: str) -> None:
    """Not from the beginning, twice, out of order, at or beyond the end, no whole number, no plain short title."""
    with pytest.raises(CourseError, match=word):
        course.parse(chaptered(*rows))


JUNK = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9), lambda inner: (
    st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["at_ms", "title", "zh", "en", "x"]), inner)
))  # fmt: skip


@given(value=JUNK)
def test_anything_in_the_place_of_chapters_is_chapters_or_refused(value: object) -> None:
    """Whatever a TOML file can hold there: chapters in order within the unit, or `CourseError`."""
    with contextlib.suppress(CourseError):
        found = course._chapters(value, "two", 120_000)
        assert [part.at_ms for part in found] == sorted({part.at_ms for part in found})
        assert all(0 <= part.at_ms < 120_000 for part in found)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[" * 90_000, b"#" * 1_100_000, b"unit = 1", b"id = 1979-05-27"])
def test_bytes_that_are_no_course_are_refused(data: bytes) -> None:
    """Whatever lies in a package: one error type leaves the parser."""
    with pytest.raises(CourseError):
        course.parse(data)


@given(at=st.integers(0, len(PACKAGE) - 1), put=st.binary(max_size=8), cut=st.integers(0, 8))
def test_a_damaged_course_is_parsed_or_refused_but_never_crashes(at: int, put: bytes, cut: int) -> None:
    """Bytes changed anywhere: a course whose files stay inside, or `CourseError`."""
    with contextlib.suppress(CourseError):
        found = course.parse(PACKAGE[:at] + put + PACKAGE[at + cut :])
        assert all(course.safe_name(name) == name for name in found.files())


LIVE = b'live = { stream = "hall-1", starts = 2026-11-24T19:30:00+08:00 }'
FILED = f'media = "two.webm"\nmedia_sha256 = "{B}"'.encode()


def test_a_live_unit_has_a_stream_and_a_planned_start_in_place_of_a_file() -> None:
    """Its position is programme time, so that its length bounds credit like any other unit's; it names no file."""
    found = course.parse(PACKAGE.replace(FILED, LIVE))
    unit = found.unit("two")
    assert unit.live == course.Live("hall-1", 1_795_519_800_000)
    assert (unit.media, unit.media_sha256, unit.files()) == ("", "", {})
    assert found.files() == {"one.mp4": A, "one.zh.vtt": A, "one.en.vtt": B}
    assert found.unit("one").live is None


@given(
    stream=st.from_regex(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?", fullmatch=True),
    starts=st.datetimes(
        datetime.datetime(2020, 1, 2), datetime.datetime(2099, 12, 30), timezones=st.just(datetime.UTC)
    ).map(lambda moment: moment.replace(microsecond=0)),
    offset=st.integers(-720, 840),
)
def test_a_live_unit_comes_back_as_it_was_written(stream: str, starts: datetime.datetime, offset: int) -> None:
    """Every stream's name and every moment, whatever zone the provider writes it in."""
    written = starts.astimezone(datetime.timezone(datetime.timedelta(minutes=offset))).isoformat()
    found = course.parse(PACKAGE.replace(FILED, f'live = {{ stream = "{stream}", starts = {written} }}'.encode()))
    assert found.unit("two").live == course.Live(stream, int(starts.timestamp()) * 1000)


@pytest.mark.parametrize(
    ("form", "word"),
    [
        (LIVE + b"\n" + FILED, "unknown field 'media'"),
        (b"", "missing field 'media'"),
        (LIVE + b'\nlower = "small.mp4"\nlower_sha256 = "' + A.encode() + b'"', "unknown field 'lower'"),
        (LIVE + b'\nchapter = [{ at_ms = 0, title = { zh = "a", en = "a" } }]', "unknown field 'chapter'"),
        (LIVE + b"\nquestion = []", "unknown field 'question'"),
        (LIVE.replace(b"hall-1", b"../hall"), "stream"),
        (LIVE.replace(b"hall-1", b"Hall"), "stream"),
        (LIVE.replace(b"hall-1", b""), "stream"),
        (LIVE.replace(b"hall-1", b"x" * 65), "stream"),
        (LIVE.replace(b"+08:00", b""), "no moment with its offset"),
        (LIVE.replace(b"2026-11-24T19:30:00+08:00", b"2026-11-24"), "no moment with its offset"),
        (LIVE.replace(b"2026-11-24T19:30:00+08:00", b"1795519800000"), "no moment with its offset"),
        (LIVE.replace(b":00+08", b":00.5+08"), "no moment with its offset"),
        (LIVE.replace(b"2026", b"1970"), "not between"),
        (LIVE.replace(b"2026", b"2126"), "not between"),
        (LIVE.replace(b" }", b", key = 1 }"), "unknown field 'key'"),
        (b'live = "hall-1"', "no table"),
    ],
)
def test_a_live_unit_that_is_not_of_its_form_is_refused(form: bytes, word: str) -> None:
    """It is live or it has a file; a stream is a folder's name, a start is one moment everywhere on earth."""
    assert FILED in PACKAGE
    with pytest.raises(CourseError, match=word):
        course.parse(PACKAGE.replace(FILED, form))


TEST = """
[unit.test]
pass_permille = 600
[[unit.test.question]]
id = "t1"
point = "fire"
prompt = { zh = "一", en = "One" }
choices = [ { zh = "甲", en = "A" }, { zh = "乙", en = "B" } ]
""".encode()


def test_a_unit_may_end_with_a_test() -> None:
    """Questions without a moment of their own, and the share that passes; they come after those of the lesson."""
    one, two = course.parse(PACKAGE + TEST).units
    assert (one.test, [question.id for question in one.asked]) == (None, ["q1"])
    assert two.test is not None
    assert (two.test.pass_permille, [item.at_ms for item in two.test.questions]) == (600, [two.duration_ms])
    assert [question.id for question in two.asked] == ["t1"]


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        (b"pass_permille = 600", b"pass_permille = 1001", "pass_permille"),
        (b"pass_permille = 600", b"", "pass_permille"),
        (b"pass_permille = 600", b"pass_permille = 600\nsecret = 1", "secret"),
        (b'id = "t1"', b'id = "t1"\nat_ms = 5', "at_ms"),
        (b'id = "t1"', b'id = "../t1"', "question id"),
        (b"[[unit.test.question]]", b"[unit.test.question]", "question"),
        (b', { zh = "\xe4\xb9\x99", en = "B" }', b"", "choices"),
        (TEST, TEST + TEST.partition(b"600")[2], "twice"),
        (TEST, b'[[unit.question]]\nid = "t1"\nat_ms = 1\n' + TEST.partition(b'"t1"')[2] + TEST, "twice"),
    ],
)
def test_a_test_that_is_not_of_its_form_is_refused(before: bytes, after: bytes, word: str) -> None:
    """Named by its field; no question has the name of another of its unit."""
    whole = PACKAGE + TEST
    assert before in whole
    with pytest.raises(CourseError, match=word):
        course.parse(whole.replace(before, after))


@given(st.recursive(st.none() | st.integers() | st.text(max_size=8) | st.booleans(), lambda inner: st.lists(
    inner, max_size=3) | st.dictionaries(st.sampled_from(["pass_permille", "question", "id", "x"]), inner, max_size=3)))
def test_anything_in_the_place_of_a_test_is_a_test_or_refused(value: object) -> None:
    """No value of TOML's leaves the parser as another error than ours."""
    with contextlib.suppress(CourseError):
        assert course._test(value, "one", 60_000).questions
