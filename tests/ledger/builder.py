"""A class, its devices and their sessions on one fake clock: everything signed for real, exported as a real archive.

    room = Classroom()
    desk = room.session(room.device(room.learner("王小明")))
    desk.study(60_000).close()
    report = room.export(tmp_path / "archive")

The server's side orders checks by the real `ledger.desk.Desk`; what a test wants crooked it changes afterwards in the
files, or by a `Session` that says something else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from ledger import bodies, certificate, checkpoint, grant, keys, names, note, points, schedule, segment
from ledger import course as courses
from ledger import events as ev
from ledger import policy as policies
from ledger.certificate import Certificate, Previous
from ledger.checkpoint import Checkpoint
from ledger.classlog import ClassLog
from ledger.desk import Desk
from ledger.events import Event
from ledger.export import ArchiveData, SessionFiles, write_archive
from ledger.grant import Grant
from ledger.leaves import (
    BodyLeaf,
    ClassLeaf,
    ErasedLeaf,
    GrantedLeaf,
    KeyLeaf,
    PolicyLeaf,
    RevealedLeaf,
    SettledLeaf,
)
from ledger.policy import Policy
from ledger.report import Report
from ledger.schedule import Order, Schedule
from ledger.spans import Meter
from ledger.tree import Tree, leaf_hash
from ledger.trust import Trust
from ledger.trust import parse as parse_trust
from ledger.verify import Options

SERVER = "demo.trueseat.example"
NOON = 1_795_233_600_000  # 2026-11-21 12:00 in Beijing, ms since the epoch
COURSE = """id = "safety"
version = 1

[title]
zh = "安全生产"
en = "Safety at work"

[[unit]]
id = "u1"
duration_ms = 600000
media = "u1.mp4"
media_sha256 = "{0}"

[unit.title]
zh = "第一课"
en = "Lesson 1"

[[unit]]
id = "u2"
duration_ms = 600000
media = "u2.mp4"
media_sha256 = "{0}"

[unit.title]
zh = "第二课"
en = "Lesson 2"
""".format("0" * 64)
Answer = Callable[[Order], tuple[str, str, int]]  # order → result, reason, ms it takes


def passes(order: Order) -> tuple[str, str, int]:
    """A learner who looks up and is recognised."""
    return "passed", "ok", 3_000


def fails(order: Order) -> tuple[str, str, int]:
    """Another face than the learner's."""
    return "failed", "other_person", 3_000


@dataclass
class Device:
    """One learner's device in one class."""

    learner: str
    registration: str
    signer: keys.NoteSigner
    prev: Previous | None = None


