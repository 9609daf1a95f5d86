"""Patterns of rules are bounded: no rule can be kept busy by a hostile command line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import PatternError
from agent.pattern import MAX_TEXT, compile_bounded, search


@pytest.mark.parametrize(
    "pattern",
    [
        "a*", "a+", ".*", "(a|b)+", "x{2,}", "(a{1,40}){1,40}", "[a-z]{0,100}[a-z]{0,100}", r"(a)\1", "a(?=b)",
        "a(?!b)", "(?<=a)b", "", "a?", "(", "[z-a]", "x" * 500, "(a{0,9}){0,9}{0,9}", "|a",
    ],
)  # fmt: skip
def test_an_unbounded_or_broken_pattern_is_refused(pattern: str) -> None:
    """`*`, `+`, nested repeats, backreferences, lookarounds, the empty match: each is named and refused."""
    with pytest.raises(PatternError):
        compile_bounded(pattern)


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("--port=[0-9]{1,5}( |$)", "chromedriver --PORT=9515", "--PORT=9515"),
        ("^按键精灵", "按键精灵2014.exe", "按键精灵"),
        ("(xdotool|ydotool) [^;]{0,40}click", "sh -c xdotool mousemove 1 1 click 1", "xdotool mousemove 1 1 click"),
        ("frida", "FridayNotes", "Frida"),
        ("^frida([-_][a-z]{1,9})?$", "FridayNotes", None),
    ],
)
def test_a_bounded_pattern_finds_what_it_says(pattern: str, text: str, found: str | None) -> None:
    """Patterns search without regard to case and return the text that matched."""
    assert search(compile_bounded(pattern), text) == found


def test_padding_does_not_hide_the_end_of_a_command_line() -> None:
    """Of a very long text head and tail are searched: flags pushed out by megabytes of padding are still found."""
    pattern = compile_bounded("--remote-debugging-pipe")
    assert search(pattern, "x" * 10 * MAX_TEXT + " --remote-debugging-pipe")
    assert search(pattern, "--remote-debugging-pipe " + "x" * 10 * MAX_TEXT)


@given(st.text(max_size=60))
def test_any_text_is_a_pattern_or_refused(pattern: str) -> None:
    """Only `PatternError` leaves the lint, whatever is written in a rule."""
    try:
        compiled = compile_bounded(pattern)
    except PatternError:
        return
    search(compiled, pattern * 3)
