"""A schema: what every column of a table means, the one thing generation and evaluation share."""

from __future__ import annotations

import dataclasses
import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from synthvae import tables
from synthvae.errors import SchemaError, SynthvaeWarning
from synthvae.files import write_text
from synthvae.schema import check, sdv, serial, wellformed
from synthvae.schema.coherent import constraint_problems, one
from synthvae.schema.columns import Categorical, Column, Datetime, Numeric
from synthvae.schema.constraints import Constraint, Predicate

MAX_WIDTH = 48  # of a column of the printed schema


@dataclass(frozen=True, repr=False)
class Schema:
    """The columns of a table in order, and the promise they were read under.

    ``group`` names the column that says who a row belongs to (None: every row is somebody else). ``min_count`` is the
    number of rows (of groups) behind every number written down. ``constraints`` are rules between columns that every
    synthetic row keeps; ``proposals`` are rules that the table kept and nobody has accepted, see ``accept``.
    SchemaError where columns or rules contradict each other.
    """

    columns: tuple[Column, ...]
    group: str | None = None
    min_count: int = 5
    container: tables.Container = field(default=tables.Container("pandas"))
    constraints: tuple[Constraint, ...] = ()
    proposals: tuple[Constraint, ...] = ()

    def __post_init__(self) -> None:
        problems = wellformed.schema_problems(self.columns, self.group, self.min_count)
        if not problems:
            problems = constraint_problems(self.constraints, self.columns)
            problems += constraint_problems(self.proposals, self.columns, "proposal")
        if problems:
            raise SchemaError("The schema is not well formed:", problems)
        object.__setattr__(self, "constraints", tuple(self.constraints))
        object.__setattr__(self, "proposals", tuple(self.proposals))
        # the columns are the truth: an edited column carries its dtype along
        dtypes = {column.name: column.pandas for column in self.columns if column.pandas}
        object.__setattr__(self, "container", dataclasses.replace(self.container, pandas_dtypes=dtypes or None))

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise SchemaError(f"Expected a column of the schema ({', '.join(map(repr, self.names))}). Received: {name!r}")

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def arrow_schema(self) -> pa.Schema:
        """The Arrow fields of a table under this schema."""
        return pa.schema([(column.name, tables.arrow_type(column.arrow)) for column in self.columns])

    def replace(self, column: Column) -> Schema:
        """The schema with the column of the same name exchanged, perhaps for one of another kind."""
        old = self[column.name]
        return self._of(tuple(column if c is old else c for c in self.columns))

    def with_column(self, name: str, **changes: Any) -> Schema:
        """The schema with some fields of one column changed: ``schema.with_column("age", upper=120)``."""
        old = self[name]
        known = {f.name for f in dataclasses.fields(old)}
        unknown = sorted(set(changes) - known)
        if unknown:
            raise SchemaError(
                f"A {old.kind} column has the fields {', '.join(sorted(known))}. Received: {', '.join(unknown)}"
            )
        return self._of(tuple(dataclasses.replace(c, **changes) if c is old else c for c in self.columns))

    def _of(self, columns: tuple[Column, ...]) -> Schema:
        """The schema of changed columns; proposals that do not suit them are withdrawn."""
        if wellformed.schema_problems(columns, self.group, self.min_count):
            return dataclasses.replace(self, columns=columns)  # which says what is wrong
        known = {column.name: column for column in columns}
        proposals = tuple(rule for rule in self.proposals if not any(one(rule, known)))
        return dataclasses.replace(self, columns=columns, proposals=proposals)

    def accept(self, *which: Constraint | int) -> Schema:
        """The schema with proposals made constraints: all of them, or those named by place or as they are."""
        chosen = [self.proposals[rule] if isinstance(rule, int) else rule for rule in which] or self.proposals
        unknown = [rule.says for rule in chosen if rule not in self.proposals]
        if unknown:
            raise SchemaError("These are not proposals of the schema:", unknown)
        rest = tuple(rule for rule in self.proposals if rule not in chosen)
        return dataclasses.replace(self, constraints=(*self.constraints, *chosen), proposals=rest)

    def with_constraints(self, *rules: Constraint) -> Schema:
        """The schema with more constraints; a predicate takes the place of one of the same name without function."""
        named = {rule.name for rule in rules if isinstance(rule, Predicate)}
        kept = tuple(rule for rule in self.constraints if not (isinstance(rule, Predicate) and rule.name in named))
        return dataclasses.replace(self, constraints=kept + rules)

    def without_constraints(self, *rules: Constraint) -> Schema:
        """The schema without some of its constraints; without any where none is named."""
        kept = tuple(rule for rule in self.constraints if rules and rule not in rules)
        return dataclasses.replace(self, constraints=kept)

    def carried_by(self, container: tables.Container) -> Schema:
        """The schema for tables that come, and go back, in this container."""
        dtypes = container.pandas_dtypes or {}
        columns = tuple(dataclasses.replace(c, pandas=dtypes.get(c.name, c.pandas)) for c in self.columns)
        return dataclasses.replace(self, columns=columns, container=dataclasses.replace(container, pandas_dtypes=None))

    def check(self, table: object, holes: bool = False) -> pa.Table:
        """The table as Arrow, in the schema's order and types; SchemaError lists everything unlawful in it.

        holes: cells, and whole columns, may be missing; they come back as null.
        """
        arrow = tables.read(table)[0]
        if not holes:
            return check.lawful(arrow, self.columns, self.min_count, self.constraints)
        given = [dataclasses.replace(c, nullable=True) for c in self.columns if c.name in arrow.column_names]
        known = check.lawful(arrow, given, self.min_count) if given or arrow.num_columns else arrow
        absent = {c.name: pa.nulls(arrow.num_rows, tables.arrow_type(c.arrow)) for c in self.columns}
        return pa.table({name: known[name] if name in known.column_names else absent[name] for name in self.names})

    def restore(self, table: pa.Table, index: pd.Index | None = None) -> object:
        """An Arrow table of the schema's columns as the kind of table the schema was read from, dtypes as they came."""
        return tables.restore(check.typed(table, self.columns), self.container, index)

    def to_json(self) -> str:
        """The schema as JSON text; fields at their default are left out, functions of predicates too, with a warning.

        To refuse would cost a fitted model its file; to say nothing would cost its reader the rule. So the rule keeps
        its name, and whoever saves and whoever loads is told.
        """
        _warn_of_code([rule for rule in self.constraints if isinstance(rule, Predicate) and rule.function], "written")
        rules = {"constraints": self.constraints, "proposals": self.proposals}
        told = serial.to_dict(self.columns, self.group, self.min_count, self.container.kind, rules)
        told |= {"notes": self.container.notes} if self.container.notes else {}
        return json.dumps(told, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Schema:
        """The inverse of ``to_json``; SchemaError lists every problem of the text."""
        columns, group, min_count, kind, constraints, proposals = serial.from_text(text)
        _warn_of_code([rule for rule in constraints if isinstance(rule, Predicate)], "read")
        container = tables.Container(kind, notes=json.loads(text).get("notes"))
        return cls(columns, group, min_count, container, constraints, proposals)

    def save(self, path: str | Path) -> None:
        """Write the schema as JSON; OutputError where that fails."""
        write_text(path, self.to_json())

    @classmethod
    def load(cls, path: str | Path) -> Schema:
        """Read a schema written by ``save`` or by hand; SchemaError lists every problem."""
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            raise SchemaError(f"Could not read a schema from {path}: {error}") from error
        return cls.from_json(text)

    @classmethod
    def from_sdv(
        cls,
        metadata: str | Path | Mapping[str, Any],
        *,
        table: object = None,
        name: str | None = None,
        min_count: int = 5,
    ) -> Schema:
        """A schema from SDV's metadata (V1, as a JSON file or what it holds).

        table: the data themselves, for what metadata do not hold (levels, types, bounds); needed as soon as a column
        is categorical or of an unknown sdtype. name: which table of several is meant. SchemaError says what is missing.
        """
        from synthvae.schema.adopt import adopted  # which infers schemas, and so knows this file

        return adopted(metadata, table, name, min_count)

    def to_sdv(self) -> dict[str, Any]:
        """The schema as SDV's metadata of a single table, V1; bounds, levels and templates it has no words for go."""
        return sdv.metadata_of(self.columns)

    def __repr__(self) -> str:
        rows = [("column", "kind", "type", "nulls", "open", "values")]
        rows += [
            (repr(c.name)[1:-1], c.kind, c.arrow, "yes" if c.nullable else "", _open(c), _values(c))
            for c in self.columns
        ]
        widths = [min(MAX_WIDTH, max(len(row[place]) for row in rows)) for place in range(len(rows[0]))]
        lines = [
            "  ".join(_cell(text, width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
        ]
        group = f", group={self.group!r}" if self.group else ""
        rules = [f"{what}: {rule.says}" for what in ("constraint", "proposal") for rule in getattr(self, f"{what}s")]
        return "\n".join([f"Schema: {len(self.columns)} columns, min_count={self.min_count}{group}", *lines, *rules])


def _warn_of_code(rules: list[Predicate], done: str) -> None:
    if rules:
        names = ", ".join(repr(rule.name) for rule in rules)
        warnings.warn(
            f"The functions of the predicates {names} cannot be {done}: a file holds their names alone, and a model "
            "loaded from it does not keep these rules until Schema.with_constraints gives the functions again.",
            SynthvaeWarning,
            stacklevel=3,
        )


def _cell(text: str, width: int) -> str:
    return (text if len(text) <= width else text[: width - 1] + "…").ljust(width)


def _open(column: Column) -> str:
    return "" if column.open_share is None else f"{column.open_share:.2%}"


_STATED = ("name", "arrow", "pandas", "nullable", "open_share")


def _values(column: Column) -> str:
    """What a column may hold, in a few words."""
    if isinstance(column, Numeric):
        grid = "" if column.decimals is None else f", {column.decimals} decimals"
        return f"{column.lower} to {column.upper}{grid}"
    if isinstance(column, Categorical):
        order = ", ordered" if column.ordered else ""
        return f"{len(column.levels)} levels{order}: {', '.join(map(str, column.levels[:5]))}"
    if isinstance(column, Datetime):
        return f"{column.lower} to {column.upper}, per {column.resolution}"
    told = [f.name for f in dataclasses.fields(column) if f.name not in _STATED]
    return ", ".join(f"{name}={getattr(column, name)}" for name in told)
