"""Columns in order: a <= b in every row.

That a <= b everywhere is no rule where it could hardly be otherwise: the ranges may lie apart, or both may follow a
third thing closely. So each pair is set against a table with the same two columns and the same rank correlation, but
dependent in the ordinary way (a Gaussian copula): in it, L rows in expectation would break the order. That none of the
real ones does has the chance e^-L. A pair whose ranges lie apart has L = 0, and so has a height beside a weight. A
pieces-and-price pair may still have a large one, so a rule is only taken for granted between columns of one scale: the
middle nine tenths of both must overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from scipy.stats import norm, rankdata

from synthvae.schema.columns import Datetime
from synthvae.schema.constraints import Inequality
from synthvae.schema.look import Array, Candidate, Look

FEWEST = 100  # rows in which both are known
ENOUGH, SURE = 25.0, 50.0  # rows that would break the order: 300 columns make 10^5 pairs, 12 nats
SHARE = 0.01  # of the rows known would break it
SENTINEL = 0.01  # share of rows from which a lone value far from all others is one
OVERLAP = 0.2  # of the middle nine tenths of both, from which columns are of one scale
REACH = 0.5  # of the range of all others, how far away it lies
SOME = 400  # rows on which all pairs are tried first


def order_rules(look: Look) -> Iterator[Candidate]:
    """Chains of numbers, then of moments."""
    kinds = {c.name: c for c in look.columns}
    numbers = {n: v for n, v in look.numbers.items() if kinds[n].kind == "numeric"}
    for values in (numbers, *look.moments):
        if len(values) > 1:
            edges = _edges(values) | _exempt_edges(values, isinstance(kinds[next(iter(values))], Datetime))
            yield from _chains(edges)


Told = tuple[float, tuple[int | float, ...], bool]
Edges = dict[tuple[str, str], Told]


def _edges(values: Mapping[str, Array], exempt: Mapping[str, float] | None = None) -> Edges:
    """The ordered pairs with enough behind them: (a, b) -> would-be breaches, exempt values, if of one scale."""
    names = list(values)
    matrix = np.stack([values[name] for name in names])
    held = _held(matrix)
    found: Edges = {}
    for a, b in zip(*np.nonzero(held & ~held.T), strict=True):
        known = ~(np.isnan(matrix[a]) | np.isnan(matrix[b]))
        if known.sum() < FEWEST or (matrix[a, known] > matrix[b, known]).any():
            continue
        breaking = expected_breaches(matrix[a], matrix[b])
        if breaking >= max(ENOUGH, SHARE * known.sum()):
            values_ = tuple(dict.fromkeys(_plain(exempt[n]) for n in (names[a], names[b]) if exempt and n in exempt))
            found[names[a], names[b]] = (breaking, values_, _of_one_scale(matrix[a], matrix[b]))
    return found


def _held(matrix: Array) -> Array:
    """(m, m) which pairs are in order on some rows, and that not because they are never known together."""
    columns, rows = matrix.shape
    picked = np.random.default_rng(0).permutation(rows)[:SOME]
    held = np.ones((columns, columns), bool)
    for row in picked:
        held &= ~(matrix[:, None, row] > matrix[None, :, row])
    np.fill_diagonal(held, False)
    low, high = np.nanmin(matrix, axis=1), np.nanmax(matrix, axis=1)
    return np.asarray(held & (high[:, None] > low[None, :]))  # ranges that lie apart are no rule


def _exempt_edges(values: Mapping[str, Array], moments: bool) -> Edges:
    """The same where a value far from all others, such as a year 0, is not bound."""
    lone = {} if moments else {name: v for name, x in values.items() if (v := sentinel(x)) is not None}
    if not lone:
        return {}
    without = {name: np.where(x == lone[name], np.nan, x) if name in lone else x for name, x in values.items()}
    varying = {n: x for n, x in without.items() if np.nanmax(x, initial=-np.inf) > np.nanmin(x, initial=np.inf)}
    if len(varying) < 2:
        return {}
    plain = _held(np.stack(list(values.values())))
    place = {name: index for index, name in enumerate(values)}
    edges = _edges(varying, lone)
    return {pair: told for pair, told in edges.items() if told[1] and not plain[place[pair[0]], place[pair[1]]]}


def sentinel(values: Array) -> float | None:
    """The value that stands for "none": common, and far below or above all others."""
    known = values[~np.isnan(values)]
    found, counts = np.unique(known, return_counts=True)
    if len(found) < 3:
        return None
    for lone, rest in ((0, found[1:]), (-1, found[:-1])):
        if counts[lone] >= SENTINEL * len(known) and np.abs(found[lone] - rest).min() > REACH * (rest[-1] - rest[0]):
            return float(found[lone])
    return None


def expected_breaches(a: Array, b: Array) -> float:
    """Rows with a > b in a table of the same columns (n,) and the same rank correlation under a Gaussian copula.

    Each column keeps all its known values, and as many rows are drawn as know both: that one is unknown just where it
    would break the order belongs to the rule.
    """
    both = ~(np.isnan(a) | np.isnan(b))
    n = int(both.sum())
    if np.ptp(a[both]) == 0 or np.ptp(b[both]) == 0:
        return 0.0
    ranks = [norm.ppf((rankdata(x[both]) - 0.5) / n) for x in (a, b)]
    r = float(np.corrcoef(*ranks)[0, 1])
    first, second = np.random.default_rng(0).standard_normal((2, n))
    scores = (first, r * first + np.sqrt(max(1 - r * r, 0.0)) * second)
    drawn = [_quantiles(x[~np.isnan(x)], norm.cdf(score)) for x, score in zip((a, b), scores, strict=True)]
    return float(np.count_nonzero(drawn[0] > drawn[1]))


def _quantiles(values: Array, shares: Array) -> Array:
    """The values at given shares (n,) of the way from the smallest to the largest."""
    ordered = np.sort(values)
    return np.asarray(ordered[np.minimum((shares * len(ordered)).astype(np.int64), len(ordered) - 1)])


def _of_one_scale(a: Array, b: Array) -> bool:
    (low, high), (other_low, other_high) = (np.nanquantile(x, (0.05, 0.95)) for x in (a, b))
    span = max(high, other_high) - min(low, other_low)
    return bool(min(high, other_high) - max(low, other_low) >= OVERLAP * span)


def _chains(edges: Edges) -> Iterator[Candidate]:
    """Pairs that follow from others are left out; those that join end to end are one chain."""
    direct = {
        (a, c): told
        for (a, c), told in edges.items()
        if not any((a, b) in edges and (b, c) in edges for b in {pair[1] for pair in edges if pair[0] == a})
    }
    starts, ends = ([pair[side] for pair in direct] for side in (0, 1))
    paths: list[tuple[list[str], list[Told]]] = []
    for (a, b), told in sorted(direct.items(), key=lambda item: item[0][0] in ends):
        alone = starts.count(a) == 1 and ends.count(a) == 1
        joined = [p for p in paths if alone and p[0][-1] == a and p[1][0][1] == told[1]]
        if joined:
            joined[0][0].append(b)
            joined[0][1].append(told)
        else:
            paths.append(([a, b], [told]))
    for names, links in paths:
        breaking = min(link[0] for link in links)
        sure = breaking >= SURE and all(link[2] for link in links)
        yield Candidate(Inequality(tuple(names), exempt=links[0][1]), breaking, sure)


def _plain(value: float) -> int | float:
    return int(value) if float(value).is_integer() else value
