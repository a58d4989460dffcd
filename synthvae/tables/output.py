"""Arrow batches -> Parquet or CSV: a whole file or none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from synthvae.errors import OutputError
from synthvae.files import complete, told
from synthvae.tables.types import plain


def write(batches: Iterable[pa.RecordBatch], path: str | Path, schema: pa.Schema, metadata: Mapping[str, str]) -> None:
    """Write batches to Parquet (``metadata`` inside) or CSV (``metadata`` in ``<name>.provenance.json`` beside it).

    The file appears under its name only once complete. OutputError where it cannot be written; an error of the
    iterator itself passes through. Either way nothing is left behind.
    """
    target = Path(path)
    if target.suffix.lower() not in (".parquet", ".pq", ".csv"):
        raise OutputError(f"Expected a .parquet or .csv file to write. Received: {target}.")
    with complete(target) as temporary:
        if target.suffix.lower() != ".csv":
            _fill(batches, temporary, target, schema.with_metadata(dict(metadata)))
            return
        with complete(target.with_name(f"{target.name}.provenance.json")) as beside:
            _fill(batches, temporary, target, schema)
            with told(target, pa.ArrowException):
                beside.write_text(json.dumps(dict(metadata), indent=2) + "\n", encoding="utf-8")


def _fill(batches: Iterable[pa.RecordBatch], temporary: Path, target: Path, schema: pa.Schema) -> None:
    csv = target.suffix.lower() == ".csv"
    written = _flat_schema(schema) if csv else schema
    with told(target, pa.ArrowException):
        writer: Any = pcsv.CSVWriter(temporary, written) if csv else pq.ParquetWriter(temporary, written)
    try:
        for batch in batches:
            with told(target, pa.ArrowException):
                writer.write_batch(_flat_batch(batch, written) if csv else batch)
    except BaseException:
        # the first error is the one to hear of, and the file goes anyway
        with suppress(OSError, pa.ArrowException):
            writer.close()
        raise
    with told(target, pa.ArrowException):
        writer.close()


def _flat_schema(schema: pa.Schema) -> pa.Schema:
    """What CSV can hold: values instead of dictionaries, plain text layouts."""
    return pa.schema([(f.name, plain(pa.chunked_array([], f.type)).type) for f in schema])


def _flat_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    arrays = [plain(pa.chunked_array([column])).combine_chunks() for column in batch.columns]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
