"""What programs, not hands, put into keyboard and mouse, as one row that tells its rhythm."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.collectors import Context
from agent.collectors.heard import Heard
from agent.rhythm import rhythm
from agent.tables import InputRow, Row


class Inputs:
    """One row if programs made input within the last minutes, else none."""

    def __init__(self, heard: Callable[[], Heard], context: Context) -> None:
        self._heard, self._context = heard, context

    def collect(self, now_ms: int) -> Sequence[Row]:
        """The row, or `CollectorError` where the system lets nobody listen."""
        made = list(self._heard().made)
        if not made:
            return []
        beat = rhythm([event.at_ms for event in made], [event.at_ms for event in made if event.click])
        return [
            InputRow(
                sources=tuple(sorted({event.source for event in made})), injected=len(made), acts=beat.acts,
                period_ms=beat.period_ms, jitter=beat.jitter, regular=beat.regular,
                ongoing=beat.ongoing(max(0, now_ms - made[-1].at_ms)), in_client=self._context.in_client,
            )
        ]  # fmt: skip
