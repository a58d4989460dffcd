"""A column prepared for looking at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from synthvae.evaluation.cells import REAL, Cells
from synthvae.evaluation.profile.finding import counted
from synthvae.evaluation.sides import Array
from synthvae.schema import instants
from synthvae.schema.columns import Categorical, Column
from synthvae.schema.support import Support
from synthvae.schema.written import meaning, meant
from synthvae.tables import is_text


@dataclass(frozen=True, eq=False)
class Look:
    """One column (n rows) in the layout every kernel knows, and whose rows they are."""

    column: Column
    values: pa.ChunkedArray
    support: Support

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def rows(self) -> int:
        return len(self.values)

    @cached_property
    def missing(self) -> Array:
        """(n,) where a value is null or NaN."""
        return np.asarray(pc.is_null(self.values, nan_is_null=True))

    @cached_property
    def known(self) -> pa.ChunkedArray:
        """The values that are there."""
        return self.values.filter(pa.array(~self.missing)) if self.missing.any() else self.values

    @cached_property
    def cells(self) -> Cells:
        """The same for the rest of this room; NaN is null there."""
        values = meant(self.values, self.column) if self.is_text else self.values
        if pt.is_floating(values.type):
            values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
        return Cells(meaning(self.column) if self.is_text else self.column, {REAL: values})

    @property
    def is_text(self) -> bool:
        return is_text(self.values.type)

    @property
    def is_time(self) -> bool:
        return bool(pt.is_timestamp(self.values.type) or pt.is_date(self.values.type))

    @property
    def is_number(self) -> bool:
        type_ = self.values.type
        return bool(pt.is_integer(type_) or pt.is_floating(type_) or pt.is_decimal(type_))

    @cached_property
    def numbers(self) -> Array:
        """Known numbers as float64, instants as seconds since 1970."""
        known = self.known
        if self.is_time:
            seconds = instants.STEP[instants.unit(known.type)] / 1e9
            return np.asarray(instants.counts(known).to_numpy()) * seconds
        return np.asarray(known.cast(pa.float64(), safe=False).to_numpy())

    @cached_property
    def distinct(self) -> tuple[pa.Array, Array]:
        """Each known value once, and the number of its rows."""
        values = self._encoded.dictionary
        counts = np.bincount(self.codes, minlength=len(values))
        known = ~np.asarray(pc.is_null(values, nan_is_null=True))
        return values.filter(pa.array(known)), counts[known]

    @cached_property
    def codes(self) -> Array:
        """(n,) one number per distinct value, null being one."""
        return np.asarray(self._encoded.indices)

    @cached_property
    def _encoded(self) -> pa.DictionaryArray:
        return self.values.combine_chunks().dictionary_encode(null_encoding="encode")

    @property
    def is_code(self) -> bool:
        """Whether its numbers are names of levels."""
        return isinstance(self.column, Categorical)

    def mask(self, of_known: Array) -> Array:
        """(n,) from a mask over the known values."""
        made = np.zeros(self.rows, bool)
        made[~self.missing] = of_known
        return made

    def told(self, mask: Array, what: str = "values") -> str:
        """How many rows of ``mask`` (n,) there are, in words."""
        return counted(int(mask.sum()), self.rows, self.support.min_count, what, self.support.count(mask))

    def supported(self, mask: Array) -> bool:
        """Whether enough rows (or owners) are in ``mask`` (n,) to speak of its values."""
        return self.support.count(mask) >= self.support.min_count
