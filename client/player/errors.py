"""What can go wrong with a course, its picture and its sound; each says what the learner does next."""

from __future__ import annotations

from client.errors import ClientError


class CourseError(ClientError):
    """A course package is not what its manifest says, or its manifest is not readable."""

    code = "TS-C-200"
    remedy = "Download the course again; if it fails again, tell the school."
    zh = "课程文件不完整或已损坏。请重新下载课程；若仍无法打开，请联系培训机构。"


class CourseFileError(CourseError):
    """A file of the course is missing, has other bytes than the manifest names, or lies outside the package."""

    code = "TS-C-201"
    remedy = "Download the course again; a file of it is missing or was changed."
    zh = "课程中的文件缺失或内容与清单不符。请重新下载课程。"


class ReviewError(ClientError):
    """What a reviewer gives (review.toml, a spec, a ban list) or what a package holds cannot be read."""

    code = "TS-C-205"
    remedy = "Correct the file that is named, or ask the course's provider for it again."
    zh = "审核所需的文件无法读取。请更正所指出的文件，或向课程提供方重新索取。"


class MediaError(ClientError):
    """The picture or the sound of a lesson cannot be read."""

    code = "TS-C-210"
    remedy = "Press Continue to try again; if it stops at the same place, tell the school."
    zh = "课程视频无法继续播放。请按“继续”重试；若仍停在同一位置，请联系培训机构。"


class MediaSealError(MediaError):
    """A part of an encrypted lesson was changed or is missing; the message names the file and the chunk."""

    code = "TS-C-212"
    remedy = "Download the course again; a part of this lesson's file was changed."
    zh = "课程文件的某一部分已被改动或缺失。请重新下载课程。"


class MediaKeyError(MediaError):
    """The lesson is encrypted, and this session brought no key for it."""

    code = "TS-C-213"
    remedy = "End this session and open the course again while the network is there; nothing is lost."
    zh = "本次学习未取得课程密钥。请在联网时结束并重新打开课程，已有记录不会丢失。"


class CaptionsError(ClientError):
    """A captions file is not WebVTT; the lesson plays without captions."""

    code = "TS-C-211"
    remedy = "The lesson plays without captions; tell the school."
    zh = "字幕文件格式不正确，课程将不显示字幕。请告知培训机构。"


class DisplayError(ClientError):
    """There is no screen, or no OpenGL, to open the window on."""

    code = "TS-C-220"
    remedy = "Start the client in a desktop session with OpenGL 2 or newer."
    zh = "无法打开窗口。请在带图形界面（OpenGL 2 以上）的系统中启动客户端。"


class FontError(ClientError):
    """No font with Chinese characters was found on this computer."""

    code = "TS-C-221"
    remedy = "Install a Chinese font, for example the package fonts-wqy-microhei."
    zh = "未找到中文字体。请安装中文字体，例如 fonts-wqy-microhei。"
