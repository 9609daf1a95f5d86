"""A Windows command line taken apart as programs take it apart (the C runtime's rules), and joined by blanks.

Rules read arguments alike on every system: without the quotation marks that hold an argument with blanks together.
"""

from __future__ import annotations

from typing import Final

MAX_ARGUMENTS: Final = 4_000


def arguments(line: str) -> list[str]:
    """The arguments of a command line, the program first.

    Backslashes are plain but before a quotation mark: there two are one, and an odd one makes the mark plain; two
    marks within quotation are one. The program's own name knows no backslash rule.
    """
    found: list[str] = []
    at = 0
    while at < len(line) and len(found) < MAX_ARGUMENTS:
        if found and line[at] in " \t":
            at += 1
            continue
        word, at = _program(line) if not found else _word(line, at)
        found.append(word)
    return found


def _program(line: str) -> tuple[str, int]:
    if line.startswith('"'):
        end = line.find('"', 1)
        return (line[1:], len(line)) if end < 0 else (line[1:end], end + 1)
    end = next((at for at, char in enumerate(line) if char in " \t"), len(line))
    return line[:end], end


def _word(line: str, at: int) -> tuple[str, int]:
    word: list[str] = []
    quoted = False
    while at < len(line) and (quoted or line[at] not in " \t"):
        start = at
        while at < len(line) and line[at] == "\\":
            at += 1
        slashes = at - start
        if at < len(line) and line[at] == '"':
            word.append("\\" * (slashes // 2))
            if slashes % 2:
                word.append('"')
            elif quoted and line[at + 1 : at + 2] == '"':
                word.append('"')
                at += 1
            else:
                quoted = not quoted
            at += 1
        elif slashes:
            word.append("\\" * slashes)
        else:
            word.append(line[at])
            at += 1
    return "".join(word), at
