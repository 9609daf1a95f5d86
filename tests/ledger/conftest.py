"""A small whole archive, made once: what most stories of this room begin with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger.report import Report
from ledger.trust import Trust
from ledger.verify import Options, verify
from tests.ledger.builder import Classroom, small
from tests.ledger.memory import Memory


@dataclass(frozen=True)
class Made:
    """The class as its builder left it, and its archive."""

    room: Classroom
    path: Path
    source: Memory
    trust: Trust
    options: Options

    def verify(self, source: Memory | None = None, **changes: object) -> Report:
        """Verify the archive, or a changed copy of it."""
        options = Options(**{"authority": self.options.authority, **changes})  # type: ignore[arg-type]
        return verify(source or self.source, self.trust, options)


def made(room: Classroom, path: Path) -> Made:
    """Take what is in `path`."""
    return Made(room, path, Memory.of(path), room.trust(), room.options())


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """One learner, one device, two sessions, one witness: all credited and settled. Do not write into its folder."""
    return made(*small(tmp_path_factory.mktemp("ledger") / "archive"))
