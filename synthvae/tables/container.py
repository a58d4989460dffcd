"""The kind of table that came in, and the way back to it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.dataset as pds

from synthvae.errors import TableError
from synthvae.tables.checks import checked, guarded
from synthvae.tables.discreet import csv_as_text, frame_as_text, tamed, wordless
from synthvae.tables.files import paths_in, read_paths
from synthvae.tables.frames import default_dtype, dtype_text, from_pandas, series_of, to_polars

Kind = Literal["pandas", "arrow", "polars", "path"]
ACCEPTED = "a pandas, polars or Arrow table, or a path to .parquet or .csv"


@runtime_checkable
class ArrowStream(Protocol):
    """Whatever hands its rows over as an Arrow C stream."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


@dataclass(frozen=True)
class Container:
    """The kind of table that was read; ``pandas_dtypes`` says how each column is given back in pandas.

    ``notes`` is the metadata of an Arrow table, text by text: its own under "", and those of its fields by their name.
    """

    kind: Kind
    pandas_dtypes: dict[str, str] | None = None
    notes: dict[str, dict[str, str]] | None = None


def read(table: object) -> tuple[pa.Table, Container]:
    """Read a table into Arrow; TableError lists everything in it that no table may hold."""
    if isinstance(table, pd.DataFrame):
        arrow = checked(from_pandas(table))
        return arrow, Container("pandas", {name: dtype_text(table[name].dtype) for name in table.columns})
    paths = paths_in(table)
    if paths:
        arrow = checked(read_paths(paths))
        return arrow, Container("path", {name: default_dtype(arrow[name]) for name in arrow.column_names})
    arrow, kind = _from_arrow(table)
    return checked(arrow), Container(kind, notes=notes_of(arrow.schema) if kind == "arrow" else None)


def read_discreetly(table: object) -> tuple[pa.Table, Container, tuple[str, ...]]:
    """The same where no error, type, dtype or note may follow from single rows, and the columns that are text because
    nothing declares what they are."""
    if isinstance(table, pd.DataFrame):
        arrow, untyped = frame_as_text(table)
        return (
            tamed(arrow),
            Container("pandas", {name: dtype_text(table[name].dtype) for name in table.columns}),
            untyped,
        )
    paths = paths_in(table)
    if any(path.suffix.lower() == ".csv" for path in paths):
        arrow = csv_as_text(paths)
        return tamed(arrow), Container("path"), tuple(arrow.column_names)
    if paths:
        arrow = tamed(wordless(lambda: read_paths(paths), "the files"))
        dtypes = {name: default_dtype(arrow[name].slice(0, 0)) for name in arrow.column_names}
        return arrow, Container("path", dtypes), ()
    if _typed_by_its_rows(table):
        raise TableError(
            "Expected, under a budget, the path of a CSV file, or rows whose types are declared. Received: an Arrow "
            f"{type(table).__name__} of text files, whose types were guessed from the rows."
        )
    arrow, kind = _from_arrow(table)
    return tamed(arrow), Container(kind), ()


def _typed_by_its_rows(table: object) -> bool:
    if isinstance(table, pds.UnionDataset):
        return any(map(_typed_by_its_rows, table.children))
    if isinstance(table, pds.FileSystemDataset):
        return isinstance(table.format, pds.CsvFileFormat | pds.JsonFileFormat)
    return isinstance(table, pcsv.CSVStreamingReader)


def restore(table: pa.Table, container: Container, index: pd.Index | None = None) -> object:
    """Give an Arrow table back as the kind of table that was read (paths: pandas).

    ``index`` (n,) becomes the index of a pandas result. A column without a dtype in ``container`` gets the nearest.
    """
    if container.kind == "arrow":
        return _noted(table, container.notes or {})
    if container.kind == "polars":
        return to_polars(table)
    dtypes = container.pandas_dtypes or {}
    columns = {
        name: series_of(table[name], dtypes.get(name) or default_dtype(table[name])) for name in table.column_names
    }
    frame = pd.DataFrame(columns, columns=table.column_names)
    return frame if index is None else frame.set_axis(index, axis="index")


def notes_of(schema: pa.Schema) -> dict[str, dict[str, str]] | None:
    """Metadata that are text; what pandas notes of an index is no longer true of rows that are made."""
    found = {"": _texts(schema.metadata)} | {field.name: _texts(field.metadata) for field in schema if field.name}
    return {name: notes for name, notes in found.items() if notes} or None


def _texts(metadata: dict[bytes, bytes] | None) -> dict[str, str]:
    made = {}
    for key, value in (metadata or {}).items():
        if key not in (b"pandas", b"ARROW:schema"):
            with suppress(UnicodeDecodeError):
                made[key.decode()] = value.decode()
    return made


def _noted(table: pa.Table, notes: dict[str, dict[str, str]]) -> pa.Table:
    fields = [field.with_metadata(notes.get(field.name)) if field.name else field for field in table.schema]
    return table.cast(pa.schema(fields, notes.get(""))) if notes else table


def _from_arrow(table: object) -> tuple[pa.Table, Kind]:
    if isinstance(table, pa.Table):
        return table, "arrow"
    reader = _reader(table)
    if reader is not None:
        kind: Kind = "polars" if type(table).__module__.split(".")[0] == "polars" else "arrow"
        return guarded(reader, f"the {type(table).__name__}"), kind
    name = f"{type(table).__module__.split('.')[0]}.{type(table).__name__}"
    advice = "; call .collect() first" if type(table).__name__ == "LazyFrame" else "; pass pandas.DataFrame(...) of it"
    raise TableError(f"Expected {ACCEPTED}. Received: {name}{advice}.")


def _reader(table: object) -> Callable[[], pa.Table] | None:
    """How to read what is no table yet but can become one."""
    if isinstance(table, pds.Dataset):
        return lambda: table.to_table()
    if isinstance(table, pa.RecordBatchReader):
        return lambda: table.read_all()
    if isinstance(table, pa.RecordBatch):
        return lambda: pa.Table.from_batches([table])
    return (lambda: pa.table(table)) if isinstance(table, ArrowStream) else None
