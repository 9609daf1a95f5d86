"""What the lesson screen says: one sentence, one button, and why this minute counts. Values only, to be rendered.

A `View` is computed from the session's state by `client.screen.view` about ten times a second; screens hold no state of
their own. Sentences are keys with parameters: `TEXT` has the English default of each, `client/player/i18n` the
wording on the screen (zh and en), and a test keeps both lists equal. No wording names anybody's misconduct.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from client.events import Prompt


@dataclass(frozen=True, slots=True)
class Words:
    """A parameter that comes with its own wording in both languages (a rule's title, a unit's title)."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A key of `TEXT` and the values for its `{placeholders}`; a value may be a sentence itself."""

    key: str
    values: Mapping[str, Value] = field(default_factory=dict)


Value = str | int | Words | Sentence


@dataclass(frozen=True, slots=True)
class Button:
    """The single next action: `what` goes back as `Pressed(what)`; `label` is a key of `TEXT`."""

    what: str  # play | rest | end | recheck | ready | other_way | live | test
    label: str


Mood = Literal["good", "todo", "unknown"]


@dataclass(frozen=True, slots=True)
class PanelLine:
    """One line of "why this minute counts": green, amber (names what to do) or grey (this machine cannot tell)."""

    sentence: Sentence
    mood: Mood


@dataclass(frozen=True, slots=True)
class Chapter:
    """A named part of a unit, from `at_ms` to the next one's."""

    at_ms: int
    title: Words


@dataclass(frozen=True, slots=True)
class UnitView:
    """The unit on the screen. The learner may seek within [0, seen_ms]."""

    unit: str
    title: Words
    number: int  # from 1
    count: int
    position_ms: int
    duration_ms: int
    seen_ms: int
    proven: tuple[tuple[int, int], ...] = ()  # stretches that count already, for a quiet mark each
    leg: tuple[int, int] | None = None  # of a make-up: which part this is, and of how many
    chapters: tuple[Chapter, ...] = ()  # those that begin within [0, seen_ms] may be gone to
    live: bool = False  # it happens now: what passes unseen is not there to go back to

    @property
    def chapter(self) -> int:
        """The number, from 1, of the chapter at `position_ms`; 0 where the unit has none."""
        return bisect_right(self.chapters, self.position_ms, key=lambda chapter: chapter.at_ms)


@dataclass(frozen=True, slots=True)
class Question:
    """What stands on the screen in a check without a camera: `words` (keys `item.…`), of which `asked` is to be chosen.

    `code`: a code is to be typed, too. `person`: a supervisor may identify the learner; without `words` that alone is
    awaited. `busy`: the answer is on its way.

    With a `prompt` it is a question of the lesson: any of `choices` is an answer, in any time.
    """

    words: tuple[str, ...]
    asked: str
    code: bool
    person: bool
    busy: bool
    prompt: Words | None = None
    choices: tuple[Words, ...] = ()


Phase = Literal[
    "opening",  # the session is being opened: the opening check is on its way
    "ready",  # waits for the learner's first Start (or a start condition: see `sentence`)
    "playing",
    "paused",  # `sentence` says why and how it goes on
    "notice",  # a check is announced: `countdown_ms` runs, the picture stands still
    "check",  # an attempt runs: render `prompt` over the camera picture, or `question`
    "judging",  # an attempt is over, its answer is on the way
    "unit_end",  # this unit is done, `button` goes on to the next
    "closing",  # the closing check was asked for
    "sending",  # closed; the last records are on their way
    "done",  # closed and cosigned (or kept for later): show the result screen
]


