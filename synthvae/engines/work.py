"""The work on one part, as an object that travels to workers: rows made, written, gone from memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from synthvae.tables.parts import PartFolder

Generate = Callable[[int, int], Iterator[pa.RecordBatch]]  # first row, rows -> the rows in batches


@dataclass(frozen=True)
class Cut:
    """``rows`` rows cut into parts of ``rows_per_part``, the last one perhaps smaller."""

    rows: int
    rows_per_part: int

    @property
    def parts(self) -> range:
        """The numbers of the parts; no rows are one part without any."""
        return range(max(1, -(-self.rows // self.rows_per_part)))

    def span(self, part: int) -> tuple[int, int]:
        """The first row of a part, and how many it has."""
        first = part * self.rows_per_part
        return first, min(self.rows_per_part, self.rows - first)


@dataclass(frozen=True)
class Work:
    """``work(part)`` makes the rows of a part and writes them.

    generate: must make the same rows whenever it is asked; schema: theirs; notes: what each part's footer says.
    """

    generate: Generate
    cut: Cut
    folder: PartFolder
    schema: pa.Schema
    notes: Mapping[str, str]

    def __call__(self, part: int) -> int:
        first, rows = self.cut.span(part)
        place = {"first row": str(first), "rows": str(rows)}
        self.folder.write(part, self.generate(first, rows), self.schema, {**self.notes, **place})
        return part
