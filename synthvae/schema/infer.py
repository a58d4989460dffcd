"""What a column means, guessed from its values: the only file that guesses.

``RULES`` are asked in order and the first that answers decides. Nothing of one person enters a schema: every bound,
level, length and grid has at least ``min_count`` rows (groups of rows) behind it, see ``support.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from synthvae import tables
from synthvae.errors import ParameterError, SchemaError
from synthvae.schema import instants
from synthvae.schema.check import comparable
from synthvae.schema.columns import Boolean, Categorical, Column, Datetime, Identifier, Numeric, Text
from synthvae.schema.schema import Schema
from synthvae.schema.support import Array, Support, outward, share, shortest
from synthvae.schema.templates import number_template, text_template

MAX_FOLDED = 0.2  # beyond this share of rare values a column has no levels worth naming
MIN_KEY_ROWS = 20  # fewer distinct values may be distinct by chance
MAX_WHOLE_LEVELS = 20  # more distinct whole numbers than this are a quantity
MIN_ROWS_PER_LEVEL = 10
MAX_DECIMALS = 9
_KEY_NAME = re.compile(r"(?i:(^|[_ .-])(id|uuid|guid|key|code|no|nr)s?$)|[a-z0-9](Id|ID|Uuid|UUID|Guid|GUID|Key)s?$")


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the rules look at: one column (n rows), in layouts every kernel knows."""

    name: str
    raw: pa.ChunkedArray
    pandas: str | None
    everyone: Support
    exact: bool
    is_group: bool

    @cached_property
    def present(self) -> Array:
        """(n,) rows with a value."""
        return np.asarray(pc.is_valid(self.raw).to_numpy(zero_copy_only=False))

    @cached_property
    def values(self) -> pa.ChunkedArray:
        """The values that are not null."""
        return tables.plain(self.raw).drop_null()

    @cached_property
    def support(self) -> Support:
        """The support of ``values``."""
        return self.everyone.where(self.present)

    @property
    def type(self) -> pa.DataType:
        return self.values.type

    @cached_property
    def whole(self) -> Array:
        """``values`` as int64, for integer columns."""
        return np.asarray(self.values.cast(pa.int64()).to_numpy())

    def facts(self) -> dict[str, Any]:
        """The fields every column has."""
        return {
            "name": self.name,
            "arrow": str(self.raw.type),
            "pandas": self.pandas,
            "nullable": bool(self.raw.null_count),
        }

    def open_share(self, outside: int) -> float | None:
        """The share of values outside, or None where the schema says all there is."""
        return None if self.exact else share(outside, len(self.values))

    def is_key(self) -> bool:
        """Whether every row has a value of its own, in rows enough for that to say something."""
        n = len(self.raw)
        return n >= MIN_KEY_ROWS and not self.raw.null_count and len(pc.unique(self.values)) == n


Rule = Callable[[Evidence], Column | None]


def infer_schema(table: object, *, min_count: int = 5, exact: bool = False, group: str | None = None) -> Schema:
    """Guess the schema of a table.

    ``group`` names the column that says who a row belongs to; ``min_count`` then counts groups. ``exact`` writes true
    bounds and every level down, single rows included. SchemaError where there are too few rows to learn from.
    """
    arrow, container = tables.read(table)
    if type(min_count) is not int or min_count < 1:
        raise ParameterError(f"Expected min_count to be a whole number of at least 1. Received: {min_count!r}")
    if group is not None and group not in arrow.column_names:
        raise ParameterError(f"Expected group to name a column ({', '.join(arrow.column_names)}). Received: {group!r}")
    support = Support.of(arrow, group, 1 if exact else min_count)
    _enough(support, arrow.num_rows)
    dtypes = container.pandas_dtypes or {}
    columns = tuple(
        guess(Evidence(name, arrow[name], dtypes.get(name), support, exact, name == group))
        for name in arrow.column_names
    )
    return Schema(columns, group=group, min_count=support.min_count, container=container)


def _enough(support: Support, rows: int) -> None:
    found = support.count(np.ones(rows, bool))
    if found < 2 * support.min_count:
        what = "rows" if support.owners is None else "groups"
        raise SchemaError(
            f"Expected at least {2 * support.min_count} {what}. Received: {found}, too few to learn from."
        )


def guess(evidence: Evidence) -> Column:
    """The first answer of ``RULES``."""
    return next(column for rule in RULES if (column := rule(evidence)) is not None)


