"""What /openapi.json says beside the fields of a route: what a refusal looks like, which answers are no JSON."""

from __future__ import annotations

from typing import Any, Final

from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field


class Refusal(BaseModel):
    """Why a request was not served (docs/errors.md lists the codes); some refusals have further fields."""

    model_config = ConfigDict(extra="allow")

    code: str = Field(pattern=r"^TS-S-[0-9]{3}$")
    message: str
    remedy: str
    zh: str


_JSON: Final = {"application/json": {"schema": Refusal.model_json_schema()}}  # whatever kind the route's answers are
REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"content": _JSON, "description": "Refused: the request, or whoever asks, is at fault"},
    "503": {"content": _JSON, "description": "Not now: the store is away or full; try again after Retry-After"},
}


class Note(Response):
    """A signed note, checkpoint or receipt."""

    media_type = "text/plain"


class Bytes(Response):
    """A file as it is kept."""

    media_type = "application/octet-stream"


class Archive(Response):
    """A class archive."""

    media_type = "application/zip"


class Whatever(Response):
    """A file of the kind that its name says."""

    media_type = "*/*"
