"""`python -m client course lint FOLDER` and `course fingerprint FOLDER`: a package as a reviewer sees it (R0.1–0.7).

Exit 0: nothing keeps the course from being put on (warnings are a person's to judge); 1: something does, or the package
cannot be read.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from client.errors import ClientError
from client.player.course import MANIFEST, Package, open_package
from client.player.errors import CourseError, ReviewError
from client.player.review import alike, rules
from client.player.review.alike import Print
from client.player.review.found import Finding, Spec, error, parse_spec, standard, warning
from client.player.review.probe import Probe, look
from client.player.review.sheet import FILE, MAX_BYTES, Sheet, parse
from ledger.program import typed

_SUFFIX: Final = ".pdf"  # pages: nothing to probe
_MAX_BAN: Final = 256 << 20


def main(arguments: Sequence[str]) -> int:
    """What comes after `course` on the command line."""
    options = _parser().parse_args(arguments)
    try:
        if options.what == "fingerprint":
            package, sheet, probes = _opened(options.folder)
            for found in alike.prints(package.course.id, sheet.provider if sheet else "", probes):
                print(alike.to_line(found))
            return 0
        return _told(review(options.folder, options.against, _ban(options.banned), _spec(options.spec), options.today),
                     as_json=options.json)  # fmt: skip
    except ClientError as error_:
        print(f"{error_.code}: {error_}\n{error_.remedy}\n{error_.zh}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"{typed('client')} course", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    lint = commands.add_parser("lint", help="look a package over before it is put on")
    lint.add_argument("folder", type=Path)
    lint.add_argument("--against", type=Path, nargs="*", default=[], help="other packages: content in common is named")
    lint.add_argument("--banned", type=Path, help="fingerprints of rejected packages, one a line")
    lint.add_argument("--spec", type=Path, help="what picture and sound must be (client/player/review/spec.toml)")
    lint.add_argument("--today", type=datetime.date.fromisoformat, default=datetime.date.today())
    lint.add_argument("--json", action="store_true", help="one line of JSON")
    commands.add_parser("fingerprint", help="lines for a ban list").add_argument("folder", type=Path)
    return parser


def review(
    folder: Path, against: Sequence[Path], ban: Sequence[Print], spec: Spec, today: datetime.date
) -> list[Finding]:
    """Everything that a reviewer is told of the package in `folder`, the gravest first; `ClientError` for none."""
    try:
        package = open_package(folder)
    except CourseError as problem:
        return [error("R0.1", folder.name, f"is not complete: {problem}", "课程包不完整，或内容与清单不符")]
    course = package.course
    sheet, found = _sheet(folder)
    probes, unread = _probes(package)
    found += unread
    stray = [path.name for path in sorted(folder.iterdir()) if path.name not in {*course.files(), MANIFEST, FILE}
             and (sheet is None or path.name not in {proof.document for proof in sheet.rights})]  # fmt: skip
    found += rules.complete(course, probes, stray, spec)
    for unit in course.units:
        found += rules.technical(unit, probes[unit.id], spec) if unit.id in probes else ()
    found += rules.adverts(texts(package), spec)
    if sheet is not None:
        found += [*rules.bank(course, sheet), *rules.rights(course, sheet, _documents(folder, sheet), today)]
    own = alike.prints(course.id, sheet.provider if sheet else "", probes)
    found += [*rules.within(own, spec), *rules.across(own, _others(against), spec), *rules.banned(own, ban, spec)]
    return sorted(found, key=lambda one: (one.level, one.number))


def _opened(folder: Path) -> tuple[Package, Sheet | None, dict[str, Probe]]:
    package = open_package(folder)
    return package, _sheet(folder)[0], _probes(package)[0]


def _sheet(folder: Path) -> tuple[Sheet | None, list[Finding]]:
    path = folder / FILE
    if not path.is_file():
        return None, [error("R0.6", FILE, "is missing: provider, proof of rights, points, question bank",
                            "缺失：提供方、权利证明、考点与题库")]  # fmt: skip
    try:
        return parse(_read(path, MAX_BYTES)), []
    except ReviewError as problem:
        return None, [error("R0.6", FILE, str(problem), "审核清单无法读取")]


def _probes(package: Package) -> tuple[dict[str, Probe], list[Finding]]:
    """What each lesson's file is, and which cannot be looked at."""
    probes: dict[str, Probe] = {}
    found: list[Finding] = []
    for unit in package.course.units:
        if not unit.media or unit.media.endswith(_SUFFIX):
            continue
        if package.encrypted:
            said = "is encrypted: look at the package before encryption"
            found.append(warning("R0.3", unit.id, said, "已加密：请审核加密前的课程包"))
            continue
        try:
            probes[unit.id] = look(package.folder / unit.media)
        except ReviewError as problem:
            found.append(error("R0.3", unit.id, str(problem), "音视频无法读取"))
    return probes, found


def texts(package: Package) -> dict[str, str]:
    """Every text that a learner gets to read: titles, chapters, questions, captions; by place."""
    course, found = package.course, {package.course.id: f"{package.course.title.zh} {package.course.title.en}"}
    for unit in course.units:
        words = [unit.title, *(chapter.title for chapter in unit.chapters)]
        for question in unit.asked:
            words += [question.prompt, *question.choices]
        found[unit.id] = "\n".join(f"{word.zh}\n{word.en}" for word in words)
        for name in unit.captions.values():
            found[name] = _read(package.folder / name, MAX_BYTES).decode("utf-8", "replace")
    return found


def _documents(folder: Path, sheet: Sheet) -> dict[str, str]:
    """Which documents of rights are there, by their SHA-256."""
    there = [folder / proof.document for proof in sheet.rights if (folder / proof.document).is_file()]
    return {path.name: hashlib.sha256(_read(path, _MAX_BAN)).hexdigest() for path in there}


def _others(folders: Sequence[Path]) -> list[Print]:
    found: list[Print] = []
    for folder in folders:
        package, sheet, probes = _opened(folder)
        found += alike.prints(package.course.id, sheet.provider if sheet else "", probes)
    return found


def _ban(path: Path | None) -> list[Print]:
    lines = _read(path, _MAX_BAN).decode("utf-8", "replace").splitlines() if path else []
    return [alike.from_line(line) for line in lines if line.strip()]


def _spec(path: Path | None) -> Spec:
    return parse_spec(_read(path, 1 << 20)) if path else standard()


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as problem:
        raise ReviewError(f"{path.name} cannot be read: {problem.strerror}") from problem
    if len(data) > limit:
        raise ReviewError(f"{path.name} is larger than {limit >> 20} MiB")
    return data


def _told(found: Sequence[Finding], *, as_json: bool) -> int:
    """Print what was found; 1 if anything keeps the course from being put on."""
    errors = sum(one.level == "error" for one in found)
    if as_json:
        print(json.dumps({"errors": errors, "warnings": len(found) - errors, "findings": list(map(asdict, found))},
                         ensure_ascii=False))  # fmt: skip
    else:
        for one in found:
            print(one)
        looked = len(found) - errors
        print(f"{errors} to put right, {looked} to look at · 须改正 {errors} 项，须查看 {looked} 项")
    return 1 if errors else 0