# --- rules ----------------------------------------------------------------------------------------------------------


def _always_null(e: Evidence) -> Column | None:
    return None if len(e.values) else Categorical(**e.facts())


def _boolean(e: Evidence) -> Column | None:
    return Boolean(**e.facts()) if pt.is_boolean(e.type) else None


def _group_key(e: Evidence) -> Column | None:
    if e.is_group and tables.is_text(e.type):
        return Identifier(**e.facts(), template=text_template(pa.chunked_array([pc.unique(e.values)])) or "{uuid}")
    if e.is_group and pt.is_integer(e.type):
        return Identifier(**e.facts(), template=number_template(np.unique(e.whole)) or "{sequence:1}")
    return None


def _category(e: Evidence) -> Column | None:
    """A dictionary says itself that it has levels and which; those nobody has are kept, they reveal nobody."""
    if not pt.is_dictionary(e.raw.type):
        return None
    stated = tables.plain(pa.chunked_array([_dictionary(e.raw)]))
    codes = pc.index_in(e.values, stated).to_numpy().astype(np.int64)
    return _categorical(e, stated.to_pylist(), codes, ordered=bool(e.raw.type.ordered))


def _text_key(e: Evidence) -> Column | None:
    if not tables.is_text(e.type) or not e.is_key():
        return None
    template = text_template(e.values)
    return None if template is None else Identifier(**e.facts(), template=template)


def _text_levels(e: Evidence) -> Column | None:
    if not tables.is_text(e.type):
        return None
    encoded = e.values.combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy().astype(np.int64)
    return _categorical(e, encoded.dictionary.to_pylist(), codes, ordered=None)


def _free_text(e: Evidence) -> Column | None:
    if not tables.is_text(e.type):
        return None
    bounds = _supported_bounds(e, pc.utf8_length(e.values).to_numpy().astype(np.int64), 0)
    shortest_, longest = (int(bounds[0]), int(bounds[1])) if bounds else (0, 0)
    return Text(**e.facts(), min_length=max(shortest_, 0), max_length=longest)


