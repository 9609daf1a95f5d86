"""The Windows collectors on scripted machines: what is new, what is gone, what is unknown. Runs on every system."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from agent.collectors import Context
from agent.collectors.desktop import Desktop, Window
from agent.collectors.heard import Heard
from agent.collectors.inputs import Inputs
from agent.collectors.selves import Ourselves
from agent.collectors.table import FULL_MS, Entry, Processes
from agent.collectors.windows import api, smbios
from agent.collectors.windows.cameras import CAMERAS, CLASSES, DEVICES, FILTERS, Cameras
from agent.collectors.windows.clocks import Clocks, Reading
from agent.collectors.windows.displays import TERMINAL_SERVER, Displays
from agent.collectors.windows.ear import Ear, key_event, mouse_event
from agent.collectors.windows.machine import BIOS_KEY, Machine
from agent.collectors.windows.networks import MICROSOFTS, SETTINGS, USER, Networks
from agent.collectors.windows.ourselves import SystemSelves
from agent.collectors.windows.processes import SystemProcesses
from agent.collectors.windows.registry import SystemRegistry
from agent.collectors.windows.resources import Version, version_of
from agent.collectors.windows.signatures import Signers
from agent.collectors.windows.sockets import IPV4, Sockets
from agent.engine import Engine, gravest
from agent.errors import CollectorError
from agent.tables import ClockRow, DisplayRow, HostRow, InputRow, NetworkRow, ProcessRow, SelfRow, WindowRow


class ScriptedRegistry:
    """Keys and values by path."""

    def __init__(self, **_: object) -> None:
        self.entries: dict[str, dict[str, object]] = {}

    def put(self, path: str, **values: object) -> None:
        self.entries.setdefault(path, {}).update(values)

    def keys(self, path: str) -> Sequence[str]:
        below = [name.removeprefix(path + "\\") for name in self.entries if name.startswith(path + "\\")]
        return sorted({name.split("\\")[0] for name in below})

    def values(self, path: str) -> Mapping[str, object]:
        return self.entries.get(path, {})


class ScriptedSystem:
    """A process list; each process is (parent, name, start, file, arguments)."""

    def __init__(self, signers: Signers | None = None) -> None:
        self.table: dict[int, tuple[int, str, int, str, str]] = {}
        self.asked: list[int] = []
        self.signers = signers

    def begin(self) -> None:
        if self.signers is not None:
            self.signers.begin()

    def entries(self) -> Sequence[Entry]:
        return [Entry(pid, entry[0], entry[1]) for pid, entry in self.table.items()]

    def began(self, pid: int) -> int:
        return self.table[pid][2]

    def read(self, entry: Entry) -> ProcessRow:
        self.asked.append(entry.pid)
        _, name, _, exe, cmdline = self.table[entry.pid]
        original = "AutoHotkey.exe" if name == "helper.exe" else ""
        return ProcessRow(name=name, exe=exe, cmdline=cmdline, pid=entry.pid, original_name=original)

    def signer(self, row: ProcessRow) -> str | None:
        return self.signers.of(row.exe) if self.signers is not None else ""


@pytest.fixture
def system() -> ScriptedSystem:
    return ScriptedSystem()


def rows(table: Processes, now_ms: int = 0) -> dict[int, ProcessRow]:
    return {row.pid: row for row in table.collect(now_ms) if isinstance(row, ProcessRow)}


def test_only_what_is_new_is_read(system: ScriptedSystem, engine: Engine) -> None:
    """A renamed tool is known by its version resource; nothing is asked twice."""
    system.table[100] = (4, "explorer.exe", 1_000, r"C:\Windows\explorer.exe", "explorer")
    system.table[200] = (100, "helper.exe", 21_000, r"C:\t\helper.exe", "helper x.ahk")
    table = Processes(system)
    assert set(rows(table)) == {100, 200}
    row = rows(table)[200]
    assert (row.parents, row.original_name) == (("explorer.exe",), "AutoHotkey.exe")
    assert gravest(engine.judge([row])) == "pause"
    assert system.asked == [100, 200]
    del system.table[200]
    assert set(rows(table)) == {100}


def test_a_number_that_is_used_again_is_another_process(system: ScriptedSystem) -> None:
    """By its name at once, by its start within ten seconds; and a parent younger than its child is none."""
    system.table[100] = (0, "cmd.exe", 5_000, "", "")
    system.table[200] = (100, "tool.exe", 1_000, "", "old")
    table = Processes(system)
    assert rows(table)[200].parents == ()
    system.table[200] = (100, "other.exe", 9_000, "", "")
    assert (rows(table, 2_000)[200].name, rows(table, 2_000)[200].parents) == ("other.exe", ("cmd.exe",))
    system.table[200] = (100, "other.exe", 9_500, "", "new")
    assert rows(table, 4_000)[200].cmdline == ""
    assert rows(table, FULL_MS)[200].cmdline == "new"


def test_short_lived_tools_are_counted(system: ScriptedSystem) -> None:
    """Three within a minute, each seen alone; a minute later they are forgotten."""
    table = Processes(system)
    table.collect(0)
    for turn in range(3):
        system.table = {300 + turn: (0, "nircmd.exe", turn + 1, "", "")}
        found = rows(table, 2_000 * (turn + 1))
    assert found[302].births == 3
    assert rows(table, 90_000)[302].births == 1


def test_a_ring_of_parents_ends(system: ScriptedSystem) -> None:
    """Two processes that call each other parent."""
    system.table = {1: (2, "a.exe", 0, "", ""), 2: (1, "b.exe", 0, "", "")}
    assert len(rows(Processes(system))[1].parents) <= 16


def test_signatures_are_checked_a_few_at_a_look(system: ScriptedSystem, tmp_path: Path) -> None:
    """A check reads the whole file: what is over a look's budget waits, and a file is asked about once."""
    asked: list[str] = []
    for number in range(3):
        path = tmp_path / f"{number}.exe"
        path.write_bytes(bytes(100))
        system.table[number + 10] = (0, path.name, 1, str(path), "")

    def ask(path: str) -> str:
        asked.append(path)
        return "Somebody"

    system.signers = Signers(ask, budget=150)
    table = Processes(system)
    signed = [sum(row.signer == "Somebody" for row in rows(table, turn).values()) for turn in range(4)]
    assert signed == [1, 2, 3, 3]
    assert len(asked) == 3


