"""Columns that a formula gives: products, ratios, parts of a date, days between two dates.

The chance of a coincidence is measured as for sums: how often the formula still gives a value of the column once the
column is moved along the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import permutations

import numpy as np

from synthvae.schema.columns import Column
from synthvae.schema.constraints import Derived
from synthvae.schema.formulas import FORMULAS
from synthvae.schema.look import Array, Candidate, Look, agreement
from synthvae.schema.measure import decimals_of

FIRST, MORE = 4, 60  # rows on which triples are tried, and on which survivors are
LEAST = 50  # rows that say something
ENOUGH, SURE = 60.0, 150.0  # nats
PARTS = ("year", "month", "day", "weekday", "hour")
CLOSE = 1e-9
MOST_COLUMNS, MOST_MOMENTS = 100, 12  # beyond which products and ratios, and pairs of dates, are not searched


def formula_rules(look: Look) -> Iterator[Candidate]:
    """What follows from dates, then products and ratios."""
    columns = {column.name: column for column in look.columns}
    yield from _of_dates(look, columns)
    if 3 <= len(look.numbers) <= MOST_COLUMNS:
        yield from _of_numbers(look, columns)


def _of_dates(look: Look, columns: Mapping[str, Column]) -> Iterator[Candidate]:
    whole = {n: v for n, v in look.numbers.items() if not (np.nan_to_num(v) % 1).any()}
    for moments in look.moments:
        names = list(moments)[:MOST_MOMENTS]
        made: list[tuple[str, tuple[str, ...]]] = [(part, (name,)) for part in PARTS for name in names]
        made += [("days_between", pair) for pair in permutations(names, 2)]
        for formula, of in made:
            values = FORMULAS[formula].compute([look.table[n] for n in of], [columns[n] for n in of])
            for target, numbers in whole.items():
                yield from _judged(Derived(target, formula, of), values, numbers, np.zeros(look.rows))


def _of_numbers(look: Look, columns: Mapping[str, Column]) -> Iterator[Candidate]:
    """Products; then ratios of columns that no product ties together, since dividing its rounded total is not exact."""
    products = [found for target in look.numbers for found in _of_two(look, columns, target, "product")]
    yield from products
    tied = [set(found.rule.names) for found in products]
    for target in look.numbers:
        yield from (each for each in _of_two(look, columns, target, "ratio") if set(each.rule.names) not in tied)


def _of_two(look: Look, columns: Mapping[str, Column], target: str, formula: str) -> Iterator[Candidate]:
    """Pairs of columns that give the target."""
    names = [name for name in look.numbers if np.isnan(look.numbers[name]).mean() < 0.5 and name != target]
    wanted = look.numbers[target]
    rows = np.flatnonzero((wanted != 0) & ~np.isnan(wanted))
    if len(rows) < MORE or len(names) < 2:
        return
    picked = np.random.default_rng(0).permutation(rows)[:MORE]
    some, slack = np.stack([look.numbers[name][picked] for name in names]), _slack(columns[target], wanted)
    may = np.triu(np.ones((len(names), len(names)), bool), 1)
    may = may | may.T if formula == "ratio" else may
    for row in range(FIRST):
        made = _made(formula, some[:, None, row], some[None, :, row])
        may &= ~(np.abs(made - wanted[picked[row]]) > slack[picked[row]])
    for a, b in zip(*np.nonzero(may), strict=True):
        if not (np.abs(_made(formula, some[a], some[b]) - wanted[picked]) > slack[picked]).any():
            one, other = look.numbers[names[a]], look.numbers[names[b]]
            # a factor of 1, or nothing at all, would say nothing
            telling = np.where(np.isin(one, (0, 1)) | np.isin(other, (0, 1)), np.nan, wanted)
            yield from _judged(
                Derived(target, formula, (names[a], names[b])), _made(formula, one, other), telling, slack
            )


def _made(formula: str, a: Array, b: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.asarray(a * b if formula == "product" else a / b)


def _slack(column: Column, values: Array) -> Array:
    """How far a value (n,) may be from what its formula gives: half a step of its decimals, or rounding alone."""
    decimals = decimals_of(column)
    return CLOSE * np.abs(np.nan_to_num(values)) + (0.0 if decimals is None else 0.5000001 * 10.0**-decimals)


def _judged(rule: Derived, made: Array, values: Array, slack: Array) -> Iterator[Candidate]:
    """The candidate where enough rows speak for it and none against it."""
    telling = np.isfinite(made) & ~np.isnan(values)
    fits = np.abs(made[telling] - values[telling]) <= slack[telling]
    if telling.sum() < LEAST or not fits.all():
        return
    order = np.random.default_rng(0).permutation(len(fits))
    moved = np.abs(made[telling] - values[telling][order]) <= slack[telling][order]
    nats = -len(fits) * np.log(agreement(moved))
    if nats >= ENOUGH:
        yield Candidate(rule, float(nats), bool(nats >= SURE))
