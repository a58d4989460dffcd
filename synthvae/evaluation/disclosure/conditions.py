"""Conditions that one row of a table alone meets: on one column, or on several together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synthvae.evaluation.disclosure.rows import Rows
from synthvae.evaluation.sides import Array

KEPT, TRIED = (200, 500), (500, 10_000)  # conditions kept and combinations tried: in large tables, in small ones
READ = 200_000_000  # rows read through that are borne
HEAD = 500  # rows that tell which condition few rows meet
COLUMNS = (2, 10)  # in a combination, at least and at most

Condition = tuple[str, Callable[[Array, float], Array], float]  # column, comparison, value
Predicate = tuple[Condition, ...]
Maker = Callable[[Rows, np.random.Generator], list[Predicate]]


def equal(values: Array, wanted: float) -> Array:
    """Where a value is the wanted one; NaN is null and equals null."""
    return np.isnan(values) if np.isnan(wanted) else values == wanted


def at_least(values: Array, wanted: float) -> Array:
    return np.asarray(values >= wanted)


def at_most(values: Array, wanted: float) -> Array:
    return np.asarray(values <= wanted)


def meeting(rows: Rows, predicate: Predicate) -> Array:
    """Places of the rows that meet all conditions; the rarest one is asked first, so that the rest cost little."""
    (name, holds, wanted), *rest = sorted(predicate, key=lambda condition: _met(rows, condition))
    places = np.flatnonzero(holds(rows.columns[name], wanted))
    for name, holds, wanted in rest:
        places = places[holds(rows.columns[name][places], wanted)]
    return places


def _met(rows: Rows, condition: Condition) -> int:
    """How many of the first rows meet a condition."""
    name, holds, wanted = condition
    return int(np.count_nonzero(holds(rows.columns[name][:HEAD], wanted)))


def _borne(source: Rows, ends: tuple[int, int]) -> int:
    """How many conditions can be tried on so many rows."""
    return min(max(READ // max(len(source), 1), ends[0]), ends[1])


@dataclass(frozen=True)
class Values:
    """Conditions on one column: values that one row alone has, and beyond the smallest and the largest."""

    levels: frozenset[str]

    def __call__(self, source: Rows, rng: np.random.Generator) -> list[Predicate]:
        made = [condition for name in source.columns for condition in self._of(source.columns[name], name, rng)]
        chosen = rng.permutation(len(made))[: _borne(source, KEPT)]
        return [(made[place],) for place in np.sort(chosen)]

    def _of(self, values: Array, name: str, rng: np.random.Generator) -> Iterator[Condition]:
        found, counts = np.unique(values, return_counts=True)  # one NaN for all
        alone = found[counts == 1]
        if len(alone) > KEPT[1]:
            alone = rng.choice(alone, KEPT[1], replace=False)
        yield from ((name, equal, float(value)) for value in alone)
        known = found[~np.isnan(found)] if name not in self.levels else found[:0]
        if len(known) > 1:
            yield (name, at_most, float(known[0]))
            yield (name, at_least, float(known[-1]))


@dataclass(frozen=True)
class Combinations:
    """Conditions on several columns that one row of the source meets alone; a row and columns are drawn for each."""

    levels: frozenset[str]

    def __call__(self, source: Rows, rng: np.random.Generator) -> list[Predicate]:
        if len(source.columns) < COLUMNS[0]:
            return []
        middles = self._middles(source)
        drawn = (self._of(source, place % len(source), middles, rng) for place in range(_borne(source, TRIED)))
        kept: list[Predicate] = []
        for predicate in drawn:
            if len(meeting(source, predicate)) == 1:
                kept.append(predicate)
            if len(kept) == _borne(source, KEPT):
                break
        return kept

    def _middles(self, source: Rows) -> Mapping[str, float]:
        """The median of each column of numbers; NaN where all are null."""
        numbers = {name: values for name, values in source.columns.items() if name not in self.levels}
        known = {name: values[~np.isnan(values)] for name, values in numbers.items()}
        return {name: float(np.median(values)) if len(values) else np.nan for name, values in known.items()}

    def _of(self, source: Rows, place: int, middles: Mapping[str, float], rng: np.random.Generator) -> Predicate:
        names = list(source.columns)
        width = int(rng.integers(COLUMNS[0], min(COLUMNS[1], len(names)) + 1))
        chosen = [names[column] for column in rng.permutation(len(names))[:width]]
        return tuple(condition(source, name, place, middles.get(name)) for name in chosen)


def condition(source: Rows, name: str, place: int, middle: float | None) -> Condition:
    """What a row says in one column: its level, or on which side of the median it is, and how far at least."""
    value = float(source.columns[name][place])
    if middle is None or np.isnan(value):
        return name, equal, value
    return name, (at_least if value > middle else at_most), value


def shuffled(predicates: Sequence[Predicate], rng: np.random.Generator) -> list[Predicate]:
    """As many predicates of the same columns, each condition taken from another predicate on that column."""
    by_column: dict[str, list[Condition]] = {}
    for predicate in predicates:
        for part in predicate:
            by_column.setdefault(part[0], []).append(part)

    def drawn(part: Condition) -> Condition:
        others = by_column[part[0]]
        return others[int(rng.integers(len(others)))]

    return [tuple(drawn(part) for part in predicate) for predicate in predicates]
