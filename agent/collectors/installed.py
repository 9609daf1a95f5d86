"""The installed files against their signed manifest: what was changed, added or taken away since it was signed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agent.errors import CollectorError, ManifestError
from agent.manifest import ROOT, check
from agent.tables import Row, SelfRow


class Installed:
    """One row; a checkout that nobody signed, or only its own development key, has none: `CollectorError`, unknown."""

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """The row; a manifest that does not verify counts as changed itself."""
        try:
            found = check(self._root)
        except ManifestError as error:
            return [SelfRow(subject="files", changed=(f"{error.code} {error}",))]
        if found.development:
            said = f"{len(found.changed)} files differ, {found.changed[0]} first" if found.changed else "as signed"
            raise CollectorError(f"installed: {said}, by a development key: no release")
        return [SelfRow(subject="files", changed=found.changed)]
