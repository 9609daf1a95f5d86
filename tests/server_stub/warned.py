"""A warning and a day's report that stand in the drawer without the sessions behind them: for who may see what."""

from __future__ import annotations

from dataclasses import replace

from server_stub.domain.papers import fresh
from server_stub.domain.warnings.inspector import REPORT, WARNING, Warned
from server_stub.domain.warnings.rows import Ref
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS


def planted(room: Room, *learners: str) -> dict[str, str]:
    """Their names, by the parameter of the routes; the warning names all of `learners`."""
    inspector = room.server.services.warnings.inspector
    rule, now = inspector.pack.rules[0], room.clock.now
    words = {lang: {"title": text.title, "shown": text.shown, "ordinary": text.ordinary}
             for lang, text in rule.words.items()}  # fmt: skip
    value = Warned(
        rule.id, rule.version, inspector.pack.digest, rule.requirements, rule.score, CLASS, learners, 0,
        {"sessions": 1}, (Ref(CLASS, 3, "ab" * 16, 7),), words, now, now,
    )  # fmt: skip
    report = inspector.report("2026-11-22", now)
    papers = inspector.bench.papers.put(
        replace(fresh(WARNING, f"class/{CLASS}", learners[0], "open", now, value), paper="a1" * 16),
        replace(fresh(REPORT, "", "", "new", now, report), paper="a2" * 16),
    )
    return {"warning": papers[0].paper, "report": papers[1].paper}
