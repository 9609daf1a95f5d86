"""The verifier for people with no terminal: drop a class archive (.zip) on it, and the report opens in the browser.

Whose signatures count is never the archive's to say: the trust file is dropped together with it, or lies in one of two
folders that the page names. Nothing is sent; the page is written into a private folder and opened from there.
"""

from __future__ import annotations

import argparse
import contextlib
import locale
import os
import sys
import tempfile
import webbrowser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from ledger import checkpoint, shelf, trust, verify
from ledger.across import verify_many
from ledger.archive import CHECKPOINT, Source, open_source
from ledger.errors import LedgerError, TrustError
from ledger.page import render
from ledger.page.markup import tag
from ledger.page.tongue import LANGUAGES
from ledger.report import Report

MAX_TRUST: Final = 1 << 20  # bytes; a real one has a few hundred
SUFFIX: Final = ".trust"
BESIDE: Final = Path(sys.executable).resolve().parent / "trust"  # an administrator's

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "zh": {
        "title": "班级档案验签",
        "how": "请把班级档案（.zip）拖到本程序的图标上，或在文件管理器中选择“用本程序打开”。",
        "no_trust": "还没有可用的信任文件，因此没有验签。",
        "what": "信任文件（.trust）写明以谁的签名为准。请向培训监管部门或您信任的机构索取，"
        "不要使用随档案一起收到的文件。",
        "put": "请把它放进下面的文件夹，或与档案一起拖到本程序上：",
        "closed": "以下文件无法使用：",
        "own": "这是一名学员的个人副本：只核验其本人的学习记录，班级其他人的记录未包含在内，不能据此判断整班。",
    },
    "en": {
        "title": "Verify a class archive",
        "how": "Drop a class archive (.zip) on this program's icon, or choose “open with” in your file manager.",
        "no_trust": "There is no usable trust file yet, so nothing was verified.",
        "what": "A trust file (.trust) says whose signatures count. Ask the authority, or an institution that you "
        "trust, for it; never use one that came with the archive.",
        "put": "Put it into this folder, or drop it on this program together with the archive:",
        "closed": "What could not be used:",
        "own": "This is one learner's own copy: that learner's sessions alone are verified. Those of others are not "
        "in it, and it says nothing about the class.",
    },
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, open it, and return what the verifier would: 0 nothing refused, 1 refused, 2 nothing verified."""
    options = _parser().parse_args(arguments)
    paths = list(options.paths) or _asked()
    content, code = report(paths, options.lang, [BESIDE, kept()])
    out = options.out or Path(tempfile.mkdtemp(prefix="trueseat-report-")) / "report.html"
    with open(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    if not options.keep:
        show(out)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="trueseat-verify report", description=__doc__)
    parser.add_argument("paths", type=Path, nargs="*", help="class archives, and the trust file if there is none yet")
    parser.add_argument("--lang", choices=LANGUAGES, default=language(), help="default: the system's")
    parser.add_argument("--out", type=Path, help="where the page is written (default: a private temporary folder)")
    parser.add_argument("--keep", action="store_true", help="write the page and open no browser")
    return parser


def report(paths: Sequence[Path], lang: str, folders: Sequence[Path]) -> tuple[bytes, int]:
    """The page for what was dropped, and the exit code. Trust files: those dropped, else those of `folders`."""
    dropped = [path for path in paths if path.suffix == SUFFIX]
    archives = [path for path in paths if path.suffix != SUFFIX]
    if not archives:
        return _note(lang, "how", []), 2
    found, wrong = _trusted(dropped or [path for folder in folders for path in sorted(folder.glob(f"*{SUFFIX}"))])
    try:
        many = shelf.archives(archives)
        if len(many) > 1 and found:
            sources, unreadable = shelf.open_all(many)
            everything = verify_many(sources, _for(found, next(iter(sources.values()), None)), verify.Options())
            shown: dict[str, Report | LedgerError] = {**everything.reports, **unreadable}
            return render.shelf(shown, everything.findings, lang), 2 if unreadable else everything.exit_code
        source = open_source(many[0])
        if not found:
            return _note(lang, "no_trust", wrong), 2
        trusted = _for(found, source)
        result = verify.verify(source, trusted)
        own = _own_copy(source, trusted) if result.refused else None
    except LedgerError as error:
        return _note(lang, "closed", [*wrong, error]), 2
    if own is not None:
        return render.page(own, lang, WORDS[lang]["own"]), own.exit_code
    return render.page(result, lang), result.exit_code


def _own_copy(source: Source, trusted: trust.Trust) -> Report | None:
    """What a learner's own copy proves: of one registration, with nothing wrong but that others are not in it."""
    result = verify.verify(source, trusted, verify.Options(partial=True))
    one = len({row.registration for row in result.sessions}) == 1
    return result if one and not result.refused else None


