"""Android: a scripted Java behind the adapter, scripted phones behind the port, and lists of any content."""

from __future__ import annotations

import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors import Context, android, platform
from agent.collectors.android.jni import JavaDevice
from agent.collectors.android.ourselves import Ourselves
from agent.collectors.android.port import Build, Moment
from agent.collectors.android.settings import abstract_sockets, services, switched_on
from agent.collectors.android.sources import Cameras, Clocks, Displays, Phone
from agent.engine import Engine, gravest
from agent.errors import CollectorError
from agent.tables import AndroidRow, CameraRow, ClockRow, DisplayRow, SelfRow

TALKBACK = "com.google.android.marvin.talkback/.TalkBackService"
AUTOJS = "org.autojs.autoxjs.v6/com.stardust.autojs.core.accessibility.AccessibilityService"


# --- a scripted Java --------------------------------------------------------------------------------------------------


class Listed:
    """A java.util.List."""

    def __init__(self, *entries: Any) -> None:
        self._entries = entries

    def size(self) -> int:
        return len(self._entries)

    def get(self, index: int) -> Any:
        return self._entries[index]


class Lens:
    """A java.lang.Integer."""

    def __init__(self, value: int) -> None:
        self._value = value

    def intValue(self) -> int:
        return self._value


def java(**changed: Any) -> JavaDevice:
    """The classes that the adapter asks for, as pyjnius shows them; `changed` replaces a class by name."""
    services_ = {
        "sensor": types.SimpleNamespace(getSensorList=lambda kind: Listed(*range(24))),
        "display": types.SimpleNamespace(
            getDisplays=lambda: [types.SimpleNamespace(getName=lambda: "Built-in Screen")]
        ),
        "camera": types.SimpleNamespace(
            getCameraIdList=lambda: ["0", "1", "2"],
            getCameraCharacteristics=lambda number: {"facing": Lens(int(number))},
        ),
    }
    packages = Listed(types.SimpleNamespace(packageName="com.tencent.mm"))
    activity = types.SimpleNamespace(
        getContentResolver=lambda: "resolver", getSystemService=services_.__getitem__,
        getPackageManager=lambda: types.SimpleNamespace(getInstalledPackages=lambda flags: packages),
    )  # fmt: skip
    secure, switches = {"enabled_accessibility_services": TALKBACK}, {"adb_enabled": "0"}
    known: dict[str, Any] = {
        "org.kivy.android.PythonActivity": types.SimpleNamespace(mActivity=activity),
        "android.provider.Settings$Secure": types.SimpleNamespace(getString=lambda _, name: secure.get(name)),
        "android.provider.Settings$Global": types.SimpleNamespace(getString=lambda _, name: switches.get(name)),
        "android.os.Build": types.SimpleNamespace(
            HARDWARE="qcom", PRODUCT="venus", MODEL="M2011K2C", FINGERPRINT="Xiaomi/venus", MANUFACTURER="Xiaomi",
            BOARD="x",
        ),
        "android.hardware.camera2.CameraCharacteristics": types.SimpleNamespace(LENS_FACING="facing"),
        "android.os.SystemClock": types.SimpleNamespace(uptimeMillis=lambda: 5, elapsedRealtime=lambda: 9),
        "java.lang.System": types.SimpleNamespace(currentTimeMillis=lambda: 1_795_000_000_000),
        "android.os.Debug": types.SimpleNamespace(isDebuggerConnected=lambda: False),
    }  # fmt: skip
    known.update(changed)
    return JavaDevice(known.__getitem__)


def test_an_honest_phone_by_way_of_java(tmp_path: Path, engine: Engine) -> None:
    """Everything that the port promises, asked of the classes of Android; a screen reader is no finding."""
    device = java()
    (row,) = Phone(device, tmp_path / "none").collect(0)
    assert row == AndroidRow(
        packages=("com.tencent.mm",), services=(TALKBACK,), adb=False, hardware="qcom", product="venus",
        model="M2011K2C", fingerprint="Xiaomi/venus", sensors=24,
    )  # fmt: skip
    assert gravest(engine.judge([row])) == "none"
    assert Displays(device).collect(0) == [DisplayRow(devices=("Built-in Screen",))]
    assert Cameras(device, Context(camera="1")).collect(0) == [
        CameraRow("0", "front", "camera 0", False),
        CameraRow("1", "back", "camera 1", True),
        CameraRow("2", "external", "camera 2", False),
    ]
    assert device.clocks() == Moment(1_795_000_000_000, 5, 9)


