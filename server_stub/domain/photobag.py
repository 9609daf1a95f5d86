"""Reference photos as a school sends them: one .zip, a file a person. Hostile until read; nothing is unpacked to disk.

What says its size is not believed: every file is read no further than it may be, and all of them together.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from dataclasses import dataclass
from typing import Final

from server_stub.domain.errors import PhotoBagError

MAX_ZIP: Final = 32 << 20
MAX_PHOTOS: Final = 1000
MAX_PHOTO: Final = 1 << 20
MAX_TOTAL: Final = 64 << 20  # unpacked: photos hardly shrink, so this is no narrower than MAX_ZIP
_MAX_NAME: Final = 200
_MAGIC: Final = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
_ENTRY: Final = b"PK\x01\x02"
_PACKED: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LITTER: Final = (".ds_store", "thumbs.db", "desktop.ini")  # what systems put beside pictures


@dataclass(frozen=True, slots=True)
class Picture:
    """One file: its path in the .zip, its bytes, and "" or why it is no photo: "format", "size"."""

    file: str
    data: bytes
    problem: str = ""


def kind_of(data: bytes) -> str:
    """The media type by the first bytes, "" for neither a JPEG nor a PNG."""
    return next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), "")


def read(data: bytes) -> tuple[Picture, ...]:
    """Every file in the order of the .zip, or `PhotoBagError`: no .zip, too large, paths that lead out, locked."""
    if len(data) > MAX_ZIP:
        raise PhotoBagError(f"the .zip is larger than {MAX_ZIP >> 20} MiB")
    if data.count(_ENTRY) > 2 * MAX_PHOTOS:  # before its directory is read: a million entries take a while
        raise PhotoBagError(f"the .zip has more than {MAX_PHOTOS} files")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as bag:
            found = _files(bag)
            if not found:
                raise PhotoBagError("no photo lies in the .zip")
            return _pictures(bag, found)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError, LookupError,
            ValueError, OverflowError) as error:  # fmt: skip
        raise PhotoBagError(f"the .zip cannot be read: {type(error).__name__}") from error


def _files(bag: zipfile.ZipFile) -> list[tuple[str, zipfile.ZipInfo]]:
    found = []
    for info in bag.infolist():
        name = _name(info)
        parts = name.split("/")
        if name.startswith("/") or ".." in parts or ":" in name or "\0" in name or len(name) > _MAX_NAME:
            raise PhotoBagError(f"a file of the .zip has a path that is none of a photo: {name[:60]!r}")
        if stat.S_ISLNK(info.external_attr >> 16) or info.flag_bits & 1 or info.compress_type not in _PACKED:
            raise PhotoBagError(f"a file of the .zip is a link, locked, or packed in an unusual way: {name[:60]!r}")
        if not info.is_dir() and parts[0] != "__MACOSX" and parts[-1].lower() not in _LITTER:
            found.append((name, info))
    if len(found) > MAX_PHOTOS:
        raise PhotoBagError(f"the .zip has more than {MAX_PHOTOS} files")
    return found


def _name(info: zipfile.ZipInfo) -> str:
    """The name as it was meant: Windows in Chinese writes GBK and does not say so."""
    name = info.orig_filename
    if not info.flag_bits & 0x800:
        raw = name.encode("cp437")
        for encoding in ("utf-8", "gb18030", "cp437"):
            try:
                name = raw.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    return name.replace("\\", "/")


def _pictures(bag: zipfile.ZipFile, found: list[tuple[str, zipfile.ZipInfo]]) -> tuple[Picture, ...]:
    pictures, total = [], 0
    for name, info in found:
        with bag.open(info) as packed:
            data = packed.read(MAX_PHOTO + 1)
        total += len(data)
        if total > MAX_TOTAL:
            raise PhotoBagError(f"the photos are larger than {MAX_TOTAL >> 20} MiB unpacked")
        problem = "size" if len(data) > MAX_PHOTO else "" if kind_of(data) else "format"
        pictures.append(Picture(name, b"" if problem else data, problem))
    return tuple(pictures)
