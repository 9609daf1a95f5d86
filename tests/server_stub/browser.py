"""A real Chromium by W3C WebDriver: just enough of it to read, type, press and look."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import uvicorn
from fastapi import FastAPI

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_LONG_S = 300  # for one answer of the browser: an end to a broken test, and no measure of a busy machine
KEYS = {"tab": "\ue004", "enter": "\ue007", "space": " ", "down": "\ue015"}


class Chromium:
    """One window of one browser."""

    def __init__(self, url: str, session: str) -> None:
        self.mobile: tuple[int, int] | None = None
        self.http = httpx.Client(base_url=f"{url}/session/{session}", timeout=_LONG_S)

    def _do(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self.http.request(method, path, json=body if method == "POST" else None)
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]

    def open(self, url: str) -> None:
        self._do("POST", "/url", {"url": url})

    def phone(self, width: int = 360, height: int = 740) -> None:
        """From now on a telephone: so wide, touched with fingers, twice as many dots."""
        given = {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": True}
        self.cdp("Emulation.setDeviceMetricsOverride", given)
        self.cdp("Emulation.setTouchEmulationEnabled", {"enabled": True})
        self.mobile = (width, height)

    def axe(self) -> list[str]:
        """What axe-core (4.x, as axe-core-python brings it) objects to on this page: rule, impact, the elements."""
        self._do("POST", "/execute/sync", {"script": axe_source(), "args": []})
        script = "const done = arguments[arguments.length - 1]; axe.run(document, {resultTypes: ['violations']}).then("
        script += "found => done(found.violations), error => done([{id: String(error), impact: '', nodes: []}]));"
        found = self._do("POST", "/execute/async", {"script": script, "args": []})
        where = [" | ".join(node["html"][:90] for node in item["nodes"][:3]) for item in found]
        return [f"{self.path}: {item['id']} ({item['impact']}): {at}" for item, at in zip(found, where, strict=True)]

    def size(self, width: int, height: int) -> None:
        self._do("POST", "/window/rect", {"width": width, "height": height})

    def run(self, script: str, *values: Any) -> Any:
        return self._do("POST", "/execute/sync", {"script": script, "args": list(values)})

    def find(self, css: str) -> str:
        found = self._do("POST", "/element", {"using": "css selector", "value": css})
        return str(found[_ELEMENT])

    def type(self, css: str, text: str) -> None:
        self._do("POST", f"/element/{self.find(css)}/value", {"text": text})

    def press(self, css: str) -> None:
        self._do("POST", f"/element/{self.find(css)}/click", {})

    def keys(self, *names: str) -> None:
        pressed = [{"type": kind, "value": KEYS.get(name, name)} for name in names for kind in ("keyDown", "keyUp")]
        self._do("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": pressed}]})

    @property
    def text(self) -> str:
        return str(self.run("return document.body.innerText"))

    @property
    def path(self) -> str:
        return str(self.run("return location.pathname"))

    def log(self) -> list[str]:
        """What the browser complained of since it was asked last: refused loads, errors of scripts."""
        return [item["message"] for item in self._do("POST", "/se/log", {"type": "browser"})]

    def requests(self) -> list[str]:
        """The addresses of everything that was asked of the network since it was asked last."""
        found = []
        for item in self._do("POST", "/se/log", {"type": "performance"}):
            message = json.loads(item["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
        return found

    def screenshot(self, path: Path) -> None:
        """The whole page, not only what the window shows."""
        height = self.run("return Math.min(2400, document.documentElement.scrollHeight)")
        width = self.run("return window.innerWidth")
        mobile = self.mobile is not None
        given = {"width": width, "height": max(int(height), 300), "deviceScaleFactor": 1, "mobile": mobile}
        self.cdp("Emulation.setDeviceMetricsOverride", given)
        path.write_bytes(base64.b64decode(self.cdp("Page.captureScreenshot", {})["data"]))
        if self.mobile:
            self.phone(*self.mobile)
        else:
            self.cdp("Emulation.clearDeviceMetricsOverride", {})

    def pdf(self) -> bytes:
        """The page as it prints."""
        return base64.b64decode(self.cdp("Page.printToPDF", {"preferCSSPageSize": True})["data"])

    def cdp(self, command: str, given: dict[str, Any]) -> Any:
        return self._do("POST", "/goog/cdp/execute", {"cmd": command, "params": given})

    def authenticator(self, *, verified: bool = True) -> str:
        """A passkey device of W3C WebDriver ("Virtual Authenticators"): real CTAP2, keys and signatures."""
        wanted = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
                  "isUserVerified": verified}  # fmt: skip
        return str(self._do("POST", "/webauthn/authenticator", wanted))

    def credentials(self, authenticator: str) -> list[dict[str, Any]]:
        """The keys that the device holds."""
        found: list[dict[str, Any]] = self._do("GET", f"/webauthn/authenticator/{authenticator}/credentials")
        return found

    def give_credential(self, authenticator: str, credential: dict[str, Any]) -> None:
        """Put a key on the device, as a copy of the device would."""
        self._do("POST", f"/webauthn/authenticator/{authenticator}/credential", credential)

    def drop_authenticator(self, authenticator: str) -> None:
        self._do("DELETE", f"/webauthn/authenticator/{authenticator}")

    def wait(self, script: str) -> None:
        """Until a whole page is there and a script says true; after two minutes the page is shown instead.

        A script that fails on the way from one page to the next is asked again; its last words are shown, too.
        """
        body, said = {"script": f"if (document.readyState !== 'complete') return false;\n{script}", "args": []}, ""
        for _ in range(1_200):
            answer = self.http.post("/execute/sync", json=body)
            if answer.status_code == 200 and answer.json()["value"]:
                return
            said = "" if answer.status_code == 200 else answer.text[:300]
            time.sleep(0.1)
        raise AssertionError(f"never true: {script}\n{said}\n{self.path}\n{self.text[:600]}")


@cache
def axe_source() -> str:
    """axe-core's own file; the test that asks for it is left out where it is not installed."""
    package = pytest.importorskip("axe_core_python", reason="left out: axe-core-python not installed")
    return (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


@contextlib.contextmanager
def chromium(folder: Path, *, language: str = "zh-CN") -> Iterator[Chromium]:
    """A fresh browser with a profile in `folder`; skips where Chromium or its driver is not installed."""
    driver, program = shutil.which("chromedriver"), shutil.which("chromium")
    if driver is None or program is None:
        pytest.skip("left out: chromium, chromedriver not installed (make tools)")
    said = folder.with_name(f"{folder.name}.driver")
    with said.open("wb") as out:  # a port of the driver's own choice: nobody can take it in between
        process = subprocess.Popen([driver, "--port=0"], stdout=out, stderr=out)
    try:
        url = _until_ready(said, process)
        options = {
            "binary": program,
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--disable-background-networking", "--disable-component-update", "--no-first-run",
                     f"--user-data-dir={folder}", f"--lang={language}", "--window-size=1280,800"],
            "prefs": {"intl.accept_languages": language},
        }  # fmt: skip
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
        times = {"script": _LONG_S * 1000, "pageLoad": _LONG_S * 1000}
        body = {"capabilities": {"alwaysMatch": {"browserName": "chrome", "timeouts": times, **wanted}}}
        made = httpx.post(f"{url}/session", json=body, timeout=_LONG_S)
        assert made.status_code == 200, made.text
        browser = Chromium(url, made.json()["value"]["sessionId"])
        yield browser
        with contextlib.suppress(httpx.HTTPError):  # it is killed in a moment
            browser.http.delete("", timeout=60)
    finally:
        _stop(process)


def _stop(driver: subprocess.Popen[bytes]) -> None:
    """The driver and the browser that it started: a driver that is killed leaves its browser behind."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in psutil.Process(driver.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
    driver.kill()
    driver.wait()


def _until_ready(said: Path, process: subprocess.Popen[bytes]) -> str:
    """The driver's address, as soon as it has printed it: it listens by then."""
    while (found := re.search(r"started successfully on port (\d+)\.", said.read_text(errors="replace"))) is None:
        assert process.poll() is None, f"chromedriver did not start: {said.read_text(errors='replace')}"
        time.sleep(0.1)
    return f"http://127.0.0.1:{found[1]}"


def lasting_port() -> int:
    """A free port that no outgoing connection is given (they come from 32768 on), so that it is free again later."""
    for port in range(20_000 + os.getpid() % 10_000, 32_000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


@contextlib.contextmanager
def served(app: FastAPI, port: int = 0) -> Iterator[str]:
    """The app on a port of its own, in a thread, without its background tasks; its URL."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="critical", lifespan="off", timeout_graceful_shutdown=1
    )
    place = config.bind_socket()
    place.listen(config.backlog)  # whoever comes before the thread has started waits for it, and is not refused
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([place],), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{place.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
