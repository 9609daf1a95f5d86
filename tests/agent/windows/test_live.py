"""The Windows collectors on Windows' own calls, as Wine answers them: real processes, real input, real windows."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.collectors import Context, collectors, platform
from agent.collectors.desktop import Desktop
from agent.collectors.extensions import Extensions
from agent.collectors.files import Files
from agent.collectors.inputs import Inputs
from agent.collectors.selves import Ourselves
from agent.collectors.table import Processes
from agent.collectors.windows import clocks, signatures, toolhelp
from agent.collectors.windows.cameras import FILTERS, Cameras
from agent.collectors.windows.desktop import foreground_pid, visible_windows
from agent.collectors.windows.ear import Ear
from agent.collectors.windows.files import SYSTEM, told
from agent.collectors.windows.machine import Machine
from agent.collectors.windows.networks import SETTINGS, Networks
from agent.collectors.windows.ourselves import SystemSelves
from agent.collectors.windows.processes import SystemProcesses
from agent.collectors.windows.registry import SystemRegistry
from agent.collectors.windows.sockets import Sockets
from agent.engine import Engine, gravest
from agent.errors import CollectorError
from agent.tables import CameraRow, InputRow, NetworkRow, ProcessRow, SelfRow, WindowRow
from tests.agent.windows.conftest import running, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "win32", reason="left out: Windows calls run under Wine (make test-wine)"),
]


def now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def row_of(table: Processes, pid: int) -> ProcessRow:
    table.collect(now_ms())
    return next(row for row in table.rows if row.pid == pid)


def libraries() -> Any:
    return getattr(ctypes, "windll")  # noqa: B009  # only Windows has it


def test_a_renamed_tool_is_known_by_the_name_it_was_built_with(tools: Path, engine: Engine) -> None:
    """notes.exe carries AutoHotkey's version resource: file, arguments, parents and start are told, and it pauses."""
    table = Processes(SystemProcesses())
    with running(tools / "notes.exe", "idle", "600") as tool, running(tools / "tool.exe", "idle", "600") as honest:
        row = row_of(table, tool.pid)
        assert (row.name, row.original_name, row.product) == ("notes.exe", "AutoHotkey.exe", "AutoHotkey")
        assert Path(row.exe) == tools / "notes.exe"
        assert row.cmdline.endswith("idle 600")
        assert row.parent == row.parents[0] == Path(sys.executable).name
        assert row.started_ms is not None
        assert abs(row.started_ms - clocks.uptime_ms()) < 60_000
        assert gravest(engine.judge([row])) == "pause"
        assert gravest(engine.judge([row_of(table, honest.pid)])) == "none"
    table.collect(now_ms())
    assert tool.pid not in {row.pid for row in table.rows}


def test_who_signed_a_program_is_told_only_if_the_signature_holds(tools: Path, tmp_path: Path) -> None:
    """The interpreter's makers signed it; with one byte changed nobody did; our own tool nobody ever signed."""
    assert signatures.signer_of(sys.executable) == "Python Software Foundation"
    bent = tmp_path / "python.exe"
    data = bytearray(Path(sys.executable).read_bytes())
    data[data.index(b"This program cannot") + 5] ^= 1
    bent.write_bytes(data)
    assert signatures.signer_of(str(bent)) == ""
    assert signatures.signer_of(str(tools / "tool.exe")) == ""
    assert signatures.signer_of(str(tmp_path / "none.exe")) == ""


