"""Types of the host table's columns, and columns of values that many hosts share."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

Rows = slice | NDArray[np.intp]
"""Some rows of the table: ``ALL``, a slice of one row, or row numbers."""
ALL = slice(None)

Test = Callable[[Rows], Mask]
"""Tells for each of these rows whether it passes."""

V = TypeVar("V", bound=Hashable)


class Shared(Generic[V]):
    """A column of values of which few are different: each row holds the number of its value."""

    def __init__(self) -> None:
        self.values: list[V] = []
        self.numbers: NDArray[np.int32] = np.zeros(0, np.int32)
        self._number_of: dict[V, int] = {}

    def number(self, value: V) -> int:
        """Return the number of a value, a new one when it was never seen."""
        found = self._number_of.get(value)
        if found is None:
            found = self._number_of[value] = len(self.values)
            self.values.append(value)
        return found

    def fill(self, values: Iterable[V], count: int) -> None:
        """Forget everything and hold these."""
        self.values, self._number_of = [], {}
        self.numbers = np.fromiter((self.number(v) for v in values), np.int32, count)

    def at(self, row: int) -> V:
        return self.values[int(self.numbers[row])]

    def test(self, passes: Callable[[V], bool]) -> Test:
        """Judge every different value once; rows look theirs up."""
        lookup = np.fromiter((passes(v) for v in self.values), np.bool_, len(self.values))
        numbers = self.numbers
        return lambda rows: lookup[numbers[rows]]

    def spread(self, number_of: Callable[[V], float]) -> Callable[[Rows], Floats]:
        """Compute a number once for every different value; rows look theirs up."""
        lookup = np.fromiter((number_of(v) for v in self.values), np.float64, len(self.values))
        numbers = self.numbers
        return lambda rows: lookup[numbers[rows]]
