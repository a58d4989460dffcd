"""Columns in rising order: the first is learned as it is, each other one as its distance from the one before.

Distances are counted in the columns' common unit and never negative, so no draw can break the order. A cell that is
null passes the value before it on; a cell with an exempt value does too and is written as a negative distance, one for
each exempt value. Where the first cell is unknown and a later one is not, a column of its own holds the number from
which the later ones follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.codecs.base import BoolArray, FloatArray, IntArray
from synthvae.codecs.noise import key_of, uniforms
from synthvae.codecs.steps import Columns, Step, exchanged, plain_array, replaced
from synthvae.schema.columns import Categorical, Column, Numeric
from synthvae.schema.constraints import Inequality
from synthvae.schema.measure import LIMIT, Measure
from synthvae.schema.obeyed import holds, typed_values
from synthvae.schema.solving import Act, Chain
from synthvae.schema.support import Array, Support

BLUR = 0.5  # nats
PLACES, ENOUGH = 1000, 2500  # places of a column that are told apart; rows


@dataclass(frozen=True, eq=False)
class Cells:
    """A column in the chain's unit, its sign turned where the chain falls.

    number (n,); bound (n,): a number the rule binds; null (n,); special (n,): the place of the exempt value, else -1.
    """

    number: Array
    bound: BoolArray
    null: BoolArray
    special: IntArray


class ChainedStep(Step):
    """A chain from its first column on.

    begins: whether there is a column of beginnings, for rows whose first cell is unknown; start: the number from which
    a row goes on that has neither; specials: of each later column whether it holds exempt values.
    """

    def __init__(
        self, act: Chain, columns: Columns, begins: bool, start: int | float, specials: tuple[bool, ...]
    ) -> None:
        self.act, self.columns, self.begins, self.start, self.specials = act, columns, begins, start, specials
        self.measure = Measure.of([columns[name] for name in act.columns])
        self.sign = 1 if act.rising else -1
        self.least = int(act.rule.strict) if self.measure.whole else 0

    @classmethod
    def fit(cls, act: Act, columns: Columns, table: pa.Table, support: Support) -> Self:
        assert isinstance(act, Chain)
        blank = cls(act, columns, False, 0, ())
        first, *later = (blank._cells(table, name) for name in act.columns)
        begins = bool((np.any([c.bound for c in later], axis=0) & ~first.bound).any())
        special = tuple(bool((c.special >= 0).any()) for c in later)
        return cls(act, columns, begins, _middle(first.number[first.bound], support.min_count), special)

    @property
    def inner(self) -> Columns:
        made = dict(self.columns)
        first, *later = self.act.columns
        if self.begins:
            made = replaced(made, first, made[first], self._number(self._beginning, None, nullable=True))
        for name, special in zip(later, self.specials, strict=True):
            lower = -self._codes if special else self.least
            made = replaced(made, name, self._number(name, lower, made[name].nullable))
        return made

    @property
    def rewritten(self) -> frozenset[str]:
        return frozenset(self.act.columns[1:])

    @property
    def sources(self) -> Mapping[str, frozenset[str]]:
        names = self.act.columns
        made = {name: frozenset(names[: place + 1]) for place, name in enumerate(names) if place}
        if self.begins:  # a distance may count from any of them
            made = dict.fromkeys((*made, self._beginning), frozenset(names))
        return made

    @property
    def owners(self) -> Mapping[str, str]:
        return {self._beginning: self.act.columns[0]} if self.begins else {}

    def forward(self, table: pa.Table) -> pa.Table:
        names = self.act.columns
        cells = [self._cells(table, name) for name in names]
        full, told = self._first(cells)
        if self.begins:
            beginning = pa.array(self.sign * full, mask=cells[0].bound | ~told)
            table = exchanged(table, names[0], {names[0]: table[names[0]], self._beginning: beginning})
        for name, cell in zip(names[1:], cells[1:], strict=True):
            # a row that breaks the rule, and only such a row, would be nearer than that
            distance = np.maximum(cell.number - full, self.least)
            distance = np.where(cell.special >= 0, -1 - cell.special, np.where(cell.null, 0, distance))
            table = exchanged(table, name, {name: pa.array(distance, mask=cell.null)})
            full = np.where(cell.bound, cell.number, full)
        return table

    def backward(self, table: pa.Table, rows: IntArray, key: int) -> pa.Table:
        names = self.act.columns
        full = self._begun(table)
        table = table.drop_columns([self._beginning]) if self.begins else table
        for place, name in enumerate(names[1:]):
            drawn = plain_array(table, name)
            null = np.asarray(drawn.is_null().to_numpy(zero_copy_only=False))
            distance = np.where(null, 0, drawn.fill_null(0).to_numpy())
            special = np.where(~null & (distance < 0), np.clip(np.rint(-distance), 1, self._codes) - 1, -1)
            bound = ~null & (special < 0)
            chance = uniforms(key_of(key, place), rows)
            number = self._inside(name, full, full + np.maximum(distance, self.least), chance)
            values = self.measure.write(self.sign * number, bound, self.columns[name], up=self.sign > 0)
            # what was written is on the column's own grid
            full = np.where(bound, self.sign * self.measure.read(pa.chunked_array([values]))[0], full)
            table = exchanged(table, name, {name: self._with_specials(values, special)})
        return table

    def blurs(self, table: pa.Table, inner: pa.Table) -> bool:
        """Whether a distance has so much more entropy than the column it stands for that the column is better learned
        as it is: zeros and small grades are lost among the distances from a wide column.

        An order is not built in then, and rows that break it are drawn again. That is not without cost either (what is
        near equality is broken most often, and becomes rarer), so distances that are no harder stay.
        """
        if table.num_rows < ENOUGH:  # entropy cannot be told, and much would have to be drawn again
            return False
        return any(self._harder(table[name], plain_array(inner, name)) > BLUR for name in self.act.columns[1:])

    def state(self) -> dict[str, Any]:
        return {"begins": self.begins, "start": self.start, "specials": list(self.specials)}

    @classmethod
    def from_state(cls, act: Act, columns: Columns, state: Mapping[str, Any]) -> Self:
        assert isinstance(act, Chain)
        return cls(act, columns, bool(state["begins"]), state["start"], tuple(map(bool, state["specials"])))

    # --- there ----------------------------------------------------------------------------------------------------

    @property
    def _rule(self) -> Inequality:
        return self.act.rule

    @property
    def _codes(self) -> int:
        """How many exempt values there are; NaN is one more."""
        return len(self._rule.exempt) + 1

    @property
    def _beginning(self) -> str:
        """A name that no column has."""
        name = f"{self.act.columns[0]} (start)"
        while name in self.columns:
            name += "'"
        return name

    def _number(self, name: str, lower: int | None, nullable: bool) -> Numeric:
        """A column of numbers in the chain's unit."""
        arrow, decimals = ("int64", 0) if self.measure.whole else ("double", None)
        return Numeric(name=name, arrow=arrow, decimals=decimals, lower=lower, open_share=0.0, nullable=nullable)

    def _harder(self, values: pa.ChunkedArray, distances: pa.Array) -> float:
        """Nats by which distances are less certain, both told to a thousandth of the column's range and its own
        grid."""
        number, known = self.measure.read(values)
        number, apart = number[known], distances.drop_null().to_numpy()
        if not len(number) or not np.ptp(number):
            return 0.0
        unit = float(np.ptp(number)) / PLACES
        unit = max(unit, float(np.gcd.reduce(number - number[0]))) if self.measure.whole else unit
        return _entropy(np.floor(apart / unit)) - _entropy(np.floor(number / unit))

    def _cells(self, table: pa.Table, name: str) -> Cells:
        number, known = self.measure.read(table[name])
        null = np.asarray(table[name].is_null().to_numpy())
        special = np.where(~known & ~null, len(self._rule.exempt), -1)  # NaN
        for place, value in enumerate(self._rule.exempt):
            special[holds(table[name], self.columns[name], [value])] = place
        return Cells(self.sign * number, known & (special < 0), null, special)

    def _first(self, cells: list[Cells]) -> tuple[Array, BoolArray]:
        """(n,) the first bound number of each row, and where there is one.

        Where it is not the first column's, less what strictness asks.
        """
        full = np.full(len(cells[0].number), self.start, cells[0].number.dtype)
        for place, cell in reversed(list(enumerate(cells))):
            full = np.where(cell.bound, cell.number - (self.least if place else 0), full)
        return full, np.any([cell.bound for cell in cells], axis=0)

    # --- and back -------------------------------------------------------------------------------------------------

    def _begun(self, table: pa.Table) -> Array:
        """(n,) the numbers from which the rows go on."""
        first = self._cells(table, self.act.columns[0])
        full = np.where(first.bound, first.number, np.asarray(self.start, first.number.dtype))
        if self.begins:
            drawn = plain_array(table, self._beginning)
            known = ~first.bound & np.asarray(drawn.is_valid().to_numpy(zero_copy_only=False))
            full = np.where(known, self.sign * drawn.fill_null(0).to_numpy(), full)
        return full

    def _with_specials(self, values: pa.Array, special: IntArray) -> pa.Array:
        for place, value in enumerate(self._rule.exempt):
            if (special == place).any():
                values = pc.if_else(pa.array(special == place), typed_values(values.type, [value])[0], values)
        if pa.types.is_floating(values.type) and (special == len(self._rule.exempt)).any():
            values = pc.if_else(pa.array(special == len(self._rule.exempt)), pa.scalar(np.nan, values.type), values)
        return values

    def _inside(self, name: str, before: Array, number: Array, chance: FloatArray) -> Array:
        """Numbers drawn beyond the column's bounds are as far within them; where there is less room than that, they
        are drawn again, evenly, from what there is."""
        column = self.columns[name]
        if isinstance(column, Categorical):
            return self._on_levels(column, before, number)
        ends = [None if end is None else self.sign * end for end in self.measure.bounds(column)]
        low, high = ends if self.sign > 0 else reversed(ends)
        if self._rule.strict and not self.measure.whole:
            number = np.where(number <= before, np.nextafter(before, np.inf), number)
        floor = np.maximum(before + self.least, -LIMIT if low is None else low)
        ceiling = np.full(len(number), LIMIT if high is None else high, number.dtype)
        room = np.maximum(ceiling - floor, 0)
        again = floor + (np.floor(chance * (room + 1.0)).astype(np.int64) if self.measure.whole else chance * room)
        mirrored = np.where(number > ceiling, 2 * ceiling - number, 2 * floor - number)
        again = np.where((mirrored >= floor) & (mirrored <= ceiling), mirrored, again)
        outside = ((number > ceiling) | (number < floor)) & (floor <= ceiling)
        return np.where(outside, again, number)

    def _on_levels(self, column: Column, before: Array, number: Array) -> Array:
        """The next level; the last one where there is no further."""
        assert isinstance(column, Categorical)
        levels = np.sort([self.sign * self.measure.count(level) for level in column.levels])
        found = levels[np.minimum(np.searchsorted(levels, number), len(levels) - 1)]
        return np.where(found >= before + self.least, found, number)


def _entropy(numbers: Array) -> float:
    """Of the empirical distribution of numbers (n,), in nats."""
    shares = np.unique(numbers, return_counts=True)[1] / max(len(numbers), 1)
    return float(-(shares * np.log(shares)).sum())


def _middle(numbers: Array, min_count: int) -> int | float:
    """The mean of the ``min_count`` middle numbers; 0 where there are fewer."""
    if len(numbers) < min_count:
        return 0
    middle = np.sort(numbers)[(len(numbers) - min_count) // 2 :][:min_count]
    mean = float((middle - middle[0]).mean())
    return int(middle[0] + round(mean)) if numbers.dtype.kind == "i" else float(middle[0] + mean)
