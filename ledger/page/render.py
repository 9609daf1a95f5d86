"""The page: the verdict in one line, what it rests on, the learners, then every step of the verification."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources

from ledger import fingerprint
from ledger.errors import LedgerError
from ledger.findings import Finding, Status, Step
from ledger.page.markup import Html, join, row, table, tag
from ledger.page.people import learners
from ledger.page.tongue import Tongue, load
from ledger.report import Report

_SHOWN = 12  # findings of one kind in one step; the rest are counted
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # whatever slipped in could neither run nor fetch


def page(report: Report, lang: str, note: str = "") -> bytes:
    """The report of one archive, in `lang` (zh or en), `note` above it; the same report gives the same bytes."""
    tongue = load(lang)
    said = tag("p", tag("strong", note)) if note else None
    return _document(tongue, tag("h1", tongue.say("page.title")), said, *_archive(report, tongue))


def document(lang: str, *body: Html) -> bytes:
    """A page of this look with other words: what the launcher says when there is nothing to verify yet."""
    return _document(load(lang), *body, made=False)


def shelf(reports: Mapping[str, Report | LedgerError], across: list[Finding], lang: str) -> bytes:
    """Several archives: one table of all, then each by its name. An error stands for one that cannot be read."""
    tongue = load(lang)
    head = (
        tongue.say("page.archive"), tongue.say("shelf.verdict"), tongue.say("shelf.learners"),
        tongue.say("learners.sessions"), tongue.say("learners.credited"),
    )  # fmt: skip
    lines = [_shelf_line(name, report, tongue) for name, report in reports.items()]
    found = [tag("p", _says(finding, tongue)) for finding in across]
    each: list[Html] = []
    for name, report in reports.items():
        each.append(tag("h1", name))
        each += [_unreadable(report, tongue)] if isinstance(report, LedgerError) else _archive(report, tongue)
    title = tongue.say("page.shelf", count=len(reports))
    return _document(tongue, tag("h1", title), table(head, *lines), *found, *each)


def _document(tongue: Tongue, *body: Html | None, made: bool = True) -> bytes:
    style = (resources.files("ledger") / "page" / "page.css").read_text("utf-8")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", tongue.say("page.title")),
        Html(f"<style>\n{style}</style>"),
    )
    foot = tag("p", tongue.say("page.made"), " ", tongue.say("page.print"), class_="note") if made else None
    lang = "zh-CN" if tongue.lang == "zh" else "en"
    return ("<!doctype html>\n" + tag("html", head, tag("body", *body, foot), lang=lang) + "\n").encode()


def _archive(report: Report, tongue: Tongue) -> list[Html]:
    return [_verdict(report, tongue), _head(report, tongue), learners(report, tongue), _steps(report, tongue)]


def _verdict(report: Report, tongue: Tongue) -> Html:
    worst = next((f for f in report.findings.all() if f.status is Status.REFUSED), None)
    if worst is not None:
        said = tongue.say("verdict.first", message=_says(worst, tongue))
        todo = tongue.say("verdict.todo", remedy=tongue.remedy(worst.code))
        lines = (tag("p", said), tag("p", todo))
        return tag("div", tag("strong", tongue.say("verdict.refused")), *lines, class_="verdict refused")
    unknown = any(session.credited_ms is None for session in report.sessions)
    kind = "open" if report.checkpoint is None else "partial" if unknown else "ok"
    partly = sum(step.status is Status.NOT_CHECKABLE for step in report.findings.steps.values())
    return tag(
        "div",
        tag("strong", tongue.say(f"verdict.{kind}")),
        tag("p", tongue.say("verdict.credited", length=tongue.length(report.credited_ms))),
        tag("p", tongue.say("verdict.partly", count=partly), class_="soft") if partly else None,
        class_=f"verdict {kind}",
    )


def _unreadable(error: LedgerError, tongue: Tongue) -> Html:
    said = tag("strong", tongue.say("verdict.unreadable", why=tongue.said(error)))
    return tag("div", said, tag("p", tongue.remedy(error.code)), class_="verdict refused")


def _head(report: Report, tongue: Tongue) -> Html:
    if report.checkpoint is None:
        return Html()
    pairs: list[tuple[str, object]] = [
        (tongue.say("head.class"), tag("code", report.checkpoint.origin)),
        (tongue.say("head.entries"), report.checkpoint.size),
        (tongue.say("head.root"), tag("code", report.checkpoint.root.hex())),
    ]
    witness = tongue.say("head.witness")
    pairs += [(witness, f"{name} · {tongue.moment(at)}") for name, at in sorted(report.witnesses.items())]
    for stamp in report.timestamps:
        said = tongue.say("head.stamped", size=stamp.size, authority=stamp.authority, at=tongue.moment(stamp.time))
        pairs.append((tongue.say("head.stamp"), said))
    if report.quorum == "none":
        pairs.append((witness, tongue.say("head.none")))
    facts = tag("dl", *(join(tag("dt", name), tag("dd", value)) for name, value in pairs))
    keys = []
    for name, groups in report.fingerprints.items():
        lines = (join(half, tag("br")) for half in fingerprint.halves(groups))
        keys.append(row(tongue.say("head.trust") if name == "trust file" else name, tag("code", *lines)))
    if not keys:
        return facts
    compare = tag("p", tongue.say("head.compare"), class_="note")
    return join(facts, tag("h2", tongue.say("head.keys")), compare, tag("table", tag("tbody", *keys)))


def _steps(report: Report, tongue: Tongue) -> Html:
    head = tuple(tongue.say(f"steps.{name}") for name in ("step", "result", "count", "says"))
    lines = [_step(step, tongue) for step in report.findings.steps.values()]
    return join(tag("h2", tongue.say("steps.title")), table(head, *lines))


def _step(step: Step, tongue: Tongue) -> Html:
    shown: list[Html] = []
    for status in Status:
        found = [finding for finding in step.findings if finding.status is status]
        shown += [tag("p", _says(finding, tongue), title=finding.sid) for finding in found[:_SHOWN]]
        if len(found) > _SHOWN:
            shown.append(tag("p", tongue.say("steps.more", count=len(found) - _SHOWN), class_="soft"))
    for code in sorted({finding.code for finding in step.findings if finding.code}):
        shown.append(tag("p", tongue.say("verdict.todo", remedy=tongue.remedy(code)), class_="soft"))
    name = step.number.partition(" ")[0] + " " + tongue.name("step", step.number)
    return row(name, _status(step.status, tongue), step.checked or "–", join(*shown))


def _status(status: Status, tongue: Tongue) -> Html:
    return tag("span", tongue.name("status", status), class_=f"status {status}")


def _says(finding: Finding, tongue: Tongue) -> str:
    """The finding's own words, after where it is."""
    where = ""
    if finding.sid and finding.sid not in finding.message:
        where = tongue.say("steps.place", sid=finding.sid)
        if finding.index is not None:
            where += ("，" if tongue.lang == "zh" else ", ") + tongue.say("steps.event", index=finding.index)
    code = f" [{finding.code}]" if finding.code else ""
    colon = ("：" if tongue.lang == "zh" else ": ") if where else ""
    return where + colon + tongue.said(finding.message) + code


def _shelf_line(name: str, report: Report | LedgerError, tongue: Tongue) -> Html:
    if isinstance(report, LedgerError):
        refused = _status(Status.REFUSED, tongue)
        return row(name, join(refused, " ", tongue.say("verdict.unreadable", why=tongue.said(report))), "–", "–", "–")
    unknown = report.checkpoint is None or any(session.credited_ms is None for session in report.sessions)
    status = Status.REFUSED if report.refused else Status.NOT_CHECKABLE if unknown else Status.OK
    people = len({session.learner for session in report.sessions})
    return row(name, _status(status, tongue), people, len(report.sessions), tongue.length(report.credited_ms))
