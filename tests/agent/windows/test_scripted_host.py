"""The machine under the Windows collectors, scripted: session, firmware, cameras, ourselves, network, ports."""

from __future__ import annotations

import os

import pytest

from agent.collectors import Context
from agent.collectors.selves import Ourselves
from agent.collectors.windows.cameras import CAMERAS, CLASSES, DEVICES, FILTERS, Cameras
from agent.collectors.windows.displays import TERMINAL_SERVER, Displays
from agent.collectors.windows.machine import BIOS_KEY, Machine
from agent.collectors.windows.networks import MICROSOFTS, SETTINGS, USER, Networks
from agent.collectors.windows.sockets import IPV4, Sockets
from agent.engine import Engine, gravest
from agent.errors import CollectorError
from agent.tables import DisplayRow, HostRow, NetworkRow, ProcessRow, SelfRow
from tests.agent.windows.scripted import ScriptedDesktop, ScriptedOurselves, ScriptedRegistry


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
