"""Through whom our own connections would go: the proxy of the environment, who listens there, and added roots."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from agent.collectors.proxies import bare, behind, chosen
from agent.collectors.proxies import subjects as subjects_in
from agent.tables import NetworkRow, ProcessRow, Row

# where an administrator adds roots on Debian, Fedora and Arch; the distribution's own are elsewhere
FOLDERS: Final = (
    "/usr/local/share/ca-certificates", "/etc/pki/ca-trust/source/anchors", "/etc/ca-certificates/trust-source/anchors",
)  # fmt: skip
MAX_ROOTS: Final = 50
MAX_BYTES: Final = 256 * 1024


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
        proxy, roots = chosen(self._environ), tuple(self._roots())
        if not proxy and not roots:
            return []
        return [NetworkRow(proxy=bare(proxy), listener=behind(proxy, self._processes()), roots=roots)]

    def _roots(self) -> Iterator[str]:
        files = [path for folder in FOLDERS for path in _files(Path(self._root + folder))]
        for path in files[:MAX_ROOTS]:
            yield from subjects(path)


def subjects(path: Path) -> Iterator[str]:
    """The subjects of the certificates in a PEM or DER file; nothing for another file."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES)
    except OSError:
        return
    yield from subjects_in(data)


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        return []
