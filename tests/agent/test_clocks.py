"""Clocks: what a library bends is told from suspend and from a corrected clock."""

from __future__ import annotations

import pytest

from agent.clocks import clock_row
from agent.engine import Engine, gravest


@pytest.mark.parametrize(
    ("wall", "mono", "boot", "uptime", "action"),
    [
        (3_000, 3_000, 3_000, 3_000, "none"),
        (60_000, 60_000, 60_000, 60_100, "none"),
        (3_605_000, 5_000, 3_605_000, 3_605_000, "none"),  # suspend
        (3_605_000, 5_000, None, 3_605_000, "none"),
        (3_000, 3_000, 3_000, 300, "block"),  # libfaketime x10
        (300, 300, 300, 3_000, "block"),  # libfaketime x0.1
        (66_000, 66_000, 66_000, 60_000, "block"),  # a tenth faster
        (7_202_000, 2_000, 2_000, 2_000, "report"),  # set forward by hand
        (-7_198_000, 2_000, 2_000, 2_000, "report"),  # set back by hand
        (2_900, 2_000, 2_000, 2_000, "none"),  # a small correction
        (5_402_000, 2_000, None, None, "report"),
    ],
)
def test_clocks_against_each_other(
    engine: Engine, wall: int, mono: int, boot: int | None, uptime: int | None, action: str
) -> None:
    """Each constellation has its action; a wrong clock alone never pauses anybody."""
    assert gravest(engine.judge([clock_row(wall, mono, boot, uptime)])) == action


def test_a_time_service_that_corrects_the_clock_only_informs(engine: Engine) -> None:
    """The first synchronisation after a flat battery is ordinary."""
    assert gravest(engine.judge([clock_row(86_400_000, 2_000, 2_000, 2_000, synchronised=True)])) == "inform"
