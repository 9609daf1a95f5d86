"""The Windows collectors on scripted machines: what is new, what is gone, what is unknown. Runs on every system."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agent.collectors import Context
from agent.collectors.desktop import Desktop, Window
from agent.collectors.heard import Heard
from agent.collectors.inputs import Inputs
from agent.collectors.selves import Ourselves
from agent.collectors.table import FULL_MS, Processes
from agent.collectors.windows import api, smbios
from agent.collectors.windows.clocks import Clocks, Reading
from agent.collectors.windows.ear import Ear, key_event, mouse_event
from agent.collectors.windows.ourselves import SystemSelves
from agent.collectors.windows.processes import SystemProcesses
from agent.collectors.windows.registry import SystemRegistry
from agent.collectors.windows.resources import Version, version_of
from agent.collectors.windows.signatures import Signers
from agent.collectors.windows.sockets import Sockets
from agent.engine import Engine, gravest
from agent.errors import CollectorError
from agent.tables import ClockRow, InputRow, ProcessRow, WindowRow
from tests.agent.windows.scripted import ScriptedSystem


@pytest.fixture
def system() -> ScriptedSystem:
    return ScriptedSystem()


def rows(table: Processes, now_ms: int = 0) -> dict[int, ProcessRow]:
    return {row.pid: row for row in table.collect(now_ms) if isinstance(row, ProcessRow)}


def test_only_what_is_new_is_read(system: ScriptedSystem, engine: Engine) -> None:
    """A renamed tool is known by its version resource; nothing is asked twice."""
    system.table[100] = (4, "explorer.exe", 1_000, r"C:\Windows\explorer.exe", "explorer")
    system.table[200] = (100, "helper.exe", 21_000, r"C:\t\helper.exe", "helper x.ahk")
    table = Processes(system)
    assert set(rows(table)) == {100, 200}
    row = rows(table)[200]
    assert (row.parents, row.original_name) == (("explorer.exe",), "AutoHotkey.exe")
    assert gravest(engine.judge([row])) == "pause"
    assert system.asked == [100, 200]
    del system.table[200]
    assert set(rows(table)) == {100}


def test_a_number_that_is_used_again_is_another_process(system: ScriptedSystem) -> None:
    """By its name at once, by its start within ten seconds; and a parent younger than its child is none."""
    system.table[100] = (0, "cmd.exe", 5_000, "", "")
    system.table[200] = (100, "tool.exe", 1_000, "", "old")
    table = Processes(system)
    assert rows(table)[200].parents == ()
    system.table[200] = (100, "other.exe", 9_000, "", "")
    assert (rows(table, 2_000)[200].name, rows(table, 2_000)[200].parents) == ("other.exe", ("cmd.exe",))
    system.table[200] = (100, "other.exe", 9_500, "", "new")
    assert rows(table, 4_000)[200].cmdline == ""
    assert rows(table, FULL_MS)[200].cmdline == "new"


def test_short_lived_tools_are_counted(system: ScriptedSystem) -> None:
    """Three within a minute, each seen alone; a minute later they are forgotten."""
    table = Processes(system)
    table.collect(0)
    for turn in range(3):
        system.table = {300 + turn: (0, "nircmd.exe", turn + 1, "", "")}
        found = rows(table, 2_000 * (turn + 1))
    assert found[302].births == 3
    assert rows(table, 90_000)[302].births == 1


def test_a_ring_of_parents_ends(system: ScriptedSystem) -> None:
    """Two processes that call each other parent."""
    system.table = {1: (2, "a.exe", 0, "", ""), 2: (1, "b.exe", 0, "", "")}
    assert len(rows(Processes(system))[1].parents) <= 16


def test_signatures_are_checked_a_few_at_a_look(system: ScriptedSystem, tmp_path: Path) -> None:
    """A check reads the whole file: what is over a look's budget waits, and a file is asked about once."""
    asked: list[str] = []
    for number in range(3):
        path = tmp_path / f"{number}.exe"
        path.write_bytes(bytes(100))
        system.table[number + 10] = (0, path.name, 1, str(path), "")

    def ask(path: str) -> str:
        asked.append(path)
        return "Somebody"

    system.signers = Signers(ask, budget=150)
    table = Processes(system)
    signed = [sum(row.signer == "Somebody" for row in rows(table, turn).values()) for turn in range(4)]
    assert signed == [1, 2, 3, 3]
    assert len(asked) == 3


