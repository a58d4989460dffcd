"""When a column is of which kind: ``RULES`` are asked in order and the first that answers decides.

Nothing of one person enters a schema: every bound, level, length and grid has at least ``min_count`` rows (groups of
rows) behind it, see ``support.py``. ``BY_KIND`` are the rules of a column whose kind somebody has said.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from synthvae import tables
from synthvae.schema import instants
from synthvae.schema.check import comparable
from synthvae.schema.columns import Boolean, Categorical, Column, Datetime, Identifier, Numeric, Personal, Text
from synthvae.schema.evidence import MIN_KEY_ROWS, Evidence
from synthvae.schema.formats import Written, moment_format_of, number_format_of
from synthvae.schema.measures import bounds_of, decimals_of, is_counter, resolution_of, within_type
from synthvae.schema.personal import KEYS, personal_data
from synthvae.schema.support import Array, share
from synthvae.schema.templates import number_template, text_template

MAX_FOLDED = 0.2  # beyond this share of rare values a column has no levels worth naming
MAX_WHOLE_LEVELS = 20  # more distinct whole numbers than this are a quantity
MIN_ROWS_PER_LEVEL = 10
_KEY_NAME = re.compile(r"(?i:(^|[_ .-])(id|uuid|guid|key|code|no|nr)s?$)|[a-z0-9](Id|ID|Uuid|UUID|Guid|GUID|Key)s?$")
# Names of numbers that are names: a mean of them says nothing.
_CODE_NAME = re.compile(r"(?i:(^|[_ .-])(zip|zip_?codes?|post_?codes?|postal|plz|fips|codes?)$)|[a-z](Zip|Code)$")
_NAMES_SOMEBODY = re.compile(r"(?i:(^|[_ .-])(id|uuid|guid)s?$)|[a-z0-9](Id|ID|Uuid|UUID|Guid|GUID)s?$")
ROWS_PER_KEY = 10  # a name that more rows share, in the mean, is a level
Rule = Callable[[Evidence], Column | None]


def always_null(e: Evidence) -> Column | None:
    return None if len(e.values) else Categorical(**e.facts())


def _boolean(e: Evidence) -> Column | None:
    return Boolean(**e.facts()) if pt.is_boolean(e.type) else None


def _group_key(e: Evidence) -> Column | None:
    if e.is_group and tables.is_text(e.type):
        return Identifier(**e.facts(), template=text_template(pa.chunked_array([pc.unique(e.values)])) or "{uuid}")
    if e.is_group and pt.is_integer(e.type):
        return Identifier(**e.facts(), template=_number_template(np.unique(e.whole), e.type) or "{sequence:1}")
    return None


def _category(e: Evidence) -> Column | None:
    """A dictionary says itself that it has levels and which; those nobody has are kept, they reveal nobody."""
    if not pt.is_dictionary(e.raw.type):
        return None
    stated = tables.plain(pa.chunked_array([tables.levels(e.raw)])).combine_chunks()
    codes = pc.index_in(e.values, stated).to_numpy().astype(np.int64)
    return _categorical(e, stated, codes, ordered=bool(e.raw.type.ordered))


def _personal(e: Evidence) -> Column | None:
    return _persons(e, levels=True)


def _personal_text(e: Evidence) -> Column | None:
    """What is neither key nor level may be personal all the more."""
    return _persons(e, levels=False)


def _persons(e: Evidence, levels: bool) -> Column | None:
    if not tables.is_text(e.type) or e.is_group:
        return None
    distinct = pc.unique(e.values)
    found = personal_data(e.name, distinct, levels)
    if found is None:
        return None
    alone = found.category in KEYS and len(distinct) == len(e.values)
    return Personal(**e.facts(), category=found.category, locale=found.locale, unique=alone)


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
    return _moments(e) if pt.is_temporal(e.type) and not pt.is_duration(e.type) else None


def _moments(e: Evidence) -> Datetime:
    unit, zone = instants.unit(e.type), e.type.tz if pt.is_timestamp(e.type) else None
    counts = instants.counts(e.values).to_numpy()
    resolution = resolution_of(e.support, counts, unit)
    step = instants.STEP[resolution] // instants.STEP[unit]
    # steps before and after: bounds go outward
    bounds = bounds_of(e.support, counts // step, 0, e.exact), bounds_of(e.support, -(-counts // step), 0, e.exact)
    if bounds[0] is None or bounds[1] is None:
        return Datetime(**e.facts(), open_share=1.0, resolution=resolution, time_zone=zone)
    low, high = int(bounds[0][0]), int(bounds[1][1])
    if pt.is_time(e.type):
        low, high = max(low, 0), min(high, instants.STEP["D"] // instants.STEP[resolution])
    outside = np.count_nonzero((counts // step < low) | (-(-counts // step) > high))
    return Datetime(
        **e.facts(),
        lower=_moment_text(low, resolution, e.type),
        upper=_moment_text(high, resolution, e.type),
        open_share=e.open_share(int(outside)),
        resolution=resolution,
        time_zone=zone,
    )


def _moment_text(count: int, resolution: str, type_: pa.DataType) -> str:
    if pt.is_time(type_):
        return instants.to_clock(count, resolution)
    return instants.to_iso(count, resolution, pt.is_timestamp(type_) and bool(type_.tz))


def _written_moment(e: Evidence) -> Column | None:
    """Dates and instants that are text, and stay text."""
    found = moment_format_of(e.values, e.support) if tables.is_text(e.type) else None
    if found is None:
        return None
    column = _moments(e.meaning(found.values))
    zone = "UTC" if found.format.endswith(("Z", "+00:00")) else None
    lower, upper = (f"{end}Z" if zone and end and "T" in end else end for end in (column.lower, column.upper))
    told = {"lower": lower, "upper": upper, "time_zone": zone, "format": found.format, "marker": found.marker}
    return replace(column, **e.facts() | told)


def _written_number(e: Evidence) -> Column | None:
    """Numbers that are text, and stay text: many of them, no keys and no codes."""
    if not tables.is_text(e.type) or _CODE_NAME.search(e.name) or _KEY_NAME.search(e.name):
        return None
    distinct = pc.unique(e.values)
    if len(distinct) <= MAX_WHOLE_LEVELS or _equally_long_digits(distinct):
        return None
    found = number_format_of(e.values, e.support)
    if found is None or (e.is_key() and pt.is_integer(found.values.type)):
        return None
    return _written(e, found)


def _written(e: Evidence, found: Written) -> Numeric:
    inside = _quantity(e.meaning(found.values))
    return replace(inside, **e.facts(), format=found.format, marker=found.marker)


def _equally_long_digits(distinct: pa.Array) -> bool:
    """Whether text looks like codes, such as postcodes: digits, as many in each."""
    digits = distinct.filter(pc.match_substring_regex(distinct, r"^\d{3,}$"))
    return len(digits) >= len(distinct) - 1 and len(pc.unique(pc.utf8_length(digits))) == 1


def _whole_key(e: Evidence) -> Column | None:
    if not pt.is_integer(e.type) or not e.is_key() or not (_KEY_NAME.search(e.name) or is_counter(e.whole)):
        return None
    template = _number_template(e.whole, e.type)
    return None if template is None else Identifier(**e.facts(), template=template)


def _number_template(values: Array, type_: pa.DataType) -> str | None:
    """The template of distinct whole numbers that the type can hold."""
    return number_template(values, len(str(np.iinfo(type_.to_pandas_dtype()).max)) - 1)


def _repeated_key(e: Evidence) -> Column | None:
    """A name of somebody that comes back in a few rows: a house sold twice, a customer's orders."""
    whole, n = pt.is_integer(e.type), len(e.values)
    if not (whole or tables.is_text(e.type)) or not _NAMES_SOMEBODY.search(e.name) or n < MIN_KEY_ROWS:
        return None
    distinct = pc.unique(e.values)
    if len(distinct) < MIN_KEY_ROWS or len(distinct) * ROWS_PER_KEY < n or (e.is_key() and not e.raw.null_count):
        return None
    chunked = pa.chunked_array([distinct])
    numbers = distinct.cast(pa.int64()).to_numpy() if whole else None
    template = text_template(chunked) if numbers is None else _number_template(numbers, e.type)
    fallback = "{sequence:1}" if whole else "{uuid}"
    repeats = share(max(n - len(distinct), e.support.min_count), n)
    return Identifier(**e.facts(), template=template or fallback, repeats=repeats)


