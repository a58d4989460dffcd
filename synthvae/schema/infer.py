"""A schema guessed from a table: every column by the first of the rules (``rules.py``) that answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from synthvae import tables
from synthvae.errors import ParameterError, SchemaError
from synthvae.schema.columns import Column
from synthvae.schema.evidence import Evidence
from synthvae.schema.propose import propose
from synthvae.schema.rules import BY_KIND, RULES, always_null
from synthvae.schema.schema import Schema
from synthvae.schema.support import Support
from synthvae.schema.whole import of_whole


def infer_schema(
    table: object,
    *,
    min_count: int = 5,
    exact: bool = False,
    group: str | None = None,
    kinds: Mapping[str, str] | None = None,
    rules: bool = True,
) -> Schema:
    """Guess the schema of a table.

    ``kinds`` says of some columns what kind they are ({"zip": "categorical"}); the rest of them is read off the values.
    ``group`` names the column that says who a row belongs to; ``min_count`` then counts groups. ``exact`` writes true
    bounds and every level down, single rows included. ``rules``: also look for rules between columns; those beyond
    doubt become constraints, others proposals, see ``propose``. Of files, datasets and readers larger than memory a
    sample is looked at, see ``schema.whole``. SchemaError where there are too few rows to learn from.
    """
    if type(min_count) is not int or min_count < 1:
        raise ParameterError(f"Expected min_count to be a whole number of at least 1. Received: {min_count!r}")
    with tables.opened(table) as there:
        if isinstance(there, tables.LargeTable):
            scanned = tables.scan(there, seed=0)
            sampled = _inferred(scanned.sample, scanned.container, min_count, exact, group, kinds or {}, rules)
            return of_whole(sampled, there, scanned)
        return _inferred(*tables.read(there), min_count, exact, group, kinds or {}, rules)


def _inferred(
    arrow: pa.Table,
    container: tables.Container,
    min_count: int,
    exact: bool,
    group: str | None,
    kinds: Mapping[str, str],
    rules: bool,
) -> Schema:
    if group is not None and group not in arrow.column_names:
        raise ParameterError(f"Expected group to name a column ({', '.join(arrow.column_names)}). Received: {group!r}")
    _check_kinds(kinds, arrow.column_names)
    support = Support.of(arrow, group, 1 if exact else min_count)
    _enough(support, arrow.num_rows)
    dtypes = container.pandas_dtypes or {}
    seen = {n: Evidence(n, arrow[n], dtypes.get(n), support, exact, n == group) for n in arrow.column_names}
    columns = tuple(_as_kind(e, kinds[n]) if n in kinds else guess(e) for n, e in seen.items())
    constraints, proposals = propose(columns, arrow, support.min_count) if rules else ((), ())
    return Schema(columns, group, support.min_count, container, constraints, proposals)


def _enough(support: Support, rows: int) -> None:
    found = support.count(np.ones(rows, bool))
    if found < 2 * support.min_count:
        what = "rows" if support.owners is None else "groups"
        raise SchemaError(
            f"Expected at least {2 * support.min_count} {what}. Received: {found}, too few to learn from."
        )


def _check_kinds(kinds: Mapping[str, str], names: Sequence[str]) -> None:
    unknown = [f"{name!r} is no column" for name in kinds if name not in names]
    unknown += [f"{kind!r} is no kind, as {', '.join(BY_KIND)} are" for kind in kinds.values() if kind not in BY_KIND]
    if unknown:
        raise ParameterError(f"Expected kinds to say the kind of columns of the table. Received: {'; '.join(unknown)}.")


def _as_kind(e: Evidence, kind: str) -> Column:
    """The column as the kind it is said to be; SchemaError where its values cannot be."""
    answers = (rule(e) for rule in BY_KIND[kind])
    found = always_null(e) or next((made for made in answers if made is not None), None)
    if found is None:
        raise SchemaError(
            f"Expected column {e.name!r} to be {kind}. Received: values of type {e.raw.type} that cannot be, or of "
            "which too few rows share one. Leave it out of kinds to have it inferred."
        )
    return found


def guess(evidence: Evidence) -> Column:
    """The first answer of ``RULES``."""
    return next(column for rule in RULES if (column := rule(evidence)) is not None)
