"""`python -m agent`: scan this machine once, judge samples, show and prove the rules, or guard a session (watch).

    scan --once [--json]    look once: findings as JSON lines and a summary on stderr, or one JSON object (fleet tools)
    judge FILE.jsonl        one answer a line, in order; a line that cannot be read is answered by an error object
    rules list|test|pack    the rules; their examples and real samples; the pack as one canonical line
    explain RULE            what a rule looks for and what it says, in Chinese and English
    files show|check        the installed files by hash; what differs from their signed manifest (exit 1)
    watch                   the client's child: stdin and stdout are the pipe

Exit 0: nothing to report · 1: scan found something of `report` or graver, rules or files disagree · 2: wrong usage, or
rules, samples or a manifest that cannot be used · 3: watch lost its pipe. docs/rules.md, "One look, for fleet tools".
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agent import prove
from agent.engine import Engine, Finding
from agent.errors import AgentError, CollectorError
from agent.judge import judge_lines, judge_rows, plain
from agent.manifest import ROOT, installation_hash
from agent.pack import BUILT_IN, Pack, load_file, load_folder
from agent.rule import Rule
from agent.tables import Row
from agent.text import clean
from ledger.program import typed

SAMPLES: Final = (ROOT / "tests/agent/samples.jsonl", ROOT.parent / "shared/samples/agent/samples.jsonl")
GRAVE: Final = ("report", "pause", "block")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is returned."""
    options = _parser().parse_args(arguments)
    try:
        pack = load_folder(options.rules) if options.pack is None else load_file(options.pack, options.sha256)
        return int(options.run(options, pack))
    except AgentError as error:
        print(f"{error.code}: {clean(str(error), 500)}\n{error.remedy}\n{error.zh}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"cannot read: {error}", file=sys.stderr)
        return 2


def scan(options: argparse.Namespace, pack: Pack) -> int:
    """Look once at every table of this machine."""
    from agent.collectors import Context, collectors, platform

    rows: list[Row] = []
    unknown: dict[str, str] = {}
    counts: dict[str, int] = {}
    for source in collectors(Context(texts=pack.texts, patient=True)):
        try:
            found = list(source.look(time.monotonic_ns() // 1_000_000))
        except CollectorError as error:
            unknown[source.name] = clean(str(error))
            continue
        counts[source.name] = len(found)
        rows.extend(found)
    findings = judge_rows(rows, Engine(pack, platform()))
    if options.json:
        told = [plain(finding) for finding in findings]
        place = {"platform": platform(), "rules": pack.sha256, "installed": installation_hash()}
        _print({"v": 1, **place, "findings": told, "rows": counts, "unknown": unknown})
    else:
        for finding in findings:
            _print(plain(finding))
        _summary(findings, counts, unknown)
    return 1 if any(finding.response in GRAVE for finding in findings) else 0


def _summary(findings: Sequence[Finding], counts: Mapping[str, int], unknown: Mapping[str, str]) -> None:
    for finding in findings:
        print(f"[{finding.response}] {finding.zh.title} / {finding.en.title} ({finding.rule})", file=sys.stderr)
    rows = ", ".join(f"{name} {count}" for name, count in counts.items())
    print(f"{len(findings)} findings; rows: {rows}", file=sys.stderr)
    for text in unknown.values():
        print(f"unknown: {text}", file=sys.stderr)


def judge(options: argparse.Namespace, pack: Pack) -> int:
    """Answer every line of a sample file."""
    with options.file.open("rb") as file:
        for answer in judge_lines(file, pack):
            _print(answer)
    return 0


def rules(options: argparse.Namespace, pack: Pack) -> int:
    """List the rules, hold them to their examples, or print the pack."""
    if options.what == "pack":
        sys.stdout.buffer.write(pack.line)
        print(f"sha256 {pack.sha256}", file=sys.stderr)
        return 0
    if options.what == "list":
        for rule in pack.rules:
            sign = f"  (sign of {rule.sign_of})" if rule.sign_of else ""
            print(f"{rule.id:32} v{rule.version:<3} {rule.maturity:11} {rule.response:7} {rule.row_type.table}{sign}")
        print(f"{len(pack.rules)} rules, sha256 {pack.sha256}")
        return 0
    return _prove(options, pack)


def _prove(options: argparse.Namespace, pack: Pack) -> int:
    """Examples, then samples: those that were named, else those of a checkout and of the folder beside it."""
    wrong = list(prove.examples(pack))
    print("".join(f"{line}\n" for line in wrong), end="")
    total = sum(len(rule.examples) for rule in pack.rules) + sum(len(text.examples) for text in pack.texts)
    sums = f"{len(pack.rules)} rules, {len(pack.texts)} texts, {total} examples"
    reason = prove.untried(pack)
    print(f"{sums}, {len(wrong)} disagree with one of theirs{f'; texts not tried ({reason})' if reason else ''}")
    files = options.samples or [path for path in SAMPLES if path.is_file()]
    tally = prove.Tally()
    for path in files:
        with path.open("rb") as file:
            prove.samples(pack, file, tally)
    for line in tally.lines() if files else ("no samples here: name a file of them to have the rules tried on it",):
        print(line)
    idle = prove.idle(pack, tally) if files else []
    print("".join(f"hits no positive: {name}\n" for name in idle), end="")
    figures = {"missed": len(tally.missed), "beyond": len(tally.harsh), "idle": len(idle), "disagree": len(wrong)}
    _print({"name": "rules-test", "rules": len(pack.rules), "samples": tally.seen.total(), **figures})
    return 1 if wrong or tally.harsh or idle or len(tally.missed) > prove.SPARE else 0


def explain(options: argparse.Namespace, pack: Pack) -> int:
    """Say in words what one rule is about."""
    rule = next((rule for rule in pack.rules if rule.id == options.rule), None)
    if rule is None:
        print(f"no rule {clean(options.rule)!r}; `{typed('agent')} rules list` names them all", file=sys.stderr)
        return 2
    _explain(rule)
    return 0


def _explain(rule: Rule) -> None:
    print(f"{rule.id}  version {rule.version}  {rule.maturity}  {rule.severity}  → {rule.response}")
    if rule.sign_of:
        print(f"a sign of {rule.sign_of}: alone it informs, two different signs count fully")
    print(f"table {rule.row_type.table}, platforms {', '.join(sorted(rule.platforms))}")
    for words in (rule.zh, rule.en):
        print(f"\n{words.title}\n{words.why}\n{words.remedy}")
    print(f"\nfalse alarms: {rule.false_alarms}")
    if rule.source:
        print(f"source: {rule.source}")


def files(options: argparse.Namespace, _pack: Pack) -> int:
    """Show the installed files by hash, or hold them to their signed manifest (`build/sign_installed.py`)."""
    from agent import bundle, manifest

    if options.what == "show":
        sys.stdout.write(manifest.text_of(manifest.installed()))
        print(f"sha256 {manifest.installation_hash()}", file=sys.stderr)
        return 0
    found = bundle.check()
    print("\n".join(clean(name) for name in found.changed) or "as signed")
    print(f"by {clean(found.signer)}{': a development key, no release' if found.development else ''}", file=sys.stderr)
    return 1 if found.changed else 0


def watch(_options: argparse.Namespace, pack: Pack) -> int:
    """Guard a session as the client's child."""
    from agent import child

    return child.run(pack)


def _print(answer: dict[str, Any]) -> None:
    print(json.dumps(answer, ensure_ascii=False), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=typed("agent"), description="TrueSeat's agent on this device.")
    parser.add_argument("--rules", type=Path, default=BUILT_IN, help="folder of rules (default: the built-in ones)")
    parser.add_argument("--pack", type=Path, help="a carried pack instead (what `rules pack` prints)")
    parser.add_argument("--sha256", help="the only pack that is accepted")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("scan", help="look once at this machine")
    command.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    command.add_argument("--once", action="store_true", help="said for clarity: a scan looks once and ends")
    command.set_defaults(run=scan)
    command = commands.add_parser("judge", help="judge a file of samples")
    command.add_argument("file", type=Path)
    command.set_defaults(run=judge)
    command = commands.add_parser("rules", help="list the rules, test them, or print the pack")
    command.add_argument("what", choices=("list", "test", "pack"))
    command.add_argument("samples", type=Path, nargs="*", help="test: files of samples (default: those of a checkout)")
    command.set_defaults(run=rules)
    command = commands.add_parser("explain", help="say what a rule is about")
    command.add_argument("rule")
    command.set_defaults(run=explain)
    command = commands.add_parser("files", help="the installed files and their signed manifest")
    command.add_argument("what", choices=("show", "check"))
    command.set_defaults(run=files)
    command = commands.add_parser("watch", help="guard a session (started by the client)")
    command.set_defaults(run=watch)
    return parser


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.exit(main())
