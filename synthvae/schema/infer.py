"""What a column means, guessed from its values: the only file that guesses.

``RULES`` are asked in order and the first that answers decides. Nothing of one person enters a schema: every bound,
level, length and grid has at least ``min_count`` rows (groups of rows) behind it, see ``support.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
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
from synthvae.schema.measures import bounds_of, decimals_of, is_counter, resolution_of, within_type
from synthvae.schema.propose import propose
from synthvae.schema.schema import Schema
from synthvae.schema.support import Array, Support, share
from synthvae.schema.templates import number_template, text_template

MAX_FOLDED = 0.2  # beyond this share of rare values a column has no levels worth naming
MIN_KEY_ROWS = 20  # fewer distinct values may be distinct by chance
MAX_WHOLE_LEVELS = 20  # more distinct whole numbers than this are a quantity
MIN_ROWS_PER_LEVEL = 10
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


def infer_schema(
    table: object, *, min_count: int = 5, exact: bool = False, group: str | None = None, rules: bool = True
) -> Schema:
    """Guess the schema of a table.

    ``group`` names the column that says who a row belongs to; ``min_count`` then counts groups. ``exact`` writes true
    bounds and every level down, single rows included. ``rules``: also look for rules between columns; those beyond
    doubt become constraints, others proposals, see ``propose``. SchemaError where there are too few rows to learn from.
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
    constraints, proposals = propose(columns, arrow, support.min_count) if rules else ((), ())
    return Schema(columns, group, support.min_count, container, constraints, proposals)


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
    stated = tables.plain(pa.chunked_array([tables.levels(e.raw)])).combine_chunks()
    codes = pc.index_in(e.values, stated).to_numpy().astype(np.int64)
    return _categorical(e, stated, codes, ordered=bool(e.raw.type.ordered))


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
    return _categorical(e, encoded.dictionary, codes, ordered=None)


def _free_text(e: Evidence) -> Column | None:
    if not tables.is_text(e.type):
        return None
    bounds = bounds_of(e.support, pc.utf8_length(e.values).to_numpy().astype(np.int64), 0, e.exact)
    shortest_, longest = (int(bounds[0]), int(bounds[1])) if bounds else (0, 0)
    return Text(**e.facts(), min_length=max(shortest_, 0), max_length=longest)


def _instant(e: Evidence) -> Column | None:
    if not pt.is_temporal(e.type):
        return None
    unit, zone = instants.unit(e.type), e.type.tz if pt.is_timestamp(e.type) else None
    counts = instants.counts(e.values).to_numpy()
    resolution = resolution_of(e.support, counts, unit)
    step = instants.STEP[resolution] // instants.STEP[unit]
    # steps before and after: bounds go outward
    bounds = bounds_of(e.support, counts // step, 0, e.exact), bounds_of(e.support, -(-counts // step), 0, e.exact)
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
    if not pt.is_integer(e.type) or not e.is_key() or not (_KEY_NAME.search(e.name) or is_counter(e.whole)):
        return None
    template = number_template(e.whole)
    return None if template is None else Identifier(**e.facts(), template=template)


def _few_wholes(e: Evidence) -> Column | None:
    if not pt.is_integer(e.type):
        return None
    levels, codes = np.unique(e.whole, return_inverse=True)
    if levels.size > MAX_WHOLE_LEVELS or e.whole.size < MIN_ROWS_PER_LEVEL * levels.size:
        return None
    return _categorical(e, pa.array(levels), codes, ordered=False)


def _quantity(e: Evidence) -> Column:
    values = comparable(e.values)
    numbers = values.to_numpy()
    numbers = numbers.astype(np.float16) if pt.is_float16(e.raw.type) else numbers
    finite = ~np.isnan(numbers)
    numbers, support = numbers[finite], e.support.where(finite)
    decimals = e.type.scale if pt.is_decimal(e.type) else decimals_of(support, numbers)
    bounds = bounds_of(support, numbers, decimals, e.exact)
    if bounds is None:
        return Numeric(**e.facts(), open_share=1.0, decimals=decimals)
    low, high = within_type(bounds, e.type)
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


def _categorical(e: Evidence, levels: pa.Array, codes: Array, ordered: bool | None) -> Column | None:
    """The levels with support, or None where too much would be left out; ``ordered`` None sorts them by value."""
    counts = e.support.counts(codes, len(levels))
    rare = (counts > 0) & (counts < e.support.min_count)
    folded = int(np.count_nonzero(rare[codes]))
    if folded > MAX_FOLDED * codes.size or counts.max() < e.support.min_count:
        return None
    kept = levels.filter(pa.array(~rare)).to_pylist()
    kept = sorted(kept) if ordered is None else kept
    return Categorical(**e.facts(), levels=tuple(kept), ordered=bool(ordered), open_share=e.open_share(folded))
