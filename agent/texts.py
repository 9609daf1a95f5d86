"""What the text of a script says it does: YARA patterns of the rules pack (`[[text]]`), matched by yara-x.

A text is judged as a whole: one pattern proves nothing, the condition over several does. Of a match only the matched
words leave this module. Where yara-x is not installed nothing is guessed: `CollectorError`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from agent.errors import CollectorError, ExampleError, RuleError
from agent.form import ID, match_of, table_of, text_of

MAX_BODY: Final = 16_384
MAX_TEXT: Final = 8 * 1024 * 1024  # of one script
MAX_WORDS: Final = 40  # words of one script that are kept
MAX_WORD: Final = 60
SCAN_S: Final = 2  # a pack's patterns may be dear; the agent beats every 2 s
_KEYS: Final = {"id", "why", "yara", "example"}
_FOREIGN: Final = re.compile(r"^\s{0,200}(import|include|rule|private|global)\b", re.MULTILINE)


@dataclasses.dataclass(frozen=True, slots=True)
class Text:
    """One question to a text: the body of a YARA rule, and texts that it matches and does not."""

    id: str
    body: str
    examples: tuple[tuple[bool, str], ...]

    @property
    def source(self) -> str:
        """The YARA rule."""
        return f"rule {self.name} {{\n{self.body}\n}}"

    @property
    def name(self) -> str:
        """The id as YARA writes it."""
        return self.id.replace(".", "__").replace("-", "_")

    def prove(self) -> None:
        """Return quietly when every example agrees; `ExampleError` or `RuleError` (it does not compile) otherwise."""
        reader = Reader((self,))
        for number, (match, text) in enumerate(self.examples, 1):
            if (self.id in reader.read(text)[0]) is not match:
                raise ExampleError(f"text {self.id}: example {number} should {'' if match else 'not '}match")


def parse_text(data: object, where: str) -> Text:
    """Read one `[[text]]` from plain data, or raise `RuleError`; that it compiles is found out when it is used."""
    table = table_of(data, where, _KEYS, _KEYS)
    name = match_of(ID, table["id"], f"{where}: id")
    place = f"{where}: text {name}"
    text_of(table["why"], f"{place}: why")
    body = table["yara"]
    if not isinstance(body, str) or not 0 < len(body) <= MAX_BODY or "condition:" not in body:
        raise RuleError(f"{place}: yara is the body of a rule, with a condition, of at most {MAX_BODY} characters")
    if _FOREIGN.search(body) is not None:
        raise RuleError(f"{place}: the body of one rule imports and includes nothing")
    examples = table["example"]
    if not isinstance(examples, list) or len(examples) > 50:
        raise RuleError(f"{place}: expected a list of examples")
    return Text(name, body, tuple(_example(item, place) for item in examples))


def _example(item: object, place: str) -> tuple[bool, str]:
    table = table_of(item, f"{place}: example", {"match", "text"}, {"match", "text"})
    if not isinstance(table["match"], bool) or not isinstance(table["text"], str):
        raise RuleError(f"{place}: an example has a flag `match` and a `text`")
    return table["match"], table["text"]


class Reader:
    """The compiled questions of one pack."""

    def __init__(self, texts: Sequence[Text]) -> None:
        """Raises `CollectorError` without yara-x, `RuleError` naming the text that does not compile."""
        self._ids: Mapping[str, str] = {text.name: text.id for text in texts}
        self._scanner = _compiled(texts)

    def read(self, text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The ids of what `text` matches, and the words that matched; raises `CollectorError` if it takes too long."""
        import yara_x

        data = text.encode("utf-8", "replace")[:MAX_TEXT]
        try:
            found = self._scanner.scan(data).matching_rules
        except (yara_x.TimeoutError, yara_x.ScanError) as error:
            raise CollectorError(f"texts: {error}") from error
        words: dict[str, None] = {}
        for rule in found:
            for pattern in rule.patterns:
                for match in pattern.matches[:4]:
                    word = data[match.offset : match.offset + min(match.length, MAX_WORD)]
                    words[" ".join(word.decode("utf-8", "ignore").split())] = None
        marks = tuple(sorted(self._ids[rule.identifier] for rule in found if rule.identifier in self._ids))
        return marks, tuple(words)[:MAX_WORDS]


def _compiled(texts: Sequence[Text]) -> Any:
    try:
        import yara_x
    except ImportError as error:
        raise CollectorError("texts: yara-x is not installed") from error
    compiler = yara_x.Compiler(error_on_slow_pattern=True)
    compiler.enable_includes(False)
    for text in texts:
        try:
            compiler.add_source(text.source)
        except yara_x.CompileError as error:
            raise RuleError(f"text {text.id}: {str(error)[:300]}") from error
    scanner = yara_x.Scanner(compiler.build())
    scanner.set_timeout(SCAN_S)
    scanner.max_matches_per_pattern(100)
    return scanner
