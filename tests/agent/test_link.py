"""Client and agent watch each other over a real pipe: a killed, stopped, replaced or silent agent is told soon.

The agent's process is real; only the client's clock is scripted where time must pass.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from agent.link import BACKOFF_MS, LOST_MS, START_MS, AgentLink, Lost
from agent.manifest import ROOT, agent_hash
from agent.messages import Beat, Cleared, Found, Note
from agent.pack import Pack
from client.events import AgentLost, AgentNote
from client.events import Beat as ClientBeat
from client.guard import AgentGuard

SLOWLY = 4  # a machine that does other things as well starts an agent late, and is no reason to call it lost


class Clock:
    """The real monotonic clock, four times as slow, and whatever the test adds."""

    def __init__(self) -> None:
        self.added = 0

    def __call__(self) -> int:
        return time.monotonic_ns() // 1_000_000 // SLOWLY + self.added


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def link(clock: Clock) -> Iterator[AgentLink]:
    pipe = AgentLink(clock=clock)
    yield pipe
    pipe.close()


def wait(link: AgentLink, wanted: Callable[[object], bool]) -> list[object]:
    """Poll until a message is `wanted`; all messages until then. The bound is generous: it only ends a broken test."""
    said: list[object] = []
    for _ in range(1_800):
        said += link.poll()
        if any(wanted(message) for message in said):
            return said
        time.sleep(0.1)
    raise AssertionError(f"never came; heard {said}")


def beat(message: object) -> bool:
    return isinstance(message, Beat)


def lost(message: object) -> bool:
    return isinstance(message, Lost)


def running(link: AgentLink) -> int:
    """The process id of the agent, which there must be: 0 would be this very process group, None this process."""
    assert link.pid is not None
    return link.pid


def scripted(text: str) -> list[str]:
    """A child that is not our agent."""
    return [sys.executable, "-c", text]


def test_a_living_agent_beats_with_its_rules_and_hash(link: AgentLink, pack: Pack) -> None:
    """The beat is the ledger's heartbeat: built-in rules, the hash of the agent's files, both clocks."""
    link.start()
    first = next(message for message in wait(link, beat) if isinstance(message, Beat))
    assert (first.beat, first.rules) == (0, pack.sha256)
    assert len(first.agent_hash) == len(agent_hash()) == 64
    assert first.uptime > 0


@pytest.mark.slow
def test_a_killed_agent_is_told_and_its_successor_lives(link: AgentLink, clock: Clock) -> None:
    """SIGKILL: lost at once; started again with a new key, after a pause that grows."""
    link.start()
    wait(link, beat)
    os.kill(running(link), signal.SIGKILL)
    assert sum(lost(message) for message in wait(link, lost)) == 1
    assert link.poll() == []
    link.start()
    assert link.pid is None
    clock.added += BACKOFF_MS[1]
    wait(link, beat)


def test_a_stopped_agent_is_told(link: AgentLink, clock: Clock) -> None:
    """SIGSTOP: no beat for longer than allowed, although the process still exists."""
    link.start()
    wait(link, beat)
    pid, said = running(link), list[object]()
    os.kill(pid, signal.SIGSTOP)
    for _ in range(60):  # six, unless a last beat was still in the pipe or we ourselves were held up
        clock.added += LOST_MS // 4
        said += link.poll()
        if any(map(lost, said)):
            break
    assert link.poll() == []
    assert [type(message) for message in said if not isinstance(message, Beat | Found | Cleared | Note)] == [Lost]
    assert not psutil.pid_exists(pid)


def test_a_client_that_slept_does_not_accuse_the_agent(link: AgentLink, clock: Clock) -> None:
    """After suspend the first poll forgives: beats of the meantime could not be heard."""
    link.start()
    wait(link, beat)
    clock.added += 3_600_000
    assert not any(lost(message) for message in link.poll())


def test_closing_leaves_nothing_behind(link: AgentLink) -> None:
    """The agent runs only while a session is open."""
    link.start()
    wait(link, beat)
    pid = running(link)
    link.close()
    assert not psutil.pid_exists(pid)
    assert link.poll() == []


def test_a_client_that_dies_takes_its_agent_along() -> None:
    """SIGKILL for the client: the pipe closes and the agent ends by itself."""
    script = (
        "import time\nfrom agent.link import AgentLink\nlink = AgentLink(clock=lambda: 0)\nlink.start()\n"
        "while not link.poll(): time.sleep(0.1)\nprint(link.pid, flush=True)\ntime.sleep(600)"
    )
    client = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert client.stdout is not None
    agent = psutil.Process(int(client.stdout.readline()))
    client.kill()
    client.wait()
    client.stdout.close()
    psutil.wait_procs([agent], timeout=120)
    assert not agent.is_running() or agent.status() == psutil.STATUS_ZOMBIE


def test_an_impostor_without_the_key_is_refused(clock: Clock) -> None:
    """A program that was put in the agent's place cannot write one frame that verifies."""
    text = (
        "import sys, time\nfrom agent.messages import Beat\nfrom agent.pipe import *\n"
        "h = 'ab' * 32\nsys.stdout.buffer.write(Sealer(bytes(32), TO_CLIENT).seal(Beat(0, 1, 1, h, h, 'none')))\n"
        "sys.stdout.buffer.flush()\ntime.sleep(60)"
    )
    link = AgentLink(scripted(text), clock=clock)
    link.start()
    said = wait(link, lost)
    assert [message.detail[:8] for message in said if isinstance(message, Lost)] == ["TS-A-032"]
    link.close()


