"""Userscripts as the managers keep them: found in their stores, judged by what they do, never by their name alone."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors import Context
from agent.collectors import scripts as module
from agent.collectors.extensions import Extensions
from agent.collectors.scripts import Scripts, chromium_scripts, extension_scripts, firefox_scripts
from agent.engine import Engine, gravest
from agent.errors import CollectorError, RuleError
from agent.pack import Pack
from agent.tables import ProcessRow, ScriptRow
from agent.texts import Reader, parse_text
from agent.userscript import header, script_row
from tests.agent import stores

pytest.importorskip("yara_x", reason="left out: yara-x is not installed")

TAMPER, VIOLENT = "dhdgffkkebhmkfjojejmpbldmpobfkfo", "{aecec67f-0d10-4fa7-b7c7-609a2db280cf}"
HEAD = "// ==UserScript==\n// @name {name}\n// @match {host}\n// @grant GM_xmlhttpRequest\n// ==/UserScript==\n"
PLAYS = "const v = document.querySelector('video'); v.playbackRate = 16;\n"
COURSE = HEAD.format(name="helper", host="*://*.chaoxing.com/*") + PLAYS
DARK = HEAD.format(name="刷课神器（其实是主题）", host="*://*.chaoxing.com/*") + "document.body.style.color = 'white'\n"


def chromium_store(home: Path, entries: dict[str, Any], name: str = TAMPER) -> Path:
    folder = home / ".config/google-chrome/Default/Local Extension Settings" / name
    folder.mkdir(parents=True, exist_ok=True)
    data = [(key.encode(), json.dumps(value).encode()) for key, value in entries.items()]
    (folder / "000003.log").write_bytes(stores.log(data))
    return folder


def tamper(uuid: str, source: str, enabled: bool = True) -> dict[str, Any]:
    """Tampermonkey's records of one script."""
    meta = {"origin": "normal", "value": {"enabled": enabled, "name": "x"}}
    return {f"!extdb.@meta#{uuid}": meta, f"!extdb.@source#{uuid}": {"origin": "normal", "value": source}}


def look(home: Path, pack: Pack) -> list[ScriptRow]:
    rows = Scripts(Context(texts=pack.texts), home=home, system="linux").collect(0)
    return [row for row in rows if isinstance(row, ScriptRow)]


def test_a_course_script_in_tampermonkey_pauses(tmp_path: Path, pack: Pack, engine: Engine) -> None:
    """Host and what it does together; the evidence holds the telling words, never the text."""
    chromium_store(tmp_path, tamper("6e4f", COURSE))
    (row,) = look(tmp_path, pack)
    assert (row.name, row.enabled, row.marks, row.hosts) == ("helper", True, ("text.plays",), ("*://*.chaoxing.com/*",))
    (finding,) = engine.judge([row])
    assert (finding.rule, finding.response) == ("script.course-player", "pause")
    assert "querySelector" not in json.dumps(dict(finding.evidence))


def test_a_slogan_is_no_proof(tmp_path: Path, pack: Pack, engine: Engine) -> None:
    """A theme that calls itself a course brusher, on a course site: nothing."""
    chromium_store(tmp_path, tamper("1", DARK))
    assert engine.judge(look(tmp_path, pack)) == ()


def test_a_script_that_is_switched_off_is_nothing(tmp_path: Path, pack: Pack, engine: Engine) -> None:
    """Kept in the manager and not run."""
    chromium_store(tmp_path, tamper("1", COURSE, enabled=False))
    (row,) = look(tmp_path, pack)
    assert row.enabled is False
    assert engine.judge([row]) == ()


@pytest.mark.parametrize(
    ("entries", "enabled"),
    [
        ({"scr:7": {"config": {"enabled": 1}}, "code:7": COURSE}, True),  # Violentmonkey
        ({"scr:7": {"config": {"enabled": 0}}, "code:7": COURSE}, False),
        ({"script:u": {"uuid": "u", "status": 1}, "scriptCode:u": {"uuid": "u", "code": COURSE}}, True),  # ScriptCat
        ({"script:u": {"uuid": "u", "status": 2}, "scriptCode:u": {"uuid": "u", "code": COURSE}}, False),
        ({"scripts": [{"source": json.dumps({"deep": COURSE})}]}, None),  # a manager that nobody has met yet
    ],
)  # fmt: skip
def test_every_manager_keeps_scripts_its_own_way(
    tmp_path: Path, pack: Pack, entries: dict[str, Any], enabled: bool | None
) -> None:
    """The text is known by its header wherever it stands."""
    chromium_store(tmp_path, entries)
    (row,) = look(tmp_path, pack)
    assert (row.name, row.enabled) == ("helper", enabled)


