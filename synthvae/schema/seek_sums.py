"""Columns that add up: copies, totals of two or more parts, parts that sum to a constant.

The chance of a coincidence is measured: the total is moved along the rows, and how often it then still fits is the
chance p of one row; n rows that fit by accident have the chance p^n. Rows in which a part is 0 say nothing about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from synthvae.schema.constraints import Sum
from synthvae.schema.look import Array, Candidate, Look, agreement

FIRST, MORE = 4, 60  # rows on which triples are tried, and on which survivors are
LEAST = 50  # rows that say something about a sum
ENOUGH, SURE = 60.0, 100.0  # nats; 300 columns make 10^7 triples, 16 nats
KNOWN = 0.2  # share of rows in which a column must be known to be searched
MOST_PARTS_SEARCHED = 60
CLOSE = 1e-9


def sum_rules(look: Look) -> Iterator[Candidate]:
    """Copies, then two parts, then more, then parts of a constant."""
    numbers = {name: v for name, v in look.numbers.items() if np.mean(~np.isnan(v)) >= KNOWN}
    copies = list(_copies(numbers))
    yield from copies
    twins = {rule.total for rule in (found.rule for found in copies) if isinstance(rule, Sum)}
    numbers = {name: values for name, values in numbers.items() if name not in twins}
    if len(numbers) < 3:
        return
    pairs = list(_pairs(numbers))
    yield from pairs
    totals = {rule.total for rule in (found.rule for found in pairs) if isinstance(rule, Sum)}
    more = [found for total in numbers if total not in totals for found in _many(numbers, total)]
    yield from more
    # other sums, and groups of 0/1 columns, would leave more than one answer
    involved = {name for found in (*pairs, *more) for name in found.rule.names}
    rest = {name: v for name, v in numbers.items() if name not in involved and not np.isin(v, (0, 1)).all()}
    yield from _constant(rest)


def _copies(numbers: dict[str, Array]) -> Iterator[Candidate]:
    names, taken = list(numbers), set()
    for place, name in enumerate(names):
        for other in names[place + 1 :] if name not in taken else ():
            a, b = numbers[name], numbers[other]
            both = ~(np.isnan(a) | np.isnan(b))
            if other not in taken and both.sum() >= LEAST and (a[both] == b[both]).all():
                taken.add(other)
                yield from _judged(Sum((name,), total=other), [a], b)


def _pairs(numbers: dict[str, Array]) -> Iterator[Candidate]:
    names = list(numbers)
    order = np.argsort(np.isnan(np.stack(list(numbers.values()))).sum(axis=0), kind="stable")
    order = np.random.default_rng(0).permutation(order[: max(len(order) // 2, MORE)])
    some = np.stack([numbers[name][order[:MORE]] for name in names])  # (m, MORE)
    upper = np.triu(np.ones((len(names), len(names)), bool), 1)
    for place, total in enumerate(names):
        may = upper.copy()
        may[place] = may[:, place] = False
        for row in range(FIRST):
            rest = some[place, row] - some[:, row]
            may &= ~(np.abs(rest[:, None] - some[None, :, row]) > _near(some[place, row], rest))
        for a, b in zip(*np.nonzero(may), strict=True):
            off = np.abs(some[place] - some[a] - some[b])
            if not (off > _near(some[place], some[a], some[b])).any():
                yield from _judged(
                    Sum((names[a], names[b]), total=total), [numbers[names[a]], numbers[names[b]]], numbers[total]
                )


def _near(*numbers: Array) -> Array:
    """How far sums of such numbers may be off."""
    return CLOSE * np.nanmax(np.abs(np.stack(np.broadcast_arrays(*numbers))), initial=1e-6, axis=None)


def _many(numbers: dict[str, Array], total: str) -> Iterator[Candidate]:
    """Three parts or more, none negative: the coefficients of an exact fit are 0 and 1."""
    t = numbers[total]
    parts = [name for name, v in numbers.items() if name != total and not ((v < 0) | (v > t)).any()]
    if not 3 <= len(parts) <= MOST_PARTS_SEARCHED or (t < 0).any():
        return
    matrix = np.stack([numbers[name] for name in parts], axis=1)
    whole = np.flatnonzero(~(np.isnan(matrix).any(axis=1) | np.isnan(t)))[: 20 * MOST_PARTS_SEARCHED]
    if len(whole) < 3 * len(parts):
        return
    chosen = _ones(matrix[whole], t[whole])
    if chosen is not None and chosen.sum() >= 3:
        names = tuple(name for name, is_part in zip(parts, chosen, strict=True) if is_part)
        yield from _judged(Sum(names, total=total), [numbers[name] for name in names], t)


def _constant(numbers: dict[str, Array]) -> Iterator[Candidate]:
    if len(numbers) < 2:
        return
    matrix = np.stack(list(numbers.values()), axis=1)
    whole = matrix[~np.isnan(matrix).any(axis=1)][: 20 * MOST_PARTS_SEARCHED]
    if len(whole) < max(3 * len(numbers), LEAST):
        return
    scale = np.abs(whole).max(axis=0)
    weights = np.linalg.lstsq(whole / scale, np.ones(len(whole)), rcond=1e-10)[0] / scale
    used = np.abs(weights) * scale > 1e-6
    if used.sum() < 2 or np.ptp(weights[used]) > 1e-6 * np.abs(weights[used]).max() or weights[used].min() <= 0:
        return
    names = tuple(name for name, part in zip(numbers, used, strict=True) if part)
    sums = whole[:, used].sum(axis=1)
    constant = float(np.round(np.median(sums), 6))
    if np.abs(sums - constant).max() <= CLOSE * max(abs(constant), 1.0):
        rule = Sum(names, constant=int(constant) if constant.is_integer() else constant)
        parts = [numbers[name] for name in names]
        yield from _judged(rule, parts[:-1], constant - parts[-1])


def _ones(matrix: Array, target: Array) -> Array | None:
    """Which columns (n, m) add up to the target (n,); None where no weights of 0 and 1 do."""
    scale = np.abs(matrix).max(axis=0)
    scale[scale == 0] = 1
    weights = np.linalg.lstsq(matrix / scale, target, rcond=1e-10)[0] / scale
    chosen = np.abs(weights - 1) < 1e-3
    if not (chosen | (np.abs(weights) < 1e-3)).all():
        return None
    off = np.abs(matrix[:, chosen].sum(axis=1) - target)
    return chosen if off.max() <= CLOSE * max(np.abs(target).max(), 1.0) else None


def _judged(rule: Sum, parts: Sequence[Array], total: Array) -> Iterator[Candidate]:
    """The candidate where enough rows, in which no part is 0, speak for it."""
    matrix = np.stack([*parts, total])
    telling = ~np.isnan(matrix).any(axis=0) & (matrix[:-1] != 0).all(axis=0)
    sums, wanted = matrix[:-1, telling].sum(axis=0), matrix[-1, telling]
    if len(sums) < LEAST:
        return
    moved = np.random.default_rng(0).permutation(wanted)
    nats = -len(sums) * np.log(agreement(np.abs(sums - moved) <= CLOSE * np.maximum(np.abs(sums), 1.0)))
    if nats >= ENOUGH:
        yield Candidate(rule, float(nats), bool(nats >= SURE))
