"""`python -m agent judge FILE.jsonl`: one sample a line in, one answer a line out, in the same order."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from agent.engine import Engine, Finding, gravest
from agent.errors import AgentError
from agent.pack import Pack
from agent.samples import Sample, parse_sample
from agent.tables import InputRow, ProcessRow, Row, ScriptRow
from agent.texts import Reader, Text


def judge_lines(lines: Iterable[bytes], pack: Pack) -> Iterator[dict[str, Any]]:
    """Answer each non-empty line; a line that cannot be read is answered by an error object with its number."""

    @cache
    def engine(platform: str) -> Engine:
        return Engine(pack, platform)

    texts = _Texts(pack.texts)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            sample = parse_sample(line)
        except AgentError as error:
            yield {"line": number, "error": {"code": error.code, "message": str(error), "remedy": error.remedy}}
            continue
        if sample.source:
            sample = _with_text(sample, texts)
        yield judge_sample(sample, engine(sample.platform))


class _Texts:
    """The pack's questions to texts, compiled when the first text comes."""

    def __init__(self, texts: Sequence[Text]) -> None:
        self._texts = texts
        self._reader: Reader | None = None

    def read(self, source: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """As `Reader.read`; raises `CollectorError` without yara-x."""
        if self._reader is None:
            self._reader = Reader(self._texts)
        return self._reader.read(source)


def _with_text(sample: Sample, texts: _Texts) -> Sample:
    """The sample with what its script's text says; a note where that cannot be told."""
    try:
        marks, tokens = texts.read(sample.source)
    except AgentError as error:
        return dataclasses.replace(sample, note=f"{error.code} {error}")
    rows = tuple(
        dataclasses.replace(row, marks=marks, tokens=row.tokens + tokens) if isinstance(row, ScriptRow) else row
        for row in sample.rows
    )
    return dataclasses.replace(sample, rows=rows)


def judge_sample(sample: Sample, engine: Engine) -> dict[str, Any]:
    """The answer to one sample: the highest response of its findings, and the findings."""
    findings = judge_rows(sample.rows, engine, sample.senders)
    answer: dict[str, Any] = {"id": sample.id, "action": gravest(findings), "findings": [plain(f) for f in findings]}
    return {**answer, "note": sample.note} if sample.note else answer


def judge_rows(rows: Sequence[Row], engine: Engine, senders: Sequence[ProcessRow] = ()) -> tuple[Finding, ...]:
    """Judge rows together; `senders`, and the processes among the rows, may explain synthetic input."""
    helper = engine.helper([*senders, *(row for row in rows if isinstance(row, ProcessRow))])
    return engine.judge(dataclasses.replace(row, helper=helper) if isinstance(row, InputRow) else row for row in rows)


def plain(finding: Finding) -> dict[str, Any]:
    """A finding as it is printed."""
    return {
        "rule": finding.rule, "version": finding.version, "severity": finding.severity, "response": finding.response,
        "why": finding.en.why, "remedy": finding.en.remedy, "evidence": dict(finding.evidence),
    }  # fmt: skip
