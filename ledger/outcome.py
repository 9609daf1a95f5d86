"""One attempt, judged by what is signed: a pass that came late, of another kind or without its photo is no pass."""

from __future__ import annotations

import dataclasses

from ledger.events import Answered
from ledger.schedule import Drawn


@dataclasses.dataclass(frozen=True, slots=True)
class Judgement:
    """`result` of an attempt, passed | failed | inconclusive, and `why` in one word ("" for a plain pass)."""

    result: str
    why: str


def judge(asked: Drawn, answer: Answered, *, late: bool, evidence: bool) -> Judgement:
    """Judge one answered attempt; `evidence` tells whether a photo may be asked for (consent and a recipient).

    A late answer, another kind than drawn and a missing photo make an attempt inconclusive, whatever it says: another
    attempt may follow, and without one the check is missed, which is what the specification calls it.
    """
    if late:
        return Judgement("inconclusive", "late")
    if answer.kind != asked.kind:
        return Judgement("inconclusive", "other_kind")
    if answer.result == "passed" and evidence and asked.evidence and answer.evidence is None:
        return Judgement("inconclusive", "no_photo")
    return Judgement(answer.result, "" if answer.result == "passed" else answer.reason)
