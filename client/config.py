"""The few settings of a client: where the server is, whom it trusts, where data lives, which language it speaks.

Later places win: built in < machine < user's config.toml < environment < command line < policy (docs/deploy.md).
Everything is checked once, here; a wrong setting is refused by name, place and line before anything starts.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from client import sources
from client.errors import ConfigError
from client.fit import ENGINES, LOADS
from client.sources import Machine, Source
from ledger.errors import KeyFormatError
from ledger.keys import ED25519, Vkey, parse_vkey

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
LANGUAGES: Final = ("zh", "en")
RINGS: Final = ("pilot", "stable")
BUILT_IN: Final = "built in"
SECRET: Final = frozenset({"token"})  # shown as set, never what it is
_SERVER: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,99}")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{8,100}")


@dataclasses.dataclass(frozen=True, slots=True)
class Config:
    """What is in force. `trust` is this client's own trust file; without one the operator's is taken, and said so."""

    data: Path
    server: str = "http://127.0.0.1:8799"
    server_name: str = ""  # the name that the server must have in its registrations; empty: any
    trust: Path | None = None
    authority: str = ""  # keys (vkeys, spaces between) whose word on reviewers and supervisors counts; empty: not asked
    token: str = ""  # an employer's enrolment token
    proxy: str = ""  # of every connection; the environment's is never taken
    ca: Path | None = None  # PEM: the only certificate authorities that count, instead of the public ones
    updates: str = ""  # address of the repository of updates; empty: others keep this client up to date
    ring: str = "stable"
    language: str = "zh"
    camera: str = "0"  # its number; what stands in for one ("puppet", "file:PATH") runs in the demonstration alone
    models: Path | None = None
    engine: str = "auto"  # what reads faces: mediapipe or dnn; auto: what suits this machine (client/fit.py)
    load: str = "auto"  # normal or low

    def __post_init__(self) -> None:
        _address("server", self.server)
        if self.updates:
            _address("updates", self.updates, path=True)
        if self.proxy:
            _proxy(self.proxy)
        _fits("server_name", not self.server_name or _SERVER.fullmatch(self.server_name), "is no server's name")
        _fits("token", not self.token or _TOKEN.fullmatch(self.token), "is no enrolment token")
        for name, among in (("language", LANGUAGES), ("engine", ENGINES), ("load", LOADS), ("ring", RINGS)):
            value = getattr(self, name)
            _fits(name, value in among, f"{value[:20]!r} is not one of {', '.join(among)}")
        for name in ("trust", "ca"):
            value = getattr(self, name)
            _fits(name, value is None or value.exists(), f"{value} does not exist")
        _ = self.authorities

    @property
    def authorities(self) -> tuple[Vkey, ...]:
        """The keys of `authority`; none: whoever the class log names may open photos."""
        try:
            found = tuple(parse_vkey(text) for text in self.authority.split())
        except KeyFormatError as error:
            raise _wrong("authority", str(error)) from None
        _fits("authority", all(key.type == ED25519 for key in found), "an authority signs with an Ed25519 key")
        return found

    def shown(self) -> Iterator[tuple[str, str]]:
        """Names and values for people; of a secret only that it is set."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            text = "" if value is None else str(value)
            yield field.name, "(set)" if field.name in SECRET and text else text

    def __str__(self) -> str:
        """One setting a line, as `config show` prints it."""
        return "\n".join(f"{name} = {value}" for name, value in self.shown())


_PATHS: Final = ("data", "trust", "models", "ca")
NAMES: Final = tuple(field.name for field in dataclasses.fields(Config))


def load(
    given: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    machine: Machine | None = None,
) -> Config:
    """The settings in force, or `ConfigError` naming the one that is wrong. `given` are those of the command line."""
    return build_from(places(given, environment, machine))


