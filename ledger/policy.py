"""The programme's rules as data: one strict `policy.toml`, one frozen value, no nonsense accepted at birth.

The SHA-256 of the file's bytes is its identity: it stands in a `policy` leaf and in every grant (study-session.md,
"Policy is data"). All times are integer milliseconds, all shares per mille.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any, Final

from ledger.errors import PolicyError

MAX_POLICY_BYTES: Final = 64 * 1024  # the presets are about 4 KiB; a longer one is no policy
CHECK_KINDS: Final = ("match", "liveness", "attention", "identify")
GESTURES: Final = ("turn_left", "turn_right", "look_up", "blink_twice", "open_mouth", "smile")
ROUTES: Final = ("code", "room", "call")  # how `identify` is done without a face
CONSENTS: Final = ("notice", "commitment", "face", "photos")
SEVERITIES: Final = ("low", "medium", "high")
RESPONSES: Final = ("inform", "report", "pause", "block")

_HOUR: Final = 3_600_000
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TIME: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00")

Rule = Callable[[Any], bool]


def _int(low: int, high: int) -> Rule:
    return lambda value: type(value) is int and low <= value <= high


def _word(*options: str) -> Rule:
    return lambda value: isinstance(value, str) and value in options


def _tuple(item: Rule, least: int, most: int, *, once: bool) -> Rule:
    def holds(value: Any) -> bool:
        if not isinstance(value, tuple) or not least <= len(value) <= most or not all(map(item, value)):
            return False
        return not once or len(set(value)) == len(value)

    return holds


def _table(keys: tuple[str, ...], item: Rule) -> Rule:
    return lambda value: isinstance(value, Mapping) and set(value) == set(keys) and all(map(item, value.values()))


def _named(item: Rule, most: int) -> Rule:
    def holds(value: Any) -> bool:
        if not isinstance(value, Mapping) or len(value) > most:
            return False
        return all(isinstance(key, str) and _NAME.fullmatch(key) for key in value) and all(map(item, value.values()))

    return holds


def _match(pattern: re.Pattern[str]) -> Rule:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules of one programme; every instance is valid, or `PolicyError` was raised while it was made."""

    sha256: str  # of the file's bytes: its identity; kept by `accommodated`
    v: int
    id: str
    serial: int  # only rises; a client refuses an older one
    demo: bool  # a class that earns nothing: lifts the lower limits that protect real learners

    # random checks
    min_gap_ms: int
    max_gap_ms: int
    order_slack_ms: int  # E beyond due_i by more than this without `ordered` i is a miss
    net_slack_ms: int
    clock_slack_ms: int
    notice_ms: int  # from the sound to the first prompt, inside the signed time
    deadlines_ms: Mapping[str, int]
    max_attempts: int
    max_misses: int  # of `misses_of` checks may be missed and made up
    misses_of: int
    max_mismatches: int  # in a row; then the session ends, kindly
    kinds: tuple[str, ...]  # repeats are weights
    opening_kind: str
    closing_kind: str
    gestures: tuple[str, ...]
    gestures_min: int
    gestures_max: int
    evidence_permille: int
    pad: str  # gate | record (demo classes only)
    routes: tuple[str, ...]
    thresholds: Mapping[str, Mapping[str, int]]  # model (its name in models.toml) → threshold → value

    # the session
    segment_ms: int
    segment_events: int
    session_ms: int
    offline_ms: int
    absence_grace_ms: int
    others_for_ms: int
    rest_after_ms: int
    rates: tuple[int, ...]
    seek: str  # seen: never past what was seen | free
    foreground_unknown: str
    responses: Mapping[str, str]  # the gravest response that a finding of this severity may cause
    agent_hole_ms: int  # no heartbeat for longer: not credited; 0 (demo only) asks for no agent
    max_devices: int
    consents: tuple[str, ...]

    # what the hours are worth
    class_hour_minutes: int
    class_hour_rounding: str
    daily_cap_ms: int  # 0: none
    study_window: tuple[str, str]  # local time, [from, until)
    utc_offset_minutes: int
    attendance_permille: int
    retention_years: int
    decision_people: int  # different supervisors who sign a verdict or its reversal; absent: 2, of a demo class 1

    def __post_init__(self) -> None:
        for name, rule in _RULES.items():
            if not rule(getattr(self, name)):
                raise PolicyError(f"policy: {name} = {str(getattr(self, name))[:80]!r} is not allowed")
        for broken, why in _contradictions(self):
            if broken:
                raise PolicyError(f"policy: {why}")

    def threshold(self, name: str, default: int) -> int:
        """The value of threshold `name`, whichever model it belongs to, or `default` (that of models.toml)."""
        return self.flat_thresholds().get(name, default)

    def flat_thresholds(self) -> dict[str, int]:
        """All thresholds by name alone; a name stands under one model only."""
        return {name: value for table in self.thresholds.values() for name, value in table.items()}

    def accommodated(self, changes: Mapping[str, Any]) -> Policy:
        """Return these rules with an accommodation's `changes` put in their place; `PolicyError` if they do not fit.

        A key is one of `CHANGEABLE`; `deadline_ms` is the least that every kind's deadline then is.
        What only the client's screen heeds (`SCREEN_ONLY`) changes nothing here.
        """
        values: dict[str, Any] = {}
        for name, value in changes.items():
            if name in SCREEN_ONLY:
                continue
            if name == "deadline_ms":
                values["deadlines_ms"] = self._at_least(value)
            elif name in CHANGEABLE:
                values[name] = _frozen(value)
            else:
                raise PolicyError(f"accommodation: {name[:40]!r} cannot be changed")
        return dataclasses.replace(self, **values)

    def _at_least(self, least: Any) -> dict[str, int]:
        if type(least) is not int:
            raise PolicyError("accommodation: deadline_ms is no integer")
        return {kind: max(value, least) for kind, value in self.deadlines_ms.items()}

    def faceless(self) -> Policy:
        """Return these rules for the non-face route: the same moments, every check an `identify`."""
        return dataclasses.replace(
            self, kinds=("identify",), opening_kind="identify", closing_kind="identify", evidence_permille=0
        )


