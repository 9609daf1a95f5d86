"""Both languages say the same, kindly."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.player.i18n import FORBIDDEN, LANGUAGES, PLACEHOLDER, long, say, stamp, table
from client.player.theme import DARK, LIGHT, PAIRS, SHAPES, contrast
from client.player.wrap import NO_END, NO_START, wrap
from client.view import TEXT, Sentence, Words
from ledger.policy import GESTURES


def test_both_tables_have_every_key() -> None:
    """A sentence in one language only would be a hole in the screen."""
    zh, en = table("zh"), table("en")
    assert sorted(zh) == sorted(en)
    assert set(TEXT) <= set(zh)


def test_the_lessons_sentences_are_said_once() -> None:
    """English of the lesson stands in `client.view` alone: no second wording to keep equal."""
    assert table("en")["say.playing"] == TEXT["say.playing"]
    assert all(table("en")[key] == words for key, words in TEXT.items())


@pytest.mark.parametrize("key", sorted(table("zh")))
def test_both_languages_fill_in_the_same(key: str) -> None:
    """What one language tells (minutes, names) the other tells too."""
    assert set(PLACEHOLDER.findall(table("zh")[key])) == set(PLACEHOLDER.findall(table("en")[key]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_is_accused(language: str) -> None:
    """The words that never stand on a screen (glossary) stand in no table."""
    said = "\n".join(table(language).values()).lower()
    assert [word for word in FORBIDDEN if word in said] == []


def test_chinese_is_chinese() -> None:
    """No English sentence was left in the Chinese table, and no half-width comma between Chinese characters."""
    latin_only = {
        "rights.since",
        "settings.scale",
        "app.name",
        "app.other_language",
        "lesson.position",
        "result.of",
        "result.part",
        "pause.finding",
    }
    for key, words in table("zh").items():
        assert key in latin_only or any("\u4e00" <= c <= "\u9fff" for c in words), key
        for before, after in itertools.pairwise(words):
            assert not ("\u4e00" <= before <= "\u9fff" and after in ",;:?!"), key


def test_every_gesture_of_the_policy_has_words() -> None:
    """A prompt that cannot be read cannot be followed."""
    spoken = {key.removeprefix("gesture.") for key in table("zh") if key.startswith("gesture.")}
    assert set(GESTURES) <= spoken
    assert {"look", "neutral", "hold"} <= spoken, "the words of a prompt beyond the policy's (client.events.Prompt)"


def test_values_are_filled_in_and_never_parsed() -> None:
    """A hostile program name with braces stands there as it is."""
    said = say("en", Sentence("pause.covered", {"app": "{app} {remedy} %s"}))
    assert said.startswith("{app} {remedy} %s covers")
    assert (
        say("zh", Sentence("pause.finding", {"title": Words("标题", "Title"), "remedy": Words("办法", "Remedy")}))
        == "标题。办法"
    )
    assert say("zh", "no.such.key") == "no.such.key"


def test_lengths_of_time_in_words() -> None:
    """Seconds, minutes, hours; never a bare zero."""
    assert [long("en", ms) for ms in (0, 45_999, 60_000, 750_000, 3_600_000 * 2 + 720_000, 7_200_000)] == [
        "0 s", "45 s", "1 min", "12 min 30 s", "2 h 12 min", "2 h",
    ]  # fmt: skip
    assert long("zh", 750_000) == "12 分 30 秒"
    assert (stamp(751_000), stamp(3_727_000)) == ("12:31", "1:02:07")


@pytest.mark.parametrize("table_", [LIGHT, DARK], ids=("light", "dark"))
@pytest.mark.parametrize(("names", "least"), [(pair, 4.5) for pair in PAIRS] + [(pair, 3.0) for pair in SHAPES])
def test_every_ink_is_readable_on_its_ground(names: tuple[str, str], least: float, table_: Mapping[str, str]) -> None:
    """WCAG 2.2: words at least 4.5 to 1 (1.4.3), shapes that tell something 3 to 1 (1.4.11), in both tables."""
    assert contrast(table_[names[0]], table_[names[1]]) >= least


def test_both_tables_colour_the_same_things() -> None:
    """A token that only one table knows would be a hole in the other."""
    assert sorted(LIGHT) == sorted(DARK)


text = st.text(st.sampled_from("学习时长，。、“”（）ab cd12 —:!"), max_size=60)


@given(text, st.integers(3, 20))
def test_wrapped_lines_fit_and_lose_nothing(words: str, width: int) -> None:
    """Every character comes out, in order; a line is never longer than it may be, but for a comma that hangs on."""
    lines = wrap(words, width, lambda _: 1)
    assert "".join(lines).replace(" ", "") == words.replace(" ", "")
    assert all(len(line) <= width for line in lines)


def test_no_line_begins_with_a_comma() -> None:
    """Chinese rules: no closing mark at the start of a line, no opening one at its end."""
    words = (
        "课程在前台播放、您在屏幕前，前后两次核验都通过（看一眼摄像头，或按提示做动作），这段时间就计入“有效学习时长”。"
    )
    for width in range(4, 30):
        for line in wrap(words, width, lambda _: 1):
            assert line[0] not in NO_START
            assert line[-1] not in NO_END


def test_latin_words_stay_whole() -> None:
    """Words break at spaces; Chinese beside them breaks anywhere."""
    assert wrap("The lesson window is not in front", 12, lambda _: 1) == ["The lesson", "window is", "not in front"]
    assert wrap("请打开TrueSeat窗口", 8, lambda _: 1) == ["请打开", "TrueSeat", "窗口"]
