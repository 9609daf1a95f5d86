"""The commands: scan, judge, rules, explain; and what the agent promises never to do."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from agent.__main__ import main
from agent.collectors import Context, collectors
from agent.manifest import ROOT, files_hash
from agent.pack import Pack
from agent.tables import TABLES


def test_rules_test_proves_every_example(capsys: pytest.CaptureFixture[str]) -> None:
    """The command that a rule's author runs."""
    assert main(["rules", "test"]) == 0
    assert "0 disagree with one of theirs" in capsys.readouterr().out


def test_a_rule_that_contradicts_itself_fails_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1 and the rule's name."""
    text = (ROOT / "agent/rules/drivers.toml").read_text("utf-8").replace("match = false", "match = true", 1)
    (tmp_path / "drivers.toml").write_text(text, "utf-8")
    assert main(["--rules", str(tmp_path), "rules", "test"]) in (1, 2)
    assert "driver.webdriver" in "".join(capsys.readouterr())


def test_the_pack_is_printed_as_it_is_hashed(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """What a server keeps under its hash is byte for byte what this prints."""
    import hashlib

    assert main(["rules", "pack"]) == 0
    out, err = capfdbinary.readouterr()
    assert hashlib.sha256(out).hexdigest().encode() in err


def test_a_carried_pack_needs_its_hash(tmp_path: Path, pack: Pack, capsys: pytest.CaptureFixture[str]) -> None:
    """The pack of a class replaces the built-in rules; another one, or none at all, stops the agent with a remedy."""
    file = tmp_path / "rules.json"
    file.write_bytes(pack.line)
    assert main(["--pack", str(file), "--sha256", pack.sha256, "rules", "list"]) == 0
    assert pack.sha256 in capsys.readouterr().out
    assert main(["--pack", str(file), "--sha256", "0" * 64, "rules", "list"]) == 2
    assert main(["--pack", str(tmp_path / "none"), "rules", "list"]) == 2
    assert capsys.readouterr().err.count("TS-A-013") == 2


def test_explain_speaks_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    """Why, remedy, and the false alarms that the rule may raise."""
    assert main(["explain", "macro.loop"]) == 0
    out = capsys.readouterr().out
    assert "我已关闭，重新检查" in out
    assert "false alarms:" in out
    assert main(["explain", "no.such"]) == 2


def test_scan_prints_findings_as_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """stdout is JSON lines only; the summary is for people, on stderr."""
    code = main(["scan"])
    out, err = capsys.readouterr()
    findings = [json.loads(line) for line in out.splitlines()]
    assert code == (1 if any(finding["response"] != "inform" for finding in findings) else 0)
    assert f"{len(findings)} findings" in err


def test_unusable_rules_are_named_with_code_and_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, no traceback."""
    (tmp_path / "x.toml").write_text("[[rule]]\n", "utf-8")
    assert main(["--rules", str(tmp_path), "scan"]) == 2
    assert "TS-A-010" in capsys.readouterr().err
    assert main(["judge", "/nonexistent.jsonl"]) == 2


def imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return found | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_the_agent_opens_no_network_and_starts_no_program() -> None:
    """No module but the client's link imports subprocess, none imports sockets or anything that could listen."""
    listening = {"socket", "socketserver", "asyncio", "http.server", "requests", "urllib.request", "ssl", "ftplib"}
    for path in (ROOT / "agent").rglob("*.py"):
        used = imports(path)
        assert not used & listening, path
        assert "subprocess" not in used or path.name == "link.py", path
        source = path.read_text("utf-8")
        assert not any(call in source for call in ("os.system(", "os.popen(", "os.kill(", "os.remove(", "write_text("))


def test_the_hash_of_the_files_follows_every_byte(tmp_path: Path) -> None:
    """A changed, added or renamed file is another agent."""
    room = tmp_path / "agent"
    room.mkdir()
    (room / "a.py").write_text("1", "utf-8")
    seen = {files_hash(["agent"], tmp_path)}
    (room / "a.py").write_text("2", "utf-8")
    seen.add(files_hash(["agent"], tmp_path))
    (room / "b.toml").write_text("", "utf-8")
    seen.add(files_hash(["agent"], tmp_path))
    (room / "b.toml").rename(room / "c.toml")
    seen.add(files_hash(["agent"], tmp_path))
    assert len(seen) == 4


def test_every_error_has_code_remedy_and_chinese() -> None:
    """What a person may read is complete and unique."""
    from agent import errors

    types = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.AgentError)]
    assert len({kind.code for kind in types}) == len(types)
    assert all(kind.remedy.endswith(".") and "。" in kind.zh and kind.__doc__ for kind in types)


def test_one_look_for_fleet_tools(capsys: pytest.CaptureFixture[str], pack: Pack) -> None:
    """One JSON object: which rules, which files, what was found, what was counted, what is unknown; nothing else."""
    code = main(["scan", "--once", "--json"])
    out, err = capsys.readouterr()
    seen = json.loads(out)
    assert set(seen) == {"v", "platform", "rules", "installed", "findings", "rows", "unknown"}
    assert (seen["v"], seen["rules"], err) == (1, pack.sha256, "")
    assert not set(seen["rows"]) & set(seen["unknown"])
    assert code == (1 if any(finding["response"] != "inform" for finding in seen["findings"]) else 0)


def test_the_installed_files_are_listed_and_a_checkout_is_unsigned(capsys: pytest.CaptureFixture[str]) -> None:
    """`files show` prints what is hashed; `files check` needs a signed list, and says so."""
    assert main(["files", "show"]) == 0
    assert capsys.readouterr().out.startswith("trueseat/installed/v1\n")
    assert main(["files", "check"]) in (0, 1, 2)
    assert "TS-A-040" in capsys.readouterr().err or (ROOT / "agent/installed.note").exists()


def test_every_table_that_is_read_stands_in_the_privacy_page() -> None:
    """Nobody is watched by a table that the page does not name."""
    page = (ROOT / "docs/privacy.md").read_text("utf-8")
    names = {source.name for source in collectors(Context())} | set(TABLES)
    assert not [name for name in names if f"`{name}`" not in page]
