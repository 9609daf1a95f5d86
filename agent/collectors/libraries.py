"""What a frozen client loads beside our modules, against its list: read whole soon after the start, then watched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from agent import bundle, manifest
from agent.bundle import Comparison
from agent.collectors import Context
from agent.errors import CollectorError, ManifestError
from agent.tables import Row, SelfRow

START_MS: Final = 20_000  # so long the start lasts, whose cost the watchdog does not count as the agent's pace
START_S, PACE_S = 0.08, 0.01  # of reading in one look: at the start, and later
SWEEP_MS: Final = 30_000
ROLLING: Final = 128 * 1024  # bytes of one look (a piece at least), of what has been read and looks unchanged


class Libraries:
    """One row for a released bundle. A checkout has none; one signed by a development key is only ever unknown."""

    def __init__(self, context: Context, root: Path = manifest.ROOT) -> None:
        self._context, self._root = context, root
        self._began_ms: int | None = None
        self._swept_ms = 0
        self._development = False
        self._comparison: Comparison | None = None

    def collect(self, now_ms: int) -> Sequence[Row]:
        """The row: what is known by now to differ; a list of another form counts as changed itself."""
        first = self._began_ms is None
        try:
            if self._began_ms is None:
                self._began_ms = self._swept_ms = now_ms
                self._begin()
        except ManifestError as error:
            self._began_ms = None
            return self._row((f"{error.code} {error}",))
        if self._comparison is None:
            return ()
        if self._context.patient:
            self._comparison.finish()
        elif not first:  # the first beat does not wait for it
            self._compare(self._comparison, now_ms - self._began_ms, now_ms)
        return self._row(self._comparison.changed)

    def _begin(self) -> None:
        """Nothing is compared where nobody signed: the table of our own files says so already."""
        try:
            self._development = manifest.check(self._root).development
        except (CollectorError, ManifestError):
            return
        listed = bundle.read(self._root)
        if listed is not None:
            self._comparison = Comparison(self._root, listed)
            self._comparison.sweep()

    def _compare(self, comparison: Comparison, ran_ms: int, now_ms: int) -> None:
        if now_ms - self._swept_ms >= SWEEP_MS:
            self._swept_ms = now_ms
            comparison.sweep()
        if comparison.urgent:
            comparison.step(START_S if ran_ms < START_MS else PACE_S, 1 << 40)
            return
        if comparison.complete:
            comparison.again()
        comparison.step(PACE_S, ROLLING)

    def _row(self, changed: tuple[str, ...]) -> Sequence[Row]:
        if self._development and changed:
            raise CollectorError(f"libraries: {len(changed)} files differ, {changed[0]} first, by a development key")
        return [] if self._development else [SelfRow(subject="libraries", changed=changed)]
