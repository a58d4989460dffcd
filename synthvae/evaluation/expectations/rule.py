"""One promise of a schema, as a fact of our own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from synthvae.schema.constraints import Constraint


@dataclass(frozen=True)
class Rule:
    """One promise of a column (``column`` "" : of the whole table).

    says: the promise, completing "the column ...". expectation, arguments: the Great Expectations type that asks for it
    and its arguments, "" where there is none. allowed: the share of the rows with a value that may break it. between:
    the constraint, where the promise is one; asked: the Great Expectations that come nearest to it.
    """

    column: str
    name: str
    says: str
    expectation: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    allowed: float = 0.0
    between: Constraint | None = None
    asked: tuple[tuple[str, dict[str, Any]], ...] = ()

    @property
    def mostly(self) -> float:
        """1 - allowed, as the number that a share of rows has when written the same way."""
        return round(1 - self.allowed, 10)

    @property
    def whole_table(self) -> bool:
        """Whether it is about the table rather than one column."""
        return self.name == "columns" or self.between is not None
