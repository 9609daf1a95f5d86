"""The agent as the session sees it: `AgentPort` on the real pipe (`agent/link.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agent import link, messages
from agent.errors import AgentStartError
from agent.pack import holds_rules
from client.events import AgentLost, AgentNote, Beat, FindingCleared, FoundByAgent
from client.ports import AgentSignal
from client.profile import disk


class AgentGuard:
    """`AgentPort`: the agent's own process. `camera` and `foreground` tell it what only the client knows."""

    def __init__(self, pipe: link.AgentLink | None = None) -> None:
        self._pipe = pipe if pipe is not None else link.AgentLink()
        self._failed: AgentLost | None = None

    def start(self) -> None:
        """Start the agent (again); a start that fails comes out of `poll` as `AgentLost`."""
        try:
            self._pipe.start()
        except AgentStartError as error:
            self._failed = AgentLost(f"{error.code} {error}")

    def poll(self) -> Sequence[AgentSignal]:
        """The agent's news since the last call."""
        failed, self._failed = self._failed, None
        said = [_signal(message) for message in self._pipe.poll()]
        return [failed, *said] if failed is not None else said

    def recheck(self) -> None:
        """I closed it, check again."""
        self._pipe.recheck()

    def camera(self, name: str) -> None:
        """The camera in use, by the operating system's name for it."""
        self._pipe.camera(name)

    def foreground(self, ours: bool) -> None:
        """Whether our window has the foreground: input that goes elsewhere is nobody's business."""
        self._pipe.foreground(ours)

    def rules(self, sha256: str, path: Path, at_ms: int, installation: str) -> None:
        """The class's rules pack, by the hash that the grant names; a class that has none leaves the built-in one."""
        with disk(str(path)):
            own = not holds_rules(path.read_bytes())
        named = None if own else messages.UseRules(sha256, str(path), at_ms)
        self._pipe.session(named, installation)

    def close(self) -> None:
        """End the agent; nothing of it is left."""
        self._pipe.close()


def _signal(message: link.LinkMessage) -> AgentSignal:
    match message:
        case messages.Beat():
            return Beat(
                message.beat, message.agent_mono, message.uptime, message.rules, message.agent_hash, message.manifest
            )
        case messages.Found():
            return FoundByAgent(
                message.rule, message.version, message.severity, message.response, message.evidence,
                message.title_zh, message.title_en, message.remedy_zh, message.remedy_en,
            )  # fmt: skip
        case messages.Cleared(rule):
            return FindingCleared(rule)
        case messages.Note(detail):
            return AgentNote(detail)
        case link.Lost(detail):
            return AgentLost(detail)
