"""A check that no attempt could decide is a help case: the other way is offered, and nobody is blamed."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.events import Order
from client.player.i18n import FORBIDDEN, LANGUAGES, say
from client.screen import Figures, view
from client.view import ResultView, Sentence, View
from ledger.events import Closed, Fault
from tests.client.bench import Bench, check_log, policy
from tests.client.test_journey import Client, enrolled
from tests.client.world import World


def shown(bench: Bench) -> View:
    """The screen of now."""
    return view(bench.state, Figures(), wanted=True, opening=False, begun=True)


def unclear(bench: Bench, reason: str = "dark", attempts: int = 3) -> None:
    """Every attempt of check 1 ends with `reason`."""
    for a in range(attempts):
        bench.answer(order=Order(1, a, f"{a + 1:032x}", 20_000))
        bench.pass_check("inconclusive", reason)


def test_an_unclear_attempt_says_in_one_sentence_what_to_change() -> None:
    """Too dark: more light, one more try."""
    bench = Bench().study()
    unclear(bench, "dark", attempts=1)
    said = shown(bench)
    assert said.phase == "judging"
    assert "more light" in say("en", said.sentence)
    assert "请开灯" in say("zh", said.sentence)


def test_a_check_that_stays_open_offers_the_other_way_and_is_logged_as_a_help_case() -> None:
    """Three unclear attempts: the lesson stands, one sentence, two buttons, a fault of the machine and no finding."""
    bench = Bench().study()
    unclear(bench, "dark")
    said = shown(bench)
    assert (said.phase, said.sentence) == ("paused", Sentence("pause.help", {"advice": Sentence("advice.dark")}))
    assert said.button is not None
    assert said.second is not None
    assert (said.button.what, said.second.what) == ("play", "other_way")
    faults = [body.detail for body in bench.bodies(Fault)]  # type: ignore[attr-defined]
    assert faults == ["help case: check 1 stayed open after 3 attempts: dark"]
    assert "finding" not in bench.verbs
    assert bench.state.tally.mismatches == 0
    check_log(bench)


def test_a_class_without_codes_offers_a_person() -> None:
    """The way that this class accepts, and no other."""
    bench = Bench(rules=policy(routes=("room", "call"))).study()
    unclear(bench)
    said = shown(bench)
    assert said.sentence.key == "pause.help_person"
    assert said.second is not None
    assert (said.second.what, said.second.label) == ("other_way", "button.other_way_person")


def test_continue_goes_on_with_the_camera() -> None:
    """One tap, and the lesson plays; the next check decides."""
    bench = Bench().study()
    unclear(bench)
    bench.press("play")
    assert bench.playing
    assert shown(bench).second is None
    check_log(bench)


def test_another_person_is_no_help_case() -> None:
    """What the camera saw clearly needs no other way to see it."""
    bench = Bench().study()
    for a in range(3):
        bench.answer(order=Order(1, a, f"{a + 1:032x}", 20_000))
        bench.pass_check("failed", "other_person")
    assert shown(bench).second is None
    assert not bench.bodies(Fault)


def test_a_single_unclear_attempt_of_a_lenient_class_is_one_too() -> None:
    """`max_attempts` is the programme's."""
    bench = Bench(rules=policy(max_attempts=1)).study()
    unclear(bench, "camera_lost", attempts=1)
    assert shown(bench).sentence.values["advice"] == Sentence("advice.camera_lost")


def test_the_other_way_ends_the_session_without_another_look() -> None:
    """Whoever could not be seen is not asked for one more look before going on by code."""
    bench = Bench().study()
    bench.play(3_000)
    unclear(bench)
    bench.press("other_way")
    bench.answer()
    bench.tick(3_000)
    assert bench.over
    assert bench.state.other_way
    assert bench.bodies(Closed) == [Closed("ended")]
    assert "asked" not in bench.verbs
    check_log(bench)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_reason_of_a_check_is_without_a_kind_sentence(language: str) -> None:
    """Every reason that the judges give has its advice, in both languages, without a word of blame."""
    for reason in (
        "dark", "bright", "far", "close", "blurred", "covered", "hidden", "turned", "nobody", "two_faces",
        "camera_lost", "still_picture", "gesture", "late", "not_clear", "no_template", "other_engine",
        "proctor_restarted", "other",
    ):  # fmt: skip
        words = say(language, Sentence("pause.help", {"advice": Sentence(f"advice.{reason}")}))
        assert not words.startswith("advice."), reason
        assert not [word for word in FORBIDDEN if word in words.lower()]


@pytest.fixture
def world(tmp_path: Path):  # type: ignore[no-untyped-def]
    world = World(tmp_path, units=(("pass", 60_000),))
    yield world
    world.close()


@pytest.mark.slow
def test_the_learner_goes_on_by_code_in_the_same_course(world: World, tmp_path: Path) -> None:
    """From the help case to a session without a camera by one button: the consent stands, the whole minute counts."""
    client = enrolled(world, tmp_path / "pc")
    journey = client.journey
    journey.open_course(client.registration())
    client.until("lesson")
    client.proctor.verdicts.extend([("inconclusive", "dark")] * 3)
    journey.study.press("play")  # type: ignore[union-attr]
    client.until("lesson", "paused")
    assert journey.shown.second is not None  # type: ignore[union-attr]
    journey.study.press("other_way")  # type: ignore[union-attr]
    by_code(client)
    assert isinstance(journey.shown, ResultView)
    assert journey.shown.credited_ms == 60_000
    journey.to_today()
    client.until("today")
    assert world.verified().exit_code == 0
    journey.close()


def by_code(client: Client) -> None:
    """Answer every question as it appears, to the result."""
    pressed = False
    waited = 0
    for _ in range(4_000):
        client.clock.advance(100)
        client.journey.tick()
        journey = client.journey
        if journey.page == "result":
            return
        study, seen = journey.study, journey.shown
        if study is None or not isinstance(seen, View) or seen.camera:
            continue
        if not pressed:
            study.press("play")
            pressed = True
        waited = waited + 1 if seen.question is not None and seen.question.words else 0
        if waited == 20 and seen.question is not None:
            study.reply(seen.question.words.index(seen.question.asked), client.world.codes.sent["learner"])
    raise AssertionError(f"still on {client.journey.page}: {client.journey.shown}")
