"""Cameras of macOS that are programs: plug-ins and system extensions. To list real ones needs a right: unknown.

The camera that the client uses is one more row, by the name that the system gave the client.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from agent.collectors import Context
from agent.collectors.macos.plists import items, mapping, read_plist, text
from agent.tables import CameraRow, Row

PLUGINS: Final = "Library/CoreMediaIO/Plug-Ins/DAL"
EXTENSIONS: Final = "Library/SystemExtensions/db.plist"
CAMERA: Final = "com.apple.system_extension.cmio"
ACTIVE: Final = "activated_enabled"
MAX_ENTRIES: Final = 100


class Cameras:
    """One row a camera that is a program, and one for the camera in use."""

    def __init__(self, context: Context, root: Path = Path("/")) -> None:
        self._context, self._root = context, root

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """The rows; an extension that is not switched on is none."""
        rows = list(dict.fromkeys([*self._plugins(), *self._extensions()]))
        chosen = self._context.camera
        if chosen and all(row.name != chosen for row in rows):
            rows.append(CameraRow(name=chosen, selected=True))
        return rows

    def _plugins(self) -> Iterator[CameraRow]:
        try:
            folders = sorted((self._root / PLUGINS).glob("*.plugin"))[:MAX_ENTRIES]
        except OSError:
            return
        for folder in folders:
            name = text(mapping(read_plist(folder / "Contents/Info.plist")), "CFBundleName") or folder.stem
            yield CameraRow(name, "DAL plug-in", str(folder), name == self._context.camera)

    def _extensions(self) -> Iterator[CameraRow]:
        listed = mapping(read_plist(self._root / EXTENSIONS))
        for entry in map(mapping, items(listed.get("extensions"))[:MAX_ENTRIES]):
            if text(entry, "state") == ACTIVE and CAMERA in items(entry.get("categories")):
                name = Path(text(entry, "originPath")).stem or text(entry, "identifier")
                yield CameraRow(name, "camera extension", text(entry, "identifier"), name == self._context.camera)
