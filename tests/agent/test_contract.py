"""The contract of every system's collectors: their tables, the kinds of their fields, their one error. On this system
for real, on the others with scripted machines behind their ports.
"""

from __future__ import annotations

import dataclasses
import json
import os
import plistlib
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from agent import collectors as registry
from agent.collectors import Collector, Context, android, macos, windows
from agent.collectors.desktop import Desktop, Window
from agent.collectors.heard import CLICK, Heard
from agent.collectors.inputs import Inputs
from agent.collectors.macos.cameras import PLUGINS
from agent.collectors.macos.cameras import Cameras as MacCameras
from agent.collectors.macos.clocks import Clocks as MacClocks
from agent.collectors.macos.clocks import Reading as MacReading
from agent.collectors.macos.desktop import parse_windows
from agent.collectors.macos.displays import Displays as MacDisplays
from agent.collectors.macos.machine import Machine as Mac
from agent.collectors.macos.networks import Networks as MacNetworks
from agent.collectors.macos.sockets import Sockets as MacSockets
from agent.collectors.selves import Ourselves
from agent.collectors.table import Entry, Processes
from agent.collectors.windows.cameras import FILTERS, Cameras
from agent.collectors.windows.clocks import Clocks, Reading
from agent.collectors.windows.displays import Displays
from agent.collectors.windows.machine import Machine
from agent.collectors.windows.networks import Networks
from agent.collectors.windows.sockets import IPV4, Sockets
from agent.engine import Engine
from agent.errors import CollectorError
from agent.tables import TABLES, ProcessRow, Row, kind_of
from tests.agent.test_android import ScriptedPhone
from tests.agent.windows.scripted import ScriptedDesktop, ScriptedOurselves, ScriptedRegistry

HOSTILE = ["a\nb.exe", "\u202egnp.exe", "\x1b[2J", "\udcff", "n" * 70_000]
DESKTOP = {
    "processes", "sockets", "ourselves", "clocks", "inputs", "windows", "displays", "cameras", "networks", "hosts",
    "extensions", "scripts", "installed", "libraries",
}  # fmt: skip
PHONE = {"androids", "ourselves", "clocks", "displays", "cameras", "installed"}
Source = Callable[[int], Sequence[Row]]


class ScriptedProcesses:
    """Programs with names that nobody should trust."""

    def begin(self) -> None:
        pass

    def entries(self) -> Sequence[Entry]:
        return [Entry(10 + number, 0, name) for number, name in enumerate(HOSTILE)]

    def began(self, pid: int) -> int:
        return pid

    def read(self, entry: Entry) -> ProcessRow:
        return ProcessRow(name=entry.name, exe=entry.name, cmdline=entry.name, pid=entry.pid)

    def signer(self, row: ProcessRow) -> str | None:
        return None


def heard() -> Heard:
    found = Heard()
    for turn in range(6):
        found.event(CLICK, True, "a hook", 500 * turn)
    return found


def shared() -> dict[str, Source]:
    """What Windows and macOS share, on one scripted machine."""
    context, machine = Context(client_pid=7), ScriptedOurselves({os.getpid(): False, 7: True}, ("/a", "/b"))
    windows_ = [Window(7, "SDL_app", None, None), Window(8, "\x1b", True, True)]
    return {
        "processes": Processes(ScriptedProcesses()).collect,
        "ourselves": Ourselves(context, machine).collect,
        "inputs": Inputs(heard, context).collect,
        "windows": Desktop(heard, context, tuple, lambda: windows_, lambda: 8).collect,
    }


def windows_sources(_: Path) -> dict[str, Source]:
    """Windows on a scripted registry and scripted tables."""
    told = ScriptedRegistry()
    told.put(f"{FILTERS[0]}\\{{1}}", FriendlyName="OBS Virtual Camera", CLSID=b"no text")
    told.put("HKLM\\HARDWARE\\DESCRIPTION\\System\\BIOS", SystemManufacturer="Dell Inc.", SystemProductName=7)
    told.put(
        "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings", ProxyEnable="x", AutoConfigURL="u"
    )
    line = struct.pack("<I4sI4sII", 2, bytes(4), 0x5C11, bytes(4), 0, 42)
    moments = iter([Reading(*moment) for moment in ((0, (0, 0, 0), 0, 0, 0), (9_000, (9_000, 1, 2), 5, 9_000, 70))])

    def firmware() -> bytes:
        raise CollectorError("not told")

    return {
        **shared(),
        "sockets": Sockets(lambda: [], lambda family: struct.pack("<I", 1) + line if family == IPV4 else b"").collect,
        "clocks": twice(Clocks(lambda: next(moments)).collect),
        "displays": Displays(told, ScriptedDesktop(None, None, "")).collect,
        "cameras": Cameras(Context(camera="Integrated Camera"), told).collect,
        "networks": Networks(told, tuple, {}, lambda place, store: (b"junk",)).collect,
        "hosts": Machine(told, firmware, lambda bus: f"{bus}\\X\\1\0", firmware).collect,
    }


