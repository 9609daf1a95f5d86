"""Updates: signed, never older, never frozen, never during a lesson; the old version stays until the new one works."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import lzma
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tuf.api.exceptions import SlowRetrievalError
from tuf.api.metadata import Metadata

from client import release
from client.errors import ClientError
from client.release import BadReleaseError, File, Release
from client.sync.updates import Fetcher, NoUpdateSourceError, Repository, UpdateRefusedError, UpdateUnreachableError
from client.updating import here, worsened
from client.versions import Versions
from ledger.deadline import Deadline
from tests.client.sync.updates import Client, Site

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the programs of these tests are shell scripts")


@pytest.fixture
def site(tmp_path):
    """A repository with the keys of its own."""
    made = Site(tmp_path / "site")
    yield made
    made.close()


@pytest.fixture
def client(site, tmp_path):
    """An installation at 0.1.0."""
    return Client(site, tmp_path / "installed")


def test_only_what_changed_is_fetched_and_the_next_start_uses_it(site, client):
    """0.1.0 → 0.2.0: one file of two travels; the launcher starts the new version; the old one is still there."""
    site.release("0.2.0")
    outcome = client.update()
    blobs = {path.name: path.stat().st_size for path in (site.shown / "blobs").iterdir()}
    program = hashlib.sha256((site.folder / "bundles/0.2.0/trueseat").read_bytes()).hexdigest()
    assert (outcome.state, outcome.version, outcome.fetched) == ("updated", "0.2.0", blobs[f"{program}.xz"])
    assert client.versions.current() == "0.2.0"
    assert (client.versions.folder("0.2.0") / "_internal/library.so").read_text() == "the same" * 1000
    assert client.versions.folder("0.1.0").exists()
    started = subprocess.run([client.versions.root / "trueseat", "doctor"], check=True, capture_output=True, text=True)
    assert json.loads(started.stdout)["checks"]
    assert client.update().state == "current"
    site.release("0.3.0")
    assert client.update().state == "updated"
    assert not client.versions.folder("0.1.0").exists()  # the current one and the one before it are kept


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="left out: reads /proc")
def test_a_power_cut_after_an_update_finds_a_whole_version(site, client, monkeypatch):
    """Every file that is new, and every folder, is on the disk before the next start is pointed at it."""
    synced, before, true_sync, true_replace = set(), [], os.fsync, os.replace

    def sync(handle):
        synced.add(os.fstat(handle).st_ino)
        true_sync(handle)

    def replace(source, target):
        if os.path.basename(target) == "current":
            before.append(set(synced))
        true_replace(source, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", replace)
    site.release("0.2.0")
    assert client.update().state == "updated"
    folder = client.versions.folder("0.2.0")
    there = [path for path in (folder, *folder.rglob("*")) if not path.is_symlink()]
    assert {path.stat().st_ino for path in there} <= before[0]


def test_a_version_that_is_worse_here_is_never_used(site, client):
    """The new version's doctor finds on this machine what the old one did not: the old one stays, for good."""
    site.release("0.2.0", healthy=False)
    outcome = client.update()
    assert (outcome.state, outcome.why) == ("refused", "it fails here: models")
    assert client.versions.current() == "0.1.0"
    assert not client.versions.folder("0.2.0").exists()
    assert client.update().state == "refused"
    site.release("0.2.1")
    assert client.update().state == "updated"


@pytest.mark.parametrize(
    ("wanted", "present", "worse"),
    [
        ({"models": "fail"}, {"models": "ok"}, {"models"}),
        ({"models": "fail"}, {"models": "warn"}, {"models"}),
        ({"models": "fail"}, {"models": "fail"}, set()),
        ({"display": "fail"}, {"models": "ok"}, set()),  # only the new doctor looks for one
        ({"doctor": "fail"}, {"models": "ok"}, {"doctor"}),
        ({"doctor": "fail"}, {"doctor": "fail"}, set()),
        ({"models": "fail"}, {"doctor": "fail"}, set()),
    ],
)
def test_a_version_is_worse_by_what_both_doctors_look_at(wanted, present, worse):
    """A check that the present version does not know yet keeps nobody from a good update."""
    assert worsened(wanted, present) == worse


