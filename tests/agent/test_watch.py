"""The watch: what is new is told once, what is gone is cleared, what is unknown is said, and it beats."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from agent.collectors import Collector, Context
from agent.engine import Engine
from agent.errors import CollectorError, ExpiredPackError
from agent.messages import Beat, Camera, Cleared, Foreground, Found, Message, Note, Recheck, UseRules
from agent.pack import load_folder
from agent.tables import CameraRow, InputRow, ProcessRow, Row
from agent.watch import BEAT_MS, HOLD_MS, Surroundings, Watch
from agent.watchdog import Cost

HASH = "00" * 32
DRIVER = ProcessRow(name="chromedriver", pid=5)


class Machine:
    """A scripted machine: rows by table, a clock, and what the watch said."""

    def __init__(self, engine: Engine) -> None:
        self.rows: dict[str, Sequence[Row] | Exception] = {"processes": []}
        self.said: list[Message] = []
        self.cost = Cost(0, 0)
        self.now = 0
        self.looks = 0
        self.context = Context()
        around = Surroundings(self.said.append, lambda: self.now, lambda: self.cost, lambda: HASH, self._load)
        sources = [
            Collector("processes", 2_000, lambda _now: self._collect("processes")),
            Collector("cameras", 30_000, lambda _now: self._cameras()),
            Collector("inputs", 2_000, lambda _now: self._collect("inputs")),
        ]
        self.watch = Watch(engine, sources, self.context, around, HASH, HASH, 0)

    def _load(self, wanted: UseRules) -> tuple[Engine, str]:
        if wanted.path != "good":
            raise ExpiredPackError("it ended")
        return Engine(load_folder()), wanted.sha256

    def _collect(self, name: str) -> Sequence[Row]:
        self.looks += name == "processes"
        found = self.rows.get(name, [])
        if isinstance(found, Exception):
            raise found
        return found

    def _cameras(self) -> Sequence[Row]:
        name = "OBS Virtual Camera"
        return [CameraRow(name=name, selected=self.context.camera == name)]

    def run(self, until_ms: int) -> list[Message]:
        """Let time pass; what was said since the last call, without beats."""
        while self.now < until_ms:
            self.watch.step(self.now)
            self.now = max(self.now + 1, min(self.watch.due_ms, until_ms))
        return self.take()

    def take(self) -> list[Message]:
        said, self.said[:] = [entry for entry in self.said if not isinstance(entry, Beat)], []
        return said


def told(said: Sequence[Message]) -> list[str]:
    news = [entry for entry in said if isinstance(entry, Found | Cleared)]
    return [f"{'+' if isinstance(entry, Found) else '-'}{entry.rule}" for entry in news]


def test_a_finding_is_told_once_and_cleared_when_its_cause_is_gone(engine: Engine) -> None:
    """Found at the next look; not repeated; cleared after the hold."""
    machine = Machine(engine)
    assert told(machine.run(4_000)) == ["+camera.virtual-present"]
    machine.rows["processes"] = [DRIVER]
    assert told(machine.run(20_000)) == ["+driver.webdriver"]
    machine.rows["processes"] = []
    assert told(machine.run(20_000 + HOLD_MS - 2_500)) == []
    assert told(machine.run(20_000 + HOLD_MS + 2_500)) == ["-driver.webdriver"]


def test_a_tool_that_comes_and_goes_does_not_make_the_player_stutter(engine: Engine) -> None:
    """Seen every second look: one finding that stands."""
    machine = Machine(engine)
    machine.run(100)
    said: list[Message] = []
    for turn in range(10):
        machine.rows["processes"] = [DRIVER] if turn % 2 else []
        said += machine.run(machine.now + 2_000)
    assert told(said) == ["+driver.webdriver"]


def test_i_closed_it_check_again_clears_at_once(engine: Engine) -> None:
    """The learner's recheck looks now and waits for no hold; what still stands is told again."""
    machine = Machine(engine)
    machine.rows["processes"] = [DRIVER]
    machine.run(3_000)
    machine.watch.handle(Recheck(), machine.now)
    assert "+driver.webdriver" in told(machine.take())
    machine.rows["processes"] = []
    machine.watch.handle(Recheck(), machine.now)
    assert "-driver.webdriver" in told(machine.take())


def test_a_finding_that_becomes_graver_is_told_again(engine: Engine) -> None:
    """Installed, then selected: informed first, paused then."""
    machine = Machine(engine)
    assert told(machine.run(1_000)) == ["+camera.virtual-present"]
    machine.watch.handle(Camera("OBS Virtual Camera"), machine.now)
    said = machine.run(machine.now + 100)
    assert "+camera.virtual-selected" in told(said)
    assert [entry.response for entry in said if isinstance(entry, Found)] == ["pause"]


