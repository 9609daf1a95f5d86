"""What suits this machine: which engine reads faces, and whether everything runs at low load. Checks are never fewer.

`python -m client doctor` says it, the lesson shows it, and `opened` of every session holds it. Settings go before it.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

ENGINES: Final = ("auto", "mediapipe", "dnn")
LOADS: Final = ("auto", "normal", "low")
FEW_CORES: Final = 2  # below, player, detectors and agent share one core
LITTLE: Final = 3 << 30  # bytes: "2 GB" computers; those sold with 4 GB keep 3.5 and more for programs
NO_LIMIT: Final = 1 << 60  # the first version of control groups writes a number of this kind where there is none
GROUPS: Final = Path("/sys/fs/cgroup")
OWN_GROUP: Final = Path("/proc/self/cgroup")

Engine = Literal["mediapipe", "dnn"]
Load = Literal["normal", "low"]


@dataclass(frozen=True, slots=True)
class Machine:
    """What this process may use: cores (a quota may be a fraction), bytes of memory (None: unknown), and MediaPipe."""

    cores: float
    memory: int | None
    mediapipe: bool


@dataclass(frozen=True, slots=True)
class Fit:
    """The choice. Low load: a glance every 2.5 s instead of each second, and nothing of a check kept between two."""

    engine: Engine
    load: Load
    why: str  # for doctor: English, one line

    @property
    def presence_ms(self) -> int:
        """Time between two glances of presence."""
        return 2_500 if self.load == "low" else 1_000

    def __str__(self) -> str:
        """As `opened` holds it."""
        return f"eyes={self.engine} load={self.load}"


def choose(machine: Machine, engine: str = "auto", load: str = "auto") -> Fit:
    """The engine and load for `machine`, unless the settings name them."""
    small = machine.cores < FEW_CORES or (machine.memory is not None and machine.memory < LITTLE)
    chosen: Load = "low" if load == "low" or (load == "auto" and small) else "normal"
    memory = "memory unknown" if machine.memory is None else f"{machine.memory / 2**30:.1f} GiB"
    why = [f"{machine.cores:g} core{'' if machine.cores == 1 else 's'}, {memory}"]
    why += ["load is set"] * (load != "auto") + ["engine is set"] * (engine != "auto")
    if engine == "mediapipe" or (engine == "auto" and machine.mediapipe and chosen == "normal"):
        return Fit("mediapipe", chosen, ", ".join(why))
    why += ["no MediaPipe here"] * (engine == "auto" and not machine.mediapipe)
    return Fit("dnn", chosen, ", ".join(why))


def measure(groups: Path = GROUPS, own: Path = OWN_GROUP, there: Callable[[str], object] | None = None) -> Machine:
    """What the OS, and the control group where it has them, leave to this process. Nothing is imported or run."""
    find = importlib.util.find_spec if there is None else there
    folders = _folders(groups, own)
    sizes = [size for size in (_physical(), *(_limit(folder) for folder in folders)) if size]
    quotas = [quota for quota in (_quota(folder) for folder in folders) if quota]
    return Machine(min([float(_cores()), *quotas]), min(sizes, default=None), find("mediapipe") is not None)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _physical() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return _windows_memory()


class _MemoryStatus(ctypes.Structure):
    """MEMORYSTATUSEX, as sysinfoapi.h has it."""

    _fields_ = (
        ("length", ctypes.c_uint32), ("load", ctypes.c_uint32), ("physical", ctypes.c_uint64),
        *((name, ctypes.c_uint64) for name in ("free", "file", "file_free", "virtual", "virtual_free", "extended")),
    )  # fmt: skip


def _windows_memory() -> int | None:
    status = _MemoryStatus(length=ctypes.sizeof(_MemoryStatus))
    system = getattr(ctypes, "windll", None)
    told = system is not None and system.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
    return int(status.physical) if told else None


def _folders(groups: Path, own: Path) -> list[Path]:
    """The folders of this process's groups, of both versions, from the outermost down."""
    found: list[Path] = []
    for line in (_text(own) or "").splitlines()[:64]:
        number, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        roots = [groups] if number == "0" else [groups / names]
        steps = [part for part in path.split("/") if part and part != ".."]
        found += [root.joinpath(*steps[:depth]) for root in roots for depth in range(len(steps) + 1)]
    return found


def _quota(folder: Path) -> float | None:
    both = (_text(folder / "cpu.max") or "").split()
    if len(both) != 2:
        both = [_text(folder / "cpu.cfs_quota_us") or "", _text(folder / "cpu.cfs_period_us") or ""]
    if not all(word.strip().isdigit() for word in both):
        return None  # "max", -1 or nothing: no limit
    quota, period = (int(word) for word in both)
    return quota / period if quota and period else None


def _limit(folder: Path) -> int | None:
    words = (_text(folder / name) for name in ("memory.max", "memory.limit_in_bytes"))
    sizes = (int(word) for word in words if word and word.strip().isdigit())
    return min((size for size in sizes if size < NO_LIMIT), default=None)


def _text(path: Path) -> str | None:
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            return file.read(64 * 1024)
    except OSError:
        return None
