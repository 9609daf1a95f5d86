"""A frame that cannot be judged says in one word what to change; looking down or aside is presence."""

from __future__ import annotations

import pytest

from client.proctor import presence, quality
from client.proctor.limits import Limits
from client.proctor.seen import Seen
from tests.client.proctor.scenes import face, seen


@pytest.mark.parametrize(
    ("word", "frame"),
    [
        ("", seen()),
        ("nobody", seen(faces=())),
        ("covered", seen(faces=(), light=4.0, contrast=2.0)),
        ("covered", seen(faces=(), light=90.0, contrast=3.0)),
        ("dark", seen(faces=(), light=18.0, contrast=12.0)),
        ("dark", seen(face_light=30.0)),
        ("bright", seen(face_light=250.0)),
        ("far", seen(faces=(face(height=60),))),
        ("close", seen(faces=(face(height=430),))),
        ("blurred", seen(sharp=2.0)),
        ("several", seen(faces=(face(80), face(400)))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_word_says_what_to_change(word: str, frame: Seen, shipped: Limits) -> None:
    """The gravest one first."""
    assert quality.hint(frame, shipped) == word


def test_people_in_the_background_are_ordinary_life(shipped: Limits) -> None:
    """Somebody small behind the learner is counted, but is neither near nor a hint."""
    look = presence.look(seen(faces=(face(), face(20, height=50))), shipped)
    assert (look.faces, look.near, look.hint) == (2, 1, "")


def test_looking_aside_is_presence(shipped: Limits) -> None:
    """A face counts wherever it is turned; only `near` asks whether it looks to the screen."""
    look = presence.look(seen(faces=(face(turned=1.5),)), shipped)
    assert (look.faces, look.near, look.hint) == (1, 0, "")


def test_a_blurred_face_is_present_all_the_same(shipped: Limits) -> None:
    """What spoils a comparison does not spoil presence."""
    assert presence.look(seen(sharp=1.0), shipped).hint == ""


def test_the_template_counts_a_good_look_more_than_a_poor_one() -> None:
    """Small, dim and turned looks weigh less."""
    good = quality.weight(seen())
    assert good > quality.weight(seen(face_light=60.0))
    assert good > quality.weight(seen(faces=(face(height=90),)))
    assert good > quality.weight(seen(faces=(face(turned=0.4),)))
    assert quality.weight(seen(faces=())) == 0


def test_somebody_at_the_next_desk_is_not_near(shipped: Limits) -> None:
    """Large enough to sit at a screen, but half as tall as the one who sits at this one."""
    together = seen(faces=(face(height=165), face(x=500, height=92)))
    assert presence.look(together, shipped).near == 1
    assert quality.hint(together, shipped) == ""
    beside = seen(faces=(face(height=165), face(x=420, height=140)))
    assert (presence.look(beside, shipped).near, quality.hint(beside, shipped)) == (2, "several")
