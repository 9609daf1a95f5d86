"""Refusals about sealed photos (07x)."""

from __future__ import annotations

from server_stub.domain.errors import ServerError


class PhotoErasedError(ServerError):
    """A sealed photo was erased; nothing of it is taken or opened any more."""

    status = 410
    code = "TS-S-070"
    remedy = "Nothing needs to be done; the deletion receipt stands in the class log."
    zh = "该照片已删除，无需处理。删除回执已登记在班级日志中。"


class StalePhotoError(ServerError):
    """A piece of a photo does not begin where the last one ended; `have` is where."""

    status = 409
    code = "TS-S-071"
    remedy = "Send the photo from the named byte on."
    zh = "照片上传起点与服务器不一致。请从服务器给出的位置继续上传。"


class WrongPhotoError(ServerError):
    """What came is not the photo that the event names; it was thrown away."""

    status = 422
    code = "TS-S-072"
    remedy = "Send the photo from its beginning; if it is refused again, the one on the device is damaged."
    zh = "收到的照片与记录不符，已丢弃。请从头重新上传；如仍被拒绝，说明本机保存的照片已损坏。"


class NotAgreedError(ServerError):
    """A reference photo is not opened for anybody before its learner agreed."""

    status = 409
    code = "TS-S-091"
    remedy = "Ask the learner to agree on their own device first; until then identify them by their identity card."
    zh = "该学员尚未同意使用照片，照片保持加密。请先由学员本人在其设备上同意；在此之前请以身份证核对。"


class NoReviewerError(ServerError):
    """Nobody is appointed to whom a class's reference photos could be sealed; nothing was kept."""

    status = 409
    code = "TS-S-095"
    remedy = "Have an authority appoint a reviewer of this class first (`key add evidence`), then import again."
    zh = "本班尚未指定复核人员，照片无法加密，未保存任何内容。请先由主管部门指定本班复核人员密钥，再导入。"