CHANGEABLE: Final = frozenset(
    (
        "deadline_ms",
        "kinds",
        "opening_kind",
        "closing_kind",
        "gestures",
        "gestures_min",
        "gestures_max",
        "rest_after_ms",
    )
)
SCREEN_ONLY: Final = frozenset({"flash", "text_scale", "captions"})

_KIND: Final = _word(*CHECK_KINDS)
_DEADLINE: Final = _int(5_000, 600_000)
_RULES: Final[Mapping[str, Rule]] = {
    "sha256": _match(re.compile(r"[0-9a-f]{64}")),
    "v": _int(1, 1),
    "id": _match(_NAME),
    "serial": _int(1, 2**31),
    "demo": _flag,
    "min_gap_ms": _int(1_000, 2 * _HOUR),  # at least a second: the number of checks stays bounded by the clock
    "max_gap_ms": _int(10_000, 8 * _HOUR),
    "order_slack_ms": _int(90_000, 600_000),  # below 90 s an order that the network delayed would be a miss
    "net_slack_ms": _int(1_000, 120_000),
    "clock_slack_ms": _int(3_000, 60_000),  # cosignatures count whole seconds
    "notice_ms": _int(0, 5_000),
    "deadlines_ms": _table(CHECK_KINDS, _DEADLINE),
    "max_attempts": _int(1, 10),
    "max_misses": _int(0, 10_000),
    "misses_of": _int(1, 10_000),
    "max_mismatches": _int(1, 100),
    "kinds": _tuple(_KIND, 1, 32, once=False),
    "opening_kind": _KIND,
    "closing_kind": _KIND,
    "gestures": _tuple(_word(*GESTURES), 1, len(GESTURES), once=True),
    "gestures_min": _int(1, 3),  # draws 2 to 4 pick them; draw 5 is the evidence
    "gestures_max": _int(1, 3),
    "evidence_permille": _int(0, 1000),
    "pad": _word("gate", "record"),
    "routes": _tuple(_word(*ROUTES), 1, len(ROUTES), once=True),  # a face is never the only way
    "thresholds": _named(_named(_int(-1_000_000, 1_000_000), 32), 16),
    "segment_ms": _int(1_000, 30_000),
    "segment_events": _int(1, 50),
    "session_ms": _int(60_000, 24 * _HOUR),
    "offline_ms": _int(0, 24 * _HOUR),
    "absence_grace_ms": _int(1_000, 600_000),
    "others_for_ms": _int(10_000, 600_000),
    "rest_after_ms": _int(60_000, 4 * _HOUR),
    "rates": _tuple(_int(100, 1000), 1, 16, once=True),  # beyond 1000 credit would outrun the clock
    "seek": _word("seen", "free"),
    "foreground_unknown": _word("credit", "credit_flagged", "pause"),
    "responses": _table(SEVERITIES, _word(*RESPONSES)),
    "agent_hole_ms": _int(0, 300_000),
    "max_devices": _int(1, 16),
    "consents": _tuple(_word(*CONSENTS), 1, len(CONSENTS), once=True),
    "class_hour_minutes": lambda value: type(value) is int and value in (45, 60),
    "class_hour_rounding": _word("tenth", "whole"),
    "daily_cap_ms": _int(0, 24 * _HOUR),
    "study_window": _tuple(_match(_TIME), 2, 2, once=True),
    "utc_offset_minutes": _int(-720, 840),
    "attendance_permille": _int(0, 1000),
    "retention_years": _int(0, 100),
    "decision_people": _int(1, 2),
}


