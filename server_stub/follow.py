"""`python -m server_stub follow URL CLASS DIR`: a province follows a class while it studies, verified as it comes."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ledger import names, trust
from ledger.classlog import ClassLog
from ledger.errors import LedgerError
from ledger.leaves import Logged
from ledger.leaves import decode as decode_leaf
from ledger.trust import Trust
from server_stub import following
from server_stub.asking import Http, Wire
from server_stub.domain.errors import SetupError
from server_stub.domain.work_errors import FeedError
from server_stub.followed import Came, Followed
from server_stub.settings import write_private

EVERY_S: Final = 60.0
DENIED: Final = (401, 403, 404)


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("follow", help="keep what another server's class log says, and its sessions' events")
    parser.set_defaults(run=_follow)
    parser.add_argument("url", help="where that server answers")
    parser.add_argument("class_id")
    parser.add_argument("folder", type=Path, help="what came; go on with it after any interruption")
    parser.add_argument("--trust", type=Path, required=True, help="the trust file by which the class log is believed")
    parser.add_argument("--account", help="of the staff there, with the right to export: events come, too")
    parser.add_argument("--password-file", type=Path, help="that account's password, 0600")
    parser.add_argument("--every", type=float, default=EVERY_S, metavar="SECONDS")
    parser.add_argument("--once", action="store_true", help="one look, and end; exit 2 where the line was cut")


class Province:
    """One class of one server, followed into one folder."""

    def __init__(self, http: Http, class_id: str, trusted: Trust, folder: Path, who: tuple[str, str] | None) -> None:
        split = {key.name: names.split("class origin", key.name) for key in trusted.logs}
        origins = [name for name, parts in split.items() if parts and parts[1] == class_id]
        if len(origins) != 1:
            raise SetupError(f"the trust file names no log of the class {class_id[:64]!r}, or several")
        self._http, self._class_id, self._trusted, self._who = http, class_id, trusted, who
        self._folder, self._kept, self._token = folder, Followed(folder, origins[0]), ""

    def look(self) -> list[dict[str, object]]:
        """One look: what came, as lines to print, once it is on the disk. `OSError` where the line was cut: go on with
        another look. `FeedError` for what is not as it was signed or as it was before: kept beside the rest."""
        log = self._kept.log()
        try:
            grown = following.update(self._http, self._class_id, self._trusted, log)
            came = self._kept.keep(grown, self._tile if self._who else None)
            came += self._earlier(log) if self._who else []
        except FeedError:
            with contextlib.suppress(OSError):
                signed = self._http.ask("GET", f"/log/{self._class_id}/checkpoint").body
                write_private(self._folder / "contradiction", signed)
            raise
        first = grown.checkpoint.size - len(grown.entries)
        events = ({"session": one.sid, "from": one.first, "to": one.last} for one in came)
        return [*self._said(first, grown.entries), *events]

    def _said(self, first: int, entries: tuple[bytes, ...]) -> Iterator[dict[str, object]]:
        for at, data in enumerate(entries, first):
            entry = decode_leaf(data)
            yield {"entry": at, "type": "checkpoint" if isinstance(entry, Logged) else entry.type}

    def _earlier(self, log: ClassLog) -> list[Came]:
        """Events of sessions that were logged before events were asked for."""
        lacking = {log.sessions[sid].logged[-1][0]: sid for sid, _ in self._kept.lacking(log)}
        entries = enumerate(self._kept.entries()) if lacking else ()
        found = [(lacking[at], decode_leaf(data)) for at, data in entries if at in lacking]
        return [self._kept.fetch(sid, entry, self._tile) for sid, entry in found if isinstance(entry, Logged)]

    def _tile(self, sid: str, path: str) -> bytes:
        """A tile of a session; signs in where the token has ended."""
        for again in (False, True):
            if not self._token or again:
                self._token = self._sign_in()
            reply = self._http.ask("GET", f"/v1/sessions/{sid}/{path}", b"", {"Authorization": f"Bearer {self._token}"})
            if reply.status == 200:
                return reply.body
            if reply.status != 401:
                break
        if reply.status in DENIED:
            raise SetupError(f"events of session {sid} are not handed out ({reply.status}): may this account export?")
        raise OSError(f"the events of session {sid} do not come: {reply.status}")

    def _sign_in(self) -> str:
        account, password = self._who or ("", "")
        body = json.dumps({"account": account, "password": password}).encode()
        reply = self._http.ask("POST", "/v1/staff/sign-in", body, {"Content-Type": "application/json"})
        found = reply.json()
        if reply.status == 403:
            raise SetupError("account and password do not belong together")
        if reply.status != 200 or not isinstance(found, dict) or not isinstance(found.get("token"), str):
            raise OSError(f"signing in answers {reply.status}")
        return str(found["token"])


def _follow(options: argparse.Namespace) -> None:
    try:
        trusted = trust.parse(options.trust.read_bytes())
    except LedgerError as error:
        raise SetupError(f"{options.trust} is no trust file: {error}") from error
    who = (options.account, _password(options.password_file)) if options.account else None
    province = Province(Wire(options.url), options.class_id, trusted, options.folder, who)
    while True:
        try:
            for line in province.look():
                print(json.dumps(line), flush=True)
        except OSError as error:
            if options.once:
                raise
            print(f"the line was cut: {error}; going on", file=sys.stderr, flush=True)
        if options.once:
            return
        time.sleep(options.every)


def _password(path: Path | None) -> str:
    if path is None:
        raise SetupError("an account comes with --password-file: a password is no word of a command line")
    if path.stat().st_mode & 0o077:
        raise SetupError(f"{path} can be read by others: run chmod 600 on it")
    return path.read_text(encoding="utf-8").rstrip("\n")