class Classroom:
    """One class on one server, with its operator, one supervisor of an authority, and `witnesses` (0: quorum none)."""

    def __init__(self, *, class_id: str = "demo-2026", policy: bytes | None = None, witnesses: int = 0) -> None:
        self.now = NOON
        self.origin = names.class_origin(SERVER, class_id)
        self._counter = 0
        self.log_key = keys.generate(self.origin, keys.ED25519)
        self.former: list[keys.Signer] = []  # keys of the log that were replaced
        self.grant_key = keys.generate(names.grant(SERVER), keys.ED25519)
        self.cosigner = keys.generate(names.cosigner(SERVER), keys.COSIGNATURE)
        self.authority = keys.generate("school.example/a", keys.ED25519)
        self.supervisor = keys.generate(f"school.example/p/{self.random(16)}", keys.ED25519)
        self.evidence, _ = keys.generate_evidence("school.example/e")
        self.witnesses = [keys.generate(f"witness{n}.example/w", keys.COSIGNATURE) for n in range(witnesses)]
        self.log = ClassLog(self.origin)
        self.entries: list[bytes] = []
        self.bodies: dict[str, bytes] = {}
        self.sessions: list[Session] = []
        self.people: dict[str, str] = {}
        self.evidence_files: dict[str, bytes] = {}
        self.documents = {
            "policy": policy or policies.preset("demo").replace(b"agent_hole_ms = 30_000", b"agent_hole_ms = 0"),
            "rules": b"# no rules\n",
            "models": b"# no models\n",
            "course": COURSE.encode(),
            "points": points.shipped(),
        }
        self.policy = policies.parse(self.documents["policy"])
        self.course = courses.parse(self.documents["course"])
        self._begin()

    def random(self, count: int) -> str:
        """`count` bytes in hex that are the same in every run."""
        self._counter += 1
        return sha256(b"%d" % self._counter).hexdigest()[: 2 * count]

    def _begin(self) -> None:
        self.append(ClassLeaf(self.now, self.origin))
        for role, key in (("cosign", self.cosigner.vkey), ("grant", self.grant_key.vkey)):
            self.append(KeyLeaf(self.now, "add", role, str(key)))
        for role, key in (("supervisor", self.supervisor.vkey), ("evidence", self.evidence)):
            text = bodies.voucher_text("add", role, str(key))
            self.append(KeyLeaf(self.now, "add", role, str(key), vouched=self.keep(note.sign(text, self.authority))))
        for what, content in self.documents.items():
            self.append(PolicyLeaf(self.now, what, 1, self.keep_plain(content)))
        if self.witnesses:
            self.anchor()

    def append(self, entry: object) -> int:
        """Append an entry (a leaf, or signed bytes) and return its index."""
        data = bytes(entry)  # type: ignore[call-overload]
        self.log.add(data)
        self.entries.append(data)
        return len(self.entries) - 1

    def keep(self, signed: bytes) -> str:
        """Keep a signed note as a body; its hash."""
        digest = note.parse(signed).digest
        self.bodies[digest] = signed
        return digest

    def keep_plain(self, content: bytes) -> str:
        """Keep a plain file as a body; its hash."""
        digest = sha256(content).hexdigest()
        self.bodies[digest] = content
        return digest

    def say(self, body: bodies.Body, *signers: keys.NoteSigner, sid: str | None = None) -> str:
        """Sign a body, keep it, and append its leaf; the note's hash."""
        digest = self.keep(bodies.sign(body, *signers))
        self.append(BodyLeaf(self.now, body.kind, digest, sid))
        return digest

    def checkpoint(self, size: int | None = None) -> bytes:
        """The class log's checkpoint, cosigned by every witness now."""
        size = len(self.entries) if size is None else size
        found = Checkpoint(self.origin, size, self.log.tree.root_at(size))
        signed = checkpoint.sign(found, self.log_key)
        lines = [checkpoint.cosign(found, witness, self.now // 1000) for witness in self.witnesses]
        return note.add(signed, *lines) if lines else signed

    def anchor(self) -> None:
        """Append this log's own checkpoint, as witnessed now."""
        self.append(self.checkpoint())

    def trust(self) -> Trust:
        """The trust file of somebody who knows this log and its witnesses."""
        lines = [f"log {key.vkey}" for key in (*self.former, self.log_key)]
        lines += [f"witness w{n} {witness.vkey}" for n, witness in enumerate(self.witnesses)]
        if self.witnesses:
            lines.append("group all all " + " ".join(f"w{n}" for n in range(len(self.witnesses))))
        lines.append("quorum all" if self.witnesses else "quorum none")
        return parse_trust("".join(f"{line}\n" for line in lines).encode())

    def learner(self, name: str = "王小明") -> str:
        """A new learner, identified by the supervisor."""
        learner = self.random(16)
        self.people[learner] = name
        self.say(bodies.Identification(self.now, self.origin, learner, "card"), self.supervisor)
        return learner

    def device(self, learner: str, signer: keys.NoteSigner | None = None) -> Device:
        """A device of `learner` (its key in this process, or `signer`), logged; its learner's consent signed."""
        signer = signer or keys.generate(names.device(SERVER, self.random(16)), keys.P256)
        owner = self.keep_plain(bytes.fromhex(self.random(16)) + learner.encode())
        self.append(KeyLeaf(self.now, "add", "device", str(signer.vkey), owner=owner))
        notice = self.keep_plain("培训须知\n".encode())
        self.say(bodies.Consent(self.now, self.origin, learner, notice, "face", given=True), signer)
        return Device(learner, self.random(16), signer)

    def session(self, device: Device, answers: Answer = passes, **changes: object) -> Session:
        """Open a session; `changes` replace fields of its grant."""
        session = Session(self, device, answers, changes)
        self.sessions.append(session)
        return session

    def export(self, out: Path, *, masked: bool = False, only: str | None = None) -> Report:
        """Write and verify the archive; `only` one learner's sessions, as a partial copy."""
        if not masked and self.people:
            people = (
                self.random(16) + "\nlearner,name\n" + "".join(f"{k},{v}\n" for k, v in sorted(self.people.items()))
            )
            self.append(BodyLeaf(self.now, "people", sha256(people.encode()).hexdigest()))
        data = ArchiveData(
            checkpoint=self.checkpoint(),
            entries=self.entries,
            sessions=[session.files() for session in self.sessions if only in (None, session.owner.learner)],
            bodies=self.bodies.items(),
            people=None if masked or not self.people else people.encode(),
            evidence=self.evidence_files.items(),
        )
        return write_archive(out, data, self.trust(), self.options(partial=only is not None))

    def options(self, *, partial: bool = False) -> Options:
        """What a verifier of this class brings."""
        return Options(authority=(self.authority.vkey,), partial=partial)


@dataclass
class Session:
    """One session: the device's side and the server's, in step."""

    room: Classroom
    owner: Device
    answers: Answer
    changes: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        room, device = self.room, self.owner
        self.sid = room.random(16)
        self.seed = bytes.fromhex(room.random(32))
        self.key = keys.generate(names.session_origin(SERVER, self.sid), keys.ED25519)
        parsed = Certificate(room.origin, self.key.vkey, device.registration, device.prev)
        self.certificate = certificate.sign(parsed, device.signer)
        self.began = room.now
        self.grant = self._grant()
        signed = grant.sign(self.grant, room.grant_key)
        room.append(GrantedLeaf(room.now, self.sid, note.parse(signed).digest, self.grant.commit))
        self.log: list[bytes] = []
        self.erased: list[int] = []
        self.tree = Tree()
        self.sent = 0
        self.at = 0
        self.unit = "u1"
        self.checkpoint = b""
        self.desk = Desk(Schedule(self.seed, self.sid, self.policy), Meter(self.policy, room.course))
        self.say(ev.Opened(signed.decode(), self.certificate.decode(), "test", "test", "none", scripted=True))
        self.segment()

    @property
    def policy(self) -> Policy:
        """The rules that hold here."""
        return self.room.policy

    def _grant(self) -> Grant:
        room = self.room
        digests = {what: sha256(content).hexdigest() for what, content in room.documents.items() if what != "points"}
        fields: dict[str, object] = {
            "sid": self.sid, "cert": note.parse(self.certificate).digest, "class_": room.origin,
            "learner": self.owner.learner, "registration": self.owner.registration, "nonce": room.random(16),
            "time": room.now, "open_by": room.now + 600_000, "late_by": room.now + 10**8,
            "commit": schedule.commit(self.seed, self.sid), "offline_seed": room.random(32), **digests,
            "reference": room.random(32), "recipients": (str(room.evidence),),
            "limits": {"session_ms": 3_600_000, "offline_ms": 600_000},
            "carried": {"missed": 0, "mismatched": 0, "made_up": 0}, "accommodations": (), "seen": "192.0.2.1",
        }  # fmt: skip
        return Grant(**{**fields, **self.changes})  # type: ignore[arg-type]

    def say(self, body: ev.Body, *, mono: int | None = None) -> int:
        """Append an event; its index."""
        now = self.room.now
        seq = len(self.log)
        event = Event(seq, now, now - self.began if mono is None else mono, self.sid, self.room.random(16), body)
        self.desk.feed(event)
        self.put(ev.encode(event))
        return seq

    def put(self, data: bytes) -> None:
        """Append raw bytes, event or not."""
        self.log.append(data)
        self.tree.append(leaf_hash(data))

    def upload(self) -> tuple[str, Order | None]:
        """Sign a checkpoint and have it cosigned, as over HTTP; the cosignature line and the order, if one is due."""
        room = self.room
        found = Checkpoint(self.key.vkey.name, len(self.log), self.tree.root())
        signed = checkpoint.sign(found, self.key)
        body = segment.build(self.sent, signed, self.log[self.sent :])
        assert segment.parse(body).checkpoint == found
        line = checkpoint.cosign(found, room.cosigner, room.now // 1000)
        self.checkpoint = note.add(signed, line)
        self.sent = len(self.log)
        return line, self.desk.next(room.now // 1000 * 1000)

    def segment(self) -> None:
        """End a segment: it goes up, the answer is noted, whatever order came is obeyed."""
        line, order = self.upload()
        self.say(ev.Cosigned(self.sent, line, "192.0.2.1"))
        if order is not None:
            self.obey(order)

    def obey(self, order: Order) -> None:
        """Log the order and, after the learner's time, the answer; then end the segment."""
        result, reason, takes = self.answers(order)
        self.say(ev.Ordered(order.i, order.a, order.nonce, order.deadline_ms))
        self.room.now += takes
        kind = schedule.drawn(bytes.fromhex(order.nonce), order.i, self.policy).kind
        self.say(ev.Answered(order.i, order.a, kind, result, reason, {"match": 900}, {}, None))
        self.segment()

    def study(self, ms: int) -> Session:
        """Play `ms` of the unit, a segment at a time, answering whatever is asked."""
        while ms:
            piece = min(ms, self.policy.segment_ms)
            begin = self.room.now - self.began
            self.room.now += piece
            self.say(ev.Played(self.unit, self.at, self.at + piece, 1000, begin, piece // 40))
            self.at, ms = self.at + piece, ms - piece
            self.segment()
        return self

    def log_checkpoint(self) -> int:
        """The server logs the session's latest checkpoint; its index."""
        return self.room.append(self.checkpoint)

    def close(self, *, check: bool = True, how: str = "closed") -> Session:
        """End with a closing check; the server logs, reveals and settles."""
        if how == "closed":
            if check:
                self.say(ev.Asked("close"))
                self.segment()
            self.say(ev.Closed("ended"))
            self.upload()
        self.log_checkpoint()
        self.room.append(RevealedLeaf(self.room.now, self.sid, self.seed.hex(), how, self.sent, self.desk.issued))
        self.owner.prev = Previous(self.sid, self.sent, self.tree.root_at(self.sent))
        return self

    def settle(self, credited_ms: int) -> Session:
        """The operator's figure."""
        self.room.append(SettledLeaf(self.room.now, self.sid, self.sent, credited_ms))
        return self

    def erase(self, *indexes: int) -> Session:
        """Delete these events' bodies, with a leaf and a deletion receipt."""
        room = self.room
        room.append(ErasedLeaf(room.now, self.sid, indexes, room.keep_plain(b"deleted on request\n")))
        self.erased += indexes
        return self

    def files(self) -> SessionFiles:
        """The session as it is exported."""
        entries = [b"" if i in self.erased else entry for i, entry in enumerate(self.log[: self.sent])]
        hashes = {i: leaf_hash(self.log[i]) for i in self.erased}
        return SessionFiles(self.sid, self.checkpoint, self.certificate, entries, hashes)


def small(root: Path) -> tuple[Classroom, Path]:
    """A small whole archive: one learner, one device, two sessions, all credited and settled; (class, directory)."""
    room = Classroom(witnesses=1)
    device = room.device(room.learner())
    room.session(device).study(40_000).close().settle(40_000)
    room.now += 60_000
    room.anchor()
    second = room.session(device)
    second.unit = "u2"
    second.study(30_000).close().settle(30_000)
    room.say(bodies.Exam(room.now, room.origin, device.learner, 860, 600), room.grant_key)
    room.now += 60_000
    room.anchor()
    room.export(root)
    return room, root
