"""Making a supervision server: its keys, its first administrator, its first class and that class's learners."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from ledger import bodies, names, note, points
from ledger.errors import LedgerError
from ledger.keys import COSIGNATURE, ED25519, generate
from ledger.leaves import ClassLeaf, KeyLeaf, PolicyLeaf
from ledger.policy import parse as parse_policy
from ledger.policy import preset
from server_stub.domain.classlog import ClassLogs
from server_stub.domain.errors import SetupError
from server_stub.domain.keyring import Keyring
from server_stub.domain.passwords import hash_password
from server_stub.domain.people import Account, Classroom, People, Registration
from server_stub.domain.ports import Records, Transaction
from server_stub.domain.signin import Clock, account_name
from server_stub.settings import Settings, write_private
from server_stub.storage import keyfiles
from server_stub.storage.packages import Packages, read_package

NO_RULES = b"# no rules\n"
NO_MODELS = b"# no models\n"
EXAMPLES = (("zhang.wei", "张伟"), ("li.na", "李娜"), ("chen.yun", "陈赟"), ("alex", "Alex Example"))


@dataclass(frozen=True, slots=True)
class ClassPlan:
    """A class to be made: the bytes of its documents (the course's manifest is installed by its folder)."""

    class_id: str
    title: str
    course: Path
    policy: bytes
    rules: bytes = NO_RULES
    models: bytes = NO_MODELS
    points: bytes = field(default_factory=points.shipped)
    client: bytes | None = None
    notices: tuple[bytes, ...] = ()  # texts that consents name by their hash
    learners: tuple[tuple[str, str], ...] = ()  # account, name


def make_directory(settings: Settings) -> None:
    """Make the data directory and all keys but a class's, 0600; `SetupError` when it exists with anything in it."""
    directory = settings.directory
    if directory.exists() and any(directory.iterdir()):
        raise SetupError(f"{directory} is not empty; init makes a new directory")
    for folder in (directory, settings.keys, settings.courses, settings.models):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.save()
    write_private(settings.secret, secrets.token_bytes(32))
    keyfiles.save(settings.keys, keyfiles.COSIGNER, generate(names.cosigner(settings.server), COSIGNATURE))
    keyfiles.save(settings.keys, keyfiles.GRANT, generate(names.grant(settings.server), ED25519))
    if settings.development:
        authority = f"development.{settings.server}"
        keyfiles.save(settings.keys, keyfiles.AUTHORITY, generate(f"{authority}/a", ED25519))
        keyfiles.save(settings.keys, keyfiles.OFFICER, generate(f"{authority}/p/{secrets.token_hex(16)}", ED25519))


def make_class_key(settings: Settings, class_id: str) -> None:
    """Draw the key of a class log, before the keyring is read."""
    signer = generate(names.class_origin(settings.server, class_id), ED25519)
    keyfiles.save(settings.keys, keyfiles.log_file(class_id), signer)


def add_administrator(people: People, name: str = "admin") -> str:
    """Make an administrator; return the password, which is kept nowhere else."""
    password = secrets.token_urlsafe(15)
    roles = ("administrator", "supervisor")
    people.add_account(Account(account_name(name), name, password=hash_password(password), roles=roles))
    return password


def add_learner(people: People, class_id: str, name: str, person: str) -> Registration:
    """Enrol a learner, making the account where there is none."""
    account = people.account(account_name(name))
    if account is None:
        account = Account(account_name(name), person[:200], learner=secrets.token_hex(16))
        people.add_account(account)
    if not account.learner:
        raise SetupError(f"{name!r} is one of the staff")
    if people.registrations(learner=account.learner, class_id=class_id):
        raise SetupError(f"{name!r} is enrolled in {class_id} already")
    registration = Registration(secrets.token_hex(16), account.learner, class_id)
    people.add_registration(registration)
    return registration


class ClassMaker:
    """Begins class logs."""

    def __init__(self, people: People, records: Records, logs: ClassLogs, keyring: Keyring, packages: Packages) -> None:
        self._people, self._records, self._logs = people, records, logs
        self._keyring, self._packages = keyring, packages

    def make(self, plan: ClassPlan, clock: Clock) -> None:
        """Install the course and append the first entries: the class, the server's keys, the documents in force."""
        now = clock()
        check(plan)
        policy = parse_policy(plan.policy)
        manifest = self._packages.install(plan.course)
        documents = {"policy": plan.policy, "rules": plan.rules, "models": plan.models, "course": manifest}
        documents["points"] = plan.points
        serials = {"policy": policy.serial, "points": points.parse(plan.points).version}
        if plan.client is not None:
            documents["client"] = plan.client

        def begin(tx: Transaction) -> None:
            if tx.log.size(plan.class_id):
                raise SetupError(f"the class {plan.class_id!r} exists already")
            first = ClassLeaf(now, self._keyring.origin(plan.class_id))
            self._logs.append(tx, plan.class_id, first, *self._keys(plan.class_id, now))
            self._officer(tx, plan.class_id, now)
            for what, data in documents.items():
                digest = sha256(data).hexdigest()
                tx.log.put_body(plan.class_id, digest, data, public=True)
                self._logs.append(tx, plan.class_id, PolicyLeaf(now, what, serials.get(what, 1), digest))
            for notice in plan.notices:
                tx.log.put_body(plan.class_id, sha256(notice).hexdigest(), notice, public=True)

        self._records.write(begin)
        self._people.add_class(Classroom(plan.class_id, plan.title, now))
        for name, person in plan.learners:
            add_learner(self._people, plan.class_id, name, person)

    def _keys(self, class_id: str, now: int) -> list[KeyLeaf]:
        signers = {
            "log": self._keyring.log(class_id), "cosign": self._keyring.cosigner, "grant": self._keyring.grant,
        }  # fmt: skip
        return [KeyLeaf(now, "add", role, str(signer.vkey)) for role, signer in signers.items()]

    def _officer(self, tx: Transaction, class_id: str, now: int) -> None:
        """The development officer's key, vouched for by the development authority."""
        if self._keyring.officer is not None and self._keyring.authority is not None:
            self._vouched(tx, "supervisor", str(self._keyring.officer.vkey), class_id, now)

    def add_reviewer(self, class_id: str, vkey: str, clock: Clock) -> None:
        """Development only: the development authority vouches for a reviewer's evidence key."""
        authority = self._keyring.authority
        if authority is None:
            raise SetupError("only a development server vouches itself; others take a voucher (`key add evidence`)")
        now = clock()
        self._records.write(lambda tx: self._vouched(tx, "evidence", vkey, class_id, now))

    def _vouched(self, tx: Transaction, role: str, vkey: str, class_id: str, now: int) -> None:
        """A key's leaf, and the voucher that the development authority signs for it."""
        assert self._keyring.authority is not None
        text = bodies.voucher_text("add", role, vkey)
        digest = note.digest(text)
        tx.log.put_body(class_id, digest, note.sign(text, self._keyring.authority))
        self._logs.append(tx, class_id, KeyLeaf(now, "add", role, vkey, vouched=digest))


def populate(people: People) -> list[str]:
    """Enrol the example learners in every class; return one line a learner. Running it again adds nobody."""
    lines = []
    for classroom in people.classes():
        for name, person in EXAMPLES:
            try:
                add_learner(people, classroom.class_id, name, person)
            except SetupError:
                continue
            lines.append(f"{classroom.class_id}: {name} ({person})")
    return lines


def check(plan: ClassPlan) -> None:
    """Return quietly, or raise `SetupError`: everything that the plan names can be used. Nothing is written."""
    try:
        parse_policy(plan.policy)
        points.parse(plan.points)
    except LedgerError as error:
        raise SetupError(str(error)) from error
    read_package(plan.course)
    accounts = [account_name(name) for name, _ in plan.learners]
    if len(set(accounts)) != len(accounts):
        raise SetupError("a learner is named twice")
    if not names.is_a("class", plan.class_id):
        raise SetupError(f"{plan.class_id!r} is no class ID: lower-case letters, digits and hyphens")


def default_policy() -> bytes:
    """The preset for classes that name no policy."""
    return preset("standard")
