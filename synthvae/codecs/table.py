"""A whole table <-> one integer matrix: the codecs of its columns side by side."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Self

import numpy as np
import pyarrow as pa

from synthvae.codecs import CODECS
from synthvae.codecs.base import Block, Codec, Draw, FitReport, IntArray, State
from synthvae.codecs.identifier import IdentifierCodec
from synthvae.codecs.noise import key_of, uniforms
from synthvae.schema.schema import Schema

# A table of keys alone has nothing to learn: one block of one token, so that a row still has a place.
NOTHING, NOTHING_NAME = Block(1, np.ones(1, bool), np.zeros((1, 0), np.float32)), "(keys only)"


class TableCodec:
    """Tables of a schema <-> tokens (n, b)."""

    def __init__(self, schema: Schema, codecs: dict[str, Codec]) -> None:
        self.schema = schema
        self.codecs = codecs

    @classmethod
    def fit(cls, schema: Schema, table: pa.Table) -> Self:
        """Learn every column's tokens; the table obeys the schema."""
        return cls(
            schema,
            {
                column.name: CODECS[column.kind].fit(column, table[column.name], schema.min_count)
                for column in schema.columns
            },
        )

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks, in the order of the columns."""
        return tuple(block for codec in self.codecs.values() for block in codec.blocks) or (NOTHING,)

    @cached_property
    def block_names(self) -> tuple[str, ...]:
        """A name for each block: its column's, with "(fine)" where it refines the one before."""
        named = zip(self.block_columns, self.blocks, strict=True)
        return tuple(f"{column} (fine)" if block.child else column for column, block in named)

    @cached_property
    def block_columns(self) -> tuple[str, ...]:
        """The column of each block."""
        return tuple(name for name, codec in self.codecs.items() for _ in codec.blocks) or (NOTHING_NAME,)

    @property
    def reports(self) -> dict[str, FitReport]:
        """What was folded at fit, by column."""
        return {name: codec.report for name, codec in self.codecs.items()}

    def encode(self, table: pa.Table) -> IntArray:
        """Table (n rows) -> tokens (n, b) int32."""
        tokens = np.zeros((table.num_rows, len(self.blocks)), np.int32)
        for name, codec in self.codecs.items():
            if codec.blocks:
                tokens[:, self._places[name]] = codec.encode(table[name])
        return tokens

    def decode(self, tokens: IntArray, rows: IntArray, seed: int) -> pa.Table:
        """Tokens (n, b) -> table; what is drawn in row i depends on the seed, the column and row number i alone."""
        arrays = []
        for index, (name, codec) in enumerate(self.codecs.items()):
            key = key_of(seed, index)
            noise = uniforms(key, rows) if codec.blocks else np.zeros(0)
            arrays.append(codec.decode(tokens[:, self._places[name]], Draw(rows, noise, key)))
        return pa.table(arrays, names=list(self.codecs))

    def check_room(self, rows: int) -> None:
        """ParameterError where some identifier column has no ``rows`` different keys."""
        for codec in self.codecs.values():
            if isinstance(codec, IdentifierCodec):
                codec.check_room(rows)

    def state(self) -> State:
        """Everything learned: JSON by column number, arrays named "<column number>_<name>"."""
        facts: dict[str, Any] = {}
        arrays = {}
        for index, codec in enumerate(self.codecs.values()):
            facts[str(index)], learned = codec.state()
            arrays.update({f"{index}_{name}": array for name, array in learned.items()})
        return {"columns": facts}, arrays

    @classmethod
    def from_state(cls, schema: Schema, state: State) -> Self:
        """The inverse of ``state``."""
        facts, arrays = state
        codecs = {}
        for index, column in enumerate(schema.columns):
            prefix = f"{index}_"
            own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
            codecs[column.name] = CODECS[column.kind].from_state(column, (facts["columns"][str(index)], own))
        return cls(schema, codecs)

    @cached_property
    def _places(self) -> dict[str, slice]:
        """The token columns of each column."""
        ends = np.cumsum([0, *(len(codec.blocks) for codec in self.codecs.values())]).tolist()
        return {name: slice(*ends[index : index + 2]) for index, name in enumerate(self.codecs)}
