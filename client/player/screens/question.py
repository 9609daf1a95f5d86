"""The question of a check without a camera, over the lesson: a word to choose, the code from the phone, or a person."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty, StringProperty

from client.player.screens.base import kv_of
from client.player.widgets import tongue
from client.player.widgets.kit import Card, Choice
from client.view import Question, Sentence

kv_of(__file__)
CODE = 6  # digits


class QuestionCard(Card):
    """Renders a `Question`; `on_reply(choice, code)` once, when a word is chosen and a code (where one is) is there."""

    question = ObjectProperty(None, allownone=True)
    wide = BooleanProperty(True)
    remaining = NumericProperty(1)  # share of the time that is left
    title = StringProperty("")
    asked = StringProperty("")
    note = StringProperty("")
    by_code = BooleanProperty(False)
    ready = BooleanProperty(False)
    chosen = NumericProperty(-1)
    timed = BooleanProperty(True)
    many = NumericProperty(0)  # choices of a lesson's question, which are whole sentences

    def __init__(self, **kwargs: Any) -> None:
        self.on_reply: Callable[[int, str], None] = lambda *_: None
        self._choices: list[Choice] = []
        self._told: Any = None
        super().__init__(**kwargs)

    def tell(self, question: Question | None, key: object, said: Sentence | None = None) -> None:
        """Show this question, or none; another `key` (the attempt) is another question: nothing stays typed or chosen.

        `said`: what stands below a question of the lesson or of a test.
        """
        if (question, key, tongue.language) == self._told:
            return
        fresh = self._told is None or key != self._told[1] or question is None
        self._told = (question, key, tongue.language)
        self.question = question
        self.by_code = question is not None and question.code
        if fresh:
            self.chosen = -1
            self.ids.code.value = ""
        if question is not None:
            self._retell(question, said)

    def _retell(self, question: Question, said: Sentence | None) -> None:
        word = tongue.say(f"item.{question.asked}") if question.asked else ""
        self.timed = question.prompt is None
        self.many = len(question.choices)
        self.title = tongue.say("check.code") if question.code else "" if word else tongue.say("check.person")
        if question.prompt is not None:
            self.title = tongue.of(question.prompt)
        self.asked = tongue.say("check.item_first" if question.code else "check.item", word=word) if word else ""
        self.note = tongue.say("check.person_too") if question.person and word else ""
        if question.prompt is not None:
            self.note = tongue.say(said) if said is not None else ""
        self.ids.words.clear_widgets()
        self._choices = []
        listed = [tongue.of(one) for one in question.choices] or [tongue.say(f"item.{key}") for key in question.words]
        for number, words in enumerate(listed):
            choice = Choice(words=words, chosen=number == self.chosen)
            choice.name = f"item {number}"
            choice.bind(on_release=partial(self._choose, number))
            self.ids.words.add_widget(choice)
            self._choices.append(choice)
        self.offer()

    def _choose(self, number: int, _: Any = None) -> None:
        self.chosen = number
        for at, choice in enumerate(self._choices):
            choice.chosen = at == number
        if self.question is not None and self.question.code:
            self.ids.code.ids.line.focus = True
        self.offer()

    def offer(self) -> None:
        """The button waits for a word, and for six digits where there is a code."""
        question: Question | None = self.question
        typed = question is not None and (not question.code or len(self.ids.code.value) == CODE)
        self.ready = question is not None and not question.busy and self.chosen >= 0 and typed

    def reply(self) -> None:
        """The blue button, or Enter."""
        if self.ready and self.question is not None:
            self.on_reply(int(self.chosen), self.ids.code.value if self.question.code else "")
