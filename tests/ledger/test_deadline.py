"""An exchange has its seconds in all: every wait is cut to what is left of them."""

from __future__ import annotations

import ast
import socket
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ledger
from ledger.deadline import PIECE, Deadline, Socket


class Recorder(Deadline):
    """Notes what every wait was cut to."""

    def __init__(self) -> None:
        self.now, self.waits = 100.0, []
        super().__init__(lambda: self.now)

    def cut(self, wait):
        self.waits.append(super().cut(wait))
        return self.waits[-1]


def pair(deadline):
    """Two ends of a line; the first keeps the deadline."""
    ours, theirs = socket.socketpair()
    made = Socket(fileno=ours.detach())
    made.deadline = deadline
    return made, theirs


@given(st.floats(0.1, 1e6), st.none() | st.floats(0, 1e6), st.floats(0, 2e6))
def test_no_wait_is_longer_than_what_is_left(whole, wait, passed):
    """Whatever the numbers: a wait ends with the whole at the latest, and with nothing left there is none."""
    deadline = Recorder()
    deadline.begin(whole)
    end = 100.0 + whole
    deadline.now += passed
    if deadline.now >= end:
        with pytest.raises(TimeoutError):
            deadline.cut(wait)
    else:
        left = end - deadline.now
        assert deadline.cut(wait) == pytest.approx(left if wait is None else min(wait, left))


def test_without_a_beginning_there_is_no_end():
    """A line that nobody gave a time waits as it was told to."""
    assert [Deadline().cut(wait) for wait in (None, 3.0)] == [None, 3.0]


def test_an_exchange_is_extended_from_its_beginning_and_never_shortened():
    """What has come may earn it more; the time that it has used is used."""
    deadline = Recorder()
    deadline.begin(10)
    deadline.now += 8
    deadline.extend(5)
    assert deadline.cut(None) == 2
    deadline.extend(30)
    assert deadline.cut(None) == 22


def test_every_wait_is_cut_and_none_takes_from_the_next():
    """Twenty seconds in all, eight of each wait: 8, 8, then the 4 that are left, then the end."""
    deadline = Recorder()
    ours, theirs = pair(deadline)
    with ours, theirs:
        ours.settimeout(8)
        deadline.begin(20)
        for _ in range(3):
            theirs.sendall(b"x")
            assert ours.recv(1) == b"x"
            assert ours.gettimeout() == 8
            deadline.now += 8
        with pytest.raises(TimeoutError):
            ours.recv_into(bytearray(1))
        with pytest.raises(TimeoutError):
            ours.send(b"x")
        deadline.begin(5)
        theirs.sendall(b"yz")
        buffer = bytearray(8)
        assert (ours.recv_into(buffer), bytes(buffer[:2])) == (2, b"yz")
    assert deadline.waits == [8, 8, 4, 5]


def test_a_slow_line_is_no_silent_one():
    """What is sent goes piece by piece, each with the seconds of one wait: 60 s are not those of twenty megabytes."""
    deadline = Recorder()
    ours, theirs = pair(deadline)
    data = bytes(range(256)) * 80_000
    came = bytearray()

    def take():
        while piece := theirs.recv(1 << 20):
            came.extend(piece)

    reader = threading.Thread(target=take)
    reader.start()
    with theirs, ours:
        ours.settimeout(60)
        deadline.begin(6_000)
        ours.sendall(memoryview(data))
        ours.shutdown(socket.SHUT_WR)
        reader.join()
    assert bytes(came) == data
    assert len(deadline.waits) >= len(data) // PIECE
    assert set(deadline.waits) == {60}


def test_an_address_that_answers_after_one_that_does_not(monkeypatch):
    """Each address is tried; the time of the whole is not begun anew for the next."""
    with socket.create_server(("127.0.0.1", 0)) as there, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        both = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", one.getsockname()) for one in (closed, there)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_named: both)
        deadline = Recorder()
        deadline.begin(60)
        with deadline.connect("two.example", 80, 5) as made:
            assert made.getpeername() == there.getsockname()
        deadline.now += 60
        with pytest.raises(TimeoutError):
            deadline.connect("two.example", 80, 5)
    assert deadline.waits == [5, 5]


def test_what_is_no_name_is_an_oserror():
    """A label longer than the name system knows."""
    with pytest.raises(OSError, match="name"):
        Deadline().connect("a" * 70 + ".example", 80, 1)


def test_the_ledger_itself_has_no_network():
    """The module lies here for client and server, who share nothing else: what judges records imports no connection."""
    home, found = Path(ledger.__file__).parent, set()
    for path in home.rglob("*.py"):
        for item in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in item.names] if isinstance(item, ast.Import) else []
            names += (
                [item.module or "", *(f"{item.module}.{alias.name}" for alias in item.names)]
                if isinstance(item, ast.ImportFrom)
                else []
            )
            if any(name.split(".")[0] in ("socket", "ssl", "http", "urllib3", "requests") or name == "ledger.deadline"
                   for name in names):  # fmt: skip
                found.add(path.relative_to(home).as_posix())
    assert found == {"deadline.py"}
