"""A fit of any table: one larger than memory is streamed here, others are handed on.

Two passes over the table (three where rules between columns were found). The first draws a sample, of which the schema
and the codecs are learned; the last turns every row into tokens in a temporary file, a few bytes a row, and counts them
all. Training then sees windows of that file. Memory follows the sample and the window, not the table.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.codecs.table import TableCodec
from synthvae.errors import ParameterError, SchemaError, TableError
from synthvae.fitting import Lesson, Run, Settings, say_folded, taught, vae_of
from synthvae.fitting import fit as fit_in_memory
from synthvae.generation.calibrate import frequencies, shift_shapes
from synthvae.networks.layout import Array, Layout
from synthvae.saved import Learned, layout_of
from synthvae.schema.infer import infer_schema
from synthvae.schema.schema import Schema
from synthvae.schema.whole import lawful_batches, of_whole
from synthvae.tables import LargeTable, Scan, opened, plain, scan
from synthvae.training import schedules
from synthvae.training.estimate import token_type
from synthvae.training.feed import Windows
from synthvae.training.split import AT_MOST

log = logging.getLogger("synthvae")
MOST_HELD_OUT = 1 << 16  # rows in memory, where those of a group are very many


def fit(
    settings: Settings,
    table: Any,
    validation: Any,
    sample_weight: Any,
    run: Run,
) -> Learned:
    """Learn a table of any size; see ``Synthesizer.fit``."""
    with opened(table) as there:
        if not isinstance(there, LargeTable):
            return fit_in_memory(settings, there, validation, sample_weight, run)
        if sample_weight is not None:
            raise ParameterError(
                f"sample_weight is for tables in memory; this one has {there.rows:,} rows. Leave it out, or draw the "
                "rows by their weights beforehand."
            )
        with tempfile.TemporaryDirectory(prefix="synthvae-") as folder:
            return _fit_large(settings, there, validation, run, Path(folder) / "tokens")


def _fit_large(
    settings: Settings,
    table: LargeTable,
    validation: Any,
    run: Run,
    path: Path,
) -> Learned:
    log.info("Reading %s rows for a sample of them", f"{table.rows:,}")
    scanned = scan(table, run.seed)
    schema = settings.schema or of_whole(infer_schema(scanned.sample), table, scanned)
    schema = schema.carried_by(scanned.container)
    sample = _lawful_sample(schema, scanned, table)
    codec = TableCodec.fit(schema, sample)
    say_folded(codec)
    layout = layout_of(codec)
    cache = TokenFile(path, layout, _share(settings, table), run.seed)
    apart = None if validation is not None else _Apart.of(schema, sample, table.rows, run.seed)
    del scanned, sample
    log.info("Turning them into tokens in a temporary file")
    cache.fill(codec, lawful_batches(schema, table), apart)
    held_out = cache.held_out if validation is None else codec.encode(schema.check(validation)).astype(cache.type)
    if not cache.rows or not len(held_out):
        raise TableError("Expected rows, or groups, both to learn from and to judge by. Received only one of them.")
    most = min(schedules.WINDOW_ROWS, schedules.WINDOW_BYTES // (layout.b * cache.type.itemsize))
    window = Windows.of_rows(cache.rows, most)
    times = settings.effort.visits
    plan = schedules.windowed(table.rows, window, settings.epochs, settings.batch_size, layout.b, times)
    vae = vae_of(settings, layout, table.rows, run.seed)
    feed = Windows(path, cache.rows, cache.type, cache.margins, window, run.seed)
    lesson = Lesson(table.rows, feed, held_out, cache.counts)
    return taught(lesson, codec, vae, plan, run)


def _lawful_sample(schema: Schema, scanned: Scan, table: LargeTable) -> pa.Table:
    """The sample in the schema's types; SchemaError is about the whole table."""
    try:
        return schema.check(scanned.sample)
    except SchemaError:
        for _ in lawful_batches(schema, table):
            pass
        raise


def _share(settings: Settings, table: LargeTable) -> float:
    """The share of the rows that become tokens: no more than are seen, unless the user wants all of them seen."""
    return 1.0 if settings.epochs else min(1.0, schedules.MOST_VISITS / table.rows)


@dataclass(frozen=True, eq=False)
class _Apart:
    """Which rows are held out: some groups whole, or rows by chance."""

    share: float
    group: str | None
    owners: pa.Array | None

    @classmethod
    def of(cls, schema: Schema, sample: pa.Table, rows: int, seed: int) -> _Apart:
        share = AT_MOST / rows
        if schema.group is None:
            return cls(share, None, None)
        owners = pc.unique(plain(sample[schema.group]))
        chosen = np.random.default_rng([seed, 3]).permutation(len(owners))[: max(1, round(share * len(owners)))]
        return cls(share, schema.group, owners.take(pa.array(chosen)))

    def rows(self, batch: pa.Table, rng: np.random.Generator) -> Array:
        """(n,) rows of a batch."""
        if self.group is None:
            return rng.random(batch.num_rows) < self.share
        found = pc.is_in(plain(batch[self.group]), value_set=self.owners)
        return np.asarray(found.combine_chunks().to_numpy(zero_copy_only=False))


@dataclass(eq=False)
class TokenFile:
    """The tokens of a table in a file, row after row, in the smallest integers that hold them.

    counts: of all tokens, see ``frequencies``; margins: per block (v,) of those to learn from; held_out: (m, b) those
    to judge by, in memory.
    """

    path: Path
    layout: Layout
    share: float
    seed: int
    rows: int = 0
    counts: list[Array] = field(init=False)
    margins: list[Array] = field(init=False)
    held_out: Array = field(init=False)

    def __post_init__(self) -> None:
        self.type = token_type(self.layout)
        self.counts = [np.zeros(shape, np.int64) for shape in shift_shapes(self.layout)]
        self.margins = [np.zeros(v, np.int64) for v in self.layout.sizes]
        self.held_out = np.zeros((0, self.layout.b), self.type)

    def fill(self, codec: TableCodec, batches: Iterator[pa.Table], apart: _Apart | None) -> None:
        """Write every row, or the share of them; rows ``apart`` are not learned from."""
        rng = np.random.default_rng([self.seed, 7])
        held: list[Array] = []
        with self.path.open("wb") as file:
            for batch in batches:
                judge = np.zeros(batch.num_rows, bool) if apart is None else apart.rows(batch, rng)
                kept = judge | (rng.random(batch.num_rows) < self.share)
                tokens = codec.encode(batch if kept.all() else batch.filter(pa.array(kept))).astype(self.type)
                self.counts = _sums(self.counts, frequencies(self.layout, tokens))
                learn = tokens[~judge[kept]]
                self.margins = _sums(
                    self.margins,
                    [np.bincount(c, minlength=v) for c, v in zip(learn.T, self.layout.sizes, strict=True)],
                )
                self.rows += len(learn)
                file.write(np.ascontiguousarray(learn).data)
                if sum(map(len, held)) < MOST_HELD_OUT:
                    held.append(tokens[judge[kept]])
        self.held_out = np.concatenate([self.held_out, *held])[:MOST_HELD_OUT]


def _sums(one: list[Array], other: list[Array]) -> list[Array]:
    return [a + b for a, b in zip(one, other, strict=True)]