def test_whatever_java_throws_is_unknown(tmp_path: Path) -> None:
    """A class that is not there, a call that throws: that field is unknown, the others stand; without an image none."""

    def throws(*_: Any) -> Any:
        raise RuntimeError("JVM exception occurred")

    secure = types.SimpleNamespace(getString=throws)
    (row,) = Phone(java(**{"android.provider.Settings$Secure": secure}), tmp_path).collect(0)
    assert isinstance(row, AndroidRow)
    assert (row.services, row.adb) == ((), False)
    with pytest.raises(CollectorError):
        Phone(java(**{"android.os.Build": types.SimpleNamespace()}), tmp_path).collect(0)
    none = types.SimpleNamespace(mActivity=None)
    with pytest.raises(CollectorError):
        java(**{"org.kivy.android.PythonActivity": none}).displays()


def test_a_service_of_its_own_asks_as_the_activity_does() -> None:
    """python-for-android runs Python without an activity, too."""
    activity = java()._find("org.kivy.android.PythonActivity").mActivity
    device = java(**{
        "org.kivy.android.PythonActivity": types.SimpleNamespace(mActivity=None),
        "org.kivy.android.PythonService": types.SimpleNamespace(mService=activity),
    })  # fmt: skip
    assert device.sensors() == 24


def test_without_java_there_is_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """On any other system the adapter says unknown; with pyjnius it takes its classes."""
    monkeypatch.setitem(sys.modules, "jnius", None)
    with pytest.raises(CollectorError):
        JavaDevice()
    monkeypatch.setitem(sys.modules, "jnius", types.SimpleNamespace(autoclass=lambda name: types.SimpleNamespace()))
    with pytest.raises(CollectorError):
        JavaDevice().clocks()


# --- scripted phones --------------------------------------------------------------------------------------------------


class ScriptedPhone:
    """One phone behind the port."""

    def __init__(self, build: Build = Build("qcom", "venus", "M2011K2C"), sensors: int = 24, **told: Any) -> None:  # noqa: B008
        self._build, self._sensors, self._told = build, sensors, told

    def packages(self) -> Sequence[str]:
        return self._told.get("packages", [])

    def secure(self, name: str) -> str | None:
        return self._told.get(name)

    def setting(self, name: str) -> str | None:
        return self._told.get(name)

    def build(self) -> Build:
        return self._build

    def sensors(self) -> int:
        return self._sensors

    def displays(self) -> Sequence[str]:
        return self._told.get("displays", ["Built-in Screen"])

    def cameras(self) -> Sequence[tuple[str, str]]:
        return [("0", "back"), ("1", "front")]

    def clocks(self) -> Moment:
        return next(self._told["moments"])

    def debugged(self) -> bool:
        return bool(self._told.get("debugged"))


@pytest.mark.parametrize(
    ("phone", "action"),
    [
        (ScriptedPhone(), "none"),
        (ScriptedPhone(enabled_accessibility_services=TALKBACK), "none"),
        (
            ScriptedPhone(enabled_accessibility_services=f"{TALKBACK}:{AUTOJS}", packages=["org.autojs.autoxjs.v6"]),
            "pause",
        ),
        (ScriptedPhone(adb_enabled="1"), "inform"),
        (ScriptedPhone(Build("ranchu", "sdk_gphone64_x86_64"), 3), "report"),
    ],
)
def test_what_a_phone_is_and_what_runs_on_it(phone: ScriptedPhone, action: str, engine: Engine, tmp_path: Path) -> None:
    """Script players pause, an emulator is two signs, a developer's cable informs, accessibility is nothing."""
    rows = Phone(phone, tmp_path / "none").collect(0)
    assert gravest(engine.judge(rows)) == action


