"""Through whom our own connections would go: the proxy of the environment, who listens there, and added roots."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from agent.tables import NetworkRow, ProcessRow, Row

VARIABLES: Final = ("https_proxy", "all_proxy", "http_proxy")
# where an administrator adds roots on Debian, Fedora and Arch; the distribution's own are elsewhere
FOLDERS: Final = (
    "/usr/local/share/ca-certificates", "/etc/pki/ca-trust/source/anchors", "/etc/ca-certificates/trust-source/anchors",
)  # fmt: skip
MAX_ROOTS: Final = 50
MAX_BYTES: Final = 256 * 1024
_LOCAL = re.compile(r"^(?:[a-z0-9]{1,10}://)?(?:[^@/]{0,200}@)?(?:127\.[0-9.]{1,11}|localhost|\[::1\]):([0-9]{1,5})/?$")
_SECRET = re.compile(r"//[^@/]{0,200}@")


class Networks:
    """One row if there is a proxy or an added root, else none; who signed our TLS connection only the client sees."""

    def __init__(
        self, processes: Callable[[], Sequence[ProcessRow]], environ: Mapping[str, str] | None = None, root: str = ""
    ) -> None:
        self._processes = processes
        self._environ = os.environ if environ is None else environ
        self._root = root

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """The row; a password in a proxy's address is left out."""
        values = (self._environ.get(name) or self._environ.get(name.upper()) for name in VARIABLES)
        proxy = next((value for value in values if value), "")
        roots = tuple(self._roots())
        if not proxy and not roots:
            return []
        return [NetworkRow(proxy=_SECRET.sub("//", proxy), listener=self._listener(proxy), roots=roots)]

    def _listener(self, proxy: str) -> str:
        found = _LOCAL.fullmatch(proxy.casefold())
        if found is None:
            return ""
        end = f":{found.group(1)}"
        rows = (row for row in self._processes() if any(text.endswith(end) for text in row.listen))
        return next((f"{row.name} {row.cmdline}" for row in rows), "")

    def _roots(self) -> Iterator[str]:
        files = [path for folder in FOLDERS for path in _files(Path(self._root + folder))]
        for path in files[:MAX_ROOTS]:
            yield from subjects(path)


def subjects(path: Path) -> Iterator[str]:
    """The subjects of the certificates in a PEM or DER file; nothing for another file."""
    from cryptography import x509

    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES)
        pem = b"-----BEGIN" in data
        loaded = x509.load_pem_x509_certificates(data) if pem else [x509.load_der_x509_certificate(data)]
        yield from [certificate.subject.rfc4514_string() for certificate in loaded]
    except (OSError, ValueError, x509.InvalidVersion, x509.UnsupportedGeneralNameType):
        return


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        return []
