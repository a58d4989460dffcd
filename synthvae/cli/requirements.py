"""What a pipeline asks of an evaluation: a score's name, a comparison, a number, such as 'shape>=0.95'."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthvae.errors import ParameterError

if TYPE_CHECKING:
    from synthvae.evaluation.base import Score

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_WRITTEN = re.compile(r"\s*(?P<name>[^<>=]*[^<>=\s])\s*(?P<sign>>=|<=|>|<)\s*(?P<bound>[^<>=\s]+)\s*")


@dataclass(frozen=True)
class Requirement:
    """A score that must be on one side of a bound."""

    name: str
    sign: str
    bound: float

    def __str__(self) -> str:
        return f"{self.name} {self.sign} {self.bound:g}"


@dataclass(frozen=True)
class Answer:
    """Whether a requirement is met, and by which value; no value where the score is not applicable."""

    requirement: Requirement
    met: bool
    value: float | None
    why: str = ""


def same(name: str) -> str:
    """A name as it is compared: case, spaces, underscores and hyphens make no difference.

    >>> same("Pair_Trends") == same("pair-trends")
    True
    """
    return re.sub(r"[\s_-]+", " ", name.strip().lower())


def parsed(texts: Sequence[str], known: Iterable[str]) -> list[Requirement]:
    """The requirements; ParameterError lists everything that is wrong with them."""
    names = {same(name): name for name in known}
    found, problems = [], []
    for text in texts:
        try:
            found.append(_parsed(text, names))
        except ParameterError as error:
            problems.append(str(error))
    if problems:
        raise ParameterError("\n".join(problems))
    return found


def _parsed(text: str, names: dict[str, str]) -> Requirement:
    match = _WRITTEN.fullmatch(text)
    bound = _number(match["bound"]) if match else None
    if match is None or bound is None:
        raise ParameterError(f"Expected a requirement such as 'shape>=0.95' (>=, <=, > or <). Received: {text!r}.")
    if same(match["name"]) not in names:
        listed = ", ".join(sorted(names.values()))
        raise ParameterError(f"There is no score {match['name']!r} to require. There are: {listed}.")
    return Requirement(names[same(match["name"])], match["sign"], bound)


def _number(text: str) -> float | None:
    """A finite number, or a percentage."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def answer(requirement: Requirement, scores: Iterable[Score]) -> Answer:
    """The score of the whole table decides; where there is none, every column's must meet the requirement."""
    told = [score for score in scores if score.metric.name == requirement.name]
    told = [score for score in told if not score.columns] or told
    compare = COMPARISONS[requirement.sign]
    missing = next((score for score in told if score.value is None), None)
    if missing is not None or not told:
        why = missing.note if missing is not None else "it was not asked"
        return Answer(requirement, False, None, f"not applicable: {why}")
    values = [score.value for score in told if score.value is not None]
    worst = min(values) if requirement.sign in (">=", ">") else max(values)
    return Answer(requirement, compare(worst, requirement.bound), worst)
