"""What every system's `networks` collector shares: a proxy's address without its secret, who listens there, and the
subjects of certificates."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from agent.tables import ProcessRow

VARIABLES: Final = ("https_proxy", "all_proxy", "http_proxy")
MAX_CERTIFICATES: Final = 500
_LOCAL = re.compile(r"^(?:[a-z0-9]{1,10}://)?(?:[^@/]{0,200}@)?(?:127\.[0-9.]{1,11}|localhost|\[::1\]):([0-9]{1,5})/?$")
_SECRET = re.compile(r"^([a-z0-9]{1,10}://)?[^@/]{0,200}@", re.IGNORECASE)


def chosen(environ: Mapping[str, str]) -> str:
    """The proxy that the environment names for TLS; "" for none."""
    values = (environ.get(name) or environ.get(name.upper()) for name in VARIABLES)
    return next((value for value in values if value), "")


def bare(proxy: str) -> str:
    """A proxy's address without name and password."""
    return _SECRET.sub(r"\1", proxy)


def behind(proxy: str, processes: Sequence[ProcessRow]) -> str:
    """The program that listens on a proxy of this machine, with its arguments; "" for a far one or nobody."""
    found = _LOCAL.fullmatch(proxy.casefold())
    if found is None:
        return ""
    end = f":{found.group(1)}"
    rows = (row for row in processes if any(text.endswith(end) for text in row.listen))
    return next((f"{row.name} {row.cmdline}" for row in rows), "")


def subjects(data: bytes) -> Iterator[str]:
    """The subjects of the certificates in PEM or DER; nothing for other bytes."""
    from cryptography import x509

    try:
        with warnings.catch_warnings():  # roots of twenty years ago that today's rules would not let pass
            warnings.simplefilter("ignore")
            yield from _subjects(data)
    except (ValueError, x509.InvalidVersion, x509.UnsupportedGeneralNameType):
        return


def _subjects(data: bytes) -> list[str]:
    from cryptography import x509

    pem = b"-----BEGIN" in data
    loaded = x509.load_pem_x509_certificates(data) if pem else [x509.load_der_x509_certificate(data)]
    return [certificate.subject.rfc4514_string() for certificate in loaded[:MAX_CERTIFICATES]]
