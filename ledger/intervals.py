"""Disjoint half-open intervals of integers, kept merged and sorted: which ms of a unit are already counted."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator


class Intervals:
    """A set of integers as few intervals [begin, end)."""

    def __init__(self, intervals: Iterable[tuple[int, int]] = ()) -> None:
        self._begins: list[int] = []
        self._ends: list[int] = []
        for begin, end in intervals:
            self.add(begin, end)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._begins, self._ends, strict=True)

    @property
    def total(self) -> int:
        """How many integers it holds."""
        return sum(self._ends) - sum(self._begins)

    def add(self, begin: int, end: int) -> None:
        """Put [begin, end) in; touching neighbours become one. An empty interval changes nothing."""
        if begin >= end:
            return
        low = bisect_left(self._ends, begin)
        high = bisect_right(self._begins, end)
        if low < high:
            begin, end = min(begin, self._begins[low]), max(end, self._ends[high - 1])
        self._begins[low:high] = [begin]
        self._ends[low:high] = [end]

    def without(self, begin: int, end: int) -> list[tuple[int, int]]:
        """The parts of [begin, end) that it does not hold, rising."""
        found: list[tuple[int, int]] = []
        index = bisect_right(self._ends, begin)
        while begin < end and index < len(self._begins) and self._begins[index] < end:
            if begin < self._begins[index]:
                found.append((begin, self._begins[index]))
            begin = self._ends[index]
            index += 1
        if begin < end:
            found.append((begin, end))
        return found
