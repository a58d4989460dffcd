"""Tiles to Arrow batches: row i of seed s is the same row whatever is asked for before, beside or after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial

import numpy as np
import pyarrow as pa

from synthvae import backend
from synthvae.codecs.table import NO_WISH, TableCodec
from synthvae.errors import ConditionError
from synthvae.generation.complete import sampler
from synthvae.generation.distinct import Distinct
from synthvae.generation.lead import leading
from synthvae.generation.noise import TILE, tile_noise
from synthvae.generation.posterior import Posterior
from synthvae.generation.predict import Predictor
from synthvae.generation.score import Scorer
from synthvae.generation.start import Free, Start, padded
from synthvae.networks.layout import Array
from synthvae.networks.vae import VAE
from synthvae.schema.conditions import Wish

FEW_ATTEMPTS = 10  # at one that may stand all the same
MOST_ATTEMPTS = 100  # at a row that must be lawful; a rule that 1 row in 20 meets is then missed by 1 row in 170

Lawful = Callable[[pa.Table, Array], Array]


class Completer:
    """A fitted model as what completes rows; compiled once, for whatever is asked of it."""

    def __init__(self, codec: TableCodec, vae: VAE, shifts: Sequence[Array]) -> None:
        self.codec, self.vae, self.shifts = codec, vae, shifts
        self._leading: dict[int, Callable[..., Array]] = {}

    @cached_property
    def complete(self) -> Callable[..., Array]:
        """Tokens (TILE, b), known (TILE, b), z (TILE, k), uniforms (TILE, b) -> completed tokens."""
        return sampler(self.vae, range(self.vae.layout.b), self.shifts)

    @cached_property
    def complete_values(self) -> Callable[..., Array]:
        """The same without nulls."""
        return sampler(self.vae, range(self.vae.layout.b), self.shifts, nulls=False)

    @cached_property
    def posterior(self) -> Posterior:
        return Posterior(self.vae)

    def leading(self, blocks: int) -> Callable[..., Array]:
        """See ``lead.leading``."""
        if blocks not in self._leading:
            self._leading[blocks] = leading(self.vae, blocks, self.shifts)
        return self._leading[blocks]

    @cached_property
    def predictor(self) -> Predictor:
        return Predictor(self.vae, self.posterior, [block.ranks for block in self.codec.blocks])

    @cached_property
    def scorer(self) -> Scorer:
        return Scorer(self.vae)


class RowStream:
    """Rows in order of their numbers.

    start: where they start (None: nothing is known); wishes: those that ``start`` was made under; lawful: which rows
    of a table, whose numbers it is told too, may stand, where not all may: the others are drawn again, each for itself;
    lenient: one that never is lawful stands as first drawn, else it is an error. nulls: whether a hole may
    become null.
    """

    def __init__(
        self,
        completer: Completer,
        start: Start | None = None,
        wishes: Mapping[str, Wish] = NO_WISH,
        lawful: Lawful | None = None,
        nulls: bool = True,
        lenient: bool = False,
    ) -> None:
        self.lenient = lenient
        self.completer, self.codec = completer, completer.codec
        self.start = start or Free(completer.vae)
        self._complete = self.start.completing(completer.complete if nulls else completer.complete_values)
        self.wishes, self.lawful = wishes, lawful
        self._last: tuple[tuple[int, int] | None, Array] = (None, np.zeros(0))  # small batches share a tile

    def tokens(self, seed: int, tile: int) -> Array:
        """Tokens of rows tile * TILE onwards: (TILE, b) int32."""
        last = self._last
        if last[0] != (seed, tile):
            last = self._last = ((seed, tile), self._complete(*self._begun(seed, tile, 0)))
        return last[1]

    def _made(self, seed: int, spans: range) -> Iterator[Array]:
        """Tokens (TILE, b) of tiles, in order; as many are made at once as there are cores, each too small for all."""
        pool = ThreadPoolExecutor(backend.threads())
        try:
            yield from pool.map(partial(self.tokens, seed), spans)
        finally:
            pool.shutdown(cancel_futures=True)

    def table(self, seed: int, first: int, rows: int) -> pa.Table:
        """Rows first .. first + rows - 1 of seed ``seed``; ConditionError where some cannot be made lawful."""
        return self._table(seed, first, rows, Distinct(self.codec.unique))

    def _table(self, seed: int, first: int, rows: int, distinct: Distinct) -> pa.Table:
        spans = tiles(first, rows)
        made = zip(spans, self._made(seed, spans), strict=True)
        parts = [self._part(seed, tile, tokens, first, first + rows) for tile, tokens in made]
        if not parts:
            return self._decode(np.zeros((0, self.completer.vae.layout.b), "int32"), np.zeros(0, np.int64), seed, 0)
        table = pa.concat_tables(parts)
        return table if self.lawful is None else self._mended(table, self.lawful, distinct, seed, first)

    def batches(self, seed: int, rows: int, batch_rows: int, first: int = 0) -> Iterator[pa.RecordBatch]:
        """The same rows in batches of ``batch_rows``; memory does not grow with ``rows``.

        But for columns that are to be unique, of which a hash is kept for each row.
        """
        distinct = Distinct(self.codec.unique)
        for start in range(first, first + rows, batch_rows):
            count = min(batch_rows, first + rows - start)
            yield from self._table(seed, start, count, distinct).combine_chunks().to_batches()

    def _decode(self, tokens: Array, rows: Array, seed: int, attempt: int) -> pa.Table:
        return self.codec.decode(tokens, rows, seed, self.wishes, attempt)

    def _begun(self, seed: int, tile: int, attempt: int) -> tuple[Array, ...]:
        """What the network completes, a line per row: where they start, and uniforms."""
        vae = self.completer.vae
        uniforms, normals = tile_noise(seed, tile, vae.layout.b, vae.settings.latent_dim, attempt)
        return *self.start.tile(seed, tile, normals, attempt), uniforms

    def _part(self, seed: int, tile: int, tokens: Array, first: int, end: int) -> pa.Table:
        """The rows of a tile (TILE, b) that lie within first .. end - 1."""
        start = tile * TILE
        low, high = max(first, start), min(end, start + TILE)
        rows = np.arange(low, high, dtype=np.int64)
        return self._decode(tokens[low - start : high - start], rows, seed, 0)

    def _mended(self, table: pa.Table, lawful: Lawful, distinct: Distinct, seed: int, first: int) -> pa.Table:
        """The table with every row that is not lawful, or not distinct, drawn again until it is."""
        stands = distinct.admitted(table, lawful(table, first + np.arange(table.num_rows)))
        bad = np.flatnonzero(~stands)
        for attempt in range(1, (FEW_ATTEMPTS if self.lenient else MOST_ATTEMPTS) + 1):
            if not len(bad):
                return table
            fresh = self._decode(self._again(seed, first + bad, attempt), first + bad, seed, attempt)
            good = distinct.admitted(fresh, lawful(fresh, first + bad))
            table = put(table, bad[good], fresh.filter(pa.array(good)))
            bad = bad[~good]
        if self.lenient or not len(bad):
            return table
        raise ConditionError(
            f"{len(bad):,} of {table.num_rows:,} rows did not meet a rule or condition in {MOST_ATTEMPTS} attempts "
            f"each. Loosen it, or fit on rows of which more meet it."
        )

    def _again(self, seed: int, rows: Array, attempt: int) -> Array:
        """Tokens (n, b) of row numbers (n,), packed into tiles whatever tiles they come from."""
        parts = []
        for tile in np.unique(rows // TILE):
            own = rows[rows // TILE == tile] - tile * TILE
            parts.append([x[own] for x in self._begun(seed, int(tile), attempt)])
        begun = [np.concatenate(x) for x in zip(*parts, strict=True)]
        done = []
        for place in range(0, len(rows), TILE):
            pack = [x[place : place + TILE] for x in begun]
            done.append(self._complete(*map(padded, pack))[: len(pack[0])])
        return np.concatenate(done)


def put(table: pa.Table, rows: Array, fresh: pa.Table) -> pa.Table:
    """The table with rows (m,) exchanged for those of ``fresh``, in order."""
    places = np.arange(table.num_rows)
    places[rows] = table.num_rows + np.arange(len(rows))
    return pa.concat_tables([table, fresh]).take(pa.array(places)).combine_chunks()


def tiles(first: int, rows: int) -> range:
    """The tiles that hold rows first .. first + rows - 1."""
    return range(first // TILE, -(-(first + rows) // TILE)) if rows else range(0)
