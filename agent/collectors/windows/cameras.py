"""The cameras of Windows, by the registry alone: devices that are there, and filters that pretend to be one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from agent.collectors import Context
from agent.collectors.windows.registry import Registry, number, text
from agent.tables import CameraRow, Row

CLASSES: Final = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\DeviceClasses\\"
CAMERAS: Final = (  # ks.h: KSCATEGORY_VIDEO_CAMERA, KSCATEGORY_SENSOR_CAMERA
    "{e5323777-f976-4f5b-9b55-b94699c46e44}", "{24e552d7-6523-47f7-a647-d3465bf1f5ca}",
)  # fmt: skip
DEVICES: Final = "HKLM\\SYSTEM\\CurrentControlSet\\Enum\\"
# DirectShow's list of picture sources: programs put themselves there without any driver
FILTERS: Final = tuple(
    f"{root}\\CLSID\\{{860BB310-5D01-11d0-BD3B-00A0C911CE86}}\\Instance"
    for root in ("HKLM\\SOFTWARE\\Classes", "HKLM\\SOFTWARE\\Classes\\WOW6432Node", "HKCU\\Software\\Classes")
)
MAX_CAMERAS: Final = 64


class Cameras:
    """One row a camera; the one whose name the client uses is `selected`."""

    def __init__(self, context: Context, registry: Registry) -> None:
        self._context, self._registry = context, registry

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """Devices first, then filters, then the camera in use if it is neither; an unplugged device is left out."""
        rows = list(dict.fromkeys([*self._plugged(), *self._filters()]))[:MAX_CAMERAS]
        if self._context.camera and not any(row.selected for row in rows):
            rows.append(CameraRow(name=self._context.camera, selected=True))
        return rows

    def _plugged(self) -> Iterator[CameraRow]:
        for category in CAMERAS:
            for link in self._registry.keys(CLASSES + category):
                device = device_of(link)
                if device and number(self._registry.values(f"{CLASSES}{category}\\{link}\\#\\Control"), "Linked"):
                    values = self._registry.values(DEVICES + device)
                    name = text(values, "FriendlyName") or text(values, "DeviceDesc").rsplit(";", 1)[-1]
                    path = "\\".join(device.split("\\")[:2])
                    yield CameraRow(name, text(values, "Service"), path, self._chosen(name))

    def _filters(self) -> Iterator[CameraRow]:
        for folder in FILTERS:
            for key in self._registry.keys(folder):
                values = self._registry.values(f"{folder}\\{key}")
                name = text(values, "FriendlyName")
                if name:
                    path = f"CLSID\\{text(values, 'CLSID') or key}"
                    yield CameraRow(name, "DirectShow filter", path, self._chosen(name))

    def _chosen(self, name: str) -> bool:
        return name == self._context.camera != ""


def device_of(link: str) -> str:
    """`##?#USB#VID_1&PID_2#3#{…}` → `USB\\VID_1&PID_2\\3`; "" for another form."""
    parts = link.removeprefix("##?#").split("#")
    return "\\".join(parts[:3]) if link.startswith("##?#") and len(parts) >= 3 else ""
