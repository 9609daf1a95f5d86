"""A test's result and the answers it is about: the operator's word is held to what the learner's device signed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ledger.bodies import Test
from ledger.events import Question
from ledger.findings import Findings, Status
from ledger.steps.session import VerifiedSession

STEP = "2 bodies"


def check(session: VerifiedSession, results: Iterable[Test], findings: Findings) -> None:
    """Name every result that has fewer signed answers in its session than it says were asked.

    Not checkable, and no refusal: a device may be lost with its last answers; a result that nobody studied for looks
    the same. Answers that were withheld are counted as there.
    """
    found = {
        (event.body.unit, event.body.attempt, event.body.item)
        for event in session.log.events
        if event is not None and isinstance(event.body, Question)
    }
    signed = Counter((unit, attempt) for unit, attempt, _ in found)
    for result in results:
        there = signed[result.unit, result.attempt] + len(session.withheld)
        if there < result.asked:
            said = f"{there} of {result.asked} answers of the test of {result.unit} are signed in the session"
            findings.add(STEP, Status.NOT_CHECKABLE, said, sid=session.sid)
