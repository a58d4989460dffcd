"""The rows under a budget: nobody sees them, one can only ask, and every answer is paid for.

The methods of ``PrivateTable`` are mechanisms. Each takes a ``Spend``, pays it and only then looks. A question is a
``Coding``: a rule that puts each row, by itself, into one of ``size`` cells. Whatever goes wrong while looking is told
without a word of what was seen.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae import tables
from synthvae.errors import BudgetError
from synthvae.privacy.ledger import Ledger, Spend
from synthvae.privacy.mechanisms import Array, Noise, noisy_counts, stable_threshold

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Coding:
    """Rows -> cells 0 .. size - 1. of: a table (n rows) -> (n,) int; what it says of a row depends on that row
    alone."""

    size: int
    of: Callable[[pa.Table], Array]


class PrivateTable:
    """A table (n rows) under the budget of ``ledger``; at most ``rows_per_unit`` rows of each unit are kept.

    noise: where all randomness comes from. Names and types of columns are public.
    """

    def __init__(self, table: pa.Table, ledger: Ledger, noise: Noise) -> None:
        budget = ledger.budget
        self._secret = table
        if budget.unit is not None:
            unit, most = budget.unit, budget.rows_per_unit
            self._secret = unsaid(lambda: _bounded(table, unit, most, noise))
        self.types = table.schema
        self.ledger, self._noise = ledger, noise
        self._most = float(budget.rows_per_unit)

    def recast(self, cast: Callable[[pa.Table], pa.Table]) -> PrivateTable:
        """The rows after ``cast``, which makes of each row one by itself. They stay those that were kept of each unit:
        to cut down units anew, whom a cast may have merged, would let one unit move the rows of another."""
        made = PrivateTable.__new__(PrivateTable)
        made._secret = unsaid(lambda: cast(self._secret))
        made.types, made.ledger, made._noise, made._most = made._secret.schema, self.ledger, self._noise, self._most
        return made

    def size(self, spend: Spend) -> float:
        """The number of rows. Sensitivity: the rows of a unit."""
        self._pay(spend, self._most)
        return float(noisy_counts(np.array([self._secret.num_rows]), spend.sigma, self._noise)[0])

    def histogram(self, coding: Coding, spend: Spend) -> Array:
        """How many rows are in each cell: (size,). Sensitivity: the rows of a unit, all in one cell."""
        return self.histograms([coding], spend)[0]

    def histograms(self, codings: Sequence[Coding], spend: Spend) -> list[Array]:
        """Several histograms under one noise. Sensitivity: the rows of a unit times sqrt(histograms)."""
        self._pay(spend, self._most * len(codings) ** 0.5)
        counts = unsaid(lambda: [_counted(coding, self._secret) for coding in codings])
        return [noisy_counts(count, spend.sigma, self._noise) for count in counts]

    def levels(self, name: str, spend: Spend) -> tuple[list[Any], Array]:
        """Values of a column with their counts (m,), those of which enough rows are there to name them; nulls are
        counted under None, which is always named. Sensitivity: the rows of a unit."""
        self._pay(spend, self._most)
        if not spend.delta:
            raise BudgetError("Levels that nobody wrote down need a delta: the chance that a rare one is named.")
        return unsaid(lambda: self._named(name, spend))

    def _named(self, name: str, spend: Spend) -> tuple[list[Any], Array]:
        values = tables.plain(self._secret[name])
        counted = pc.value_counts(pc.drop_null(values)).field
        counts = noisy_counts(counted("counts").to_numpy(zero_copy_only=False), spend.sigma, self._noise)
        # half a row more, since counts are rounded
        named = counts > stable_threshold(spend.sigma, spend.delta, int(self._most)) + 0.5
        kept = counted("values").filter(pa.array(named, pa.bool_())).to_pylist()
        null = noisy_counts(np.array([values.null_count]), spend.sigma, self._noise)
        return [*kept, None], np.append(counts[named], null)

    def in_order(self, name: str, named: Sequence[Any]) -> list[Any]:
        """Levels that are known already, in order: that of an ordered category, which is part of its type, else their
        own."""
        type_ = self.types.field(name).type
        if not (pa.types.is_dictionary(type_) and type_.ordered):
            return sorted(named, key=lambda level: (level, str(level)))  # -0.0 and 0.0 are two
        place = {level: i for i, level in enumerate(tables.levels(self._secret[name]).to_pylist())}
        return sorted(named, key=lambda level: place[level])

    def margins(self, pairs: Sequence[tuple[Coding, Coding]], spend: Spend) -> list[Array]:
        """Two-way histograms (size, other size). Sensitivity: the rows of a unit times sqrt(pairs)."""
        self._pay(spend, self._most * len(pairs) ** 0.5)
        counts = unsaid(lambda: _crossed(pairs, self._secret))
        return [noisy_counts(count, spend.sigma, self._noise) for count in counts]

    def distances(self, pairs: Sequence[tuple[Coding, Coding]], expected: Sequence[Array], spend: Spend) -> Array:
        """How far (L1) two-way histograms are from ``expected`` ones: (pairs,).

        A row more moves one cell by 1, so each distance by 1 at most. Sensitivity: the rows of a unit times
        sqrt(pairs).
        """
        self._pay(spend, self._most * len(pairs) ** 0.5)
        counts = unsaid(lambda: _crossed(pairs, self._secret))
        far = [np.abs(count - guess).sum() for count, guess in zip(counts, expected, strict=True)]
        return noisy_counts(np.array(far), spend.sigma, self._noise)

    def noisy_sums(
        self,
        encode: Callable[[pa.Table], Array],
        contribution: Callable[[Array], list[Array]],
        spend: Spend,
    ) -> Iterator[list[Array]]:
        """At each step, the noisy sum of what sampled rows contribute.

        encode: rows -> tokens (n, b), row by row; contribution: tokens of the sampled rows (m, b) -> arrays, a sum
        over rows of which each has a norm (over all arrays together) of at most ``spend.sensitivity``. A row is sampled
        with probability ``spend.rate``, at each step anew.
        """
        if not spend.sampled:
            raise BudgetError("Steps are accounted for as steps on sampled rows; got a rate of 1.")
        self._pay(spend, spend.sensitivity)
        tokens = unsaid(lambda: encode(self._secret))
        for _ in range(spend.steps):
            sums = unsaid(lambda: contribution(tokens[self._noise.uniform(len(tokens)) < spend.rate]))
            yield [part + self._noise.gaussian(spend.sigma, *part.shape).astype(np.float32) for part in sums]

    def _pay(self, spend: Spend, sensitivity: float) -> None:
        if spend.sensitivity < sensitivity * (1 - 1e-9):
            raise BudgetError(f"{spend.what!r} moves by up to {sensitivity:g}; paid for was {spend.sensitivity:g}.")
        self.ledger.pay(spend)


def unsaid(look: Callable[[], T], *told: type[Exception]) -> T:
    """What ``look`` returns; of its errors only those of the types ``told`` go on.

    The text of an error, or of one before it, may quote a value; that there is a warning says something of one.
    """
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return look()
    except (MemoryError, BudgetError):
        raise
    except told as error:
        error.__context__ = error.__cause__ = None
        raise
    except Exception as error:
        kind = type(error).__name__
    raise BudgetError(
        f"Looking at the rows failed ({kind}); under a budget nothing more is told. Fit without one on invented rows "
        "of the same types to find out more."
    )


def _bounded(table: pa.Table, unit: str, most: int, noise: Noise) -> pa.Table:
    """At most so many rows of each unit, chosen at random and for each unit by itself; rows of nobody are left out."""
    table = table.cast(pa.schema([(f.name, tables.movable(f.type)) for f in table.schema]))
    table = table.filter(pc.invert(pc.is_null(tables.plain(table[unit]), nan_is_null=True)))
    codes = tables.plain(table[unit]).combine_chunks().dictionary_encode().indices
    owner = codes.to_numpy(zero_copy_only=False)
    order = np.lexsort((noise.uniform(len(owner)), owner))
    first = np.flatnonzero(np.append(True, np.diff(owner[order]) != 0))[: len(owner)]
    rank = np.arange(len(owner)) - np.repeat(first, np.diff(np.append(first, len(owner))))
    return table.take(pa.array(np.sort(order[rank < most])))


def _counted(coding: Coding, rows: pa.Table) -> Array:
    return np.bincount(coding.of(rows), minlength=coding.size)[: coding.size].astype(np.float64)


def _crossed(pairs: Sequence[tuple[Coding, Coding]], rows: pa.Table) -> list[Array]:
    """Counts (size, other size) of each pair; a coding that is in several is asked once."""
    cells = {coding: coding.of(rows).astype(np.int32) for coding in {one for pair in pairs for one in pair}}
    counts = []
    for one, other in pairs:
        flat = cells[one].astype(np.int64) * other.size + cells[other]
        counted = np.bincount(flat, minlength=one.size * other.size)
        counts.append(np.asarray(counted.reshape(one.size, other.size), np.float64))
    return counts
