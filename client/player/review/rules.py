"""The reviewer's rules over what was read of a package (R0.1–0.7). Pure: no file, no clock."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from client.player.review.alike import Print, shared
from client.player.review.found import Finding, Spec, error, warning
from client.player.review.probe import Probe
from client.player.review.sheet import ALL, Sheet
from ledger.course import Course, Unit

ENOUGH = ((2, 10), (5, 20))  # class hours → items at least; more hours: 40 (R0.4)
MOST = 40


def complete(course: Course, probes: Mapping[str, Probe], stray: Sequence[str], spec: Spec) -> Iterator[Finding]:
    """R0.1 (and R4.2): lengths are those of the files, captions are there, nothing else lies in the package."""
    for unit in course.units:
        probe = probes.get(unit.id)
        if probe is not None and abs(probe.length_ms - unit.duration_ms) > spec.length_off_ms:
            said, is_ = unit.duration_ms // 1000, probe.length_ms // 1000
            yield error("R0.1", unit.id, f"states {said} s, the file lasts {is_} s",
                        f"标称 {said} 秒，文件实际 {is_} 秒")  # fmt: skip
        if unit.media and not unit.captions:
            yield warning("R0.1", unit.id, "has no captions", "没有字幕")
    if not any(unit.asked for unit in course.units):
        yield warning("R0.1", course.id, "has no question within its lessons", "课中没有互动题")
    for name in stray:
        yield warning("R0.1", name, "lies in the package and is named by nothing", "在课程包中但清单未列出")
    free = 0
    for unit in course.units:
        free += unit.duration_ms if unit.media and free < spec.preview_ms else 0
    if free < spec.preview_ms:
        yield warning("R4.2", course.id, "has less than ten minutes to look at", "可试看部分不足 10 分钟")


def technical(unit: Unit, probe: Probe, spec: Spec) -> Iterator[Finding]:
    """R0.3: picture and sound of one lesson."""
    if probe.video:
        if probe.video not in spec.video_codecs:
            yield error("R0.3", unit.id, f"picture in {probe.video}", f"画面编码 {probe.video} 不在规定之内")
        if probe.height < spec.min_height:
            yield error("R0.3", unit.id, f"picture of {probe.height} lines, below {spec.min_height}",
                        f"画面高 {probe.height} 行，低于 {spec.min_height}")  # fmt: skip
        if 0 < probe.rate_permille < spec.min_rate_permille:
            yield warning("R0.3", unit.id, f"{probe.rate_permille / 1000:g} pictures a second",
                          f"每秒 {probe.rate_permille / 1000:g} 帧")  # fmt: skip
    if not probe.audio:
        yield warning("R0.3", unit.id, "has no sound", "没有声音")
        return
    if probe.audio not in spec.audio_codecs:
        yield error("R0.3", unit.id, f"sound in {probe.audio}", f"声音编码 {probe.audio} 不在规定之内")
    if probe.silent_permille > spec.silent_permille:
        yield warning("R0.3", unit.id, f"{probe.silent_permille // 10} % of it is silent",
                      f"{probe.silent_permille // 10}% 的时间没有声音")  # fmt: skip
    elif probe.loud_db is not None and not spec.quietest_db <= probe.loud_db <= spec.loudest_db:
        allowed = f"{spec.quietest_db} to {spec.loudest_db}"
        yield warning("R0.3", unit.id, f"sound at {probe.loud_db:.0f} dB, outside {allowed}",
                      f"响度 {probe.loud_db:.0f} dB，超出 {spec.quietest_db} 至 {spec.loudest_db}")  # fmt: skip


def adverts(texts: Mapping[str, str], spec: Spec) -> Iterator[Finding]:
    """R0.3: words that look like advertising, place by place; a person decides."""
    for where, text in texts.items():
        low = text.lower()
        found = [word for word in spec.adverts if word.lower() in low]
        if found:
            listed = ", ".join(found[:5])
            yield warning("R0.3", where, f"looks like advertising: {listed}", f"疑似广告内容：{listed}")


def bank(course: Course, sheet: Sheet) -> Iterator[Finding]:
    """R0.4: every item's point is taught, none repeats across types, two types of a fifth each, enough items."""
    taught = {point.id: point.unit for point in sheet.points}
    units = {unit.id for unit in course.units}
    for point in sheet.points:
        if point.unit not in units:
            yield error("R0.4", point.id, f"is taught in {point.unit}, which is no lesson of the course",
                        f"所在课时 {point.unit} 不在本课程中")  # fmt: skip
    kinds: dict[str, set[str]] = {}
    for item in sheet.items:
        if item.point not in taught:
            yield error("R0.4", item.id, f"asks for point {item.point}, which no lesson teaches",
                        f"考点 {item.point} 没有课时讲授")  # fmt: skip
        kinds.setdefault(item.point, set()).add(item.kind)
    for point_id, found in kinds.items():
        if len(found) > 1:
            yield error("R0.4", point_id, f"is asked for in {len(found)} types of questions",
                        f"同一考点出现在 {len(found)} 种题型中")  # fmt: skip
    counts, total = Counter(item.kind for item in sheet.items), len(sheet.items)
    enough = [kind for kind, count in counts.items() if count * 5 >= total]
    if total and len(enough) < 2:
        yield error("R0.4", "bank", "has no two types of questions of a fifth each", "占比达到 20% 的题型不足两种")
    hours = sum(unit.duration_ms for unit in course.units) / (sheet.class_hour_minutes * 60_000)
    least = next((items for most, items in ENOUGH if hours <= most), MOST)
    if total < least:
        yield error("R0.4", "bank", f"{total} items for {hours:.1f} class hours, at least {least}",
                    f"{hours:.1f} 学时只有 {total} 题，至少应有 {least} 题")  # fmt: skip


