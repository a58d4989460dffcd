"""A condition: what cells of one column are wished for, in this call.

``Between``, ``OneOf``, ``NoneOf``, ``NULL`` and ``NOT_NULL`` are what users write; a plain value means exactly it and
None means null. Each is turned into a ``Wish``, the set of cells that it allows, which codecs turn into tokens. As in
SQL a comparison is about a value, so it never holds for null.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from synthvae.errors import ConditionError

CLOSED: dict[str, tuple[bool, bool]] = {
    "both": (True, True), "left": (True, False), "right": (False, True), "neither": (False, False),
}  # fmt: skip


@dataclass(frozen=True)
class Bound:
    """One end of a range; ``closed`` where the end itself belongs to it."""

    value: Any
    closed: bool = True


@dataclass(frozen=True)
class Wish:
    """The cells allowed: null if ``null``, and if ``values`` every value among ``among`` (None: all), not in
    ``without``, at or above every one of ``lower`` and at or below every one of ``upper``.
    """

    null: bool = False
    values: bool = True
    among: tuple[Any, ...] | None = None
    without: tuple[Any, ...] = ()
    lower: tuple[Bound, ...] = ()
    upper: tuple[Bound, ...] = ()

    def both(self, other: Wish) -> Wish:
        """What this one and the other allow."""
        among = self.among if other.among is None else other.among
        if self.among is not None and other.among is not None:
            among = tuple(value for value in self.among if value in other.among)
        return Wish(
            self.null and other.null,
            self.values and other.values,
            among,
            (*self.without, *other.without),
            (*self.lower, *other.lower),
            (*self.upper, *other.upper),
        )

    @property
    def any_value(self) -> bool:
        """Whether every value is allowed."""
        return self.values and self.among is None and not (self.without or self.lower or self.upper)

    @property
    def stated(self) -> tuple[Any, ...]:
        """Every value it names."""
        ends = (bound.value for bound in (*self.lower, *self.upper))
        return (*(self.among or ()), *self.without, *ends)


class Condition(ABC):
    """A wish about one cell of every row."""

    @property
    @abstractmethod
    def wish(self) -> Wish:
        """The cells it allows."""


@dataclass(frozen=True)
class Between(Condition):
    """A value from ``lower`` to ``upper``; None leaves an end open.

    closed: which ends belong to it: "both", "left", "right" or "neither". Dates may be ISO 8601 text. For an ordered
    category the order is that of its levels.

    >>> Between(65, None).wish.lower
    (Bound(value=65, closed=True),)
    """

    lower: Any = None
    upper: Any = None
    closed: str = "both"

    def __post_init__(self) -> None:
        if self.closed not in CLOSED:
            raise ConditionError(f"closed must be one of {', '.join(CLOSED)}; got {self.closed!r}.")

    @property
    def wish(self) -> Wish:
        left, right = CLOSED[self.closed]
        lower = () if self.lower is None else (Bound(self.lower, left),)
        return Wish(lower=lower, upper=() if self.upper is None else (Bound(self.upper, right),))


@dataclass(frozen=True, init=False)
class OneOf(Condition):
    """One of some values; None among them allows null as well."""

    options: tuple[Any, ...]

    def __init__(self, *options: Any) -> None:
        object.__setattr__(self, "options", options)

    @property
    def wish(self) -> Wish:
        named = tuple(option for option in self.options if option is not None)
        return Wish(null=len(named) < len(self.options), values=bool(named), among=named)


@dataclass(frozen=True, init=False)
class NoneOf(Condition):
    """A value other than these."""

    options: tuple[Any, ...]

    def __init__(self, *options: Any) -> None:
        object.__setattr__(self, "options", options)

    @property
    def wish(self) -> Wish:
        return Wish(without=tuple(option for option in self.options if option is not None))


@dataclass(frozen=True)
class Every(Condition):
    """All of some conditions on one column."""

    parts: tuple[Condition, ...]

    @property
    def wish(self) -> Wish:
        wish = Wish(null=True)
        for part in self.parts:
            wish = wish.both(part.wish)
        return wish


@dataclass(frozen=True)
class Null(Condition):
    """No value; ``NULL`` is the one to use."""

    @property
    def wish(self) -> Wish:
        return Wish(null=True, values=False)


@dataclass(frozen=True)
class NotNull(Condition):
    """Any value; ``NOT_NULL`` is the one to use."""

    @property
    def wish(self) -> Wish:
        return Wish()


NULL, NOT_NULL = Null(), NotNull()
LISTS = (list, tuple, set, frozenset)


def condition_of(value: Any) -> Condition:
    """A condition as the user may write it: itself, a value, a list of values, None for null."""
    if isinstance(value, Condition):
        return value
    if value is None:
        return NULL
    return OneOf(*value) if isinstance(value, LISTS) else OneOf(value)


def wishes(where: Mapping[str, Any], names: Iterable[str]) -> dict[str, Wish]:
    """The wishes of a mapping from column to condition; ConditionError lists the columns that are not in ``names``."""
    known = list(names)
    unknown = [name for name in where if name not in known]
    if unknown:
        said = [f"{name!r}{_perhaps(name, known)}" for name in unknown]
        raise ConditionError(f"There is no column {' and no column '.join(said)}. There are: {', '.join(known)}.")
    return {name: condition_of(value).wish for name, value in where.items()}


def _perhaps(name: object, known: list[str]) -> str:
    near = get_close_matches(str(name), known, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
