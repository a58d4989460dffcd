"""A table alone, looked at from all sides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
import pyarrow as pa

from synthvae import tables
from synthvae.evaluation.draw import column_picture
from synthvae.evaluation.expectations import Check, Outcome, check
from synthvae.evaluation.expectations.judge import ERROR
from synthvae.evaluation.profile import counts, numbers, pairs, rows, texts
from synthvae.evaluation.profile.finding import Finding, Severity, counted
from synthvae.evaluation.profile.look import Look
from synthvae.evaluation.profile.result import ColumnFacts, Profile
from synthvae.evaluation.report.words import described
from synthvae.schema.check import typed
from synthvae.schema.columns import Column
from synthvae.schema.infer import infer_schema
from synthvae.schema.schema import Schema
from synthvae.schema.support import Support
from synthvae.tables import plain

FINDERS: tuple[Callable[[Look], Iterator[Finding]], ...] = (
    counts.nulls,
    counts.constants,
    counts.keys,
    counts.rare_levels,
    numbers.outliers,
    numbers.placeholders,
    numbers.nan_beside_null,
    *texts.TEXTS,
)
_WORST_FIRST = tuple(Severity)


def profile(table: object, schema: Schema | None = None, *, min_count: int = 5, seed: int = 0) -> Profile:
    """Describe a table and find what deserves a look, without any model.

    schema: whose rules the table should keep; without one, what the columns mean is read off the table and no rule is
    asked. min_count: rows behind every number that is told (a schema brings its own). seed: of the sample in which
    columns are compared where rows are many. TableError where the table cannot be read, SchemaError where it has too
    few rows to say anything.

    >>> import pandas as pd
    >>> told = profile(pd.DataFrame({"age": [*range(20, 70), *[999] * 9], "same": 1}))
    >>> for finding in told.findings:
    ...     print(finding.columns, finding.what)
    () copied rows
    ('age',) placeholder
    ('same',) constant
    """
    arrow = tables.read(table)[0]
    group = schema.group if schema and schema.group in arrow.column_names else None
    seen = infer_schema(table, min_count=schema.min_count if schema else min_count, group=group)
    looks = _looks(arrow, seen, schema)
    checked = check(arrow, schema) if schema else None
    found = pairs.associations(looks, np.random.default_rng([seed, 0]))
    findings = [*_broken(checked, seen.min_count), *rows.repeated_rows(looks), *rows.nulls_together(looks)]
    findings += [finding for look in looks for finder in FINDERS for finding in finder(look)]
    findings += pairs.strong_pairs(found, looks)
    findings.sort(key=lambda finding: _WORST_FIRST.index(finding.severity))
    return Profile(
        tuple(_facts(look, seen[look.name]) for look in looks),
        tuple(findings),
        rows.null_patterns(looks),
        tuple(pair for pair in found[: pairs.LISTED] if pair.strength >= 0.5),
        *pairs.matrix(found, looks),
        tuple(column_picture(look.cells, look.support) for look in looks),
        seen,
        checked,
        _about(arrow, found, seed),
    )


def _looks(table: pa.Table, seen: Schema, schema: Schema | None) -> list[Look]:
    support = Support.of(table, seen.group, seen.min_count)
    return [Look(*_meant(table, name, seen, schema), support) for name in table.column_names]


def _meant(table: pa.Table, name: str, seen: Schema, schema: Schema | None) -> tuple[Column, pa.ChunkedArray]:
    """A column as the schema means it, where its values are of that type, or else as it looks."""
    if schema is not None and name in schema:
        try:
            return schema[name], plain(typed(table.select([name]), [schema[name]])[name])
        except pa.ArrowException:  # the check says so; what the column looks like is still worth telling
            pass
    return seen[name], plain(table[name])


def _broken(checked: Check | None, min_count: int) -> Iterator[Finding]:
    if checked is None:
        return
    for outcome in checked.broken:
        rule = outcome.rule
        broken = counted(outcome.broken, outcome.rows, min_count) if outcome.rows and outcome.broken else ""
        told = (f"Broken rule: the {_subject(outcome)} {rule.says}.", broken and f"{_upper(broken)} break it.",
                outcome.note and f"{_upper(outcome.note)}.")  # fmt: skip
        columns = () if rule.name == "columns" else (rule.column,)
        yield Finding(Severity.PROBLEM, columns, f"rule: {rule.name}", " ".join(filter(None, told)))
    silent = {outcome.rule.column for outcome in checked.undecided if outcome.note == ERROR}
    for column in sorted(silent):
        yield Finding(Severity.WARNING, (column,), "rule not judged", f"{ERROR}.")


def _subject(outcome: Outcome) -> str:
    return "table" if outcome.rule.name == "columns" else "column"


def _upper(sentence: str) -> str:
    """With a capital; the rest, which may hold names, as it is."""
    return sentence[:1].upper() + sentence[1:]


def _facts(look: Look, seen: Column) -> ColumnFacts:
    known = look.distinct[1]
    commonest = int(known.max()) if len(known) else 0
    enough = commonest >= look.support.min_count
    nulls = float(look.missing.mean()) if look.supported(look.missing) or not look.missing.any() else None
    share = round(commonest / look.rows, 4) if enough else None
    told = None if nulls is None else round(nulls, 4)
    return ColumnFacts(look.name, look.column.kind, str(seen.arrow), told, len(known), share, described(seen))


def _about(table: pa.Table, found: Sequence[pairs.Association], seed: int) -> dict[str, Any]:
    sampled = {"column pairs": pairs.ROWS} if table.num_rows > pairs.ROWS and found else {}
    return {
        "rows": table.num_rows,
        "columns": table.num_columns,
        "subsamples": sampled,
        "seed": seed,
        "versions": {name: version(name) for name in ("synthvae", "pyarrow", "great-expectations")},
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