def test_a_program_knows_who_started_it() -> None:
    """The agent's client, by the same list that the process table reads."""
    ask = "from agent.collectors import parent_pid; print(parent_pid())"
    done = subprocess.run(
        [sys.executable, "-c", ask], cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == os.getpid()


def test_arguments_are_read_from_memory_where_the_short_way_is_missing(tools: Path) -> None:
    """Long arguments in another script come back whole."""
    words = "学习" * 2_000
    with running(tools / "tool.exe", "idle", "600", words) as tool:
        until(lambda: toolhelp.cmdline_of(tool.pid), lambda told: told.endswith(words))
    assert toolhelp.cmdline_of(tool.pid) == ""


def test_a_script_is_known_by_its_folder(tools: Path, tmp_path: Path, engine: Engine) -> None:
    """`python main.py` with a folder `cxapi` beside it: the working folder is told, the script digested."""
    (tmp_path / "cxapi").mkdir()
    (tmp_path / "main.py").write_text("import time; time.sleep(600)", "ascii")
    table = Processes(SystemProcesses())
    with subprocess.Popen([sys.executable, "main.py"], cwd=tmp_path) as script:
        try:
            row = row_of(table, script.pid)
            files = Files(lambda: [row], told, SYSTEM)
            rows = until(lambda: files.collect(0), bool)
        finally:
            script.kill()
    assert Path(rows[0].path) == tmp_path / "main.py"  # type: ignore[union-attr]
    assert [finding.rule for finding in engine.judge(rows)] == ["bot.file"]


def test_a_listening_port_has_its_program(tools: Path) -> None:
    """A row a port, and the port stands at the process, too."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    table = Sockets()
    processes = Processes(SystemProcesses(), listen=lambda: table.listen)
    with running(tools / "tool.exe", "listen", str(port)) as tool:
        rows = until(lambda: table.collect(0), lambda rows: port in {row.port for row in rows})
        row = next(row for row in rows if row.port == port)
        assert (row.program, row.pid, row.address) == ("tool.exe", tool.pid, "127.0.0.1")
        assert row_of(processes, tool.pid).listen == (f"127.0.0.1:{port}",)


@pytest.fixture(scope="module")
def ear() -> Iterator[Ear]:
    """One pair of hooks for the module."""
    ear = Ear()
    ear.ready()
    yield ear
    ear.stop()


@pytest.mark.parametrize(("act", "source"), [("click", "WH_MOUSE_LL"), ("type", "WH_KEYBOARD_LL")])
def test_a_loop_of_made_input_is_found(act: str, source: str, tools: Path, ear: Ear, engine: Engine) -> None:
    """SendInput from another process, every 0.4 s: the flag tells, the rhythm judges."""
    ear.heard.made.clear()
    inputs = Inputs(ear.ready, Context(in_client=True))
    assert inputs.collect(now_ms()) == []
    with running(tools / "tool.exe", act, "400"):

        def look() -> Sequence[Any]:
            return engine.judge(inputs.collect(now_ms()))

        until(look, lambda found: ("input.loop", "pause") in {(finding.rule, finding.response) for finding in found})
    row = inputs.collect(now_ms())[0]
    assert isinstance(row, InputRow)
    assert row.sources == (source,)
    assert inputs.collect(now_ms() + 120_000)[0].ongoing is False  # type: ignore[union-attr]


def unix(*words: str) -> None:
    """A program of the system below: Wine starts it by its path."""
    subprocess.run(
        ["cmd", "/c", "start", "/wait", "/unix", f"/usr/bin/{words[0]}", *words[1:]], check=True, timeout=600
    )


def test_a_hand_is_heard_and_nothing_of_it_is_kept(tools: Path, ear: Ear) -> None:
    """xdotool outside Wine is to Windows what a hand is: no flag, no row; only that somebody was there."""
    ear.heard.made.clear()
    ear.heard.heard_ms = 0
    with running(tools / "tool.exe", "window"):
        time.sleep(1.5)

        def hand() -> int:
            unix("xdotool", "mousemove", "150", "140", "click", "1", "key", "F5")
            return ear.heard.heard_ms

        until(hand, lambda heard: heard > 0)
    assert not ear.heard.made


def test_a_program_that_takes_the_foreground_is_named(tools: Path, ear: Ear, engine: Engine) -> None:
    """The client has the foreground; a tool takes it, again and again, while no hand moves."""
    context = Context()
    processes = Processes(SystemProcesses())
    desktop = Desktop(ear.ready, context, lambda: processes.rows, visible_windows, foreground_pid)
    with running(tools / "tool.exe", "window") as client:
        context.client_pid = client.pid

        def rows() -> dict[int, WindowRow]:
            processes.collect(now_ms())
            return {row.pid: row for row in desktop.collect(now_ms()) if isinstance(row, WindowRow)}

        mine = until(rows, lambda seen: client.pid in seen and seen[client.pid].foreground)[client.pid]
        assert (mine.program, mine.kind, mine.topmost, mine.taken) == ("tool.exe", "TrueSeatTestTool", False, 0)
        time.sleep(2)  # whoever started the client has his hands off by now
        with running(tools / "notes.exe", "front", "400") as thief:
            taken = until(rows, lambda seen: thief.pid in seen and seen[thief.pid].taken >= 3)[thief.pid]
            assert taken.program == "notes.exe"
            assert [(finding.rule, finding.response) for finding in engine.judge([taken])] == [
                ("window.taken", "report")
            ]


def test_a_window_above_all_is_told(tools: Path, ear: Ear) -> None:
    """Topmost is told; whether it hides from pictures Wine does not know: unknown."""
    desktop = Desktop(ear.ready, Context(), tuple, visible_windows, foreground_pid)
    with running(tools / "tool.exe", "hide") as tool:

        def look() -> list[WindowRow]:
            return [row for row in desktop.collect(now_ms()) if isinstance(row, WindowRow) and row.pid == tool.pid]

        (row,) = until(look, bool)
    assert (row.topmost, row.unrecorded) == (True, None)


def test_a_debugger_on_the_client_blocks(tools: Path, engine: Engine) -> None:
    """Really attached: this test debugs a child as a debugger would."""
    with running(tools / "tool.exe", "idle", "600") as client:
        ours = Ourselves(Context(client_pid=client.pid), SystemSelves())
        assert gravest(engine.judge(ours.collect(0))) == "none"
        assert libraries().kernel32.DebugActiveProcess(client.pid)
        try:
            rows = ours.collect(0)
            assert [row.subject for row in rows if isinstance(row, SelfRow) and row.debugger] == ["client"]
            assert gravest(engine.judge(rows)) == "block"
        finally:
            libraries().kernel32.DebugActiveProcessStop(client.pid)


def test_an_instrumentation_in_ourselves_blocks(tools: Path, tmp_path: Path, engine: Engine) -> None:
    """A library of that name loaded into this very process; gone, nothing is left."""
    assert any(path.endswith("python313.dll") for path in toolhelp_modules())
    library = tmp_path / "frida-agent-64.dll"
    shutil.copy(Path(sys.executable).with_name("bcryptprimitives.dll"), library)
    loaded = ctypes.CDLL(str(library))
    try:
        findings = engine.judge(Ourselves(Context(), SystemSelves()).collect(0))
        assert [(finding.rule, finding.response) for finding in findings] == [("self.instrumented", "block")]
    finally:
        free = libraries().kernel32.FreeLibrary
        free.argtypes = [ctypes.c_void_p]
        free(loaded._handle)
    assert not engine.judge(Ourselves(Context(), SystemSelves()).collect(0))


def toolhelp_modules() -> tuple[str, ...]:
    (row,) = Ourselves(Context(), SystemSelves()).collect(0)
    assert isinstance(row, SelfRow)
    return row.maps


def test_the_clocks_are_true(tools: Path, engine: Engine) -> None:
    """Functions and the kernel's page agree: nothing bent, no jump, no offset."""

    def look() -> Any:
        source = clocks.Clocks()
        assert source.collect(0) == []
        time.sleep(0.5)
        (row,) = source.collect(0)
        return row

    # under Wine another program writes the kernel's page; on a busy machine it is late now and then
    until(look, lambda row: not engine.judge([row]) and row.uptime_ms >= 400 and row.offset_ms < 1_000)


@pytest.fixture
def key() -> Iterator[Any]:
    """Writes values of HKCU for a test, and takes them back."""
    import winreg as untyped

    winreg: Any = untyped
    made: list[tuple[str, str]] = []

    def write(path: str, **values: str | int) -> None:
        with winreg.CreateKey(winreg.HKEY_CURRENT_USER, path) as opened:
            for name, value in values.items():
                made.append((path, name))
                kind = winreg.REG_DWORD if isinstance(value, int) else winreg.REG_SZ
                winreg.SetValueEx(opened, name, 0, kind, value)

    yield write
    for path, name in made:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, path, 0, winreg.KEY_SET_VALUE) as opened:
            winreg.DeleteValue(opened, name)