def _contradictions(policy: Policy) -> list[tuple[bool, str]]:
    """What no single field shows: (it is so, why that cannot be)."""
    names = [name for table in policy.thresholds.values() for name in table]
    real = not policy.demo
    return [
        (
            policy.min_gap_ms * 10 > policy.max_gap_ms,
            "min_gap_ms > max_gap_ms / 10: a pass would buy a long free window",
        ),
        (policy.gestures_min > policy.gestures_max, "gestures_min > gestures_max"),
        (policy.gestures_max > len(policy.gestures), "gestures_max exceeds the list of gestures"),
        (policy.offline_ms > policy.session_ms, "offline_ms > session_ms"),
        (policy.max_misses > policy.misses_of, "max_misses > misses_of"),
        (policy.study_window[0] >= policy.study_window[1], "study_window ends before it begins"),
        ("notice" not in policy.consents, "consents lack the notice"),
        (1000 not in policy.rates, "rates lack 1000: normal speed"),
        (len(set(names)) != len(names), "a threshold stands under two models"),
        (real and policy.pad == "record", 'pad = "record" exists for demo classes only'),
        (real and policy.absence_grace_ms < 30_000, "absence_grace_ms < 30 s: looking down to write is presence"),
        (real and policy.agent_hole_ms < 5_000, "agent_hole_ms < 5 s: without an agent only in a demo class"),
        (real and policy.retention_years < 3, "retention_years < 3"),
        (real and policy.decision_people < 2, "decision_people < 2: nobody alone takes hours away"),
    ]


def parse(data: bytes) -> Policy:
    """Return the policy that the bytes of a policy.toml state, or raise `PolicyError` naming the field."""
    if len(data) > MAX_POLICY_BYTES:
        raise PolicyError(f"policy: {len(data)} bytes, more than {MAX_POLICY_BYTES}")
    try:
        table = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"policy: no TOML: {str(error)[:200]}") from error
    if "decision_people" not in table:  # rules of before the field: two for sanctions, in a demo class one
        table["decision_people"] = 1 if table.get("demo") is True else 2
    names = set(_RULES) - {"sha256"}
    wrong = sorted(set(table) ^ names)
    if wrong:
        state = "missing" if wrong[0] in names else "unknown"
        raise PolicyError(f"policy: {state} field {wrong[0][:64]!r}")
    values: dict[str, Any] = {name: _frozen(table[name]) for name in names}
    return Policy(sha256=hashlib.sha256(data).hexdigest(), **values)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def preset(name: str) -> bytes:
    """The bytes of a shipped policy (`demo`, `standard`); `PolicyError` for another name."""
    if name not in PRESETS:
        raise PolicyError(f"no preset {name[:40]!r}; there are {', '.join(PRESETS)}")
    return resources.files("ledger").joinpath("presets", f"{name}.toml").read_bytes()


PRESETS: Final = ("demo", "standard")
