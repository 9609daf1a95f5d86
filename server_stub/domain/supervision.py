"""Everything that supervision does beside the live lesson, wired once: a class's life, cases, inspections, figures,
privacy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from server_stub.domain.application import Applications
from server_stub.domain.cases import Cases, Employers
from server_stub.domain.certificates import Certificates
from server_stub.domain.classlog import ClassLogs
from server_stub.domain.eligibility import Eligibility
from server_stub.domain.erasure import Eraser
from server_stub.domain.figures import Figures
from server_stub.domain.houserules import HouseRules
from server_stub.domain.inspections import Inspections
from server_stub.domain.letters import Mailroom
from server_stub.domain.opening import Opening, Province
from server_stub.domain.portraits import PortraitStore
from server_stub.domain.privacy import Privacy
from server_stub.domain.providers import Providers
from server_stub.domain.retention import Forgetting, Retention
from server_stub.domain.settle import Settler
from server_stub.domain.statistics import Statistics
from server_stub.domain.subsidies import Subsidies
from server_stub.domain.surveys import Surveys
from server_stub.domain.tips import Tips
from server_stub.domain.wordlist import WordList
from server_stub.domain.work import Bench


@dataclass(frozen=True, slots=True)
class Supervision:
    """What the pages of supervision ask."""

    bench: Bench
    settler: Settler
    rules: HouseRules
    figures: Figures
    applications: Applications
    eligibility: Eligibility
    opening: Opening
    certificates: Certificates
    cases: Cases
    employers: Employers
    inspections: Inspections
    tips: Tips
    statistics: Statistics
    retention: Retention
    privacy: Privacy
    mailroom: Mailroom
    subsidies: Subsidies
    surveys: Surveys
    providers: Providers


def wire(
    bench: Bench,
    rules: HouseRules,
    settler: Settler,
    logs: ClassLogs,
    gather: Callable[[str], bool],
    province: Province,
    eraser: Eraser,
    forgetting: Forgetting,
    portraits: PortraitStore,
    words: WordList,
) -> Supervision:
    """All of it on one bench; `gather` asks a class's witnesses now."""
    figures, applications, eligibility = Figures(bench, settler), Applications(bench), Eligibility(bench)
    opening = Opening(bench, applications, eligibility, figures, logs, gather, province)
    certificates = Certificates(bench, applications, eligibility, figures, opening)
    cases, retention = Cases(bench), Retention(bench, rules, logs, eraser, forgetting, portraits)
    surveys = Surveys(bench, figures, words)
    return Supervision(
        bench, settler, rules, figures, applications, eligibility, opening, certificates, cases, Employers(bench),
        Inspections(bench, cases), Tips(bench, words), Statistics(bench, figures, applications, rules),
        retention, Privacy(bench, rules, logs, eraser, forgetting, retention, portraits),
        Mailroom(bench), Subsidies(bench), surveys,
        Providers(bench, rules, surveys, logs),
    )  # fmt: skip
