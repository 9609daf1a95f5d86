"""What a look costs: `python tests/agent/bench_scan.py [PROCESSES]` prints one line of JSON.

Sleepers are started until at least PROCESSES run. In one run: CPU ms of a full read by psutil.process_iter(name, exe,
cmdline), of our first look, and of our steady look; then a real agent guards for 20 s. `agent_permille` is its CPU per
mille of one core after its start, `rss_mib` its memory, `noticed_ms` how long a new process stayed unseen.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import psutil

from agent.collectors.linux.processes import Processes
from agent.link import AgentLink
from agent.messages import Beat, Found

GUARD_S = 20


def cpu_ms(work: object, times: int = 5) -> float:
    start = time.process_time()
    for _ in range(times):
        work()  # type: ignore[operator]
    return 1000 * (time.process_time() - start) / times


def guard() -> dict[str, float]:
    """Run the real agent; what it costs after its start and how soon it sees a new process."""
    link = AgentLink()
    link.start()
    while not any(isinstance(message, Beat) for message in link.poll()):
        time.sleep(0.05)
    agent = psutil.Process(link.pid)
    time.sleep(5)
    link.poll()
    before = sum(agent.cpu_times()[:2])
    folder = Path(tempfile.mkdtemp())
    shutil.copy("/bin/sleep", folder / "chromedriver")
    tool = subprocess.Popen([folder / "chromedriver", "60"])
    start, noticed = time.monotonic(), 0.0
    while time.monotonic() - start < GUARD_S:
        if any(isinstance(message, Found) and message.rule == "driver.webdriver" for message in link.poll()):
            noticed = noticed or time.monotonic() - start
        time.sleep(0.05)
    used = sum(agent.cpu_times()[:2]) - before
    rss = agent.memory_info().rss
    tool.kill()
    tool.wait()
    shutil.rmtree(folder)
    link.close()
    permille = round(1000 * used / GUARD_S, 1)
    return {"agent_permille": permille, "rss_mib": rss >> 20, "noticed_ms": round(1000 * noticed)}


def main() -> None:
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    sleepers = [subprocess.Popen(["sleep", "600"]) for _ in range(max(0, wanted - len(psutil.pids())))]
    try:
        time.sleep(1)
        everything = cpu_ms(lambda: [p.info for p in psutil.process_iter(["name", "exe", "cmdline"])])
        table = Processes()
        first = cpu_ms(lambda: table.collect(0), times=1)
        for turn in range(1, 5):
            table.collect(turn * 5_000)
        steady = cpu_ms(lambda: table.collect(25_000), times=20)
        figures = {
            "processes": len(psutil.pids()), "psutil_ms": round(everything, 2), "first_look_ms": round(first, 2),
            "steady_look_ms": round(steady, 2), "ratio": round(steady / everything, 3), **guard(),
        }  # fmt: skip
        print(json.dumps(figures))
    finally:
        for sleeper in sleepers:
            sleeper.kill()
        for sleeper in sleepers:
            sleeper.wait()


if __name__ == "__main__":
    main()
