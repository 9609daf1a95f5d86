"""What encoders write: one folder a stream, of which only plain files are ever read, and no more than is asked for."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from server_stub.domain.errors import NotThereError, TooLargeError


class Streams:
    """The folders `<data>/live/<stream>`; an encoder fills them, nothing here writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, stream: str, name: str, limit: int) -> bytes:
        """The bytes of a plain file of a stream, or `NotThereError`; `TooLargeError` beyond `limit`.

        `stream` and `name` were parsed: neither holds a separator. A link that leads elsewhere is no plain file.
        """
        try:
            handle = os.open(self._folder / stream / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise NotThereError(f"the stream {stream} has no {name}") from error
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise NotThereError(f"{name} of the stream {stream} is no plain file")
        with os.fdopen(handle, "rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise TooLargeError(f"{name} of the stream {stream} has more than {limit} bytes")
        return data
