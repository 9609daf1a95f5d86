"""Draft a step for tables that are new or changed: `python build/migration.py PART MODULE …`.

PART is the branch (one for every part of the server), MODULE a file in `server_stub/storage` that holds its tables.
What is written is a draft: read it, then commit it beside the tables. tests/server_stub/test_schema.py tries it.
"""

from __future__ import annotations

import argparse
import importlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from alembic import command

from server_stub.storage import schema
from server_stub.storage.people import Base


def main() -> None:
    """Compare the module's tables with what the steps so far make."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part")
    parser.add_argument("module", nargs="+")
    parser.add_argument("--message", default="")
    options = parser.parse_args()
    homes = [importlib.import_module(f"server_stub.storage.{name}").__name__ for name in options.module]
    tables = {mapper.class_.__tablename__ for mapper in Base.registry.mappers if mapper.class_.__module__ in homes}
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/now.sqlite"
        schema.bring_up(url, "people")
        with schema.alone(url) as connection:
            config = schema.config_of(connection, "people")
            config.attributes["metadata"] = Base.metadata
            config.attributes["include_object"] = lambda _, name, kind, *__: kind != "table" or name in tables
            part, mine = options.part, schema.steps_of("people", options.part)
            first = {"head": "base", "branch_label": part, "depends_on": None if part == "people" else "people_1"}
            made = command.revision(
                config, options.message or f"{part.capitalize()}: {', '.join(sorted(tables))}", autogenerate=True,
                rev_id=f"{part}_{len(mine) + 1}", **({"head": mine[-1]} if mine else first),
            )  # fmt: skip
    path = Path(made.path)
    path.write_text(re.sub(r"\n +# ### [^\n]*", "", path.read_text(encoding="utf-8")), encoding="utf-8")
    for words in (["check", "--fix", "-q", path], ["format", "-q", path]):
        subprocess.run([sys.executable, "-m", "ruff", *words], check=False)
    print(path)


if __name__ == "__main__":
    main()
