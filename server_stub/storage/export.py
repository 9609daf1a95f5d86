"""Class archives: everything that the records of a class consist of, as files that verify without us."""

from __future__ import annotations

from pathlib import Path

from server_stub.domain.classlog import ClassLogs
from server_stub.domain.errors import NotThereError
from server_stub.domain.keyring import Keyring
from server_stub.domain.people import People
from server_stub.domain.ports import Records
from server_stub.domain.reveal import Revealer
from server_stub.domain.signin import Clock


class ArchiveExporter:
    """Writes archives, as a folder or as a .zip."""

    def __init__(
        self, people: People, records: Records, logs: ClassLogs, keyring: Keyring, revealer: Revealer, clock: Clock
    ) -> None:
        self._people, self._records, self._logs = people, records, logs
        self._keyring, self._revealer, self._clock = keyring, revealer, clock

    def zip(self, class_id: str, *, masked: bool) -> Path:
        """A new archive as .zip in a temporary file, which the caller removes."""
        raise NotThereError("archives cannot be made yet")

    def write(self, class_id: str, out: Path, *, masked: bool, zipped: bool) -> None:
        """Write the archive of a class to `out`, which must not exist."""
        raise NotThereError("archives cannot be made yet")
