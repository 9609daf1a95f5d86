"""The written notices (文书) of supervision: what was decided, about whom, why, and how to object. Chinese, as PDF."""

from __future__ import annotations

from typing import Final

from server_stub import printing
from server_stub.domain.cases import Case
from server_stub.domain.papers import Paper
from server_stub.domain.work import day_of
from server_stub.domain.work_errors import WrongStateError
from server_stub.printing import Notice

_TITLE: Final = {
    "zeroing": "学时认定决定书", "talk": "约谈通知书", "rectify": "限期整改通知书", "take_down": "课程暂停通知书",
    "take_down_for_good": "课程下架通知书", "subsidy_stop": "停止补贴建议书", "class_subsidy": "班级补贴处理建议书",
}  # fmt: skip
_SAYS: Final = {
    "zeroing": "经核实并由监管人员分别签署，决定对下述学习会话第 {first} 至 {last} 条记录对应的学时不予认定。",
    "talk": "请贵单位负责人于收到本通知后五个工作日内到监管部门，就下述情况作出说明。",
    "rectify": "请贵单位于收到本通知后十五个工作日内完成整改，并提交书面整改报告。",
    "take_down": "自本通知发出之日起，下述课程暂停提供；整改经核验合格后恢复。",
    "take_down_for_good": "自本通知发出之日起，下述课程予以下架，不再恢复。",
    "subsidy_stop": "鉴于下述情况在承诺整改后再次出现，建议停止相应补贴。",
    "class_subsidy": "鉴于下述班级在两次抽查中合规率均低于百分之八十，建议该班不予补贴。",
}  # fmt: skip
_KEPT: Final = {"appealed": "对本决定的申诉正在由其他人员复核。", "kept": "经复核，维持本决定。",
                "reversed": "经复核，本决定已撤销，相应学时已恢复。"}  # fmt: skip


def of_case(found: Paper, case: Case, to: str, course: str, by: str) -> bytes:
    """The notice of a case that was decided; `WrongStateError` before that. `to`: a name, `by`: who issues it."""
    if case.proposal is None or not case.decided_at:
        raise WrongStateError("a notice is written once something was decided")
    given = case.proposal
    paragraphs = [
        _SAYS[given.sanction].format(first=given.first, last=given.last - 1),
        f"涉及班级：{course}。" + (f"学习会话编号：{case.sid}。" if case.sid else ""),
        f"情况说明：{case.title}。",
        f"处理理由：{given.reason}。",
    ]
    if case.statement:
        paragraphs.append(f"本人陈述：{case.statement}")
    paragraphs.append("如有异议，可在六十日内提出申诉，由未参与本决定的人员复核。申诉期间及复核撤销后，相关记录照常保存。")
    if found.state in _KEPT:
        paragraphs.append(_KEPT[found.state])
    foot = [f"核实编号：{found.paper}"]
    if case.verdict:
        foot.append(f"签署文本摘要（SHA-256）：{case.verdict}。该决定已记入班级存证日志，可用班级档案离线核验。")
    return printing.notice(
        Notice(_TITLE[given.sanction], f"〔{day_of(case.decided_at).year}〕{found.paper[:8].upper()} 号", to,
               tuple(paragraphs), by, day_of(case.decided_at).isoformat(), tuple(foot))
    )  # fmt: skip