def test_what_windows_does_not_tell_is_unknown() -> None:
    """On no Windows at all every source that asks it says unknown; nothing else leaves."""
    if sys.platform == "win32":
        pytest.skip("left out: this is Windows")
    ours = Ourselves(Context(), SystemSelves())
    for ask in (Sockets(), ours, Clocks(), Inputs(Ear().ready, Context()), Processes(SystemProcesses())):
        with pytest.raises(CollectorError):
            ask.collect(0)  # type: ignore[attr-defined]
    with pytest.raises(CollectorError):
        SystemRegistry()
    with pytest.raises(CollectorError):
        smbios.table()
    assert version_of("C:\\x.exe") == Version()
    assert api.wine_version() == ""


# --- clocks -----------------------------------------------------------------------------------------------------------


def readings(*moments: tuple[int, int, int, int]) -> Clocks:
    """Clocks that show (wall, counter, ticks, kernel's uptime) one after the other."""
    made = iter([Reading(wall, (counter, ticks, up), ticks, up, up) for wall, counter, ticks, up in moments])
    return Clocks(lambda: next(made))


@pytest.mark.parametrize(
    ("later", "rules"),
    [
        ((10_000, 10_000, 10_000, 10_000), set()),
        ((100_000, 100_000, 10_000, 10_000), {"clock.bent"}),  # the counter was replaced
        ((10_000, 10_000, 100_000, 10_000), {"clock.bent"}),  # the ticks were
        ((3_600_000, 3_600_000, 3_600_000, 3_600_000), set()),  # an hour asleep: all of them say so
    ],
)
def test_a_tool_that_replaces_the_clocks_functions_is_seen(
    later: tuple[int, int, int, int], rules: set[str], engine: Engine
) -> None:
    """The page that the kernel writes does not go along."""
    source = readings((0, 0, 0, 0), later)
    assert source.collect(0) == []
    (row,) = source.collect(0)
    assert isinstance(row, ClockRow)
    assert {finding.rule for finding in engine.judge([row]) if finding.rule == "clock.bent"} == rules