def places(
    given: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    machine: Machine | None = None,
) -> list[Source]:
    """Every place with settings, weakest first."""
    machine = machine or sources.machine()
    weak = [machine.read(machine.folder / "config.toml"), *machine.defaults()]
    strong = [
        sources.environment(os.environ if environment is None else environment, NAMES),
        Source("command line", {name: value for name, value in (given or {}).items() if value is not None}),
        *machine.policies(),
    ]
    named = [source.values["data"] for source in [*weak, *strong] if source.values.get("data")]
    data = Path(str(named[-1])).expanduser() if named else default_data()
    mine = sources.file(data / "config.toml")
    if "data" in mine.values:
        raise ConfigError(f"{mine.where('data')}: a data folder cannot say where the data folder is")
    return [Source(BUILT_IN, {"data": data}), *weak, mine, *strong]


def build_from(found: list[Source]) -> Config:
    """The settings that the places name, each from the last that names it."""
    merged, origin = merge(found)
    try:
        return build(merged)
    except ConfigError as error:
        source = origin.get(error.setting)
        if source is None:
            raise
        raise ConfigError(f"{source.where(error.setting)}: {error}", error.setting) from error


def merge(found: list[Source]) -> tuple[dict[str, Any], dict[str, Source]]:
    """Each setting's value, and the place that it came from."""
    values: dict[str, Any] = {}
    origin: dict[str, Source] = {}
    for source in found:
        for name, value in source.values.items():
            values[name], origin[name] = value, source
    return values, origin


def explain(found: list[Source]) -> Iterator[str]:
    """One setting a line with the place that it came from, as `config show --sources` prints it."""
    config, (_, origin) = build_from(found), merge(found)
    for name, value in config.shown():
        yield f"{name} = {value}    # {origin[name].where(name) if name in origin else BUILT_IN}"


def build(values: Mapping[str, Any]) -> Config:
    """The settings that `values` name; unknown names and other kinds than text are refused."""
    unknown = sorted(set(values) - set(NAMES))
    if unknown:
        raise _wrong(unknown[0], f"unknown setting {unknown[0][:40]!r}")
    ready: dict[str, Any] = {}
    for name, value in values.items():
        if not isinstance(value, str | Path) or not str(value):
            raise _wrong(name, "is no text" if name in SECRET else f"{str(value)[:40]!r} is no text")
        ready[name] = Path(value).expanduser().absolute() if name in _PATHS else str(value)
    return Config(**ready)


def default_data() -> Path:
    """The data folder of this user on this OS."""
    import platformdirs

    return Path(platformdirs.user_data_dir("trueseat", appauthor=False))


def _wrong(name: str, says: str) -> ConfigError:
    return ConfigError(f"{name}: {says}", name)


def _fits(name: str, good: object, says: str) -> None:
    if not good:
        raise _wrong(name, says)


def _address(name: str, value: str, *, path: bool = False) -> None:
    """An http(s) address without account; plain http for this machine only."""
    parts = _parts(name, value)
    _fits(name, parts.scheme in ("http", "https"), f"{_named(value)} is no http(s) address")
    _fits(name, (path or not parts.path.strip("/")) and not parts.query, f"{_named(value)} is no bare address")
    _fits(name, parts.scheme == "https" or parts.hostname in LOOPBACK, "plain http is for this machine only; use https")


def _proxy(value: str) -> None:
    parts = _parts("proxy", value)
    good = parts.scheme in ("http", "https") and parts.port and not parts.path.strip("/") and not parts.query
    _fits("proxy", good, f"{_named(value)} is not http://host:port")


def _parts(name: str, value: str) -> Any:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise _wrong(name, f"{_named(value)} is no address") from None
    _fits(name, not (parts.username or parts.password), "no account belongs into the address")
    _fits(name, parts.hostname, f"{_named(value)} names no host")
    return parts


def _named(value: str) -> str:
    """An address in a message; never one that may hold a password, however it was misspelled."""
    return "what has an @ in it" if "@" in value else repr(value[:80])
