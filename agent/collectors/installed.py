"""The installed files against their signed manifest: what was changed, added or taken away since it was signed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agent.errors import ManifestError
from agent.manifest import ROOT, changed
from agent.tables import Row, SelfRow


class Installed:
    """One row; a checkout, which nobody signed, has none: `CollectorError`, unknown."""

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """The row; a manifest that does not verify counts as changed itself."""
        try:
            files = changed(self._root)
        except ManifestError as error:
            files = (f"{error.code} {error}",)
        return [SelfRow(subject="files", changed=files)]
