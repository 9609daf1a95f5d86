"""The language of the screen, as a value that widgets follow: `tongue.say(key, tongue.language)` in kv."""

from __future__ import annotations

from kivy.event import EventDispatcher
from kivy.properties import OptionProperty

from client.player import i18n
from client.view import Sentence, Value, Words


class Tongue(EventDispatcher):
    """One for the whole window; changing `language` retells every screen."""

    language = OptionProperty("zh", options=i18n.LANGUAGES)

    def say(self, sentence: Sentence | str, _language: str = "", **values: Value) -> str:
        """The words of a key or sentence. kv passes `tongue.language` along so that it is told of a change."""
        return i18n.say(self.language, sentence, **values)

    def of(self, words: Words) -> str:
        """The wording of something that brings its own."""
        return str(getattr(words, self.language))

    def long(self, ms: int) -> str:
        """A length of time."""
        return i18n.long(self.language, ms)

    def other(self) -> None:
        """Switch to the other language."""
        here = i18n.LANGUAGES.index(self.language)
        self.language = i18n.LANGUAGES[(here + 1) % len(i18n.LANGUAGES)]


tongue = Tongue()
