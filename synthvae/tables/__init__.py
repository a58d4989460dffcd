"""Anything tabular <-> Arrow: what comes in is checked once, what goes out is of the kind that came in.

container.py holds ``read`` and ``restore``, files.py reads Parquet and CSV, frames.py goes between pandas or polars and
Arrow, checks.py says what no table may hold (problem.py counts it), types.py which Arrow types a column may have,
output.py writes files, parts.py folders of them. large.py reads tables larger than memory batch by batch, csv.py
finds their types where they are text; discreet.py reads so that nothing follows from a single row. Imports errors only.
To add a kind of table: a branch in ``read`` and one in ``restore``.
"""

from synthvae.tables.container import ArrowStream, Container, Kind, read, read_discreetly, restore
from synthvae.tables.discreet import NULL, SPELLINGS, TEXT, forgiving, meant_as, spellings
from synthvae.tables.large import LargeTable, Scan, opened, scan
from synthvae.tables.output import write
from synthvae.tables.types import INT64_MAX, arrow_type, is_supported, is_text, levels, movable, plain

__all__ = [
    "INT64_MAX",
    "NULL",
    "SPELLINGS",
    "TEXT",
    "ArrowStream",
    "Container",
    "Kind",
    "LargeTable",
    "Scan",
    "arrow_type",
    "forgiving",
    "is_supported",
    "is_text",
    "levels",
    "meant_as",
    "movable",
    "opened",
    "plain",
    "read",
    "read_discreetly",
    "restore",
    "scan",
    "spellings",
    "write",
]
