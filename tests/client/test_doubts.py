"""What PAD doubts through a challenge reaches the person who decides, through the signed log alone."""

from __future__ import annotations

import pytest

from ledger import words
from ledger.events import Finding

MINUTE = 60_000


@pytest.mark.slow
def test_a_doubted_challenge_stands_in_the_report_and_takes_no_minute(make_world):
    """The first attempt of the opening check is doubted, the next one is clear: one finding with its reasons, in the
    supervisor's report and in its words, and every minute is credited as without it."""
    world = make_world(units=(("pass", MINUTE),))
    pc = world.machine()
    pc.proctor.verdicts.append(("inconclusive", "not_clear"))
    pc.proctor.doubts = ("texture", "stiff")
    study = pc.study()
    pc.run(study, 20 * MINUTE, until="done")
    pc.send_all()
    (found,) = [event.body for event in pc.events(study.sid) if isinstance(event.body, Finding)]
    assert (found.rule, found.evidence["reasons"], found.evidence["attempt"]) == (
        "presence.not_clear", "texture stiff", 0,
    )  # fmt: skip
    report = world.verified()
    assert not report.refused
    (row,) = report.sessions
    assert [(one.rule, one.severity, one.response) for one in row.findings] == [
        ("presence.not_clear", "medium", "report")
    ]
    assert row.credited_ms == MINUTE
    assert "presence.not_clear (medium), response report" in words.text(report)
