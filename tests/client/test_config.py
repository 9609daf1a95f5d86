"""Settings: checked once, refused by name, and the command line that needs no display."""

from __future__ import annotations

import contextlib
import json
import os
import plistlib
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client import config, sources
from client.__main__ import main
from client.about import VERSION, describe
from client.config import Config
from client.errors import ConfigError
from client.sources import Machine, Source
from ledger.keys import ED25519, generate, generate_evidence

ROOT = Path(__file__).resolve().parents[2]

AUTHORITY = generate("school.example/a", ED25519).vkey
REVIEWER = generate_evidence("school.example/e")[0]  # seals, and signs nothing


def machine(folder: Path, defaults: dict[str, object], policy: dict[str, object]) -> Machine:
    """A computer with an administrator's folder, what setup wrote, and a policy."""
    return Machine(
        folder,
        lambda: iter([Source("HKLM setup", defaults)]),
        lambda: iter([Source("policy", policy)]),
    )


def test_later_settings_win(tmp_path):
    """built in < machine's file < setup < user's file < environment < command line < policy, each said by its place."""
    data, etc = tmp_path / "data", tmp_path / "etc"
    for folder in (data, etc):
        folder.mkdir()
    given_: dict[str, object] = {"data": str(data)}
    steps = [
        (lambda: (etc / "config.toml").write_text('server = "https://a.example"\n'), "a", "etc/config.toml, line 1"),
        (lambda: defaults.update(server="https://b.example"), "b", "HKLM setup"),
        (lambda: (data / "config.toml").write_text('\nserver = "https://c.example"\n'), "c", "config.toml, line 2"),
        (lambda: variables.update(TRUESEAT_SERVER="https://d.example"), "d", "environment, TRUESEAT_SERVER"),
        (lambda: given_.update(server="https://e.example"), "e", "command line"),
        (lambda: policy.update(server="https://f.example"), "f", "policy"),
    ]
    variables: dict[str, str] = {}
    defaults: dict[str, object] = {}
    policy: dict[str, object] = {}
    for change, letter, place in steps:
        change()
        found = config.places(given_, variables, machine(etc, defaults, policy))
        assert config.build_from(found).server == f"https://{letter}.example"
        (line,) = [line for line in config.explain(found) if line.startswith("server =")]
        assert place in line
    assert "language = zh    # built in" in list(config.explain(found))


