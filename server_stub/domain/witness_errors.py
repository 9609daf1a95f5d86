"""What a witness answers when it does not sign, and what the server says when too few witnesses did (06x)."""

from __future__ import annotations

from server_stub.domain.errors import ServerError


class UnknownLogError(ServerError):
    """The witness was never told to watch this log."""

    status = 404
    code = "TS-S-060"
    remedy = "Let the witness's keeper add the log by its verifier key, compared by its fingerprint first."
    zh = "见证方未登记该日志。请由见证方核对指纹后登记该日志的验证密钥。"


class LogSignatureError(ServerError):
    """The checkpoint is not signed by the log's key that the witness knows."""

    status = 403
    code = "TS-S-061"
    remedy = "Sign with the log's own key; if it was ever replaced, the log begins anew under another name."
    zh = "存证点未由该日志的密钥签名。请核对日志密钥。"


class StaleCheckpointError(ServerError):
    """The witness last signed another size than the request starts from; `size` is the one it signed."""

    status = 409
    code = "TS-S-062"
    remedy = "Prove that the log grew from the size that the witness names."
    zh = "见证方已见证的大小与请求不一致。请从见证方给出的大小重新提交证明。"


class InconsistentCheckpointError(ServerError):
    """The checkpoint is not a continuation of what the witness signed: it keeps both as evidence."""

    status = 422
    code = "TS-S-063"
    remedy = "Nothing repairs this: the log shows two histories. Keep both checkpoints and call the supervisor."
    zh = "该存证点与见证方先前见证的历史不一致，双方存证点已留存。请联系监管部门。"


class NotWitnessedError(ServerError):
    """Too few witnesses signed the class log as it stands; nothing that verifiers would accept can be given away."""

    status = 503
    code = "TS-S-064"
    remedy = "Ask the keepers of the named witnesses to start them, then try again; the class itself goes on meanwhile."
    zh = "见证方签名数量不足，暂不能导出。请联系所列见证方恢复服务后重试；学习不受影响。"
