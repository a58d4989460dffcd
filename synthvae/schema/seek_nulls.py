"""Nulls that another column decides.

The chance that k nulls in n rows fall exactly on the rows that another column marks is 1 / C(n, k); where the mark is a
set chosen among L levels, 2^L sets were there to choose from.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from scipy.special import gammaln

from synthvae.schema.columns import Identifier, Text
from synthvae.schema.constraints import NullWhen, Value
from synthvae.schema.look import Array, Candidate, Look

LEAST = 20  # rows with and without a null: fewer say nothing
MOST_LEVELS = 50
ENOUGH = 50.0  # nats
ATOMS = 3  # of a number, how many of its commonest values may be the mark


def null_rules(look: Look) -> Iterator[Candidate]:
    """For each column with nulls, the best rule that decides them."""
    nulls = {name: mask for name, mask in look.null.items() if LEAST <= mask.sum() <= look.rows - LEAST}
    same: dict[bytes, str] = {}  # the first column with these nulls that no value decides
    for name, mask in nulls.items():
        rules = [found for found in _by_values(look, name, mask) if found.nats >= ENOUGH]
        key = np.packbits(mask).tobytes()
        exact = [found for found in rules if found.sure]
        if exact:
            yield min(exact, key=lambda found: _plainness(look, found))
        elif key in same:
            rule = NullWhen(name, same[key], null=True)
            yield Candidate(rule, _surprise(mask), _surprise(mask) >= ENOUGH)
        else:
            same[key] = name
            yield from rules[:1]


def _plainness(look: Look, found: Candidate) -> tuple[bool, int, int]:
    """Rather a column without nulls, then few values, then the first."""
    rule = found.rule
    assert isinstance(rule, NullWhen)
    return rule.when in look.null, len(rule.values), [c.name for c in look.columns].index(rule.when)


def _by_values(look: Look, name: str, null: Array) -> Iterator[Candidate]:
    for column in look.columns:
        if column.name == name or isinstance(column, Identifier | Text):
            continue
        if column.name in look.levels and len(look.levels[column.name][1]) <= MOST_LEVELS:
            yield from _of_levels(name, column.name, null, *look.levels[column.name])
        elif column.name in look.numbers:
            yield from _of_atoms(look, name, column.name, null)


def _of_levels(name: str, when: str, null: Array, places: Array, levels: pa.Array) -> Iterator[Candidate]:
    known = places >= 0
    rows = np.bincount(places[known], minlength=len(levels))
    nulls = np.bincount(places[known & null], minlength=len(levels))
    pure = (nulls == rows) & (rows > 0)
    if not pure.any() or pure.all():
        return
    values: tuple[Value, ...] = tuple(levels.filter(pa.array(pure)).to_pylist())
    cost = len(levels) * np.log(2)
    if (pure | (nulls == 0)).all():
        unless = pure.sum() * 2 > len(levels) and not (rows == 0).any()
        values = tuple(levels.filter(pa.array(~pure)).to_pylist()) if unless else values
        yield Candidate(NullWhen(name, when, values, unless=bool(unless)), _surprise(null[known]) - cost, True)
    else:
        share = null[known].mean()
        yield Candidate(NullWhen(name, when, values, exactly=False), -rows[pure].sum() * np.log(share) - cost, False)


def _of_atoms(look: Look, name: str, when: str, null: Array) -> Iterator[Candidate]:
    values = look.numbers[when]
    known = ~np.isnan(values)
    found, counts = np.unique(values[known & null], return_counts=True)
    for value in found[np.argsort(-counts, kind="stable")][:ATOMS]:
        if (null[known] == (values[known] == value)).all():
            plain = int(value) if float(value).is_integer() else float(value)
            yield Candidate(NullWhen(name, when, (plain,)), _surprise(null[known]) - np.log(ATOMS), True)


def _surprise(mask: Array) -> float:
    """log C(n, k) of a mask (n,) with k marks."""
    n, k = len(mask), int(mask.sum())
    return float(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))