def test_input_that_a_known_aid_sends_is_left_alone(engine: Engine) -> None:
    """The on-screen keyboard in the process table explains even keys."""
    machine = Machine(engine)
    machine.rows["inputs"] = [InputRow(injected=9, acts=9, period_ms=900, jitter=10, regular=True)]
    machine.rows["processes"] = [ProcessRow(name="onboard", exe="/usr/bin/python3.11")]
    assert "+input.loop" not in told(machine.run(3_000))
    machine.rows["processes"] = []
    assert "+input.loop" in told(machine.run(6_000))


def test_an_unreadable_source_is_said_once_and_is_not_a_finding(engine: Engine) -> None:
    """Unknown is recorded, never guessed, and does not stop the other sources."""
    machine = Machine(engine)
    machine.rows["inputs"] = CollectorError("x11: no display\x1b[0m")
    machine.rows["processes"] = [DRIVER]
    said = machine.run(30_000)
    notes = [entry.detail for entry in said if isinstance(entry, Note)]
    assert notes == ["inputs: unknown (x11: no display\\u001b[0m)"]
    assert "+driver.webdriver" in told(said)


def test_a_source_that_fails_is_unknown_and_does_not_end_the_agent(engine: Engine) -> None:
    """An error of nobody's own kind, whatever it says: the source is unknown, the others go on."""
    machine = Machine(engine)
    machine.rows["inputs"] = ZeroDivisionError("\x1b[2J")
    machine.rows["processes"] = [DRIVER]
    said = machine.run(30_000)
    notes = [entry.detail for entry in said if isinstance(entry, Note)]
    assert notes == ["inputs: unknown (failed with ZeroDivisionError)"]
    assert "+driver.webdriver" in told(said)


def test_it_beats_without_a_gap(engine: Engine) -> None:
    """Numbers rise by one, every `BEAT_MS`, with its rules and hashes."""
    machine = Machine(engine)
    while machine.now < 20_000:
        machine.watch.step(machine.now)
        machine.now = machine.watch.due_ms
    beats = [entry for entry in machine.said if isinstance(entry, Beat)]
    assert [entry.beat for entry in beats] == list(range(len(beats)))
    assert {later.agent_mono - earlier.agent_mono for earlier, later in pairwise(beats)} == {BEAT_MS}


def test_what_was_found_is_told_before_the_first_beat(engine: Engine) -> None:
    """The client may believe the first beat: the first look is behind it."""
    machine = Machine(engine)
    machine.rows["processes"] = [DRIVER]
    machine.watch.step(0)
    kinds = [type(entry).__name__ for entry in machine.said]
    assert kinds.index("Found") < kinds.index("Beat")


def test_over_budget_it_looks_less_often_and_says_so(engine: Engine) -> None:
    """Ten per cent of a core: the interval doubles, a note says so, beats go on."""
    machine = Machine(engine)
    notes = []
    while machine.now < 100_000:
        machine.watch.step(machine.now)
        machine.now = max(machine.now + 1, machine.watch.due_ms)
        machine.cost = Cost(machine.now // 10, 0)
    notes = [entry.detail for entry in machine.take() if isinstance(entry, Note)]
    assert any("less often" in note for note in notes)
    before, start = machine.looks, machine.now
    machine.run(start + 16_000)
    assert machine.looks - before <= 5


def test_foreground_and_camera_reach_the_collectors(engine: Engine) -> None:
    """What only the client knows is handed on."""
    machine = Machine(engine)
    machine.watch.handle(Foreground(False), 0)
    machine.watch.handle(Camera("x"), 0)
    assert (machine.context.in_client, machine.context.camera) == (False, "x")


def test_a_class_s_rules_take_the_place_of_the_built_in_ones(engine: Engine) -> None:
    """From the next beat on, which comes at once, the class's pack is named; what stands open is not told twice."""
    machine = Machine(engine)
    machine.rows["processes"] = [DRIVER]
    machine.run(3_000)
    machine.watch.handle(UseRules("11" * 32, "good", 0), machine.now)
    assert [entry.rules for entry in machine.said if isinstance(entry, Beat)] == ["11" * 32]
    assert told(machine.take()) == []


def test_rules_that_cannot_be_used_are_refused_and_the_refusal_is_recorded(engine: Engine) -> None:
    """The agent keeps to what it has: an institution's mistake stops nobody, and nobody judges by no rules."""
    machine = Machine(engine)
    machine.run(3_000)
    machine.watch.handle(UseRules("22" * 32, "expired", 0), machine.now)
    notes = [entry.detail for entry in machine.take() if isinstance(entry, Note)]
    assert notes == ["rules 2222222222222222… refused: TS-A-014 it ended"]
    machine.rows["processes"] = [DRIVER]
    assert told(machine.run(8_000)) == ["+driver.webdriver"]
    assert {entry.rules for entry in machine.said if isinstance(entry, Beat)} <= {HASH}
