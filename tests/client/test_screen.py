"""What the learner reads: one sentence, one button, why this minute counts; and never a reproach."""

from __future__ import annotations

from dataclasses import replace

import pytest

from client.events import CameraState, FoundByAgent, Look, Order, SyncState
from client.screen import Figures, view
from client.view import TEXT, Words
from tests.client.bench import FRONT, Bench, policy

NEVER = ("attack", "suspicious", "cheat", "failed face", "违规", "作弊", "人脸失败")
NONCE = "17" * 16


def seen(bench: Bench):
    return view(bench.state, Figures({"pass": 60_000}, 90_000), wanted=True, opening=False, begun=True)


def test_no_wording_is_a_reproach():
    """The words that the house forbids stand in no sentence."""
    for key, text in TEXT.items():
        assert not any(word in text.lower() for word in NEVER), key


def test_playing_shows_why_this_minute_counts():
    """Window, camera, person, assistant, check, records: all green, and the figures of the ledger."""
    bench = Bench().study()
    bench.play(5_000)
    now = seen(bench)
    assert (now.phase, now.sentence.key, now.button) == ("playing", "say.playing", None)
    assert [line.mood for line in now.panel] == ["good"] * 6
    assert (now.credited_unit_ms, now.credited_all_ms) == (60_000, 90_000)
    assert now.pending_ms > 0
    assert now.may_rest
    assert now.unit is not None
    assert now.unit.position_ms == bench.place


def test_a_notice_counts_down_and_chimes():
    """The check is announced with a sound; the button skips the rest of the notice."""
    bench = Bench().study()
    before = seen(bench).chimes
    bench.answer(order=Order(1, 0, NONCE, 60_000))
    now = seen(bench)
    assert now.phase == "notice"
    assert now.button is not None
    assert now.button.what == "ready"
    assert now.sentence.values == {"seconds": 2}
    assert now.chimes == before + 1
    bench.press("ready")
    assert seen(bench).phase == "check"
    assert 50_000 < seen(bench).countdown_ms <= 60_000


def test_a_passed_check_says_what_it_counted():
    """After a passed check the bar says how many minutes are counted, for a moment."""
    bench = Bench().study()
    bench.play(130_000)
    bench.answer(order=Order(1, 0, NONCE, 60_000))
    bench.pass_check()
    bench.play(1_000)
    assert seen(bench).sentence.key == "say.counted"
    assert seen(bench).sentence.values == {"minutes": 2}
    bench.play(10_000)
    assert seen(bench).sentence.key == "say.playing"


def test_a_finding_is_named_with_its_remedy_in_both_languages():
    """What is open, how to go on, and one button."""
    bench = Bench().study()
    words = ("按键精灵正在运行", "A macro runs", "请关闭它", "Close it")
    bench.send(FoundByAgent("macro", 1, "high", "pause", {}, *words))
    now = seen(bench)
    assert now.phase == "paused"
    assert now.sentence.values["title"] == Words("按键精灵正在运行", "A macro runs")
    assert now.button is not None
    assert now.button.what == "recheck"


def test_amber_names_what_to_do():
    """Lines that need the learner are amber, those that nobody can tell are grey."""
    bench = Bench().study()
    bench.send(replace(FRONT, focused=False))
    bench.send(SyncState(False, 0, 3))
    moods = {line.sentence.key: line.mood for line in seen(bench).panel}
    assert moods["panel.window_todo"] == "todo"
    assert moods["panel.sync_todo"] == "todo"
    bench.send(replace(FRONT, focused=None, covered=None, source="wayland"))
    assert {line.sentence.key: line.mood for line in seen(bench).panel}["panel.window_unknown"] == "unknown"


def test_several_people_are_a_hint_after_three_seconds():
    """A friendly word over the picture, no pause, and not at once."""
    bench = Bench().study()
    bench.play(2_000, faces=2)
    assert seen(bench).hint is None
    bench.play(3_000, faces=2)
    hint = seen(bench).hint
    assert hint is not None
    assert hint.key == "hint.several"
    assert seen(bench).phase == "playing"


@pytest.mark.parametrize("hint", ["dark", "bright", "far", "close", "blurred", "covered", "nobody"])
def test_every_word_of_the_camera_has_a_sentence(hint):
    """The proctor's quality words each have a wording; an unknown one shows nothing."""
    bench = Bench().study()
    bench.send(Look(bench.state.now, 1, 1, covered=False, hint=hint))
    found = seen(bench).hint
    assert found is not None
    assert found.key in TEXT
    bench.send(Look(bench.state.now, 1, 1, covered=False, hint="odd"))
    assert seen(bench).hint is None


def test_a_rest_is_proposed_after_long_study():
    """After rest_after the player proposes a rest; it costs nothing."""
    bench = Bench(rules=policy(rest_after_ms=60_000)).study()
    bench.play(70_000)
    assert seen(bench).propose_rest
    assert seen(bench).sentence.key == "say.rest_proposed"
    bench.press("rest")
    assert (seen(bench).sentence.key, seen(bench).button.what) == ("pause.rest", "play")  # type: ignore[union-attr]


def test_before_the_session_the_first_condition_is_named():
    """Camera starting, camera gone, nobody there, ready: one sentence each, Start only when all is well."""
    bench = Bench()

    def before(*, wanted: bool = False):
        return view(bench.state, Figures(), wanted=wanted, opening=False, begun=False)

    bench.send(FRONT)
    assert before().sentence.key == "pause.agent"
    bench.beat()
    assert before().sentence.key == "pause.camera_starting"
    bench.send(CameraState(False, "cam", "bench", False, "busy"))
    assert before().sentence.key == "pause.camera_busy"
    bench.send(CameraState(True, "cam", "bench", False))
    bench.look(0)
    assert before().sentence.key == "pause.absent"
    bench.look(1)
    assert (before().sentence.key, before().button.what) == ("say.ready", "play")  # type: ignore[union-attr]
    assert before(wanted=True).button is None


def test_closing_says_what_the_look_is_for():
    """One look, so that the last minutes count; or End without it."""
    bench = Bench().study()
    bench.play(125_000)
    bench.press("end")
    now = seen(bench)
    assert (now.phase, now.sentence.key) == ("closing", "say.closing_wait")
    assert now.sentence.values == {"minutes": 2}
    assert now.button is not None
    assert now.button.what == "end"
    bench.press("end")
    bench.answer()
    assert seen(bench).phase == "sending"
