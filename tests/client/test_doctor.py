"""The doctor says what is the matter and one thing to do about it, in both languages, and a bundle names nobody."""

from __future__ import annotations

import io
import json
import platform
import socket
import stat
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from agent.errors import AgentStartError
from agent.link import Lost
from agent.messages import Beat, Note
from client import config, doctor
from client.config import Config
from client.doctor import bundle, computer, eyes, guards, nets
from client.doctor.found import LEVELS, Found, words, worst
from client.doctor.window import Consultation, line_of
from client.errors import NetworkError
from client.events import CameraState
from client.player.i18n import FORBIDDEN, PLACEHOLDER
from client.ports import Reply
from client.proctor.camera import Shot

NOW = 1_790_000_000_000


@pytest.fixture
def settings(tmp_path: Path) -> Config:
    (tmp_path / "data").mkdir(mode=0o700)
    return config.build({"data": tmp_path / "data", "server": "http://127.0.0.1:9"})


def by_name(found: Iterator[Found]) -> dict[str, Found]:
    return {item.what: item for item in found}


# --- the words --------------------------------------------------------------------------------------------------------


def findings() -> Iterator[tuple[str, str, dict[str, str]]]:
    for what, told in words().items():
        for how, entry in told.items():
            if isinstance(entry, dict):
                yield what, how, entry


