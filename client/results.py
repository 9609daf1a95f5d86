"""What the result screen shows of a session that is over: pure, from its state and the ledger's credit."""

from __future__ import annotations

from client.state import Over, State
from client.view import Part, ResultView, Words, Worth
from ledger.credit import Credit
from ledger.reasons import reason


def result(state: State, sid: str, credit: Credit | None, worth: Worth | None = None) -> ResultView:
    """The result screen; without a credit (the records cannot be read) it shows nothing counted, never a guess."""
    over = state.stage
    how, size = (over.how, over.size) if isinstance(over, Over) else ("recovered", state.size)
    mine = next((one for one in credit.sessions if one.sid == sid), None) if credit else None
    titles = {unit.unit: unit.title for unit in state.rules.units}
    parts = tuple(
        Part(
            part.unit,
            titles.get(part.unit, Words(part.unit, part.unit)),
            part.from_,
            part.to,
            Words(reason(part.reason).zh, reason(part.reason).en),
            reason(part.reason).make_up,
        )
        for part in (mine.not_credited if mine else ())
        if part.reason != "replay"
    )
    return ResultView(
        credited_ms=mine.credited_ms if mine else 0,
        credited_all_ms=credit.credited_ms if credit else 0,
        checks_passed=sum(check.outcome == "passed" for check in mine.checks) if mine else 0,
        checks_all=len(mine.checks) if mine else 0,
        parts=parts,
        sent=state.cosigned >= size,
        how=how,
        records=size,
        photos=state.photos,
        worth=worth,
    )
