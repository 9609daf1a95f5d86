"""What credited time is worth in class hours and credit points, and why, in sentences. The figures are the ledger's.

Counted from this device's own signed records: the archive and the server's pages count by the same function.
"""

from __future__ import annotations

from collections.abc import Iterator

from client.view import Sentence, Value, Worth
from ledger.credit import Credit
from ledger.points import Earned, Rules, class_hours, explain
from ledger.policy import Policy


def worth(found: Credit, policy: Policy, rules: Rules) -> Worth:
    """The class hours and points of one registration, with their reasons."""
    earned = explain(found, policy, rules)
    points = sum(one.tenths for one in earned)
    why = tuple(_why(earned, rules))
    return Worth(figure(points), figure(class_hours(found.credited_ms, policy)), policy.class_hour_minutes, why)


def figure(tenths: int) -> str:
    """Tenths as people write them: 3, 3.5."""
    whole, rest = divmod(tenths, 10)
    return f"{whole}.{rest}" if rest else str(whole)


def _why(earned: tuple[Earned, ...], rules: Rules) -> Iterator[Sentence]:
    """A sentence for each rule that gives points; what is still to be earned is said, too."""
    for one in earned:
        given: dict[str, Value] = {
            "times": one.times, "most": one.most, "each": figure(one.each_tenths), "sum": figure(one.tenths),
            "share": figure(rules.unit_complete_permille),
        }  # fmt: skip
        if one.each_tenths and (one.times or one.rule != "checks"):
            open_ = one.rule == "course" and not one.times
            yield Sentence("points.course_open" if open_ else f"points.{one.rule}", given)
