"""Samples: the collectors' output of any platform, as JSON, turned into rows (docs/rules.md, "Samples").

Every line is foreign: what does not fit raises `SampleError`, what is unknown is ignored.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from agent import userscript
from agent.clocks import clock_row
from agent.devices import local_devices, synthetic
from agent.errors import SampleError
from agent.rhythm import rhythm
from agent.tables import (
    AndroidRow,
    CameraRow,
    ClockRow,
    DisplayRow,
    ExtensionRow,
    FileRow,
    HostRow,
    InputRow,
    NetworkRow,
    ProcessRow,
    Row,
    ScriptRow,
    SelfRow,
    SocketRow,
    WindowRow,
)
from agent.text import program

Data = Mapping[str, Any]
MAX_LINE: Final = 4 * 1024 * 1024
MAX_ITEMS: Final = 20_000  # rows or list entries of one sample
PLATFORMS: Final = {"windows": "windows", "linux": "linux", "macos": "darwin", "darwin": "darwin", "android": "android"}
WARP: Final = "pointer warp"  # the source of moves that no device made
BLIND: Final = {
    "server_log": "only the server sees requests that were made without this machine",
    "page_probe": "the lesson is not a web page: no page of ours can be probed",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    """One line: which platform, which collector's output, and the rows; `note` says why there are none."""

    id: str
    platform: str
    rows: tuple[Row, ...]
    senders: tuple[ProcessRow, ...] = ()  # programs that ran beside an input sample
    note: str = ""
    source: str = ""  # a script's text, for `agent/texts.py`


def parse_sample(line: bytes) -> Sample:
    """Read one line of a sample file, or raise `SampleError`."""
    if len(line) > MAX_LINE:
        raise SampleError(f"a line of {len(line)} bytes, more than {MAX_LINE}")
    try:
        raw = json.loads(line.decode())
    except (ValueError, RecursionError) as error:
        raise SampleError(f"not JSON: {str(error)[:100]}") from error
    if not isinstance(raw, dict) or not isinstance(raw.get("kind"), str):
        raise SampleError("a sample is an object with a `kind`")
    try:
        return _sample(raw)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise SampleError(f"a sample of kind {raw['kind'][:40]} is malformed: {str(error)[:100]}") from error


def _sample(raw: Data) -> Sample:
    name, kind, data = _text(raw, "id"), raw["kind"], raw.get("data")
    platform = PLATFORMS.get(_text(raw, "os").casefold(), "any")
    if kind in BLIND:
        return Sample(name, platform, (), note=f"{kind}: {BLIND[kind]}")
    if kind not in READERS:
        return Sample(name, platform, (), note=f"{kind[:40]}: no collector delivers this")
    rows = READERS[kind](data)
    beside = _texts(_mapping(data), "processes") if kind == "input_events" else ()
    source = _source(_mapping(data)) if kind == "userscript" else ""
    return Sample(name, platform, rows, tuple(ProcessRow(name=text) for text in beside), source=source)


# --- one reader a kind ------------------------------------------------------------------------------------------------


def _processes(data: Any) -> tuple[Row, ...]:
    items = [_mapping(item) for item in _list(data)]
    names = {item["pid"]: _text(item, "name") for item in items if isinstance(item.get("pid"), int)}
    return tuple(
        ProcessRow(
            name=_text(item, "name"), exe=_text(item, "exe"), cmdline=" ".join(_texts(item, "cmdline")),
            pid=_int(item, "pid"), parent=names.get(item.get("ppid"), ""),
            original_name=_text(item, "original_name"), product=_text(item, "product"), signer=_text(item, "signer"),
            listen=tuple(":".join(map(str, pair)) for pair in _list(item.get("listen", [])) if isinstance(pair, list)),
            births=max(1, _int(item, "births")),
        )
        for item in items
    )  # fmt: skip


def _extensions(data: Any) -> tuple[Row, ...]:
    top = _mapping(data)
    return tuple(
        ExtensionRow(
            id=_text(item, "id"), name=_text(item, "name"), browser=_text(top, "browser"),
            permissions=_texts(item, "permissions"), hosts=_texts(item, "host_permissions"),
            install=_text(item, "install"), enabled=item.get("enabled") is not False,
        )
        for item in map(_mapping, _list(top.get("extensions", [])))
    )  # fmt: skip


def _script(data: Any) -> tuple[Row, ...]:
    top = _mapping(data)
    header = _mapping(top.get("header") or userscript.header(_source(top)))
    hosts = _texts(header, "match") + _texts(header, "include")
    tokens = _texts(top, "tokens")
    connects = _texts(header, "connect") + tuple(token[8:] for token in tokens if token.startswith("connect "))
    return (
        ScriptRow(
            name=_first(header, "name"), namespace=_first(header, "namespace"), hosts=hosts,
            everywhere=userscript.everywhere(hosts), connects=connects, grants=_texts(header, "grant"),
            tokens=tokens + _texts(header, "require"), sha256=_text(top, "sha256"), enabled=_flag(top, "enabled"),
        ),
    )  # fmt: skip


