"""The agent's own cost: the budget grows with the machine, and the pace follows it both ways."""

from __future__ import annotations

from agent.watchdog import (
    MAX_SLOWDOWN,
    RSS_BUDGET,
    WINDOW_MS,
    Cost,
    Watchdog,
    _seldom,
    budget_permille,
    give_back,
    measure,
)


def test_the_budget_is_one_per_cent_and_three_on_a_crowded_machine() -> None:
    """10 per mille at 150 processes, 30 at 1,000."""
    assert [budget_permille(count) for count in (0, 150, 1_000, 9_999)] == [10, 10, 30, 30]


def test_it_slows_down_and_recovers() -> None:
    """Too dear: half as often, down to an eighth; cheap for long: back again."""
    dog, now, used = Watchdog(0, Cost(0, 0)), 0, 0
    for permille, expected in [(500, 1), (50, 2), (50, 4), (50, 8), (50, 8), (1, 8), (1, 8), (1, 8), (1, 4)]:
        now, used = now + WINDOW_MS, used + WINDOW_MS * permille // 1000
        dog.step(now, Cost(used, 0), 100)
        assert dog.slowdown == expected
    assert dog.slowdown <= MAX_SLOWDOWN


def test_too_much_memory_is_said_once() -> None:
    """Memory cannot be slowed away; it is recorded."""
    dog = Watchdog(0, Cost(0, 0))
    said = [dog.step(turn * WINDOW_MS, Cost(0, RSS_BUDGET + 1), 100) for turn in range(1, 6)]
    assert sum(text is not None and "MiB" in text for text in said) == 1


def test_the_measure_is_this_process() -> None:
    """CPU rises with work; memory is what the kernel says."""
    before = measure()
    sum(range(3_000_000))
    after = measure()
    assert after.cpu_ms > before.cpu_ms
    assert after.rss > 1 << 20


def test_only_code_of_seldom_used_libraries_is_given_back() -> None:
    """Never data, never another library: what was written must stay."""
    maps = (
        "7f00-7f10 r-xp 00000000 08:01 5 /site-packages/yara_x/yara_x.abi3.so\n"
        "7f10-7f20 rw-p 00000000 08:01 5 /site-packages/yara_x/yara_x.abi3.so\n"
        "7f20-7f30 r--p 00000000 08:01 5 /site-packages/yara_x/yara_x.abi3.so\n"
        "7f30-7f40 r-xp 00000000 08:01 6 /usr/lib/libc.so.6\n"
        "7f40-7f50 r-xp 00000000 00:00 0\n"
    )
    assert _seldom(maps) == [(0x7F00, 0x7F10)]


def test_what_was_given_back_is_there_at_need() -> None:
    """A library whose code was dropped works on: its pages come from its file again."""
    from ledger import keys

    vkey = str(keys.generate("a.example/r", keys.ED25519).vkey)
    give_back()
    assert keys.parse_vkey(vkey).name == "a.example/r"
    assert str(keys.generate("a.example/r", keys.ED25519).vkey) != vkey
