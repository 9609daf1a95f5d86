"""Error rates out of scores: what a threshold lets through, and what it turns away; never a rate without its count."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Rates:
    """At `threshold`: impostors that match (FMR), of how many; genuine that do not (FNMR), of how many."""

    threshold: float
    fmr: float
    impostors: int
    fnmr: float
    genuine: int


def rates(genuine: Scores, impostor: Scores, threshold: float) -> Rates:
    """FMR and FNMR at one threshold."""
    return Rates(
        threshold,
        float((impostor >= threshold).mean()),
        len(impostor),
        float((genuine < threshold).mean()),
        len(genuine),
    )


def equal_error(genuine: Scores, impostor: Scores) -> tuple[float, float]:
    """The rate at which FMR and FNMR are equal (their mean where they cross), and its threshold."""
    every = np.unique(np.concatenate([genuine, impostor]))
    thresholds = every[:: max(1, len(every) // 20_000)]
    fmr = 1 - np.searchsorted(np.sort(impostor), thresholds) / len(impostor)
    fnmr = np.searchsorted(np.sort(genuine), thresholds) / len(genuine)
    at = int(np.argmin(np.abs(fmr - fnmr)))
    return float((fmr[at] + fnmr[at]) / 2), float(thresholds[at])


def tar_at(genuine: Scores, impostor: Scores, fmr: float) -> float:
    """Share of genuine comparisons accepted by the threshold that lets `fmr` of the impostors through."""
    return float((genuine >= np.quantile(impostor, 1 - fmr, method="higher")).mean())


def accuracy(genuine: Scores, impostor: Scores, threshold: float) -> float:
    """Right decisions among all pairs, at one threshold."""
    right = (genuine >= threshold).sum() + (impostor < threshold).sum()
    return float(right / (len(genuine) + len(impostor)))


def best_accuracy(genuine: Scores, impostor: Scores) -> float:
    """The accuracy of the best threshold for exactly these pairs: an upper bound, as LFW's folds are quoted."""
    return max(accuracy(genuine, impostor, float(t)) for t in np.concatenate([genuine, impostor]))


def auc(positive: Scores, negative: Scores) -> float:
    """Probability that a positive scores higher than a negative; ties count half."""
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, "left")
    ties = np.searchsorted(ordered, positive, "right") - below
    return float((below + ties / 2).sum() / (len(positive) * len(negative)))


def curve(genuine: Scores, impostor: Scores, points: int = 60) -> list[tuple[float, float]]:
    """(false matches, false non-matches) over the thresholds, for ROC and DET plots."""
    every = np.unique(np.concatenate([genuine, impostor]))
    if not len(every):
        return []
    thresholds = np.unique(every[np.linspace(0, len(every) - 1, points * 50).astype(int)])
    fmr = 1 - np.searchsorted(np.sort(impostor), thresholds) / max(1, len(impostor))
    fnmr = np.searchsorted(np.sort(genuine), thresholds) / max(1, len(genuine))
    keep = np.unique([int(np.argmin(np.abs(fmr - f))) for f in np.geomspace(1e-5, 1, points)])
    return [(round(float(fmr[i]), 6), round(float(fnmr[i]), 6)) for i in keep]


def interval(share: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share seen in `n` independent trials."""
    z = 1.96
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)