def test_a_program_that_does_not_start_is_worse_than_any(site, client):
    """A broken program answers nothing: that is its examination."""
    bundle = site.bundle("0.2.0")
    (bundle / "trueseat").write_text("no program at all")
    site.repo.add(bundle, "0.2.0", here())
    site.repo.ring("stable", here(), "0.2.0", 1000)
    assert "doctor" in client.update().why
    assert client.versions.current() == "0.1.0"


def test_nothing_is_fetched_while_a_lesson_is_open_and_it_goes_on_afterwards(site, client):
    """A lesson that opens in the middle stops the download; what came is not fetched again."""
    site.release("0.2.0", lib="another")
    repository = client.repository()
    fetched = []
    true_fetch = repository.fetch

    def fetch(file):
        fetched.append(file.path)
        client.open_lesson = True  # the learner sits down
        return true_fetch(file)

    repository.fetch = fetch
    assert client.update(repository).state == "studying"
    assert client.versions.current() == "0.1.0"
    assert len(fetched) == 1
    client.open_lesson = False
    repository = client.repository()
    again = []
    true_again = repository.fetch
    repository.fetch = lambda file: again.append(file.path) or true_again(file)
    assert client.update(repository).state == "updated"
    assert len(again) == 1
    assert set(again) | set(fetched) == {"trueseat", "_internal/library.so.1"}


SECOND = """
import sys
from pathlib import Path
from client.updating import Updating
from client.versions import Versions
updating = Updating(Versions(Path(sys.argv[1])), None, "stable", None, None)
print(updating.run())
"""


def test_two_updates_at_once_are_one(site, client):
    """Two windows were closed one after the other: while the first looks for an update the second touches nothing."""
    site.release("0.2.0")
    repository, told = client.repository(), []
    true_fetch = repository.fetch

    def fetch(file):
        command = [sys.executable, "-c", SECOND, client.versions.root]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[3])
        told.append(done.stdout)
        return true_fetch(file)

    repository.fetch = fetch
    assert client.update(repository).state == "updated"
    assert told
    assert all(line.startswith("later: 0.1.0: another update is at work here") for line in told)
    assert client.update().state == "current", "and the next one may begin"


def test_a_ring_is_widened_step_by_step(site, client):
    """Given to nobody, then to those below this computer's number, then to it."""
    number = client.versions.bucket()
    assert client.versions.bucket() == number
    site.release("0.2.0", permille=0)
    assert client.update().state == "later"
    for permille, state in ((number, "later"), (number + 1, "updated")):
        site.repo.ring("stable", here(), "0.2.0", permille)
        assert client.update().state == state


def test_a_crash_in_the_middle_leaves_the_old_version_in_use(site, client):
    """Whatever lies about in the begun folder is compared, replaced or removed."""
    site.release("0.2.0")
    begun = client.versions.folder("0.2.0")
    (begun / "_internal").mkdir(parents=True)
    (begun / "trueseat").write_text("half of")
    (begun / "_internal/.library.so.1.new").write_text("a rest")
    (begun / "_internal/left-over.so").write_text("of another version")
    (begun / "_internal/library.so").write_text("where a link belongs")
    assert client.versions.current() == "0.1.0"
    assert client.update().state == "updated"
    assert sorted(name for name, _ in release.walk(begun)) == [
        "_internal/library.so", "_internal/library.so.1", "trueseat",
    ]  # fmt: skip


# --- attacks, named as the specification names them (TUF 1.0.33, section 1.5.2) --------------------------------------


def test_attack_rollback(site, client):
    """Whoever has seen a newer repository does not take an older one, rightly signed as it is."""
    site.release("0.2.0")
    old = site.photograph()
    site.release("0.3.0")
    assert client.update().version == "0.3.0"
    site.show(old)
    with pytest.raises(UpdateRefusedError):
        client.update()
    assert client.versions.current() == "0.3.0"


