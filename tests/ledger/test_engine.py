"""Many archives on a cluster: the same reports, the same comparison, the same exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.__main__ import main
from ledger.across import verify_many
from ledger.archive import Directory, Source
from ledger.engine import EngineError, on_ray
from ledger.errors import ArchiveError
from ledger.trust import Trust
from ledger.trust import parse as parse_trust
from ledger.verify import Options
from tests.ledger.builder import Classroom


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Source], Trust, Path]:
    """Three classes, one of them with a changed event."""
    top = tmp_path_factory.mktemp("shelf")
    lines, sources = [], {}
    for number in range(3):
        room = Classroom(class_id=f"class-{number}")
        room.session(room.device(room.learner())).study(20_000).close().settle(20_000)
        room.export(top / room.origin.rpartition("/")[2])
        lines.append(f"log {room.log_key.vkey}\n")
        sources[f"class-{number}"] = top / f"class-{number}"
    bundle = next(sources["class-1"].glob("sessions/*/tile/entries/*/*"))
    bundle.write_bytes(bundle.read_bytes().replace(b'"verb":"played"', b'"verb":"plaied"', 1))
    trust = "".join(lines) + "quorum none\n"
    (top / "trust").write_text(trust)
    return {name: Directory(path) for name, path in sources.items()}, parse_trust(trust.encode()), top


@pytest.fixture
def cluster() -> Iterator[None]:
    """Two workers of Ray on this machine, started and stopped here."""
    ray = pytest.importorskip("ray", reason="Ray is an extra: build/requirements/ray.txt")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_a_cluster_says_what_one_process_says(shelf: tuple[dict[str, Source], Trust, Path]) -> None:
    """Figures, findings and their order, archive by archive and all together."""
    sources, trust, _ = shelf
    here = verify_many(sources, trust, Options())
    there = verify_many(sources, trust, Options(), on_ray)
    assert there.to_json() == here.to_json()
    assert [report.refused for report in there.reports.values()] == [False, True, False]


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_a_worker_that_cannot_read_an_archive_says_so_in_our_words(tmp_path: Path) -> None:
    """Only our own errors leave, from a worker too."""

    class Torn(Directory):
        def has(self, name: str) -> bool:
            raise ArchiveError(f"{name} cannot be read: a torn disk")

    room = Classroom()
    room.export(tmp_path / "a")
    with pytest.raises(ArchiveError, match="torn disk"):
        on_ray({"a": (Torn(tmp_path / "a"), room.trust(), Options(partial=True))})


def test_without_ray_the_command_says_what_to_install(
    shelf: tuple[dict[str, Source], Trust, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence and exit code 2, and the local way goes on working."""
    _, _, top = shelf
    monkeypatch.setitem(sys.modules, "ray", None)
    command = ["verify", str(top), "--trust", str(top / "trust")]
    assert main([*command, "--engine", "ray"]) == 2
    assert EngineError.code in capsys.readouterr().err
    assert main(command) == 1
