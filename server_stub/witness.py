"""`python -m server_stub witness init | add | serve | checkpoint | evidence`: one witness in one directory.

For whoever watches a class log and is not its operator: a supervisor, an employer, a school. It needs no database
server, no account and no course: a key, a small SQLite file and one address (docs/witnesses.md).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import sys
import threading
import time
from collections.abc import Mapping
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from ledger import fingerprint, names
from ledger.errors import LedgerError
from ledger.keys import COSIGNATURE, ED25519, Vkey, generate, parse_vkey
from ledger.submission import MAX_SUBMISSION
from server_stub.domain.errors import NoSuchPageError, ServerError, SetupError, TooLargeError
from server_stub.domain.witness import Witness
from server_stub.domain.witness_errors import StaleCheckpointError
from server_stub.settings import write_private
from server_stub.storage import keyfiles
from server_stub.storage.witness import SqliteWatchbook

PORT: Final = 8801
SIZE_TYPE: Final = "text/x.tlog.size"
TEXT: Final = "text/plain; charset=utf-8"
_KEY, _BOOK = "w", "witness.sqlite"
_MAX_AT_ONCE = 32  # requests answered side by side; more wait in the socket's queue
_IDLE_S = 15.0
_LASTS_S = 60.0  # of one connection in all: an answer takes a fraction of a second


def open_witness(directory: Path) -> tuple[Witness, SqliteWatchbook]:
    """The witness that lives in `directory`, by this machine's clock, or `SetupError`."""
    if not (directory / _BOOK).is_file():
        raise SetupError(f"{directory} is no witness's directory; `witness init` makes one")
    book = SqliteWatchbook(directory / _BOOK)
    return Witness(keyfiles.read(directory, _KEY, COSIGNATURE), book, lambda: int(time.time())), book


def make_witness(directory: Path, name: str) -> Vkey:
    """Make a directory with a key for `<name>/w`; `SetupError` when it holds anything already."""
    if not names.is_a("server", name):
        raise SetupError(f"{name!r} is no witness name: lower-case letters, digits, dots and hyphens")
    if directory.exists() and any(directory.iterdir()):
        raise SetupError(f"{directory} is not empty; a lost or copied key is never used again, make a new witness")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    signer = generate(names.cosigner(name), COSIGNATURE)
    keyfiles.save(directory, _KEY, signer)
    SqliteWatchbook(directory / _BOOK).close()
    return signer.vkey


def watch(directory: Path, vkey: str, instead: str = "") -> Vkey:
    """Watch one more class log from now on; `SetupError` for a key that is none of a class log.

    `instead`: the key that the log had so far; what was signed under it stays signed, and its history goes on.
    """
    key = parse_vkey(vkey)
    if key.type != ED25519 or not names.is_a("class origin", key.name):
        raise SetupError(f"{key.name} is no class log's key")
    _, book = open_witness(directory)
    book.write(lambda store: store.watch(key, parse_vkey(instead) if instead else None))
    book.close()
    return key


