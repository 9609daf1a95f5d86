"""Every refusal of the supervision server: its HTTP status, a stable code, and what the person who reads it can do.

Numbers: 00x requests · 01x who is asking · 02x registrations and devices · 03x sessions and segments · 04x what is
asked for does not exist (yet) · 05x setting up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class ServerError(Exception):
    """The server refused something; the subclass says what. `extra` are further fields of the answer."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "TS-S-000"
    remedy: ClassVar[str] = "Try again; what was signed on your device is kept there. If it stays, call the operator."
    zh: ClassVar[str] = "服务器出现问题，请稍后重试。本机已签名的记录不会丢失；如一直如此，请联系运营方。"

    def __init__(self, message: str, extra: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.extra = dict(extra or {})


class UnreadableError(ServerError):
    """A request is not of the published form."""

    status = 400
    code = "TS-S-001"
    remedy = "Update the client to the version of the server and send the request again."
    zh = "请求格式不符合接口规定。请将客户端更新到与服务器一致的版本后重试。"


class TooLargeError(ServerError):
    """A request is larger than this path takes."""

    status = 413
    code = "TS-S-002"
    remedy = "Send smaller segments: at most 1 MiB each."
    zh = "上传内容过大。请分成更小的数据段后重新发送。"


class TooManyError(ServerError):
    """Too many requests of this kind in a short time."""

    status = 429
    code = "TS-S-003"
    remedy = "Wait a little and try again."
    zh = "操作过于频繁，请稍候再试。"


class TooSlowError(ServerError):
    """A request's body did not come within the time that a slow line needs."""

    status = 408
    code = "TS-S-005"
    remedy = "Try again on a better line; what was signed stays on the device."
    zh = "上传过慢，连接已结束。请在网络较好时重试；本机已签名的记录不会丢失。"


class NoSuchPageError(ServerError):
    """Nothing stands at this address, or it does not take this method."""

    status = 404
    code = "TS-S-004"
    remedy = "Check the address; the interface is described at /openapi.json."
    zh = "地址不存在。请核对地址。"


class NotSignedInError(ServerError):
    """The token is missing, unknown or has ended."""

    status = 401
    code = "TS-S-010"
    remedy = "Sign in again; your records stay on this device."
    zh = "请重新登录。学习记录仍保存在本机。"


class NotAllowedError(ServerError):
    """The account is known but may not do this."""

    status = 403
    code = "TS-S-011"
    remedy = "Ask the administrator of the class for the right to do this."
    zh = "当前账号没有此项权限。请联系班级管理员。"


class WrongCodeError(ServerError):
    """The sign-in code is wrong, too old, or was tried too often."""

    status = 403
    code = "TS-S-012"
    remedy = "Read the code again, or ask for a new one: it is valid for 5 minutes and 5 tries."
    zh = "验证码不正确或已失效。请核对，或重新获取（5 分钟内有效，最多尝试 5 次）。"


class WrongPasswordError(ServerError):
    """Account and password do not belong together."""

    status = 403
    code = "TS-S-013"
    remedy = "Check account and password."
    zh = "账号或密码不正确，请核对。"


class PasswordWeakError(ServerError):
    """A new password is too easy to guess."""

    status = 400
    code = "TS-S-016"
    remedy = "Choose at least 12 characters: four words that you do not use together elsewhere will do."
    zh = "密码过于简单。请使用至少 12 个字符，例如四个平时不会连用的词。"


class DevelopmentOnlyError(ServerError):
    """Only a server for development does this."""

    status = 403
    code = "TS-S-014"
    remedy = "Let an officer of the school or the employer identify the learner."
    zh = "此功能仅用于开发环境。请由学校或单位的工作人员完成实名核验。"


class SignInAgainError(ServerError):
    """What is asked for needs the person, not only a token: a code that was entered just now."""

    status = 401
    code = "TS-S-015"
    remedy = "Sign in again with a new code, then repeat what you did; your records stay on this device."
    zh = "此操作需要确认是您本人。请用新的验证码重新登录后再试；学习记录仍保存在本机。"


class UnknownRegistrationError(ServerError):
    """This learner has no such registration."""

    status = 404
    code = "TS-S-020"
    remedy = "Open the course list again; ask the institution whether you are enrolled."
    zh = "没有找到该报名信息。请刷新课程列表，或向培训机构核实报名情况。"


class DeviceLimitError(ServerError):
    """The learner already has as many devices as the programme allows."""

    status = 409
    code = "TS-S-021"
    remedy = "Study on a device that is registered, or let the institution remove one."
    zh = "登记的设备已达上限。请使用已登记的设备，或请培训机构移除一台。"


class DeviceRefusedError(ServerError):
    """A device key is unknown in this class, revoked, of another learner, or did not sign."""

    status = 403
    code = "TS-S-022"
    remedy = "Register this device again; what it signed before stays valid."
    zh = "本设备未登记或已停用。请重新登记设备；此前已签名的记录依然有效。"


class ClassEndedError(ServerError):
    """The provider of this class has left: no session, device or consent is added; what was recorded verifies."""

    status = 410
    code = "TS-S-023"
    remedy = "Ask the institution where your course goes on; what was credited stays in the class archive."
    zh = "该班级的平台服务已结束，不再开放学习。已认定学时保存在班级档案中；请向培训机构了解后续安排。"


class SessionKnownError(ServerError):
    """Another certificate stands under this session identifier."""

    status = 409
    code = "TS-S-030"
    remedy = "Open a new session."
    zh = "该会话编号已被使用。请重新打开学习。"


class PreviousUnknownError(ServerError):
    """The certificate names another previous session than the server has; `prev` is what it has."""

    status = 409
    code = "TS-S-031"
    remedy = "Send what this device still keeps of its last session, then open the session again."
    zh = "上一次学习的记录尚未对齐。请先上传本机保存的记录，再重新打开学习。"


class OtherSessionOpenError(ServerError):
    """This learner studies on another device at the moment; `open` is that session."""

    status = 409
    code = "TS-S-032"
    remedy = "End it there, or go on here: the other device pauses, what was earned there stays."
    zh = "您的账号正在另一台设备上学习。可在那里结束，或在此继续：另一台会暂停，已获学时保留。"


class CertificateRefusedError(ServerError):
    """A session certificate is not signed by a registered device of this learner, or names another class."""

    status = 403
    code = "TS-S-033"
    remedy = "Register this device again, then open the session again."
    zh = "会话证书未通过校验。请重新登记本设备后再打开学习。"


class UnknownSessionError(ServerError):
    """No session has this identifier."""

    status = 404
    code = "TS-S-034"
    remedy = "Open a session first; what is signed stays on the device."
    zh = "没有找到该学习会话。请重新打开学习；已签名的记录仍在本机。"


class StaleSegmentError(ServerError):
    """A segment does not begin where the last one ended; `size` is where."""

    status = 409
    code = "TS-S-035"
    remedy = "Send the events from the named size on."
    zh = "上传起点与服务器不一致。请从服务器给出的位置继续上传，记录没有丢失。"


class ForkError(ServerError):
    """A checkpoint contradicts the entries: both are kept as evidence."""

    status = 422
    code = "TS-S-036"
    remedy = "Nothing more can be added to this session; open a new one. What was receipted stays."
    zh = "记录与签名的存证点不一致，本次会话无法继续上传。请重新打开学习；已存证的部分保留。"


class SegmentSignatureError(ServerError):
    """A checkpoint is not signed by the session's key."""

    status = 403
    code = "TS-S-037"
    remedy = "Send the segment from the device that opened the session."
    zh = "存证点的签名不属于本次会话。请在打开该会话的设备上上传。"


class SessionOverError(ServerError):
    """The seed of the session is revealed: nothing can be added to it any more."""

    status = 410
    code = "TS-S-038"
    remedy = "Open a new session; what was receipted stays."
    zh = "本次学习会话已结束，不能再追加记录。请重新打开学习；已存证的部分保留。"


class NotThereError(ServerError):
    """What is asked for does not exist, or not for this account."""

    status = 404
    code = "TS-S-040"
    remedy = "Check the address or the digest; ask the operator whether it was published."
    zh = "没有找到所请求的内容。请核对后重试，或联系运营方。"


class NotYetError(ServerError):
    """A receipt or a reveal does not exist yet."""

    status = 404
    code = "TS-S-041"
    remedy = "Ask again later: receipts come within 10 minutes, the seed when the session has ended."
    zh = "尚未生成，请稍后再取：存证回执约需 10 分钟，核验种子在会话结束后公布。"


class BeingOpenedError(ServerError):
    """No archive can be cut at this moment: a session is granted and its first event is not here yet."""

    status = 409
    code = "TS-S-042"
    remedy = "Ask for the archive again in a minute."
    zh = "有学员正在打开学习会话，请一分钟后再导出班级档案。"


class ExportError(ServerError):
    """The archive could not be written, or did not verify and is not given away."""

    status = 500
    code = "TS-S-043"
    remedy = "Check the place to write to; if the archive does not verify, keep the data directory and report it."
    zh = "班级档案未能导出。请检查保存位置；如提示验签未通过，请保留数据目录并上报。"


class DecisionError(ServerError):
    """A note of the staff was not taken: signed by too few or by others, of another class, or against what stands."""

    status = 409
    code = "TS-S-044"
    remedy = "Have the right people sign it again for this class; nothing was appended."
    zh = "该决定未被登记：签署人不符合要求，或与已有记录矛盾。请由有权人员重新签署；未追加任何内容。"


class NotOrderedError(ServerError):
    """A learner asked to be identified for a check that was not ordered."""

    status = 409
    code = "TS-S-045"
    remedy = "Nothing is lost: go on, and answer the next check when it comes."
    zh = "当前没有需要核验的环节。学习可以继续，请在下一次核验出现时作答。"


class SheetError(ServerError):
    """A list of people cannot be read at all; rows that can are judged one by one."""

    status = 400
    code = "TS-S-046"
    remedy = "Save the list as .xlsx or as CSV (UTF-8 or GB18030) with a first line that names the columns."
    zh = "名单无法读取。请另存为 .xlsx 或 CSV（UTF-8 或 GB18030），首行为列名。"


class PhotoBagError(ServerError):
    """A .zip of reference photos cannot be taken; files that can are judged one by one."""

    status = 400
    code = "TS-S-048"
    remedy = "Put JPEG or PNG photos named by identity number, account or name into one .zip: up to 1000, 1 MiB each."
    zh = "照片压缩包无法导入。请将以身份证号、账号或姓名命名的 JPEG/PNG 照片放入 .zip：最多 1000 张，每张至多 1 MB。"


class StalePreviewError(ServerError):
    """What a preview showed is not what would happen now: somebody changed the same people meanwhile."""

    status = 409
    code = "TS-S-047"
    remedy = "Look at the preview again, then confirm; nothing was imported."
    zh = "预览之后数据已有变动，请重新预览后再确认；本次未导入任何内容。"


class SetupError(ServerError):
    """The data directory, the course, the policy or another file that `init` and `serve` need cannot be used."""

    status = 500
    code = "TS-S-050"
    remedy = "Correct what the message names and run the command again; nothing was half made."
    zh = "服务器数据目录或所需文件不可用。请按提示修正后重新运行命令。"
