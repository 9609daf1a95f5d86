"""How a learner comes in by the screens alone: an activation code, a sign-in elsewhere, a lost way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.errors import BadAnswerError
from client.player import shown
from client.ports import Reply
from client.sync import ways
from client.sync.ways import Elsewhere, is_web
from server_stub.domain.duties import Duty, Place
from server_stub.domain.passwords import hash_password
from server_stub.domain.people import Account
from server_stub.domain.registry import Enrolment, Person
from tests.client.test_journey import ALL, Client
from tests.client.world import World
from tests.server_stub.elsewhere import Elsewhere as There
from tests.server_stub.elsewhere import elsewhere, ways_file


@pytest.fixture
def arriving(tmp_path: Path) -> Iterator[tuple[World, Client, There]]:
    """A world whose server has both ways, and a client whose notice was read."""
    world = World(tmp_path, units=(("pass", 60_000),))
    with elsewhere(lambda: world.clock.wall_ms / 1000) as there:
        world.server.close()
        world.settings.ways.write_text(ways_file(there))
        world.start()
        client = Client(world, tmp_path / "pc")
        client.journey.choose(ALL)
        client.journey.tick()
        yield world, client, there
    world.close()


def page(client: Client) -> shown.SignIn:
    found = client.journey.shown
    assert isinstance(found, shown.SignIn)
    return found


def test_an_activation_code_opens_the_door(arriving) -> None:
    """From the other way's button to the real name; a wrong code is one sentence, and the right one works after it."""
    world, client, _there = arriving
    code = world.server.services.sign_in.issue("learner")
    client.journey.arrival.choose("activation")
    assert page(client).step == "activation"
    client.journey.enter_code("AAAAA-AAAAA")
    client.journey.tick()
    trouble = page(client).trouble
    assert trouble is not None
    assert trouble.code == "TS-S-012"
    client.journey.enter_code(code.lower())
    client.until("real_name")


@pytest.mark.slow
def test_an_employers_token_opens_its_learners_first_sign_in(arriving, tmp_path: Path) -> None:
    """Without a code; whom it does not serve, or not any more, gets the code to the phone as everywhere."""
    world, _client, _there = arriving
    registry, people = world.server.registry, world.server.people
    registry.put_place(Place("employer/works", "Works"))
    for at, employer in ((1, "employer/works"), (2, "employer/other")):
        person = Person(f"fresh{at}", f"{at:032x}", f"Fresh {at}", employer=employer)
        registry.enrol(people.classes()[0].class_id, [Enrolment(person, f"{at + 16:032x}", True)])
    people.add_account(Account("boss", "Boss", password=hash_password("correct horse battery")))
    registry.add_duty(Duty("boss", "employer", "employer/works"))
    boss = people.account("boss")
    token = world.server.services.tokens.make(boss, "employer/works", "line 2", 7, 5)
    for account, page_after in (("fresh1", "real_name"), ("fresh2", "sign_in"), ("fresh1", "sign_in")):
        client = Client(world, tmp_path / f"token-{account}-{page_after}", token=token)
        client.journey.choose(ALL)
        client.clock.advance(31_000)
        client.journey.ask_code(account)
        client.until(page_after)
        if page_after == "sign_in":
            assert (page(client).step, page(client).trouble) == ("code", None)
            assert account in world.codes.sent
        else:
            assert account not in world.codes.sent


def test_the_servers_ways_are_offered(arriving) -> None:
    """Under the names that the operator gave them; asked for once."""
    _world, client, _there = arriving
    assert page(client).ways == (("oidc", "City"), ("wechat", "微信"))


