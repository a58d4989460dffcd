"""Rules between columns that a table keeps, found without being asked for.

Some rows are searched, and all rows must keep what is found. Every search measures how likely its find would be by
chance and counts how many it had to choose from (``seek_*.py`` say how). Found rules that cannot be kept together are
left out, the weaker first.

Most finds are proposals, for the user to accept: ``schema.accept()``. Some hold at once, because whoever reads a
synthetic table takes them for granted and takes offence where they fail, because a wrong one costs next to nothing,
and because the evidence is overwhelming:

* nulls decided exactly by another column (log C(n, k) of at least 50 nats): the two columns tell one story, and a model
  that learns them apart tells it wrongly in some rows;
* copies, sums, products, ratios and parts of dates that are exact in every row, 100 nats and more: arithmetic is not a
  coincidence, and rounding it away is what readers see first;
* one-hot groups of three or more, and a category decided by another (200 nats), where all but 1 % of the rows are in
  combinations with ``min_count`` rows, so that hardly anything is folded away;
* an order of columns of one scale that ordinary dependence would break in at least 50 rows and in 1 % of them.

Never taken for granted: combinations that merely do not come, dependencies decided by a number, nulls that another
column only partly decides, uniqueness.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from synthvae.errors import SchemaError
from synthvae.schema.coherent import one
from synthvae.schema.columns import Column, Numeric
from synthvae.schema.constraints import Constraint, Inequality, Sum
from synthvae.schema.look import Candidate, Look
from synthvae.schema.obeyed import broken
from synthvae.schema.seek_formulas import formula_rules
from synthvae.schema.seek_levels import combination_rules, dependency_rules, one_hot_rules
from synthvae.schema.seek_nulls import null_rules
from synthvae.schema.seek_order import order_rules
from synthvae.schema.seek_sums import sum_rules
from synthvae.schema.solving import NotCombinableError, acts

LEAST_ROWS, MOST_ROWS = 2_000, 20_000  # that are searched
MOST_CELLS = 2e6  # rows times columns: wide tables are searched on fewer rows
MOST_RULES = 60  # of each search, the strongest
SEARCHES: tuple[Callable[[Look], Iterator[Candidate]], ...] = (
    null_rules,
    sum_rules,
    formula_rules,
    one_hot_rules,
    dependency_rules,
    order_rules,
    combination_rules,
)

Rules = tuple[Constraint, ...]


def propose(columns: Sequence[Column], table: pa.Table, min_count: int) -> tuple[Rules, Rules]:
    """The rules that a table (n rows) keeps: those to take for granted, and those to propose."""
    known = {column.name: column for column in columns}
    rows = int(np.clip(MOST_CELLS / len(columns), LEAST_ROWS, MOST_ROWS))
    some = table
    if table.num_rows > rows:
        some = table.take(np.sort(np.random.default_rng(0).choice(table.num_rows, rows, replace=False)))
    look = Look(some, tuple(columns), min_count)
    found = [candidate for search in SEARCHES for candidate in _strongest(search(look))]
    found = [candidate for candidate in found if _stands(candidate.rule, table, known)]
    sure: list[Constraint] = []
    proposals: list[Constraint] = []
    for candidate in sorted(found, key=lambda each: not each.sure):
        if not _follows(candidate.rule, sure, known) and _fits(candidate.rule, [*sure, *proposals], known):
            (sure if candidate.sure else proposals).append(candidate.rule)
    return tuple(sure), tuple(proposals)


def _strongest(found: Iterator[Candidate]) -> list[Candidate]:
    return sorted(found, key=lambda candidate: (not candidate.sure, -candidate.nats))[:MOST_RULES]


def _stands(rule: Constraint, table: pa.Table, columns: Mapping[str, Column]) -> bool:
    """Whether the rule suits its columns and every row keeps it."""
    try:
        return not any(one(rule, columns)) and not broken(rule, table, columns).any()
    except SchemaError:  # numbers too large to be added
        return False


def _fits(rule: Constraint, others: Sequence[Constraint], columns: Mapping[str, Column]) -> bool:
    try:
        acts([*others, rule], columns)
    except NotCombinableError:
        return False
    return True


def _follows(rule: Constraint, others: Sequence[Constraint], columns: Mapping[str, Column]) -> bool:
    """Whether an order follows from a sum: no part without sign is more than its total."""
    if not isinstance(rule, Inequality) or len(rule.columns) != 2:
        return False
    part, total = rule.columns
    sums = [other for other in others if isinstance(other, Sum) and other.total == total and part in other.parts]
    return any(_never_negative([columns[name] for name in other.parts if name != part]) for other in sums)


def _never_negative(columns: Sequence[Column]) -> bool:
    return all(isinstance(column, Numeric) and column.lower is not None and column.lower >= 0 for column in columns)