def test_a_camera_that_is_a_program_is_found_in_the_registry(key: Any, tools: Path, engine: Engine) -> None:
    """OBS Virtual Camera registers a DirectShow filter: present informs, chosen pauses."""
    clsid = "{A3FCE0F5-3493-419F-958A-ABA1250EC20B}"
    key(FILTERS[-1].removeprefix("HKCU\\") + "\\" + clsid, FriendlyName="OBS Virtual Camera", CLSID=clsid)
    context = Context()
    cameras = Cameras(context, SystemRegistry())
    assert cameras.collect(0) == [CameraRow("OBS Virtual Camera", "DirectShow filter", f"CLSID\\{clsid}", False)]
    assert gravest(engine.judge(cameras.collect(0))) == "inform"
    context.camera = "OBS Virtual Camera"
    assert gravest(engine.judge(cameras.collect(0))) == "pause"


def test_this_users_proxy_and_who_listens_there(key: Any, tools: Path) -> None:
    """The settings of the system, and the program behind a local port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    table = Sockets()
    processes = Processes(SystemProcesses(), listen=lambda: table.listen)
    key(SETTINGS.removeprefix("HKCU\\"), ProxyEnable=1, ProxyServer=f"https=127.0.0.1:{port}")
    networks = Networks(SystemRegistry(), lambda: processes.rows, {})
    with running(tools / "notes.exe", "listen", str(port)):
        until(lambda: table.collect(0), lambda rows: port in {row.port for row in rows})
        processes.collect(0)
        (row,) = networks.collect(0)
    assert isinstance(row, NetworkRow)
    assert row.proxy == f"127.0.0.1:{port}"
    assert row.listener.startswith("notes.exe ")
    assert row.roots  # Wine hands the roots of the system below to its programs


def test_wine_says_that_it_is_wine(tools: Path) -> None:
    """A Windows that is another system's program is no machine of its own."""
    (row,) = Machine(SystemRegistry()).collect(0)
    assert row.model.startswith("Wine ")  # type: ignore[union-attr]