def test_a_mirrored_phone(engine: Engine, tmp_path: Path) -> None:
    """Where Android still shows its sockets, a mirror's is among them."""
    table = tmp_path / "unix"
    table.write_bytes(
        b"Num       RefCount Protocol Flags    Type St Inode Path\n"
        b"0000000000000000: 00000002 00000000 00010000 0001 01 31337 @scrcpy_2c41\n"
        b"0000000000000000: 00000003 00000000 00000000 0001 03 31338 /dev/socket/logdw\n"
    )
    (row,) = Phone(ScriptedPhone(adb_enabled="1"), table).collect(0)
    assert isinstance(row, AndroidRow)
    assert row.sockets == ("@scrcpy_2c41",)
    assert gravest(engine.judge([row])) == "report"


def test_clocks_that_were_set() -> None:
    """An hour asleep is none; an hour that no clock explains is a jump."""
    for boot, jump in ((3_602_000, 0), (2_000, 3_600_000)):
        clocks = Clocks(ScriptedPhone(moments=iter([Moment(0, 0, 0), Moment(3_602_000, 2_000, boot)])))
        assert clocks.collect(0) == []
        (row,) = clocks.collect(0)
        assert isinstance(row, ClockRow)
        assert row.jump_ms == jump


def test_ourselves_by_java_and_by_the_kernel(tmp_path: Path, engine: Engine) -> None:
    """A debugger of Java, a tracer, an agent of frida in our maps; where neither tells: unknown."""
    import os

    folder = tmp_path / str(os.getpid())
    folder.mkdir()
    (folder / "status").write_bytes(b"Name:\tapp\nTracerPid:\t0\n")
    (folder / "maps").write_bytes(b"7f00-7f10 r-xp 00000000 00:01 77 /memfd:frida-agent-64.so (deleted)\n")
    (row,) = Ourselves(ScriptedPhone(), tmp_path).collect(0)
    assert gravest(engine.judge([row])) == "block"
    (folder / "maps").write_bytes(b"")
    assert Ourselves(ScriptedPhone(), tmp_path).collect(0) == [SelfRow(subject="client")]
    (row,) = Ourselves(ScriptedPhone(debugged=True), tmp_path).collect(0)
    assert gravest(engine.judge([row])) == "block"
    (folder / "status").write_bytes(b"TracerPid:\t4242\n")
    (row,) = Ourselves(java(**{"android.os.Debug": None}), tmp_path).collect(0)
    assert isinstance(row, SelfRow)
    assert row.tracer_pid == 4242
    with pytest.raises(CollectorError):
        Ourselves(java(**{"android.os.Debug": None}), tmp_path / "none").collect(0)


def test_android_is_known_by_its_own_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """It calls itself linux; only Python on Android has this function."""
    monkeypatch.setattr(sys, "getandroidapilevel", lambda: 34, raising=False)
    assert platform() == "android"
    names = {source.name for source in android.collectors(Context(), ScriptedPhone())}
    assert {"androids", "ourselves", "clocks", "displays", "cameras", "installed"} == names


# --- lists of any content ---------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.from_regex(r"[a-z]{1,9}(\.[a-z]{1,9}){0,3}/\.?[A-Za-z$]{1,12}", fullmatch=True), max_size=5, unique=True
    )
)
def test_services_come_back(listed: list[str]) -> None:
    """As Settings.Secure keeps them."""
    assert services(":".join(listed)) == tuple(listed)


@given(st.text(max_size=100) | st.none())
def test_any_setting_is_read(value: str | None) -> None:
    """Fuzz: lists and switches."""
    assert all("/" in entry for entry in services(value))
    assert switched_on(value) in (True, False, None)


@given(st.binary(max_size=300))
def test_any_socket_table_is_read(data: bytes) -> None:
    """Fuzz, bare and behind a head."""
    assert all(name.startswith("@") for name in (*abstract_sockets(data), *abstract_sockets(b"Num\n" + data)))
