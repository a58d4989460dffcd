"""A whole table <-> one integer matrix: rules between columns rewritten, then the codecs of all columns in a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import pyarrow as pa

from synthvae.codecs import CODECS
from synthvae.codecs.base import Block, BoolArray, Codec, Draw, FitReport, FloatArray, IntArray, State
from synthvae.codecs.categorical import CategoricalCodec
from synthvae.codecs.constraints import Rewriting
from synthvae.codecs.echoes import Axis, Echo, by_target, find_echoes, relabel, repeat, rows_to_search
from synthvae.codecs.grid import Units
from synthvae.codecs.gridded import AxisCodec
from synthvae.codecs.minted import MintedCodec
from synthvae.codecs.noise import key_of, uniforms
from synthvae.schema.conditions import Wish
from synthvae.schema.schema import Schema

NO_WISH: Mapping[str, Wish] = MappingProxyType({})
ECHO = 1  # what sets the noise of repeating apart from that of drawing
# A table of keys alone has nothing to learn: one block of one token, so that a row still has a place.
NOTHING, NOTHING_NAME = Block(1, np.ones(1, bool), np.zeros((1, 0), np.float32)), "(keys only)"


class TableCodec:
    """Tables of a schema <-> tokens (n, b).

    ``codecs`` are those of the inner schema, which the rewriting leads to: a codec under the name of a column in
    ``rewritten`` is not about that column's own values.
    """

    def __init__(self, rewriting: Rewriting, codecs: dict[str, Codec], echoes: Sequence[Echo] = ()) -> None:
        self.schema = rewriting.schema
        self.rewriting = rewriting
        self.codecs = codecs
        self.echoes = tuple(echoes)

    @classmethod
    def fit(cls, schema: Schema, table: pa.Table, kept: Mapping[str, Codec] = MappingProxyType({})) -> Self:
        """Learn every column's tokens but those ``kept``, and which columns repeat others; the table obeys the
        schema."""
        rewriting = Rewriting.fit(schema, table)
        table, inner = rewriting.forward(table), rewriting.inner
        kept = {name: codec for name, codec in kept.items() if name in inner and inner[name] == schema[name]}
        fitted = {
            c.name: kept[c.name] if c.name in kept else CODECS[c.kind].fit(c, table[c.name], schema.min_count)
            for c in inner.columns
        }
        codec = cls(rewriting, fitted)
        refined = codec._refined
        rows = table.select([inner.names[i] for i in refined]).take(rows_to_search(table.num_rows, len(refined)))
        axes = {index: own.axis(rows[place]) for place, (index, own) in enumerate(refined.items())}
        return cls(rewriting, fitted, find_echoes(axes, schema.min_count))

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks, in the order of the columns."""
        return tuple(block for codec in self.codecs.values() for block in codec.blocks) or (NOTHING,)

    @cached_property
    def block_names(self) -> tuple[str, ...]:
        """A name for each block: its learned column's, with "(fine)" where it refines the one before, "(time)" beside a
        day.
        """
        columns = tuple(name for name, codec in self.codecs.items() for _ in codec.blocks) or (NOTHING_NAME,)
        named = zip(columns, self.blocks, ("", *columns), strict=False)
        return tuple(c + (" (fine)" if block.child else " (time)" if c == last else "") for c, block, last in named)

    @cached_property
    def block_columns(self) -> tuple[str, ...]:
        """The user's column that each block is about."""
        owners = self.rewriting.owners
        return tuple(owners[name] for name, codec in self.codecs.items() for _ in codec.blocks) or (NOTHING_NAME,)

    @property
    def block_sources(self) -> tuple[frozenset[str], ...]:
        """The user's columns that each block is made of: a row knows it where it knows all of them."""
        sources = self.rewriting.sources
        blocks = tuple(sources[name] for name, codec in self.codecs.items() for _ in codec.blocks)
        return blocks or (frozenset(),)

    @property
    def reports(self) -> dict[str, FitReport]:
        """What was folded at fit, by column."""
        folded = self.rewriting.reports  # before a column is learned; its codec then has the rest
        return {name: folded.get(name, codec.report) for name, codec in self.codecs.items() if name in self.schema}

    @property
    def rewritten(self) -> frozenset[str]:
        """The columns whose values are computed rather than learned as they are."""
        return self.rewriting.rewritten

    @property
    def unique(self) -> tuple[tuple[str, ...], ...]:
        """The tuples of columns that no two rows of one call may share."""
        return self.rewriting.unique

    def broken(self, table: pa.Table) -> BoolArray:
        """(n,) rows of a decoded table that are to be drawn again, see ``Rewriting.broken``."""
        return self.rewriting.broken(table)

    def encode(self, table: pa.Table) -> IntArray:
        """Table (n rows) -> tokens (n, b) int32."""
        table = self.rewriting.forward(table)
        tokens = np.zeros((table.num_rows, len(self.blocks)), np.int32)
        for name, codec in self.codecs.items():
            if codec.blocks:
                tokens[:, self._places[name]] = codec.encode(table[name])
        axes = {index: self._refined[index].axis(table[self._names[index]]) for index in self._echoing}
        relabel(self.echoes, axes)
        for index, axis in axes.items():
            tokens[:, self.pair(index)] = axis.tokens
        return tokens

    def decode(
        self,
        tokens: IntArray,
        rows: IntArray,
        seed: int,
        wishes: Mapping[str, Wish] = NO_WISH,
        attempt: int = 0,
        middle: bool = False,
    ) -> pa.Table:
        """Tokens (n, b) -> table; what is drawn in row i depends on the seed, the column and row number i alone.

        wishes: those the tokens were drawn under. attempt: 0, or how often the row was thrown away before. middle:
        nothing is drawn, a step stands for its middle.
        """
        parts, draws, person = {}, {}, key_of(seed, "person")
        for index, name in enumerate(self.codecs):
            key = key_of(seed, index)
            own = key_of(key, "again", attempt) if attempt else key
            noise = np.full(len(rows), 0.5) if middle else uniforms(own, rows)
            parts[index] = tokens[:, self._places[name]]
            draws[index] = Draw(rows, noise, key, person, None if name in self.rewritten else wishes.get(name))
        drawn = self._repeated({i: self._refined[i].drawn(parts[i], draws[i]) for i in self._echoing}, draws)
        codecs = enumerate(self.codecs.values())
        arrays = [self._refined[i].values(drawn[i]) if i in drawn else c.decode(parts[i], draws[i]) for i, c in codecs]
        return self.rewriting.backward(pa.table(arrays, names=list(self.codecs)), rows, seed)

    def _repeated(self, axes: dict[int, Axis], draws: dict[int, Draw]) -> dict[int, Units]:
        """The units of every column that echoes or is echoed, repeats in their place."""
        for target, echoes in by_target(self.echoes):
            key = key_of(draws[target].key, ECHO)
            axes[target] = replace(axes[target], units=repeat(echoes, axes, uniforms(key, draws[target].rows)))
        return {index: axis.units for index, axis in axes.items()}

    def log_density(self, table: pa.Table) -> FloatArray:
        """log p(values | tokens) of each row in nats: (n,)."""
        table = self.rewriting.forward(table)
        parts = [codec.log_density(table[name]) for name, codec in self.codecs.items()]
        return np.asarray(np.sum(parts, axis=0))

    @property
    def room(self) -> int | None:
        """How many rows there can be; None where there is no end to them."""
        minted = [codec.room for codec in self.codecs.values() if isinstance(codec, MintedCodec)]
        return min((room for room in minted if room is not None), default=None)

    def check_room(self, rows: int) -> None:
        """ParameterError where some column has no ``rows`` different keys or persons."""
        for codec in self.codecs.values():
            if isinstance(codec, MintedCodec):
                codec.check_room(rows)

    def state(self) -> State:
        """Everything learned: JSON by column number, arrays named "<column number>_<name>"."""
        facts: dict[str, Any] = {}
        arrays = {}
        for index, codec in enumerate(self.codecs.values()):
            facts[str(index)], learned = codec.state()
            arrays.update({f"{index}_{name}": array for name, array in learned.items()})
        rules = {"rewriting": self.rewriting.state()} if self.rewriting.steps else {}
        return {"columns": facts, "echoes": [e.facts() for e in self.echoes], **rules}, arrays

    @classmethod
    def from_state(cls, schema: Schema, state: State) -> Self:
        """The inverse of ``state``."""
        facts, arrays = state
        rewriting = Rewriting.from_state(schema, facts.get("rewriting", ()))
        codecs = {}
        for index, column in enumerate(rewriting.inner.columns):
            prefix = f"{index}_"
            own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
            codecs[column.name] = CODECS[column.kind].from_state(column, (facts["columns"][str(index)], own))
        refined = cls(rewriting, codecs)._refined
        return cls(rewriting, codecs, [_echo(told, refined) for told in facts.get("echoes", ())])

    @cached_property
    def _refined(self) -> dict[int, AxisCodec]:
        """The columns that may echo one another, by number: those of a coarse and a fine block."""
        codecs = enumerate(self.codecs.values())
        return {i: codec for i, codec in codecs if isinstance(codec, AxisCodec) and codec.bins.refined}

    @property
    def _echoing(self) -> list[int]:
        """The numbers of the columns that echo or are echoed."""
        return sorted({index for e in self.echoes for index in (e.source, e.target)})

    @property
    def _names(self) -> tuple[str, ...]:
        """The columns that have codecs."""
        return self.rewriting.inner.names

    def level_tokens(self, name: str) -> IntArray:
        """(l, blocks) the tokens of a learned category's levels, in their order."""
        codec = self.codecs[name]
        assert isinstance(codec, CategoricalCodec)
        return codec.encode(pa.chunked_array([codec.levels]))

    def places(self, name: str) -> range:
        """The numbers of a learned column's blocks."""
        return range(self._places[name].start, self._places[name].stop)

    def pair(self, column: int) -> tuple[int, int]:
        """The coarse and the fine block of a column that has both."""
        first = self._places[self._names[column]].start
        return first, first + 1

    @cached_property
    def _places(self) -> dict[str, slice]:
        """The token columns of each column."""
        ends = np.cumsum([0, *(len(codec.blocks) for codec in self.codecs.values())]).tolist()
        return {name: slice(*ends[index : index + 2]) for index, name in enumerate(self.codecs)}


def _echo(facts: dict[str, Any], codecs: dict[int, AxisCodec]) -> Echo:
    """An echo from what was saved."""
    source, target = int(facts["source"]), int(facts["target"])
    return Echo.between((source, target), (codecs[source].bins, codecs[target].bins), float(facts["rate"]))