def test_other_extensions_stores_are_not_opened(tmp_path: Path, pack: Pack) -> None:
    """A password manager's store is nobody's business, whatever lies in it."""
    chromium_store(tmp_path, tamper("1", COURSE), name="nngceckbapebfimnlniiiahkandclblb")
    assert look(tmp_path, pack) == []


def test_firefox_keeps_them_in_a_database(tmp_path: Path, pack: Pack) -> None:
    """Found by the id that the profile gave the extension; a Chinese text is stored as UTF-16."""
    profile = tmp_path / ".mozilla/firefox/ab.default"
    profile.mkdir(parents=True)
    uuid = "326870eb-50c7-4bea-81f2-b4456446b0e4"
    prefs = json.dumps(json.dumps({VIOLENT: uuid, "vault@example.org": uuid[::-1]}))
    (profile / "prefs.js").write_text(f'user_pref("extensions.webextensions.uuids", {prefs});\n', "utf-8")
    store = profile / f"storage/default/moz-extension+++{uuid}^userContextId=4294967295/idb"
    chinese = COURSE.replace("helper", "网课助手")
    said = {"code:1": [chinese], "scr:1": ["config", "enabled", 1], "code:2": [COURSE], "scr:2": ["enabled", False]}
    stores.firefox(store / "3647222921wleabcEoxlt-eengsairo.sqlite", said).close()
    rows = look(tmp_path, pack)
    assert [(row.name, row.enabled) for row in rows] == [("网课助手", True), ("helper", False)]


def test_an_unpacked_extension_is_read_like_a_script(tmp_path: Path, pack: Pack, engine: Engine) -> None:
    """What its manifest injects, and where; the distribution's own extensions are left alone."""
    folder = tmp_path / "my extension"
    (folder / "js").mkdir(parents=True)
    manifest = {"name": "x", "content_scripts": [{"matches": ["*://*.zhihuishu.com/*"], "js": ["js/a.js", "../up.js"]}]}
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    (folder / "js/a.js").write_text(PLAYS, "utf-8")
    (tmp_path / "up.js").write_text("outside", "utf-8")
    browser = ProcessRow(name="chrome", cmdline=f"chrome --load-extension={folder} about:blank")
    extensions = Extensions(tmp_path, "linux", lambda: [browser])
    extensions.collect(0)
    rows = Scripts(Context(texts=pack.texts), lambda: extensions.rows, home=tmp_path, system="linux").collect(0)
    assert [finding.rule for finding in engine.judge(rows)] == ["script.course-player"]
    assert [text for text, _, _ in extension_scripts(folder)] == [PLAYS + "\n"]