@pytest.mark.parametrize("text", ["print('hello world, this is no frame at all')", "raise SystemExit(1)"])
def test_a_child_that_is_no_agent_is_told(text: str, clock: Clock) -> None:
    """Noise on the pipe, or an agent that dies at once."""
    link = AgentLink(scripted(text), clock=clock)
    link.start()
    assert wait(link, lost)
    link.close()


def test_a_silent_child_is_told_after_the_time_to_start(clock: Clock) -> None:
    """No first beat: a slow disk is waited for, an empty process is not."""
    link, begun = AgentLink(scripted("import time; time.sleep(600)"), clock=clock), clock()
    link.start()
    said: list[object] = []
    for _ in range(100):  # twelve, unless we ourselves were held up
        clock.added += 2_000
        said += link.poll()
        if any(map(lost, said)):
            break
    said += link.poll()
    assert clock() - begun > START_MS
    assert sum(map(lost, said)) == 1
    link.close()


def test_a_missing_program_is_an_error_with_a_remedy(clock: Clock) -> None:
    """What cannot be started comes out of the port as a lost agent with its code; nothing is raised into the screen."""
    guard = AgentGuard(AgentLink(["/nonexistent/agent"], clock=clock))
    guard.start()
    assert [type(message) for message in guard.poll()] == [AgentLost]
    guard.close()


def test_starts_are_bounded() -> None:
    """An agent that dies at once is tried again ever more slowly."""
    now = [0]
    link = AgentLink(scripted("raise SystemExit(1)"), clock=lambda: now[0])
    waits = []
    for _ in range(7):
        link.start()
        before = now[0]
        while link.pid is None:
            now[0] += 500
            link.poll()
        waits.append(now[0] - before)
        wait(link, lost)
    assert waits[0] == 0
    assert waits == sorted(waits)
    assert waits[-1] >= 25_000
    link.close()


def test_the_key_is_in_no_command_line_and_no_environment(link: AgentLink) -> None:
    """The agent's process shows nothing that would let a third one speak for it."""
    link.start()
    wait(link, beat)
    process = psutil.Process(running(link))
    assert process.cmdline()[1:] == ["-m", "agent", "watch"]
    if os.access(f"/proc/{link.pid}/environ", os.R_OK) and os.geteuid() == 0:
        assert set(process.environ()) - set(os.environ) <= {"COLUMNS", "LINES"}  # pytest's own


def test_what_a_dead_agent_had_found_is_cleared_unless_its_successor_finds_it(tmp_path: Path, clock: Clock) -> None:
    """A finding of the old process does not pause for ever."""
    state = tmp_path / "second"
    text = f"""
import os, pathlib, sys, time
from agent.messages import Beat, Found
from agent.pipe import *
key = os.read(0, 32)
seal, h, again = Sealer(key, TO_CLIENT).seal, "ab" * 32, pathlib.Path({str(state)!r})
words = ("t",) * 6
if not again.exists():
    os.write(1, seal(Found("macro.loop", 1, "high", "pause", {{}}, *words)))
os.write(1, seal(Found("driver.webdriver", 1, "high", "pause", {{}}, *words)) + seal(Beat(0, 1, 1, h, h, "none")))
if again.exists():
    time.sleep(60)
again.touch()
"""
    link = AgentLink(scripted(text), clock=clock)
    link.start()
    wait(link, lost)
    link.start()
    clock.added += BACKOFF_MS[1]
    said = wait(link, beat)
    assert [message.rule for message in said if isinstance(message, Cleared)] == ["macro.loop"]
    link.close()


def test_the_session_hears_the_agent_in_its_own_words(clock: Clock) -> None:
    """The port yields the client's signals."""
    guard = AgentGuard(AgentLink(clock=clock))
    guard.start()
    for _ in range(1_800):
        said = guard.poll()
        if any(isinstance(signal, ClientBeat) for signal in said):
            break
        time.sleep(0.1)
    assert any(isinstance(signal, ClientBeat) for signal in said)
    guard.recheck()
    guard.camera("Integrated Camera")
    guard.foreground(True)
    guard.close()


