"""Who the learner is: what was agreed to, the real name, the face, or the way without one.

One instance a window, driven by the journey; `signed_in` says who it is from a sign-in to its end. The face's template
is kept on this device; the server has its signed digest, and the learner's word on each consent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from client import manifest
from client.courses import Shelf
from client.errors import ClientError
from client.facing import Facing
from client.notice import text_of
from client.own import Stage
from client.player import shown
from client.player.shown import Choices, trouble_of
from client.ports import ProctorPort
from client.proctor.template import may_replace
from client.sync.enrol import Enrolment, Me, Registration
from client.sync.outbox import Outbox

NOTICES: Final = ("notice", "commitment", "face", "photos")


@dataclass(slots=True)
class Signed:
    """Whoever is signed in; `me` is what the server said last."""

    enrolment: Enrolment
    shelf: Shelf
    me: Me


def agree(enrolment: Enrolment, me: Me, choices: Choices, language: str) -> None:
    """Sign and keep what was answered on the notice, for every class."""
    with closing(Outbox(enrolment.profile.outbox)) as outbox:
        for registration in me.registrations:
            for what in NOTICES:
                given = bool(getattr(choices, what))
                enrolment.consent(outbox, registration, what, given=given, notice=text_of(language))


class Identity:
    """See the module."""

    def __init__(self, stage: Stage, proctor: ProctorPort, signed_in: Callable[[], Signed]) -> None:
        self._stage, self._proctor, self._signed_in = stage, proctor, signed_in
        self._facing = Facing(proctor, stage.change, self._keep_face)
        self._wants_face = False

    # --- the real name ------------------------------------------------------------------------------------------------

    def begin(self, wants_face: bool) -> None:
        """After the first sign-in: the real name, then the face of whoever agreed to that."""
        self._wants_face = wants_face
        me = self._signed_in().me
        state: Any = me.real_name
        self._stage.put("real_name", shown.RealName(me.name, state, can_ask=me.real_name == "open"))

    def confirm_name(self) -> None:
        """Ask for the real name to be confirmed; a development server does it at once."""
        who = self._signed_in()

        def confirm() -> Me:
            for registration in who.me.registrations:
                who.enrolment.identify(registration)
            return who.enrolment.me()

        def confirmed(found: Me) -> None:
            who.me = found
            self.begin(self._wants_face)

        self._stage.later(confirm, confirmed)

    def leave_name(self) -> None:
        """Go on, confirmed or not."""
        who = self._signed_in()
        known = (who.enrolment.profile.template(one.registration) for one in who.me.registrations)
        if self._wants_face and any(template is None for template in known):
            self._stage.put("enrol", shown.Enrol("intro"))
        else:
            self._stage.home()

    # --- the face -----------------------------------------------------------------------------------------------------

    def tick(self) -> bool:
        """Hear the camera while its page is there; whether it is."""
        if self._facing.runs:
            self._facing.hear()
        return self._facing.runs

    def stop(self) -> None:
        """Let the camera go."""
        self._facing.stop()

    def to_face(self) -> None:
        """From the overview: practise, enrol anew, or take the other way."""
        self._stage.put("enrol", shown.Enrol("intro", known=True))

    def start_enrol(self) -> None:
        """Open the camera and begin; again after an attempt that was not clear."""
        self._face(self._facing.enrol)

    def start_practice(self) -> None:
        """One of each gesture and a miss on purpose: earns and costs nothing, as often as wanted."""
        self._face(self._facing.practise)

    def _face(self, begin: Callable[[Sequence[str], int], None]) -> None:
        shelf = self._signed_in().shelf
        try:
            begin(shelf.gestures, shelf.enrol_ms)
        except ClientError as error:
            self._stage.change(trouble=trouble_of(error))

    def _keep_face(self, template: bytes) -> None:
        who = self._signed_in()
        least = manifest.load().values()["match"]
        known = [who.enrolment.profile.template(item.registration) for item in who.me.registrations]
        if not all(may_replace(old, template, least) for old in known if old is not None):
            self._stage.change(step="unclear", prompt=None, advice="other_face")
            return

        def keep() -> Me:
            for registration in who.me.registrations:
                who.enrolment.refer(registration, template)
            return who.enrolment.me()

        def kept(found: Me) -> None:
            who.me = found
            self._facing.stop()
            self._stage.change(step="passed", prompt=None)

        self._stage.later(keep, kept)

    def keep_follower(self, registration: str) -> None:
        """The face moved a little since it was enrolled: kept on this device, beside the template."""
        if follower := self._proctor.take_follower():
            self._signed_in().enrolment.profile.keep_follower(registration, follower)

    # --- without ------------------------------------------------------------------------------------------------------

    def without_face(self) -> None:
        """The learner takes the other way: consent to face processing is withdrawn, the codes of the policy serve."""
        self._facing.stop()
        who, language = self._signed_in(), self._stage.language()

        def refuse() -> Me:
            with closing(Outbox(who.enrolment.profile.outbox)) as outbox:
                for registration in who.me.registrations:
                    who.enrolment.consent(outbox, registration, "face", given=False, notice=text_of(language))
                    who.enrolment.refer(registration, None)
            return who.enrolment.me()

        def refused(found: Me) -> None:
            who.me = found
            self._stage.home()

        self._stage.later(refuse, refused)

    def by_code(self, registration: str, then: Callable[[], None]) -> None:
        """A check could not be decided and the learner chose the other way: from now on without a camera in this
        course. The consent stands; enrolling again on the overview brings the camera back."""
        who = self._signed_in()
        mine: Registration = next(item for item in who.me.registrations if item.registration == registration)
        self._stage.later(lambda: who.enrolment.refer(mine, None), lambda _: then())
