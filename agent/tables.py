"""The tables: what every operating system's collectors promise to deliver, one frozen row type a table.

A field that a platform cannot tell is empty ("" or ()) or None: unknown, never a guess. Text is foreign and unbounded;
`agent/text.py` makes it safe before it leaves. `identity` names the fields that always stand in a finding's evidence.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import ClassVar, Final

Texts = tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class ProcessRow:
    """A running program. `cmdline` is its arguments joined by blanks.

    `original_name`: the PE resource on Windows; on Linux the name of the packaged program that an unpackaged one is a
    copy of. `signer`: Authenticode or code signature; on Linux whose package it is (`deb:xdotool`, `snap:chromium`).
    """

    name: str = ""
    exe: str = ""
    cmdline: str = ""
    pid: int = 0
    parent: str = ""  # name of the process that started it
    parents: Texts = ()  # names of all that came before, the nearest first
    started_ms: int | None = None  # when it began, on the clock that counts from the machine's start
    original_name: str = ""
    product: str = ""
    signer: str = ""
    listen: Texts = ()  # "127.0.0.1:9515"
    births: int = 1  # processes of this name that began within the last minute
    table: ClassVar[str] = "processes"
    identity: ClassVar[Texts] = ("name", "pid")


@dataclasses.dataclass(frozen=True, slots=True)
class ExtensionRow:
    """One extension of one browser profile."""

    id: str = ""
    name: str = ""
    browser: str = ""
    permissions: Texts = ()
    hosts: Texts = ()  # host permissions
    install: str = ""  # webstore | component… | --load-extension=<path> | unpacked
    enabled: bool = True
    folder: str = ""  # where its files lie, if they are not packed
    table: ClassVar[str] = "extensions"
    identity: ClassVar[Texts] = ("name", "id", "browser")


@dataclasses.dataclass(frozen=True, slots=True)
class ScriptRow:
    """A userscript: where it runs, what its text does (`marks`: ids of texts) and the words that say so (`tokens`)."""

    name: str = ""
    namespace: str = ""
    hosts: Texts = ()  # @match and @include
    everywhere: bool = False  # some pattern covers every site
    connects: Texts = ()  # @connect
    grants: Texts = ()
    tokens: Texts = ()
    marks: Texts = ()
    sha256: str = ""
    browser: str = ""
    enabled: bool | None = None  # the manager runs it
    table: ClassVar[str] = "scripts"
    identity: ClassVar[Texts] = ("name", "browser")


@dataclasses.dataclass(frozen=True, slots=True)
class SocketRow:
    """A TCP port that a program of this user listens on; `protocol` only where a file beside the program says it."""

    program: str = ""
    pid: int = 0
    address: str = ""
    port: int = 0
    protocol: str = ""  # devtools | marionette | bidi
    table: ClassVar[str] = "sockets"
    identity: ClassVar[Texts] = ("program", "pid", "port")


@dataclasses.dataclass(frozen=True, slots=True)
class InputRow:
    """Input that no hand made: events of a synthetic source, their rhythm, and who may rightly send such."""

    sources: Texts = ()  # device names, or the hook that saw the flag
    injected: int = 0  # events of synthetic sources
    acts: int = 0  # events nearer than a moment to each other are one act
    period_ms: int = 0  # median time between acts
    jitter: int = 1000  # per mille of the period: nine of ten intervals deviate from it by no more
    regular: bool = False
    ongoing: bool = True  # the last act is not long ago, measured by the period
    in_client: bool | None = None  # our window had the foreground
    helper: str = "none"  # "assistive" | "vendor": a known tool that sends keys for a person is running
    table: ClassVar[str] = "inputs"
    identity: ClassVar[Texts] = ("sources", "acts", "period_ms", "jitter")


@dataclasses.dataclass(frozen=True, slots=True)
class DisplayRow:
    """The screen and input devices of the desktop that we run in."""

    x_extensions: Texts = ()
    devices: Texts = ()
    local_devices: int | None = None  # devices that are neither core-virtual nor a remote server's
    remote: bool | None = None  # the OS says that this is a remote session
    controlled: bool | None = None  # the OS says that somebody shadows this session
    session_name: str = ""
    table: ClassVar[str] = "displays"
    identity: ClassVar[Texts] = ("session_name",)


@dataclasses.dataclass(frozen=True, slots=True)
class WindowRow:
    """A top-level window that can be seen. No title is read: titles hold other people's words."""

    program: str = ""
    pid: int = 0
    kind: str = ""  # the window's class
    foreground: bool = False
    topmost: bool | None = None  # it asked to lie above all others
    unrecorded: bool | None = None  # it asked to be left out of screen pictures
    taken: int = 0  # times within the last minute that it took the foreground from the client and no hand had asked
    table: ClassVar[str] = "windows"
    identity: ClassVar[Texts] = ("program", "pid")