def _source(data: Data) -> str:
    """A script's text, if a sample carries one."""
    return next((found for key in ("content", "source", "text", "code") if (found := _text(data, key))), "")


def _first(header: Data, key: str) -> str:
    return next(iter(_texts(header, key)), "")


def _inputs(data: Any) -> tuple[Row, ...]:
    top = _mapping(data)
    times: list[tuple[int, bool, bool]] = []  # moment, injected, a click
    for event in _list(top.get("events", [])):
        at, what, source = (*_list(event), "", "")[:3]
        times.append((_ms(at), synthetic(str(source)) or source == WARP, "Button" in str(what)))
    gaps, flags = _list(top.get("interval_s", [])), _texts(top, "flags")
    moment = 0
    for index in range(max(len(flags), len(gaps) + 1) if gaps or flags else 0):
        injected = "INJECTED" in flags[index].upper() if index < len(flags) else False
        times.append((moment, injected, "MOUSE" in _text(top, "hook").upper()))
        moment += _ms(gaps[index]) if index < len(gaps) else 0
    made = [entry for entry in times if entry[1]]
    if not made:
        return (InputRow(sources=_texts(top, "source_devices"), in_client=_in_client(top)),)
    beat = rhythm([at for at, _, _ in made], [at for at, _, click in made if click])
    named = tuple(name for name in _texts(top, "source_devices") if synthetic(name) or name == WARP)
    return (
        InputRow(
            sources=named or (_text(top, "hook"),), injected=len(made), acts=beat.acts, period_ms=beat.period_ms,
            jitter=beat.jitter, regular=beat.regular, in_client=_in_client(top),
        ),
    )  # fmt: skip


def _sockets(data: Any) -> tuple[Row, ...]:
    return tuple(
        SocketRow(
            program=_text(item, "name"), pid=_int(item, "pid"), address=_text(item, "address"),
            port=_int(item, "port"), protocol=_text(item, "protocol"),
        )
        for item in map(_mapping, _list(data))
    )  # fmt: skip


def _windows(data: Any) -> tuple[Row, ...]:
    return tuple(
        WindowRow(
            program=_text(item, "name"), pid=_int(item, "pid"), kind=_text(item, "class"),
            foreground=bool(_flag(item, "foreground")), topmost=_flag(item, "topmost"),
            unrecorded=_flag(item, "unrecorded"), taken=_int(item, "taken"),
        )
        for item in map(_mapping, _list(data))
    )  # fmt: skip


def _display(data: Any) -> tuple[Row, ...]:
    top = _mapping(data)
    devices = _texts(top, "input_devices")
    return (
        DisplayRow(
            x_extensions=_texts(top, "x_extensions"), devices=devices, local_devices=local_devices(devices),
            remote=_flag(top, "SM_REMOTESESSION", "remote_session"),
            controlled=_flag(top, "SM_REMOTECONTROL", "remote_control"), session_name=_text(top, "session_name"),
        ),
    )  # fmt: skip


def _host(data: Any) -> tuple[Row, ...]:
    top = _mapping(data)
    return (
        HostRow(
            manufacturer=_text(top, "manufacturer"), model=_text(top, "model") or _text(top, "hw_model"),
            bios=_text(top, "bios"), board=_text(top, "board"), pnp=_texts(top, "pnp"),
            macs=_texts(top, "mac") + _texts(top, "macs"), guest_flag=_flag(top, "kern_hv_vmm_present", "guest"),
        ),
    )  # fmt: skip


def _devices(data: Any) -> tuple[Row, ...]:
    top = _mapping(data)
    chosen = top.get("selected")
    return tuple(
        CameraRow(
            name=_text(item, "name"), driver=_text(item, "driver"), path=_text(item, "path"),
            selected=chosen is not None and chosen in (_text(item, "name"), _text(item, "path"), number),
        )
        for number, item in enumerate(map(_mapping, _list(top.get("cameras", []))))
    )  # fmt: skip


def _self(data: Any) -> tuple[Row, ...]:
    top = _mapping(data)
    tracer = _mapping(top.get("tracer") or {})
    helpers = tuple(
        " ".join(filter(None, (_text(item, "exe"), _text(item, "args"))))
        for item in map(_mapping, _list(top.get("helpers", [])))
    )
    return (
        SelfRow(
            subject="client", tracer_pid=_int(top, "tracer_pid"), tracer=program(_text(tracer, "name")),
            debugger=bool(_flag(top, "IsDebuggerPresent") or _flag(top, "CheckRemoteDebuggerPresent", "P_TRACED")),
            maps=_texts(top, "maps") + _texts(top, "modules"), rwx_anon=_int(top, "rwx_anon"), helpers=helpers,
            changed=_texts(top, "changed"),
        ),
    )  # fmt: skip


