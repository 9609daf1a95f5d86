"""What a remedy tells a person to type is there on that person's machine."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ledger.program import typed

HELP = "import sys; sys.frozen = True; sys.argv = ['x', '--help']; from ledger.__main__ import main; main()"


def test_from_source_a_module_is_named() -> None:
    """As the README has it."""
    assert [typed(room) for room in ("ledger", "agent", "client")] == [
        "python -m ledger", "python -m agent", "python -m client",
    ]  # fmt: skip


@pytest.mark.parametrize(("system", "client"), [("linux", "trueseat"), ("win32", "trueseat-cli")])
def test_an_installed_program_is_named_as_it_is_installed(
    monkeypatch: pytest.MonkeyPatch, system: str, client: str
) -> None:
    """On Windows the one with a console: the other prints nothing."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "platform", system)
    assert [typed("ledger"), typed("agent"), typed("client")] == ["trueseat-verify", "trueseat-agent", client]


def test_the_installed_verifiers_help_names_itself() -> None:
    """And no module that nobody has."""
    said = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=True).stdout
    assert said.startswith("usage: trueseat-verify ")
    assert "python -m" not in said
