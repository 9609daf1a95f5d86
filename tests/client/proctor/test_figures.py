"""Error rates: worked by hand on scores small enough to count."""

from __future__ import annotations

import numpy as np
import pytest

from client.proctor import figures

GENUINE = np.array([0.9, 0.8, 0.7, 0.3])
IMPOSTOR = np.array([0.1, 0.2, 0.4, 0.5])


def test_rates_at_a_threshold_come_with_their_counts() -> None:
    """At 0.45 one impostor of four matches and one genuine of four does not."""
    found = figures.rates(GENUINE, IMPOSTOR, 0.45)
    assert (found.fmr, found.impostors, found.fnmr, found.genuine) == (0.25, 4, 0.25, 4)


def test_the_equal_error_rate_is_where_both_are_equal() -> None:
    """One of four on either side."""
    rate, threshold = figures.equal_error(GENUINE, IMPOSTOR)
    assert rate == pytest.approx(0.25)
    assert 0.4 < threshold <= 0.5


def test_accuracy_of_the_best_threshold_is_no_less_than_of_any() -> None:
    """Seven of eight at 0.7."""
    assert figures.best_accuracy(GENUINE, IMPOSTOR) == pytest.approx(7 / 8)
    assert figures.accuracy(GENUINE, IMPOSTOR, 0.45) == pytest.approx(6 / 8)


def test_auc_counts_pairs_and_halves_ties() -> None:
    """Of four pairs, two are right, one is a tie."""
    assert figures.auc(np.array([2.0, 1.0]), np.array([1.0, 1.5])) == pytest.approx((1 + 1 + 0.5 + 0) / 4)


def test_tar_at_a_false_match_rate_uses_a_threshold_that_keeps_it() -> None:
    """No more than one of a hundred impostors passes the threshold that is taken."""
    impostor = np.arange(100) / 100
    assert figures.tar_at(np.array([0.995, 0.98, 0.5]), impostor, 0.01) == pytest.approx(1 / 3)


def test_an_interval_contains_the_share_and_narrows_with_n() -> None:
    """None of none seen is not none at all: 0 of 60 reaches 6 %."""
    low, high = figures.interval(0.0, 60)
    assert low == 0
    assert 0.05 < high < 0.07
    wide, narrow = figures.interval(0.5, 10), figures.interval(0.5, 1000)
    assert wide[0] < narrow[0] < 0.5 < narrow[1] < wide[1]
