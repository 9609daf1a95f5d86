"""The Linux collectors on scripted /proc and /sys trees, on this machine, and against hostile names."""

from __future__ import annotations

import ctypes
import dataclasses
import mmap
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors import Context, collectors, platform
from agent.collectors.linux.cameras import Cameras
from agent.collectors.linux.clocks import Clocks
from agent.collectors.linux.machine import Machine
from agent.collectors.linux.ourselves import Ourselves, parse_maps
from agent.collectors.linux.processes import FULL_MS, Processes, _stat
from agent.collectors.portable import Processes as PortableProcesses
from agent.engine import Engine, gravest
from agent.errors import CollectorError
from agent.tables import TABLES, ProcessRow, kind_of

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="left out: reads Linux' /proc")


def put(root: Path, pid: int, comm: str, cmdline: list[str], ppid: int = 1, started: int = 7) -> None:
    """One process of a scripted /proc."""
    folder = root / str(pid)
    folder.mkdir(exist_ok=True)
    fields = ["S", str(ppid), *["0"] * 17, str(started), *["0"] * 30]
    (folder / "stat").write_bytes(f"{pid} ({comm}) {' '.join(fields)}\n".encode("utf-8", "surrogateescape"))
    (folder / "cmdline").write_bytes("\0".join([*cmdline, ""]).encode("utf-8", "surrogateescape"))


def names(rows: Any) -> list[str]:
    return sorted(row.name for row in rows)


def test_processes_come_and_go(tmp_path: Path) -> None:
    """New ones are read, gone ones are dropped, parents are named, kernel threads are left out."""
    put(tmp_path, 1, "systemd", ["/sbin/init"])
    put(tmp_path, 2, "kthreadd", [])
    put(tmp_path, 10, "bash", ["bash"])
    put(tmp_path, 11, "chromedriver", ["chromedriver", "--port=9515"], ppid=10)
    table = Processes(str(tmp_path))
    rows = table.collect(0)
    assert names(rows) == ["bash", "chromedriver", "systemd"]
    assert next(row for row in rows if row.name == "chromedriver") == ProcessRow(
        name="chromedriver", cmdline="chromedriver --port=9515", pid=11, parent="bash", parents=("bash", "systemd"),
        started_ms=70,
    )  # fmt: skip
    for part in ("stat", "cmdline"):
        (tmp_path / "11" / part).unlink()
    (tmp_path / "11").rmdir()
    assert names(table.collect(100)) == ["bash", "systemd"]


def test_a_process_that_becomes_another_program_is_read_again(tmp_path: Path) -> None:
    """Between fork and exec a child looks like its parent; and a number can be used again."""
    table = Processes(str(tmp_path))
    put(tmp_path, 5, "bash", ["bash"])
    table.collect(0)
    put(tmp_path, 5, "xdotool", ["xdotool", "click", "1"])
    assert names(table.collect(2_000)) == ["xdotool"]
    put(tmp_path, 5, "AutoKey", ["autokey"], started=99)
    assert names(table.collect(2_000 + FULL_MS)) == ["AutoKey"]


def test_short_lived_tools_are_counted(tmp_path: Path, engine: Engine) -> None:
    """Three runs of xdotool within a minute, each seen alone, are a loop."""
    table = Processes(str(tmp_path))
    put(tmp_path, 3, "bash", ["bash"])
    table.collect(0)
    for turn in range(3):
        put(tmp_path, 100 + turn, "xdotool", ["xdotool", "key", "space"], started=turn)
        rows = table.collect(4_000 * (turn + 1))
        for part in ("stat", "cmdline"):
            (tmp_path / str(100 + turn) / part).unlink()
        (tmp_path / str(100 + turn)).rmdir()
        expected = "report" if turn < 2 else "pause"
        assert gravest(engine.judge(rows)) == expected
    table.collect(14_000)
    put(tmp_path, 200, "xdotool", ["xdotool", "key", "space"], started=9)
    assert gravest(engine.judge(table.collect(90_000))) == "report"


