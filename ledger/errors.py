"""Every refusal of the ledger, with a stable code and the sentence that helps the person who reads it.

Numbers: 00x–01x bytes · 02x tree · 03x keys and notes · 04x events · 05x class log, tiles, proofs, trust, segments ·
06x archive and verifier · 07x policy, schedule, credit.
"""

from __future__ import annotations

from typing import ClassVar


class LedgerError(Exception):
    """The ledger refused something; the subclass says what."""

    code: ClassVar[str] = "TS-L-000"
    remedy: ClassVar[str] = "Keep the file as it is and report it."
    zh: ClassVar[str] = "存证数据未能通过校验。请保留原文件并联系管理员。"
    index: int | None = None  # the entry or event that is meant, where one is


class FormatError(LedgerError):
    """Bytes from outside are not of the form that the format asks for."""

    code = "TS-L-001"
    remedy = "Ask the sender for the file again; do not edit it by hand."
    zh = "数据格式不符合规定。请向对方重新获取原文件，不要手工修改。"


class CanonicalError(FormatError):
    """A JSON line is not in the one canonical form (restricted RFC 8785)."""

    code = "TS-L-010"
    remedy = "Send the line exactly as it was written; every re-encoding changes its hash."
    zh = "记录不是规范的 JSON 格式。请发送原始字节，不要重新编码。"


class ProofError(LedgerError):
    """An inclusion proof does not lead to the root."""

    code = "TS-L-020"
    remedy = "Ask the log for a new proof; if it fails again, keep both and report them."
    zh = "存在性证明不成立。请重新获取证明；若仍不成立，请保留两份并上报。"


class InconsistentLogError(LedgerError):
    """Two checkpoints of one log contradict each other: the later is not a continuation of the earlier."""

    code = "TS-L-021"
    remedy = "Keep both checkpoints: together they prove that the log was changed."
    zh = "两个存证点相互矛盾，说明日志被改动过。请保留两个存证点作为证据。"


class RootMismatchError(LedgerError):
    """The entries do not hash to the root that was signed."""

    code = "TS-L-022"
    remedy = "The records were changed after they were signed; get the original archive."
    zh = "记录与签名的根哈希不一致，签名后被改动过。请获取原始档案。"


class KeyFormatError(FormatError):
    """A verifier key or a private key is malformed or of an unknown type."""

    code = "TS-L-030"
    remedy = "Copy the key line again, whole and without line breaks."
    zh = "密钥格式不正确。请重新完整复制密钥行。"


class NoteFormatError(FormatError):
    """A signed note is malformed."""

    code = "TS-L-031"
    remedy = "Get the note again byte for byte; editors and mail programs change line ends."
    zh = "签名文本格式不正确。请按原始字节重新获取。"


class SignatureError(LedgerError):
    """A signature by a known key does not verify."""

    code = "TS-L-032"
    remedy = "Somebody changed the text or signed with another key; get the original from its signer."
    zh = "签名验证未通过，文本可能被改动。请向签署方获取原件。"


class UnknownSignerError(LedgerError):
    """A note lacks the signature that is required, or carries one that nobody vouched for."""

    code = "TS-L-033"
    remedy = "Check that the key list names the signer; ask the class's operator for the right one."
    zh = "缺少必需的签名，或签名者未被认可。请核对密钥清单。"


class CheckpointFormatError(NoteFormatError):
    """A checkpoint's three lines are malformed."""

    code = "TS-L-034"
    zh = "存证点格式不正确。请按原始字节重新获取。"


class CertificateError(NoteFormatError):
    """A session certificate is not exactly its six lines."""

    code = "TS-L-035"
    zh = "会话证书格式不正确。请重新打开学习会话。"


class GrantError(NoteFormatError):
    """A grant is not of its form: a field is missing, unknown or of the wrong kind."""

    code = "TS-L-036"
    remedy = "Update the client and the server to the same version, then open the session again."
    zh = "学习许可格式不正确。请将客户端与服务器更新到同一版本后重新打开。"


class BodyError(NoteFormatError):
    """A `trueseat/<kind>/v1` note is not of its form."""

    code = "TS-L-037"
    zh = "签名文件内容格式不正确。请向签署人重新获取。"


class EventError(FormatError):
    """The bytes are no event of the closed vocabulary, or not where they stand."""

    code = "TS-L-040"
    remedy = "Keep the log as it is; nothing is credited from this event on. Update the client if it is the older one."
    zh = "记录中有无法识别的内容，从该处起暂不计入学时。请更新客户端后重试。"


