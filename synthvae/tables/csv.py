"""CSV files too large to be read at once: types found block by block, by the rules for a file in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.types as pt

from synthvae.tables.checks import check_names
from synthvae.tables.files import empty_text_is_null, read_csv, same_columns

BLOCK_BYTES = 32 << 20


def csv_types(paths: Sequence[Path]) -> tuple[pa.Schema, int]:
    """The types that hold every block of the files, and the number of rows: one pass."""
    names = [pcsv.open_csv(path, read_options=_blocks()).schema.names for path in paths]
    same_columns(paths, names)
    check_names(names[0])
    types, rows = [pa.null()] * len(names[0]), 0
    for path in paths:
        for texts in pcsv.open_csv(path, _blocks(), _whole_rows(), _as(dict.fromkeys(names[0], pa.string()))):
            rows += texts.num_rows
            written = pa.BufferOutputStream()
            pcsv.write_csv(texts, written)
            types = [_wider(*both) for both in zip(types, read_csv(written.getvalue()).schema.types, strict=True)]
    return pa.schema(list(zip(names[0], types, strict=True))), rows


def typed_batches(path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows of a file in types that hold them."""
    types = {field.name: field.type for field in schema}
    for batch in pcsv.open_csv(path, _blocks(), _whole_rows(), _as(types)):
        yield from empty_text_is_null(pa.Table.from_batches([batch])).to_batches()


def _blocks() -> pcsv.ReadOptions:
    return pcsv.ReadOptions(block_size=BLOCK_BYTES)


def _whole_rows() -> pcsv.ParseOptions:
    return pcsv.ParseOptions(newlines_in_values=True)  # a block never ends inside a quoted value


def _as(types: dict[str, pa.DataType]) -> pcsv.ConvertOptions:
    return pcsv.ConvertOptions(column_types=types)


def _wider(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """A type for the values of both blocks: numbers stay numbers, what else differs is text."""
    if one == other or pt.is_null(other):
        return one
    if pt.is_null(one):
        return other
    numbers = {pa.int64(), pa.float64()}
    return pa.float64() if {one, other} == numbers else pa.string()
