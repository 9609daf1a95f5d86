"""The state of a running session, as values: what it was told, where the lesson stands, what a check waits for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from client.airing import airing
from client.events import Marked, Order, Progress, Prompt, Sheet, SyncState
from client.machine import Conditions, Machine
from client.motion import Motion, Still
from client.ports import Sealing
from client.timeline import Leg
from client.view import Chapter, Words
from ledger.events import Consent
from ledger.policy import Policy
from ledger.spans import ONLINE_MS


@dataclass(frozen=True, slots=True)
class Item:
    """A question of the lesson, asked once when the picture first comes to `at_ms`; nobody here knows what is right."""

    item: str
    at_ms: int
    prompt: Words
    choices: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit as the session knows it."""

    unit: str
    title: Words
    duration_ms: int
    chapters: tuple[Chapter, ...] = ()  # in their order
    starts_ms: int | None = None  # of a live unit, epoch: its position is programme time
    items: tuple[Item, ...] = ()
    test: tuple[Item, ...] = ()  # asked at its end, one after another, when the learner wants it

    @property
    def live(self) -> bool:
        """Whether it is given once, at its time: no seeking, no other rate, and what passed has passed."""
        return self.starts_ms is not None


@dataclass(frozen=True, slots=True)
class Marks:
    """An attempt that was handed in: the server's `word` on it, None while it is on its way."""

    sheet: Sheet
    word: Marked | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What binds this session: the policy with the learner's accommodations, the grant's limits, the course's units."""

    sid: str
    policy: Policy
    units: tuple[Unit, ...]
    session_ms: int
    offline_ms: int
    face: bool = True  # False: the agreed non-face route
    photos: Sealing | None = None  # to whom photos go: the grant names somebody, and the learner agreed ...
    agreed: Consent | None = None  # ... by this word
    sparing: bool = False  # this computer runs at low load: as many checks, a smaller picture

    @property
    def conditions(self) -> Conditions:
        """What the policy asks of the machine."""
        policy = self.policy
        return Conditions(
            face=self.face,
            agent_silence_ms=policy.agent_hole_ms * 2 // 3,
            absence_grace_ms=policy.absence_grace_ms,
            others_for_ms=policy.others_for_ms,
            foreground_unknown=policy.foreground_unknown,
        )


# --- one check --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Task:
    """One ordered attempt: what is asked, and until when on our clock; `photo`: one photo is to be taken."""

    order: Order
    kind: str
    gestures: tuple[str, ...]
    until: int
    offline: bool
    photo: bool = False


@dataclass(frozen=True, slots=True)
class Idle:
    """No check is open."""


@dataclass(frozen=True, slots=True)
class Announced:
    """The notice stands on the screen; the attempt begins at `at`, or when the learner says so."""

    task: Task
    at: int


