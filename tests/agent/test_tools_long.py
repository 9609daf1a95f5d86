"""More real tools, and honest programs beside them, started and stopped by pid: `make tools`, then `make test-tools`.

Each attack tool is seen; of honest programs none is ever more than a hint, and aids for people are not even that. What
is not installed is left out, by name. Xephyr inside Xvfb stands in for a real keyboard and mouse: what comes from the
outer server has passed a device, what is injected inside has not.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from agent.collectors import Context
from agent.collectors.extensions import Extensions
from agent.collectors.linux.networks import Networks
from agent.collectors.linux.ourselves import Ourselves
from agent.collectors.linux.processes import Processes
from agent.collectors.linux.sockets import Sockets
from agent.collectors.linux.windows import Windows
from agent.collectors.linux.x11 import Display, Inputs, XServer
from agent.collectors.ports import DebugPorts
from agent.collectors.scripts import Scripts
from agent.engine import Engine, Finding
from agent.judge import judge_rows
from agent.manifest import ROOT
from agent.pack import Pack
from agent.rule import LADDER
from agent.tables import ProcessRow, Row
from tests.agent.test_tools import CHROMIUM, Look, free_port, need, running, wait, wait_for_port
from tests.desktop import x_server

TOOLS = ROOT / ".work/tools"
PYTHON = TOOLS / "venv/bin/python"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.environ.get("TRUESEAT_TOOLS"), reason="left out: `make test-tools` runs these"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="left out: Debian's tools"),
]


def ours(module: str) -> str:
    """The tools' own interpreter, if it has `module`."""
    if not list(TOOLS.glob(f"venv/lib/python*/site-packages/{module}")):
        pytest.skip(f"left out: {module} is not there (make tools)")
    return str(PYTHON)


