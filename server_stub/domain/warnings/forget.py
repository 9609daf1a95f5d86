"""What becomes of early warnings that name somebody whose data are erased."""

from __future__ import annotations

from dataclasses import replace

from server_stub.domain.shape import to_data
from server_stub.domain.warnings.inspector import WARNING, Warned
from server_stub.domain.work import Bench


def blacken(bench: Bench, learner: str, sids: frozenset[str], held: frozenset[str]) -> int:
    """Take a pseudonym out of every warning; one that names nobody else is erased. How many it was.

    `sids` are the learner's sessions, which go with the pseudonym; `held` are learners of whom nothing is erased: a
    warning that names one of them stays as it is.
    """
    gone, changed = [], 0
    for paper in bench.papers.find(WARNING, limit=100_000):
        warned = paper.read(Warned)
        if not (learner in warned.learners or learner in warned.key) or held & {*warned.learners}:
            continue
        others = tuple(one for one in warned.learners if one != learner)
        if not others:
            gone.append(paper.paper)
            continue
        value = replace(
            warned, learners=others, key=warned.key.replace(learner, "–"),
            refs=tuple(ref for ref in warned.refs if ref.sid not in sids),
        )  # fmt: skip
        bench.papers.put(replace(paper, data=to_data(value)))
        changed += 1
    return changed + bench.papers.drop(gone)
