"""An archive in memory (`ledger.archive.Source`), so that a test may change one byte and verify again at once."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from ledger.errors import MissingFileError


class Memory:
    """The files of one archive by name."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)

    @classmethod
    def of(cls, root: Path) -> Memory:
        """Everything below `root`."""
        return cls({str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()})

    def names(self, prefix: str = "") -> list[str]:
        """See `Source.names`."""
        return sorted(name for name in self.files if name.startswith(prefix))

    def folders(self, prefix: str) -> list[str]:
        """See `Source.folders`."""
        return sorted({name[len(prefix) :].partition("/")[0] for name in self.names(prefix)})

    def has(self, name: str) -> bool:
        """See `Source.has`."""
        return name in self.files

    def read(self, name: str) -> bytes:
        """See `Source.read`."""
        if name not in self.files:
            raise MissingFileError(f"{name} is missing")
        return self.files[name]

    def digest(self, name: str) -> bytes:
        """See `Source.digest`."""
        return sha256(self.read(name)).digest()

    def changed(self, name: str, content: bytes | None) -> Memory:
        """The same archive with one file replaced, added, or (None) removed."""
        files = {**self.files, name: content}
        return Memory({key: value for key, value in files.items() if value is not None})
