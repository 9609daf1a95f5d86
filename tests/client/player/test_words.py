"""Every text that a person may read, in both languages, against the house's words: nobody is accused, nothing is called
by two names."""

from __future__ import annotations

import importlib
import pkgutil
import re
import tomllib
from collections.abc import Iterator

import pytest

import agent
import client.errors
import ledger
from agent import pack
from client.player.i18n import FORBIDDEN, LANGUAGES, table
from client.view import TEXT
from ledger.policy import PRESETS, parse, preset
from ledger.reasons import REASONS
from tests.conftest import ROOT

# On a learner's screen these words say more than is known, or frighten; the house has others for them (house.md).
HARSH = {
    "zh": ("失败", "非法", "可疑", "怀疑", "处罚", "警告", "警报", "人脸识别", "检查点", "无效", "封禁"),
    "en": ("fail", "illegal", "invalid", "suspect", "punish", "penalt", "violation", "warning", "fraud", "checkpoint"),
}
# A word of the vocabulary beside what it must not be called (client's own texts)
NAMES = {"zh": ("认证", "识别", "打卡", "扫脸", "学分清零"), "en": ("verif", "validat", "authenticat", "sanction")}
ALLOWED = {
    "rights.copies_lead",  # anybody can *verify* a copy: the signature, and rightly so called
}


def mine(language: str) -> dict[str, str]:
    """The client's texts."""
    return dict(table(language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_screen_of_the_client_frightens_or_blames(language: str) -> None:
    """No verdict, no threat: what happened, and what to do."""
    harsh = (*FORBIDDEN, *HARSH[language])
    wrong = {key: words for key, words in mine(language).items() for word in harsh if word in words.lower()}
    assert wrong == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_things_are_called_by_one_name(language: str) -> None:
    """A check is 核验, a signature is verified (验签), a form is validated: on a screen only the first is met."""
    wrong = {
        key: words
        for key, words in mine(language).items()
        for name in NAMES[language]
        if name in words.lower() and key not in ALLOWED
    }
    assert wrong == {}


def test_the_sentences_of_the_lesson_are_short() -> None:
    """One sentence, or two short ones: read at a glance while the lesson waits."""
    long_en = {key: words for key, words in TEXT.items() if len(words) > 140}
    long_zh = {key: words for key in TEXT if len(words := table("zh")[key]) > 60}
    assert (long_en, long_zh) == ({}, {})


def test_a_notice_is_at_most_five_seconds() -> None:
    """From the sound to the first prompt: every preset of the policy."""
    notices = {name: parse(preset(name)).notice_ms for name in PRESETS}
    assert all(0 < notice_ms <= 5_000 for notice_ms in notices.values()), notices


def server_words() -> Iterator[tuple[str, str]]:
    """Every text of the server's pages: (key, words) in both languages."""
    for path in sorted((ROOT / "server_stub/web/words").glob("*.toml")):
        for key, texts in tomllib.loads(path.read_text(encoding="utf-8")).items():
            for words in texts if isinstance(texts, list) else [texts]:
                yield f"{path.stem}.{key}", str(words)


def test_no_page_of_the_server_accuses() -> None:
    """Supervisors read "to be clarified", too."""
    texts = list(server_words())
    assert len(texts) > 200
    assert [(key, words) for key, words in texts for word in FORBIDDEN if word in words.lower()] == []


def test_no_reason_and_no_rule_accuses() -> None:
    """Why a part does not count, and what the study assistant says, in both languages."""
    said = [(r.code, text) for r in REASONS.values() for text in (r.zh, r.en)]
    for rule in pack.load_folder().rules:
        said += [(rule.id, text) for words in (rule.zh, rule.en) for text in (words.title, words.why, words.remedy)]
    assert [(key, text) for key, text in said for word in FORBIDDEN if word in text.lower()] == []


def errors() -> Iterator[type[Exception]]:
    """Every error class of client, agent and ledger that speaks to people."""
    for package in (client, agent, ledger):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if found.name.rpartition(".")[2] != "errors":
                continue
            for value in vars(importlib.import_module(found.name)).values():
                if isinstance(value, type) and issubclass(value, Exception) and getattr(value, "remedy", ""):
                    yield value


@pytest.mark.slow
def test_errors_say_what_to_do_and_blame_nobody() -> None:
    """A remedy in both languages, and none of the words that never stand on a screen."""
    found = set(errors())
    assert len(found) > 20
    for error in found:
        remedy, zh = str(getattr(error, "remedy", "")), str(getattr(error, "zh", ""))
        assert remedy, error
        if issubclass(error, client.errors.ClientError):
            assert re.search("[\u4e00-\u9fff]", zh), error
        assert not [word for word in FORBIDDEN if word in f"{remedy} {zh}".lower()], error
