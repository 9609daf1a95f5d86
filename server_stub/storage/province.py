"""The way to the provincial platform: a signed checkpoint goes there, the hash of what arrived comes back."""

from __future__ import annotations

import http.client
import json
import re
from typing import Final
from urllib.parse import urlsplit

PATIENCE_S: Final = 5.0
MAX_ANSWER: Final = 4096


class HttpProvince:
    """`domain.opening.Province`: one POST of text/plain; the answer is `{"received": sha256}`. Follows no redirect."""

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def configured(self) -> bool:
        """Whether an address was named."""
        return bool(self._url)

    def echo(self, body: bytes) -> str:
        """What it says it received; `OSError` for silence, another status, or an answer that says nothing."""
        parts = urlsplit(self._url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=PATIENCE_S)
        try:
            connection.request("POST", parts.path or "/", body, {"Content-Type": "text/plain; charset=utf-8"})
            response = connection.getresponse()
            data = response.read(MAX_ANSWER)
            if response.status != 200:
                raise OSError(f"answers {response.status}")
            received = json.loads(data).get("received")
        except (http.client.HTTPException, ValueError, AttributeError) as error:
            raise OSError(f"no answer of the published form: {type(error).__name__}") from error
        finally:
            connection.close()
        if not isinstance(received, str) or not re.fullmatch(r"[0-9a-f]{64}", received):
            raise OSError("does not say what it received")
        return received
