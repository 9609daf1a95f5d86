"""The pack is what the class agreed on: one line, one hash, and nothing but that line is accepted for it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import AgentError, ExpiredPackError, PackError, RuleError
from agent.pack import Pack, load_class, load_folder, load_line
from tests.tries import tries

WORDS = {"title": "标题", "why": "原因", "remedy": "办法"}
RULE = {
    "id": "a.b", "version": 1, "maturity": "stable", "severity": "low", "table": "files", "response": "inform",
    "any": [{"path": {"re": ["x"]}}], "false_alarms": "none known", "zh": WORDS, "en": WORDS,
    "example": [{"match": True, "row": {"path": "x"}}, {"match": False, "row": {"path": "y"}}],
}  # fmt: skip


def line(*rules: object, **more: object) -> bytes:
    raw = {"exempt": [], "rule": list(rules), **more}
    return json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_the_built_in_pack_survives_its_own_line(pack: Pack) -> None:
    """What a server carries is, rule for rule, what was written as TOML."""
    again = load_line(pack.line, pack.sha256)
    assert again.line == pack.line
    assert [rule.id for rule in again.rules] == [rule.id for rule in pack.rules]


def test_the_hash_does_not_depend_on_files_or_order(tmp_path: Path) -> None:
    """The same rules in other files, in another order, are the same pack."""
    import shutil

    from agent.pack import BUILT_IN

    text = "\n".join(path.read_text("utf-8") for path in sorted(BUILT_IN.glob("*.toml"), reverse=True))
    (tmp_path / "all.toml").write_text(text, "utf-8")
    assert load_folder(tmp_path).sha256 == load_folder().sha256
    shutil.rmtree(tmp_path)


def test_another_pack_than_the_granted_one_is_refused(pack: Pack) -> None:
    """A hash that the grant does not name is refused before anything is parsed."""
    with pytest.raises(PackError, match="asked for"):
        load_line(line(RULE), pack.sha256)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{}", b"[]", b"nonsense", b"\xff", b'{"rule":[],"exempt":[]}', line(), line(RULE, RULE),
        line(RULE, extra=1), b"[" * 100_000, line({**RULE, "version": 1.0}), line(RULE) + b"\n",
        b" " + line(RULE), line("x"), line(RULE).replace(b'"version":1', b'"version":1,"version":1'),
        b'{"exempt":{},"rule":{}}',
        b'{"exempt":[],"rule":[' + b'{"any":' * 3000 + b"1" + b"}" * 3000 + b"]}",
    ],
)  # fmt: skip
def test_a_malformed_pack_is_refused(data: bytes) -> None:
    """Empty, doubled, reordered, deeply nested, not canonical: each is an error of ours."""
    with pytest.raises((PackError, RuleError)):
        load_line(data)


def test_one_good_rule_is_a_pack() -> None:
    """The smallest pack loads."""
    assert load_line(line(RULE)).rules[0].id == "a.b"


@pytest.mark.parametrize("text", ["[[rule]", "rule = 3", "[[secrets]]\nx = 1", 'x = "\x00"'])
def test_a_broken_rule_file_is_named(tmp_path: Path, text: str) -> None:
    """Broken TOML or a foreign table is refused, and the file is named."""
    (tmp_path / "bad.toml").write_text(text, "utf-8")
    with pytest.raises(AgentError, match=r"bad\.toml"):
        load_folder(tmp_path)


def test_a_folder_without_rules_is_refused(tmp_path: Path) -> None:
    """An agent without rules would guard nothing and say nothing."""
    with pytest.raises(PackError):
        load_folder(tmp_path)


@settings(max_examples=tries(60))
@given(st.binary(max_size=200), st.integers(0, 10**6))
def test_a_changed_byte_never_leaves_the_loader_as_a_foreign_error(noise: bytes, at: int) -> None:
    """Fuzz: bytes put into a good line load as that line or raise an error of ours."""
    good = line(RULE)
    at %= len(good)
    data = good[:at] + noise + good[at + len(noise) // 2 :]
    try:
        load_line(data)
    except AgentError:
        assert data != good


def carried(pack: Pack, **more: object) -> bytes:
    raw = {**json.loads(pack.line), **more}
    return json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_a_class_pack_ends_on_its_day(pack: Pack) -> None:
    """By the grant's time, which the server signed: the device's own clock opens nothing."""
    data = carried(pack, expires="2026-12-31")
    digest = hashlib.sha256(data).hexdigest()
    last = 1_798_761_600_000  # 2027-01-01 00:00 UTC
    assert load_class(data, digest, last - 1).sha256 == digest
    with pytest.raises(ExpiredPackError):
        load_class(data, digest, last)


def test_a_class_pack_of_another_hash_is_refused(pack: Pack) -> None:
    """The file was exchanged after it was fetched."""
    data = carried(pack)
    with pytest.raises(PackError, match="asked for"):
        load_class(data + b" ", hashlib.sha256(data).hexdigest(), 0)


def test_a_class_without_rules_has_the_built_in_ones(pack: Pack) -> None:
    """A document of comments says so; an empty pack says nothing and is refused."""
    data = b"# no rules\n"
    assert load_class(data, hashlib.sha256(data).hexdigest(), 0).sha256 == pack.sha256
    with pytest.raises(PackError):
        load_class(line(), hashlib.sha256(line()).hexdigest(), 0)


@pytest.mark.parametrize("more", [{"expires": 5}, {"expires": "soon"}, {"allow": {}}, {"allow": [1]}, {"secret": []}])
def test_a_malformed_end_or_allow_list_is_refused(pack: Pack, more: dict[str, object]) -> None:
    """Nothing half-understood is loaded."""
    with pytest.raises((PackError, RuleError)):
        load_line(carried(pack, **more))
