"""Rules between columns: one frozen dataclass per kind.

A rule binds a row where the cells it speaks of are known; what it says of nulls it says outright (``NullWhen``). To add
a kind: its dataclass here and its line in ``KINDS``, which rows break it in ``obeyed.py``, what may be wrong with it in
``coherent.py``, how it is decided in ``solving.py`` and, where decoding can compute it, a step in ``codecs``.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

Value = str | int | float | bool


@dataclass(frozen=True)
class Constraint(ABC):
    """What every rule has: the columns it speaks of and the rule in words. Lists become tuples."""

    kind: ClassVar[str]

    def __post_init__(self) -> None:
        for about in dataclasses.fields(self):
            value = getattr(self, about.name)
            if isinstance(value, list):
                object.__setattr__(self, about.name, tuple(value))

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Every column the rule speaks of."""

    @property
    @abstractmethod
    def says(self) -> str:
        """The rule in words."""


@dataclass(frozen=True)
class Inequality(Constraint):
    """Numbers or dates in rising order: a <= b <= c, or a < b < c where ``strict``.

    A cell that holds one of ``exempt`` is not bound, such as a year of renovation that is 0 where there was none.

    >>> Inequality(("yr_built", "yr_renovated"), exempt=(0,)).says
    'yr_built <= yr_renovated, cells that hold 0 excepted'
    """

    kind: ClassVar[str] = "inequality"
    columns: tuple[str, ...]
    strict: bool = False
    exempt: tuple[str | int | float, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return self.columns

    @property
    def says(self) -> str:
        excepted = f", cells that hold {' or '.join(map(str, self.exempt))} excepted" if self.exempt else ""
        return (" < " if self.strict else " <= ").join(self.columns) + excepted


@dataclass(frozen=True)
class Sum(Constraint):
    """Parts that add up to the column ``total`` or to one ``constant``; exactly one of the two is given.

    >>> Sum(("above", "basement"), total="living").says
    'above + basement = living'
    """

    kind: ClassVar[str] = "sum"
    parts: tuple[str, ...]
    total: str | None = None
    constant: int | float | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return self.parts if self.total is None else (*self.parts, self.total)

    @property
    def says(self) -> str:
        return f"{' + '.join(self.parts)} = {self.constant if self.total is None else self.total}"


@dataclass(frozen=True)
class FixedCombinations(Constraint):
    """Only combinations of values that the training table holds (at least ``min_count`` times); null is a value."""

    kind: ClassVar[str] = "fixed_combinations"
    columns: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return self.columns

    @property
    def says(self) -> str:
        return f"{', '.join(self.columns)} come in known combinations only"


@dataclass(frozen=True)
class FunctionalDependency(Constraint):
    """The columns of ``determinant`` together decide each of ``dependent``: a zip code its city."""

    kind: ClassVar[str] = "functional_dependency"
    determinant: tuple[str, ...]
    dependent: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.determinant, *self.dependent)

    @property
    def says(self) -> str:
        return f"{', '.join(self.determinant)} decides {', '.join(self.dependent)}"


@dataclass(frozen=True)
class Derived(Constraint):
    """A column computed from others by one of ``formulas.FORMULAS``, rounded to the column's own decimals.

    >>> Derived("amount", "product", ("price", "pieces")).says
    'amount = product of price, pieces'
    """

    kind: ClassVar[str] = "derived"
    column: str
    formula: str
    of: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return (self.column, *self.of)

    @property
    def says(self) -> str:
        return f"{self.column} = {self.formula} of {', '.join(self.of)}"


@dataclass(frozen=True)
class OneHot(Constraint):
    """Exactly one of several 0/1 or boolean columns is set."""

    kind: ClassVar[str] = "one_hot"
    columns: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return self.columns

    @property
    def says(self) -> str:
        return f"exactly one of {', '.join(self.columns)} is set"


@dataclass(frozen=True)
class Unique(Constraint):
    """No two rows of one table hold the same values in all ``columns``; rows with a null among them are not bound."""

    kind: ClassVar[str] = "unique"
    columns: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return self.columns

    @property
    def says(self) -> str:
        return f"{', '.join(self.columns)} {'is' if len(self.columns) == 1 else 'are together'} unique"


@dataclass(frozen=True)
class NullWhen(Constraint):
    """``column`` is null exactly when ``when`` holds one of ``values`` (or, with ``null``, is null itself).

    ``unless``: exactly when it does not. ``exactly=False``: elsewhere ``column`` may be null or not. Where ``when`` is
    null and ``null`` is not set, the rule says nothing.

    >>> NullWhen("last_review", "number_of_reviews", values=(0,)).says
    'last_review is null exactly when number_of_reviews is 0'
    """

    kind: ClassVar[str] = "null_when"
    column: str
    when: str
    values: tuple[Value, ...] = ()
    null: bool = False
    unless: bool = False
    exactly: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        return (self.column, self.when)

    @property
    def says(self) -> str:
        told = [str(value) for value in self.values] + (["null"] if self.null else [])
        link = f"{'exactly ' if self.exactly else ''}when {self.when} is {'not ' if self.unless else ''}"
        return f"{self.column} is null {link}{' or '.join(told)}"


@dataclass(frozen=True)
class Predicate(Constraint):
    """A rule of the user's own: ``function`` takes a DataFrame and returns which of its rows (n,) are lawful.

    Rows that are not are drawn again at sampling. A function cannot be written down: saving keeps the name alone and
    says so, and a schema read from a file has the rule without its function, which then binds nothing.
    """

    kind: ClassVar[str] = "predicate"
    name: str
    function: Callable[[Any], Any] | None = field(default=None, compare=True, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        return ()

    @property
    def says(self) -> str:
        return f"the rule {self.name!r}" + ("" if self.function else " (its function was not saved)")


KINDS: dict[str, type[Constraint]] = {
    cls.kind: cls
    for cls in (
        Inequality,
        Sum,
        FixedCombinations,
        FunctionalDependency,
        Derived,
        OneHot,
        Unique,
        NullWhen,
        Predicate,
    )
}
