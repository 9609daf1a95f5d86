"""Class archives on the disk: a folder or a strict .zip, verified before anybody gets it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from ledger.archive import Directory
from ledger.errors import ArchiveError
from ledger.export import ArchiveData, write_archive
from ledger.report import Report
from ledger.verify import Options
from ledger.zipform import write_zip
from server_stub.domain.archive import Archivist
from server_stub.domain.copy import of_learner
from server_stub.domain.errors import ExportError
from server_stub.domain.gather import Gatherer
from server_stub.domain.keyring import Keyring
from server_stub.domain.ports import Records, Transaction
from server_stub.domain.witness_errors import NotWitnessedError

CUTS = 5  # the log may go on between a cut and its cosignatures, and the witnesses with it


class ArchiveExporter:
    """Writes archives. `folder` is where unfinished ones lie, readable by nobody else."""

    def __init__(
        self, archivist: Archivist, records: Records, keyring: Keyring, gatherer: Gatherer, folder: Path
    ) -> None:
        self._archivist, self._records, self._keyring, self._folder = archivist, records, keyring, folder
        self._gatherer = gatherer

    def zip(self, class_id: str, *, masked: bool, learner: str | None = None) -> Path:
        """A new archive as .zip in a temporary file, which the caller removes."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".zip", dir=self._folder)
        os.close(handle)
        try:
            self._zip(class_id, Path(name), masked=masked, learner=learner)
        except BaseException:
            Path(name).unlink()
            raise
        return Path(name)

    def write(self, class_id: str, out: Path, *, masked: bool, zipped: bool, learner: str | None = None) -> None:
        """Write the archive of a class to `out`, which must not exist (or be an empty folder); `ExportError` if not."""
        if out.exists() and (zipped or not out.is_dir() or any(out.iterdir())):
            raise ExportError(f"{out} exists already")
        if zipped:
            self._zip(class_id, out, masked=masked, learner=learner)
        else:
            self._write(class_id, out, masked=masked, learner=learner)

    def _zip(self, class_id: str, out: Path, *, masked: bool, learner: str | None = None) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=self._folder))
        try:
            self._write(class_id, work, masked=masked, learner=learner)
            with out.open("wb") as file:
                write_zip(Directory(work), file)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _cut(self, class_id: str) -> bytes:
        """The class log's checkpoint at a state that can be exported, with every cosignature that is to be had."""
        for _ in range(CUTS):
            signed = self._gatherer.cosigned(class_id, self._archivist.prepare(class_id))
            if signed is not None:
                return signed
        raise NotWitnessedError("the class log grows faster than the witnesses sign")

    def _write(self, class_id: str, out: Path, *, masked: bool, learner: str | None) -> Report:
        signed = self._cut(class_id)
        trust = self._archivist.trust(class_id)
        options = Options(authority=self._keyring.authorities, partial=learner is not None)

        def data(tx: Transaction) -> ArchiveData:
            found = self._archivist.collect(tx, class_id, signed, masked=masked, learner=learner)
            return found if learner is None else of_learner(tx, found, learner)

        try:
            return self._records.read(lambda tx: write_archive(out, data(tx), trust, options))
        except ArchiveError as error:
            raise ExportError(str(error)) from error
        except OSError as error:
            raise ExportError(f"{error.filename} cannot be written: {error.strerror}") from error
