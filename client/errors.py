"""What can go wrong at the learner's side, each with a code, a remedy and a sentence for the screen.

Numbers: 00x the server and what it says · 01x this device: its settings, disk, keys · 02x records and signatures ·
03x opening a session.
"""

from __future__ import annotations

from typing import ClassVar, Final

from ledger.program import typed


class ClientError(Exception):
    """Base of every refusal of the client. `remedy` and `zh` are what the learner reads; nothing signed is lost."""

    code: ClassVar[str] = "TS-C-000"
    remedy: ClassVar[str] = "Try again; your records are kept on this device."
    zh: ClassVar[str] = "请重试。您的学习记录已保存在本机。"


class NetworkError(ClientError):
    """The supervision server did not answer."""

    code = "TS-C-001"
    remedy = "Check the network. You can go on studying; records are sent when it is back."
    zh = "暂时无法连接服务器。请检查网络；您可以继续学习，网络恢复后会自动上传记录。"
    event = "fault network"


class ServerRefusedError(ClientError):
    """The server answered with an error of its own; `server_code` is its code."""

    code = "TS-C-002"
    remedy = "Read the sentence of the server; nothing on this device was lost."
    zh = "服务器未接受本次请求，请按提示操作；本机记录未丢失。"

    def __init__(
        self, status: int, server_code: str, message: str, *, remedy: str = "", zh: str = "", extra: object = None
    ) -> None:
        super().__init__(f"{status} {server_code}: {message}")
        self.status = status
        self.server_code = server_code
        self.server_remedy = remedy  # the server's own sentences, for the screen
        self.server_zh = zh
        self.extra = extra if isinstance(extra, dict) else {}


class BadAnswerError(ClientError):
    """The server's answer is not of the published form, or its bytes are not those that their hash names."""

    code = "TS-C-003"
    remedy = "Try again; if it stays, a proxy may be changing the traffic: tell the school's network administrator."
    zh = "服务器的回复内容不正确。请重试；如一直如此，可能有网络代理改动了内容，请联系学校网络管理员。"


class SignedOutError(ClientError):
    """The token has ended."""

    code = "TS-C-004"
    remedy = "Sign in again; your records stay on this device and are sent meanwhile."
    zh = "登录已过期，请重新登录。学习记录仍保存在本机，并会继续上传。"

    def __init__(self, message: str, remedy: str = "", zh: str = "") -> None:
        """`remedy`, `zh`: the server's sentences, where it asks for a fresh sign-in and not the token has ended."""
        super().__init__(message)
        self.server_remedy, self.server_zh = remedy, zh


class OtherServerError(ClientError):
    """The server that answers is not the one that the settings name."""

    code = "TS-C-005"
    remedy = "Tell the administrator: address and name of the server in this client's settings belong to two servers."
    zh = "当前服务器与设置中的名称不符，请联系管理员检查客户端设置。"


class ConfigError(ClientError):
    """A setting of this client is missing, unknown or of the wrong kind; `setting` is its name, where it has one."""

    code = "TS-C-010"
    remedy = f"Correct the named line; `{typed('client')} config show --sources` prints what is in force, and why."
    zh = f"客户端设置有误。请修改所指出的一行；可用 {typed('client')} config show --sources 查看当前设置及其来源。"

    def __init__(self, message: str, setting: str = "") -> None:
        super().__init__(message)
        self.setting = setting


class DiskError(ClientError):
    """This device cannot keep the records: the disk is full, read-only or failing."""

    code = "TS-C-011"
    remedy = "Free some space, then start again: what was signed so far is safe and is sent then."
    zh = "本机无法保存记录。请清理磁盘空间后重新启动；已签名的记录不会丢失，届时会自动上传。"
    event = "fault disk"


class SealError(ClientError):
    """A key of this device is missing or unreadable."""

    code = "TS-C-012"
    remedy = "Register this device again; what the server has receipted stays yours."
    zh = "本机密钥缺失或无法读取。请重新登记本设备；服务器已存证的记录仍然有效。"


class AlreadyRunningError(ClientError):
    """The client is open already with this learner's records."""

    code = "TS-C-013"
    remedy = "Go on in the window that is open, or close it first."
    zh = "本机已打开该学员的学习窗口。请在已打开的窗口中继续，或先将其关闭。"