def rights(course: Course, sheet: Sheet, documents: Mapping[str, str], today: datetime.date) -> Iterator[Finding]:
    """R0.6: a proof for every file, its document there as named, in force, and by whose right."""
    for proof in sheet.rights:
        if documents.get(proof.document) != proof.sha256:
            yield error("R0.6", proof.document, "is missing, or not the document that is named",
                        "缺失，或与所列哈希不符")  # fmt: skip
        if proof.until is not None and proof.until < today:
            yield error("R0.6", proof.document, f"ran out on {proof.until}", f"授权已于 {proof.until} 到期")
        if proof.holder != sheet.provider:
            yield warning("R0.6", proof.document, f"the rights are {proof.holder}'s, not {sheet.provider}'s: look for "
                          "the licence", f"权利人为 {proof.holder}，非 {sheet.provider}：请核对授权书")  # fmt: skip
    named = {name for proof in sheet.rights for name in proof.files}
    for name in course.files():
        if ALL not in named and name not in named:
            yield error("R0.6", name, "has no proof of rights", "没有权利证明")


def within(own: Sequence[Print], spec: Spec) -> Iterator[Finding]:
    """R0.2: lessons of one course that are the same content."""
    for one, other in combinations(own, 2):
        common = shared(one, other)
        if common >= spec.shared_permille:
            yield error("R0.2", f"{one.unit} / {other.unit}", f"{common // 10} % of the shorter stands in both",
                        f"较短的一课有 {common // 10}% 与另一课相同")  # fmt: skip


def across(own: Sequence[Print], others: Sequence[Print], spec: Spec) -> Iterator[Finding]:
    """R0.2 and R0.6: content that another course has, too; by two providers, both are asked for their proof."""
    for one, other, common in _common(own, others, spec):
        theirs = f"{other.course}/{other.unit}"
        yield error("R0.2", one.unit, f"{common // 10} % in common with {theirs}",
                    f"与 {theirs} 有 {common // 10}% 相同")  # fmt: skip
        if one.provider and other.provider and one.provider != other.provider:
            yield error("R0.6", one.unit, f"is claimed by {one.provider} and by {other.provider}",
                        f"{one.provider} 与 {other.provider} 均主张权利")  # fmt: skip


def banned(own: Sequence[Print], ban: Sequence[Print], spec: Spec) -> Iterator[Finding]:
    """R0.7: what was rejected does not come back under another name."""
    for one, other, common in _common(own, ban, spec):
        theirs = f"{other.course}/{other.unit}"
        yield error("R0.7", one.unit, f"{common // 10} % of the rejected {theirs}",
                    f"与已退回的 {theirs} 有 {common // 10}% 相同")  # fmt: skip


def _common(own: Sequence[Print], others: Sequence[Print], spec: Spec) -> Iterator[tuple[Print, Print, int]]:
    for one in own:
        for other in others:
            common = shared(one, other)
            if common >= spec.shared_permille:
                yield one, other, common
