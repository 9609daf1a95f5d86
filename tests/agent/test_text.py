"""Foreign names are shown, never obeyed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.text import clean, program


@given(st.text(), st.integers(1, 300))
def test_cleaned_text_is_one_printable_line(text: str, limit: int) -> None:
    """Whatever goes in, one line of at most `limit` printable characters comes out."""
    shown = clean(text, limit)
    assert shown.isprintable()
    assert len(shown) <= limit
    shown.encode()


def test_ordinary_text_stays_as_it_is() -> None:
    """Chinese names and punctuation are not escaped."""
    assert clean("按键精灵 2014（正式版）.exe") == "按键精灵 2014（正式版）.exe"
    assert clean("a\nb\u202ec") == "a\\u000ab\\u202ec"


def test_program_names_are_compared_without_path_case_and_suffix() -> None:
    """One name on every platform."""
    assert program("C:\\Tools\\ChromeDriver.EXE") == program("/usr/bin/chromedriver") == "chromedriver"
