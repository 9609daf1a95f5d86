"""What a Linux kernel writes of a process, Android's too: who traces it, and what is mapped into it."""

from __future__ import annotations

import re

_TRACER = re.compile(rb"^TracerPid:\t(\d{1,10})$", re.MULTILINE)


def tracer_of(status: bytes) -> int:
    """The process that traces, as a /proc/<pid>/status says; 0 for nobody."""
    found = _TRACER.search(status)
    return int(found.group(1)) if found else 0


def parse_maps(data: bytes) -> tuple[tuple[str, ...], int]:
    """The distinct files of a /proc/<pid>/maps, sorted, and how many anonymous ranges may be written and run."""
    names: set[str] = set()
    rwx = 0
    for line in data.split(b"\n"):
        fields = line.split(None, 5)
        if len(fields) == 6:
            name = fields[5].decode("utf-8", "replace")
            if name.startswith("/"):
                names.add(name)
        elif len(fields) == 5 and fields[1].startswith(b"rwx"):
            rwx += 1
    return tuple(sorted(names)), rwx
