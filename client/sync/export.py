"""What this device keeps, as files for people: sessions that the server does not have, and claims against it.

An unsent session is an archive without a class log: `python -m ledger verify --partial` checks it as far as it stands
alone, `python -m server_stub import` takes it in. A claim (a grant, a cosigned checkpoint) is what `python -m ledger
complain` wants.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from client.errors import LocalRecordsError
from client.profile import disk
from client.sync.outbox import Kept, Outbox
from ledger import note
from ledger.errors import ArchiveError
from ledger.export import SessionFiles, put, write_unsent


def unsent(outbox: Outbox) -> Iterator[Kept]:
    """Sessions of which the server has not receipted everything and something is signed."""
    for kept in outbox.sessions():
        if kept.state != "sent" and kept.cosigned < kept.size and outbox.signed(kept.sid):
            yield kept


def export_session(outbox: Outbox, kept: Kept, out: Path) -> None:
    """Write one session up to its last checkpoint into the absent or empty folder `out`."""
    last = outbox.signed(kept.sid)[-1]
    files = SessionFiles(kept.sid, last.note, kept.cert, outbox.events(kept.sid, 0, last.size))
    try:
        with disk(str(out)):
            write_unsent(out, files)
    except ArchiveError as error:
        raise LocalRecordsError(str(error)) from error


def export_claims(outbox: Outbox, out: Path) -> list[Path]:
    """Write every grant and the last cosigned checkpoint of every session into `out`; return the files."""
    written = []
    for kept in outbox.sessions():
        cosigned = [signed for signed in outbox.signed(kept.sid) if signed.line]
        claims = {"grant": kept.grant} if kept.grant else {}
        if cosigned:
            claims["checkpoint"] = note.add(cosigned[-1].note, cosigned[-1].line or "")
        for what, data in claims.items():
            with disk(str(out)):
                put(out, f"{kept.sid}.{what}", data)
            written.append(out / f"{kept.sid}.{what}")
    return written
