"""macOS: what its calls hand over, written and read again, bent, and of any content; and scripted Macs."""

from __future__ import annotations

import os
import plistlib
import struct
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors import Context
from agent.collectors.desktop import Desktop, Window
from agent.collectors.heard import Heard
from agent.collectors.inputs import Inputs
from agent.collectors.macos import api, collectors, tap
from agent.collectors.macos.cameras import CAMERA, EXTENSIONS, PLUGINS, Cameras
from agent.collectors.macos.clocks import Clocks, Reading
from agent.collectors.macos.desktop import front_of, parse_windows
from agent.collectors.macos.displays import Displays
from agent.collectors.macos.libproc import Info, parse_arguments, parse_info, parse_team
from agent.collectors.macos.machine import Machine
from agent.collectors.macos.networks import Networks, proxy_of
from agent.collectors.macos.plists import items, mapping, number, parse_plist, read_plist, text
from agent.collectors.macos.processes import parse_moment
from agent.collectors.macos.sockets import Sockets
from agent.collectors.macos.tap import event
from agent.engine import Engine, gravest
from agent.errors import CollectorError
from agent.tables import (
    CameraRow,
    ClockRow,
    DisplayRow,
    HostRow,
    InputRow,
    NetworkRow,
    ProcessRow,
    SocketRow,
    WindowRow,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text(max_size=10) | st.binary(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


# --- bytes ------------------------------------------------------------------------------------------------------------


def bsd_info(pid: int, parent: int, comm: bytes, name: bytes, began_us: int, flags: int = 0) -> bytes:
    """A proc_bsdinfo as the kernel writes it."""
    seconds, micros = divmod(began_us, 1_000_000)
    return struct.pack(
        "<12I16s32s6IQQ", flags, 2, 0, pid, parent, *[501] * 7, comm, name, *[0] * 6, seconds, micros
    )  # fmt: skip


@given(st.integers(1, 99_998), st.integers(0, 99_998), st.integers(0, 2**50), st.booleans())
def test_a_process_comes_back(pid: int, parent: int, began_us: int, traced: bool) -> None:
    """Number, parent, start to the µs, the longer name, and whether somebody traces it."""
    data = bsd_info(pid, parent, b"Google Chrome He", b"Google Chrome Helper", began_us, 0x10 | 2 * traced)
    assert parse_info(data) == Info(pid, parent, "Google Chrome Helper", began_us, traced)
    assert parse_info(bsd_info(pid, parent, b"zsh", b"", began_us)) == Info(pid, parent, "zsh", began_us, False)
    assert parse_info(data[:-1]) is None


@given(st.binary(min_size=136, max_size=136) | st.binary(max_size=200))
def test_any_process_is_read_or_left_out(data: bytes) -> None:
    """Fuzz."""
    found = parse_info(data)
    assert found is None or isinstance(found.name, str)


WORDS = st.lists(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12), min_size=1, max_size=6
)


@given(WORDS, st.integers(1, 9))
def test_arguments_come_back_without_the_environment(words: list[str], padding: int) -> None:
    """As many as are announced; what a person's environment holds is not read."""
    first = words[0] or "a"  # padding and an empty first argument cannot be told apart
    raw = b"".join(word.encode() + b"\0" for word in [first, *words[1:]])
    data = struct.pack("<i", len(words)) + b"/bin/a" + bytes(padding) + raw + b"TOKEN=secret\0"
    assert parse_arguments(data) == " ".join([first, *words[1:]])
    assert "secret" not in parse_arguments(data)


@given(st.binary(max_size=200))
def test_any_arguments_are_read(data: bytes) -> None:
    """Fuzz."""
    assert isinstance(parse_arguments(data), str)


@given(st.binary(max_size=60))
def test_any_team_and_any_moment_are_read(data: bytes) -> None:
    """Fuzz; a team's id is letters and digits or none."""
    assert parse_team(data) == "" or parse_team(data)[5:].isalnum()
    moment = parse_moment(data)
    assert moment is None or moment >= 0


def test_a_team_and_a_moment_come_back() -> None:
    """As the kernel writes them."""
    assert parse_team(struct.pack(">II", 0, 19) + b"9V2MY98Q59\0") == "team:9V2MY98Q59"
    assert parse_moment(struct.pack("<qii", 1_795_000_000, 250_000, 0)) == 1_795_000_000_250_000


@given(JSON, st.sampled_from([plistlib.FMT_XML, plistlib.FMT_BINARY]))
def test_property_lists_come_back(value: Any, form: Any) -> None:
    """Both forms; what a list may not hold is written by nobody."""
    try:
        data = plistlib.dumps({"value": value}, fmt=form)
    except (TypeError, ValueError, OverflowError):
        return
    assert mapping(parse_plist(data)).get("value") == value or form is plistlib.FMT_XML  # XML bends line ends


@given(st.binary(max_size=200), st.sampled_from([b"", b"bplist00", b'<?xml version="1.0"?><plist version="1.0">']))
def test_any_property_list_is_read_or_none(data: bytes, head: bytes) -> None:
    """Fuzz: no bytes make the reader raise."""
    parse_plist(head + data)


@pytest.mark.slow
def test_a_property_list_that_unfolds_is_refused() -> None:
    """Entities that grow a thousandfold; a list in a list in a list; a pipe in a file's place."""
    entities = b'<!DOCTYPE p [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    assert parse_plist(b'<?xml version="1.0"?>' + entities + b"<plist><string>&b;</string></plist>") is None
    deep = b"<plist>" + b"<array>" * 100_000
    assert parse_plist(deep) is None


def test_a_file_that_is_none_is_none(tmp_path: Path) -> None:
    """A folder, a pipe, nothing."""
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
    assert all(read_plist(tmp_path / name) is None for name in ("", "pipe", "absent"))


@given(JSON)
def test_any_list_of_windows_and_any_proxies_are_read(value: Any) -> None:
    """Fuzz: whatever shape the window server's, the network's or a file's answer has."""
    windows = parse_windows([value, *items(value)])
    assert isinstance(front_of(windows), int)
    assert isinstance(proxy_of(mapping(value)), str)
    assert isinstance(text(mapping(value), "a"), str)
    assert number(mapping(value), "a") is None or isinstance(number(mapping(value), "a"), int)


# --- a scripted Mac ---------------------------------------------------------------------------------------------------


def window(pid: int, layer: int, sharing: int = 1) -> Mapping[str, Any]:
    return {
        "kCGWindowOwnerPID": pid, "kCGWindowLayer": layer, "kCGWindowSharingState": sharing,
        "kCGWindowName": "a letter to somebody", "kCGWindowBounds": {"X": 0.0},
    }  # fmt: skip


def test_windows_by_owner_and_level() -> None:
    """The first ordinary one is in front; one above all that hides from pictures is told; no title is."""
    shown = parse_windows([window(9, 25, 0), window(7, 0), window(8, 0)])
    assert shown[0] == Window(9, "layer 25", True, True)
    assert front_of(shown) == 7
    desktop = Desktop(Heard, Context(client_pid=7), tuple, lambda: shown, lambda: front_of(shown))
    rows = desktop.collect(0)
    assert rows[0] == WindowRow("", 7, "layer 0", True, False, False, 0)
    assert "letter" not in repr(rows)


def test_posted_events_are_told_from_a_hands(engine: Engine) -> None:
    """CGEventPost names the process that posted; a device posts as 0."""
    heard = Heard()
    for turn in range(8):
        event(heard, 1, 0, 100 * turn)
    assert not heard.made
    for turn in range(8):
        event(heard, 1, 4242, 10_000 + 500 * turn)
        event(heard, 2, 4242, 10_010 + 500 * turn)
        event(heard, 99, 4242, 10_020 + 500 * turn)
    (row,) = Inputs(lambda: heard, Context()).collect(14_000)
    assert isinstance(row, InputRow)
    assert (row.injected, row.regular, row.sources) == (8, True, ("CGEventPost",))
    assert [finding.rule for finding in engine.judge([row])] == ["input.loop"]


def test_without_permission_input_is_unknown() -> None:
    """And without a Mac: the thread says so and ends; nobody is asked for a right."""
    listening = tap.Tap()
    for _ in range(2):
        with pytest.raises(CollectorError):
            listening.ready()


def expert() -> Mapping[str, Any]:
    return {"manufacturer": b"Apple Inc.\0", "IOPlatformSerialNumber": "C02SECRET", "board-id": b"Mac-1\0"}


def values(**told: bytes) -> Any:
    def value(name: str) -> bytes:
        try:
            return told[name.replace(".", "_")]
        except KeyError:
            raise CollectorError(name) from None

    return value


def test_a_guest_says_so_and_a_mac_does_not(engine: Engine) -> None:
    """By the kernel's own word; the serial number beside it is not read; an old kernel says nothing."""
    (row,) = Machine(values(hw_model=b"VMware20,1\0", kern_hv_vmm_present=b"\1\0\0\0"), expert).collect(0)
    assert row == HostRow("Apple Inc.", "VMware20,1", board="Mac-1", guest_flag=True)
    assert gravest(engine.judge([row])) == "report"
    (real,) = Machine(values(hw_model=b"MacBookPro18,3\0", kern_hv_vmm_present=bytes(4)), expert).collect(0)
    assert gravest(engine.judge([real])) == "none"
    (old,) = Machine(values(hw_model=b"MacBookPro11,1\0"), lambda: {}).collect(0)
    assert old == HostRow(model="MacBookPro11,1")
    with pytest.raises(CollectorError):
        Machine(values(), expert).collect(0)


def test_cameras_that_are_programs(tmp_path: Path, engine: Engine) -> None:
    """A plug-in by its own name or its file's; an extension once it is on; the camera in use is always a row."""
    plugin = tmp_path / PLUGINS / "obs-mac-virtualcam.plugin/Contents"
    plugin.mkdir(parents=True)
    (plugin / "Info.plist").write_bytes(plistlib.dumps({"CFBundleName": "OBS Virtual Camera"}))
    (tmp_path / PLUGINS / "bare.plugin").mkdir()
    (tmp_path / EXTENSIONS).parent.mkdir(parents=True)
    entry = {"originPath": "/Applications/OBS.app", "identifier": "com.obsproject.cam", "categories": [CAMERA]}
    off = {**entry, "state": "terminated_waiting_to_uninstall_on_reboot"}
    listed = {"extensions": [{**entry, "state": "activated_enabled"}, off, "junk"]}
    (tmp_path / EXTENSIONS).write_bytes(plistlib.dumps(listed, fmt=plistlib.FMT_BINARY))
    context = Context(camera="FaceTime HD Camera")
    rows = Cameras(context, tmp_path).collect(0)
    assert [(row.name, row.driver, row.selected) for row in rows if isinstance(row, CameraRow)] == [
        ("bare", "DAL plug-in", False),
        ("OBS Virtual Camera", "DAL plug-in", False),
        ("OBS", "camera extension", False),
        ("FaceTime HD Camera", "", True),
    ]
    assert gravest(engine.judge(rows)) == "inform"
    context.camera = "OBS Virtual Camera"
    assert gravest(engine.judge(Cameras(context, tmp_path).collect(0))) == "pause"
    assert Cameras(Context(), tmp_path / "none").collect(0) == []


@pytest.mark.parametrize(
    ("told", "remote"),
    [({"kCGSSessionOnConsoleKey": True}, False), ({"kCGSSessionOnConsoleKey": False}, True), ({}, None)],
)
def test_a_session_that_is_not_at_the_console(told: Mapping[str, Any], remote: bool | None) -> None:
    """It is shown somewhere else; what is not told is unknown; the user's name is not read."""
    (row,) = Displays(lambda: {**told, "kCGSSessionUserNameKey": "somebody"}).collect(0)
    assert row == DisplayRow(remote=remote)


def test_proxies_and_added_roots() -> None:
    """The one for TLS first; who listens there; what cannot be asked for is unknown."""
    told = {"HTTPSEnable": 1, "HTTPSProxy": "127.0.0.1", "HTTPSPort": 8080, "HTTPEnable": 1, "HTTPProxy": "x"}
    processes = [ProcessRow(name="mitmproxy", cmdline="mitmproxy", pid=3, listen=("127.0.0.1:8080",))]

    def closed() -> Any:
        raise CollectorError("not told")

    assert Networks(lambda: processes, {}, lambda: told, closed).collect(0) == [
        NetworkRow(proxy="127.0.0.1:8080", listener="mitmproxy mitmproxy")
    ]
    assert Networks(tuple, {}, closed, closed).collect(0) == []
    assert proxy_of({"ProxyAutoConfigEnable": 1, "ProxyAutoConfigURLString": "http://wpad/x"}) == "http://wpad/x"
    assert proxy_of({"SOCKSEnable": 1, "SOCKSProxy": "10.0.0.1"}) == "10.0.0.1"


def test_clocks_that_were_set_and_clocks_that_slept(engine: Engine) -> None:
    """An hour asleep is no jump; an hour that no clock explains is."""
    for boot, jump in ((3_602_000, 0), (2_000, 3_600_000)):
        moments = iter([Reading(0, 0, 0), Reading(3_602_000, 2_000, boot)])
        clocks = Clocks(lambda moments=moments: next(moments))  # type: ignore[misc]
        assert clocks.collect(0) == []
        (row,) = clocks.collect(0)
        assert isinstance(row, ClockRow)
        assert (row.jump_ms, row.bent) == (jump, False)


def test_ports_of_this_user() -> None:
    """A row a port, and the port at the process; an address of IPv6 in brackets."""
    told = [("Google Chrome", 7, "127.0.0.1", 9222), ("Google Chrome", 7, "::1", 9222)]
    sockets = Sockets(lambda: iter(told), lambda: {9222: "devtools"})
    assert sockets.collect(0) == [
        SocketRow("Google Chrome", 7, "127.0.0.1", 9222, "devtools"),
        SocketRow("Google Chrome", 7, "[::1]", 9222, "devtools"),
    ]
    assert sockets.listen == {7: ("127.0.0.1:9222", "[::1]:9222")}


def test_elsewhere_every_call_is_unknown() -> None:
    """On no Mac each source either needs none of its libraries or says unknown: nothing else leaves."""
    if sys.platform in ("darwin", "win32"):
        pytest.skip("left out: a Mac, or Windows, where psutil has no owners")
    with pytest.raises(CollectorError):
        api.library("CoreGraphics")
    unknown = set()
    for source in collectors(Context()):
        try:
            rows: Sequence[Any] = source.collect(0)
            assert isinstance(rows, Sequence)
        except CollectorError:
            unknown.add(source.name)
    assert {"processes", "inputs", "windows", "displays", "hosts", "ourselves"} <= unknown
