"""100,000 learners: importing, and finding one of them; `python build/bench_people.py` closes with one line of JSON.

The peer of a search is a plain scan: SQLite reading every learner's name once, in the same run.
"""

from __future__ import annotations

import json
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import text

from server_stub import setup
from server_stub.app import Server
from server_stub.domain import citizen
from server_stub.domain.people import Account
from server_stub.domain.registry import Enrolment, Person
from server_stub.domain.sealing import Sealer
from server_stub.settings import Settings
from server_stub.storage.people import open_engine
from tests.server_stub.conftest import make_course, policy
from tests.server_stub.learner import CLASS, SERVER, Codes

COUNT, LIST = 100_000, 5_000
FAMILY = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅建国文斌"


def number(serial: int) -> str:
    """A different identity number for each serial below a million."""
    day = 1 + serial // 1000 % 28
    month, year = 1 + serial // 28_000 % 12, 1970 + serial // 336_000
    first = f"110105{year}{month:02d}{day:02d}{serial % 1000:03d}"
    return first + citizen.check_digit(first)


def name(serial: int) -> str:
    """A name of two or three characters; about 30,000 different ones."""
    three = GIVEN[serial // 900 % 30] if serial % 3 else ""
    return FAMILY[serial % 30] + GIVEN[serial // 30 % 30] + three


def enrolment(serial: int, digest: Callable[[str], str]) -> Enrolment:
    """One more learner, past the list."""
    person = Person(str(13_000_000_000 + serial), secrets.token_hex(16), name(serial), str(13_000_000_000 + serial),
                    identity=digest(number(serial)), sealed=b"-")  # fmt: skip
    return Enrolment(person, secrets.token_hex(16), is_new=True)


def timed(job: Callable[[], object], times: int = 7) -> float:
    """The median ms of a job."""
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        job()
        took.append((time.perf_counter() - begun) * 1000)
    return round(median(took), 1)


def main() -> None:
    """Import a list, enrol the others, then search."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(Path(folder) / "data", SERVER)
        setup.make_directory(settings)
        setup.make_class_key(settings, CLASS)
        now = time.time_ns() // 1_000_000
        server = Server(settings, lambda: now, Codes())
        plan = setup.ClassPlan(CLASS, "Bench", make_course(Path(folder) / "course"), policy())
        server.class_maker.make(plan, lambda: now)
        server.people.add_account(Account("admin", "Admin", password="-", roles=("administrator",)))  # noqa: S106
        admin = server.people.account("admin")
        assert admin is not None
        begun = time.perf_counter()
        lines = (f"{name(at)},{number(at)},{13_000_000_000 + at}" for at in range(LIST))
        data = "\n".join(["姓名,身份证号,手机号", *lines]).encode("gb18030")
        draft, shown = server.services.importer.look(admin, CLASS, data)
        assert shown.count("new") == LIST
        server.services.importer.confirm(admin, draft, leave_out=False)
        rate = LIST / (time.perf_counter() - begun)
        digest = Sealer(settings.secret.read_bytes()).digest
        server.registry.enrol(CLASS, [enrolment(at, digest) for at in range(LIST, COUNT)])
        office, middle = server.services.office, COUNT // 2
        engine = open_engine(settings.people_url)

        def scan() -> None:
            with engine.connect() as connection:
                connection.execute(text("SELECT count(*) FROM account WHERE person LIKE '%zzz%'")).scalar()

        found = {
            "scan_ms": timed(scan),
            "name_ms": timed(lambda: office.search(admin, name(middle))),
            "nobody_ms": timed(lambda: office.search(admin, secrets.token_hex(8))),
            "phone_ms": timed(lambda: office.search(admin, str(13_000_000_000 + middle))),
            "identity_ms": timed(lambda: office.search(admin, number(middle))),
            "first_page_ms": timed(lambda: office.search(admin, "")),
            "class_page_ms": timed(lambda: office.search(admin, "", CLASS)),
        }
        assert office.search(admin, number(middle))[0][0].name == name(middle)
        engine.dispose()
        server.close()
    print(json.dumps({"name": "people", "learners": COUNT, "imported_per_second": round(rate), **found,
                      "slowest_times_the_scan": round(max(found.values()) / found["scan_ms"], 1)}))  # fmt: skip


if __name__ == "__main__":
    main()
