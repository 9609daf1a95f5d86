"""A school beside the server: an authority and its people, whose keys never lie in the server's data directory."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from pathlib import Path

from ledger.archive import open_source
from ledger.keys import parse_vkey
from ledger.report import Report
from ledger.trust import parse as parse_trust
from ledger.verify import Options, verify
from server_stub.__main__ import main
from server_stub.signing import new_key
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, SERVER

ORIGIN = f"{SERVER}/c/{CLASS}"


class School:
    """Signs as files, through the command line; the operator of `room` takes the files in."""

    def __init__(self, room: Room, folder: Path, *, recognised: bool = True) -> None:
        self.room, self.folder = room, folder
        folder.mkdir()
        self.made = 0
        self.authority = new_key("authority", "school.example", folder / "authority")
        if recognised:
            self.operator("authority", self.authority)
            room.restart()

    def run(self, *words: object) -> str:
        """A command that must succeed; what it printed."""
        out = io.StringIO()
        with redirect_stdout(out):
            assert main([str(word) for word in words]) == 0, words
        return out.getvalue().strip()

    def operator(self, command: str, *words: object) -> str:
        """A command of the operator on the room's data directory."""
        return self.run(command, self.room.settings.directory, *words)

    def refused(self, command: str, *words: object) -> bool:
        """Whether a command of the operator is refused with one sentence."""
        return main([command, str(self.room.settings.directory), *map(str, words)]) == 2

    def out(self) -> Path:
        self.made += 1
        return self.folder / f"file{self.made}"

    def supervisor(self) -> Path:
        """A supervisor's key file, vouched for and taken in."""
        path = self.out()
        vkey = new_key("supervisor", "school.example", path)
        self.operator("take", CLASS, self.vouch("add", vkey))
        return path

    def vouch(self, op: str, vkey: str, key: Path | None = None) -> Path:
        out = self.out()
        self.run("key", op, "supervisor", vkey, "--key", key or self.folder / "authority", "--out", out)
        return out

    def sign(self, kind: str, *keys: Path, origin: str = ORIGIN, **fields: object) -> Path:
        """A signed note as a file; `from_` for --from."""
        out = self.out()
        words = [word for name, value in fields.items() for word in (f"--{name.rstrip('_')}", value)]
        signers = [word for key in keys for word in ("--key", key)]
        self.run(kind, "--class", origin, *words, *signers, "--out", out)
        return out

    def take(self, path: Path) -> int:
        return int(self.operator("take", CLASS, path))

    def verified(
        self, name: str, *, learner: str | None = None, authority: bool = True, masked: bool = False
    ) -> Report:
        """The class (or one learner's copy) exported anew and verified as a stranger does."""
        out = self.folder / name
        self.room.server.services.exporter.write(CLASS, out, masked=masked, zipped=False, learner=learner)
        trust = parse_trust(self.room.server.services.enrolment.trust(CLASS).encode())
        known = self.room.server.keyring.authority
        assert known is not None
        keys = (known.vkey, parse_vkey(self.authority)) if authority else ()
        return verify(open_source(out), trust, Options(authority=keys, partial=learner is not None))
