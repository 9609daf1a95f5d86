"""What the staff and a learner read for each rule of the agent, from the rules themselves: `python -m
tests.server_stub.rule_words --write` writes server_stub/web/words/rules.toml again.

The server reads no rule (it does not import the agent); the titles stand there without the names of programs, which a
live page does not show.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
WRITTEN = ROOT / "server_stub" / "web" / "words" / "rules.toml"
_HEAD = "# Titles of the agent's rules, without names: written by `python -m tests.server_stub.rule_words --write`.\n"


def titles() -> dict[str, tuple[str, str]]:
    """Rule → its title in Chinese and English."""
    found = {}
    for path in sorted((ROOT / "agent" / "rules").glob("*.toml")):
        for rule in tomllib.loads(path.read_text(encoding="utf-8")).get("rule", []):
            found[rule["id"]] = (plain(rule["zh"]["title"], "有程序"), plain(rule["en"]["title"], "A program"))
    return dict(sorted(found.items()))


def plain(title: str, someone: str) -> str:
    """A title without its placeholders, and without the brackets around them."""
    title = re.sub(r"\s*[（(][^（）()]*\{\w+\}[^（）()]*[）)]", "", title)
    title = re.sub(r" of \{\w+\}", "", title)
    title = re.sub(r"^\{\w+\}\s?(?=[一-鿿])", someone, title)
    title = re.sub(r"^\{\w+\}", someone, title)
    title = re.sub(r"(?<=[一-鿿])\s*\{\w+\}\s*(?=[一-鿿])", "", title)
    return re.sub(r"\s*\{\w+\}", "", title)


def written() -> str:
    """The file as it must be."""
    lines = [f'"rule {rule}" = {json.dumps(list(pair), ensure_ascii=False)}' for rule, pair in titles().items()]
    return _HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    WRITTEN.write_text(written(), encoding="utf-8")