def _codes(e: Evidence) -> Column | None:
    """Whole numbers whose name says that they are names: postcodes."""
    if not pt.is_integer(e.type) or not _CODE_NAME.search(e.name):
        return None
    levels, codes = np.unique(e.whole, return_inverse=True)
    return _categorical(e, pa.array(levels), codes, ordered=False)


def _few_wholes(e: Evidence) -> Column | None:
    if not pt.is_integer(e.type):
        return None
    levels, codes = np.unique(e.whole, return_inverse=True)
    if levels.size > MAX_WHOLE_LEVELS or codes.size < MIN_ROWS_PER_LEVEL * levels.size:
        return None
    return _categorical(e, pa.array(levels), codes, ordered=False)


def _quantity(e: Evidence) -> Numeric:
    values = comparable(e.values)
    numbers = values.to_numpy()
    numbers = numbers.astype(np.float16) if pt.is_float16(e.raw.type) else numbers
    finite = ~np.isnan(numbers)
    numbers, support = numbers[finite], e.support.where(finite)
    decimals = e.type.scale if pt.is_decimal(e.type) else decimals_of(support, numbers)
    bounds = bounds_of(support, numbers, decimals, e.exact)
    if bounds is None:
        return Numeric(**e.facts(), open_share=1.0, decimals=decimals)
    low, high = within_type(bounds, pa.int64() if pt.is_duration(e.type) else e.type)
    outside = np.count_nonzero((numbers < numbers.dtype.type(low)) | (numbers > numbers.dtype.type(high)))
    return Numeric(**e.facts(), lower=low, upper=high, open_share=e.open_share(int(outside)), decimals=decimals)


