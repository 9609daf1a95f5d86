"""What the agent refuses, each with a stable code and the sentence that helps.

Numbers: 01x rules · 02x samples · 03x pipe · 04x collectors.
"""

from __future__ import annotations

from typing import ClassVar

from ledger.program import typed


class AgentError(Exception):
    """The agent refused something; the subclass says what."""

    code: ClassVar[str] = "TS-A-000"
    remedy: ClassVar[str] = "Restart the client; if it happens again, report the code to your institution."
    zh: ClassVar[str] = "环境检查组件出现问题。请重启客户端；若再次出现，请将编号告知培训机构。"


class RuleError(AgentError):
    """A rule is malformed; the message names the file, the rule and the field."""

    code = "TS-A-010"
    remedy = f"Correct the rule that the message names and run `{typed('agent')} rules test`."
    zh = f"检查规则的格式有误。请按提示修改规则，并运行 {typed('agent')} rules test。"


class PatternError(RuleError):
    """A rule's regular expression is not bounded: some text would keep it busy for too long."""

    code = "TS-A-011"
    remedy = "Replace `*`, `+` and nested repeats by small counts such as `{0,20}`, or use several patterns."
    zh = "规则中的正则表达式没有上限。请改用有限次数的重复，例如 {0,20}。"


class ExampleError(RuleError):
    """A rule contradicts one of its own examples."""

    code = "TS-A-012"
    remedy = "Correct the clauses or the example; a rule ships only when all of its examples agree."
    zh = "规则与自带的示例不一致。请修改规则或示例，全部一致后才能发布。"


class PackError(AgentError):
    """A rules pack cannot be used: it is empty, unreadable, or not the one that was asked for."""

    code = "TS-A-013"
    remedy = "Install the client again, or get the rules pack that the class's policy names."
    zh = "检查规则包不可用。请重新安装客户端，或获取班级规定的规则包。"


class ExpiredPackError(PackError):
    """A rules pack is past its last day; the agent keeps to the rules that it has, and the session records it."""

    code = "TS-A-014"
    remedy = "The institution publishes a newer rules pack for the class."
    zh = "班级的检查规则包已过期。请联系培训机构发布新的规则包。"


class SampleError(AgentError):
    """A line of a sample file cannot be read; the other lines are judged all the same."""

    code = "TS-A-020"
    remedy = "Correct the line that the answer names; docs/rules.md describes the format."
    zh = "样本文件中有一行无法读取，其余各行照常判断。请按行号修改。"


class PipeError(AgentError):
    """The pipe between client and agent cannot be trusted any more."""

    code = "TS-A-030"
    remedy = "The client starts the agent again by itself; nothing that was signed is lost."
    zh = "与环境检查组件的连接中断。客户端会自动重新启动它，已签名的记录不会丢失。"


class FrameError(PipeError):
    """A message on the pipe is malformed, too long or of an unknown kind."""

    code = "TS-A-031"
    zh = "环境检查组件发来的消息格式不正确。客户端会自动重新启动它。"


class MacError(PipeError):
    """A message on the pipe was not written by the process that holds the key."""

    code = "TS-A-032"
    zh = "环境检查组件的消息未通过校验。客户端会自动重新启动它。"


class SequenceError(PipeError):
    """A message on the pipe was repeated, left out or reordered."""

    code = "TS-A-033"
    zh = "环境检查组件的消息顺序不正确。客户端会自动重新启动它。"


class PipeClosedError(PipeError):
    """The other end of the pipe is gone."""

    code = "TS-A-034"
    zh = "环境检查组件已退出。客户端会自动重新启动它。"


class AgentStartError(PipeError):
    """The agent's process could not be started."""

    code = "TS-A-035"
    remedy = "Install the client again; a virus scanner may have taken a file away."
    zh = "无法启动环境检查组件。请重新安装客户端，并检查杀毒软件是否隔离了文件。"


class ManifestError(AgentError):
    """The signed list of the installed files is damaged, or signed by nobody that is known."""

    code = "TS-A-041"
    remedy = "Install the client again."
    zh = "安装文件的签名清单无法核对。请重新安装客户端。"


class StoreError(AgentError):
    """A browser's own store is damaged, too large, or of another form; what it holds is unknown."""

    code = "TS-A-042"
    remedy = "Nothing to do: the session records that this source is unknown."
    zh = "浏览器的数据文件无法读取，系统会记为“未知”，无需处理。"


class CollectorError(AgentError):
    """A table cannot be read on this machine; what it would have shown is unknown, never guessed."""

    code = "TS-A-040"
    remedy = "Nothing to do: the session records that this source is unknown."
    zh = "本机无法提供某项环境信息，系统会记为“未知”，无需处理。"
