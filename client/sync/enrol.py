"""Before the first session: sign-in, identification, this device's key, consents, the reference, the course's files."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from client.errors import BadAnswerError, ClientError, OtherServerError, SealError
from client.ports import Transport
from client.profile import Profile, disk, write_private
from client.sync.api import Api, field
from client.sync.classlog import Follower, parse_trust
from client.sync.outbox import Outbox
from ledger import bodies, names, note
from ledger import course as courses
from ledger.course import Course
from ledger.errors import LedgerError
from ledger.keys import P256, Signer, Vkey, generate, load_signer
from ledger.trust import Trust

SIGN_IN: Final = "sign-in"  # the sealed file that holds the token
WHAT: Final = ("notice", "commitment", "face", "photos")
_HASH: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An account that proved its code."""

    token: str
    learner: str
    name: str


@dataclass(frozen=True, slots=True)
class Registration:
    """One enrolment in one course, as the server lists it. `class_` is the class log's origin; hashes are SHA-256."""

    registration: str
    class_: str
    class_id: str
    title: str
    course: str
    policy: str
    rules: str
    models: str
    reference: str
    credited_ms: int
    server: str
    trust: str
    ends: int = 0  # ms: when the class is over; 0 where the server does not say


@dataclass(frozen=True, slots=True)
class Me:
    """What the server says of the learner."""

    learner: str
    name: str
    real_name: str  # open | development | identified
    registrations: tuple[Registration, ...]


def start_sign_in(transport: Transport, account: str) -> tuple[str, int]:
    """Ask for a code; return the challenge and when it ends (ms, server clock)."""
    answer = Api(transport).json("POST", "/v1/sign-in/start", {"account": account})
    return field(answer, "challenge", str), field(answer, "expires", int)


def finish_sign_in(transport: Transport, challenge: str, code: str) -> SignedIn:
    """Exchange the code for a token; `ServerRefusedError` with the server's sentence for a wrong one."""
    answer = Api(transport).json("POST", "/v1/sign-in/finish", {"challenge": challenge, "code": code})
    learner = field(answer, "learner", str)
    if not names.is_a("sid", learner):
        raise BadAnswerError("a learner is 32 hex digits")
    return SignedIn(field(answer, "token", str), learner, field(answer, "name", str))