@dataclass(frozen=True, slots=True)
class Attempting:
    """The proctor judges; or a question stands on the screen, and the server is asked.

    `told` is the server's last word on it, `chosen` what the learner chose while the code is compared (-1: nothing
    is), `again_at` when the server is asked once more.
    """

    task: Task
    told: str = ""
    chosen: int = -1
    again_at: int | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An attempt was not clear; the answer to the segment of `size` may bring another; after `until` none will."""

    task: Task
    size: int
    until: int


Check = Idle | Announced | Attempting | Waiting


# --- the session as a whole -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opening:
    """The grant is there, its first cosignature is not."""


@dataclass(frozen=True, slots=True)
class Studying:
    """The lesson, its pauses and its checks."""


@dataclass(frozen=True, slots=True)
class Closing:
    """The session ends as `how` once nothing is on its way and the closing check is through, or after `until`.

    `hurried`: the learner ends without the look.
    """

    how: str
    until: int
    hurried: bool = False


@dataclass(frozen=True, slots=True)
class Over:
    """`closed` is signed as event `size` − 1 at mono `at`; nothing is appended any more."""

    how: str
    size: int
    at: int


Stage = Opening | Studying | Closing | Over


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the last attempt went: its result, when, the study time that it proved, the log's size with it, and why."""

    result: str
    at: int
    proved_ms: int
    size: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums since one moment or another, all in ms of span time."""

    pending_ms: int = 0  # since the last outcome that passed
    unsigned_ms: int = 0  # since the last `cosigned`: beyond 90,000 a span is offline
    studied_ms: int = 0  # since the last rest
    online_ms: int = 0  # E, by the ledger's meter
    offline_ms: int = 0  # F, by the ledger's meter
    mismatches: int = 0  # checks in a row whose last attempt saw another person
    passed: int = 0
    checks: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """Everything the reducer knows. `now` is ms since `opened`, `wall` ms since the epoch (for people)."""

    rules: Rules
    now: int = 0
    wall: int = 0
    stage: Stage = field(default_factory=Opening)
    check: Check = field(default_factory=Idle)
    motion: Motion = field(default_factory=Still)
    machine: Machine = field(default_factory=Machine)

    hold: str = ""  # why the learner, or a supervisor, wants it to stand still; "" lets it play
    index: int = 0  # of the unit
    loaded: bool = False  # whether the player has it
    reload: bool = False  # the player lost it and must be given it again
    finished: bool = False  # its end was reached
    position_ms: int = 0
    rate: int = 1000  # per mille, of those that the policy allows
    progress: Progress | None = None
    seen: Mapping[str, int] = field(default_factory=dict)  # unit → the position up to which it was shown
    way: tuple[Leg, ...] = ()  # a make-up: just these parts, one after the other
    leg: int = 0  # of `way`

    size: int = 0  # events appended
    since_cut: int = 0  # of them, not yet under a checkpoint
    cut_at: int = 0
    logged_at: int = 0  # mono of the last event
    cosigned: int = 0  # events below it are receipted
    ahead_ms: int | None = None  # the server's clock minus ours, as the quickest answer told it
    sync: SyncState = field(default_factory=lambda: SyncState(True, 0, 0))

    queue: tuple[tuple[Order, bool], ...] = ()  # orders that wait for the one that is open; True: offline
    given: Mapping[tuple[int | str, int], int] = field(default_factory=dict)  # order → the signed time it came with
    ordered: frozenset[tuple[int | str, int, bool]] = frozenset()
    kinds: Mapping[str, str] = field(default_factory=dict)  # spot checks: the kind that the supervisor asked for
    commands: frozenset[str] = frozenset()
    asked: bool = False  # the closing check of the committed seed
    asked_offline: bool = False  # the one of the offline seed was ordered
    offline: bool = False  # no answer for so long that the log says so
    silent_since: int | None = None  # since when the network is silent
    outcome: Outcome | None = None
    tally: Tally = field(default_factory=Tally)
    photos: tuple[int, ...] = ()  # wall ms of the answers that name a sealed photo
    asking: Item | None = None  # the lesson's question on the screen
    sheet: Sheet | None = None  # the test that is being taken
    marks: Mapping[str, Marks] = field(default_factory=dict)  # unit → how its last test in this session stands
    attempts: Mapping[str, int] = field(default_factory=dict)  # unit → attempts at its test, in all sessions
    replied: frozenset[tuple[str, str]] = frozenset()  # (unit, item) of those that were answered, in any session

    passed: tuple[int, int] | None = None  # of a live unit: ms that went by unseen before it was joined, and when

    told_faces: int | None = None  # what the log holds of presence and window
    told_window: tuple[bool, int | None, str] | None = None
    told_others: bool = False
    told_fed: frozenset[str] = frozenset()  # signs of a file in the camera's place
    told_silent: bool = False
    message: str = ""
    media_fault: str = ""
    mismatched: bool = False  # the last attempt saw another person
    help: str = ""  # a check could not be decided, for this reason: the other way is offered until the learner chooses
    other_way: bool = False  # the learner chose it: this session ends, the next one is without a camera
    close_tried: bool = False  # the closing check is over without a pass
    prompt: Prompt | None = None
    chimes: int = 0

    @property
    def in_flight(self) -> bool:
        """Whether a signed segment waits for its answer, which may bring an order."""
        return self.cosigned < self.size - self.since_cut

    @property
    def alone(self) -> bool:
        """Whether checks are ours to order now: no server answers, or the spans already count as offline."""
        return self.offline or self.tally.unsigned_ms > ONLINE_MS

    @property
    def unit(self) -> Unit:
        """The unit on the screen."""
        return self.rules.units[self.index]

    @property
    def following(self) -> int | None:
        """The next unit that can be studied now; None after the last one."""
        later = range(self.index + 1, len(self.rules.units))
        return next((index for index in later if self._now(index)), None)

    @property
    def live_on(self) -> int | None:
        """A live unit of the course that is on while another one is on the screen."""
        units = enumerate(self.rules.units)
        return next((i for i, unit in units if unit.live and i != self.index and self._now(i)), None)

    def _now(self, index: int) -> bool:
        unit = self.rules.units[index]
        seen = self.seen.get(unit.unit, 0) >= unit.duration_ms
        return airing(unit.starts_ms, unit.duration_ms, self.wall) == "on" and not (unit.live and seen)

    @property
    def on_way(self) -> Leg | None:
        """The part of a make-up that is studied now; None where the lesson simply goes on."""
        return self.way[self.leg] if self.leg < len(self.way) else None

    @property
    def seen_ms(self) -> int:
        """Up to where this unit was shown: the learner may go anywhere before it."""
        return self.seen.get(self.unit.unit, 0)

    def late_ms(self, order: Order) -> int:
        """How long ago, by the server's clock, `order` was given; 0 when nobody can tell."""
        given = self.given.get((order.i, order.a))
        if given is None or self.ahead_ms is None:
            return 0
        return max(0, self.now + self.ahead_ms - given)