def test_a_yes_elsewhere_opens_the_door_by_itself(arriving) -> None:
    """The code stands on the screen, the browser opens its page, and once somebody agreed the window goes on."""
    world, client, there = arriving
    keys = world.server.services
    account = keys.people.account("learner")
    asked = keys.ways.begin("oidc", account)
    there.agree("anna")
    world.clock.advance(6_000)
    assert keys.ways.poll(asked.handle)[0] == ""
    arrival = client.journey.arrival
    opened: list[str] = []
    arrival.waited.open = opened.append
    arrival.choose("oidc")
    client.journey.tick()
    assert (page(client).step, page(client).user_code, page(client).way_name) == ("elsewhere", "WDJB-MJHT", "City")
    arrival.browse()
    assert opened == [f"{there.url}/go"]
    for _ in range(100):
        world.clock.advance(100)
        client.journey.tick()
    assert page(client).step == "elsewhere", "nobody agreed yet"
    there.agree("anna")
    client.until("real_name")


def test_whom_nobody_linked_is_told_the_way(arriving) -> None:
    """One sentence with the remedy; back at the account everything else is still possible."""
    world, client, there = arriving
    client.journey.arrival.choose("oidc")
    there.agree("stranger")
    for _ in range(100):
        world.clock.advance(100)
        client.journey.tick()
    trouble = page(client).trouble
    assert trouble is not None
    assert trouble.code == "TS-S-114"
    client.journey.other_account()
    assert (page(client).step, page(client).trouble) == ("account", None)


@pytest.mark.slow
def test_what_was_left_does_not_come_back(arriving) -> None:
    """The learner chose another way meanwhile: a yes elsewhere signs nobody in here."""
    world, client, there = arriving
    client.journey.arrival.choose("oidc")
    client.journey.tick()
    client.journey.arrival.choose("help")
    there.agree("anna")
    for _ in range(100):
        world.clock.advance(100)
        client.journey.tick()
    assert page(client).step == "help"


def test_a_server_without_other_ways_is_no_trouble(tmp_path: Path) -> None:
    """An older server, or none at all: the code to the phone is there all the same."""
    world = World(tmp_path, units=(("pass", 60_000),))
    world.net.hits, world.net.change = (lambda _m, path: path.endswith("/ways")), lambda _reply: Reply(404, b"{}")
    client = Client(world, tmp_path / "pc")
    client.journey.choose(ALL)
    client.journey.tick()
    assert (page(client).ways, page(client).trouble) == ((), None)
    world.close()


# --- what the server says ---------------------------------------------------------------------------------------------


class Says:
    """A transport with one answer."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def send(self, *_: Any, **__: Any) -> Reply:
        return Reply(200, self.body)


@pytest.mark.parametrize(
    "uri", ["javascript:alert(1)", "file:///etc/passwd", "http://far.example/", "https:///x", "https://a b", "https://é.x",
            "https://x\nhttps://y", "ftp://x", "", "https://" + "a" * 700, "https://[1"],
)  # fmt: skip
def test_only_a_page_is_opened_in_a_browser(uri: str) -> None:
    """https, or plain http on this machine; what else a server names is no address."""
    assert not is_web(uri)
    assert is_web("https://id.example/device?x=1")
    assert is_web("http://127.0.0.1:80/x")


@given(st.binary(max_size=200) | st.dictionaries(
    st.sampled_from(["handle", "uri", "user_code", "wait", "token", "learner", "name", "ways"]),
    st.none() | st.integers() | st.text(max_size=20) | st.just("ab" * 16) | st.just("https://x.example/"),
).map(lambda value: __import__("json").dumps(value).encode()))  # fmt: skip
def test_whatever_the_server_says_is_read_or_refused(body: bytes) -> None:
    """Nothing but our own errors leaves; what is taken has an address that may be opened."""
    for ask in (
        lambda: ways.begin(Says(body), "oidc"), lambda: ways.poll(Says(body), "ab" * 16), lambda: ways.ways(Says(body))
    ):
        try:
            found = ask()
        except BadAnswerError:
            continue
        assert not isinstance(found, Elsewhere) or is_web(found.uri)
        assert not isinstance(found, int) or 500 <= found <= 60_000
