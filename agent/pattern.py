"""Bounded regular expressions: no text, however hostile, keeps a rule busy for long.

A pattern is refused when it could try more than `MAX_WAYS` ways at one place: `*` and `+` have no bound, nested repeats
multiply. Backreferences and lookarounds are refused too; a rule has `none` clauses for what must not stand there.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from typing import Any, Final

from agent.errors import PatternError

MAX_LENGTH: Final = 400  # longer patterns cannot be reviewed by eye
MAX_WAYS: Final = 5_000
MAX_TEXT: Final = 16_384  # of a longer text the first and the last half of this are searched

_parser: Any = importlib.import_module("re._parser")  # the interpreter's own reading of a pattern
_PLAIN: Final = {"LITERAL", "NOT_LITERAL", "ANY", "IN", "AT"}


def compile_bounded(pattern: str) -> re.Pattern[str]:
    """Return the compiled, case-insensitive pattern, or raise `PatternError` saying what is unbounded."""
    if not pattern or len(pattern) > MAX_LENGTH:
        raise PatternError(f"a pattern of {len(pattern)} characters: 1 to {MAX_LENGTH} are allowed")
    try:
        tree = _parser.parse(pattern, re.IGNORECASE)
        ways = _ways(tree, pattern)
        compiled = re.compile(pattern, re.IGNORECASE)
    except (re.error, RecursionError, OverflowError, ValueError) as error:
        raise PatternError(f"{pattern!r} is no pattern: {error}") from error
    if ways > MAX_WAYS:
        raise PatternError(f"{pattern!r} could try {ways} ways at one place, more than {MAX_WAYS}")
    if compiled.search("") is not None:
        raise PatternError(f"{pattern!r} matches the empty text, and so everything")
    return compiled


def _ways(tree: Iterable[tuple[Any, Any]], pattern: str) -> int:
    """An upper bound of the alternatives that a backtracking search tries from one starting point."""
    total = 1
    for op, argument in tree:
        total *= _ways_of(str(op), argument, pattern)
        if total > MAX_WAYS:
            return total
    return total


def _ways_of(op: str, argument: Any, pattern: str) -> int:
    if op in _PLAIN:
        return 1
    if op == "SUBPATTERN":
        return _ways(argument[3], pattern)
    if op == "BRANCH":
        # alternatives mostly differ in their first letters: they add up, they do not multiply
        return max(_ways(branch, pattern) for branch in argument[1])
    if op in ("MAX_REPEAT", "MIN_REPEAT"):
        low, high, inner = argument
        if high >= MAX_WAYS:
            raise PatternError(f"{pattern!r} repeats without bound: write a count such as {{0,20}}")
        each = _ways(inner, pattern)
        return int((high - low + 1) * min(each, MAX_WAYS) ** min(int(high), 8))
    raise PatternError(f"{pattern!r} uses {op.lower()}, which rules may not")


def search(pattern: re.Pattern[str], text: str) -> str | None:
    """Return the text that matched, or None. A very long text is searched at its head and its tail."""
    if len(text) > MAX_TEXT:
        text = text[: MAX_TEXT // 2] + "\n" + text[-MAX_TEXT // 2 :]
    found = pattern.search(text)
    return found.group(0) if found else None