@dataclass(frozen=True, slots=True)
class View:
    """Everything the lesson screen shows. Equal views need no redraw."""

    phase: Phase
    sentence: Sentence
    button: Button | None
    panel: tuple[PanelLine, ...]
    unit: UnitView | None
    last_check: Sentence  # caption: when the last check was and how it went
    sync: Sentence  # how the records stand
    credited_unit_ms: int  # counted so far, by ledger.credit on this device's records: for this unit
    credited_all_ms: int  # ... and in all
    pending_ms: int  # studied since the last passed check; counts with the next one
    prompt: Prompt | None = None
    question: Question | None = None
    camera: bool = True  # False: the non-face route; nothing shows or wants a picture
    countdown_ms: int = 0  # of the notice, or what is left of the attempt
    chimes: int = 0  # play the check sound whenever this number rises
    photo: Sentence | None = None  # a sealed photo is taken with this look, and for whom: said before and meanwhile
    hint: Sentence | None = None  # a small friendly word over the picture (dark, far, several people); never blocks
    message: str = ""  # the supervisor's words, verbatim, until `ready` is pressed
    may_rest: bool = False  # show the small Rest button
    may_end: bool = False  # show the small End button
    may_seek: bool = False
    rate: int = 1000  # per mille
    may_rate: bool = False  # the policy allows more than one rate
    propose_rest: bool = False  # after `rest_after` of study
    second: Button | None = None  # another way to go on, quietly below the one blue button
    hand: Button | None = None  # raise or lower one's hand, while a session runs
    asked: Sentence | None = None  # how the hand stands


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a unit that is not counted yet, and the reason in the words of `ledger.reasons`."""

    unit: str
    title: Words
    from_ms: int
    to_ms: int
    reason: Words
    make_up: bool  # whether studying it again can earn it


@dataclass(frozen=True, slots=True)
class Worth:
    """Credit points and class hours of a registration, as people write them; a class hour has `minutes`; and why."""

    points: str
    hours: str
    minutes: int
    why: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class ResultView:
    """What the result screen shows, computed by ledger.credit from the records on this device."""

    credited_ms: int  # in this session
    credited_all_ms: int  # in this registration
    checks_passed: int
    checks_all: int
    parts: tuple[Part, ...]  # not counted yet, can be made up
    sent: bool  # every record of the session is cosigned
    how: str  # ended | limit | mismatches | recovered
    records: int  # signed events
    photos: tuple[int, ...] = ()  # wall ms of the sealed photos that were taken
    worth: Worth | None = None  # of the registration; None: the class names no table of points


TEXT: Final[Mapping[str, str]] = {
    # --- sentences by phase
    "say.opening": "Your session is being opened.",
    "say.ready": "Press Start when you sit comfortably.",
    "say.loading": "The lesson is loading.",
    "say.joining": "The live picture is coming.",
    "say.live_end": "The live lesson is over. What you did not see can be made up once its recording is there.",
    "say.playing": "This minute counts.",
    "say.playing_offline": "This minute is recorded; it counts when the network is back and you have passed a check.",
    "say.making_up": "Making up part {number} of {count}. This minute counts.",
    "say.counted": "The last {minutes} minutes are counted.",
    "say.rest_proposed": "You have studied for {minutes} minutes. A short rest costs nothing.",
    "say.judging": "One moment.",
    "say.unit_end": "“{unit}” is finished. Next: “{next}”.",
    "say.test": "Test, question {number} of {count}. Take your time; no minute that counts depends on it.",
    "say.test_marking": "Your answers are signed and being marked.",
    "say.test_passed": "Test passed: {right} of {asked} right.",
    "say.test_again": "{right} of {asked} right; {needed} are asked for. You may try again, and your minutes stay.",
    "say.test_unreachable": "Your answers are signed. They can be marked once the network is back.",
    "say.test_refused": "Your answers are signed, but could not be marked. Please ask your school; your minutes stay.",
    "say.course_end": "You have reached the end of the course.",
    "say.closing": "One look, so that the last {minutes} minutes count.",
    "say.question": "A question about this lesson. Take your time; the answer is sealed, and nobody is timed.",
    "say.closing_wait_code": "One short question, so that the last {minutes} minutes count. It comes in a moment.",
    "say.closing_wait": "One look, so that the last {minutes} minutes count. It comes in a moment.",
    "say.sending": "Your records are being sent.",
    "say.done": "Your records are complete and receipted.",
    "say.done_later": "Your records are kept on this device and are sent when the network is back.",
    # --- pauses: what and how it goes on
    "pause.absent": "You have left the picture, so the lesson paused. It goes on when you are back.",
    "pause.agent": "The study assistant is starting again. The lesson goes on by itself.",
    "pause.camera": "No picture from the camera. Plug it in, or close the program that uses it.",
    "pause.camera_missing": "No camera was found. Plug one in; the lesson goes on by itself.",
    "pause.camera_permission": "This program may not use the camera. Allow it in the system's settings.",
    "pause.camera_busy": "Another program uses the camera. Close it; the lesson goes on by itself.",
    "pause.camera_still": "The camera's picture stands still. Unplug the camera and plug it in again.",
    "pause.camera_repeats": "The camera shows the same few seconds again and again. Choose this computer's own camera.",
    "pause.camera_covered": "The camera sees nothing. Uncover the lens or switch on a light.",
    "pause.camera_starting": "The camera is starting.",
    "pause.command": "A supervisor has paused the lesson. Read the message, then go on.",
    "pause.covered": "{app} covers the lesson. Move it aside; the lesson goes on by itself.",
    "pause.covered_unknown": "Another window covers the lesson. Move it aside; the lesson goes on by itself.",
    "pause.desktop": "The lesson is on another desktop. Come back to it; the lesson goes on by itself.",
    "pause.finding": "{title}. {remedy}",
    "pause.focus": "The lesson window is not in front. Click it; the lesson goes on by itself.",
    "pause.foreground_unknown": (
        "This computer cannot tell which window is in front, and this class needs to know. Use another desktop session."
    ),
    "pause.help": "{advice} This is nobody's fault: go on, or use a code instead of the camera.",
    "pause.help_person": "{advice} This is nobody's fault: go on, or have a person confirm that it is you.",
    "pause.learner": "Paused. Nothing is lost.",
    "pause.limit": "This session has reached its length. Your time is kept; open a new session to go on.",
    "pause.locked": "The screen is locked. Unlock it; the lesson goes on by itself.",
    "pause.media": "The lesson's picture or sound cannot go on: {detail}. Press Continue to try again.",
    "pause.minimised": "The lesson window is minimised. Open it; the lesson goes on by itself.",
    "pause.network": "You have studied offline as long as this class allows. Connect to the network; nothing is lost.",
    "pause.rest": "Rest as long as you like. Nothing is lost.",
    "pause.rest_live": "Rest as long as you need. What passes meanwhile is not seen; what counts already stays.",
    "pause.learner_live": "Paused. What passes meanwhile is not seen; what counts already stays.",
    "pause.live_waiting": "“{unit}” begins live at {time}. It starts by itself; you may wait here.",
    "pause.live_late": "The live lesson has not begun yet. It starts by itself; you may wait here.",
    "pause.live_stalled": "The live picture is interrupted. It goes on by itself; please wait a moment.",
    "pause.live_unreachable": "No network: the live picture cannot come. It goes on when the network is back.",
    "pause.live_refused": "The live picture cannot be shown just now. Your school is told; it goes on by itself.",
    "pause.suspended": "The computer was asleep. Press Continue.",
    # --- checks
    "check.notice": "A quick look in {seconds} s. Please face the camera.",
    "check.notice_code": "A short question in {seconds} s. Have your phone at hand.",
    "check.running": "Please follow the picture.",
    "check.photo": "One photo is taken with this look and sealed at once. Only {names} can open it.",
    "check.code": "We have sent a code to your phone.",
    "check.item": "Choose “{word}”.",
    "check.item_first": "Choose “{word}”, then type the code.",
    "check.person": "Your supervisor confirms that it is you: in the room, by phone or by video. The lesson waits.",
    "check.person_too": "Your supervisor can confirm it, too; then nothing needs to be typed.",
    "check.again": "We could not see you clearly. One more try.",
    "check.again_because": "{advice} One more try.",
    "check.again_code": "That was not quite it, or it came too late. One more try with a new code.",
    "check.passed": "Checked {minutes} min ago.",
    "check.passed_now": "Checked just now.",
    "check.unclear": "The last look was not clear. The next one decides.",
    "check.unclear_code": "The last question stayed open. The next one decides.",
    "check.none": "No check yet.",
    "item.sun": "sun",
    "item.moon": "moon",
    "item.tree": "tree",
    "item.boat": "boat",
    "item.bird": "bird",
    "item.key": "key",
    "item.bell": "bell",
    "item.cup": "cup",
    # --- what to change, after an attempt that could not be decided
    "advice.dark": "It was rather dark: more light helps.",
    "advice.bright": "The light was very strong: turn away from the window or lamp.",
    "advice.far": "You were far away: come a little closer.",
    "advice.close": "You were very close: move back a little.",
    "advice.blurred": "The picture was blurred: hold still and wipe the lens.",
    "advice.covered": "The camera saw nothing: uncover the lens or switch on a light.",
    "advice.hidden": "Part of your face was hidden: let the camera see eyes, nose and mouth for a moment.",
    "advice.turned": "You were turned away: look at the screen for a moment.",
    "advice.nobody": "The camera did not see you: sit in the middle of the picture.",
    "advice.two_faces": "Two people were in front: be alone in the picture for a moment.",
    "advice.camera_lost": "The camera gave no picture: plug it in, or close the program that uses it.",
    "advice.still_picture": "The camera's picture stood still: plug the camera in again.",
    "advice.gesture": "A gesture was missing: do each one when it is asked for.",
    "advice.late": "The time was over: begin as soon as the picture asks.",
    "advice.not_clear": "The picture was not clear enough: face the camera in even light.",
    "advice.no_template": "This computer does not know your face: enrol it again from the overview.",
    "advice.other_engine": "The program was updated: enrol your face again from the overview.",
    "advice.other_face": "This is not the face that was enrolled before: ask your school, or use another way.",
    "advice.proctor_restarted": "The camera program had to start again.",
    "advice.other": "We could not see you clearly.",
    # --- hints
    "hint.dark": "It is rather dark; more light helps.",
    "hint.bright": "The light behind you is strong; turn a little.",
    "hint.far": "Come a little closer.",
    "hint.close": "Move back a little.",
    "hint.blurred": "The picture is blurred; hold still for a moment.",
    "hint.turned": "Look straight at the screen.",
    "hint.covered": "Something is in front of the camera.",
    "hint.nobody": "The camera does not see you.",
    "hint.chapter": "Chapter {number}: {title}",
    "hint.live_passed": "{time} of the live lesson passed unseen. It can be made up once the recording is there.",
    "hint.live_on": "“{unit}” is live now. Press Rest to join it.",
    "hint.several": "Someone else is in the picture. That is fine; please stay in front.",
    # --- panel: why this minute counts
    "panel.window_good": "Window in front",
    "panel.window_todo": "Window not in front",
    "panel.window_unknown": "Window: this computer cannot tell",
    "panel.camera_good": "Camera works",
    "panel.camera_todo": "Camera gives no picture",
    "panel.camera_none": "No camera needed: you use another way",
    "panel.person_good": "You are in the picture",
    "panel.person_todo": "You are not in the picture",
    "panel.check_good": "Last check passed {minutes} min ago",
    "panel.check_now": "Last check passed just now",
    "panel.check_todo": "The next check decides",
    "panel.agent_good": "Study assistant works",
    "panel.agent_todo": "Study assistant is starting",
    "panel.low_load": "Low load: a smaller picture, as many checks",
    "panel.sync_good": "Records receipted",
    "panel.sync_todo": "Offline: {pending} records wait on this device",
    # --- sync caption
    "sync.good": "All records up to now are receipted.",
    "sync.sending": "{pending} records are on their way.",
    "sync.offline": "No network: {pending} records are kept on this device.",
    "sync.problem": "The server did not accept the records ({code}). They are kept; tell the school.",
    # --- how the records of this computer stand
    "sync.never": "Nothing was sent yet.",
    "sync.sent_now": "Last sent just now.",
    "sync.sent_minutes": "Last sent {count} minutes ago.",
    "sync.sent_hours": "Last sent {count} hours ago.",
    "sync.sent_days": "Last sent {count} days ago.",
    "sync.all_sent": "Everything is with the server.",
    "sync.waiting": "{sessions} sessions are waiting ({records} records).",
    "sync.photos_waiting": "Records are sent; sealed photos are on their way.",
    "sync.stuck": "{sessions} sessions could not be sent to their end; what was receipted stays.",
    "sync.others": "{sessions} sessions of others on this computer are waiting, too.",
    "sync.send_now": "Send now",
    # --- a raised hand
    "hand.waiting": "One moment: your school is being asked.",
    "hand.up": "Your hand is up; your school sees it.",
    "hand.offline": "No network: your hand could not be raised. Try again when it is back.",
    "hand.refused": "Your school could not be asked just now. Try again in a moment.",
    # --- buttons
    "button.hand": "Raise hand",
    "button.hand_down": "Lower hand",
    "button.start": "Start",
    "button.continue": "Continue",
    "button.next": "Next unit",
    "button.recheck": "I closed it, check again",
    "button.read": "I have read it",
    "button.ready": "I am ready",
    "button.end": "End",
    "button.end_now": "End without the look",
    "button.end_now_code": "End without the question",
    "button.confirm": "Confirm",
    "button.rest": "Rest",
    "button.no_photos": "Take no more photos",
    "button.other_way": "Use a code instead",
    "button.other_way_person": "Ask a person instead",
    "button.test": "Take the test",
    "button.test_again": "Take the test again",
    "button.test_mark": "Have it marked",
    "button.live": "Join the live lesson",
}