@pytest.mark.parametrize(
    ("what", "how", "entry"), list(findings()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_finding_is_said_in_both_languages(what: str, how: str, entry: dict[str, str]) -> None:
    """With the same facts, without a word that accuses, and a remedy in both or in none."""
    assert set(entry) in ({"zh", "en"}, {"zh", "en", "todo_zh", "todo_en"})
    assert set(PLACEHOLDER.findall(entry["zh"])) == set(PLACEHOLDER.findall(entry["en"]))
    assert set(words()[what]) >= {"zh", "en", "good"} or what in ("agent", "files")
    said = " ".join(entry.values()).lower()
    assert not [word for word in FORBIDDEN if word in said]
    assert any("\u4e00" <= letter <= "\u9fff" for letter in entry.get("todo_zh", "一")), how


def test_whatever_is_not_well_has_a_remedy(settings: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is left with a complaint and nothing to do; every level is one of three."""
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    found = list(doctor.examine(settings, camera=False, live=False))
    assert {item.what for item in found} == set(words()) - {"agent"}
    for item in found:
        assert item.level in LEVELS
        assert bool(item.remedy("zh")) == bool(item.remedy("en")) == (item.level != "ok"), item
        assert "{" not in item.says("zh") + item.says("en") + item.remedy("zh") + item.remedy("en")
    assert worst(found) == "fail"


# --- camera and light -------------------------------------------------------------------------------------------------


class FakeCamera:
    """A camera that says one thing and shows one grey."""

    scripted = False

    def __init__(self, state: CameraState | None, grey: int | None) -> None:
        self._state, self._grey, self.closed = state, grey, False

    def start(self) -> None: ...

    def follow(self, gesture: str) -> None: ...

    def latest(self) -> Shot | None:
        return None if self._grey is None else Shot(1, 0, np.full((480, 640, 3), self._grey, np.uint8))

    def states(self) -> list[CameraState]:
        return [self._state] if self._state else []

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("available", "detail", "grey", "camera", "light", "level"),
    [
        (True, "", 120, "good", "good", "ok"),
        (True, "", 20, "good", "dark", "ok"),
        (True, "", 250, "good", "bright", "ok"),
        (True, "virtual", 120, "virtual", "good", "warn"),
        (False, "permission", None, "permission", "unknown", "fail"),
        (False, "busy", None, "busy", "unknown", "fail"),
        (False, "missing", None, "missing", "unknown", "warn"),
        (None, "", None, "no_frames", "unknown", "fail"),
    ],
)
def test_camera_and_light_are_looked_at_by_one_picture(
    settings: Config, available: bool | None, detail: str, grey: int | None, camera: str, light: str, level: str
) -> None:
    """Each state of the camera has its own word; the camera is let go at once."""
    state = None if available is None else CameraState(available, "Camera", "v4l2", False, detail)
    fake = FakeCamera(state, grey)
    found = by_name(eyes.look(settings, lambda _number: fake, sleep=lambda _s: None))
    assert (found["camera"].how, found["light"].how, found["camera"].level) == (camera, light, level)
    assert fake.closed


# --- agent, proxy, server, clock, disk --------------------------------------------------------------------------------


class FakeLink:
    """An agent that says one of `said` at each poll, or cannot be started."""

    def __init__(self, said: list[object], fails: bool = False) -> None:
        self._said, self._fails, self.closed = said, fails, False

    def start(self) -> None:
        if self._fails:
            raise AgentStartError("no such program")

    def poll(self) -> list[object]:
        said, self._said = self._said[:1], self._said[1:]
        return said

    def close(self) -> None:
        self.closed = True


BEAT = Beat(0, 1, 1, "a" * 64, "b" * 64, "c" * 64)


@pytest.mark.parametrize(
    ("link", "how"),
    [
        (FakeLink([BEAT]), "good"),
        (FakeLink([Lost("it ended")]), "silent"),
        (FakeLink([], fails=True), "silent"),
        (FakeLink([]), "silent"),
        (FakeLink([*[Note("")] * 250, BEAT]), "slow"),
        (FakeLink([Lost("no beat for 20000 ms"), BEAT]), "good"),
        (FakeLink([Lost("no beat for 20000 ms")] * 100), "silent"),
    ],
)
def test_the_agent_is_started_and_heard(link: FakeLink, how: str) -> None:
    """One beat is enough; silence, a death and a start that fails are all told, and nothing is left running."""
    ticks = iter(range(10_000))
    found = guards.agent(link, clock=lambda: next(ticks) / 10, sleep=lambda _s: None)  # type: ignore[arg-type]
    assert found.how == how
    assert link.closed


@pytest.mark.slow
def test_a_real_agent_answers() -> None:
    """The installed one, by its own pipe; later on a machine that does ten other things."""
    assert guards.agent().how in ("good", "slow")


class FakeServer:
    """Answers one `health` with its clock, or not at all."""

    def __init__(self, time_ms: int | None) -> None:
        self._time = time_ms

    def send(self, method: str, path: str, body: bytes = b"", headers: object = None) -> Reply:
        if self._time is None:
            raise NetworkError("GET /v1/health: ConnectionError")
        said = {"server": "train.example", "version": "0.1.0", "time": self._time}
        return Reply(200, json.dumps(said).encode(), {"Content-Type": "application/json"})


@pytest.mark.parametrize(
    ("time_ms", "server", "clock"),
    [(NOW, "good", "good"), (NOW - 3_600_000, "good", "off"), (None, "unreachable", "unknown")],
)
def test_the_clock_is_compared_with_the_servers(settings: Config, time_ms: int | None, server: str, clock: str) -> None:
    """An hour off is worth telling; without a server nothing is claimed."""
    found = by_name(nets.look(settings, wall=lambda: NOW, transport=FakeServer(time_ms)))
    assert (found["server"].how, found["clock"].how) == (server, clock)


def test_a_proxy_is_tried_and_the_environments_is_named(settings: Config, tmp_path: Path) -> None:
    """A proxy of the settings that does not answer fails; one of the environment is not used, and that is said."""
    assert nets.proxy(settings, {}).how == "good"
    assert nets.proxy(settings, {"https_proxy": "http://10.0.0.1:3128"}).how == "ignored"
    closed = config.build({"data": tmp_path, "proxy": "http://127.0.0.1:1"})
    assert nets.proxy(closed).level == "fail"


def test_a_data_folder_that_others_read_is_told(settings: Config) -> None:
    """And one that is ours alone is well."""
    assert computer.permissions(settings).how == "good"
    settings.data.chmod(0o755)
    found = computer.permissions(settings)
    assert (found.how, found.level) == ("open", "warn")


def test_no_room_is_told_before_a_record_is_lost(settings: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than a term of records is a failure with its remedy."""
    monkeypatch.setattr(computer, "ROOM", 1 << 60)
    assert computer.disk(settings).how == "little"


# --- the bundle -------------------------------------------------------------------------------------------------------

PERSONAL = (
    "王小明",
    "wangxiaoming",
    "13912345678",
    "Wangs-iPhone Camera",
    "pc-of-wang",
    "sk-live-secret-1",
    "10.23.4.5",
)


def test_a_support_bundle_names_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, accounts, cameras, hosts, paths and secrets lie wherever the bundle is made from; none is in it."""
    for owner, name in ((platform, "node"), (socket, "gethostname")):
        monkeypatch.setattr(owner, name, lambda: "pc-of-wang")
    home = tmp_path / "wangxiaoming" / "王小明"
    learner = home / "learners" / ("c" * 32)
    learner.mkdir(parents=True)
    (learner / "outbox.db").write_bytes(" ".join(PERSONAL).encode())
    log = f"TS-C-001 13912345678 on pc-of-wang: 王小明 WangError ValueError {home} 10.23.4.5\nTS-C-001\n"
    (home / "proctor.log").write_text(log, "utf-8")
    settings = config.build({"data": home, "server": "https://pc-of-wang.example", "token": "sk-live-secret-1"})
    facts = {"name": "Wangs-iPhone Camera", "address": "10.23.4.5:80", "folder": str(home), "version": "王小明"}
    found = [
        Found("camera", "good", facts=facts),
        Found("server", "good", facts=facts),
        Found("disk", "good", facts=facts),
    ]
    found += list(doctor.examine(settings, camera=False, live=False))
    out = tmp_path / "support.zip"
    bundle.write(out, settings, found)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with zipfile.ZipFile(io.BytesIO(out.read_bytes())) as packed:
        text = "".join(name + packed.read(name).decode() for name in packed.namelist()) + packed.comment.decode()
        told = json.loads(packed.read("errors.json"))
    for word in (*PERSONAL, str(tmp_path), "Wang", "c" * 32):
        assert word not in text, word
    assert told["codes"] == {"TS-C-001": 2}
    assert told["kinds"] == {"ValueError": 1}, "a word that only looks like an error is somebody's name"


def test_the_command_writes_json_and_bundle(
    settings: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line that fleet tools read; exit 1 only when studying does not work like this."""
    code = doctor.main(settings, as_json=True, bundle=tmp_path / "b.zip", camera=False)
    told = json.loads(capsys.readouterr().out)
    assert told["name"] == "doctor"
    assert code == (told["level"] == "fail")
    assert {"what", "level", "how", "zh", "en"} <= set(told["checks"][0])
    assert zipfile.is_zipfile(tmp_path / "b.zip")


# --- the screen's side ------------------------------------------------------------------------------------------------


def test_a_consultation_shows_what_is_known_so_far(settings: Config) -> None:
    """Lines come as they are found, in both languages; a second look starts anew; the bundle's place is shown."""
    one, two = Found("python", "good", facts={"version": "3.11.7"}), Found("display", "none", "fail")
    consultation = Consultation(settings, lambda _config: iter([one, two]))
    consultation.begin()
    while consultation.busy:
        time.sleep(0.01)
    shown = consultation.shown()
    assert shown.lines == (line_of(one), line_of(two))
    assert [line.remedy.zh for line in shown.of("fail")] == [two.remedy("zh")]
    consultation.bundle()
    assert Path(consultation.shown().kept).is_file()
    consultation.begin()
    assert consultation.shown().kept == ""