@pytest.fixture
def desktop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An Xvfb with a window manager and a home of its own (by a short name, for sockets), set in the environment."""
    with tempfile.TemporaryDirectory(prefix="ts-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        (home / ".Xauthority").touch()
        with x_server("xdotool", home=home, size="1024x768x24") as display:
            for key, value in {"DISPLAY": display, "HOME": name, "XDG_RUNTIME_DIR": name}.items():
                monkeypatch.setenv(key, value)
            yield home


def until(look: Callable[[], Sequence[Finding]], rule: str) -> Finding:
    """Look until `rule` is found; the bound only ends a broken test."""
    found: Sequence[Finding] = ()
    for _ in range(150):
        found = look()
        for finding in found:
            if finding.rule == rule:
                return finding
        time.sleep(0.2)
    raise AssertionError(f"{rule} never came; found {[finding.rule for finding in found]}")


def inputs(engine: Engine) -> Callable[[], Sequence[Finding]]:
    table = Inputs(XServer(), Context())
    return lambda: engine.judge(table.collect(time.monotonic_ns() // 1_000_000))


# --- tools that act in a person's place -------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["pyautogui.click(100, 100)", "pyautogui.press('a')", "pyautogui.moveRel(3, 3)"])
def test_pyautogui_is_found_by_its_beat(act: str, desktop: Path, engine: Engine) -> None:
    """No process of that name, no driver: clicks, keys and mere moves of the pointer on an even beat."""
    look = inputs(engine)
    look()
    script = f"import pyautogui, time\npyautogui.FAILSAFE = False\nwhile True:\n    {act}\n    time.sleep(0.7)\n"
    (desktop / "notes.py").write_text(script, "utf-8")
    with running(ours("pyautogui"), str(desktop / "notes.py")):
        assert until(look, "input.loop").response == "pause"


def test_playwright_drives_debians_chromium(desktop: Path, engine: Engine) -> None:
    """playwright-core over its pipe: no `--enable-automation`, no port; its profile and its pipe tell."""
    node, chromium = need("node"), need("chromium")
    if not (TOOLS / "node/node_modules/playwright-core").is_dir():
        pytest.skip("left out: playwright-core is not there (make tools)")
    script = (
        "const {chromium} = require('playwright-core');"
        f"chromium.launch({{executablePath: {json.dumps(chromium)}, args: ['--no-sandbox']}})"
        ".then(b => b.newPage()).then(() => setTimeout(() => {}, 600000));"
    )
    with running(node, "-e", script, cwd=TOOLS / "node") as process:
        assert wait(Look(engine, process), "driver.controlled-browser").response == "pause"


def test_mitmproxy_between_us_and_the_server(desktop: Path, engine: Engine) -> None:
    """The proxy that our connections would use, and who listens there; the tool itself is named as well."""
    port = free_port()
    command = [str(PYTHON.with_name("mitmdump")), "-q", "-p", str(port), "--listen-host", "127.0.0.1"]
    if not Path(command[0]).exists():
        pytest.skip("left out: mitmproxy is not there (make tools)")
    with running(*command) as process:
        wait_for_port(port)
        look = Look(engine, process)
        assert wait(look, "tls.proxy-tool").response == "report"
        rows = [row for row in look.rows if row.pid == process.pid]
        table = Networks(lambda: rows, {"HTTPS_PROXY": f"http://user:word@127.0.0.1:{port}"})
        (finding,) = [found for found in engine.judge(table.collect(0)) if found.rule == "tls.intercepted"]
        assert finding.response == "block"
        assert "word" not in json.dumps(dict(finding.evidence))


def test_frida_in_our_own_memory(engine: Engine) -> None:
    """frida attaches and is gone from the process list; its library stays in our maps."""
    client = "import time; time.sleep(600)"
    script = "import frida, sys, time; s = frida.attach(int(sys.argv[1])); print('in', flush=True); time.sleep(600)"
    with running(sys.executable, "-c", client) as target, running(ours("frida"), "-c", script, str(target.pid)):
        table, now = Ourselves(Context(client_pid=target.pid)), iter(range(0, 10**9, 10_000))
        finding = until(lambda: engine.judge(table.collect(next(now))), "self.instrumented")
        assert finding.response == "block"
        assert "frida" in str(finding.evidence["maps"])


def test_a_desktop_that_tigervnc_serves(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Extension and devices of the server, two independent signs: this desktop is somebody else's, too."""
    server, port = need("Xtigervnc"), free_port()
    number = f":{70 + port % 20}"
    with running(server, number, "-rfbport", str(port), "-SecurityTypes", "None", "-localhost"):
        wait_for_port(port)
        monkeypatch.setenv("DISPLAY", number)
        findings = engine.judge(Display(XServer()).collect(0))
        assert {finding.response for finding in findings if finding.rule.startswith("remote.sign")} == {"pause"}


def test_a_browser_that_was_told_to_open_its_port(desktop: Path, engine: Engine) -> None:
    """The port file beside the profile and the program that listens there, together."""
    profile = desktop / "profile"
    command = (need("chromium"), *CHROMIUM[:-1], "--remote-debugging-port=0", f"--user-data-dir={profile}")
    with running(*command) as process:
        table = Processes()
        sockets = Sockets(processes=lambda: table.rows, protocols=DebugPorts(lambda: table.rows, desktop).read)

        def look() -> Sequence[Finding]:
            table.collect(0)
            pids = {process.pid, *(child.pid for child in process.children(recursive=True))}
            return engine.judge(row for row in sockets.collect(0) if row.pid in pids)  # type: ignore[union-attr]

        assert until(look, "driver.debug-protocol").evidence["protocol"] == "devtools"


# --- scripts, as real browsers keep them ------------------------------------------------------------------------------

COURSE = (
    "// ==UserScript==\n// @name 学习助手\n// @match *://*.chaoxing.com/*\n// ==/UserScript==\n"
    "document.querySelector('video').playbackRate = 16;\n" + "// filler\n" * 3_000
)
KEEP = f'{{"scr:1": {{"config": {{"enabled": 1}}}}, "code:1": {json.dumps(COURSE)}}}'