def test_extensions_where_windows_keeps_them(tools: Path, tmp_path: Path, engine: Engine, monkeypatch: Any) -> None:
    """Chrome's profile below this user's folder: a script manager is told, an ad blocker is nothing."""
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    profile = tmp_path / "AppData/Local/Google/Chrome/User Data/Default"
    profile.mkdir(parents=True)
    known = {"dhdgffkkebhmkfjojejmpbldmpobfkfo": "Tampermonkey", "cjpalhdlnbpafiamejdnhcphjbkeiagm": "uBlock Origin"}
    settings = {key: {"location": 1, "state": 1, "manifest": {"name": name}} for key, name in known.items()}
    (profile / "Preferences").write_text(json.dumps({"extensions": {"settings": settings}}), "utf-8")
    rows = Extensions().collect(0)
    assert sorted(row.name for row in rows) == ["Tampermonkey", "uBlock Origin"]  # type: ignore[union-attr]
    findings = engine.judge(rows)
    assert [finding.response for finding in findings] == ["inform"]
    assert "Tampermonkey" in str(findings[0].evidence)


def test_an_honest_desktop_is_left_alone(tools: Path, engine: Engine) -> None:
    """An editor with its window in front, two programs of no account: nothing above inform, in every table."""
    with running(Path("C:/windows/notepad.exe")), running(tools / "tool.exe", "window"), running(tools / "tool.exe"):
        time.sleep(1)
        for source in collectors(Context(client_pid=os.getpid())):
            for turn in range(2):
                try:
                    found = engine.judge(source.collect(now_ms() + turn))
                except CollectorError:
                    continue
                assert gravest(found) in ("none", "inform"), found


def test_every_source_answers_or_says_unknown(tools: Path) -> None:
    """All of them, twice, on this system; only what nobody signed is unknown."""
    assert platform() == "windows"
    unknown = set()
    for source in collectors(Context(client_pid=os.getpid())):
        for turn in range(2):
            try:
                source.collect(now_ms() + turn)
            except CollectorError:
                unknown.add(source.name)
    assert unknown <= {"installed"}
