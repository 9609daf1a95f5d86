"""Why a part of a lesson is not counted (yet): one stable code, one sentence in each language, never a reproach.

Codes stand in reports and archives; the sentences are for the learner and the supervisor. What can be studied again
(补学) says so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final


@dataclasses.dataclass(frozen=True, slots=True)
class Reason:
    """A code with its two sentences; `make_up` tells whether studying the part again can earn it."""

    code: str
    en: str
    zh: str
    make_up: bool = True


_AGAIN_EN: Final = " Study it again to have it counted."
_AGAIN_ZH: Final = "，暂未计入，可补学。"


def _reason(code: str, en: str, zh: str) -> Reason:
    return Reason(code, en + _AGAIN_EN, zh + _AGAIN_ZH)


REASONS: Final[Mapping[str, Reason]] = {
    reason.code: reason
    for reason in (
        # --- the span itself
        _reason("rate", "It ran at a speed that this programme does not count.", "播放速度不在本项目允许范围内"),
        _reason("unit", "The lesson does not belong to this course.", "该课时不属于本课程"),
        _reason("range", "The part does not lie within the lesson.", "该片段超出课时范围"),
        _reason("overlap", "It overlaps the part recorded before it.", "该片段与前一片段时间重叠"),
        _reason("faster", "More of the lesson was shown than time had passed.", "播放内容长于实际经过的时间"),
        # --- what the log says of the time
        _reason("order_open", "A check was waiting while the lesson ran.", "核验等待期间播放的内容"),
        _reason("not_foreground", "The lesson window was not in front.", "学习窗口当时不在前台"),
        _reason(
            "foreground_unknown",
            "This computer cannot tell whether the window was in front.",
            "本机无法判断窗口是否在前台",
        ),
        _reason("absent", "Nobody was in front of the screen for a while.", "有一段时间屏幕前没有人"),
        _reason("finding", "The lesson ran while something was still to be clarified.", "有待核实情况期间播放的内容"),
        _reason("agent_hole", "The learning assistant was not running for a while.", "学习助手有一段时间没有运行"),
        # --- time
        _reason("clock", "The device's clock ran ahead of the server's.", "本机时钟快于服务器时间的部分"),
        Reason(
            "pending",
            "Waiting for the server's receipt; nothing is lost.",
            "等待服务器存证回执，记录没有丢失。",
            make_up=False,
        ),
        _reason("outside_hours", "It was studied outside the programme's hours.", "不在本项目规定的学习时段内"),
        _reason("daily_cap", "It exceeds what the programme counts in one day.", "超过本项目每日可计学时上限"),
        # --- checks
        _reason("no_check_before", "No check had been passed before it.", "此前还没有通过核验"),
        _reason("no_check_after", "It was not followed by a check.", "此后没有再进行核验"),
        _reason("check_failed", "A check next to it was not passed.", "相邻的一次核验未通过"),
        _reason(
            "check_unclear",
            "A check next to it could not be judged; nobody is to blame.",
            "相邻的一次核验没有看清，不是您的问题",
        ),
        _reason("check_missed", "A check next to it was missed.", "相邻的一次核验未按时完成"),
        _reason("withheld", "A record next to it was erased.", "相邻的一条记录已删除"),
        _reason("offline_limit", "It was studied off line for longer than allowed.", "超过允许的离线学习时长"),
        Reason(
            "offline_unconfirmed",
            "Studied off line; it counts once a check is passed on line.",
            "离线学习的部分，联网并通过一次核验后计入。",
            make_up=False,
        ),
        # --- elsewhere
        Reason("replay", "This part was already counted.", "该部分此前已计入，不重复计入。", make_up=False),
        _reason(
            "zeroed",
            "By a decision of the supervisors this part is not recognised; you can appeal.",
            "经核实决定，本段学时不予认定，您可以申诉",
        ),
    )
}  # fmt: skip


def reason(code: str) -> Reason:
    """The reason called `code`; a KeyError would be a fault of this room, so every code is in the table (a test)."""
    return REASONS[code]
