"""What is wrong with a table, counted so that the problems of its parts add up to those of the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

MOST_LEVELS = 10_000  # unknown levels that are counted apart


@dataclass(frozen=True)
class Problem:
    """One finding; ``str`` says it.

    rows, first: how many rows have it, and the number of the first; 0 rows: it is about the column as a whole. then:
    what is said after that. unit: what is counted. levels: how often each unknown level occurs, those of ``shown`` rows
    and more may be named.
    """

    what: str
    rows: int = 0
    first: int = 0
    then: str = ""
    unit: str = " rows"
    levels: Counter[Any] = field(default_factory=Counter)
    shown: int = 0

    def __str__(self) -> str:
        where = f" ({self.rows}{self.unit}, first at row {self.first})" if self.rows else ""
        return f"{self.what}{self._named}{where}{self.then}"

    @property
    def _named(self) -> str:
        if not self.levels:
            return ""
        common = [level for level, rows in self.levels.items() if rows >= self.shown]
        shown = f": {', '.join(map(repr, common[:3]))}{', ...' if len(common) > 3 else ''}" if common else ""
        return f" {len(self.levels)} unknown levels{shown}"

    def of(self, column: str) -> Problem:
        """The same, said of a column."""
        return replace(self, what=f"column {column!r} {self.what}")


class Problems:
    """Those of a table that comes in parts: the same finding in several parts is one."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Problem] = {}

    def add(self, problems: Iterable[Problem], before: int = 0) -> None:
        """Those of one part; before: the rows of the table before it."""
        for each in problems:
            now = replace(each, first=each.first + before) if each.rows else each
            old = self._found.get((each.what, each.then))
            self._found[each.what, each.then] = now if old is None else _together(old, now)

    def __bool__(self) -> bool:
        return bool(self._found)

    @property
    def said(self) -> list[str]:
        """One text for each."""
        return [str(each) for each in self._found.values()]


def _together(old: Problem, now: Problem) -> Problem:
    levels = old.levels + now.levels if len(old.levels) < MOST_LEVELS else old.levels
    return replace(old, rows=old.rows + now.rows, first=min(old.first, now.first), levels=levels)