@dataclasses.dataclass(frozen=True, slots=True)
class HostRow:
    """What the machine says it is."""

    manufacturer: str = ""
    model: str = ""
    bios: str = ""
    board: str = ""
    pnp: Texts = ()
    macs: Texts = ()
    guest_flag: bool | None = None  # a kernel's own word that it is a guest; a mere hypervisor bit is not (VBS, WSL)
    table: ClassVar[str] = "hosts"
    identity: ClassVar[Texts] = ("manufacturer", "model")


@dataclasses.dataclass(frozen=True, slots=True)
class CameraRow:
    """One camera; `selected` is the one that the client uses."""

    name: str = ""
    driver: str = ""
    path: str = ""
    selected: bool = False
    table: ClassVar[str] = "cameras"
    identity: ClassVar[Texts] = ("name", "driver", "selected")


@dataclasses.dataclass(frozen=True, slots=True)
class SelfRow:
    """Ourselves: who traces our processes, what is mapped into them, and which of our files are not as released."""

    subject: str = "agent"  # agent | client | files
    tracer_pid: int = 0
    tracer: str = ""
    debugger: bool = False  # the OS says that a debugger is attached
    maps: Texts = ()  # files mapped, or modules loaded
    rwx_anon: int = 0
    helpers: Texts = ()  # executables of processes that belong to an instrumentation
    changed: Texts = ()  # installed files that differ from the signed manifest
    table: ClassVar[str] = "ourselves"
    identity: ClassVar[Texts] = ("subject", "tracer_pid", "tracer")


@dataclasses.dataclass(frozen=True, slots=True)
class ClockRow:
    """One window of the clocks against each other, in ms."""

    wall_ms: int = 0  # how far each clock advanced
    mono_ms: int = 0
    boot_ms: int | None = None  # a clock that counts suspend
    uptime_ms: int | None = None  # read where a preloaded library cannot lie (/proc/uptime)
    jump_ms: int = 0  # |wall advance that no other clock explains|
    offset_ms: int = 0  # |our wall clock minus the kernel's own: its boot time plus its uptime|
    bent: bool = False  # the clocks that a library can fake disagree with the kernel's own
    synchronised: bool | None = None  # time service is at work
    table: ClassVar[str] = "clocks"
    identity: ClassVar[Texts] = ("wall_ms", "mono_ms", "uptime_ms", "jump_ms")


@dataclasses.dataclass(frozen=True, slots=True)
class NetworkRow:
    """Our own TLS connection: who signed the certificate that we were shown, and through whom it went."""

    issuer: str = ""
    pinned: bool | None = None  # the certificate is the product's own
    proxy: str = ""
    listener: str = ""  # program behind a local proxy, with its arguments
    roots: Texts = ()  # subjects of the certificates that an administrator added to the system's trust
    table: ClassVar[str] = "networks"
    identity: ClassVar[Texts] = ("issuer", "proxy", "listener")


@dataclasses.dataclass(frozen=True, slots=True)
class FileRow:
    """A file that lies beside a running interpreter or was named on its command line."""

    path: str = ""
    sha256: str = ""
    table: ClassVar[str] = "files"
    identity: ClassVar[Texts] = ("path",)


@dataclasses.dataclass(frozen=True, slots=True)
class AndroidRow:
    """A phone or tablet as its own API tells."""

    packages: Texts = ()
    services: Texts = ()  # enabled accessibility services
    processes: Texts = ()
    sockets: Texts = ()
    adb: bool | None = None
    hardware: str = ""
    product: str = ""
    model: str = ""
    fingerprint: str = ""
    sensors: int | None = None
    table: ClassVar[str] = "androids"
    identity: ClassVar[Texts] = ("hardware", "product")


Row = (
    ProcessRow | ExtensionRow | ScriptRow | SocketRow | WindowRow | InputRow | DisplayRow | HostRow | CameraRow
    | SelfRow | ClockRow | NetworkRow | FileRow | AndroidRow
)  # fmt: skip

TABLES: Final[Mapping[str, type[Row]]] = {
    row.table: row
    for row in (
        ProcessRow, ExtensionRow, ScriptRow, SocketRow, WindowRow, InputRow, DisplayRow, HostRow, CameraRow, SelfRow,
        ClockRow, NetworkRow, FileRow, AndroidRow,
    )
}  # fmt: skip


def kind_of(row_type: type[Row], field: str) -> str | None:
    """Return "text", "number" or "flag" for a field of a table, or None where there is no such field."""
    for entry in dataclasses.fields(row_type):
        if entry.name == field:
            declared = str(entry.type)
            if declared.startswith("bool"):
                return "flag"
            return "number" if declared.startswith("int") else "text"
    return None
