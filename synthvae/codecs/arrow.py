"""The few Arrow habits codecs share."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from synthvae.codecs.base import BoolArray
from synthvae.tables import arrow_type, plain


def as_array(values: pa.ChunkedArray) -> pa.Array:
    """One contiguous array in a layout every kernel knows: no dictionary, text as large_string, halves as float."""
    bare = plain(values)
    return bare.chunk(0) if bare.num_chunks == 1 else bare.combine_chunks()


def null_mask(array: pa.Array) -> BoolArray:
    """(n,) True where the value is null (NaN is not)."""
    if array.null_count == 0:
        return np.zeros(len(array), bool)
    return np.asarray(array.is_null().to_numpy(zero_copy_only=False))


def value_type(arrow: str) -> pa.DataType:
    """The Arrow type of a column's values, inside the dictionary where there is one."""
    type_ = arrow_type(arrow)
    return type_.value_type if pa.types.is_dictionary(type_) else type_


def as_type(array: pa.Array, arrow: str) -> pa.Array:
    """Values in the column's Arrow type, put into a dictionary where it wants one."""
    type_ = arrow_type(arrow)
    if not pa.types.is_dictionary(type_):
        return array.cast(type_)
    coded = array.dictionary_encode()
    return pa.DictionaryArray.from_arrays(
        coded.indices.cast(type_.index_type), coded.dictionary.cast(type_.value_type), ordered=type_.ordered
    )