@pytest.fixture
def class_pack(pack: Pack, tmp_path: Path) -> tuple[str, Path]:
    """A class's own pack: the built-in rules but one, until a day."""
    raw = json.loads(pack.line)
    raw["expires"], raw["rule"] = "2027-12-31", raw["rule"][1:]
    data = json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    (tmp_path / "pack").write_bytes(data)
    return hashlib.sha256(data).hexdigest(), tmp_path / "pack"


def beats_of(guard: AgentGuard, until: Callable[[list[object]], bool]) -> list[object]:
    said: list[object] = []
    for _ in range(1_800):
        said += guard.poll()
        if until(said):
            return said
        time.sleep(0.1)
    raise AssertionError(f"never came; heard {said}")


@pytest.mark.slow
def test_the_granted_rules_stand_in_the_beats_and_survive_a_restart(class_pack: tuple[str, Path], clock: Clock) -> None:
    """Handed over by hash to the running agent, and to its successor when it was killed."""
    digest, path = class_pack
    link = AgentLink(clock=clock)
    guard = AgentGuard(link)
    guard.start()
    guard.rules(digest, path, 1_795_000_000_000, "")

    def named(said: list[object]) -> bool:
        return any(isinstance(signal, ClientBeat) and signal.rules == digest for signal in said)

    beats_of(guard, named)
    os.kill(running(link), signal.SIGKILL)
    beats_of(guard, lambda said: any(isinstance(signal, AgentLost) for signal in said))
    clock.added += BACKOFF_MS[1]
    guard.start()
    beats_of(guard, named)
    guard.close()


def noted(said: list[object], words: str) -> bool:
    return any(isinstance(item, AgentNote) and words in item.detail for item in said)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["exchanged", "expired", "another installation"])
def test_what_the_grant_does_not_name_is_recorded(how: str, class_pack: tuple[str, Path]) -> None:
    """A pack exchanged on the disk, one past its day, files that the class does not know: said, once."""
    digest, path = class_pack
    at, installation = 1_795_000_000_000, ""
    if how == "exchanged":
        path.write_bytes(path.read_bytes().replace(b'"pause"', b'"inform"'))
    elif how == "expired":
        at = 1_893_456_000_000
    else:
        installation = "ab" * 32
    guard = AgentGuard(AgentLink(clock=Clock()))
    guard.start()
    guard.rules(digest, path, at, installation)
    words = {"exchanged": "TS-A-013", "expired": "TS-A-014", "another installation": "the class names abab"}[how]
    said = beats_of(guard, lambda said: noted(said, words))
    if not installation:
        named = "the grant names"
        if not noted(said, named):  # it may have come with the other
            said += beats_of(guard, lambda more: noted(more, named))
        assert all(signal.rules != digest for signal in said if isinstance(signal, ClientBeat))
    guard.close()


def test_an_agent_of_other_files_is_lost(link: AgentLink, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the key and beats, but is not the program that the client came with: none of its beats counts."""
    monkeypatch.setattr("agent.link.agent_hash", lambda: "cd" * 32)
    link.start()
    said = wait(link, lost)
    assert not any(beat(message) for message in said)


def test_a_starved_agent_is_told_within_five_seconds() -> None:
    """Stopped for real, on the real clock: lost after 4.5 s, and a client looks ten times a second."""
    assert LOST_MS + 500 <= 5_000
    link = AgentLink()
    link.start()
    wait(link, beat)
    psutil.Process(running(link)).suspend()
    detail = next(message.detail for message in wait(link, lost) if isinstance(message, Lost))
    assert detail.startswith("no beat for ")
    link.close()


def ours() -> set[object]:
    """Children, threads and open files of this process; a listing's own file is none."""
    files = {name for name in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{name}")}
    children = {("child", child.pid) for child in psutil.Process().children(True)}
    return {*children, *threading.enumerate(), *(("file", name) for name in files)}


@pytest.mark.slow
def test_a_session_leaves_nothing_behind(link: AgentLink, tmp_path: Path) -> None:
    """No process, no thread of ours, no listening port while it runs, no open file, no file on the disk."""
    gc.collect()  # what tests of before left to it
    before = ours()
    link.start()
    wait(link, beat)
    agent = psutil.Process(running(link))
    assert ours() - before
    assert not [entry for entry in agent.net_connections("inet") if entry.status == psutil.CONN_LISTEN]
    assert not [file.path for file in agent.open_files() if file.mode != "r"]
    link.close()
    assert not agent.is_running()
    for _ in range(600):  # the reader's last breath
        if ours() <= before:
            break
        time.sleep(0.1)
    assert ours() <= before  # of what was there before some may have ended meanwhile


def test_no_program_of_the_same_user_may_look_into_the_agent() -> None:
    """PR_SET_DUMPABLE 0 (prctl 3 reads it): no core dump, no ptrace, no look into its memory but by root."""
    script = (
        "import ctypes\nfrom agent.child import harden\nread = ctypes.CDLL(None).prctl\n"
        "before = read(3, 0, 0, 0, 0)\nharden()\nprint(before, read(3, 0, 0, 0, 0))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "0"]
