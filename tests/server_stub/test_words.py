"""The words of the pages: the house's vocabulary in both languages, and a sentence for everything that is found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ledger.events import Finding
from server_stub.routes.words import WORDS
from tests.server_stub import rule_words
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS
from tests.server_stub.staff import hire
from tests.server_stub.test_pages import FORBIDDEN

CLIENT = Path(__file__).parents[2] / "client"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_word_of_a_page_accuses(lang: str) -> None:
    """house.md: never on a screen."""
    said = {key: text for key, text in WORDS[lang].items() if any(word in text.lower() for word in FORBIDDEN)}
    assert said == {}


def test_every_word_stands_in_both_languages() -> None:
    """No text is empty, and both languages have the same keys."""
    assert {key for lang in WORDS for key, text in WORDS[lang].items() if not text.strip()} == set()
    assert set(WORDS["zh"]) == set(WORDS["en"])


def test_the_titles_of_rules_are_those_of_the_agent() -> None:
    """Written anew whenever a rule is: `python -m tests.server_stub.rule_words --write`."""
    assert rule_words.WRITTEN.read_text(encoding="utf-8") == rule_words.written()
    assert not [pair for pair in rule_words.titles().values() if "{" in "".join(pair)]


def test_what_the_client_itself_finds_has_words() -> None:
    """A finding of the client's own is named in a sentence, too."""
    source = "\n".join(path.read_text(encoding="utf-8") for path in CLIENT.rglob("*.py"))
    own = set(re.findall(r'Finding\("([a-z._-]+)"', source))
    assert own >= {"presence.others", "presence.fed"}
    assert {rule for rule in own if f"rule {rule}" not in WORDS["zh"]} == set()


def test_a_finding_is_a_sentence_on_every_page(room: Room) -> None:
    """Live, the learner now, and the learner's own page; a rule nobody knows here keeps its own name, as text."""
    browser = hire(room)["supervisor"]
    device = room.learner().ready().open()
    device.add(Finding("macro.recorder", 3, "high", "pause", {"name": "<script>alert(1)</script>"}))
    device.add(Finding("tomorrow.rule", 1, "medium", "report", {}))
    device.send()
    for path in (f"/classes/{CLASS}/live", f"/classes/{CLASS}/live/{device.sid}"):
        page = browser.get(path, headers={"Accept-Language": "en"}).text
        assert "The macro tool is running" in page, path
        assert "tomorrow.rule" in page
        assert "<script>alert" not in page
