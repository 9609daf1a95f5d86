"""Browser profiles are read as they lie on disk, and only what a rule matches would ever leave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.collectors.extensions import Extensions, read_profile, unpacked_id
from agent.engine import Engine, gravest
from agent.tables import ExtensionRow, ProcessRow
from tests.tries import tries

MANAGER = "dhdgffkkebhmkfjojejmpbldmpobfkfo"


def chromium(home: Path, settings_: dict[str, Any]) -> Path:
    path = home / ".config/chromium/Default/Secure Preferences"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"extensions": {"settings": settings_}}), "utf-8")
    return path


def test_an_installed_manager_is_found_with_its_manifest(tmp_path: Path, engine: Engine) -> None:
    """Chromium keeps the list in Secure Preferences and the manifest beside it."""
    path = chromium(tmp_path, {MANAGER: {"path": f"{MANAGER}/5.1_0", "state": 1, "location": 1}})
    folder = path.parent / "Extensions" / MANAGER / "5.1_0"
    folder.mkdir(parents=True)
    manifest = {"name": "Tampermonkey", "permissions": ["userScripts"], "host_permissions": ["<all_urls>"]}
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    rows = Extensions(tmp_path, "linux").collect(0)
    wide = ("<all_urls>",)
    assert rows == [
        ExtensionRow(MANAGER, "Tampermonkey", "chromium", ("userScripts",), wide, "webstore", True, str(folder))
    ]
    assert gravest(engine.judge(rows)) == "inform"


def test_a_switched_off_or_removed_extension_is_nothing(tmp_path: Path, engine: Engine) -> None:
    """State 0, or disabled by the browser, is not enabled; a deleted list is no rows."""
    path = chromium(tmp_path, {MANAGER: {"state": 0}, "x" * 32: {"state": 1, "disable_reasons": [1]}})
    table = Extensions(tmp_path, "linux")
    assert not engine.judge(table.collect(0))
    assert len(table.collect(0)) == 2
    path.unlink()
    assert table.collect(0) == []


def test_only_a_changed_list_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second look costs a stat."""
    path = chromium(tmp_path, {"a" * 32: {"location": 4}})
    reads: list[Path] = []
    real = read_profile
    monkeypatch.setattr("agent.collectors.extensions.read_profile", lambda b, p: reads.append(p) or real(b, p))
    table = Extensions(tmp_path, "linux")
    table.collect(0)
    table.collect(0)
    assert reads == [path]
    chromium(tmp_path, {"b" * 32: {"location": 8, "path": "/home/u/ext"}, "c" * 32: 7})
    assert [(row.id[0], row.install) for row in table.collect(0)] == [("b", "--load-extension=/home/u/ext")]  # type: ignore[union-attr]


def test_firefox_lists_its_own_way(tmp_path: Path, engine: Engine) -> None:
    """extensions.json: names by locale, active flags, themes left out."""
    path = tmp_path / ".mozilla/firefox/abcd.default-release/extensions.json"
    path.parent.mkdir(parents=True)
    addons = [
        {"id": "{aecec67f-0d10-4fa7-b7c7-609a2db280cf}", "defaultLocale": {"name": "Violentmonkey"}, "active": True,
         "type": "extension", "userPermissions": {"permissions": ["tabs"]}, "location": "app-profile"},
        {"id": "theme@x", "type": "theme", "active": True}, 7,
    ]  # fmt: skip
    path.write_text(json.dumps({"addons": addons}), "utf-8")
    rows = Extensions(tmp_path, "linux").collect(0)
    assert [row.name for row in rows if isinstance(row, ExtensionRow) and row.name] == ["Violentmonkey"]
    assert gravest(engine.judge(rows)) == "inform"


WORDS = "extensions settings addons manifest name permissions path location id type"
KEYS = st.sampled_from(WORDS.split())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=tries(200))
@given(JSON, st.sampled_from(["chrome", "firefox"]), st.binary(max_size=4))
def test_any_profile_file_is_read_or_left_out(tmp_path: Path, data: Any, browser: str, noise: bytes) -> None:
    """Fuzz: manifests and Preferences of any shape, and broken ones; nothing but rows comes out."""
    path = tmp_path / "Preferences"
    path.write_bytes(json.dumps({"extensions": {"settings": data}, "addons": data}).encode() + noise)
    assert all(isinstance(row, ExtensionRow) for row in read_profile(browser, path))
    path.write_bytes(b"[" * 100_000)
    assert list(read_profile(browser, path)) == []


def test_an_extension_that_a_command_line_loads_is_found(tmp_path: Path, engine: Engine) -> None:
    """It stands in no profile; Debian's own flag (ublock-origin below /usr/share) is nothing."""
    folder = tmp_path / "my helper"
    folder.mkdir()
    manifest = {"name": "超星学习通网课助手", "permissions": ["userScripts"], "host_permissions": ["<all_urls>"]}
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    debian = "--load-extension=/usr/share/chromium/extensions/ublock-origin"
    child = "chromium --type=renderer --load-extension=/x"
    lines = (f"/usr/lib/chromium/chromium {debian},{folder} --flag", child, debian)
    processes = [ProcessRow(name="chromium", cmdline=line) for line in lines]
    rows = Extensions(tmp_path, "linux", lambda: processes).collect(0)
    ublock = next(row for row in rows if isinstance(row, ExtensionRow) and "ublock" in row.install)
    (mine,) = [row for row in rows if row != ublock]
    assert isinstance(mine, ExtensionRow)
    assert (mine.name, mine.install) == ("超星学习通网课助手", f"--load-extension={folder}")
    assert gravest(engine.judge([mine])) in ("report", "pause")
    assert engine.judge([ublock]) == ()


def test_an_id_is_the_one_that_chromium_shows() -> None:
    """Of the key where there is one (the documentation's own example is a folder), letters a to p, always 32."""
    assert set(unpacked_id("", "/home/li/x")) <= set("abcdefghijklmnop")
    assert unpacked_id("", "/home/li/x") != unpacked_id("", "/home/li/y")
    assert unpacked_id("AAAA", "/home/li/x") == unpacked_id("AAAA", "/home/li/y")
    assert len(unpacked_id("no base64!", "")) == 32