def test_a_script_in_a_real_firefox(desktop: Path, engine: Engine, pack: Pack) -> None:
    """An extension under Violentmonkey's id stores a script; it is read while Firefox runs, and nothing is locked."""
    import zipfile

    firefox, name = need("firefox-esr"), "{aecec67f-0d10-4fa7-b7c7-609a2db280cf}"
    profile = desktop / ".mozilla/firefox/abcd.default-release"
    (profile / "extensions").mkdir(parents=True)
    gecko = {"gecko": {"id": name}}
    manifest = {"manifest_version": 2, "name": "VM", "version": "1", "permissions": ["storage"],
                "background": {"scripts": ["bg.js"]}, "browser_specific_settings": gecko}  # fmt: skip
    with zipfile.ZipFile(profile / f"extensions/{name}.xpi", "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        archive.writestr("bg.js", f"browser.storage.local.set({KEEP})")
    prefs = {"xpinstall.signatures.required": "false", "extensions.autoDisableScopes": "0"}
    lines = [f'user_pref("{key}", {value});\n' for key, value in prefs.items()]
    (profile / "user.js").write_text("".join(lines), "ascii")
    with running(firefox, "--headless", "--no-remote", "-profile", str(profile)):
        table = Scripts(Context(texts=pack.texts), home=desktop, system="linux")
        finding = until(lambda: engine.judge(table.collect(0)), "script.course-player")
        assert (finding.response, finding.evidence["name"]) == ("pause", "学习助手")


def test_a_script_in_a_real_chromium(desktop: Path, engine: Engine, pack: Pack) -> None:
    """A script manager from outside the store keeps a script in its storage: LevelDB, as Chromium writes it."""
    folder, profile = desktop / "manager", desktop / "profile"
    folder.mkdir()
    manifest = {"manifest_version": 3, "name": "M", "version": "1", "permissions": ["storage", "userScripts"],
                "background": {"service_worker": "bg.js"}}  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    (folder / "bg.js").write_text(f"chrome.storage.local.set({KEEP})", "utf-8")
    command = (need("chromium"), *CHROMIUM[:-1], f"--user-data-dir={profile}", f"--load-extension={folder}")
    with running(*command) as process:
        table = Processes()

        def mine() -> Sequence[ProcessRow]:
            return [row for row in table.rows if row.pid == process.pid]

        extensions = Extensions(desktop, "linux", mine)
        scripts = Scripts(Context(texts=pack.texts), lambda: extensions.rows, mine, desktop, "linux")

        def look() -> Sequence[Finding]:
            table.collect(0)
            extensions.collect(0)
            return engine.judge(scripts.collect(0))

        finding = until(look, "script.course-player")
        assert (finding.response, finding.evidence["name"]) == ("pause", "学习助手")


# --- honest people ----------------------------------------------------------------------------------------------------


def test_a_hand_at_a_keyboard_is_never_heard(desktop: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and clicks that pass Xephyr's devices, on the most even beat: no event; the same injected inside: found."""
    outer, number = os.environ["DISPLAY"], f":{90 + os.getpid() % 9}"
    with running(need("Xephyr"), number, "-screen", "640x480"):
        for _ in range(100):
            if Path(f"/tmp/.X11-unix/X{number[1:]}").exists():
                break
            time.sleep(0.1)
        monkeypatch.setenv("DISPLAY", number)
        table = Inputs(XServer(), Context())
        table.collect(time.monotonic_ns() // 1_000_000)
        for _ in range(13):
            words = ["mousemove", "200", "200", "click", "1", "key", "a"]
            subprocess.run(["xdotool", *words], env={**os.environ, "DISPLAY": outer}, check=True)
            time.sleep(0.3)
        assert table.collect(time.monotonic_ns() // 1_000_000) == []
        subprocess.run(["xdotool", *["key", "a", "sleep", "0.4"] * 13], check=True)
        rows = table.collect(time.monotonic_ns() // 1_000_000)
        assert "input.loop" in {finding.rule for finding in engine.judge(rows)}


HONEST = {
    "LibreOffice": ("soffice", "--norestore", "--writer"),
    "Chromium with uBlock": ("chromium", "--no-sandbox", "--disable-gpu", "--no-first-run", "about:blank"),
    "KeePassXC": ("keepassxc",),
    "Orca": ("orca", "--replace"),
    "Onboard": ("onboard",),
    "ibus": ("ibus-daemon", "-x"),
    "an editor": ("mousepad",),
}
NEVER_NAMED = ("orca", "onboard", "ibus", "keepassxc")


@contextlib.contextmanager
def session_bus() -> Iterator[psutil.Process]:
    """A D-Bus of its own; what it starts ends with it."""
    command = [need("dbus-daemon"), "--session", "--nofork", "--print-address"]
    bus = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert bus.stdout is not None
    process = psutil.Process(bus.pid)
    try:
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().strip()
        yield process
    finally:
        for child in [*process.children(recursive=True), process]:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        bus.wait()
        del os.environ["DBUS_SESSION_BUS_ADDRESS"]


def test_an_honest_desktop_is_left_alone(desktop: Path, engine: Engine, pack: Pack) -> None:
    """Office, browser, password manager, screen reader, on-screen keyboard, input method and editor, all at once."""
    missing = [name for name, command in HONEST.items() if shutil.which(command[0]) is None]
    with session_bus() as bus, contextlib.ExitStack() as stack:
        families = [bus, *(stack.enter_context(running(*c)) for name, c in HONEST.items() if name not in missing)]
        table, sockets, server = Processes(), Sockets(), XServer()
        extensions = Extensions(desktop, "linux", lambda: table.rows)
        scripts = Scripts(Context(texts=pack.texts), lambda: extensions.rows, lambda: table.rows, desktop, "linux")
        sources = [
            Inputs(server, Context()), Windows(XServer(), Context(), lambda: table.rows), extensions, scripts,
        ]  # fmt: skip
        seen: set[str] = set()
        for turn in range(8):
            time.sleep(2)
            now = time.monotonic_ns() // 1_000_000
            sockets.collect(now)
            table.collect(turn * 30_000)
            pids = {process.pid for family in families for process in [family, *family.children(recursive=True)]}
            rows: list[Row] = [row for row in table.rows if row.pid in pids]
            seen |= {row.name for row in table.rows if row.pid in pids}
            for source in sources:
                rows += source.collect(now)
            findings = judge_rows(rows, engine)
            assert all(LADDER.index(finding.response) <= LADDER.index("inform") for finding in findings), findings
            told = json.dumps([dict(finding.evidence) for finding in findings]).casefold()
            assert not [name for name in NEVER_NAMED if name in told]
        assert len(families) - 1 == sum(family.is_running() for family in families[1:])
        print(f"ran: {', '.join(sorted(seen))}")
    if missing:
        pytest.skip(f"left out of {len(HONEST)}: {', '.join(missing)} not installed (make tools); the others ran")


def test_an_on_screen_keyboard_explains_its_keys(desktop: Path, engine: Engine) -> None:
    """Onboard types through XTEST, as bots do: beside it the same keys are no finding."""
    with session_bus(), running(need("onboard")) as onboard:
        table, keys = Processes(), Inputs(XServer(), Context())
        keys.collect(time.monotonic_ns() // 1_000_000)
        subprocess.run(["xdotool", *["key", "a", "sleep", "0.4"] * 13], check=True)
        table.collect(0)
        beside = [row for row in table.rows if row.pid == onboard.pid]
        rows = keys.collect(time.monotonic_ns() // 1_000_000)
        assert rows
        assert judge_rows([*rows, *beside], engine) == ()
        assert "input.loop" in {finding.rule for finding in judge_rows(rows, engine)}