def _any_number(e: Evidence) -> Column | None:
    if tables.is_text(e.type):
        found = number_format_of(e.values, e.support)
        return None if found is None else _written(e, found)
    numbers = pt.is_integer(e.type) or pt.is_floating(e.type) or pt.is_decimal(e.type) or pt.is_duration(e.type)
    return _quantity(e) if numbers else None


def _any_levels(e: Evidence) -> Column | None:
    if not (pt.is_integer(e.type) or pt.is_floating(e.type)):
        return None
    levels, codes = np.unique(e.values.to_numpy(), return_inverse=True)
    return _categorical(e, pa.array(levels), codes, ordered=False)


def _any_key(e: Evidence) -> Column | None:
    """A key whatever its shape."""
    distinct = pc.unique(e.values)
    if tables.is_text(e.type):
        template = text_template(pa.chunked_array([distinct])) or "{uuid}"
    elif pt.is_integer(e.type):
        template = _number_template(distinct.cast(pa.int64()).to_numpy(), e.type) or "{sequence:1}"
    else:
        return None
    again = len(e.values) - len(distinct)
    repeats = share(max(again, e.support.min_count), len(e.values)) if again else 0.0
    return Identifier(**e.facts(), template=template, repeats=min(repeats, 0.9999))


# What a column is once somebody has said its kind.
BY_KIND: dict[str, tuple[Rule, ...]] = {
    Numeric.kind: (_any_number,),
    Categorical.kind: (_category, _text_levels, _any_levels),
    Boolean.kind: (_boolean,),
    Datetime.kind: (_instant, _written_moment),
    Identifier.kind: (_group_key, _any_key),
    Text.kind: (_free_text,),
}
RULES: tuple[Rule, ...] = (
    always_null,
    _boolean,
    _group_key,
    _category,
    _personal,
    _written_moment,
    _written_number,
    _text_key,
    _repeated_key,
    _text_levels,
    _personal_text,
    _free_text,
    _instant,
    _whole_key,
    _codes,
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
