"""The report as a page: it says what the report says, in both languages, and nothing of an archive runs in it."""

from __future__ import annotations

import ast
import builtins
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

import ledger
from ledger import findings, fingerprint, words
from ledger.__main__ import main
from ledger.archive import Directory
from ledger.errors import LedgerError
from ledger.page import render, said, tongue
from ledger.page.markup import Html, join, tag
from ledger.verify import Options, verify
from tests.ledger.builder import Classroom, fails
from tests.ledger.conftest import Made

FORBIDDEN = ("attack", "suspicious", "cheat", "failed face", "人脸失败", "违规", "作弊")
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>&amp;王'


class Reader(HTMLParser):
    """Collects elements and text, and checks that every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text.append(data)


def read(page: bytes) -> tuple[Reader, str]:
    """The page's elements and its text."""
    reader = Reader()
    reader.feed(page.decode())
    assert not reader.open
    return reader, " ".join(" ".join(reader.text).split())


@pytest.mark.parametrize(
    ("lang", "verdict", "credited"), [("zh", "核验通过", "1 分 10 秒"), ("en", "Verified", "1 min 10 s")]
)
def test_the_verdict_stands_in_one_line_and_the_figures_below(
    archive: Made, lang: str, verdict: str, credited: str
) -> None:
    """Verdict, sum, the learner's name, every session and every step are there; the same report, the same bytes."""
    report = archive.verify()
    page = render.page(report, lang)
    reader, text = read(page)
    assert page == render.page(archive.verify(), lang)
    assert reader.tags.index("h1") < reader.tags.index("strong")
    for words_ in (verdict, credited, "王小明", *(row.sid for row in report.sessions), *report.witnesses):
        assert words_ in text, words_
    for step in findings.TITLES:
        assert tongue.load(lang).name("step", step) in text
    for groups in report.fingerprints.values():
        assert " ".join(fingerprint.halves(groups)) in text


@pytest.mark.parametrize("lang", tongue.LANGUAGES)
def test_a_refusal_comes_first_and_says_what_to_do(archive: Made, lang: str) -> None:
    """The first refusal with session and event, and the remedy of its error in the reader's language."""
    sid = archive.room.sessions[0].sid
    bundle = next(name for name in archive.source.names(f"sessions/{sid}/tile/entries/"))
    data = archive.source.read(bundle).replace(b'"verb":"played"', b'"verb":"plaied"', 1)
    report = archive.verify(archive.source.changed(bundle, data))
    first = next(finding for finding in report.findings.all() if finding.code)
    _, text = read(render.page(report, lang))
    assert tongue.load(lang).said(first.message) in text
    assert sid in first.message
    assert (first.message in text) == (lang == "en"), "the Chinese page says it in Chinese"
    assert tongue.load(lang).remedy(first.code) in text
    assert "核验未通过" in text or "Refused" in text


def test_an_archive_without_its_policy_is_not_called_verified(archive: Made) -> None:
    """Where the rules are not kept no time can be checked: neither page nor text says that all is well."""
    digest = archive.room.log.in_force("policy", 10**6)
    report = archive.verify(archive.source.changed(f"bodies/sha256/{digest}", None))
    assert not report.refused
    _, text = read(render.page(report, "zh"))
    assert "核验通过" not in text
    assert "无法核对" in text.split("班级日志")[0]
    assert "2 of 2 sessions is not checkable" in words.text(report)


def test_what_is_not_counted_has_its_reason(tmp_path: Path) -> None:
    """Each part that is not credited is listed with the sentence that the learner saw, in words that blame nobody."""
    room = Classroom()
    room.session(room.device(room.learner()), fails).study(20_000).close().settle(0)
    report = room.export(tmp_path / "archive")
    lost = report.sessions[0].not_credited
    assert lost
    for lang in tongue.LANGUAGES:
        _, text = read(render.page(report, lang))
        for part in lost:
            assert tongue.load(lang).reason(part.reason) in text
        assert not [word for word in FORBIDDEN if word in text.lower()]


def test_nothing_of_an_archive_becomes_markup(tmp_path: Path) -> None:
    """A learner's name, a file's name and an error's words are text, whatever they hold; nothing loads."""
    room = Classroom()
    room.session(room.device(room.learner(HOSTILE.replace('"', "'").replace(",", "")))).study(5_000).close()
    report = room.export(tmp_path / "archive")
    for page in (render.page(report, "zh"), render.shelf({HOSTILE: LedgerError(HOSTILE), "b": report}, [], "en")):
        reader, text = read(page)
        assert "<script>" in text
        assert not {"script", "img", "a", "link", "iframe"} & set(reader.tags)
        assert not {name for name in reader.attributes if name.startswith("on") or name in ("src", "href")}
        assert b"default-src &#x27;none&#x27;" in page
        assert not re.findall(rb"url\(|@import|https?:", page)


def test_only_markup_is_markup() -> None:
    """A str is escaped wherever it stands; `Html` is not escaped twice."""
    assert tag("p", "<b>", title='"') == '<p title="&quot;">&lt;b&gt;</p>'
    assert join(tag("b", "&"), None, 3) == "<b>&amp;</b>3"
    assert isinstance(join("x"), Html)


