"""Parquet and CSV files, and folders and lists of them, read as Arrow tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pyarrow.types as pt

from synthvae.errors import TableError
from synthvae.tables.checks import check_names, guarded
from synthvae.tables.types import is_text

_DOUBTFUL = (pt.is_temporal, pt.is_integer, pt.is_floating)


def paths_in(table: object) -> list[Path]:
    """The files meant: one path, several, or a folder of Parquet files; nothing where ``table`` is no path."""
    if isinstance(table, (list, tuple)) and table and all(isinstance(part, (str, Path)) for part in table):
        return [path for part in table for path in paths_in(part)]
    if not isinstance(table, (str, Path)):
        return []
    path = Path(table)
    if not path.is_dir():
        return [path]
    found = sorted(path.glob("*.parquet"))
    if not found:
        raise TableError(f"Expected Parquet files in the folder {path}. Received: none; pass CSV files as a list.")
    return found


def read_paths(paths: Sequence[Path]) -> pa.Table:
    """The rows of all files under each other; TableError unless they have the same columns."""
    tables = [_from_path(path) for path in paths]
    same_columns(paths, [table.column_names for table in tables])
    if len(tables) == 1:
        return tables[0]
    return guarded(lambda: pa.concat_tables(tables, promote_options="permissive"), "the files together")


def _from_path(path: Path) -> pa.Table:
    if not path.exists():
        raise TableError(f"Expected a file. Received: {path}, which does not exist.")
    match path.suffix.lower():
        case ".parquet" | ".pq":
            return guarded(lambda: _read_parquet(path), str(path))
        case ".csv":
            return guarded(lambda: read_csv(path), str(path))
    raise TableError(f"Expected a .parquet or .csv file. Received: {path}.")


def _read_parquet(path: Path) -> pa.Table:
    file = pq.ParquetFile(path)
    keep = worth_keeping(file.schema_arrow).names
    return file.read(keep) if len(keep) < len(file.schema_arrow.names) else file.read()


def worth_keeping(schema: pa.Schema) -> pa.Schema:
    """The fields that are columns: pandas stores an index under a name that no table had as a column."""
    return pa.schema([field for field in schema if not re.fullmatch(r"__index_level_\d+__", field.name)])


def same_columns(paths: Sequence[Path], names: Sequence[Sequence[str]]) -> None:
    """TableError unless all files have the columns of the first."""
    for path, own in zip(paths, names, strict=True):
        if list(own) != list(names[0]):
            raise TableError(f"Expected the same columns in every file. {path} differs from {paths[0]}.")


def read_csv(source: Path | pa.Buffer) -> pa.Table:
    """One block, so that types are inferred from all rows; what a type would alter stays text.

    That is clock times, instants that would be written otherwise, numbers with leading zeros, and whole numbers too
    large for int64.
    """
    options = one_block(source)
    table = pcsv.read_csv(_file(source), read_options=options)
    check_names(table.column_names)
    doubtful = [f.name for f in table.schema if any(is_it(f.type) for is_it in _DOUBTFUL)]
    if doubtful:
        convert = pcsv.ConvertOptions(include_columns=doubtful, column_types=dict.fromkeys(doubtful, pa.string()))
        texts = pcsv.read_csv(_file(source), read_options=options, convert_options=convert)
        for name in doubtful:
            if _stays_text(table[name], texts[name]):
                table = table.set_column(table.column_names.index(name), name, texts[name])
    return empty_text_is_null(table)


def one_block(source: Path | pa.Buffer) -> pcsv.ReadOptions:
    """Options that read all of a file at once, up to a GiB."""
    size = source.stat().st_size if isinstance(source, Path) else source.size
    return pcsv.ReadOptions(block_size=min(max(size + 1, 1024), 2**30))


def _file(source: Path | pa.Buffer) -> Path | pa.BufferReader:
    return source if isinstance(source, Path) else pa.BufferReader(source)


def _stays_text(values: pa.ChunkedArray, texts: pa.ChunkedArray) -> bool:
    type_ = values.type
    if pt.is_date(type_) or pt.is_timestamp(type_):
        # written again, it would be another text
        return not bool(pc.all(pc.equal(values.cast(pa.string()), texts)).as_py())
    if pt.is_integer(type_):
        return bool(pc.any(pc.match_substring_regex(texts, r"^[+-]?0\d")).as_py())
    if pt.is_floating(type_):
        return bool(pc.all(pc.match_substring_regex(texts, r"^[+-]?\d*$")).as_py())
    return True


def empty_text_is_null(table: pa.Table) -> pa.Table:
    """Text with no character in it is null; UnicodeError where text is none."""
    for place, field in enumerate(table.schema):
        if pt.is_binary(field.type):
            raise UnicodeError("text that is not UTF-8")
        if is_text(field.type):
            values = table[field.name]
            values = pc.if_else(pc.equal(values, ""), pa.scalar(None, field.type), values)
            table = table.set_column(place, field.name, values)
    return table
