"""Step 1, fourth part: time stamps lie where their size and their bytes say, and are of this very log."""

from __future__ import annotations

from ledger import timestamps
from ledger.archive import Source
from ledger.checkpoint import Checkpoint
from ledger.errors import StrayFileError
from ledger.findings import Findings, Refused, Status
from ledger.steps.classlog import VerifiedClass
from ledger.timestamps import FOLDER, NoReaderError, Timestamp

STEP = "1"


def check(source: Source, verified: VerifiedClass, roots: bytes, findings: Findings) -> list[Timestamp]:
    """Every token of the archive, verified against the certificates `roots`; without any it is not checkable."""
    found = []
    for name in source.names(FOLDER):
        try:
            with findings.step(STEP):
                stamp = _one(source, verified, roots, name)
        except Refused:
            continue
        if isinstance(stamp, Timestamp):
            found.append(stamp)
        else:
            findings.add(STEP, Status.NOT_CHECKABLE, stamp)
    return found


def _one(source: Source, verified: VerifiedClass, roots: bytes, name: str) -> Timestamp | str:
    """What one token says, or why that cannot be told here."""
    match, data = timestamps.NAME.fullmatch(name), source.read(name)
    size = int(match[1]) if match else 0
    if match is None or timestamps.name(size, data) != name or size > len(verified.log):
        raise StrayFileError(f"{name} is no time stamp of this class log")
    if not roots:
        return f"no --tsa certificate was given for the time stamp at {size}"
    stated = Checkpoint(verified.log.origin, size, verified.tree.root_at(size))
    try:
        return timestamps.verify(data, stated, roots)
    except NoReaderError as error:
        return str(error)