# --- input and foreground ---------------------------------------------------------------------------------------------


def test_only_made_input_is_kept(engine: Engine) -> None:
    """A hand's keys leave nothing; a loop's clicks leave their moments; key-up and button-up are no acts."""
    heard = Heard()
    for turn in range(8):
        key_event(heard, 0x00, 500 * turn + 77)
        mouse_event(heard, 0x0200, 0x00, 500 * turn + 80)
    assert not heard.made
    inputs = Inputs(lambda: heard, Context(in_client=True))
    assert inputs.collect(4_000) == []
    for turn in range(8):
        mouse_event(heard, 0x0201, 0x01, 10_000 + 500 * turn)
        mouse_event(heard, 0x0202, 0x01, 10_010 + 500 * turn)
        key_event(heard, 0x10 | 0x80, 10_020 + 500 * turn)
    (row,) = inputs.collect(14_000)
    assert isinstance(row, InputRow)
    assert (row.injected, row.acts, row.regular, row.sources) == (8, 8, True, ("WH_MOUSE_LL",))
    assert [finding.rule for finding in engine.judge([row])] == ["input.loop"]
    heard.forget(10_000_000)
    assert inputs.collect(10_000_000) == []


def test_who_asked_for_another_window_is_no_theft() -> None:
    """A key or a click just before: the learner went away by himself. A movement asks for nothing."""
    heard = Heard()
    heard.client_pid = 7
    heard.front(7, 10_000)
    key_event(heard, 0x00, 12_000)
    heard.front(9, 12_300)
    assert not heard.taken
    heard.front(7, 20_000)
    mouse_event(heard, 0x0200, 0x00, 29_900)
    heard.front(0, 29_950)  # between two windows nobody has it
    heard.front(9, 30_000)
    assert [(entry.at_ms, entry.pid) for entry in heard.taken] == [(30_000, 9)]
    heard.front(11, 40_000)  # from a stranger to a stranger
    assert len(heard.taken) == 1


def test_windows_are_told_without_their_titles() -> None:
    """Who is in front, who took it within the last minute; a program that the table does not show has no name."""
    heard = Heard()
    heard.client_pid = 7
    for moment in (10_000, 20_000, 30_000):
        heard.front(7, moment)
        heard.front(9, moment + 5_000)
    shown = [Window(7, "SDL_app", False, False), Window(9, "Popup", True, True), Window(9, "Popup", True, True)]
    names = [ProcessRow(name="client.exe", pid=7)]
    desktop = Desktop(lambda: heard, Context(client_pid=7), lambda: names, lambda: shown, lambda: 9)
    assert desktop.collect(40_000) == [
        WindowRow("client.exe", 7, "SDL_app", False, False, False, 0),
        WindowRow("", 9, "Popup", True, True, True, 3),
    ]
    assert desktop.collect(90_000)[1].taken == 1  # type: ignore[union-attr]


class ScriptedDesktop:
    """A session."""

    def __init__(self, remote: bool | None, number: int | None, name: str) -> None:
        self._remote, self._session = remote, (number, name)

    def remote(self) -> bool | None:
        return self._remote

    def controlled(self) -> bool | None:
        return None

    def session(self) -> tuple[int | None, str]:
        return self._session

    def devices(self) -> Sequence[str]:
        return ["\\\\?\\ACPI#PNP0303#4&1"]


@pytest.mark.parametrize(
    ("remote", "number", "name", "told", "action"),
    [
        (False, 1, "Console", False, "none"),
        (True, 2, "RDP-Tcp#3", True, "pause"),
        (False, 2, "RDP-Tcp#3", True, "pause"),  # RemoteFX says no, but another session is at the screen
        (None, None, "", None, "none"),
    ],
)
def test_a_session_from_afar(
    remote: bool | None, number: int | None, name: str, told: bool | None, action: str, engine: Engine
) -> None:
    """By the metric, or by the number of the session that the screen shows; unknown stays unknown."""
    registry = ScriptedRegistry()
    registry.put(TERMINAL_SERVER, GlassSessionId=1)
    (row,) = Displays(registry, ScriptedDesktop(remote, number, name)).collect(0)
    assert isinstance(row, DisplayRow)
    assert row.remote is told
    assert gravest(engine.judge([row])) == action


