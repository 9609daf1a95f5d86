"""Refusals about live lessons: not on, or not to be read."""

from __future__ import annotations

from server_stub.domain.errors import ServerError


class NotOnError(ServerError):
    """The live lesson has not begun, is interrupted, or is over."""

    status = 404
    code = "TS-S-093"
    remedy = "Wait: the lesson begins by itself once its picture is there. The teacher may be late."
    zh = "直播尚未开始或暂时中断。画面到达后会自动开始，请稍候。"


class BrokenStreamError(ServerError):
    """The encoder's playlist cannot be read, or its clock is wrong; learners wait meanwhile."""

    status = 503
    code = "TS-S-094"
    remedy = (
        "Look at the encoder: it writes index.m3u8 with the time of each segment "
        "(ffmpeg: -hls_flags program_date_time), and its clock is right."
    )
    zh = "直播流暂不可用。请检查编码器：播放列表 index.m3u8 须含每个分片的时间，且编码器时钟准确。"