@pytest.mark.parametrize(
    "name", ["a\nb", "x) S 1 2 3 (y", "\x1b[2J", "\u202egnp.exe", "\udcff\udcfe", ") (", "e" * 15]
)
def test_a_hostile_process_name_is_read_as_a_name(tmp_path: Path, name: str, engine: Engine) -> None:
    """Brackets, line ends, escapes and invalid UTF-8 in a name move no field and break no line."""
    put(tmp_path, 9, name, [name, "-x" * 30_000])
    row = Processes(str(tmp_path)).collect(0)[0]
    assert isinstance(row, ProcessRow)
    assert row.pid == 9
    engine.judge([row])


@given(st.binary(max_size=200))
def test_any_stat_is_read_or_left_out(data: bytes) -> None:
    """Fuzz: /proc/<pid>/stat."""
    found = _stat(data)
    assert found is None or isinstance(found[1], int)


@given(st.binary(max_size=400))
def test_any_maps_are_read(data: bytes) -> None:
    """Fuzz: /proc/<pid>/maps."""
    names_, rwx = parse_maps(data)
    assert all(isinstance(name, str) for name in names_)
    assert rwx >= 0


def test_a_long_name_that_the_kernel_cut_is_completed(tmp_path: Path) -> None:
    """The kernel keeps 15 bytes; the command line has the rest."""
    put(tmp_path, 4, "qemu-system-x86", ["/usr/bin/qemu-system-x86_64", "-M", "q35"])
    assert names(Processes(str(tmp_path)).collect(0)) == ["qemu-system-x86_64"]


def test_a_tool_that_renames_itself_is_known_by_its_file(tmp_path: Path) -> None:
    """A process may tell the kernel any name; its file's name counts. A script is known by the kernel's word."""
    put(tmp_path, 4, "kworker/0:1", ["kworker/0:1"])
    (tmp_path / "4/exe").symlink_to("/usr/bin/xdotool")
    put(tmp_path, 5, "onboard", ["/usr/bin/python3", "/usr/bin/onboard"])
    (tmp_path / "5/exe").symlink_to("/usr/bin/python3.11")
    put(tmp_path, 6, "AnyDesk.exe", ["C:\\AnyDesk.exe"])
    (tmp_path / "6/exe").symlink_to("/usr/lib/wine/wine64-preloader")
    assert names(Processes(str(tmp_path)).collect(0)) == ["AnyDesk.exe", "onboard", "xdotool"]


def test_no_proc_is_unknown() -> None:
    """A table that cannot be read raises the one error that means unknown."""
    with pytest.raises(CollectorError):
        Processes("/nonexistent").collect(0)


def test_this_machine_agrees_with_psutil() -> None:
    """Both backends see the same long-lived processes by the same names: others come and go between two looks."""

    def look() -> dict[int, ProcessRow]:
        return {row.pid: row for row in Processes().collect(0) if isinstance(row, ProcessRow)}

    before = look()
    theirs = {row.pid: row for row in PortableProcesses().collect(0) if isinstance(row, ProcessRow) and row.cmdline}
    after = look()
    known = {(pid, row.started_ms, row.name) for pid, row in before.items()}
    ours = {pid: row for pid, row in after.items() if (pid, row.started_ms, row.name) in known}
    both = ours.keys() & theirs.keys()
    assert os.getpid() in both
    assert len(both) >= max(len(ours), len(theirs.keys() - (before.keys() ^ after.keys()))) * 0.8
    same = [theirs[pid].name[:15] in (ours[pid].name[:15], Path(theirs[pid].exe).name[:15]) for pid in both]
    assert sum(same) >= len(both) * 0.8


