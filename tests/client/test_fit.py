"""Engine and load are chosen by what this machine can bear; a setting goes before, and the log names both."""

from __future__ import annotations

import ctypes
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client import config, fit
from client.about import describe
from client.doctor import computer
from client.errors import ConfigError
from client.fit import Fit, Machine, choose, measure

GIB = 1 << 30


@pytest.mark.parametrize(
    ("machine", "engine", "load"),
    [
        (Machine(4, 8 * GIB, True), "mediapipe", "normal"),
        (Machine(2, None, True), "mediapipe", "normal"),
        (Machine(1, 8 * GIB, True), "dnn", "low"),
        (Machine(1.5, 8 * GIB, True), "dnn", "low"),
        (Machine(4, 2 * GIB, True), "dnn", "low"),
        (Machine(4, 8 * GIB, False), "dnn", "normal"),
    ],
)
def test_a_machine_gets_what_it_can_bear(machine: Machine, engine: str, load: str) -> None:
    """One core or two gigabytes: low load and the smaller engine; no MediaPipe: the engine that needs none."""
    found = choose(machine)
    assert (found.engine, found.load) == (engine, load)


def test_a_setting_goes_before_the_choice() -> None:
    """Whoever administers the machine knows better; the load alone does not fix the engine."""
    small, large = Machine(1, GIB, True), Machine(8, 16 * GIB, True)
    assert choose(small, "mediapipe", "auto") == Fit("mediapipe", "low", "1 core, 1.0 GiB, engine is set")
    assert choose(small, "auto", "normal").load == "normal"
    assert choose(large, "auto", "low").engine == "dnn"
    assert choose(large, "dnn").load == "normal"


def test_low_load_looks_every_two_to_three_seconds_and_is_named_in_the_log() -> None:
    """Presence is looked for less often; what a session's first event says of the client names it."""
    low, normal = choose(Machine(1, GIB, False)), choose(Machine(4, 8 * GIB, True))
    assert 2_000 <= low.presence_ms <= 3_000
    assert normal.presence_ms == 1_000
    assert describe("file", str(low)).endswith("keys=file eyes=dnn load=low")


def grouped(folder: Path, lines: str, files: dict[str, str]) -> Machine:
    """The machine as control groups of these files leave it."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    own = folder / "own"
    own.write_text(lines)
    return measure(folder, own, lambda name: None)


def test_windows_tells_its_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without sysconf the system is asked in Windows' own way; what no control group limits stands for nothing."""

    class Kernel:
        @staticmethod
        def GlobalMemoryStatusEx(status: Any) -> int:
            assert ctypes.sizeof(status._obj) == status._obj.length == 64
            status._obj.physical = 2 << 30
            return 1

    monkeypatch.delattr("os.sysconf", raising=False)
    own, files = "1:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712\n"}
    assert grouped(tmp_path, own, files).memory is None
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=Kernel), raising=False)
    assert grouped(tmp_path, own, files).memory == 2 << 30


def test_a_quota_of_the_second_version_counts(tmp_path: Path) -> None:
    """Half a core and a gigabyte, the lesser limit standing in the parent's folder."""
    files = {"a/cpu.max": "50000 100000\n", "a/memory.max": f"{GIB}\n", "a/b/cpu.max": "max 100000\n"}
    found = grouped(tmp_path, "0::/a/b\n", files | {"a/b/memory.max": "max\n"})
    assert (found.cores, found.memory, found.mediapipe) == (0.5, GIB, False)


def test_a_quota_of_the_first_version_counts(tmp_path: Path) -> None:
    """Its files have other names and lie in a folder for each kind; −1 is no limit."""
    files = {
        "memory/a/memory.limit_in_bytes": f"{2 * GIB}\n",
        "cpu/a/cpu.cfs_quota_us": "50000\n",
        "cpu/a/cpu.cfs_period_us": "100000\n",
        "cpu/cpu.cfs_quota_us": "-1\n",
        "cpu/cpu.cfs_period_us": "100000\n",
    }
    found = grouped(tmp_path, "4:memory:/a\n1:cpu:/a\n", files)
    assert (found.cores, found.memory) == (0.5, 2 * GIB)


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_any_control_group_leaves_a_machine(tmp_path_factory: pytest.TempPathFactory, own: bytes, quota: bytes) -> None:
    """Whatever those files hold, something is chosen, and no path leads out of the groups' folder."""
    folder = tmp_path_factory.mktemp("groups")
    (folder / "own").write_bytes(own)
    for name in ("cpu.max", "memory.max"):
        (folder / name).write_bytes(quota)
    (folder / "own").write_bytes(b"0::/\n" + own)
    found = measure(folder, folder / "own")
    assert found.cores > 0
    assert choose(found).engine in ("mediapipe", "dnn")


def test_the_doctor_says_which_engine_and_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, and a remedy only where the engine that was set is not here."""
    monkeypatch.setattr(fit, "measure", lambda: Machine(1, 2 * GIB, False))
    said = computer.machine(config.build({"data": tmp_path}))
    assert said.says("en") == "engine dnn, load low (1 core, 2.0 GiB, no MediaPipe here)"
    assert not said.remedy("en")
    assert computer.machine(config.build({"data": tmp_path, "engine": "mediapipe"})).remedy("en")


def test_an_engine_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    """By name, before anything starts."""
    with pytest.raises(ConfigError, match="engine"):
        config.build({"data": tmp_path, "engine": "tflite"})