class Enrolment:
    """What one signed-in learner does on this machine before, between and beside sessions."""

    def __init__(
        self,
        transport: Transport,
        profile: Profile,
        token: str,
        *,
        own_trust: bytes | None = None,
        authority: tuple[Vkey, ...] = (),
        wall: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """`own_trust` is this client's own trust file; without it the operator's recommendation is taken.

        `authority`: who must vouch for a key before photos are sealed to it; without one the class log's word is taken.
        """
        self.api = Api(transport, token)
        self.profile = profile
        self._own_trust, self.authority = own_trust, authority
        self.wall = wall

    @classmethod
    def signed_in(
        cls, transport: Transport, root: Path, who: SignedIn, *, own_trust: bytes | None = None,
        authority: tuple[Vkey, ...] = (),
    ) -> Enrolment:  # fmt: skip
        """The enrolment of a fresh sign-in; the token is sealed for the next start."""
        profile = Profile(root, who.learner)
        profile.seal.put(SIGN_IN, who.token.encode())
        return cls(transport, profile, who.token, own_trust=own_trust, authority=authority)

    @classmethod
    def resumed(
        cls, transport: Transport, profile: Profile, *, own_trust: bytes | None = None,
        authority: tuple[Vkey, ...] = (),
    ) -> Enrolment | None:  # fmt: skip
        """The enrolment with the sealed token of an earlier sign-in; None where there is none."""
        token = profile.seal.get(SIGN_IN)
        if not token:
            return None
        return cls(transport, profile, token.decode(), own_trust=own_trust, authority=authority)

    def sign_out(self) -> None:
        """End the token here and on the server; records stay and are still sent."""
        self.profile.seal.delete(SIGN_IN)
        self.api.json("POST", "/v1/sign-out", {})

    def me(self) -> Me:
        """The learner's registrations with everything that opening a session needs."""
        answer = self.api.json("GET", "/v1/me")
        listed = tuple(_registration(item) for item in field(answer, "registrations", list))
        return Me(
            field(answer, "learner", str), field(answer, "name", str), field(answer, "real_name", str), listed
        )

    def identify(self, registration: Registration) -> None:
        """Development only: the development officer vouches for the person."""
        self.api.json("POST", "/v1/identify", {"registration": registration.registration})

    # --- this device ----------------------------------------------------------------------------------------------

    def device(self, registration: Registration) -> Signer:
        """This profile's device key for the class: drawn and sealed once, registered with the server once."""
        name = f"device-{registration.registration}"
        kept = self.profile.seal.get(name)
        signer = self.load(kept) if kept else generate(names.device(registration.server, secrets.token_hex(16)), P256)
        if not kept:
            self.profile.seal.put(name, signer.vkey.name.encode() + b"\n" + signer.to_pem())
        if not self.profile.seal.get(f"{name}-known"):
            self._register(registration, signer)
            self.profile.seal.put(f"{name}-known", b"1")
        return signer

    @staticmethod
    def load(kept: bytes) -> Signer:
        """A device key as it was sealed (name, newline, PEM), or `SealError`."""
        name, _, pem = kept.partition(b"\n")
        try:
            return load_signer(name.decode(), P256, pem)
        except (LedgerError, UnicodeDecodeError) as error:
            raise SealError("this device's key is damaged") from error

    def _register(self, registration: Registration, signer: Signer) -> None:
        vkey = str(signer.vkey)
        text = f"trueseat/device/v1\n{registration.server}\n{registration.class_}\n{self.profile.learner}\n{vkey}\n"
        proof = note.sign(text, signer).decode()
        self.api.json(
            "POST", "/v1/devices", {"registration": registration.registration, "vkey": vkey, "proof": proof}
        )

    # --- consents and reference -----------------------------------------------------------------------------------

    def consent(
        self, outbox: Outbox, registration: Registration, what: str, *, given: bool, notice: bytes, version: int = 1
    ) -> None:
        """Sign the learner's word on one thing at once and keep it; it is sent now or later, whatever the network says.

        `notice` are the bytes of the text that was shown. Withdrawing consent to `face` erases the template; photos
        that were not sent yet go when the consent to them, or to `face`, goes.
        """
        if what not in WHAT:
            raise BadAnswerError(f"nobody is asked for {what[:40]!r}")
        self._say(outbox, registration, what, given=given, notice=(sha256(notice).hexdigest(), version))

    def withdraw(self, outbox: Outbox, registration: Registration, what: str) -> None:
        """Take a consent back that was given to the text that it named; nothing happens where none stands."""
        for said in outbox.consents(registration.registration):
            if said.what == what and said.given:
                self._say(outbox, registration, what, given=False, notice=(said.notice, said.version))

    def _say(
        self, outbox: Outbox, registration: Registration, what: str, *, given: bool, notice: tuple[str, int]
    ) -> None:
        digest, version = notice
        body = bodies.Consent(self.wall(), registration.class_, self.profile.learner, digest, what, given)
        signed = bodies.sign(body, self.device(registration))
        outbox.keep_consent(
            registration.registration, what, given=given, notice=digest, version=version, note=signed
        )
        if what == "face" and not given:
            self.profile.forget_template(registration.registration)
        if what in ("face", "photos") and not given:
            outbox.drop_photos(registration.registration)
        try:
            self.send_consents(outbox, registration)
        except ClientError:
            return  # kept; sent before the next session

    def send_consents(self, outbox: Outbox, registration: Registration) -> None:
        """Send what the server has no copy of yet."""
        for consent in outbox.consents(registration.registration):
            if not consent.sent:
                self.api.text("/v1/consents", consent.note)
                outbox.consent_sent(consent.number)

    def refer(self, registration: Registration, template: bytes | None) -> str:
        """Keep the face template (None: the non-face route) and tell the server its signed digest; return it."""
        digest = self.profile.keep_template(registration.registration, template) if template else "none"
        if template:
            self.profile.forget_follower(registration.registration)
        text = f"trueseat/reference/v1\n{registration.registration}\n{digest}\n"
        self.api.text("/v1/references", note.sign(text, self.device(registration)))
        return digest

    # --- documents ------------------------------------------------------------------------------------------------

    def trust(self, registration: Registration) -> Trust:
        """Whom this client trusts for the class: its own file if it has one."""
        return parse_trust(self._own_trust or registration.trust.encode())

    def follower(self, registration: Registration) -> Follower:
        """The class log as this device has seen it."""
        return Follower(
            self.api, registration.class_id, registration.class_, self.trust(registration), self.profile.cache
        )

    def document(self, digest: str) -> bytes:
        """A published document by its hash: from the cache, or fetched and compared."""
        if not _HASH.fullmatch(digest):  # the server's word: nothing is opened by a path that it names
            raise BadAnswerError(f"a document named by no hash: {digest[:40]!r}")
        path = self.profile.cache / "bodies" / digest
        if path.exists():
            with disk(str(path)):
                data = path.read_bytes()
            if sha256(data).hexdigest() == digest:
                return data
        data = self.api.hashed(f"/v1/bodies/{digest}", digest)
        write_private(path, data)
        return data

    def document_file(self, digest: str) -> Path:
        """The file of this profile that holds a published document, fetched and compared."""
        self.document(digest)
        return self.profile.cache / "bodies" / digest

    def course(self, digest: str) -> Course:
        """The course that a registration or grant names."""
        try:
            return courses.parse(self.document(digest))
        except LedgerError as error:
            raise BadAnswerError(f"the course: {error}") from error

    def fetch_course(self, digest: str, told: Callable[[int, int], None] = lambda _done, _all: None) -> Path:
        """Have the course package in a folder of this profile, every file by its hash; `told(done, all)` in files."""
        folder = self.profile.cache / "courses" / digest
        course = self.course(digest)
        files = course.files()
        write_private(folder / "course.toml", self.document(digest))
        for done, (name, wanted) in enumerate(sorted(files.items())):
            told(done, len(files))
            self.api.download(f"/v1/courses/{digest}/{name}", wanted, folder / name)
        told(len(files), len(files))
        return folder


def expect_server(me: Me, name: str) -> None:
    """Every registration is of the server that the settings name, or `OtherServerError`."""
    for item in me.registrations:
        if item.server != name:
            raise OtherServerError(f"{item.server} answers, the settings name {name}")


def _registration(item: Any) -> Registration:
    if not isinstance(item, Mapping):
        raise BadAnswerError("a registration is an object")
    server, class_id = field(item, "server", str), field(item, "class", str)
    registration = field(item, "registration", str)
    if not (names.is_a("server", server) and names.is_a("class", class_id) and names.is_a("sid", registration)):
        raise BadAnswerError("a registration names a server, a class and 32 hex digits")
    texts = {name: field(item, name, str) for name in ("title", "course", "policy", "rules", "models", "reference")}
    return Registration(
        registration=registration,
        class_=names.class_origin(server, class_id),
        class_id=class_id,
        credited_ms=field(item, "credited_ms", int),
        server=server,
        trust=field(item, "trust", str),
        ends=field(item, "ends", int, 0),
        **texts,
    )
