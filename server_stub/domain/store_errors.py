"""Refusals because of the disk or the database: nothing is lost, the device keeps what it signed and sends it again."""

from __future__ import annotations

from server_stub.domain.errors import ServerError


class StoreGoneError(ServerError):
    """The database does not answer, or cannot take this now."""

    status = 503
    code = "TS-S-052"
    remedy = "Wait: what was signed stays on the device and is sent again. Operator: see whether the database runs."
    zh = "服务器数据库暂时不可用。本机已签名的记录不会丢失，稍后自动重新发送；运营方请检查数据库是否运行。"

    def __init__(self, message: str) -> None:
        super().__init__(message, {"retry_after": 5})


class StoreFullError(ServerError):
    """The disk under the database, or its quota, is full."""

    status = 507
    code = "TS-S-053"
    remedy = "Wait: what was signed stays on the device and is sent again. Operator: make room on the server's disk."
    zh = "服务器存储空间已满。本机已签名的记录不会丢失，稍后自动重新发送；运营方请清理服务器磁盘。"

    def __init__(self, message: str) -> None:
        super().__init__(message, {"retry_after": 60})