def test_a_bad_file_is_named_with_its_line_and_the_remedy(tmp_path, capsys):
    """Whoever deploys a typing error to a thousand machines reads from one of them where it is."""
    (tmp_path / "config.toml").write_text('language = "en"\n\ncolour = "red"\n')
    assert main(["config", "show", "--data", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert f"{tmp_path / 'config.toml'}, line 3: colour: unknown setting" in said
    assert "config show --sources" in said
    (tmp_path / "config.toml").write_text('language = "en"\nserver = https://a.example\n')
    assert main(["config", "show", "--data", str(tmp_path)]) == 1
    assert "line 2" in capsys.readouterr().err


def test_an_enrolment_token_is_never_shown(tmp_path, capsys):
    """Of a secret people read that it is set, and where."""
    (tmp_path / "config.toml").write_text('token = "kept-between-us-1"\n')
    for more in ([], ["--sources"]):
        assert main(["config", "show", "--data", str(tmp_path), *more]) == 0
        said = capsys.readouterr().out
        assert "token = (set)" in said
        assert "kept-between" not in said


@pytest.mark.parametrize("name", ["proxy", "server", "updates"])
@pytest.mark.parametrize(
    "address",
    [
        "http://me:se#cret@proxy.example:80", "http://me:se[cret@proxy.example:80", "http://me:secret@proxy.example:80800",
        "me:secret@proxy.example:80", "http:me:secret@proxy.example", "https://me:se/cret@proxy.example", "https://me/secret@x",
    ],
)  # fmt: skip
def test_a_password_in_a_misspelled_address_is_never_shown(tmp_path, capsys, name, address):
    """Whatever reader of addresses it confuses: the refusal names the setting, and quotes nothing of it."""
    (tmp_path / "config.toml").write_text(f"{name} = {json.dumps(address)}\n")
    has_path = (name, address) == ("updates", "https://me/secret@x")  # a folder on a server, and no account
    assert main(["config", "show", "--data", str(tmp_path)]) == (0 if has_path else 1)
    said = capsys.readouterr().err
    assert ("line 1" in said) is not has_path
    assert "cret" not in said


def test_a_token_that_is_no_text_is_not_shown(tmp_path, capsys):
    """Written without its quotes it is a number, and still a secret."""
    (tmp_path / "config.toml").write_text("token = 1234567890123\n")
    assert main(["config", "show", "--data", str(tmp_path)]) == 1
    assert "12345678" not in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can make a policy file")
def test_a_policy_that_anybody_could_write_is_refused(tmp_path):
    """A mandatory setting is the administrator's; a file that others may write is nobody's policy."""
    path = tmp_path / "policy.toml"
    assert sources.policy_file(path).values == {}
    path.write_text('server = "https://a.example"\n')
    path.chmod(0o644)
    assert sources.policy_file(path).values == {"server": "https://a.example"}
    path.chmod(0o664)
    with pytest.raises(ConfigError, match="belongs to root"):
        sources.policy_file(path)


def test_attack_one_user_sets_the_defaults_of_all(tmp_path):
    """Below %ProgramData% every user of a computer may make files: only the administrators' are anybody's settings.

    The open file is asked, before a byte of it is read: nobody swaps it between the question and the reading.
    """
    path = tmp_path / "config.toml"
    assert sources.shared_file(path, lambda _handle: "S-1-5-21-1-2-3-1001").values == {}, "no file, no question"
    path.write_text('proxy = "http://10.0.0.9:3128"\n')
    assert sources.shared_file(path, lambda handle: "S-1-5-32-544" if os.fstat(handle) else "").values
    with pytest.raises(ConfigError, match="belong to the administrators"):
        sources.shared_file(path, lambda _handle: "S-1-5-21-1-2-3-1001")
    machine = sources.machine("win32")
    assert machine.read is sources.shared_file


def test_wine_tells_whose_a_file_is(tmp_path):
    """The calls themselves: who made a file owns it, and is no administrator by that alone."""
    home = Path(os.environ.get("TRUESEAT_WINE") or Path.home() / ".cache/trueseat-wine")
    if not os.environ.get("TRUESEAT_LONG") or not (home / "python/.made").is_file():
        pytest.skip("left out: make test-wine")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from client.owner import ADMINISTRATORS, owner_of\n"
        "with open(sys.argv[2], 'wb') as made: said = owner_of(made.fileno())\n"
        "print(said.startswith('S-1-5-21-') and said not in ADMINISTRATORS)"
    )
    made = f"Z:{tmp_path / 'made'}".replace("/", "\\")
    command = [ROOT / "build/wine.sh", "python", "-c", code, f"Z:{ROOT}".replace("/", "\\"), made]
    told = subprocess.run(command, check=True, input=b"", capture_output=True)
    assert told.stdout.split() == [b"True"]


class _Registry:
    """Windows' registry as `winreg` gives it."""

    HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE = "HKCU", "HKLM"

    def __init__(self, keys: dict[tuple[str, str], dict[str, object]]) -> None:
        self._keys = keys

    def OpenKey(self, hive, key):
        try:
            return _Key(self._keys[(hive, key)])
        except KeyError:
            raise FileNotFoundError(key) from None

    def QueryInfoKey(self, key):
        return (0, len(key.values), 0)

    def EnumValue(self, key, number):
        name, value = list(key.values.items())[number]
        return name, value, 1


class _Key:
    def __init__(self, values: dict[str, object]) -> None:
        self.values = values

    def __enter__(self):
        return self

    def __exit__(self, *_why):
        return None


def test_group_policy_goes_before_everything_and_the_machine_before_the_user(tmp_path, monkeypatch):
    """What setup wrote is a default; what group policy wrote is the rule; a number there is refused by its key."""
    keys: dict[tuple[str, str], dict[str, object]] = {
        ("HKLM", sources.DEFAULTS_KEY): {"Server": "https://setup.example", "Language": "en"},
        ("HKCU", sources.POLICY_KEY): {"Server": "https://user.example"},
        ("HKLM", sources.POLICY_KEY): {"SERVER": "https://machine.example"},
    }
    monkeypatch.setitem(sys.modules, "winreg", _Registry(keys))
    monkeypatch.setenv("PROGRAMDATA", str(tmp_path))
    windows = sources.machine("win32")
    assert windows.folder == tmp_path / "TrueSeat"
    found = config.load({"data": str(tmp_path)}, {"TRUESEAT_SERVER": "https://env.example"}, windows)
    assert (found.server, found.language) == ("https://machine.example", "en")
    keys[("HKLM", sources.POLICY_KEY)]["proxy"] = 5
    with pytest.raises(ConfigError, match=r"HKLM\\SOFTWARE\\Policies\\TrueSeat: proxy: '5' is no text"):
        config.load({"data": str(tmp_path)}, {}, windows)


def test_managed_preferences_of_macos(tmp_path):
    """Forced preferences are a property list, of either form; what is none is refused."""
    path = tmp_path / "org.trueseat.client.plist"
    assert list(sources.managed(path)) == []
    for form in (plistlib.FMT_XML, plistlib.FMT_BINARY):
        path.write_bytes(plistlib.dumps({"server": "https://a.example"}, fmt=form))
        (found,) = sources.managed(path)
        assert found.values == {"server": "https://a.example"}
    for bad in (b"bplist00" + b"\xff" * 40, b"<plist><array/></plist>", b"x" * 70_000):
        path.write_bytes(bad)
        with pytest.raises(ConfigError):
            list(sources.managed(path))


@given(st.binary(max_size=300))
def test_no_file_of_settings_brings_another_error_than_ours(data):
    """Bytes of any kind as property list and as TOML."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        for start in (b"", b"bplist00", b"<plist><dict>"):
            path.write_bytes(start + data)
            for read in (sources.file, lambda path: list(sources.managed(path))):
                with contextlib.suppress(ConfigError):
                    read(path)


def test_every_setting_stands_in_the_administrators_page():
    """docs/deploy.md names each setting, its variable and every place."""
    page = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
    for name in config.NAMES:
        assert f"| `{name}` |" in page, name
    for place in (sources.DEFAULTS_KEY, sources.POLICY_KEY, sources.MANAGED, "/etc/trueseat/policy.toml"):
        assert str(place) in page, place


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"server": "ftp://a.example"}, "server"),
        ({"server": "http://school.example"}, "https"),
        ({"server": "https://user:word@school.example"}, "account"),
        ({"server": "https://school.example/path"}, "server"),
        ({"language": "fr"}, "language"),
        ({"colour": "red"}, "colour"),
        ({"trust": "/nowhere/class.trust"}, "trust"),
        ({"server": 5}, "server"),
        ({"server": ""}, "server"),
        ({"server": "https://a.example:99999"}, "server"),
        ({"server": "https://["}, "server"),
        ({"proxy": "http://proxy.example"}, "host:port"),
        ({"proxy": "http://me:word@proxy.example:80"}, "account"),
        ({"updates": "http://updates.example/"}, "https"),
        ({"ring": "fast"}, "ring"),
        ({"server_name": "Not A Name"}, "server_name"),
        ({"token": "with blanks in it"}, "token"),
        ({"ca": "/nowhere/ca.pem"}, "ca"),
        ({"authority": "school.example/a"}, "authority"),
        ({"authority": f"{AUTHORITY} {REVIEWER}"}, "authority"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(tmp_path, values, named):
    """Plain http only to this machine, no password in an address, no unknown name, no missing file."""
    with pytest.raises(ConfigError, match=named):
        config.build({"data": tmp_path, **values})


def test_authorities_are_keys_with_blanks_between(tmp_path):
    """As many as there are, in their order; none where nothing is said."""
    other = generate("county.example/a", ED25519).vkey
    found = config.build({"data": tmp_path, "authority": f"{AUTHORITY}  {other}"})
    assert found.authorities == (AUTHORITY, other)
    assert config.build({"data": tmp_path}).authorities == ()


def test_what_is_no_toml_is_refused(tmp_path):
    """A broken config.toml is one sentence, not a traceback."""
    (tmp_path / "config.toml").write_bytes(b"server = \xff")
    with pytest.raises(ConfigError):
        config.load({"data": str(tmp_path)}, {})


@given(st.dictionaries(st.text(max_size=12), st.one_of(st.text(max_size=40), st.integers(), st.none(), st.booleans())))
def test_settings_survive_anything(values):
    """Whatever stands in the file: a Config or our own error."""
    with contextlib.suppress(ConfigError):
        assert isinstance(config.build({"data": "/tmp/x", **values}), Config)


def test_version_is_that_of_the_project():
    """What the client says of itself is what pyproject.toml says."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
    assert VERSION in describe("file")
    assert len(describe("x" * 500)) <= 200


@pytest.mark.slow
def test_version_doctor_and_config_need_no_display(tmp_path):
    """No window opens, kivy is not imported; doctor names what is missing with its remedy."""
    env = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    code = "import sys; from client.__main__ import main; c = main(sys.argv[1:]); assert 'kivy' not in sys.modules; "
    show = ["config", "show", "--data", str(tmp_path)]
    doctor = ["doctor", "--data", str(tmp_path), "--server", "http://127.0.0.1:9", "--no-camera"]
    for arguments in (show, doctor):
        command = [sys.executable, "-c", code + "sys.exit(c)", *arguments]
        done = subprocess.run(command, check=False, env=env, cwd=ROOT, capture_output=True, text=True)
        assert "Traceback" not in done.stderr, done.stderr
    assert "http://127.0.0.1:9" in done.stdout
    assert done.returncode == 1
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0


def test_a_refusal_is_one_sentence_with_its_remedy(tmp_path, capsys):
    """Code, what happened, remedy, and the Chinese sentence; exit 1."""
    assert main(["config", "show", "--data", str(tmp_path), "--server", "ftp://x"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("TS-C-010: ")
    assert ConfigError.remedy in said
    assert ConfigError.zh in said
