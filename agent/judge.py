"""`python -m agent judge FILE.jsonl`: one sample a line in, one answer a line out, in the same order."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from agent.engine import Engine, Finding, gravest
from agent.errors import AgentError
from agent.pack import Pack
from agent.samples import Sample, parse_sample
from agent.tables import InputRow


def judge_lines(lines: Iterable[bytes], pack: Pack) -> Iterator[dict[str, Any]]:
    """Answer each non-empty line; a line that cannot be read is answered by an error object with its number."""

    @cache
    def engine(platform: str) -> Engine:
        return Engine(pack, platform)

    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            sample = parse_sample(line)
        except AgentError as error:
            yield {"line": number, "error": {"code": error.code, "message": str(error), "remedy": error.remedy}}
            continue
        yield judge_sample(sample, engine(sample.platform))


def judge_sample(sample: Sample, engine: Engine) -> dict[str, Any]:
    """The answer to one sample: the highest response of its findings, and the findings."""
    helper = engine.helper(sample.senders)
    rows = [dataclasses.replace(row, helper=helper) if isinstance(row, InputRow) else row for row in sample.rows]
    findings = engine.judge(rows)
    answer: dict[str, Any] = {"id": sample.id, "action": gravest(findings), "findings": [_plain(f) for f in findings]}
    return {**answer, "note": sample.note} if sample.note else answer


def _plain(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule, "version": finding.version, "severity": finding.severity, "response": finding.response,
        "why": finding.en.why, "remedy": finding.en.remedy, "evidence": dict(finding.evidence),
    }  # fmt: skip
