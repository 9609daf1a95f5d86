"""The rules pack: all rules of one programme under one hash, which stands in every grant and every heartbeat.

Written as TOML by people (`agent/rules/*.toml`), carried as one canonical JSON line by machines; the SHA-256 of that
line names the pack. A class's pack replaces the built-in one: it may end on a day, and carry an employer's allow-list.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from agent.allow import Allow, day_end_ms, parse_allow
from agent.errors import ExpiredPackError, PackError, RuleError
from agent.rule import Exempt, Rule, parse_exempt, parse_rule
from agent.texts import Text, parse_text

BUILT_IN: Final = Path(__file__).resolve().parent / "rules"
LISTS: Final = ("rule", "exempt", "allow", "text")
MAX_BYTES: Final = 4 * 1024 * 1024  # a hundred times today's pack
MAX_DEPTH: Final = 12  # pack → rules → rule → any → clause → condition → list, with room


@dataclasses.dataclass(frozen=True, slots=True)
class Pack:
    """Checked rules and exemptions, and the bytes that carry them. `until_ms`: the end of its last day, None: none."""

    rules: tuple[Rule, ...]
    exempt: tuple[Exempt, ...]
    line: bytes
    allow: tuple[Allow, ...] = ()
    until_ms: int | None = None
    texts: tuple[Text, ...] = ()

    @property
    def sha256(self) -> str:
        """The pack's name: SHA-256 of its canonical line, lowercase hex."""
        return hashlib.sha256(self.line).hexdigest()

    def check_time(self, at_ms: int) -> None:
        """Return quietly, or raise `ExpiredPackError` when the pack's last day is over at `at_ms` (since the epoch)."""
        if self.until_ms is not None and at_ms >= self.until_ms:
            raise ExpiredPackError(f"the rules pack {self.sha256[:16]}… ended before this session")

    def prove(self) -> None:
        """Hold every rule and text to its examples; raise `ExampleError` at the first that disagrees."""
        for rule in self.rules:
            rule.prove()
        for text in self.texts:
            text.prove()


def load_folder(folder: Path = BUILT_IN) -> Pack:
    """Read every `*.toml` of `folder`; raise `RuleError` (which file, rule, field) or `PackError`."""
    raw: dict[str, Any] = {"exempt": [], "rule": []}
    places: dict[int, str] = {}
    for path in sorted(folder.glob("*.toml")):
        for key, items in _read(path).items():
            if key == "expires":
                raw[key] = min(str(items), raw.get(key, str(items)))
            elif key not in LISTS or not isinstance(items, list):
                raise RuleError(f"{path.name}: [[rule]], [[text]], [[exempt]], [[allow]] or `expires`, not {key!r}")
            else:
                places.update((id(item), path.name) for item in items)
                raw.setdefault(key, []).extend(items)
    return _check(raw, places)


def load_file(path: Path, sha256: str | None = None) -> Pack:
    """Read a carried pack from a file; raises as `load_line` does."""
    try:
        with path.open("rb") as file:
            return load_line(file.read(MAX_BYTES + 1), sha256)
    except OSError as error:
        raise PackError(f"{path.name}: {error.strerror}") from error


def load_class(data: bytes, sha256: str, at_ms: int) -> Pack:
    """The pack of a class, whose hash the grant names, at the grant's time; a class without rules has the built-in.

    Raises `PackError`, `RuleError`, and `ExpiredPackError` once its last day is over.
    """
    if hashlib.sha256(data).hexdigest() != sha256:
        raise PackError(f"the pack is not the one that was asked for ({sha256[:16]}…)")
    if not holds_rules(data):
        return load_folder()
    pack = load_line(data)
    pack.check_time(at_ms)
    return pack


def holds_rules(data: bytes) -> bool:
    """Whether a class's document is a pack at all: comments alone say that the class has no rules of its own."""
    return any(line.strip() and not line.startswith(b"#") for line in data.split(b"\n"))


def load_line(line: bytes, sha256: str | None = None) -> Pack:
    """Read a carried pack; with `sha256` (the grant's) any other pack is refused. Raises `PackError`, `RuleError`."""
    if len(line) > MAX_BYTES:
        raise PackError(f"a pack of {len(line)} bytes, more than {MAX_BYTES}")
    if sha256 is not None and hashlib.sha256(line).hexdigest() != sha256:
        raise PackError(f"the pack is not the one that was asked for ({sha256[:16]}…)")
    if _depth(line) > MAX_DEPTH:
        raise PackError(f"nested deeper than {MAX_DEPTH}")
    try:
        raw = json.loads(line.decode(), parse_float=_no_number, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise PackError(f"not a line of JSON: {str(error)[:100]}") from error
    if not isinstance(raw, dict) or not {"exempt", "rule"} <= set(raw) <= {*LISTS, "expires"}:
        raise PackError("a pack has the lists `rule` and `exempt`, and may have `allow`, `text` and `expires`")
    if not all(isinstance(items, list) for key, items in raw.items() if key in LISTS):
        raise PackError("`rule`, `exempt` and `allow` of a pack are lists")
    pack = _check(raw, {})
    if pack.line != line:
        raise PackError("the pack is not in its canonical form")
    return pack


def _check(raw: Mapping[str, Any], places: Mapping[int, str]) -> Pack:
    rules = [parse_rule(item, places.get(id(item), "pack")) for item in raw["rule"]]
    exempt = [parse_exempt(item, places.get(id(item), "pack")) for item in raw["exempt"]]
    allow = [parse_allow(item, places.get(id(item), "pack")) for item in raw.get("allow", [])]
    texts = [parse_text(item, places.get(id(item), "pack")) for item in raw.get("text", [])]
    until = day_end_ms(raw["expires"], "pack: expires") if "expires" in raw else None
    if not rules:
        raise PackError("no rules")
    names = [rule.id for rule in rules] + [text.id for text in texts]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise RuleError(f"{twice}: the id is used twice")
    lost = next((entry for entry in allow if not entry.rules <= set(names)), None)
    if lost is not None:
        raise RuleError(f"allow {lost.id}: the pack has no rule {sorted(lost.rules - set(names))[0]}")
    ordered: dict[str, Any] = {"expires": raw["expires"]} if until is not None else {}
    for key in LISTS:
        if key in raw:
            ordered[key] = sorted(raw[key], key=lambda item: str(item["id"]))
    try:
        line = json.dumps(ordered, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise PackError(f"the rules cannot be carried as JSON: {error}") from error
    ordered_rules = tuple(sorted(rules, key=lambda rule: rule.id))
    return Pack(ordered_rules, tuple(exempt), line, tuple(allow), until, tuple(texts))


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PackError(f"{path.name}: larger than {MAX_BYTES} bytes")
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise PackError(f"{path.name}: {str(error)[:200]}") from error


def _depth(line: bytes) -> int:
    """Nesting by counting brackets outside strings: a parser's own stack is the first thing to fall."""
    depth = deepest = 0
    inside = escaped = False
    for byte in line:
        if inside:
            inside, escaped = (byte != 0x22 or escaped), (byte == 0x5C and not escaped)
        elif byte == 0x22:
            inside = True
        elif byte in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"}]":
            depth -= 1
    return deepest


def _no_number(text: str) -> None:
    raise ValueError(f"number {text[:20]!r} is not an integer")