def test_attack_rollback_by_the_rings_owner(site, client):
    """Also a pointer that is signed rightly does not take anybody back to an older version."""
    site.release("0.2.0")
    site.release("0.3.0")
    assert client.update().state == "updated"
    site.repo.ring("stable", here(), "0.2.0", 1000)
    assert client.update().state == "current"
    assert client.versions.current() == "0.3.0"


def test_attack_indefinite_freeze(site, client):
    """A repository that is shown unchanged for ever stops being believed when its timestamp ends."""
    site.now -= datetime.timedelta(days=30)
    site.release("0.2.0")
    with pytest.raises(UpdateRefusedError, match="too old"):
        client.update()


def test_attack_mix_and_match(site, client):
    """The targets of one day under the snapshot of another."""
    site.release("0.2.0")
    first = max((site.shown / "metadata").glob("*.targets.json"), key=lambda path: int(path.name.split(".")[0]))
    old = first.read_bytes()
    site.release("0.3.0")
    newest = max((site.shown / "metadata").glob("*.targets.json"), key=lambda path: int(path.name.split(".")[0]))
    newest.write_bytes(old)
    with pytest.raises(UpdateRefusedError):
        client.update()


@pytest.mark.parametrize("role", ["root", "targets", "snapshot", "timestamp"])
def test_attack_arbitrary_software_by_another_key(site, client, tmp_path, role):
    """Metadata of any role, signed by a key that the client was never told of."""
    site.release("0.2.0")
    other = Site(tmp_path / "other")
    other.close()
    if role == "root":
        (site.shown / "metadata/2.root.json").write_bytes(_with_version(other.root, 2, other))
    else:
        (site.folder / f"keys/{role}.pem").write_bytes((other.folder / f"keys/{role}.pem").read_bytes())
        site.repo.refresh() if role != "targets" else site.repo.ring("stable", here(), "0.2.0", 1000)
    with pytest.raises(UpdateRefusedError):
        client.update()
    assert client.versions.current() == "0.1.0"


def _with_version(root: bytes, version: int, other: Site) -> bytes:
    metadata = Metadata.from_bytes(root)
    metadata.signed.version = version
    metadata.sign(other.repo._signer("root"))
    return metadata.to_bytes()


@pytest.mark.parametrize("what", ["ring", "manifest", "blob"])
def test_attack_arbitrary_software_by_other_bytes(site, client, what):
    """One flipped bit in the pointer, the manifest or a packed file: refused, and the old version stays."""
    site.release("0.2.0")
    folder = {"ring": "targets/rings", "manifest": "targets/releases", "blob": "blobs"}[what]
    for path in (site.shown / folder).iterdir():
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data))
    with pytest.raises((UpdateRefusedError, BadReleaseError)):
        client.update()
    assert client.versions.current() == "0.1.0"


@pytest.mark.parametrize("what", ["timestamp", "blob"])
def test_attack_endless_data(site, client, what):
    """No more is read than the metadata says, or than a role may be long."""
    site.release("0.2.0")
    paths = [site.shown / "metadata/timestamp.json"] if what == "timestamp" else list((site.shown / "blobs").iterdir())
    for path in paths:
        with path.open("ab") as file:
            file.write(b" " * (1 << 20))
    with pytest.raises((UpdateRefusedError, UpdateUnreachableError)):
        client.update()


@pytest.mark.slow
def test_attack_a_blob_that_unpacks_to_more_than_it_says():
    """A packed file of some bytes cannot fill the disk."""
    data = b"\0" * (50 << 20)
    file = File("bomb", hashlib.sha256(data[:1000]).hexdigest(), 1000, 10_000, False)
    with pytest.raises(BadReleaseError):
        release.unpack(file, lzma.compress(data))


def test_attack_slow_retrieval():
    """A server that dribbles is left after a minute, not when the school year is over."""

    class Raw:
        def read1(self, _size, decode_content):
            return b"x"

    class Answer:
        raw = Raw()
        status_code = 200

        def __enter__(self):
            return self

        def __exit__(self, *_why):
            return None

    class Connections:
        deadline = Deadline()

        def get(self, *_args, **_kwargs):
            return Answer()

    ticks = iter(range(10_000))
    pieces = Fetcher(Connections(), lambda: float(next(ticks))).fetch("http://127.0.0.1/x")
    with pytest.raises(SlowRetrievalError):
        for _ in pieces:
            pass