def _clock(data: Any) -> tuple[Row, ...]:
    top = _mapping(data)

    def span(*names: str) -> int | None:
        return next((_ms(top[name]) for name in names if top.get(name) is not None), None)

    synchronised = _flag(top, "ntp_sync", "synchronised")
    mono = span("monotonic_delta_s", "window_s_mono", "mono_delta_s") or 0
    jump = span("wall_jump_s")
    if jump is not None:
        return (ClockRow(wall_ms=mono + jump, mono_ms=mono, jump_ms=abs(jump), synchronised=synchronised),)
    boot, uptime = span("boottime_delta_s", "window_s_boot"), span("window_s_proc_uptime", "uptime_delta_s")
    wall = span("wall_delta_s", "window_s_wall")
    now, started, up = span("realtime_s", "realtime"), span("btime_s", "btime"), span("uptime_s", "uptime")
    offset = 0 if now is None or started is None or up is None else now - started - up
    known = next((value for value in (wall, uptime, boot) if value is not None), mono)
    return (clock_row(known, mono, boot, uptime, synchronised, offset),)


def _network(data: Any) -> tuple[Row, ...]:
    top = _mapping(data)
    issuer, listener = _text(top, "peer_cert_issuer"), _mapping(top.get("listener") or {})
    said = _flag(top, "pin_ok", "pinned")
    return (
        NetworkRow(
            issuer=issuer, pinned=said if said is not None else "pinned" in issuer.casefold() or None,
            proxy=_text(top, "proxy"), roots=_texts(top, "roots"),
            listener=" ".join((_text(listener, "name"), *_texts(listener, "cmdline"))).strip(),
        ),
    )  # fmt: skip


def _file(data: Any) -> tuple[Row, ...]:
    top = _mapping(data)
    return (FileRow(path=_text(top, "path"), sha256=_text(top, "sha256").casefold()),)


def _android(data: Any) -> tuple[Row, ...]:
    top = _mapping(data)
    sensors = top.get("sensors")
    return (
        AndroidRow(
            packages=_texts(top, "packages"), services=_texts(top, "accessibility"),
            processes=_texts(top, "processes"), sockets=_texts(top, "sockets"), adb=_flag(top, "adb_enabled"),
            hardware=_text(top, "build_hardware"), product=_text(top, "build_product"),
            model=_text(top, "build_model"), fingerprint=_text(top, "build_fingerprint"),
            sensors=len(sensors) if isinstance(sensors, list) else sensors if type(sensors) is int else None,
        ),
    )  # fmt: skip


READERS: Final[Mapping[str, Callable[[Any], tuple[Row, ...]]]] = {
    "process_table": _processes, "extensions": _extensions, "userscript": _script, "input_events": _inputs,
    "display": _display, "host": _host, "devices": _devices, "self_state": _self, "clock": _clock,
    "network": _network, "file": _file, "android": _android, "sockets": _sockets, "windows": _windows,
}  # fmt: skip


# --- small readers: foreign values in, plain values or an error out ---------------------------------------------------


def _mapping(value: Any) -> Data:
    if not isinstance(value, Mapping):
        raise TypeError("expected an object")
    return value


def _list(value: Any) -> Sequence[Any]:
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        raise TypeError(f"expected a list of at most {MAX_ITEMS} entries")
    return value


def _text(data: Data, key: str) -> str:
    value = data.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(f"{key} is no text")
    return value


def _texts(data: Data, key: str) -> tuple[str, ...]:
    value = data.get(key)
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    items = list(value) if isinstance(value, tuple) else value  # a header that was read here
    return tuple(str(item.get("name", "")) if isinstance(item, Mapping) else str(item) for item in _list(items))


def _int(data: Data, key: str) -> int:
    value = data.get(key)
    if value is None:
        return 0
    if not isinstance(value, int):
        raise TypeError(f"{key} is no whole number")
    return int(value)


def _ms(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError("a time in seconds is a number")
    return round(value * 1000)


def _flag(data: Data, *keys: str) -> bool | None:
    value = next((data[key] for key in keys if data.get(key) is not None), None)
    if value is not None and not isinstance(value, bool | int):
        raise TypeError(f"{keys[0]} is no flag")
    return None if value is None else bool(value)


def _in_client(data: Data) -> bool | None:
    said = _text(data, "foreground")
    return None if not said else said == "client"
