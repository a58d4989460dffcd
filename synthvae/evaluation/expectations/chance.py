"""What chance may add to a share that was read off a sample: two samples of one table break a rule unlike often.

A column that is *open* leaves a share p of its values out of its bounds or levels, and the rule allows that share. Of n
other rows of the same source, Binomial(n, p) break it: more than p in every second table. So a rule allows as many as
a table of its size breaks by chance: Wilson's upper limit of p (Probable inference, JASA 22, 1927), with the noise of
the table judged and, taken to be as large, of the table that p was read off. Closed columns are allowed nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from synthvae.evaluation.expectations.rule import Rule
from synthvae.schema.schema import Schema

SURE = 3.7  # standard deviations: of a hundred rules in a hundred tables one is blamed wrongly
READ_OFF_VALUES = ("range", "levels", "length", "pattern")
DIGITS = 4  # of a share that is written down


@dataclass(frozen=True)
class Sizes:
    """How many independent rows a table to be judged has, and how many values that are not null in each column."""

    rows: int
    known: Mapping[str, int]

    @classmethod
    def of(cls, table: pa.Table, schema: Schema) -> Sizes:
        """Of a table; where rows belong to groups, as many rows as there are groups."""
        rows = table.num_rows
        if schema.group is not None and schema.group in table.column_names:
            rows = len(table[schema.group].unique())
        share = rows / max(table.num_rows, 1)
        counts = {name: table.num_rows - table[name].null_count for name in table.column_names}
        return cls(rows, {name: math.floor(count * share) for name, count in counts.items()})


def lenient(found: Iterable[Rule], schema: Schema, sizes: Sizes) -> list[Rule]:
    """The rules with chance allowed for where they were read off a sample."""
    return [_lenient(rule, schema, sizes) for rule in found]


def _lenient(rule: Rule, schema: Schema, sizes: Sizes) -> Rule:
    if rule.name == "nulls" and rule.allowed:
        return replace(rule, allowed=upper(rule.allowed, sizes.rows))
    if rule.name in READ_OFF_VALUES and (rule.allowed or schema[rule.column].open_share is not None):
        return replace(rule, allowed=upper(rule.allowed, sizes.known.get(rule.column, sizes.rows) / 2))
    return rule


def upper(share: float, rows: float) -> float:
    """The largest share that so many rows show by chance, rounded up; never all of them."""
    rows = max(rows, 0.5)
    centre = share + SURE**2 / (2 * rows)
    spread = SURE * math.sqrt(share * (1 - share) / rows + (SURE / (2 * rows)) ** 2)
    most = (centre + spread) / (1 + SURE**2 / rows)
    return min(math.ceil(most * 10**DIGITS) / 10**DIGITS, 1 - 10**-DIGITS)
