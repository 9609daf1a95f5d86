"""A class in the middle of a lesson: some study, one rests, one needs help, one waits for somebody; and their staff."""

from __future__ import annotations

from ledger.events import Finding, Paused
from server_stub.domain import citizen
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, Device
from tests.server_stub.staff import Browsers, hire

NAMES = (
    "张伟", "王芳", "李娜", "刘洋", "陈静", "杨帆", "赵磊", "黄丽", "周强", "吴敏", "徐涛", "孙悦", "马超", "朱琳",
    "胡军", "郭艳", "何平", "高洁", "林峰", "罗兰", "郑凯", "梁雪", "谢宇", "宋佳", "唐亮", "许诺", "韩梅", "冯刚",
    "邓超群", "欧阳明月",
)  # fmt: skip


def number(serial: int) -> str:
    first = f"11010519900307{serial:03d}"
    return first + citizen.check_digit(first)


def rows(count: int = len(NAMES)) -> str:
    """A list as a school has it."""
    lines = [f"{name}\t{number(at + 1)}\t138001380{at:02d}\t机械厂" for at, name in enumerate(NAMES[:count])]
    return "\n".join(["姓名\t身份证号\t手机号\t单位", *lines])


def populate(room: Room) -> Browsers:
    """Thirty learners by an import that was looked at and confirmed."""
    browsers = hire(room)
    made = browsers["officer"].post("/import", {"class_id": CLASS, "text": rows()})
    assert made.status_code == 303, made.text
    assert browsers["officer"].post(made.headers["location"]).status_code == 200
    return browsers


def lesson(room: Room, count: int = 7) -> list[Device]:
    """So many of them study; each stands somewhere else."""
    devices = []
    for at in range(count):
        room.clock.now += 31_000
        device = room.learner(f"138001380{at:02d}").ready().open()
        device.send()
        devices.append(device)
    for at, device in enumerate(devices):
        for _ in range(2 + at):
            device.play(20_000)
            device.send()
    devices[1].add(Paused("pass", devices[1].position, "rest"))
    devices[2].add(Finding("window.unrecorded", 1, "medium", "report", {"program": "helper"}))
    devices[3].add(Finding("macro.recorder", 3, "high", "pause", {"name": "按键精灵"}))
    devices[3].add(Paused("pass", devices[3].position, "finding"))
    for device in (devices[0], devices[1], devices[2], devices[3], devices[5]):
        device.send()
    return devices
