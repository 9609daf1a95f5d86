"""The server's own keys by what they may sign; each does one thing (records.md, "Keys")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ledger import names
from ledger.keys import Signer, Vkey
from ledger.trust import Trust
from server_stub.domain.errors import NotThereError

NOBODY = Trust((), {})


@dataclass(frozen=True, slots=True)
class Keyring:
    """`logs` by class ID: each signs its class log's checkpoints alone. Officer and authority: development only."""

    server: str
    logs: Mapping[str, Signer]
    cosigner: Signer
    grant: Signer
    officer: Signer | None = None  # identifies learners
    authority: Signer | None = None  # vouches for the officer
    authorities: tuple[Vkey, ...] = ()  # whose word on supervisors and evidence keys this server takes
    former: Mapping[str, tuple[Vkey, ...]] = field(default_factory=dict)  # by class ID: log keys of before
    witnesses: Trust = NOBODY  # who watches this server's class logs, and how many of them make a quorum

    def log(self, class_id: str) -> Signer:
        """The key of one class log, or `NotThereError`."""
        try:
            return self.logs[class_id]
        except KeyError:
            raise NotThereError(f"this server keeps no class {class_id!r}") from None

    def trust(self, class_id: str) -> Trust:
        """The trust file that the operator recommends for a class."""
        return replace(self.witnesses, logs=(*self.former.get(class_id, ()), self.log(class_id).vkey))

    def origin(self, class_id: str) -> str:
        """The class log's origin."""
        return names.class_origin(self.server, class_id)
