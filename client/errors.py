"""What can go wrong at the learner's side, each with a code, a remedy and a sentence for the screen."""

from __future__ import annotations

from typing import ClassVar


class ClientError(Exception):
    """Base of every refusal of the client. `remedy` (en) and `zh` are what the learner reads; nothing is lost."""

    code: ClassVar[str] = "TS-C-000"
    remedy: ClassVar[str] = "Try again; your records are kept on this device."
    zh: ClassVar[str] = "请重试。您的学习记录已保存在本机。"


class NetworkError(ClientError):
    """The supervision server did not answer."""

    code = "TS-C-001"
    remedy = "Check the network. You can go on studying; records are sent when it is back."
    zh = "暂时无法连接服务器。请检查网络；您可以继续学习，网络恢复后会自动上传记录。"


class ServerRefusedError(ClientError):
    """The server answered with an error of its own; `server_code` is its code."""

    code = "TS-C-002"
    remedy = "Read the sentence of the server; nothing on this device was lost."
    zh = "服务器未接受本次请求，请按提示操作；本机记录未丢失。"

    def __init__(self, status: int, server_code: str, message: str) -> None:
        super().__init__(f"{status} {server_code}: {message}")
        self.status = status
        self.server_code = server_code