# --- machine, cameras, ourselves, network -----------------------------------------------------------------------------


def missing(*_: object) -> bytes:
    raise CollectorError("not told")


def nothing(_: str) -> str:
    raise CollectorError("not told")


def test_a_machine_by_what_windows_copied_of_its_firmware(engine: Engine) -> None:
    """Without the firmware's table the registry's copy counts; kinds of devices without their single numbers."""
    registry = ScriptedRegistry()
    registry.put(BIOS_KEY, SystemManufacturer="innotek GmbH", SystemProductName="VirtualBox", BIOSVendor="innotek GmbH")
    devices = {"PCI": "PCI\\VEN_80EE&DEV_BEEF\\3&267\0PCI\\VEN_80EE&DEV_BEEF\\3&268\0\0", "USB": "USB\\ROOT_HUB30\\4\0"}
    (row,) = Machine(registry, missing, lambda bus: devices.get(bus, ""), missing, str).collect(0)
    assert isinstance(row, HostRow)
    assert (row.manufacturer, row.model, row.bios) == ("innotek GmbH", "VirtualBox", "innotek GmbH")
    assert row.pnp == ("PCI\\VEN_80EE&DEV_BEEF", "USB\\ROOT_HUB30")
    assert gravest(engine.judge([row])) == "report"
    with pytest.raises(CollectorError):
        Machine(ScriptedRegistry(), missing, nothing, missing, str).collect(0)
    (inside,) = Machine(ScriptedRegistry(), missing, nothing, missing, lambda: "8.0").collect(0)
    assert inside == HostRow(model="Wine 8.0")
    assert gravest(engine.judge([inside])) == "inform"  # one sign alone


def test_cameras_that_are_plugged_and_those_that_are_programs(engine: Engine) -> None:
    """An unplugged one is left out; of a translated name the readable part; a filter without a name is none."""
    registry = ScriptedRegistry()
    for number, linked in ((1, 1), (2, 0)):
        link = f"##?#USB#VID_13D3&PID_56A{number}#6&2c1&0&0000#{CAMERAS[0]}"
        registry.put(f"{CLASSES}{CAMERAS[0]}\\{link}\\#\\Control", Linked=linked)
        path = f"{DEVICES}USB\\VID_13D3&PID_56A{number}\\6&2c1&0&0000"
        registry.put(path, DeviceDesc="@usbvideo.inf,%x%;Integrated Camera", Service="usbvideo")
    registry.put(f"{FILTERS[0]}\\{{1}}", FriendlyName="OBS Virtual Camera", CLSID="{1}")
    registry.put(f"{FILTERS[1]}\\{{1}}", FriendlyName="OBS Virtual Camera", CLSID="{1}")
    registry.put(f"{FILTERS[0]}\\{{2}}", CLSID="{2}")
    context = Context(camera="Integrated Camera")
    found = Cameras(context, registry).collect(0)
    assert [(row.name, row.driver, row.path, row.selected) for row in found] == [  # type: ignore[union-attr]
        ("Integrated Camera", "usbvideo", "USB\\VID_13D3&PID_56A1", True),
        ("OBS Virtual Camera", "DirectShow filter", "CLSID\\{1}", False),
    ]
    assert gravest(engine.judge(found)) == "inform"
    context.camera = "OBS Virtual Camera"
    assert gravest(engine.judge(Cameras(context, registry).collect(0))) == "pause"


@pytest.mark.parametrize(
    ("device", "name", "action"),
    [
        ("SWD#VCAMDEVAPI#D8F389", "OBS Virtual Camera (Windows Virtual Camera)", "pause"),
        ("SWD#VCAMDEVAPI#9A9E00", "Pixel 8 (Windows Virtual Camera)", "report"),
        ("SWD#SGDEVAPI#1", "Surface Camera Front", "none"),
    ],
)
def test_cameras_that_windows_itself_makes_of_programs(device: str, name: str, action: str, engine: Engine) -> None:
    """Windows 11 lists them among the real ones and adds words of its own to their names: their place tells."""
    registry = ScriptedRegistry()
    registry.put(f"{CLASSES}{CAMERAS[0]}\\##?#{device}#{CAMERAS[0]}\\#\\Control", Linked=1)
    registry.put(DEVICES + device.replace("#", "\\"), FriendlyName=name)
    (row,) = Cameras(Context(camera=name), registry).collect(0)
    assert gravest(engine.judge([row])) == action


