"""The notice and the two consents as one text: what a learner's signed answer names by its hash.

It holds exactly the sentences that the notice screen shows, in one language, so that years later anybody can read what
was agreed to. The server publishes it as a body (`python -m server_stub init --notice`).
"""

from __future__ import annotations

from typing import Final

from client.player import i18n

SECTIONS: Final = ("count", "check", "data", "right", "face", "photos")


def text_of(language: str) -> bytes:
    """The notice in `language` ("zh" or "en"), UTF-8."""
    lines = [i18n.say(language, "notice.title"), i18n.say(language, "notice.lead")]
    for section in SECTIONS:
        lines += ["", i18n.say(language, f"notice.{section}_title"), i18n.say(language, f"notice.{section}_text")]
    lines += ["", i18n.say(language, "notice.read"), i18n.say(language, "notice.promise"), ""]
    return "\n".join(lines).encode()