class LocalRecordsError(ClientError):
    """Records on this device are not what was signed: somebody or something changed the file."""

    code = "TS-C-020"
    remedy = "Keep the file and tell the school. What was receipted stays valid; the changed session is not sent."
    zh = "本机的学习记录与签名不符，文件可能被改动。请保留文件并联系学校；服务器已存证的部分仍然有效。"


class ForgedAnswerError(ClientError):
    """A grant, cosignature, command or receipt is not signed by whom it should be."""

    code = "TS-C-021"
    remedy = "Use another network; the records are kept and sent again. If it stays, tell the school."
    zh = "服务器回复的签名不正确。请更换网络；记录已保存并会重新发送。如一直如此，请联系学校。"


class UnknownLogKeyError(ForgedAnswerError):
    """The class log is signed under its own name by a key that this client's trust file does not have."""

    code = "TS-C-025"
    remedy = "Ask the school whether the class log's key was changed, and for the new trust file; compare its groups."
    zh = "班级日志使用了本机信任文件中没有的密钥。请向学校确认密钥是否已更换，取得新的信任文件并核对分组；记录已保存。"


class StaleAnswerError(ClientError):
    """A cosignature or checkpoint is older than one that this device has already seen."""

    code = "TS-C-022"
    remedy = "The records are kept and sent again. If it stays, tell the school: the server went back in time."
    zh = "服务器返回了过时的存证。记录已保存并会重新发送；如一直如此，请联系学校。"


class ForkedLogError(ClientError):
    """The server has other records of this session than this device: a copy of the device, or of its disk, was used."""

    code = "TS-C-023"
    remedy = (
        "Press the button: after you sign in again this device is registered anew and you go on in a new session. "
        "What was receipted stays. Study on one device at a time, and do not restore its data from a copy."
    )
    zh = (
        "服务器上的学习记录与本机不一致，可能是还原了备份或使用了设备的副本。请点击按钮：重新登录后本机将重新登记，"
        "并在新的会话中继续学习；已存证的部分保留。请勿还原旧数据，也不要同时使用副本。"
    )


class SessionOverError(ClientError):
    """The server takes no more records of this session: it was closed, taken over or is too late."""

    code = "TS-C-024"
    remedy = "Open a new session to go on; what was receipted before stays."
    zh = "服务器已结束本次学习，不再接收记录。请重新开始学习；此前已存证的部分有效。"


class GrantRefusedError(ClientError):
    """The grant does not fit what this device asked for, or names older rules than it has seen."""

    code = "TS-C-030"
    remedy = "Try again; if it stays, update the client and tell the school."
    zh = "学习许可与请求不符。请重试；如一直如此，请更新客户端并联系学校。"


class UnvouchedKeyError(GrantRefusedError):
    """The grant relies on a reviewer's or supervisor's key for which no authority of the client's settings vouches."""

    code = "TS-C-033"
    remedy = (
        "No photo was taken, and what you earned stays. Tell the school: it compares the authority in this client's "
        "settings with the one that vouched for its reviewers. Then open the lesson again."
    )
    zh = (
        "有一把接收照片的密钥未经本机设置中的主管部门确认，因此没有拍摄照片，也没有开始学习；已获学时保留。"
        "请联系学校核对主管部门的密钥，然后重新打开课程。"
    )


class OtherSessionOpenError(ClientError):
    """This learner studies on another device; `open` is the session there."""

    code = "TS-C-031"
    remedy = "Go on here: the other device pauses, and what was earned there stays."
    zh = "您正在另一台设备上学习。可选择在本机继续：另一台设备会暂停，已获学时保留。"

    def __init__(self, open_sid: str) -> None:
        super().__init__(f"session {open_sid} is open on another device")
        self.open = open_sid


class UnsentRecordsError(ClientError):
    """Records of an earlier session must reach the server before a new one can open, and it does not answer."""

    code = "TS-C-032"
    remedy = "Connect to the network and wait a moment: your earlier records are sent first."
    zh = "之前的学习记录尚未上传。请连接网络稍候，上传完成后即可开始新的学习。"


FINAL: Final = (ForkedLogError.code, SessionOverError.code, LocalRecordsError.code, ServerRefusedError.code)
"""After these a session's records go no further: what was receipted stays, a new session may open."""