class LeafError(FormatError):
    """An entry of the class log is not of the closed table."""

    code = "TS-L-050"
    remedy = "Report the entry's index to the operator; the log itself must not be edited."
    zh = "班级日志中有不合规定的条目。请将条目序号报告给运营方。"


class TileError(FormatError):
    """A tile or entry bundle is malformed, missing or too many."""

    code = "TS-L-051"
    remedy = "Get the archive again; a tile file is missing, cut or added."
    zh = "日志分片文件缺失、不完整或多余。请重新获取档案。"


class ReceiptError(FormatError):
    """A receipt (C2SP tlog-proof) is malformed or does not prove what it should."""

    code = "TS-L-052"
    remedy = "Ask the server for the receipt again."
    zh = "存证回执不成立。请向服务器重新获取回执。"


class TrustError(FormatError):
    """A trust file (C2SP tlog-policy) is malformed or names no usable log."""

    code = "TS-L-053"
    remedy = "Get the trust file from somebody you trust, not from the archive's sender."
    zh = "信任文件不可用。请从可信的渠道获取，不要使用档案自带的文件。"


class QuorumError(LedgerError):
    """A checkpoint lacks the cosignatures that the trust file asks for."""

    code = "TS-L-054"
    remedy = "Ask the operator for a checkpoint that the witnesses have cosigned."
    zh = "存证点缺少足够的见证方签名。请向运营方索取已见证的存证点。"


class SubmissionError(FormatError):
    """A request to a witness (add-checkpoint) is not of the published form."""

    code = "TS-L-056"
    remedy = "Send the old size, the proof and the checkpoint as C2SP tlog-witness states them."
    zh = "提交给见证方的请求格式不符合规定。请按 C2SP tlog-witness 的格式发送。"


class SegmentError(FormatError):
    """The body of an upload (a segment) is malformed."""

    code = "TS-L-055"
    remedy = "Nothing is lost: the client sends the segment again."
    zh = "上传的数据段格式不正确。记录没有丢失，客户端会重新发送。"


class ArchiveError(LedgerError):
    """An archive cannot be read at all: it is absent, no archive, or unreadable."""

    code = "TS-L-060"
    remedy = "Check the path, and that the archive was copied whole."
    zh = "无法读取班级档案。请检查路径，并确认档案已完整复制。"


class ZipFormError(ArchiveError):
    """A .zip archive uses something that the strict form forbids."""

    code = "TS-L-061"
    remedy = "Use the .zip as it was exported; do not pack it again with another program."
    zh = "压缩档案的形式不符合规定。请使用导出的原始压缩包，不要重新打包。"


class MissingFileError(ArchiveError):
    """An archive lacks a file that its records name."""

    code = "TS-L-062"
    remedy = "Get the archive again; if the file is still missing, its keeper left it out."
    zh = "档案缺少应有的文件。请重新获取；若仍缺少，请联系档案保管方。"


class StrayFileError(ArchiveError):
    """An archive holds a file that nothing in it names."""

    code = "TS-L-063"
    remedy = "Get the archive again from its keeper; something was added to this copy."
    zh = "档案中有多余的文件。请向保管方重新获取原始档案。"


class VerifyError(LedgerError):
    """A step of the verification was refused; the message names the session and the index."""

    code = "TS-L-064"
    remedy = "Do not credit this archive; keep it and ask its keeper for the original."
    zh = "档案验签未通过。请勿据此认定学时，保留档案并向保管方索取原件。"


class PolicyError(FormatError):
    """A programme policy is malformed or contradicts itself."""

    code = "TS-L-070"
    remedy = "Correct the policy file; `python -m server_stub` names the line when it loads it."
    zh = "培训项目规则有误。请修改规则文件后重新加载。"


class ScheduleError(LedgerError):
    """A seed or an order does not follow the published formula."""

    code = "TS-L-071"
    remedy = "The operator must explain; credit is computed from the orders in the log."
    zh = "随机核验的时刻与公布的算法不符。请运营方说明。"


class CreditError(LedgerError):
    """Credited time cannot be computed from what was given."""

    code = "TS-L-072"
    remedy = "Give all sessions of the registration and the course and policy that their grants name."
    zh = "无法计算有效学习时长。请提供该学员的全部会话及对应的课程与规则。"