def _trusted(paths: Sequence[Path]) -> tuple[list[trust.Trust], list[LedgerError]]:
    """The trust files that can be read, and what is wrong with the others."""
    found: list[trust.Trust] = []
    wrong: list[LedgerError] = []
    for path in paths:
        try:
            with path.open("rb") as file:
                found.append(trust.parse(file.read(MAX_TRUST)))
        except LedgerError as error:
            wrong.append(TrustError(f"{path.name}: {error}"))
        except OSError as error:
            wrong.append(TrustError(f"{path.name}: {error.strerror}"))
    return found, wrong


def _for(found: Sequence[trust.Trust], source: Source | None) -> trust.Trust:
    """The one that names the archive's log, else the first: the report then says that it names another."""
    if source is not None:
        try:
            origin = checkpoint.parse(source.read(CHECKPOINT))[0].origin
        except LedgerError:
            return found[0]
        for each in found:
            if any(key.name == origin for key in each.logs):
                return each
    return found[0]


def _note(lang: str, key: str, wrong: Sequence[LedgerError]) -> bytes:
    """A page that says what to do instead of a report."""
    words = WORDS[lang]
    said = [tag("h1", words["title"]), tag("div", tag("strong", words[key]), class_="verdict")]
    for error in wrong:
        remedy = error.zh if lang == "zh" else error.remedy
        said.append(tag("p", f"{error} [{error.code}]: {remedy}"))
    if key != "how":
        said.append(tag("p", words["how"]))
    said += [tag("p", words["what"]), tag("p", words["put"], tag("br"), tag("code", str(kept())))]
    return render.document(lang, *said)


def kept() -> Path:
    """Where this user keeps trust files; made, so that it can be opened."""
    base = os.environ.get("APPDATA") if sys.platform == "win32" else os.environ.get("XDG_CONFIG_HOME")
    folder = (Path(base) if base else Path.home() / ".config") / "trueseat" / "trust"
    with contextlib.suppress(OSError):  # the page names it all the same
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def language() -> str:
    """zh where the system speaks Chinese, else en."""
    if sys.platform == "win32":
        import ctypes

        return "zh" if ctypes.windll.kernel32.GetUserDefaultUILanguage() & 0x3FF == 0x04 else "en"
    said = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "zh" if (said or str(locale.getlocale()[0] or "")).lower().startswith("zh") else "en"


def show(page: Path) -> None:
    """Open the page as the desktop opens pages; the browser gets its own libraries back, not the bundle's."""
    if sys.platform == "win32":
        os.startfile(page)  # noqa: S606 (a page of our own)
        return
    name = "LD_LIBRARY_PATH"
    before = os.environ.pop(f"{name}_ORIG", None)
    if getattr(sys, "frozen", False):
        os.environ.pop(name, None)
        if before:
            os.environ[name] = before
    webbrowser.open(page.as_uri())


def _asked() -> list[Path]:
    """What a double click without a file gets: Windows' own dialogue for opening one; elsewhere the page says how."""
    if sys.platform == "win32":
        import dialogue

        return dialogue.archives(WORDS[language()]["title"])
    return []
