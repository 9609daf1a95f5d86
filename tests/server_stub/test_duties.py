"""Roles at places: what a duty gives, where it ends, and that nobody gives more than they hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_stub.domain.duties import EVERYWHERE, KINDS, ROLE_PLACES, ROLES, Duty, Place, Right, Tree
from server_stub.domain.errors import NotAllowedError, ServerError, UnreadableError

PLACES = (
    Place("district/north", "North"),
    Place("district/south", "South"),
    Place("institution/school", "School", "district/north"),
    Place("institution/other", "Other school", "district/north"),
    Place("class/a", "A", "institution/school"),
    Place("class/b", "B", "institution/other"),
    Place("employer/works", "Works", "district/north"),
)
TREE = Tree(PLACES)


def sees(duty: Duty) -> set[str]:
    return {key for key in ("class/a", "class/b", "class/unplaced") if TREE.may([duty], Right.SEE, key)}


def test_a_duty_holds_below_its_place_and_nowhere_else() -> None:
    """R1.7: a district sees its schools' classes, a school its own, a teacher one; none sees a class placed nowhere."""
    assert sees(Duty("x", "supervisor", "district/north")) == {"class/a", "class/b"}
    assert sees(Duty("x", "supervisor", "district/south")) == set()
    assert sees(Duty("x", "officer", "institution/school")) == {"class/a"}
    assert sees(Duty("x", "teacher", "class/b")) == {"class/b"}
    assert sees(Duty("x", "supervisor", EVERYWHERE)) == {"class/a", "class/b", "class/unplaced"}


def test_an_employer_sees_no_learner() -> None:
    """Devices and counts; sessions, findings and identity numbers are not an employer's."""
    duties = [Duty("x", "employer", "employer/works")]
    assert TREE.may(duties, Right.FLEET, "employer/works")
    assert not any(TREE.may(duties, Right.SEE, place.key) for place in PLACES)
    assert not TREE.anywhere(duties, Right.REVEAL)


def test_nobody_gives_more_than_they_hold() -> None:
    """A school's administrator makes teachers of that school: no supervisor of the district, no one elsewhere."""
    mine = [Duty("x", "administrator", "institution/school")]
    TREE.check_duty(Duty("y", "teacher", "class/a"), mine)
    TREE.check_duty(Duty("y", "officer", "institution/school"), mine)
    for duty in (
        Duty("y", "teacher", "class/b"), Duty("y", "supervisor", "district/north"), Duty("y", "administrator"),
    ):  # fmt: skip
        with pytest.raises(NotAllowedError):
            TREE.check_duty(duty, mine)
    with pytest.raises(NotAllowedError):
        TREE.check_duty(Duty("y", "teacher", "class/a"), [Duty("x", "supervisor")])


@pytest.mark.parametrize(
    "duty", [Duty("y", "king"), Duty("y", "teacher", "district/north"), Duty("y", "teacher", "class/none"),
             Duty("y", "officer", EVERYWHERE)]
)  # fmt: skip
def test_a_duty_that_makes_no_sense_is_refused(duty: Duty) -> None:
    with pytest.raises(UnreadableError):
        TREE.check_duty(duty, [Duty("x", "administrator")])


@pytest.mark.parametrize(
    "place",
    [
        Place("class/../etc", "x"),
        Place("class/a", "", "institution/school"),
        Place("institution/new", "x", "district/none"),
        Place("district/x", "x", "institution/school"),
        Place("class/c", "x", "class/a"),
        Place("district/north", "x", "district/north"),
    ],
)
def test_a_place_that_makes_no_sense_is_refused(place: Place) -> None:
    with pytest.raises(UnreadableError):
        TREE.check_place(place)


def test_a_ring_of_places_ends() -> None:
    """Written by another program, a ring gives nobody a right, and no loop runs for ever."""
    ring = Tree([Place("district/a", "a", "district/b"), Place("district/b", "b", "district/a")])
    assert ring.chain("district/a") == ("district/a", "district/b", EVERYWHERE)


keys = st.builds(lambda kind, name: f"{kind}/{name}", st.sampled_from(KINDS), st.sampled_from(["a", "b", "c"]))
places = st.lists(st.builds(Place, keys, st.just("x"), st.one_of(st.just(""), keys)), max_size=8)
duties = st.lists(
    st.builds(Duty, st.just("x"), st.sampled_from([*ROLES, "king"]), st.one_of(st.just(""), keys)), max_size=3
)


@given(places, duties, st.sampled_from(list(Right)), keys)
def test_no_duty_reaches_beyond_its_place(found: list[Place], held: list[Duty], right: Right, key: str) -> None:
    """In any tree: who may, holds a duty at the place or around it whose role gives that right."""
    tree = Tree(found)
    around = tree.chain(key)
    want = any(duty.place in around and right in ROLES.get(duty.role, ()) for duty in held)
    assert tree.may(held, right, key) is want


@given(places, duties, duties)
def test_giving_never_adds_up_to_more(found: list[Place], held: list[Duty], given_: list[Duty]) -> None:
    """Whatever is given, step by step, no right at any place comes into being that the giver did not have."""
    tree = Tree(found)
    got = []
    for duty in given_:
        try:
            tree.check_duty(duty, held)
        except ServerError:
            continue
        got.append(duty)
    for place in found:
        for right in Right:
            if tree.may(got, right, place.key):
                assert tree.may(held, right, place.key)


def test_every_role_is_held_somewhere() -> None:
    assert set(ROLES) == set(ROLE_PLACES)
