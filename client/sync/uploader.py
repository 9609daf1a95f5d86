"""Carries signed segments up, one at a time and in order, until the server has receipted them; never loses one.

`Uploader.step` does at most one exchange and tells how long to wait: retries back off with full jitter, a lost answer
is asked for again byte for byte (the server then repeats its stored one). `UploaderThread` runs it beside the lesson.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from client.errors import (
    FINAL,
    BadAnswerError,
    ClientError,
    DiskError,
    ForgedAnswerError,
    ForkedLogError,
    NetworkError,
    ServerRefusedError,
    SessionOverError,
    StaleAnswerError,
)
from client.events import Signal, SyncState
from client.ports import Reply, SealPort, Transport
from client.sync import api, receipts
from client.sync.evidence import PhotoQueue
from client.sync.journal import journal_of
from client.sync.keyring import read_keys
from client.sync.logbook import check_root, key_name
from client.sync.outbox import Kept, Outbox, Signed
from ledger import grant as grants
from ledger import segment
from ledger.errors import LedgerError
from ledger.schedule import verify_commit
from ledger.tree import Tree, leaf_hash
from ledger.trust import Trust

FIRST_WAIT: Final = 1.0  # seconds
LONGEST_WAIT: Final = 60.0
IDLE_WAIT: Final = 30.0
RECEIPT_WAIT: Final = 20.0  # the class log takes a session's last checkpoint within seconds
TRY_LATER: Final = (408, 425, 429, 500, 502, 503, 504)


class Uploader:
    """The work of sending, step by step; belongs to one thread."""

    def __init__(
        self,
        outbox: Outbox,
        transport: Transport,
        seal: SealPort,
        *,
        trust_of: Callable[[str], Trust | None] = lambda _origin: None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`trust_of` finds this client's trust file for a class; without one receipts wait. `chance` is in [0, 1)."""
        self._outbox, self._transport, self._seal = outbox, transport, seal
        self._trust_of, self._chance = trust_of, chance
        self._photos = PhotoQueue(outbox, transport)
        self._news: deque[Signal] = deque()
        self._trees: dict[str, Tree] = {}
        self._restart: dict[str, int] = {}  # sid → the size from which the server wants events again
        self._failures = 0
        self._online = True
        self._told: SyncState | None = None
        self.live = ""

    def poll(self) -> Sequence[Signal]:
        """The news since the last call, oldest first."""
        news = []
        while self._news:
            news.append(self._news.popleft())
        return news

    def step(self) -> float:
        """Do what is next; return the seconds to wait before the following step (0: at once).

        A disk that fails is tried again like a network that is away.
        """
        try:
            return self._step()
        except DiskError as error:
            self._failures += 1
            self._news.append(SyncState(self._online, 0, 0, error.code))
            return self._wait()

    def _step(self) -> float:
        found = self._next()
        if found is None:
            wait = self._afterwards()
            self._tell("")
            return wait
        kept, signed = found
        try:
            self._send(kept, signed)
        except (NetworkError, BadAnswerError, ForgedAnswerError, StaleAnswerError, DiskError) as error:
            return self._failed(error)
        except ServerRefusedError as error:
            if error.status in TRY_LATER:
                return self._failed(error)
            self._stuck(kept, error)
        except ClientError as error:
            self._stuck(kept, error)
        self._failures, self._online = 0, True
        self._tell("")
        return 0.0

    def _next(self) -> tuple[Kept, Signed] | None:
        """The oldest checkpoint that is not cosigned, of the oldest session that can still be sent."""
        for kept in self._outbox.sessions():
            if kept.problem in FINAL or kept.cosigned >= kept.size:
                continue
            for signed in self._outbox.signed(kept.sid):
                if signed.line is None:
                    return kept, signed
        return None

    def _failed(self, error: ClientError) -> float:
        """Wait before the next try: full jitter, so that a class of clients does not come back in step."""
        self._failures += 1
        self._online = not isinstance(error, NetworkError)
        code = error.server_code if isinstance(error, ServerRefusedError) else error.code
        self._tell("" if isinstance(error, NetworkError) else code)
        return self._wait()

    def _wait(self) -> float:
        longest: float = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(self._failures, 10))
        return FIRST_WAIT / 2 + self._chance() * longest

    @property
    def failing(self) -> bool:
        """Whether the last exchange failed: a new segment is no reason to hurry then."""
        return self._failures > 0

    def _stuck(self, kept: Kept, error: ClientError) -> None:
        """This session goes no further; what was receipted stays, everything is kept."""
        self._outbox.settle(kept.sid, "stuck", error.code)

    def _tell(self, problem: str) -> None:
        live = next((kept for kept in self._outbox.sessions() if kept.sid == self.live), None)
        if live is None:
            state = SyncState(self._online, 0, 0, problem)
        else:
            pending = live.size - live.cosigned
            state = SyncState(self._online, live.cosigned, pending, live.problem or problem, bool(live.seed))
        if state != self._told:
            self._told = state
            self._news.append(state)

    # --- one segment --------------------------------------------------------------------------------------------------

    def _send(self, kept: Kept, signed: Signed) -> None:
        old = self._restart.get(kept.sid, signed.old)
        reply = self._transport.send(
            "POST",
            f"/v1/sessions/{kept.sid}/segments",
            self._body(signed, old),
            {"Content-Type": "application/octet-stream"},
        )
        match reply.status:
            case 200:
                self._take(kept, signed, reply)
            case 409:
                self._resume(kept, api.field(api.read_json(reply.body), "size", int))
            case 410:
                self._ended(kept)
            case 422:
                raise ForkedLogError(f"session {kept.sid}: the server has another root at {signed.size}")
            case _:
                raise api.refusal(reply)

    def _body(self, signed: Signed, old: int) -> bytes:
        """The upload, made only of events that hash to what was signed: a changed one is never sent."""
        tree = self._trees.get(signed.sid)
        if tree is None or len(tree) > signed.old:
            tree = Tree()
        missing = self._outbox.events(signed.sid, len(tree), signed.size)
        for event in missing:
            tree.append(leaf_hash(event))
        check_root(signed, tree)
        self._trees = {signed.sid: tree}
        entries = missing[len(missing) - (signed.size - old) :] if signed.size - old <= len(missing) else None
        return segment.build(old, signed.note, entries or self._outbox.events(signed.sid, old, signed.size))

    def _take(self, kept: Kept, signed: Signed, reply: Reply) -> None:
        """Verify the answer before anything believes it, keep it, tell the session."""
        keys = read_keys(kept.keys)
        last = max((item.time for item in self._outbox.signed(kept.sid) if item.line), default=0)
        answer = receipts.read_answer(reply.body, signed.note, keys, last)
        self._outbox.cosigned(kept.sid, signed.size, answer.line, answer.time_ms // 1000)
        spots = [text.encode() for text in answer.commands if receipts.is_spot(text)]
        if spots:
            self._outbox.keep_spots(kept.sid, spots)
        self._restart.pop(kept.sid, None)
        if kept.sid == self.live:
            self._news.append(answer)
        if kept.state == "closed" and signed.size == kept.size:
            self._seal.delete(key_name(kept.sid))
            journal_of(self._outbox.path).drop(kept.sid)
            self._trees.pop(kept.sid, None)

    def _ended(self, kept: Kept) -> None:
        """The session is over at the server: fine, if our last upload ended it; its answer is then given again.

        `SessionOverError` otherwise: a size alone is no proof that both have the same history.
        """
        last = self._outbox.signed(kept.sid)[-1]
        body = self._body(last, last.old)
        octets = {"Content-Type": "application/octet-stream"}
        reply = self._transport.send("POST", f"/v1/sessions/{kept.sid}/segments", body, octets)
        if reply.status != 200:
            raise SessionOverError(f"session {kept.sid}: its seed is revealed")
        self._take(kept, last, reply)

    def _resume(self, kept: Kept, size: int) -> None:
        """The server is at another size than this checkpoint begins at: go on from there, if the history is ours."""
        if size < 0:
            raise BadAnswerError(f"a log of {size} events")
        ours = {signed.size: signed for signed in self._outbox.signed(kept.sid)}
        if size > max(ours, default=0):
            raise ForkedLogError(f"session {kept.sid}: the server has {size} events, this device signed {max(ours)}")
        if size > kept.cosigned and size in ours:
            for signed in ours.values():
                if signed.line is None and signed.size <= size:
                    self._outbox.cosigned(kept.sid, signed.size, "", signed.time)
        elif self._restart.get(kept.sid) == size:
            raise ForkedLogError(f"session {kept.sid}: the server wants {size} again and again")
        else:
            self._restart[kept.sid] = size

    # --- afterwards ---------------------------------------------------------------------------------------------------

    def _afterwards(self) -> float:
        """What no record waits for, one exchange at a time: a session's revealed seed, a photo, a receipt."""
        wait = IDLE_WAIT
        for next_ in (self._next_seed, self._photos.step, self._next_receipt):
            try:
                if next_():
                    return 0.0
            except (ClientError, LedgerError):
                wait = RECEIPT_WAIT
        return wait

    def _next_seed(self) -> bool:
        for kept in self._outbox.sessions():
            if kept.state == "sent" and not kept.seed:
                self._seed(kept)
                return True
        return False

    def _next_receipt(self) -> bool:
        for kept in self._outbox.sessions():
            trusted = self._trust_of(kept.class_)
            if kept.state == "sent" and kept.seed and not kept.receipt and trusted is not None:
                self._receipt(kept, trusted)
                return True
        return False

    def _seed(self, kept: Kept) -> None:
        """The seed, if it is the one that the grant commits to; with it this device computes what others do."""
        said = api.read_json(self._get(f"/v1/sessions/{kept.sid}/reveal").body)
        try:
            seed = bytes.fromhex(api.field(said, "seed", str))
        except ValueError as error:
            raise BadAnswerError("a seed is 64 hex digits") from error
        verify_commit(seed, kept.sid, grants.parse(kept.grant)[0].commit)
        self._outbox.keep_seed(kept.sid, seed, api.field(said, "issued", int))

    def _receipt(self, kept: Kept, trusted: Trust) -> None:
        """The receipt, kept only when our own trust file and its quorum accept it."""
        reply = self._get(f"/v1/sessions/{kept.sid}/receipt")
        last = self._outbox.signed(kept.sid)[-1]
        entry = receipts.logged_entry(last.note, last.line or "")
        receipts.verify_receipt(reply.body, entry, trusted)
        self._outbox.keep_receipt(kept.sid, reply.body)

    def _get(self, path: str) -> Reply:
        reply = self._transport.send("GET", path)
        if reply.status != 200:
            raise api.refusal(reply)
        return reply


class UploaderThread:
    """`UploaderPort`: an `Uploader` in a thread of its own, with its own connection to the records."""

    def __init__(
        self,
        path: Path,
        transport: Callable[[], Transport],
        seal: SealPort,
        *,
        trust_of: Callable[[str], Trust | None] = lambda _origin: None,
    ) -> None:
        self._make: Callable[[], Uploader] = lambda: Uploader(Outbox(path), transport(), seal, trust_of=trust_of)
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._news: deque[Signal] = deque()
        self._live = ""
        self._failing = False
        self.failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="uploader", daemon=True)
        self._thread.start()

    def watch(self, sid: str) -> None:
        """Tell the news of this session from now on."""
        self._live = sid
        self.wake()

    def wake(self) -> None:
        """There is something new to send; after a failure that is no reason to hurry."""
        if not self._failing:
            self._wake.set()

    def hurry(self) -> None:
        """Try now, also while it waits after a failure."""
        self._wake.set()

    def poll(self) -> Sequence[Signal]:
        """The news since the last call, oldest first."""
        news = []
        while self._news:
            news.append(self._news.popleft())
        return news

    def close(self) -> None:
        """Stop after the exchange that runs; what is not sent stays on the disk."""
        self._stop.set()
        self._wake.set()
        self._thread.join(timeout=60)

    def _run(self) -> None:
        try:
            worker = self._make()
            while not self._stop.is_set():
                self._wake.clear()
                worker.live = self._live
                wait = worker.step()
                self._news.extend(worker.poll())
                self._failing = worker.failing
                if wait:
                    self._wake.wait(wait)
        except Exception as error:  # a thread that dies silently would lose the news of it
            self.failure = error
            self._news.append(SyncState(False, 0, 0, getattr(error, "code", ClientError.code)))
