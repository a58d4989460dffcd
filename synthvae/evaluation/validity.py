"""Is the synthetic table lawful: does it keep what the schema, and the real table's null rates, promise?

The rules are those of the expectation suite, judged by Great Expectations. A rule that allows exceptions (a bound or a
level list that leaves a few real rows out) counts as broken only where the table breaks it beyond what chance makes of
the real table's own share: two samples of one table would else break every second of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from synthvae.evaluation.answers import NO_ROWS, Answer, sample_sizes, score
from synthvae.evaluation.base import Family, Metric, Score
from synthvae.evaluation.expectations import Check, Outcome, Verdict
from synthvae.evaluation.expectations import rows as rowwise
from synthvae.evaluation.expectations.judge import check_arrow
from synthvae.evaluation.expectations.rules import rules
from synthvae.evaluation.sides import Sides

RULES = Metric(
    "rules met", Family.VALIDITY,
    "Share of the schema's rules (types, null rates, ranges, levels, uniqueness, patterns) that the table keeps.",
    headline=True,
)  # fmt: skip
ROWS = Metric(
    "lawful rows", Family.VALIDITY,
    "Share of rows in which every value keeps every rule that allows no exception.",
    headline=True,
)  # fmt: skip
BEYOND_CHANCE = 1e-4  # a hundred rules and a hundred tables, and one is blamed wrongly
DIGITS = 4


def scores(sides: Sides) -> list[Score]:
    """Rules met by the table and by each column, and lawful rows; the real table's own are in ``details``."""
    if not all(table.num_rows for table in sides.tables.values()):
        empty = {"synthetic": NO_ROWS}
        return [score(sides, RULES, (), empty), score(sides, ROWS, (), empty)]
    checks = checks_of(sides)
    broken = {side: _broken(sides, side) for side in checks}
    found = [_rules_met(sides, (), broken), _lawful_rows(sides)]
    return found + [_rules_met(sides, (column.name,), broken) for column in sides.schema]


def checks_of(sides: Sides) -> Mapping[str, Check]:
    """What came of the rules on every side."""
    return sides.once("checks", lambda: _checks(sides))


def _checks(sides: Sides) -> dict[str, Check]:
    found = rules(sides.schema, sides.real)
    return {side: check_arrow(table, sides.schema, found) for side, table in sides.tables.items()}


# --- rules met --------------------------------------------------------------------------------------------------------


def _broken(sides: Sides, side: str) -> list[bool]:
    """Of each rule, whether this side breaks it beyond chance."""
    pairs = zip(checks_of(sides)[side].outcomes, checks_of(sides)["real"].outcomes, strict=True)
    return [_is_broken(sides, side, ours, real) for ours, real in pairs]


def _is_broken(sides: Sides, side: str, ours: Outcome, real: Outcome) -> bool:
    if ours.verdict is not Verdict.BROKEN or side == "real" or not _lenient(sides, ours):
        return ours.verdict is not Verdict.MET
    return _surprise(_counted(sides, side, ours), _counted(sides, "real", real)) < BEYOND_CHANCE


def _lenient(sides: Sides, outcome: Outcome) -> bool:
    """Whether the rule was read off the real table, which is a sample itself."""
    rule = outcome.rule
    is_open = rule.column in sides.schema and sides.schema[rule.column].open_share is not None
    return bool(rule.allowed) or (is_open and rule.name in ("range", "levels", "length"))


def _counted(sides: Sides, side: str, outcome: Outcome) -> tuple[float, float]:
    """Rows that break the rule and rows it was asked of, in independent rows."""
    weight = sample_sizes(sides)[side] / sides.tables[side].num_rows
    return (outcome.broken or 0) * weight, (outcome.rows or 0) * weight


def _surprise(ours: tuple[float, float], real: tuple[float, float]) -> float:
    """P(so many or more of all breaches are ours | both sides breach alike); Przyborowski and Wilenski, 1940."""
    from scipy.stats import binom

    if not real[1]:
        return 0.0
    breaches = round(ours[0]) + round(real[0])
    return float(binom.sf(round(ours[0]) - 1, breaches, ours[1] / (ours[1] + real[1])))


def _rules_met(sides: Sides, columns: tuple[str, ...], broken: Mapping[str, list[bool]]) -> Score:
    outcomes = checks_of(sides)["synthetic"].outcomes
    places = [i for i, outcome in enumerate(outcomes) if not columns or _about(outcome, columns[0])]
    answers = {side: Answer(1 - sum(found[i] for i in places) / len(places)) for side, found in broken.items()}
    details: dict[str, Any] = {"real": answers["real"].value}
    if columns:
        details["rules"] = [_told(sides, place, broken) for place in places]
    return score(sides, RULES, columns, answers, details)


def _about(outcome: Outcome, column: str) -> bool:
    return not outcome.rule.whole_table and outcome.rule.column == column


def _told(sides: Sides, place: int, broken: Mapping[str, list[bool]]) -> dict[str, Any]:
    """One rule on every side, without a count of so few rows that they might be known."""
    checks = checks_of(sides)
    rule = checks["real"].outcomes[place].rule
    return {
        "rule": rule.name,
        "promise": rule.says,
        "allowed": rule.allowed,
        "met": {side: not found[place] for side, found in broken.items()},
        "share": {side: _share(check.outcomes[place], sides.schema.min_count) for side, check in checks.items()},
    }


def _share(outcome: Outcome, min_count: int) -> float | None:
    if outcome.share is None or 0 < (outcome.broken or 0) < min_count:
        return None
    return round(outcome.share, DIGITS)


# --- lawful rows ------------------------------------------------------------------------------------------------------


def _lawful_rows(sides: Sides) -> Score:
    answers = {side: _row_share(sides, side) for side in sides.tables}
    value = answers["real"].value
    unlawful = 0 if value is None else round((1 - value) * sides.real.num_rows)
    told = None if value is None or 0 < unlawful < sides.schema.min_count else round(value, DIGITS)
    return score(sides, ROWS, (), answers, {"real": told})


def _row_share(sides: Sides, side: str) -> Answer:
    kept = rowwise.lawful(sides.tables[side], sides.schema, checks_of(sides)[side].outcomes).astype(np.float64)
    return Answer(float(kept.mean()), kept)
