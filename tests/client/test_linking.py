"""A learner who is signed in links a second way in, sees it, signs in by it, and takes it away again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.errors import BadAnswerError
from client.player.pages import Settings, Ways
from client.player.shown import SignIn
from client.sync import ways
from client.sync.api import Api
from tests.client.test_arrival import Says
from tests.client.test_journey import ALL, Client, enrolled
from tests.client.world import World
from tests.server_stub.elsewhere import Elsewhere as There
from tests.server_stub.elsewhere import elsewhere, ways_file

MINUTES = 60_000


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[tuple[World, Client, There]]:
    """A world whose server has both ways, and a learner who signed in by the code to the phone."""
    world = World(tmp_path, units=(("pass", 60_000),))
    with elsewhere(lambda: world.clock.wall_ms / 1000) as there:
        world.server.close()
        world.settings.ways.write_text(ways_file(there))
        world.start()
        client = enrolled(world, tmp_path / "pc")
        client.until("today")
        yield world, client, there
    world.close()


def page(client: Client) -> Ways:
    while client.journey.busy:
        client.journey.tick()
    found = client.journey.shown
    assert isinstance(found, Ways), found
    return found


def opened(client: Client) -> Ways:
    """From the overview through the settings."""
    journey = client.journey
    journey.own.to_settings()
    journey.linking.to_page()
    return page(client)


def wait(world: World, client: Client, ms: int = 8_000) -> None:
    for _ in range(0, ms, 100):
        world.clock.advance(100)
        client.journey.tick()


def linked(world: World, client: Client, there: There, subject: str = "anna") -> Ways:
    opened(client)
    client.journey.linking.link("oidc", "City")
    there.agree(subject)
    wait(world, client)
    return page(client)


@pytest.mark.slow
def test_a_second_way_is_linked_and_opens_the_same_learner(inside, tmp_path: Path) -> None:
    """A code on the screen, a yes in the browser, and the page says so; on another computer it signs in alone."""
    world, client, there = inside
    before = opened(client)
    assert (before.linked, before.offered) == ((), (("oidc", "City"), ("wechat", "微信")))
    linking = client.journey.linking
    linking.link("oidc", "City")
    now = page(client)
    assert (now.uri, now.user_code, now.way_name) == (f"{there.url}/go", "WDJB-MJHT", "City")
    wait(world, client)
    assert page(client).uri, "nobody agreed yet"
    there.agree("anna")
    wait(world, client)
    after = page(client)
    assert (after.linked, after.offered) == (((there.url, "City"),), (("wechat", "微信"),))
    assert after.done is not None
    assert after.done.key == "ways.linked"
    other = Client(world, tmp_path / "laptop")
    other.journey.choose(ALL)
    other.journey.arrival.choose("oidc")
    there.agree("anna")
    other.until("real_name")
    assert other.journey._who().me.learner == client.journey._who().me.learner


def test_what_is_taken_away_opens_nothing_any_more(inside, tmp_path: Path) -> None:
    """One press, and the account elsewhere is a stranger's again; the code to the phone works as ever."""
    world, client, there = inside
    linked(world, client, there)
    client.journey.linking.unlink(there.url)
    after = page(client)
    assert (after.linked, len(after.offered)) == ((), 2)
    assert after.done is not None
    assert after.done.key == "ways.unlinked"
    other = Client(world, tmp_path / "laptop")
    other.journey.choose(ALL)
    other.journey.arrival.choose("oidc")
    there.agree("anna")
    wait(world, other)
    shown = other.journey.shown
    assert isinstance(shown, SignIn)
    assert shown.trouble is not None
    assert shown.trouble.code == "TS-S-114"
    other.journey.other_account()
    other.sign_in()


def test_a_window_left_open_links_nobody_before_its_learner_signs_in_again(inside) -> None:
    """Whoever sits down at a forgotten window has its token, not the phone; the learner signs in, and it goes on."""
    world, client, there = inside
    opened(client)
    wait(world, client, 11 * MINUTES)
    journey = client.journey
    journey.linking.link("oidc", "City")
    while journey.busy:
        journey.tick()
    shown = journey.shown
    assert isinstance(shown, SignIn)
    assert shown.trouble is not None
    assert "确认是您本人" in shown.trouble.sentence.zh, "the server's own sentence, not that the sign-in ended"
    client.clock.advance(31_000)
    journey.ask_code("learner")
    journey.tick()
    journey.enter_code(world.codes.sent["learner"])
    client.until("ways")
    now = page(client)
    assert (now.way, now.user_code) == ("oidc", "WDJB-MJHT")
    there.agree("anna")
    wait(world, client)
    assert page(client).linked == ((there.url, "City"),)


def test_what_another_learner_asked_for_is_not_gone_on_with(inside) -> None:
    """On a shared computer the next who signs in links nothing that was asked for before."""
    _world, client, _there = inside
    opened(client)
    linking = client.journey.linking
    linking._wanted = ("f" * 32, "oidc", "City")
    assert not linking.enter(client.journey._who().enrolment)
    assert linking._wanted is None


@pytest.mark.slow
def test_an_account_that_is_somebody_elses_is_not_taken(inside) -> None:
    """Linked to another learner before: the sentence says so, and nothing changes on either side."""
    world, client, there = inside
    store = world.server.services.ways._store
    store.link(there.url, "anna", "another")
    opened(client)
    client.journey.linking.link("oidc", "City")
    there.agree("anna")
    wait(world, client)
    now = page(client)
    assert now.trouble is not None
    assert store.linked(there.url, "anna") == "another"
    client.journey.linking.cancel()
    assert page(client).linked == ()


def test_a_yes_after_leaving_the_page_is_asked_for_no_more(inside) -> None:
    """Back in the settings nothing is waited for; the way back leads to where one was."""
    world, client, there = inside
    opened(client)
    journey = client.journey
    journey.linking.link("oidc", "City")
    page(client)
    journey.back()
    assert isinstance(journey.shown, Settings)
    asked = there.asked.count("/token")
    wait(world, client, 20_000)
    assert there.asked.count("/token") == asked
    journey.back()
    client.until("today")


def test_a_refusal_elsewhere_is_one_sentence_and_can_be_tried_again(inside) -> None:
    """Denied there: the button begins anew."""
    world, client, there = inside
    opened(client)
    client.journey.linking.link("oidc", "City")
    there.agree("denied")
    wait(world, client)
    trouble = page(client).trouble
    assert trouble is not None
    assert trouble.code == "TS-S-113"
    client.journey.linking.retry()
    there.agree("anna")
    wait(world, client)
    assert page(client).linked == ((there.url, "City"),)


@given(st.binary(max_size=200) | st.dictionaries(
    st.just("links"),
    st.none() | st.lists(st.integers() | st.dictionaries(
        st.sampled_from(["issuer", "way", "name"]), st.integers() | st.text(max_size=90))),
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_whatever_the_server_says_of_links_is_read_or_refused(body: bytes) -> None:
    """Nothing but our own errors leaves; a way that this client does not know is none."""
    try:
        found = ways.links(Api(Says(body)))
    except BadAnswerError:
        return
    assert all(one.way in ("", *ways.KNOWN) and len(one.name) <= 60 for one in found)
