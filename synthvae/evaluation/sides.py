"""The tables of one evaluation side by side, lawful under one schema, and their randomness."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from synthvae.errors import ParameterError, TableError
from synthvae.schema.columns import Column, Scale
from synthvae.schema.schema import Schema
from synthvae.schema.written import meaning, meant
from synthvae.tables import is_text, plain

Array = np.ndarray[Any, Any]
Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class Sides:
    """What every metric is given.

    real: the training rows; synthetic: the table to judge; holdout: real rows nobody trained on, or None. All three
    hold the schema's columns, in its order, of mutually compatible Arrow types. targets: columns somebody would
    predict. seed: of everything random.
    """

    real: pa.Table
    synthetic: pa.Table
    schema: Schema
    holdout: pa.Table | None = None
    targets: tuple[str, ...] = ()
    seed: int = 0
    shared: dict[str, Any] = field(default_factory=dict)  # what several metrics compute once; see ``once``

    @classmethod
    def of(
        cls,
        real: pa.Table,
        synthetic: pa.Table,
        schema: Schema,
        holdout: pa.Table | None = None,
        targets: tuple[str, ...] = (),
        seed: int = 0,
    ) -> Sides:
        """The schema's columns of every table in one plain type each, NaN in a continuous column as null.

        TableError where a column is missing or the types cannot be compared, ParameterError for a target that is no
        column of the schema.
        """
        unknown = [name for name in targets if name not in schema]
        if unknown:
            raise ParameterError(
                f"Expected targets of the schema ({', '.join(schema.names)}). Received: {', '.join(map(repr, unknown))}"
            )
        given = {"real": real, "synthetic": synthetic} | ({} if holdout is None else {"hold-out": holdout})
        # numbers and moments written as text are judged by what they mean
        tables = _lawful(given, schema)
        schema = replace(schema, columns=tuple(meaning(column) for column in schema))
        return cls(tables["real"], tables["synthetic"], schema, tables.get("hold-out"), targets, seed)

    @property
    def tables(self) -> dict[str, pa.Table]:
        """Each side by its name: real, synthetic and, where there is one, hold-out."""
        held = {} if self.holdout is None else {"hold-out": self.holdout}
        return {"real": self.real, "synthetic": self.synthetic} | held

    def once(self, name: str, make: Callable[[], Made]) -> Made:
        """What several metrics need, made by the first that asks."""
        if name not in self.shared:
            self.shared[name] = make()
        made: Made = self.shared[name]
        return made

    def rng(self, name: str) -> np.random.Generator:
        """A generator of its own for each purpose, so that no metric disturbs another."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    def of_holdout(self) -> Sides:
        """The same question asked of the hold-out: it takes the place of the synthetic table. Needs a hold-out."""
        assert self.holdout is not None
        return replace(self, synthetic=self.holdout, holdout=None, shared={})

    @property
    def group(self) -> str | None:
        """The column that says which rows belong to one person: splits, folds and copies go by it."""
        return self.schema.group


def _lawful(given: dict[str, pa.Table], schema: Schema) -> dict[str, pa.Table]:
    """Every table with the schema's columns in comparable types; all problems are told at once."""
    problems = list(_absent(given, schema))
    made: dict[str, dict[str, pa.ChunkedArray]] = {name: {} for name in given}
    for column in schema.columns:
        parts = {name: _meant(table[column.name], column) for name, table in given.items()
                 if column.name in table.column_names}  # fmt: skip
        if len(parts) < len(given):
            continue
        try:
            for name, values in zip(given, _unified(column, list(parts.values())), strict=True):
                made[name][column.name] = values
        except pa.ArrowException:  # its own text may quote a value
            problems.append(_type_problem(column, {name: values.type for name, values in parts.items()}))
    if problems:
        raise TableError("The tables cannot be compared:" + "".join(f"\n  - {problem}" for problem in problems))
    return {name: pa.table(columns) for name, columns in made.items()}


def _meant(values: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    return meant(values, column) if is_text(plain(values).type) else values


def _absent(given: dict[str, pa.Table], schema: Schema) -> Iterator[str]:
    for name, table in given.items():
        for column in schema.columns:
            if column.name not in table.column_names:
                yield f"the {name} table has no column {column.name!r}, which the schema has; add it or drop it there"


def _type_problem(column: Column, types: dict[str, pa.DataType]) -> str:
    said = ", ".join(f"{type_} in the {name} table" for name, type_ in types.items())
    return f"column {column.name!r} is {said}; for a {column.kind} column they must agree, so convert one of them"


def _unified(column: Column, parts: list[pa.ChunkedArray]) -> list[pa.ChunkedArray]:
    """The parts in the one type that holds them all; ArrowException where there is none."""
    bare = _instants([plain(part) for part in parts])
    empty = [pa.table({"values": part.slice(0, 0)}) for part in bare]
    type_ = pa.concat_tables(empty, promote_options="permissive")["values"].type
    if column.scale is Scale.CONTINUOUS and not _is_continuous(type_):
        raise pa.ArrowTypeError(f"{type_} is no continuous type")
    made = [part.cast(type_) for part in bare]
    if column.scale is Scale.CONTINUOUS and pt.is_floating(type_):
        return [pc.if_else(pc.is_nan(part), pa.scalar(None, type_), part) for part in made]
    return made


def _instants(parts: list[pa.ChunkedArray]) -> list[pa.ChunkedArray]:
    """Dates beside timestamps as timestamps, and every zone as UTC: the same instants."""
    types = [part.type for part in parts]
    stamps = [type_ for type_ in types if pt.is_timestamp(type_)]
    if not stamps or not all(pt.is_timestamp(type_) or pt.is_date(type_) for type_ in types):
        return parts
    zone = "UTC" if all(pt.is_timestamp(type_) and type_.tz for type_ in types) else None
    made = []
    for part in parts:
        unit = part.type.unit if pt.is_timestamp(part.type) else stamps[0].unit
        own = part.type.tz if pt.is_timestamp(part.type) else None
        made.append(part.cast(pa.timestamp(unit, zone or own)))
    return made


def _is_continuous(type_: pa.DataType) -> bool:
    numeric = pt.is_integer(type_) or pt.is_floating(type_) or pt.is_decimal(type_)
    return bool(numeric or pt.is_temporal(type_) or pt.is_null(type_))