def test_what_windows_does_not_tell_is_unknown() -> None:
    """On no Windows at all every source that asks it says unknown; nothing else leaves."""
    if sys.platform == "win32":
        pytest.skip("left out: this is Windows")
    ours = Ourselves(Context(), SystemSelves())
    for ask in (Sockets(), ours, Clocks(), Inputs(Ear().ready, Context()), Processes(SystemProcesses())):
        with pytest.raises(CollectorError):
            ask.collect(0)  # type: ignore[attr-defined]
    with pytest.raises(CollectorError):
        SystemRegistry()
    with pytest.raises(CollectorError):
        smbios.table()
    assert version_of("C:\\x.exe") == Version()
    assert api.wine_version() == ""


# --- clocks -----------------------------------------------------------------------------------------------------------


def readings(*moments: tuple[int, int, int, int]) -> Clocks:
    """Clocks that show (wall, counter, ticks, kernel's uptime) one after the other."""
    made = iter([Reading(wall, (counter, ticks, up), ticks, up, up) for wall, counter, ticks, up in moments])
    return Clocks(lambda: next(made))


@pytest.mark.parametrize(
    ("later", "rules"),
    [
        ((10_000, 10_000, 10_000, 10_000), set()),
        ((100_000, 100_000, 10_000, 10_000), {"clock.bent"}),  # the counter was replaced
        ((10_000, 10_000, 100_000, 10_000), {"clock.bent"}),  # the ticks were
        ((3_600_000, 3_600_000, 3_600_000, 3_600_000), set()),  # an hour asleep: all of them say so
    ],
)
def test_a_tool_that_replaces_the_clocks_functions_is_seen(
    later: tuple[int, int, int, int], rules: set[str], engine: Engine
) -> None:
    """The page that the kernel writes does not go along."""
    source = readings((0, 0, 0, 0), later)
    assert source.collect(0) == []
    (row,) = source.collect(0)
    assert isinstance(row, ClockRow)
    assert {finding.rule for finding in engine.judge([row]) if finding.rule == "clock.bent"} == rules


# --- input and foreground ---------------------------------------------------------------------------------------------


def test_only_made_input_is_kept(engine: Engine) -> None:
    """A hand's keys leave nothing; a loop's clicks leave their moments; key-up and button-up are no acts."""
    heard = Heard()
    for turn in range(8):
        key_event(heard, 0x00, 500 * turn + 77)
        mouse_event(heard, 0x0200, 0x00, 500 * turn + 80)
    assert not heard.made
    inputs = Inputs(lambda: heard, Context(in_client=True))
    assert inputs.collect(4_000) == []
    for turn in range(8):
        mouse_event(heard, 0x0201, 0x01, 10_000 + 500 * turn)
        mouse_event(heard, 0x0202, 0x01, 10_010 + 500 * turn)
        key_event(heard, 0x10 | 0x80, 10_020 + 500 * turn)
    (row,) = inputs.collect(14_000)
    assert isinstance(row, InputRow)
    assert (row.injected, row.acts, row.regular, row.sources) == (8, 8, True, ("WH_MOUSE_LL",))
    assert [finding.rule for finding in engine.judge([row])] == ["input.loop"]
    heard.forget(10_000_000)
    assert inputs.collect(10_000_000) == []


def test_who_asked_for_another_window_is_no_theft() -> None:
    """A key or a click just before: the learner went away by himself. A movement asks for nothing."""
    heard = Heard()
    heard.client_pid = 7
    heard.front(7, 10_000)
    key_event(heard, 0x00, 12_000)
    heard.front(9, 12_300)
    assert not heard.taken
    heard.front(7, 20_000)
    mouse_event(heard, 0x0200, 0x00, 29_900)
    heard.front(0, 29_950)  # between two windows nobody has it
    heard.front(9, 30_000)
    assert [(entry.at_ms, entry.pid) for entry in heard.taken] == [(30_000, 9)]
    heard.front(11, 40_000)  # from a stranger to a stranger
    assert len(heard.taken) == 1


def test_windows_are_told_without_their_titles() -> None:
    """Who is in front, who took it within the last minute; a program that the table does not show has no name."""
    heard = Heard()
    heard.client_pid = 7
    for moment in (10_000, 20_000, 30_000):
        heard.front(7, moment)
        heard.front(9, moment + 5_000)
    shown = [Window(7, "SDL_app", False, False), Window(9, "Popup", True, True), Window(9, "Popup", True, True)]
    names = [ProcessRow(name="client.exe", pid=7)]
    desktop = Desktop(lambda: heard, Context(client_pid=7), lambda: names, lambda: shown, lambda: 9)
    assert desktop.collect(40_000) == [
        WindowRow("client.exe", 7, "SDL_app", False, False, False, 0),
        WindowRow("", 9, "Popup", True, True, True, 3),
    ]
    assert desktop.collect(90_000)[1].taken == 1  # type: ignore[union-attr]
