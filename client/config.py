"""The few settings of a client: where the server is, whom it trusts, where data lives, which language it speaks.

Order: built-in < config.toml in the data folder < environment (`TRUESEAT_…`) < command line. Everything is checked
once, here; a wrong setting is refused by name before anything starts.
"""

from __future__ import annotations

import dataclasses
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from client.errors import ConfigError
from client.fit import ENGINES, LOADS

MAX_CONFIG: Final = 64 * 1024
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
LANGUAGES: Final = ("zh", "en")
ENVIRONMENT: Final = "TRUESEAT_"


@dataclasses.dataclass(frozen=True, slots=True)
class Config:
    """What is in force. `trust` is this client's own trust file; without one the operator's is taken, and said so."""

    data: Path
    server: str = "http://127.0.0.1:8799"
    trust: Path | None = None
    language: str = "zh"
    camera: str = "0"  # its number; what stands in for one ("puppet", "file:PATH") runs in the demonstration alone
    models: Path | None = None
    engine: str = "auto"  # what reads faces: mediapipe or dnn; auto: what suits this machine (client/fit.py)
    load: str = "auto"  # normal or low

    def __post_init__(self) -> None:
        parts = urlsplit(self.server)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ConfigError(f"server = {self.server[:80]!r} is no http(s) address")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ConfigError("server: plain http is for this machine only; use https")
        if parts.username or parts.password:
            raise ConfigError("server: no account belongs into the address")
        if self.language not in LANGUAGES:
            raise ConfigError(f"language = {self.language[:20]!r} is not one of {', '.join(LANGUAGES)}")
        if self.engine not in ENGINES or self.load not in LOADS:
            raise ConfigError(f"engine is one of {', '.join(ENGINES)}, load one of {', '.join(LOADS)}")
        if self.trust is not None and not self.trust.exists():
            raise ConfigError(f"trust: {self.trust} does not exist")

    def __str__(self) -> str:
        """One setting a line, as `config show` prints it."""
        values = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self))
        return "\n".join(f"{name} = {'' if value is None else value}" for name, value in values)


_PATHS: Final = ("data", "trust", "models")
_NAMES: Final = tuple(field.name for field in dataclasses.fields(Config))


def load(given: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None) -> Config:
    """The settings in force, or `ConfigError` naming the one that is wrong. `given` are those of the command line."""
    environment = os.environ if environment is None else environment
    spelled = {name: ENVIRONMENT + name.upper() for name in _NAMES}
    named = {name: environment[long] for name, long in spelled.items() if long in environment}
    named |= {name: value for name, value in (given or {}).items() if value is not None}
    data = Path(named.get("data") or default_data())
    return build({**read(data / "config.toml"), **named, "data": data})


def build(values: Mapping[str, Any]) -> Config:
    """The settings that `values` name; unknown names and other kinds than text are refused."""
    unknown = sorted(set(values) - set(_NAMES))
    if unknown:
        raise ConfigError(f"unknown setting {unknown[0][:40]!r}")
    ready: dict[str, Any] = {}
    for name, value in values.items():
        if not isinstance(value, str | Path) or not str(value):
            raise ConfigError(f"{name}: {str(value)[:40]!r} is no text")
        ready[name] = Path(value).expanduser().absolute() if name in _PATHS else str(value)
    return Config(**ready)


def read(path: Path) -> dict[str, Any]:
    """The settings of a config.toml; none where there is no file; `ConfigError` where it is no TOML."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    if len(data) > MAX_CONFIG:
        raise ConfigError(f"{path}: longer than {MAX_CONFIG} bytes")
    try:
        return tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: {str(error)[:200]}") from error


def default_data() -> Path:
    """The data folder of this user on this OS."""
    import platformdirs

    return Path(platformdirs.user_data_dir("trueseat", appauthor=False))
