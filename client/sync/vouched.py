"""Whether an authority vouches for the keys that a grant relies on: asked before anything is sealed.

The operator appends the leaves of the class log: one of its own could name a key of its own as a reviewer's. So the
voucher that such a leaf names is fetched and verified as the offline verifier does it, against the client's settings.
"""

from __future__ import annotations

from collections.abc import Iterable

from client.errors import ServerRefusedError, UnvouchedKeyError
from client.sync.enrol import Enrolment
from ledger import vouchers
from ledger.classlog import ClassLog
from ledger.errors import LedgerError


def require(enrolment: Enrolment, log: ClassLog, role: str, keys: Iterable[str]) -> None:
    """Return quietly, or raise `UnvouchedKeyError`: an authority of the settings vouches for each of `keys`.

    `role`: evidence or supervisor. Where the settings name no authority nothing is asked. Errors of the network leave.
    """
    if not enrolment.authority:
        return
    records = {str(item.key): item for item in log.records(role) if item.counts_at(len(log))}
    for key in keys:
        record = records.get(key)
        if record is None:
            raise UnvouchedKeyError(f"the class log names no {role} key {key.partition('+')[0]}")
        try:
            voucher = enrolment.api.raw("GET", f"/v1/bodies/{record.leaf.vouched}").body
            vouchers.verify(voucher, record, enrolment.authority)
        except (LedgerError, ServerRefusedError) as error:
            raise UnvouchedKeyError(f"no authority vouches for {record.key.name}: {error}") from error
