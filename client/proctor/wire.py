"""What the worker and the window say to each other: one JSON object a message, a closed table of them.

The worker looks at pictures that anybody may hold before the camera; so the window parses what it hears, and unpickles
nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
import typing
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

from client.errors import ClientError
from client.events import CameraState, Enrolled, Judged, Look, Prompt
from client.ports import CheckRequest, Sealing

if TYPE_CHECKING:
    from ledger.evidence import Sealed

MAX_MESSAGE: Final = 96 * 1024  # a sealed photo and its keys for 32 people, in base64


class WireError(ClientError):
    """A message between the window and the detectors' process is not of the table."""

    code = "TS-C-313"
    remedy = "The detectors are started again by themselves; the lesson goes on."
    zh = "检测进程返回了无法识别的信息，正在自动重启，学习可继续。"


# --- from the worker --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Alive:
    """The worker's loop turned once more at `mono`."""

    mono: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """The models are loaded: name → sha256, and the engine that runs them."""

    models: Mapping[str, str]
    engine: str


@dataclass(frozen=True, slots=True)
class Made:
    """The template of a passed enrolment, base64; it comes just before its `Enrolled`."""

    template: str


@dataclass(frozen=True, slots=True)
class Photo:
    """The sealed photo of an attempt, both files base64; it comes just before its `Judged`, which names it."""

    named: Mapping[str, str]
    file: str
    keys: str

    @classmethod
    def of(cls, photo: Sealed) -> Photo:
        """The message that carries `photo`."""
        return cls(photo.named.to_json(), text(photo.file), text(photo.keys_file))

    def sealed(self) -> Sealed:
        """The photo, if its bytes are those that it names, or `WireError`."""
        from ledger.evidence import EvidenceError, Named, Sealed, check_named  # see client/ports.py

        try:
            photo = Sealed(Named(**self.named), raw(self.file), raw(self.keys))
            check_named(photo)
        except (EvidenceError, TypeError) as error:
            raise WireError("a photo that is not what it names") from error
        return photo


@dataclass(frozen=True, slots=True)
class Followed:
    """The follower of the template moved after a strong match, base64: to be kept on this device."""

    follower: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The worker cannot go on and says why before it ends."""

    detail: str


# --- to the worker ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SetReference:
    """Compare with this template from now on, and with what followed it (base64; follower "" = none)."""

    template: str
    follower: str = ""


@dataclass(frozen=True, slots=True)
class Enrol:
    """Begin an enrolment."""

    gestures: tuple[str, ...]
    deadline_ms: int


@dataclass(frozen=True, slots=True)
class Begin:
    """Begin an attempt; the fields of `CheckRequest`. A photo is wanted where there is somebody to seal it to."""

    check: int | str
    attempt: int
    kind: str
    gestures: tuple[str, ...]
    deadline_ms: int
    nonce: str
    pad: str
    thresholds: Mapping[str, int] = field(default_factory=dict)
    origin: str = ""
    recipients: tuple[str, ...] = ()
    opened_at: int = 0

    @classmethod
    def of(cls, request: CheckRequest) -> Begin:
        """The message that orders `request`."""
        photo = request.photo or Sealing("", (), 0)
        return cls(
            request.check, request.attempt, request.kind, tuple(request.gestures), request.deadline_ms, request.nonce,
            request.pad, dict(request.thresholds), photo.origin, tuple(photo.recipients), photo.opened_at,
        )  # fmt: skip

    def request(self) -> CheckRequest:
        """The order as the port spells it."""
        photo = Sealing(self.origin, self.recipients, self.opened_at) if self.recipients else None
        plain = {item.name: getattr(self, item.name) for item in fields(CheckRequest) if item.name != "photo"}
        return CheckRequest(**plain, photo=photo)


@dataclass(frozen=True, slots=True)
class Cancel:
    """Forget the attempt or enrolment that runs."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Close camera and models, and end."""


Message = (
    Alive | Loaded | Made | Followed | Photo | Broken | SetReference | Enrol | Begin | Cancel | Stop | Look | Prompt
    | Judged | Enrolled | CameraState
)  # fmt: skip
_TYPES: Final[Mapping[str, type[Any]]] = {item.__name__: item for item in typing.get_args(Message)}
_HINTS: Final = {name: typing.get_type_hints(item) for name, item in _TYPES.items()}


def encode(message: Message) -> bytes:
    """One message as bytes."""
    return json.dumps({"is": type(message).__name__, **asdict(message)}, ensure_ascii=False).encode("utf-8")


def decode(data: bytes) -> Message:
    """Return the message that `data` spells, or raise `WireError`."""
    if len(data) > MAX_MESSAGE:
        raise WireError(f"a message of {len(data)} bytes")
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise WireError("not JSON") from error
    if not isinstance(tree, dict) or not isinstance(tree.get("is"), str) or tree["is"] not in _TYPES:
        raise WireError("no message of the table")
    name = tree.pop("is")
    if set(tree) != set(_HINTS[name]):
        raise WireError(f"{name}: missing or unknown field")
    values = {key: _value(name, value, _HINTS[name][key]) for key, value in tree.items()}
    message: Message = _TYPES[name](**values)
    return message


def _value(where: str, value: Any, kind: Any) -> Any:
    if kind == tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
    elif typing.get_origin(kind) is not None and issubclass(typing.get_origin(kind), Mapping):
        inner = typing.get_args(kind)[1]
        if isinstance(value, dict) and all(type(item) is inner for item in value.values()):
            return value
    elif type(value) in (typing.get_args(kind) or (kind,)):
        return value
    raise WireError(f"{where}: a field of the wrong type")


def text(data: bytes) -> str:
    """Bytes as they stand in a message."""
    return base64.b64encode(data).decode("ascii")


def raw(value: str) -> bytes:
    """The bytes of a message's field, or `WireError`."""
    try:
        return base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error) as error:
        raise WireError("not base64") from error
