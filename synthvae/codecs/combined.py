"""Columns whose combinations are facts of the table are learned as one category: fixed combinations, dependencies,
one-hot groups. Null is a value of a combination. Combinations with fewer than ``min_count`` rows are not kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.codecs.base import BoolArray, FitReport, IntArray
from synthvae.codecs.steps import Columns, Step, dump, exchanged, load, plain_array, replaced
from synthvae.errors import SchemaError
from synthvae.schema.columns import Categorical
from synthvae.schema.measure import is_number, plain_type
from synthvae.schema.solving import Act, Together
from synthvae.schema.support import Support, share
from synthvae.tables import is_text

OTHER = " (other)"  # a combination that is not kept; never drawn


class CombinedStep(Step):
    """Columns <-> one category, named after the first of them.

    values: of each column its distinct values; places: (k, m) of each kept combination the place of each column's value
    plus 1, 0 for null; folded, rows: how many training rows have other combinations, and how many there are.
    """

    def __init__(
        self, act: Together, columns: Columns, values: Sequence[pa.Array], places: IntArray, folded: tuple[int, int]
    ) -> None:
        self.act, self.columns, self.values, self.places = act, columns, tuple(values), places
        self._folded = folded
        self._index = pd.MultiIndex.from_arrays(list(places.T))

    @classmethod
    def fit(cls, act: Act, columns: Columns, table: pa.Table, support: Support) -> Self:
        assert isinstance(act, Together)
        values = [_distinct(plain_array(table, name)) for name in act.columns]
        places = np.stack([_places(plain_array(table, n), v) for n, v in zip(act.columns, values, strict=True)], axis=1)
        found, codes = np.unique(places, axis=0, return_inverse=True)
        kept = support.counts(codes.reshape(-1), len(found)) >= support.min_count
        if not kept.any():
            raise SchemaError(
                f"Expected combinations of {', '.join(map(repr, act.columns))} with at least {support.min_count} rows "
                f"each. Received: {len(found)} combinations, none of so many; drop the constraint."
            )
        trimmed = [_trimmed(v, column) for v, column in zip(values, found[kept].T, strict=True)]
        folded = int(np.count_nonzero(~kept[codes.reshape(-1)]))
        return cls(
            act, columns, [v for v, _ in trimmed], np.stack([p for _, p in trimmed], axis=1), (folded, len(codes))
        )

    @property
    def inner(self) -> Columns:
        made, first = dict(self.columns), self.act.columns[0]
        for name in self.act.columns[1:]:
            made = replaced(made, name)
        category = Categorical(
            name=first,
            arrow=str(self.labels.type),
            levels=tuple(self.labels.to_pylist()),
            ordered=self._ordered,
            open_share=share(*self._folded),
        )
        return replaced(made, first, category)

    @cached_property
    def labels(self) -> pa.Array:
        """(k,) what the combinations are called: the values of a column that tells them apart, else numbers as text.

        So numbers and ordered levels are still seen as such. One more, the value of none, is kept aside for the others.
        """
        if self._key is None:
            return pa.array(np.arange(len(self.places)).astype(str))
        return self.values[self._key].take(pa.array(self.places[:, self._key] - 1))

    @cached_property
    def _key(self) -> int | None:
        """A column of levels that holds another one in every combination, rather one of numbers."""
        kinds = [self.columns[name] for name in self.act.columns]
        named = [p for p, kind in enumerate(kinds) if isinstance(kind, Categorical) and _plain(self.values[p])]
        keys = [p for p in named if _tells(self.places[:, p])]
        return min(keys, key=lambda p: not (is_number(kinds[p]) or self._is_ordered(p)), default=None)

    @property
    def _ordered(self) -> bool:
        return self._key is not None and self._is_ordered(self._key)

    def _is_ordered(self, place: int) -> bool:
        column = self.columns[self.act.columns[place]]
        return isinstance(column, Categorical) and column.ordered

    @property
    def rewritten(self) -> frozenset[str]:
        return self.act.decides

    @property
    def sources(self) -> Mapping[str, frozenset[str]]:
        return {self.act.columns[0]: self.act.decides}

    @property
    def reports(self) -> Mapping[str, FitReport]:
        folded, rows = self._folded
        if not folded:
            return {}
        together = " with ".join(map(repr, self.act.columns))
        note = f"rows with combinations of {together} too rare to be kept: {folded} of {rows}; they are never drawn"
        return {self.act.columns[0]: FitReport(folded, (note,))}

    def forward(self, table: pa.Table) -> pa.Table:
        names = self.act.columns
        places = [_places(plain_array(table, n), v) for n, v in zip(names, self.values, strict=True)]
        codes = self._index.get_indexer(pd.MultiIndex.from_arrays(places)) if table.num_rows else np.zeros(0, np.int64)
        labels = pa.concat_arrays([self.labels, _stranger(self.labels)])  # the last one where it is not found
        made = labels.take(pa.array(np.where(codes < 0, len(self.places), codes)))
        return exchanged(table.drop_columns(list(names[1:])), names[0], {names[0]: made})

    def backward(self, table: pa.Table, rows: IntArray, key: int) -> pa.Table:
        """What stands for a combination that was not kept comes back as the first that was."""
        names = self.act.columns
        codes = pc.index_in(plain_array(table, names[0]).cast(self.labels.type), self.labels).fill_null(0).to_numpy()
        made = {}
        for name in names:
            made[name] = self.values_of(name).take(pa.array(codes))
        return exchanged(table, names[0], made)

    def agreeing(self, table: pa.Table, holes: Mapping[str, BoolArray]) -> BoolArray:
        """(n, k) the kept combinations that have what each row of a table knows of them, which is all but ``holes``."""
        found = np.ones((table.num_rows, len(self.places)), bool)
        for name, values, at in zip(self.act.columns, self.values, self.places.T, strict=True):
            same = _places(plain_array(table, name), values)[:, None] == at
            found &= same | holes[name][:, None] if name in holes else same
        return found

    def values_of(self, name: str) -> pa.Array:
        """(k,) the value of one of the columns in each combination, null for null."""
        place = self.act.columns.index(name)
        at = self.places[:, place]
        return self.values[place].take(pa.array(np.maximum(at - 1, 0), mask=at == 0))

    def state(self) -> dict[str, Any]:
        return {
            "values": [dump(values) for values in self.values],
            "places": self.places.tolist(),
            "folded": list(self._folded),
        }

    @classmethod
    def from_state(cls, act: Act, columns: Columns, state: Mapping[str, Any]) -> Self:
        assert isinstance(act, Together)
        types = [plain_type(columns[name]) for name in act.columns]
        values = [load(found, type_) for found, type_ in zip(state["values"], types, strict=True)]
        folded, rows = state["folded"]
        return cls(act, columns, values, np.asarray(state["places"], np.int64), (int(folded), int(rows)))


def _plain(values: pa.Array) -> bool:
    """Whether values may be levels: text, or numbers without NaN."""
    if pa.types.is_floating(values.type):
        return not pc.any(pc.is_nan(values)).as_py()
    return bool(pa.types.is_integer(values.type) or is_text(values.type))


def _tells(places: IntArray) -> bool:
    """Whether every combination has a value of its own."""
    return bool((places > 0).all()) and len(np.unique(places)) == len(places)


def _stranger(labels: pa.Array) -> pa.Array:
    """(1,) a value of the type that is no label."""
    if not (pa.types.is_integer(labels.type) or pa.types.is_floating(labels.type)):
        return pa.array([max(labels.to_pylist()) + OTHER], labels.type)
    known = set(labels.to_pylist())
    free = next(value for value in range(len(known) + 1) if value not in known)
    return pa.array([free]).cast(labels.type)


def _distinct(values: pa.Array) -> pa.Array:
    found = pc.unique(values).drop_null()
    return found.take(pc.array_sort_indices(found))


def _places(values: pa.Array, distinct: pa.Array) -> IntArray:
    """(n,) the place of each value plus 1, 0 for null, -1 where it is not known."""
    null = np.asarray(values.is_null().to_numpy(zero_copy_only=False))
    found = pc.index_in(values, distinct).cast(pa.int64()).fill_null(-2).to_numpy()
    return np.where(null, 0, found + 1)


def _trimmed(values: pa.Array, places: IntArray) -> tuple[pa.Array, IntArray]:
    """Only the values that some kept combination has: nothing rarer is stored."""
    used = np.unique(places[places > 0])
    return values.take(pa.array(used - 1)), np.where(places > 0, np.searchsorted(used, places) + 1, 0)