class WitnessServer(ThreadingHTTPServer):
    """Answers add-checkpoint for one witness; `url` is where."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, witness: Witness, host: str, port: int) -> None:
        self.witness = witness
        self._room = threading.BoundedSemaphore(_MAX_AT_ONCE)
        super().__init__((host, port), _Handler)

    @property
    def url(self) -> str:
        """The submission prefix."""
        host, port = self.server_address[:2]
        return f"http://{host if isinstance(host, str) else host.decode()}:{port}"

    def process_request(self, request: object, client_address: object) -> None:
        """A thread for one connection, when there is room."""
        self._room.acquire()
        try:
            super().process_request(request, client_address)  # type: ignore[arg-type]
        except BaseException:
            self._room.release()
            raise

    def process_request_thread(self, request: object, client_address: object) -> None:
        """One connection; its room is another's afterwards."""
        try:
            super().process_request_thread(request, client_address)  # type: ignore[arg-type]
        finally:
            self._room.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that broke off is no fault of ours; everything else is told."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    server: WitnessServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "trueseat-witness", ""
    timeout = _IDLE_S

    def setup(self) -> None:
        """A connection has its time, however slowly it drips."""
        super().setup()
        self._end = threading.Timer(_LASTS_S, self._cut)
        self._end.daemon = True
        self._end.start()

    def finish(self) -> None:
        """It ended by itself."""
        self._end.cancel()
        super().finish()

    def _cut(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def do_POST(self) -> None:
        """add-checkpoint."""
        try:
            body = self._body()
            if self.path != "/add-checkpoint":
                raise NoSuchPageError("a witness takes add-checkpoint alone")
            self._answer(200, self.server.witness.add_checkpoint(body) + "\n", TEXT)
        except StaleCheckpointError as error:
            self._answer(error.status, f"{error.extra['size']}\n", SIZE_TYPE)
        except (ServerError, LedgerError) as error:
            self._refuse(error)

    def do_GET(self) -> None:
        """Its key; and the last checkpoint that it signed of a log, for whoever verifies an archive."""
        origin = unquote(self.path.removeprefix("/checkpoint/"))
        try:
            if self.path == "/":
                self._answer(200, f"{self.server.witness.vkey}\n", TEXT)
            elif self.path.startswith("/checkpoint/"):
                self._answer(200, self.server.witness.last(origin).decode(), TEXT)
            else:
                raise NoSuchPageError("nothing stands at this address")
        except ServerError as error:
            self._refuse(error)

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and len(length) < 9) or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            raise TooLargeError("a request states its length")
        if int(length) > MAX_SUBMISSION:
            self.close_connection = True  # the rest is not read
            raise TooLargeError(f"more than {MAX_SUBMISSION} bytes")
        return self.rfile.read(int(length))

    def _refuse(self, error: ServerError | LedgerError) -> None:
        status = error.status if isinstance(error, ServerError) else 400
        self._answer(status, f"{error.code}: {error}\n{error.remedy}\n", TEXT)

    def _answer(self, status: int, text: str, kind: str) -> None:
        data = text.encode()
        headers: Mapping[str, str] = {
            "Content-Type": kind, "Content-Length": str(len(data)), "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }  # fmt: skip
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: who asks is nobody's business; what was signed stands in the book."""


# --- commands ---------------------------------------------------------------------------------------------------------


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `witness …` to the server's command line."""
    parser = commands.add_parser("witness", help="watch class logs of an operator who is not you")
    actions = parser.add_subparsers(required=True)
    init = actions.add_parser("init", help="make a directory with a key of its own")
    init.set_defaults(run=_init)
    init.add_argument("directory", type=Path)
    init.add_argument("--name", required=True, help="your name for life, e.g. witness.bureau.example")
    init.add_argument("--log", action="append", default=[], metavar="VKEY", help="a class log to watch")
    add = actions.add_parser("add", help="watch one more class log, by its key")
    add.set_defaults(run=_add)
    add.add_argument("directory", type=Path)
    add.add_argument("log", metavar="VKEY")
    add.add_argument("--replaces", default="", metavar="VKEY", help="the key that this log had so far")
    serve = actions.add_parser("serve", help="answer add-checkpoint on HTTP")
    serve.set_defaults(run=_serve)
    serve.add_argument("directory", type=Path)
    serve.add_argument("--port", type=int, default=PORT, help="0 takes a free one")
    serve.add_argument("--host", default="127.0.0.1", help="put a TLS proxy before it rather than another address here")
    serve.add_argument("--ready-file", type=Path, help="written with the URL once it answers")
    last = actions.add_parser("checkpoint", help="print the checkpoint last signed, for `ledger verify --witnessed`")
    last.set_defaults(run=_checkpoint)
    last.add_argument("directory", type=Path)
    last.add_argument("origin", help="the log's name, e.g. demo.trueseat.example/c/class-1")
    evidence = actions.add_parser("evidence", help="write what came and was no continuation of what was signed")
    evidence.set_defaults(run=_evidence)
    evidence.add_argument("directory", type=Path)
    evidence.add_argument("out", type=Path)


def _init(options: argparse.Namespace) -> None:
    logs = [parse_vkey(text) for text in options.log]
    vkey = make_witness(options.directory, options.name)
    for key in logs:
        watch(options.directory, str(key))
    print(f"Witness     {vkey}")
    for half in fingerprint.halves(fingerprint.of_key(vkey)):
        print(f"            {half}")
    print(f"Next        python -m server_stub witness add {options.directory} <key of a class log>")
    print(f"Then        python -m server_stub witness serve {options.directory}")


def _add(options: argparse.Namespace) -> None:
    key = watch(options.directory, options.log, options.replaces)
    print(f"Watching    {key.name}; compare its fingerprint with the operator's letter:")
    for half in fingerprint.halves(fingerprint.of_key(key)):
        print(f"            {half}")


def _serve(options: argparse.Namespace) -> None:
    witness, book = open_witness(options.directory)
    server = WitnessServer(witness, options.host, options.port)
    print(f"Witness {witness.vkey.name} answers at {server.url}/add-checkpoint", flush=True)
    if options.ready_file:
        part = options.ready_file.with_name(options.ready_file.name + ".part")
        part.write_text(server.url + "\n", encoding="utf-8")
        part.replace(options.ready_file)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        book.close()


def _checkpoint(options: argparse.Namespace) -> None:
    witness, book = open_witness(options.directory)
    sys.stdout.write(witness.last(options.origin).decode())
    book.close()


def _evidence(options: argparse.Namespace) -> None:
    _, book = open_witness(options.directory)
    found = book.write(lambda store: store.contradictions())
    book.close()
    options.out.mkdir(mode=0o700, parents=True, exist_ok=True)
    for item in found:
        stem = sha256(item.ours + item.theirs).hexdigest()[:16]
        write_private(options.out / f"{stem}.ours", item.ours)
        write_private(options.out / f"{stem}.theirs", item.theirs)
        print(json.dumps({"log": item.origin, "at": item.at, "ours": f"{stem}.ours", "theirs": f"{stem}.theirs"}))
    print(f"{len(found)} found", file=sys.stderr)