def test_both_languages_have_every_sentence() -> None:
    """The same keys, the same gaps to fill, all steps, statuses and outcomes; no word that blames."""
    zh, en = (tongue.load(lang).words for lang in tongue.LANGUAGES)
    assert {part: set(names) for part, names in zh.items()} == {part: set(names) for part, names in en.items()}
    for part, names in zh.items():
        for name, sentence in names.items():
            gaps = [set(re.findall(r"\{(\w+)\}", lang[part][name])) for lang in (zh, en)]
            assert gaps[0] == gaps[1], (part, name)
            assert not [word for word in FORBIDDEN if word in (sentence + en[part][name]).lower()]
    assert set(findings.TITLES) <= set(zh["step"])
    assert {str(status) for status in findings.Status} == set(zh["status"])


NOT_SHOWN = (
    "__main__", "answers", "compare", "complaint", "completion", "content", "contradiction", "engine", "evidence",
    "export", "hardware", "inspection", "parcel", "playlist", "points", "reference", "sample", "segment", "show",
    "stamp", "submission",
)  # fmt: skip


def _template(node: ast.expr) -> str | None:
    """A text as it is written in the source, `{}` for what is filled in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else said.GAP for v in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _spoken() -> set[str]:
    """Every sentence that a verification may put into a finding: arguments of errors, faults and `Findings.add`."""
    found: set[str] = set()
    for path in Path(ledger.__file__).parent.glob("**/*.py"):
        calls = [n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Call)]
        for call in calls if path.stem not in NOT_SHOWN and path.parent.name != "page" else ():
            name = ast.unparse(call.func).rpartition(".")[2]
            if (name.endswith("Error") and not hasattr(builtins, name)) or name in ("error", "Fault", "add"):
                texts = (_template(argument) for argument in call.args)
                found |= {text for text in texts if text and " " in text and text not in findings.TITLES}
    return found


def test_every_sentence_of_the_verifier_has_its_chinese() -> None:
    """Whatever a step may refuse or note is in said.zh.toml, with the same gaps, and comes back in Chinese."""
    known = said.sentences()
    spoken = _spoken()
    assert len(spoken) > 180
    assert not sorted(spoken - set(known))
    for english, chinese in known.items():
        gaps = sorted(re.findall(r"\{(\d+)\}", chinese))
        assert gaps == [str(i) for i in range(english.count(said.GAP))], english
        filled = english.replace(said.GAP, "%s") % tuple(f"X{i}X" for i in range(len(gaps)))
        assert re.search("[\u4e00-\u9fff：（]", said.in_chinese(filled)), english
        assert not [word for word in FORBIDDEN if word in chinese]


def test_a_refusal_within_a_refusal_is_said_in_chinese_too() -> None:
    """What is quoted is said in Chinese as well; names, numbers and what is nobody's sentence stay as they are."""
    quoted = "class log entry 7: no device key demo/d/x (00ff) stands in the class log"
    assert said.in_chinese(quoted) == "班级日志第 7 条：班级日志中没有设备密钥 demo/d/x（00ff）"
    changed = "session ab12, event 17: its bytes were changed after they were signed"
    assert said.in_chinese(changed) == "学习记录 ab12 事件 17：签名之后内容被改动"
    assert said.in_chinese("[Errno 5] something else") == "[Errno 5] something else"
    assert said.in_chinese("{0} {} %s") == "{0} {} %s"


def test_times_are_said_in_the_readers_zone() -> None:
    """Beijing time in Chinese, UTC in English, and the page says which; no calendar breaks it."""
    zh, en = (tongue.load(lang) for lang in tongue.LANGUAGES)
    assert zh.moment(1_795_233_600) == "2026-11-21 12:00:00 北京时间"
    assert en.moment(1_795_233_600) == "2026-11-21 04:00:00 UTC"
    assert [en.moment(0), en.moment(2**62)] == ["–", str(2**62)]
    assert [en.length(0), en.length(59_999), en.length(3_600_000)] == ["0 s", "59 s", "1 h 0 min 0 s"]


def test_a_shelf_ends_in_one_table(archive: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`verify DIR` reads every archive and .zip in it, an unreadable one too, and the last lines are the table."""
    shutil.copytree(archive.path, tmp_path / "shelf" / "spring")
    (tmp_path / "shelf" / "torn.zip").write_bytes(b"PK")
    (tmp_path / "shelf" / "notes.txt").write_bytes(b"not an archive")
    trust, out = tmp_path / "trust", tmp_path / "out.html"
    trust.write_text(str(archive.trust))
    code = main(["verify", str(tmp_path / "shelf"), "--trust", str(trust), "--html", str(out)])
    lines = capsys.readouterr().out.splitlines()
    assert code == 2
    assert [line.split()[0] for line in lines[-3:]] == ["verdict", "ok", "UNREADABLE"]
    assert "1 min 10.0 s" in lines[-2]
    _, text = read(out.read_bytes())
    assert "spring" in text
    assert "torn.zip" in text
    assert "notes.txt" not in text


def test_one_archive_gets_its_page(archive: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--html OUT --lang en` writes what `render.page` gives; a folder without archives is refused with exit 2."""
    trust, out = tmp_path / "trust", tmp_path / "out.html"
    trust.write_text(str(archive.trust))
    known = ["--trust", str(trust)]
    assert main(["verify", str(archive.path), *known, "--html", str(out), "--lang", "en"]) == 0
    report = verify(Directory(archive.path), archive.trust, Options())
    assert out.read_bytes() == render.page(report, "en")
    (tmp_path / "empty").mkdir()
    assert main(["verify", str(tmp_path / "empty"), *known]) == 2
    assert main(["verify", str(archive.path), *known, "--html", str(tmp_path / "no" / "such" / "folder")]) == 2
    capsys.readouterr()