def test_only_a_changed_store_is_read_again(tmp_path: Path, pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at what did not change costs a listing; new rules look at the texts anew."""
    chromium_store(tmp_path, tamper("1", COURSE))
    reads: list[Path] = []
    real = chromium_scripts
    monkeypatch.setattr(module, "chromium_scripts", lambda path: reads.append(path) or real(path))
    context = Context(texts=pack.texts)
    table = Scripts(context, home=tmp_path, system="linux")
    for _ in range(3):
        table.collect(0)
    assert len(reads) == 1
    context.texts = pack.texts[:1]
    table.collect(0)
    assert len(reads) == 2


def test_a_heavy_user_s_store_is_read_beside_the_looks(tmp_path: Path, pack: Pack) -> None:
    """Megabytes of a manager's own values: the look is not held up, and a later one has the script."""
    heap = {f"@val#{number}": "x" * 700_000 for number in range(8)}
    chromium_store(tmp_path, {**heap, **tamper("1", COURSE)})
    table = Scripts(Context(texts=pack.texts), home=tmp_path, system="linux")
    assert table.collect(0) == []
    assert table._beside is not None
    table._beside.join()
    (row,) = table.collect(0)
    assert isinstance(row, ScriptRow)
    assert row.marks == ("text.plays",)
    patient = Scripts(Context(texts=pack.texts, patient=True), home=tmp_path, system="linux")
    assert patient.collect(0) == [row]


def test_without_yara_the_texts_are_unknown(tmp_path: Path, pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is guessed: the source says that it cannot tell; without scripts there is nothing to tell."""
    monkeypatch.setitem(sys.modules, "yara_x", None)
    assert look(tmp_path, pack) == []
    chromium_store(tmp_path, tamper("1", COURSE))
    with pytest.raises(CollectorError):
        look(tmp_path, pack)


def test_real_texts_are_told_apart(pack: Pack, engine: Engine) -> None:
    """What course scripts do, in many spellings, pauses on a course site; what honest scripts do there does not."""
    course = [
        "$('video')[0].playbackRate = speed", "video['playbackRate'] = 2.0", "setPlaybackRate(16)",
        "v.currentTime = v.duration - 1", "player.play(); if (ended) gotoNextChapter()",
        "const cfg = { answererWrappers: GM_getValue('w') }", "自动答题: opts.forEach(o => o.click())",
        "queryAnswer(t).then(a => { input.value = a }); GM_xmlhttpRequest({})",
    ]  # fmt: skip
    honest = [
        "document.querySelectorAll('.ad').forEach(e => e.remove())", "GM_addStyle('body{background:#111}')",
        "console.log(video.playbackRate)", "fetch('/api/notes').then(r => r.json())", "a.click()",
        "// 题库 答案 刷课", "navigator.clipboard.writeText(title)", "localStorage.answer = 1",
    ]  # fmt: skip
    reader = Reader(pack.texts)

    def response(text: str) -> str:
        row = script_row(HEAD.format(name="x", host="*://*.icve.com.cn/*") + text)
        marks, tokens = reader.read(text)
        return gravest(engine.judge([ScriptRow(hosts=row.hosts, marks=marks, tokens=tokens)]))

    assert [text for text in course if response(text) != "pause"] == []
    assert [text for text in honest if response(text) not in ("none", "inform")] == []


def test_a_text_that_does_not_compile_is_named() -> None:
    """The pack's own patterns are foreign too: bad ones are refused by id, and none may reach for files."""
    base = {"id": "text.x", "why": "w", "example": []}
    bad = parse_text({**base, "yara": "strings: $a = /(/ condition: $a"}, "here")
    with pytest.raises(RuleError, match=r"text\.x"):
        bad.prove()
    for body in ('import "pe"\ncondition: true', 'include "/etc/passwd"\ncondition: true', "x", "", 5):
        with pytest.raises(RuleError):
            parse_text({**base, "yara": body}, "here")


FIELDS = {"id": "text.x", "why": "w", "yara": "condition: true", "example": [{"match": True, "text": "t"}]}


ANYTHING = st.none() | st.integers() | st.text(max_size=30) | st.lists(st.text(max_size=5))


@given(st.sampled_from(sorted(FIELDS)), ANYTHING)
def test_any_value_in_any_field_of_a_text_is_read_or_refused(field: str, value: Any) -> None:
    """The pack is foreign: what is no text of a pack is refused with its place."""
    with contextlib.suppress(RuleError):
        assert parse_text({**FIELDS, field: value}, "pack").source.startswith("rule ")


@given(st.text(max_size=400))
def test_any_text_is_a_script_with_or_without_a_header(text: str) -> None:
    """Headers are read as far as they go."""
    for source in (text, f"// ==UserScript==\n{text}\n// @match {text}\n// ==/UserScript=="):
        assert isinstance(script_row(source).name, str)
        assert all(isinstance(value, str) for values in header(source).values() for value in values)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just(COURSE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=12), values, max_size=5), st.binary(max_size=60))
def test_any_store_is_read(entries: dict[str, Any], noise: bytes) -> None:
    """Whatever lies in a manager's store, and in an extension's folder."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = [(key.encode(), json.dumps(value).encode() + noise[:3]) for key, value in entries.items()]
        (folder / "1.log").write_bytes(stores.log(data or [(b"a", noise)]))
        (folder / "manifest.json").write_text(json.dumps(entries), "utf-8")
        for read in (chromium_scripts, extension_scripts, firefox_scripts):
            assert all(isinstance(text, str) for text, _, _ in read(folder))
