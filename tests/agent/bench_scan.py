"""What the agent costs: `python tests/agent/bench_scan.py [PROCESSES …]` (150 and 1000) prints a line of JSON for each.

Sleepers are started until at least PROCESSES run. In one run: CPU ms of a full read by psutil.process_iter(name, exe,
cmdline), of our first look, and of our steady look; then a real agent guards for 40 s, every table at its cadence, on a
desktop of its own (Xvfb, openbox) and with a script manager in the browser's profile, so that no table is spared.
`psutil_permille` is what psutil alone would take of one core at the same pace, `agent_permille` what the whole agent
takes after its start, `ratio` the one by the other; `rss_mib` is its memory, `noticed_ms` how long the slowest of six
new programs stayed unseen. Exit 1: over budget.
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
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import psutil

from agent.collectors import QUICK_MS
from agent.collectors.linux.processes import Processes
from agent.link import AgentLink
from agent.messages import Beat, Found
from agent.watchdog import budget_permille
from tests.agent import stores
from tests.desktop import x_server

GUARD_S = 40  # longer than the slow tables' 30 s, so that their look is in it
RSS_MIB = 60
NOTICED_MS = 2_500
TOOLS = {
    "chromedriver": "driver.webdriver", "x11vnc": "remote.desktop", "xdotool": "macro.injector",
    "mitmdump": "tls.proxy-tool", "scrcpy": "mirror.phone", "cnee": "macro.recorder",
}  # fmt: skip
SCRIPT = "// ==UserScript==\n// @name bench\n// @match *://*.example.org/*\n// ==/UserScript==\n"
LINES = "note('x');\n" * 20_000  # as long as real ones


def cpu_ms(work: object, times: int = 5) -> float:
    start = time.process_time()
    for _ in range(times):
        work()  # type: ignore[operator]
    return 1000 * (time.process_time() - start) / times


@contextlib.contextmanager
def desktop() -> Iterator[Path]:
    """A home with a script manager, and a display if there can be one; a folder for tools."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        home = Path(name)
        store = home / ".config/chromium/Default/Local Extension Settings/dhdgffkkebhmkfjojejmpbldmpobfkfo"
        store.mkdir(parents=True)
        (store / "000003.log").write_bytes(stores.log([(b"@source#1", json.dumps({"value": SCRIPT + LINES}).encode())]))
        before = {key: os.environ.get(key) for key in ("HOME", "DISPLAY")}
        os.environ["HOME"] = name
        if shutil.which("Xvfb") and shutil.which("openbox"):
            os.environ["DISPLAY"] = stack.enter_context(x_server(home=home, size="640x480x24"))
        yield home
        for key, value in before.items():
            os.environ.pop(key, None)
            os.environ.update({key: value} if value is not None else {})


def guard(home: Path) -> dict[str, float]:
    """Run the real agent; what it costs after its start and how soon it sees a new process."""
    link = AgentLink()
    link.start()
    while not any(isinstance(message, Beat) for message in link.poll()):
        time.sleep(0.05)
    agent = psutil.Process(link.pid)
    time.sleep(5)
    link.poll()
    before, start = sum(agent.cpu_times()[:2]), time.monotonic()
    waiting, begun, noticed = list(TOOLS), {}, {}
    running: list[subprocess.Popen[bytes]] = []
    while (passed := time.monotonic() - start) < GUARD_S:
        if waiting and passed > 5.3 * (len(TOOLS) - len(waiting)):  # no multiple of the cadence
            tool = waiting.pop(0)
            shutil.copy("/bin/sleep", home / tool)
            running.append(subprocess.Popen([home / tool, "60"]))
            begun[TOOLS[tool]] = time.monotonic()
        for message in link.poll():
            if isinstance(message, Found) and message.rule in begun:
                noticed.setdefault(message.rule, time.monotonic() - begun[message.rule])
        time.sleep(0.05)
    used, rss = sum(agent.cpu_times()[:2]) - before, agent.memory_info().rss
    for process in running:
        process.kill()
        process.wait()
    link.close()
    slowest = round(1000 * max(noticed.values())) if len(noticed) == len(TOOLS) else 0
    return {"agent_permille": round(1000 * used / GUARD_S, 1), "rss_mib": rss >> 20, "noticed_ms": slowest}


def main() -> int:
    wanted = [int(text) for text in sys.argv[1:]] or [150, 1_000]
    return 1 if [number for number in wanted if not measured(number)] else 0


def measured(wanted: int) -> bool:
    """Print the figures at `wanted` processes; whether all of them are within the agent's budget."""
    sleepers = [subprocess.Popen(["sleep", "600"]) for _ in range(max(0, wanted - len(psutil.pids())))]
    try:
        time.sleep(1)
        everything = cpu_ms(lambda: [p.info for p in psutil.process_iter(["name", "exe", "cmdline"])])
        table = Processes()
        first = cpu_ms(lambda: table.collect(0), times=1)
        for turn in range(1, 5):
            table.collect(turn * 5_000)
        steady = cpu_ms(lambda: table.collect(25_000), times=20)
        peer = round(everything / QUICK_MS * 1000, 1)
        with desktop() as home:
            guarded = guard(home)
        figures = {
            "name": "bench-agent", "processes": len(psutil.pids()), "psutil_ms": round(everything, 2),
            "first_look_ms": round(first, 2), "steady_look_ms": round(steady, 2), "psutil_permille": peer, **guarded,
            "ratio": round(guarded["agent_permille"] / peer, 2),
        }  # fmt: skip
        budget = budget_permille(len(psutil.pids()))
        fits = guarded["agent_permille"] <= budget and guarded["rss_mib"] <= RSS_MIB
        fits = fits and 0 < guarded["noticed_ms"] <= NOTICED_MS
        limits = {"budget_permille": budget, "budget_rss_mib": RSS_MIB, "budget_noticed_ms": NOTICED_MS}
        print(json.dumps({**figures, **limits, "within_budget": fits}), flush=True)
        return bool(fits)
    finally:
        for sleeper in sleepers:
            sleeper.kill()
        for sleeper in sleepers:
            sleeper.wait()


if __name__ == "__main__":
    sys.exit(main())
