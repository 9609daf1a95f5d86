"""A release as its manifest lists it: files by hash, so that an update fetches only what changed.

The manifest is a target of the update repository (signed there); the files lie beside it as `blobs/<sha256>.xz`, named
by the hash of what they unpack to. Nothing of a manifest is believed before its form is: paths stay inside the release.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from client.errors import ClientError

MAX_FILES: Final = 20_000
MAX_FILE: Final = 1 << 30  # bytes of one file, unpacked
MAX_RELEASE: Final = 4 << 30
_VERSION: Final = re.compile(r"(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})")
_PLATFORM: Final = re.compile(r"(linux|windows|macos)-(x86_64|arm64)")
_PART: Final = re.compile(r"[^\x00-\x1f\\/:*?\"<>|]{0,200}[^\x00-\x1f\\/:*?\"<>|. ]")
_HASH: Final = re.compile(r"[0-9a-f]{64}")


class BadReleaseError(ClientError):
    """A release's manifest, pointer or file is not of the published form, or its bytes are not those of its hash."""

    code = "TS-C-501"
    remedy = "Nothing was changed. Try again later; if it stays, tell the administrator: the repository is damaged."
    zh = "更新包内容不正确，未作任何更改。请稍后重试；如一直如此，请联系管理员检查更新服务器。"


@dataclass(frozen=True, slots=True)
class File:
    """One file: where it goes, what it is (SHA-256 of the unpacked bytes), how long, and whether it may be run."""

    path: str
    sha256: str
    size: int
    packed: int  # bytes of its blob
    executable: bool

    @property
    def blob(self) -> str:
        """Where its packed bytes lie in the repository."""
        return f"blobs/{self.sha256}.xz"


@dataclass(frozen=True, slots=True)
class Release:
    """One version for one platform. `links` are names inside the release that stand for other files of it."""

    version: str
    platform: str
    files: tuple[File, ...]
    links: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pointer:
    """What a ring says: the version that it is at, and to how many of a thousand computers it is given."""

    version: str
    permille: int


def order(version: str) -> tuple[int, ...]:
    """A version as numbers; `BadReleaseError` for what is none."""
    match = _VERSION.fullmatch(version)
    if match is None:
        raise BadReleaseError(f"{version[:40]!r} is no version")
    return tuple(map(int, match.groups()))


def parse_pointer(data: bytes) -> Pointer:
    """Read a ring's pointer."""
    value = _object(data)
    version, permille = value.get("version"), value.get("permille")
    if set(value) != {"version", "permille"} or not isinstance(version, str) or type(permille) is not int:
        raise BadReleaseError("a ring's pointer holds a version and a share, and nothing else")
    order(version)
    if not 0 <= permille <= 1000:
        raise BadReleaseError(f"a share of {permille} of a thousand computers")
    return Pointer(version, permille)


def parse(data: bytes) -> Release:
    """Read a release's manifest."""
    value = _object(data)
    if set(value) != {"version", "platform", "files", "links"}:
        raise BadReleaseError("a release holds version, platform, files and links, and nothing else")
    version, platform, rows, links = value["version"], value["platform"], value["files"], value["links"]
    if not isinstance(version, str) or not isinstance(platform, str) or not _PLATFORM.fullmatch(platform):
        raise BadReleaseError("a release names its version and platform")
    order(version)
    if not isinstance(rows, list) or not 0 < len(rows) <= MAX_FILES or not isinstance(links, dict):
        raise BadReleaseError("a release lists its files and links")
    files = tuple(_file(row) for row in rows)
    if sum(file.size for file in files) > MAX_RELEASE:
        raise BadReleaseError("a release of more than 4 GiB")
    _check_names([file.path for file in files], links)
    return Release(version, platform, files, links)


def dump(release: Release) -> bytes:
    """The manifest's bytes; `parse` reads them again."""
    value = {
        "version": release.version,
        "platform": release.platform,
        "files": [[f.path, f.sha256, f.size, f.packed, f.executable] for f in release.files],
        "links": dict(sorted(release.links.items())),
    }
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def unpack(file: File, packed: bytes) -> bytes:
    """The bytes of a file out of its blob, or `BadReleaseError`: never more than the manifest says there are."""
    try:
        unpacker = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=256 << 20)
        data = unpacker.decompress(packed, file.size + 1)
    except (lzma.LZMAError, EOFError) as error:
        raise BadReleaseError(f"{file.path}: not unpacked: {error}") from error
    if len(data) != file.size or hashlib.sha256(data).hexdigest() != file.sha256:
        raise BadReleaseError(f"{file.path}: other bytes than the release lists")
    return data


def same(file: File, path: Path) -> bool:
    """Tell whether the file at `path` is this one, byte for byte."""
    try:
        if path.is_symlink() or path.stat().st_size != file.size:
            return False
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256
    except OSError:
        return False


def walk(root: Path) -> Iterator[tuple[str, Path]]:
    """Names and paths of what lies in a folder, links too, in order."""
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        linked = [name for name in folders if (here / name).is_symlink()]
        for name in sorted([*names, *linked]):
            path = here / name
            yield path.relative_to(root).as_posix(), path


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadReleaseError(f"no JSON: {str(error)[:100]}") from error
    if not isinstance(value, dict):
        raise BadReleaseError("no JSON object")
    return value


def _file(row: Any) -> File:
    match row:
        case [str(path), str(sha256), int(size), int(packed), bool(executable)] if (
            _HASH.fullmatch(sha256) and 0 <= size <= MAX_FILE and 0 <= packed <= 2 * MAX_FILE
        ):
            return File(path, sha256, size, packed, executable)
        case _:
            raise BadReleaseError(f"no file of a release: {str(row)[:80]}")


def _turns_back(target: str) -> bool:
    """Whether a link goes up after it went down: what lies there may be another link, and up from it is elsewhere."""
    parts = [part for part in target.split("/") if part not in ("", ".")]
    down = next((at for at, part in enumerate(parts) if part != ".."), len(parts))
    return ".." in parts[down:]


def _check_names(paths: Sequence[str], links: Mapping[Any, Any]) -> None:
    """Every name stays inside, none is there twice (on any file system), and every link stands for one of them."""
    folders = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
    names = [*paths, *links]
    for name in names:
        if not isinstance(name, str) or not all(_PART.fullmatch(part) for part in name.split("/")) or len(name) > 400:
            raise BadReleaseError(f"no name inside a release: {str(name)[:80]!r}")
        if any(str(parent) in links for parent in PurePosixPath(name).parents) or name in folders:
            raise BadReleaseError(f"{name[:80]!r} would be written through another name")
    if len({name.casefold() for name in names}) != len(names):
        raise BadReleaseError("two files of one name")
    known = {*paths, *folders}
    for name, target in links.items():
        if not isinstance(target, str) or target.startswith("/") or "\\" in target or _turns_back(target):
            raise BadReleaseError(f"{name[:80]!r} is a link to nowhere")
        aim = os.path.normpath(PurePosixPath(name).parent / target)
        if aim not in known or aim in (".", ""):
            raise BadReleaseError(f"{name[:80]!r} is a link out of the release")
