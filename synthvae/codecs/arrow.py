"""The few Arrow habits codecs share."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.codecs.base import Block, BoolArray, IntArray
from synthvae.tables import arrow_type, plain

# Of a column of which only the gaps are learned: 0 null, 1 a value.
PRESENCE = Block(2, np.ones(2, bool), np.zeros((2, 0), np.float32))


def presence(values: pa.ChunkedArray) -> IntArray:
    """Values (n,) -> (n, 1) int32, 0 where null."""
    return np.asarray(values.is_valid().to_numpy(zero_copy_only=False)).astype(np.int32)[:, None]


def without(array: pa.Array, missing: BoolArray) -> pa.Array:
    """The values (n,), null where ``missing``."""
    return pc.if_else(pa.array(missing), pa.scalar(None, array.type), array) if missing.any() else array


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