def test_keys_are_rotated_and_the_old_ones_are_worth_nothing(site, client, tmp_path):
    """Each role's key is changed, root last; a client of the first day follows; the stolen old key signs in vain."""
    site.release("0.2.0")
    old_key = (site.folder / "keys/timestamp.pem").read_bytes()
    for role in ("timestamp", "snapshot", "targets", "root"):
        site.repo.rotate(role)
    assert client.update().version == "0.2.0"
    site.release("0.3.0")
    assert client.update().version == "0.3.0"
    (site.folder / "keys/timestamp.pem").write_bytes(old_key)
    site.repo.refresh()
    with pytest.raises(UpdateRefusedError):
        client.update()


def test_a_repository_that_is_away_and_one_that_is_not_configured(site, client, tmp_path):
    """Two sentences: it is tried again later; your administrator does it."""
    site.close()
    with pytest.raises(UpdateUnreachableError):
        client.update()
    from client.config import Config

    with pytest.raises(NoUpdateSourceError):
        Repository.configured(Config(tmp_path), tmp_path / "repository")
    with pytest.raises(NoUpdateSourceError):
        Repository.configured(
            Config(tmp_path, updates="http://127.0.0.1:9"), tmp_path / "repository", tmp_path / "no-root.json"
        )
    assert Versions.of_this_program() is None


# --- the parsers -----------------------------------------------------------------------------------------------------

NAMES = st.lists(st.sampled_from(["a", "b", "c.so", "d-1", "教程"]), min_size=1, max_size=3).map("/".join)
FILES = st.builds(
    File,
    NAMES,
    st.binary(min_size=32, max_size=32).map(bytes.hex),
    st.integers(0, 1000),
    st.integers(0, 1000),
    st.booleans(),
)


@given(st.lists(FILES, min_size=1, max_size=5))
def test_a_manifest_is_read_as_it_was_written(files):
    """Round trip of every manifest whose names can lie in one folder."""
    made = Release("1.2.3", "linux-x86_64", tuple(files), {})
    with contextlib.suppress(BadReleaseError):
        assert release.parse(release.dump(made)) == made


@given(st.one_of(st.binary(), st.recursive(st.none() | st.integers() | st.text(max_size=9), lambda inner: st.lists(
    inner, max_size=6) | st.dictionaries(st.sampled_from(["version", "platform", "files", "links", "permille"]), inner)
).map(lambda value: json.dumps(value).encode())))
def test_no_manifest_brings_another_error_than_ours(data):
    """Bytes of any kind, and JSON of nearly the right form."""
    for read in (release.parse, release.parse_pointer):
        with contextlib.suppress(ClientError):
            read(data)


@pytest.mark.parametrize(
    ("files", "links"),
    [
        (["../out"], {}),
        (["/etc/passwd"], {}),
        (["a\\b"], {}),
        (["a/../../b"], {}),
        (["a", "A"], {}),
        (["a", "a/b"], {}),
        (["c:evil"], {}),
        (["name."], {}),
        (["lib/a"], {"lib/b": "../../out"}),
        (["lib/a"], {"lib/b": "/etc"}),
        (["lib/a"], {"lib/b": "c"}),
        (["lib/a", "x/a"], {"x": "lib"}),
        (["lib/a"], {"here": "."}),
        (["a/f", "x/f", "x/y/f"], {"x/y/l": "../../a", "m": "x/y/l/../../f"}),  # l leads up, and the rest of m out
    ],
)
def test_attack_a_release_that_writes_outside_of_its_folder(files, links):
    """Paths and links that leave the folder, meet another name on another file system, or pass through a link."""
    rows = tuple(File(name, "ab" * 32, 1, 1, False) for name in files)
    with pytest.raises(BadReleaseError):
        release.parse(release.dump(Release("1.2.3", "linux-x86_64", rows, links)))
