"""The short way to read a canonical line: one regular expression, made of the same kinds as the long way's check.

A line that matches a `Form` *is* canonical and each of its fields *is* of its kind, by construction: the keys stand in
order, a number has its one spelling, and no string holds anything that would be escaped. A line that does not match
goes the long way (`ledger.canonical`, `ledger.kinds`), which decides and says what is wrong. So the short way refuses
nothing, and tests/ledger/test_forms.py shows that it accepts nothing that the long way would not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ledger.kinds import JsonMap, Kind

_SAFE: Final = r'[^"\\\x00-\x1f]'  # what a canonical string holds unescaped (half surrogates cannot come from UTF-8)
_LITERALS: Final = {"null": None, "true": True, "false": False}
_MAKERS: Final = {"integer": "int({})", "boolean": "{}=='true'", "string": "{}[1:-1]"}
_CLASS: Final = re.compile(r"\[[A-Za-z0-9+/._-]*\]")


class Form:
    """The canonical lines with exactly these fields and constants.

    `values`: for each value to be given, the group of `pattern` that holds its text, and how it is made of that text.
    `outer` and `inner` make of them what is read: `outer` of a tuple of the first `common` values and what `inner`
    makes of the others.
    """

    def __init__(
        self, pattern: str, values: Sequence[tuple[int, str]], common: int, outer: type[tuple[Any, ...]], inner: type
    ) -> None:
        self._match = re.compile(pattern).fullmatch
        made = [make.format(f"g[{group}]") for group, make in values]
        expression = f"new(outer,({','.join(made[:common])},inner({','.join(made[common:])})))"
        names = {"new": tuple.__new__, "outer": outer, "inner": inner, "int": int, "plain": _plain}
        # compiled once instead of a loop for each of a million lines; it is made of our own table alone
        self._made: Callable[[tuple[Any, ...]], Any] = eval(f"lambda g: {expression}", names)  # noqa: S307

    def read(self, line: str) -> Any:
        """What the line says, made by `outer`; None: go the long way."""
        match = self._match(line)
        return None if match is None else self._made(match.groups())


def form(
    constants: Mapping[str, int | str],
    common: Mapping[str, Kind],
    own: Mapping[str, Kind],
    outer: type[tuple[Any, ...]],
    inner: type,
) -> Form | None:
    """The form of an object with these constants and these fields, if every kind has a short one.

    It is read as `outer` of the `common` fields, and last `inner` of its `own`.
    """
    kinds = {**common, **own}
    tokens = {name: _token(kind.schema) for name, kind in kinds.items()}
    parts = []
    groups: list[str] = []
    for name in sorted([*constants, *kinds]):
        token = tokens.get(name)
        if name in constants:
            value = constants[name]
            parts.append(f'"{name}":' + (f'"{value}"' if isinstance(value, str) else str(value)))
        elif token is None:
            return None
        else:
            groups.append(name)
            parts.append(f'"{name}":{token[0]}')
    values = [(groups.index(name), token[1]) for name, token in tokens.items() if token]
    return Form(r"\{" + ",".join(parts) + r"\}", values, len(common), outer, inner)


def _token(schema: JsonMap) -> tuple[str, str] | None:
    """(pattern with one group, the expression that makes the value of its text)."""
    if "anyOf" in schema:
        options = [option for option in map(_value, schema["anyOf"]) if option]
        types = {option["type"] for option in schema["anyOf"]}
        maker = _MAKERS.get(types.pop() if len(types) == 1 else "", "plain({})")
        return (f"({'|'.join(options)})", maker) if options else None
    value = _value(schema)
    if value is None:
        return None
    if schema["type"] == "string":
        return f'"({value[1:-1]})"', "{}"
    return f"({value})", _MAKERS.get(schema["type"], "plain({})")


def _value(schema: JsonMap) -> str | None:
    """A pattern without groups for some values of the schema, each in its canonical spelling; None for no value."""
    match schema["type"]:
        case "null":
            return "null"
        case "boolean":
            return "true|false"
        case "integer" if schema["minimum"] == 0:
            digits = len(str(schema["maximum"])) - 1  # every number of fewer digits is below the maximum
            return rf"(?:0|[1-9][0-9]{{0,{digits - 1}}})"
        case "string":
            inner = _string(schema)
            return None if inner is None else f'"{inner}"'
    return None


def _string(schema: JsonMap) -> str | None:
    if "enum" in schema:
        return f"(?:{'|'.join(map(re.escape, schema['enum']))})"
    if "pattern" not in schema:
        return f"{_SAFE}{{0,{schema['maxLength']}}}"
    if re.search(r'[\\".^]', _CLASS.sub("", schema["pattern"])):
        return None  # it could match what is escaped in JSON
    limit = f'(?=[^"]{{0,{schema["maxLength"]}}}")' if "maxLength" in schema else ""
    return f"{limit}(?:{schema['pattern']})"


def _plain(token: str) -> Any:
    value = _LITERALS.get(token, token)
    if value is token:
        return token[1:-1] if token.startswith('"') else int(token)
    return value

