"""Data directories of the server, made the short way: what `init` works out for each anew is worked out once a process.

The two databases in the form that all migrations give them (`server_stub.storage.schema`), and in them the one
administrator, whose password took argon2id its while. `tests/server_stub/test_schema.py` takes the long way.
"""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from server_stub import setup
from server_stub.settings import Settings, touch_private
from server_stub.storage.database import open_records
from server_stub.storage.people import PeopleStore, open_engine


@functools.cache
def _drawn() -> tuple[str, bytes, bytes]:
    """The administrator's password, the database of people with that account, and the empty records."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(Path(folder), "drawn.trueseat.example")
        people = PeopleStore(open_engine(settings.people_url))
        password = setup.add_administrator(people)
        people.close()
        open_records(settings).close()
        made = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    assert sorted(made) == ["people.sqlite", "records.sqlite"], sorted(made)  # nothing waits in a -wal file
    return password, made["people.sqlite"], made["records.sqlite"]


def make_directory(settings: Settings) -> str:
    """`setup.make_directory` with an administrator in it; the password. Databases elsewhere take the long way."""
    setup.make_directory(settings)
    if settings.people or settings.records_url:
        people = PeopleStore(open_engine(settings.people_url))
        password = setup.add_administrator(people)
        people.close()
        return password
    password, people_file, records_file = _drawn()
    for path, data in ((settings.directory / "people.sqlite", people_file), (settings.records, records_file)):
        touch_private(path)
        path.write_bytes(data)
    return password
