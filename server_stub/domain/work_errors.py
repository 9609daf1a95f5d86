"""What supervision refuses: classes that are not opened, plans that break a rule, sanctions that lack a second person.

Numbers 080 to 099 (domain/errors.py has the others).
"""

from __future__ import annotations

from server_stub.domain.errors import ServerError


class PaperChangedError(ServerError):
    """Somebody else changed the same paper meanwhile."""

    status = 409
    code = "TS-S-080"
    remedy = "Open the page again, look at what changed, and repeat what is still wanted."
    zh = "该材料刚刚被他人修改。请重新打开页面，核对变化后再操作。"


class NotOpenYetError(ServerError):
    """The class has not been opened: it can be previewed, and nothing counts yet."""

    status = 409
    code = "TS-S-081"
    remedy = "Preview the course for now; hours count once your institution has opened the class."
    zh = "本班尚未开班：目前可以预览课程，暂不计学时。开班后请再次进入学习。"


class PlanError(ServerError):
    """The teaching plan cannot be read, or breaks a rule of the programme."""

    status = 422
    code = "TS-S-082"
    remedy = "Correct the lines that are named and send the plan again."
    zh = "教学计划不符合要求。请按提示修改后重新提交。"


class TooLateError(ServerError):
    """A plan is changed at least three days ahead of the lesson (R1.10)."""

    status = 422
    code = "TS-S-083"
    remedy = "Lessons of the next three days stay as announced; change later ones, or ask the supervisor."
    zh = "教学计划须提前三天以上变更。近三天内的课次保持不变；请调整之后的课次，或联系监管人员。"


class NotEligibleError(ServerError):
    """Somebody of the roster is not eligible, or the theory is not complete yet."""

    status = 422
    code = "TS-S-084"
    remedy = "Look at the reasons beside the names; correct the roster or the records, then check again."
    zh = "有学员暂不符合条件。请查看姓名旁的原因，更正后重新核查。"


class SecondPersonError(ServerError):
    """Two different people decide here, and this is the same one, or one who took part before."""

    status = 409
    code = "TS-S-085"
    remedy = "Ask another member of the staff to decide: never the one who proposed."
    zh = "此事须由另一人决定：提出者与决定者不能是同一账号。请由其他监管人员办理。"


class LinkError(ServerError):
    """The supervision link does not work end to end; the message names the leg."""

    status = 409
    code = "TS-S-086"
    remedy = "Call the person named beside the failing leg, then test the link again."
    zh = "监管链路未通。请联系页面所示环节的负责人，恢复后重新检测。"


class WrongStateError(ServerError):
    """This step does not follow from where the matter stands."""

    status = 409
    code = "TS-S-087"
    remedy = "Open the page again: it shows which steps are possible now."
    zh = "当前状态下不能执行此操作。请重新打开页面，按所示步骤办理。"


class FontMissingError(ServerError):
    """No Chinese font is installed with which a notice could be printed."""

    status = 409  # of this machine as it is set up; asking again changes nothing
    code = "TS-S-088"
    remedy = "Install the package fonts-wqy-microhei on the server, or name another TrueType font in TRUESEAT_FONT."
    zh = "服务器缺少中文字体，无法生成文书。请安装 fonts-wqy-microhei，或通过 TRUESEAT_FONT 指定字体。"


class OnHoldError(ServerError):
    """What a case still needs is not erased."""

    status = 409
    code = "TS-S-089"
    remedy = "Close the case or end the hold first; the request is kept and can be repeated."
    zh = "相关资料因核实或法律要求暂予保留，目前不能删除。保留解除后可再次提出。"


class ClassClosedError(ServerError):
    """The institution closed the class: no session begins; what was recorded before is still taken."""

    status = 409
    code = "TS-S-092"
    remedy = "This class is over. What you recorded is still sent and counted; ask your institution for another one."
    zh = "本班已结业，不再开始新的学习。此前的记录仍会上传并计入；如需继续学习，请联系培训机构。"


class EndpointError(ServerError):
    """An address outside of the list that this server may call."""

    status = 503
    code = "TS-S-090"
    remedy = "Add the address to `endpoints` in supervision.toml if calls to it are lawful, or remove what asks for it."
    zh = "该地址不在允许访问的清单中。如确需访问，请由运营方在配置中登记。"


class FeedError(ServerError):
    """Another server's log is not what its key signed, or not what it was before."""

    status = 409
    code = "TS-S-096"
    remedy = "Keep what you have and what came, and ask the operator: an honest log only grows."
    zh = "对方日志与其签名或此前内容不一致。请保留已有记录和本次内容，并联系运营方：正常的日志只增不减。"