def test_every_collector_keeps_the_contract_of_its_table() -> None:
    """Rows are of declared tables, every field of its declared kind; or the source says that it is unknown."""
    for source in collectors(Context(client_pid=os.getpid())):
        try:
            rows = source.collect(time.monotonic_ns() // 1_000_000)
        except CollectorError:
            continue
        for row in rows:
            assert TABLES[row.table] is type(row)
            for entry in dataclasses.fields(row):
                value = getattr(row, entry.name)
                kinds = {"text": str | tuple, "number": int, "flag": bool}
                assert value is None or isinstance(value, kinds[kind_of(type(row), entry.name) or ""])


def test_a_tracer_on_the_client_blocks(engine: Engine) -> None:
    """Really traced: this test seizes a child as a debugger would, and the rule names it."""
    libc = ctypes.CDLL(None, use_errno=True)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        rows = Ourselves(Context(client_pid=child.pid)).collect(0)
        assert gravest(engine.judge(rows)) == "none"
        if libc.ptrace(0x4206, child.pid, None, None) != 0:  # PTRACE_SEIZE
            pytest.skip("left out: this machine forbids ptrace")
        rows = Ourselves(Context(client_pid=child.pid)).collect(0)
        findings = engine.judge(rows)
        assert [(finding.rule, finding.response) for finding in findings] == [("self.debugger", "block")]
        assert findings[0].evidence["tracer_pid"] == os.getpid()
        assert findings[0].evidence["subject"] == "client"
    finally:
        child.kill()
        child.wait()


def test_a_library_without_a_file_in_our_own_memory_blocks(engine: Engine) -> None:
    """Really mapped: an agent library in a memfd, as instrumentation leaves it behind, is found in our maps."""
    descriptor = os.memfd_create("frida-agent-64.so")
    os.ftruncate(descriptor, 4096)
    with mmap.mmap(descriptor, 4096):
        findings = engine.judge(Ourselves(Context()).collect(0))
        assert [finding.rule for finding in findings] == ["self.instrumented"]
        assert findings[0].response == "block"
    os.close(descriptor)
    assert not engine.judge(Ourselves(Context()).collect(0))


def test_the_clocks_of_this_machine_are_true(engine: Engine) -> None:
    """Two real readings: nothing bent, no jump."""
    clocks = Clocks()
    assert clocks.collect(0) == []
    time.sleep(0.2)
    rows = clocks.collect(0)
    assert len(rows) == 1
    assert not engine.judge(rows)


def test_a_machine_says_what_it_is(tmp_path: Path, engine: Engine) -> None:
    """DMI names, PCI devices, and only cards that are hardware."""
    for path, text in {
        "class/dmi/id/sys_vendor": "QEMU", "class/dmi/id/product_name": "Standard PC (Q35 + ICH9, 2009)",
        "bus/pci/devices/0000:00:01.0/vendor": "0x1af4", "bus/pci/devices/0000:00:01.0/device": "0x1041",
        "class/net/eth0/address": "52:54:00:12:34:56", "class/net/vmnet8/address": "00:50:56:c0:00:08",
    }.items():  # fmt: skip
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text + "\n", "utf-8")
    (tmp_path / "class/net/eth0/device").mkdir()
    row = Machine(tmp_path).collect(0)[0]
    assert (row.manufacturer, row.pnp, row.macs) == ("QEMU", ("PCI\\VEN_1AF4&DEV_1041",), ("52:54:00:12:34:56",))  # type: ignore[union-attr]
    assert gravest(engine.judge([row])) == "report"
    with pytest.raises(CollectorError):
        Machine(tmp_path / "none").collect(0)


def test_a_loopback_camera_is_known_by_its_place(tmp_path: Path, engine: Engine) -> None:
    """Present: informed; chosen by the client: paused; a real one beside it: nothing."""
    for number, (name, place) in enumerate([("Integrated Camera", "pci0/usb1"), ("My Camera", "virtual/video4linux")]):
        device = tmp_path / "devices" / place / f"video{number}"
        device.mkdir(parents=True)
        (device / "name").write_text(name + "\n", "utf-8")
        (tmp_path / "class").mkdir(exist_ok=True)
        (tmp_path / "class" / f"video{number}").symlink_to(device)
    (tmp_path / "drivers/uvcvideo").mkdir(parents=True)
    (tmp_path / "devices/pci0/usb1/video0/device").mkdir()
    (tmp_path / "devices/pci0/usb1/video0/device/driver").symlink_to(tmp_path / "drivers/uvcvideo")
    context = Context()
    cameras = Cameras(context, tmp_path / "class")
    assert gravest(engine.judge(cameras.collect(0))) == "inform"
    context.camera = "/dev/video1"
    assert gravest(engine.judge(cameras.collect(0))) == "pause"
    assert [row.driver for row in cameras.collect(0)] == ["uvcvideo", "v4l2 loopback"]  # type: ignore[union-attr]
    context.camera = "Integrated Camera"
    assert gravest(engine.judge(cameras.collect(0))) == "inform"
    assert Cameras(context, tmp_path / "none").collect(0) == []


def test_this_platform_is_known() -> None:
    """Rules are chosen by this word."""
    assert platform() == "linux"
