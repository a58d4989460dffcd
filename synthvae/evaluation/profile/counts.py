"""Findings that need no more than counting: nulls, constants, keys that are none, rare levels."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow.types as pt

from synthvae.evaluation.profile.finding import Finding, Severity, percent
from synthvae.evaluation.profile.look import Look
from synthvae.schema.columns import Boolean, Categorical, Identifier, Numeric, Text

ENOUGH = 20  # rows from which a share says something
MOSTLY_NULL = 0.5
NEARLY_ALL = 0.99  # of the values are one, or are different
RARE = 0.05


def nulls(look: Look) -> Iterator[Finding]:
    """Columns that are empty, or mostly so."""
    if look.missing.all():
        yield Finding(Severity.WARNING, (look.name,), "empty", "Every value is missing.")
    elif look.missing.mean() >= MOSTLY_NULL:
        sentence = f"{percent(float(look.missing.mean()))} of the values are missing."
        yield Finding(Severity.WARNING, (look.name,), "mostly missing", sentence)


def constants(look: Look) -> Iterator[Finding]:
    """Columns of one value, or nearly so; the value is not told."""
    counts = look.distinct[1]
    total = int(counts.sum())
    if total < ENOUGH:
        return
    share = counts.max() / total
    if len(counts) == 1:
        yield Finding(Severity.WARNING, (look.name,), "constant", "All values are the same.")
    elif share >= NEARLY_ALL:
        sentence = f"{percent(float(share))} of the values are the same."
        yield Finding(Severity.NOTE, (look.name,), "nearly constant", sentence)


def keys(look: Look) -> Iterator[Finding]:
    """Keys with repetitions, and columns that look like keys but for a few."""
    counts = look.distinct[1]
    total, repeated = int(counts.sum()), int((counts > 1).sum())
    if total < ENOUGH or not repeated or isinstance(look.column, Boolean):
        return
    if isinstance(look.column, Identifier):
        sentence = "It should identify rows, but some of its values come more than once."
        yield Finding(Severity.WARNING, (look.name,), "repeated key", sentence)
    elif len(counts) >= NEARLY_ALL * total and _could_be_key(look):
        sentence = "Nearly every value is different, and a few come more than once: a key with repetitions?"
        yield Finding(Severity.NOTE, (look.name,), "nearly unique", sentence)


def _could_be_key(look: Look) -> bool:
    """Text, or whole numbers; measured quantities are nearly unique by nature."""
    whole = isinstance(look.column, Numeric) and bool(pt.is_integer(look.values.type))
    return isinstance(look.column, Text) or whole


def rare_levels(look: Look) -> Iterator[Finding]:
    """Categories with many rows in levels of their own."""
    if not isinstance(look.column, Categorical) or (look.column.open_share or 0) < RARE:
        return
    sentence = (
        f"{percent(look.column.open_share or 0)} of the values are in levels that fewer than "
        f"{look.support.min_count} rows share."
    )
    yield Finding(Severity.NOTE, (look.name,), "rare levels", sentence)
