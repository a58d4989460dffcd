"""Tables larger than memory: read batch by batch, as often as wanted, never as a whole.

A table is large where it has more rows or bytes than the sample that is drawn of it; a smaller one would be its own
sample. A stream can be read once only, so what a large one brings is put into a temporary file first.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as pds
import pyarrow.parquet as pq
import pyarrow.types as pt

from synthvae.tables.checks import check_names, checked, guarded, problems, raise_all
from synthvae.tables.container import Container, notes_of
from synthvae.tables.csv import csv_types, typed_batches
from synthvae.tables.files import paths_in, same_columns, worth_keeping
from synthvae.tables.frames import default_dtype
from synthvae.tables.problem import Problems

SAMPLE_ROWS = 1_000_000  # of which a schema and codecs are learned: a level of 1 row in 100,000 has ten in it
SAMPLE_BYTES = 1 << 30  # of them in memory, at most
BATCH_ROWS = 65_536
FEW_ROWS = 2_000  # have no sample worth drawing
HEAD_ROWS = 10_000  # that tell how many bytes a row has
CSV_BYTES = 512 << 20  # of text; its rows are not known before it is read

Read = Callable[[Sequence[str]], Iterator[pa.RecordBatch]]  # some columns, in batches


@dataclass(frozen=True, eq=False)
class LargeTable:
    """A table by the way to read it. row_bytes: of a row in memory, about."""

    schema: pa.Schema
    rows: int
    row_bytes: float
    read: Read
    container: Container

    @property
    def sample_share(self) -> float:
        """The share of the rows that make a sample of at most SAMPLE_ROWS and SAMPLE_BYTES, about."""
        return min(1.0, min(SAMPLE_ROWS, SAMPLE_BYTES / max(self.row_bytes, 1.0)) / max(self.rows, 1))

    @property
    def is_large(self) -> bool:
        """Whether it is not its own sample; a few very long rows are read as a whole all the same."""
        return self.sample_share < 1.0 and self.rows > FEW_ROWS

    def batches(self, names: Sequence[str] | None = None) -> Iterator[tuple[int, pa.Table]]:
        """All rows in order, in tables of up to BATCH_ROWS with the number of their first row; names: these columns."""
        first = 0
        for batch in self.read(list(self.schema.names if names is None else names)):
            for start in range(0, batch.num_rows, BATCH_ROWS):
                yield first + start, pa.Table.from_batches([batch.slice(start, BATCH_ROWS)]).unify_dictionaries()
            first += batch.num_rows


@dataclass(frozen=True, eq=False)
class Scan:
    """What one pass over a large table finds: a uniform sample of its rows, in order, and of the whole the nulls.

    container: as ``tables.read`` gives it of a table in memory.
    """

    sample: pa.Table
    rows: int
    nulls: dict[str, int]
    container: Container


def scan(table: LargeTable, seed: int) -> Scan:
    """Sample a table, each row with the same chance and by itself; TableError lists what no table may hold.

    A row is drawn by a uniform of its own number, so the sample depends on the rows and the seed alone.
    """
    rng = np.random.default_rng([seed, 5])
    found, kept, rows = Problems(), [], 0
    nulls = dict.fromkeys(table.schema.names, 0)
    for first, batch in table.batches():
        found.add(problems(batch), first)
        kept.append(batch.filter(pa.array(rng.random(batch.num_rows) < table.sample_share)))
        rows += batch.num_rows
        for name in nulls:
            nulls[name] += batch[name].null_count
    raise_all(found.said)
    sample = checked(pa.concat_tables(kept, promote_options="permissive")).combine_chunks()
    return Scan(sample, rows, nulls, _container(table, nulls))


@contextmanager
def opened(table: object) -> Iterator[object]:
    """A table as it is, or, where it is larger than memory, as a LargeTable; what had to be kept on disk then goes."""
    with ExitStack() as stack:
        if isinstance(table, pa.RecordBatchReader):
            yield guarded(lambda: _of_stream(table, stack), "the reader")
            return
        paths = paths_in(table)
        found = _of_paths(paths) if paths else _of_dataset(table) if isinstance(table, pds.Dataset) else None
        yield found if found is not None and found.is_large else table


def _container(table: LargeTable, nulls: dict[str, int]) -> Container:
    if table.container.kind != "path":
        return table.container
    # the dtype of a column that never was in pandas depends on whether it has nulls
    like = {f.name: pa.chunked_array([pa.nulls(min(nulls[f.name], 1), f.type)]) for f in table.schema}
    return Container("path", {name: default_dtype(values) for name, values in like.items()})


# --- ways to read -----------------------------------------------------------------------------------------------------


def _of_paths(paths: Sequence[Path]) -> LargeTable | None:
    """None where the files had better be read as a whole, errors and all."""
    if not all(path.exists() for path in paths):
        return None
    endings = {path.suffix.lower() for path in paths}
    if endings <= {".parquet", ".pq"}:
        return guarded(lambda: _of_parquet(paths), ", ".join(map(str, paths[:3])))
    if endings == {".csv"} and sum(path.stat().st_size for path in paths) > CSV_BYTES:
        return guarded(lambda: _of_csv(paths), ", ".join(map(str, paths[:3])))
    return None


def _of_parquet(paths: Sequence[Path]) -> LargeTable:
    files = [pq.ParquetFile(path) for path in paths]
    schemas = [worth_keeping(file.schema_arrow) for file in files]
    same_columns(paths, [schema.names for schema in schemas])
    check_names(schemas[0].names)
    schema = pa.unify_schemas(schemas, promote_options="permissive")
    rows = sum(file.metadata.num_rows for file in files)
    for file in files:
        file.close()

    def read(names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        for path in paths:
            with pq.ParquetFile(path, pre_buffer=False) as file:
                for batch in file.iter_batches(BATCH_ROWS, columns=list(names)):
                    yield _cast(batch.select(list(names)), schema)

    return LargeTable(schema, rows, _row_bytes(read(schema.names)), read, Container("path"))


def _of_csv(paths: Sequence[Path]) -> LargeTable:
    schema, rows = csv_types(paths)

    def read(names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        for path in paths:
            yield from (batch.select(list(names)) for batch in typed_batches(path, schema))

    return LargeTable(schema, rows, _row_bytes(read(schema.names)), read, Container("path"))


def _of_dataset(dataset: pds.Dataset) -> LargeTable:
    check_names(dataset.schema.names)

    def read(names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        # little ahead of the reader: what is read ahead is memory
        yield from dataset.to_batches(
            columns=list(names), batch_size=BATCH_ROWS, batch_readahead=2, fragment_readahead=1
        )

    notes = notes_of(dataset.schema)
    return LargeTable(
        dataset.schema,
        dataset.count_rows(),
        _row_bytes(read(dataset.schema.names)),
        read,
        Container("arrow", notes=notes),
    )


def _of_stream(reader: pa.RecordBatchReader, stack: ExitStack) -> pa.Table | LargeTable:
    """The rows of a reader, as a table where they are few, else from a temporary file."""
    head: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in reader:
        head.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows > FEW_ROWS and (rows > SAMPLE_ROWS or size > SAMPLE_BYTES):
            break
    else:
        return pa.Table.from_batches(head, reader.schema)
    row_bytes = size / rows
    path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="synthvae-"))) / "stream.arrow"
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, reader.schema) as writer:
        for batch in head:
            writer.write_batch(batch)
        for batch in reader:
            writer.write_batch(batch)
            rows += batch.num_rows

    def read(names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as again:
            yield from (batch.select(list(names)) for batch in again)

    return LargeTable(reader.schema, rows, row_bytes, read, Container("arrow", notes=notes_of(reader.schema)))


def _row_bytes(batches: Iterator[pa.RecordBatch]) -> float:
    """Of the first rows in memory."""
    rows = size = 0
    for batch in batches:
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= HEAD_ROWS:
            break
    return size / max(rows, 1)


def _cast(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """A batch of one file in the types of all of them."""
    arrays = []
    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        wanted = schema.field(name).type
        same = values.type == wanted or pt.is_dictionary(wanted)
        arrays.append(values if same else values.cast(wanted))
    return pa.record_batch(arrays, names=batch.schema.names)
