"""What a look costs: `python tests/agent/bench_scan.py [PROCESSES …]` (150 and 1000) prints one line of JSON for each.

Sleepers are started until at least PROCESSES run. In one run: CPU ms of a full read by psutil.process_iter(name, exe,
cmdline), of our first look, and of our steady look; then a real agent guards for 40 s, every table at its cadence.
`psutil_permille` is what psutil alone would take of one core at the same pace, `agent_permille` what the whole agent
takes after its start; `rss_mib` is its memory, `noticed_ms` how long a new process stayed unseen. Exit 1: over budget.
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

from agent.collectors import QUICK_MS
from agent.collectors.linux.processes import Processes
from agent.link import AgentLink
from agent.messages import Beat, Found
from agent.watchdog import budget_permille

GUARD_S = 40  # longer than the slow tables' 30 s, so that their look is in it
RSS_MIB = 60
NOTICED_MS = 2_500


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
        figures = {
            "processes": len(psutil.pids()), "psutil_ms": round(everything, 2), "first_look_ms": round(first, 2),
            "steady_look_ms": round(steady, 2), "ratio": round(steady / everything, 3),
            "psutil_permille": round(everything / QUICK_MS * 1000, 1), **guard(),
        }  # fmt: skip
        budget = budget_permille(len(psutil.pids()))
        fits = figures["agent_permille"] <= budget and figures["rss_mib"] <= RSS_MIB
        fits = fits and 0 < figures["noticed_ms"] <= NOTICED_MS
        print(json.dumps({**figures, "budget_permille": budget, "within_budget": fits}), flush=True)
        return bool(fits)
    finally:
        for sleeper in sleepers:
            sleeper.kill()
        for sleeper in sleepers:
            sleeper.wait()


if __name__ == "__main__":
    sys.exit(main())
