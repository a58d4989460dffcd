"""Columns of levels that decide one another, one-hot groups, and combinations that never come.

That every level x of a column meets a single level of another, in n_x rows each, has at most the chance of the product
of p^(n_x - 1), p being the share of the other's commonest level. A combination that independent columns would give m
rows in expectation is empty by chance e^-m.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from synthvae.schema.columns import Boolean, Categorical, Column
from synthvae.schema.constraints import FixedCombinations, FunctionalDependency, OneHot
from synthvae.schema.look import Array, Candidate, Look
from synthvae.schema.measure import is_number

ENOUGH, SURE = 60.0, 200.0  # nats
FOLDED = 0.01  # share of rows whose combination is too rare to be kept, at most
LEAST = 20  # rows with another than the commonest level
MOST_COMBINATIONS = 1_000
EMPTY, EXPECTED = 0.5, 25.0  # share of combinations never seen, each expected in so many rows


def dependency_rules(look: Look) -> Iterator[Candidate]:
    """x decides y, for every y that an earlier found x does not decide already."""
    kinds = {column.name: column for column in look.columns}
    places = {name: places for name, (places, _) in look.levels.items()}
    targets = [name for name in places if isinstance(kinds[name], Categorical | Boolean)]
    if len(targets) < 1 or len(places) < 2:
        return
    matrix = np.stack([places[name] for name in targets])
    seen: set[tuple[str, str]] = set()
    # the coarsest decider first: a city rather than a street
    for name in sorted(places, key=lambda each: int(places[each].max())):
        for target in _decided(places[name], matrix, targets):
            if target == name or (target, name) in seen:
                continue
            nats = _nats(places[name], places[target])
            if nats >= ENOUGH:
                seen.add((name, target))
                sure = nats >= SURE and isinstance(kinds[name], Categorical | Boolean) and _kept(look, name, target)
                yield Candidate(FunctionalDependency((name,), (target,)), nats, sure)


def _decided(places: Array, matrix: Array, targets: list[str]) -> list[str]:
    """The targets that have one level wherever ``places`` (n,) has one."""
    known = np.flatnonzero(places >= 0)
    agree = np.ones(len(targets), bool)
    for row, values in enumerate(matrix):
        both = known[values[known] >= 0]
        first = np.zeros(int(places.max(initial=0)) + 1, np.int64)
        first[places[both][::-1]] = values[both][::-1]
        agree[row] = bool((first[places[both]] == values[both]).all()) and len(both) > 0
    return [name for name, good in zip(targets, agree, strict=True) if good]


def _nats(places: Array, target: Array) -> float:
    both = (places >= 0) & (target >= 0)
    counts = np.bincount(target[both])
    if counts.sum() - counts.max() < LEAST:
        return 0.0
    groups = np.bincount(places[both])
    return float(-(groups[groups > 0] - 1).sum() * np.log(counts.max() / counts.sum()))


def _kept(look: Look, name: str, target: str) -> bool:
    """Whether hardly a row is in a combination too rare to be kept, and there are not too many of them."""
    (x, _), (y, levels) = look.levels[name], look.levels[target]
    counts = np.bincount((x + 1) * (len(levels) + 1) + y + 1)
    counts = counts[counts > 0]
    return bool(len(counts) <= MOST_COMBINATIONS and counts[counts < look.min_count].sum() <= FOLDED * counts.sum())


def one_hot_rules(look: Look) -> Iterator[Candidate]:
    """Runs of neighbouring 0/1 columns, three or more, of which each row sets one."""
    binary = [(column.name, values) for column in look.columns if (values := _bits(look, column)) is not None]
    start = 0
    while start < len(binary):
        total, end = np.zeros(look.rows, np.int64), start
        while end < len(binary) and not (total + binary[end][1] > 1).any():
            total += binary[end][1]
            end += 1
        if end - start >= 3 and (total == 1).all():
            shares = np.array([values.mean() for _, values in binary[start:end]])
            others = np.array([np.prod(np.delete(1 - shares, place)) for place in range(len(shares))])
            nats = -look.rows * np.log(min(float((shares * others).sum()), 1.0))
            if nats >= ENOUGH:
                yield Candidate(OneHot(tuple(name for name, _ in binary[start:end])), nats, nats >= SURE)
            start = end
        else:
            start += 1


def _bits(look: Look, column: Column) -> Array | None:
    """(n,) 0 or 1, for columns that hold nothing else."""
    if not (isinstance(column, Boolean) or is_number(column)) or column.name not in look.levels:
        return None
    places, levels = look.levels[column.name]
    values = [float(value) for value in levels.to_pylist()]
    if len(values) != 2 or set(values) != {0.0, 1.0} or (places < 0).any():
        return None
    return np.asarray(np.array(values)[places], np.int64)


def combination_rules(look: Look) -> Iterator[Candidate]:
    """Pairs of categories of whose combinations most never come."""
    kinds = {column.name: column for column in look.columns}
    names = [name for name in look.levels if isinstance(kinds[name], Categorical) and look.levels[name][0].max() >= 2]
    for place, name in enumerate(names):
        for other in names[place + 1 :]:
            (x, levels), (y, more) = look.levels[name], look.levels[other]
            if len(levels) * len(more) > MOST_COMBINATIONS:
                continue
            both = (x >= 0) & (y >= 0)
            table = np.bincount(x[both] * len(more) + y[both], minlength=len(levels) * len(more))
            table = table.reshape(len(levels), len(more))
            wanted = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / max(table.sum(), 1)
            told = wanted >= EXPECTED
            empty = told & (table == 0)
            # where one decides the other, that is the rule
            single = ((table > 0).sum(axis=1) <= 1).all() or ((table > 0).sum(axis=0) <= 1).all()
            if not single and told.sum() >= 4 and empty.sum() >= EMPTY * told.sum():
                yield Candidate(FixedCombinations((name, other)), float(wanted[empty].sum()), False)