class ScriptedOurselves:
    """Processes of ours: pid → debugged; one that is missing is gone."""

    def __init__(self, debugged: Mapping[int, bool], modules: tuple[str, ...] = ()) -> None:
        self._debugged, self._modules, self.read = debugged, modules, 0

    def debugged(self, pid: int) -> bool:
        if pid not in self._debugged:
            raise CollectorError("gone")
        return self._debugged[pid]

    def loaded(self, pid: int) -> tuple[tuple[str, ...], int]:
        self.read += 1
        if not self._modules:
            raise CollectorError("closed")
        return self._modules, 1


def test_ourselves_with_and_without_a_client(engine: Engine) -> None:
    """A debugger on the client blocks; modules are read every ten seconds; a client that is gone has no row."""
    machine = ScriptedOurselves({os.getpid(): False, 5: True}, ("C:\\x\\python313.dll",))
    ours = Ourselves(Context(client_pid=5), machine)
    found = [row for row in ours.collect(0) if isinstance(row, SelfRow)]
    assert [(row.subject, row.debugger) for row in found] == [("agent", False), ("client", True)]
    assert gravest(engine.judge(found)) == "block"
    ours.collect(2_000)
    assert machine.read == 2
    ours.collect(12_000)
    assert machine.read == 4
    (alone,) = Ourselves(Context(client_pid=6), ScriptedOurselves({os.getpid(): False})).collect(0)
    assert alone == SelfRow(subject="agent")
    with pytest.raises(CollectorError):
        Ourselves(Context(), ScriptedOurselves({})).collect(0)


def certificate(subject: str) -> bytes:
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    name = x509.Name.from_rfc4514_string(subject)
    key, start = ec.generate_private_key(ec.SECP256R1()), datetime.datetime(2026, 1, 1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + datetime.timedelta(days=9))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_a_proxy_and_added_roots(engine: Engine) -> None:
    """What Microsoft brought is left out, what somebody added is named; a script that chooses is told as one."""
    added, usual = certificate("CN=mitmproxy,O=mitmproxy"), certificate("CN=Some CA,O=Some")
    stores = {
        (USER, "Root"): (added, usual, certificate("CN=Microsoft Root,O=Microsoft Corporation"), b"junk"),
        MICROSOFTS: (usual,),
    }
    registry = ScriptedRegistry()
    registry.put(SETTINGS, ProxyEnable=1, ProxyServer="127.0.0.1:8080")
    processes = [ProcessRow(name="mitmdump.exe", cmdline="mitmdump -p 8080", pid=3, listen=("127.0.0.1:8080",))]
    networks = Networks(registry, lambda: processes, {}, lambda place, store: stores.get((place, store), ()))
    (row,) = networks.collect(0)
    assert row == NetworkRow(
        proxy="127.0.0.1:8080", listener="mitmdump.exe mitmdump -p 8080", roots=("CN=mitmproxy,O=mitmproxy",)
    )
    assert gravest(engine.judge([row])) != "none"
    registry.put(SETTINGS, ProxyEnable=0, AutoConfigURL="http://wpad/x.pac")
    stores.clear()
    assert networks.collect(0) == [NetworkRow(proxy="http://wpad/x.pac")]
    registry.entries.clear()
    assert networks.collect(0) == []


def test_a_port_whose_program_is_gone_has_no_name() -> None:
    """The table and the list are two moments."""
    import struct

    line = struct.pack("<I4sI4sII", 2, bytes([127, 0, 0, 1]), 0x5C11, bytes(4), 0, 42)
    table = Sockets(lambda: [], lambda family: struct.pack("<I", 1) + line if family == IPV4 else bytes(4))
    (row,) = table.collect(0)
    assert (row.program, row.pid, row.port) == ("", 42, 4444)  # type: ignore[union-attr]
    assert table.listen == {42: ("127.0.0.1:4444",)}