def mac_sources(root: Path) -> dict[str, Source]:
    """A Mac on scripted lists and files."""
    plugin = root / PLUGINS / "cam.plugin/Contents"
    plugin.mkdir(parents=True)
    (plugin / "Info.plist").write_bytes(plistlib.dumps({"CFBundleName": ["no text"]}))
    moments = iter([MacReading(0, 0, 0), MacReading(9_000, 5, 9_000)])
    values: Mapping[str, bytes] = {"hw.model": b"Mac14,2\0", "kern.hv_vmm_present": bytes(4)}
    listed = parse_windows([{"kCGWindowOwnerPID": 7, "kCGWindowLayer": 0}])
    return {
        **shared(),
        "windows": Desktop(heard, Context(), tuple, lambda: listed, lambda: 7).collect,
        "sockets": MacSockets(lambda: iter([("x", 3, "::1", 80)])).collect,
        "clocks": twice(MacClocks(lambda: next(moments)).collect),
        "displays": MacDisplays(lambda: {"kCGSSessionOnConsoleKey": "no flag"}).collect,
        "cameras": MacCameras(Context(camera="FaceTime"), root).collect,
        "networks": MacNetworks(tuple, {}, lambda: {"HTTPSEnable": 1, "HTTPSProxy": "p"}, list).collect,
        "hosts": Mac(values.__getitem__, lambda: {"manufacturer": 9}).collect,
    }


def phone_sources(_: Path) -> dict[str, Source]:
    """A phone behind the port."""
    from agent.collectors.android.port import Moment

    phone = ScriptedPhone(moments=iter([Moment(0, 0, 0), Moment(9, 9, 9)]), packages=HOSTILE, adb_enabled="maybe")
    found = {source.name: source.collect for source in android.collectors(Context(), phone)}
    return {**found, "clocks": twice(found["clocks"])}


def this_machine(_: Path) -> dict[str, Source]:
    """The system that the tests run on."""
    return {source.name: source.collect for source in registry.collectors(Context(client_pid=os.getpid()))}


def twice(collect: Source) -> Source:
    """A source that compares has something to say at its second look."""

    def second(now_ms: int) -> Sequence[Row]:
        collect(now_ms)
        return collect(now_ms)

    return second


MACHINES = [windows_sources, mac_sources, phone_sources, this_machine]


@pytest.mark.parametrize("machine", MACHINES, ids=["windows", "macos", "android", "here"])
def test_rows_keep_the_contract(machine: Callable[[Path], dict[str, Source]], tmp_path: Path, engine: Engine) -> None:
    """Every row of a declared table, every field of its declared kind, every finding in clean words; or "unknown"."""
    told = 0
    unknown = set()
    for name, collect in machine(tmp_path).items():
        try:
            rows = collect(time.monotonic_ns() // 1_000_000)
        except CollectorError:
            unknown.add(name)
            continue
        told += bool(rows)
        for row in rows:
            hold(row)
        for finding in engine.judge(rows):
            assert json.dumps({**finding.evidence, "title": finding.zh.title}, ensure_ascii=False).isprintable()
    assert told >= 4
    assert machine is this_machine or unknown <= {"installed"}  # a checkout that nobody signed


def hold(row: Any) -> None:
    """One row against the table that it names."""
    assert TABLES[row.table] is type(row)
    kinds = {"text": str | tuple, "number": int, "flag": bool}
    for entry in dataclasses.fields(row):
        value = getattr(row, entry.name)
        assert value is None or isinstance(value, kinds[kind_of(type(row), entry.name) or ""]), (row, entry.name)
        if isinstance(value, tuple):
            assert all(isinstance(text, str) for text in value)
        if value is None:
            assert "None" in str(entry.type), f"{row.table}.{entry.name} has no unknown"
    hash(row)  # the watch remembers what it judged


@pytest.mark.parametrize(
    ("package", "tables"),
    [(windows, DESKTOP | {"files"}), (macos, DESKTOP), (android, PHONE)],
    ids=["windows", "macos", "android"],
)
def test_a_system_delivers_its_tables(package: Any, tables: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each source once, at a pace of the design's; none that a system owes is missing."""
    monkeypatch.setattr("agent.collectors.windows.registry.SystemRegistry.__init__", lambda self: None)
    made: Sequence[Collector] = package.collectors(Context(), *([ScriptedPhone()] if package is android else []))
    names = [source.name for source in made]
    assert sorted(names) == sorted(tables)
    assert {source.every_ms for source in made} <= {registry.QUICK_MS, registry.SLOW_MS, registry.RARE_MS}
    ahead = names.index("sockets") < names.index("processes") if "sockets" in names else True
    assert ahead  # a scan looks once: ports must be known when the processes are told