def _instant(e: Evidence) -> Column | None:
    if not pt.is_temporal(e.type):
        return None
    unit, zone = instants.unit(e.type), e.type.tz if pt.is_timestamp(e.type) else None
    counts = instants.counts(e.values).to_numpy()
    resolution = _resolution(e.support, counts, unit)
    step = instants.STEP[resolution] // instants.STEP[unit]
    # steps before and after: bounds go outward
    bounds = _supported_bounds(e, counts // step, 0), _supported_bounds(e, -(-counts // step), 0)
    if bounds[0] is None or bounds[1] is None:
        return Datetime(**e.facts(), open_share=1.0, resolution=resolution, time_zone=zone)
    low, high = int(bounds[0][0]), int(bounds[1][1])
    outside = np.count_nonzero((counts // step < low) | (-(-counts // step) > high))
    return Datetime(
        **e.facts(),
        lower=instants.to_iso(low, resolution, bool(zone)),
        upper=instants.to_iso(high, resolution, bool(zone)),
        open_share=e.open_share(int(outside)),
        resolution=resolution,
        time_zone=zone,
    )


def _whole_key(e: Evidence) -> Column | None:
    if not pt.is_integer(e.type) or not e.is_key() or not (_KEY_NAME.search(e.name) or _is_counter(e.whole)):
        return None
    template = number_template(e.whole)
    return None if template is None else Identifier(**e.facts(), template=template)


def _few_wholes(e: Evidence) -> Column | None:
    if not pt.is_integer(e.type):
        return None
    levels, codes = np.unique(e.whole, return_inverse=True)
    if levels.size > MAX_WHOLE_LEVELS or e.whole.size < MIN_ROWS_PER_LEVEL * levels.size:
        return None
    return _categorical(e, levels.tolist(), codes, ordered=False)


def _quantity(e: Evidence) -> Column:
    values = comparable(e.values)
    numbers = values.to_numpy()
    finite = ~np.isnan(numbers)
    numbers, support = numbers[finite], e.support.where(finite)
    decimals = e.type.scale if pt.is_decimal(e.type) else _decimals(support, numbers)
    bounds = _bounds(support, numbers, decimals, e.exact)
    if bounds is None:
        return Numeric(**e.facts(), open_share=1.0, decimals=decimals)
    low, high = _within_type(bounds, e.type)
    outside = np.count_nonzero((numbers < numbers.dtype.type(low)) | (numbers > numbers.dtype.type(high)))
    return Numeric(**e.facts(), lower=low, upper=high, open_share=e.open_share(int(outside)), decimals=decimals)


RULES: tuple[Rule, ...] = (
    _always_null,
    _boolean,
    _group_key,
    _category,
    _text_key,
    _text_levels,
    _free_text,
    _instant,
    _whole_key,
    _few_wholes,
    _quantity,
)


# --- levels ---------------------------------------------------------------------------------------------------------


def _dictionary(values: pa.ChunkedArray) -> pa.Array:
    return values.unify_dictionaries().chunk(0).dictionary


def _categorical(e: Evidence, levels: list[Any], codes: Array, ordered: bool | None) -> Column | None:
    """The levels with support, or None where too much would be left out; ``ordered`` None sorts them by value."""
    counts = e.support.counts(codes, len(levels))
    rare = (counts > 0) & (counts < e.support.min_count)
    folded = int(np.count_nonzero(rare[codes]))
    if folded > MAX_FOLDED * codes.size or counts.max() < e.support.min_count:
        return None
    kept = [level for level, out in zip(levels, rare.tolist(), strict=True) if not out]
    kept = sorted(kept) if ordered is None else kept
    return Categorical(**e.facts(), levels=tuple(kept), ordered=bool(ordered), open_share=e.open_share(folded))


# --- numbers --------------------------------------------------------------------------------------------------------


def _is_counter(values: Array) -> bool:
    """Whether distinct whole numbers (n,) are dense and either in order or counted from 0 or 1."""
    low, high = int(values.min()), int(values.max())
    if high - low >= 2 * values.size:
        return False
    steps = np.diff(values)
    return low in (0, 1) or bool(np.all(steps > 0) or np.all(steps < 0))


def _bounds(support: Support, values: Array, decimals: int | None, exact: bool) -> tuple[Decimal, Decimal] | None:
    """The supported extremes, rounded outward unless ``exact``; None where too few rows have a value."""
    if support.count(np.ones(values.size, bool)) < max(support.min_count, 1):
        return None
    ends = support.extremes(values)
    # where values are few, the fifth from below may lie above the fifth from above
    low, high = sorted(map(shortest, ends))
    return (low, high) if exact else outward(low, high, decimals)


def _supported_bounds(e: Evidence, values: Array, decimals: int | None) -> tuple[Decimal, Decimal] | None:
    return _bounds(e.support, values, decimals, e.exact)


def _within_type(bounds: tuple[Decimal, Decimal], type_: pa.DataType) -> tuple[int | float, int | float]:
    """Bounds as Python numbers: whole ones exactly, and never beyond what the type can hold."""
    if pt.is_integer(type_):
        info = np.iinfo(type_.to_pandas_dtype())
        return max(int(bounds[0]), int(info.min)), min(int(bounds[1]), int(info.max))
    return float(bounds[0]), float(bounds[1])


def _decimals(support: Support, values: Array) -> int | None:
    """The coarsest decimal grid all values (n,) lie on but fewer than min_count of them; None where there is none."""
    if values.dtype.kind == "i" or support.mostly(values == np.rint(values)):
        return -_trailing_zeros(support, values)
    # a float of 53 binary digits stands for a decimal only while all its digits fit
    room = 2.0 ** (np.finfo(values.dtype).nmant + 1)
    largest = float(np.max(np.abs(values), initial=0))
    for decimals in range(1, MAX_DECIMALS + 1):
        if largest * 10.0**decimals >= room:
            return None
        if support.mostly(np.round(values.astype(np.float64), decimals).astype(values.dtype) == values):
            return decimals
    return None


def _trailing_zeros(support: Support, values: Array) -> int:
    """The zeros at the end of every whole number (n,) but a few, with enough numbers other than 0 behind them."""
    zeros = 0
    while zeros < 18:
        multiple = values % 10 ** (zeros + 1) == 0
        if not support.mostly(multiple) or support.count(multiple & (values != 0)) < support.min_count:
            return zeros
        zeros += 1
    return zeros


def _resolution(support: Support, counts: Array, unit: str) -> str:
    """The coarsest resolution all instants (n,) but a few are multiples of."""
    coarser = [name for name, step in instants.STEP.items() if step >= instants.STEP[unit]]
    return next(name for name in coarser if support.mostly(counts % (instants.STEP[name] // instants.STEP[unit]) == 0))
