"""Findings about whole rows: copies, and nulls that come together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from synthvae.evaluation.profile.finding import Finding, Severity, percent
from synthvae.evaluation.profile.look import Look
from synthvae.evaluation.sides import Array
from synthvae.schema.columns import Identifier, Scale

PATTERNS = 12  # of nulls that are listed
TOGETHER = 0.98  # Jaccard index from which the nulls of two columns are one
_PRIME = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: consecutive codes land far apart


@dataclass(frozen=True)
class NullPattern:
    """Columns that are null in the same rows, and the share of rows in which exactly these are."""

    columns: tuple[str, ...]
    rows: int
    share: float


def _mixed(key: Array, codes: Array) -> Array:
    """A column's codes stirred into the rows' keys (n,) uint64 (splitmix64's finaliser, Steele et al. 2014)."""
    key = key * _PRIME + codes.astype(np.uint64)
    key ^= key >> np.uint64(30)
    key *= np.uint64(0xBF58476D1CE4E5B9)
    key ^= key >> np.uint64(27)
    return np.asarray(key * np.uint64(0x94D049BB133111EB))


def row_keys(looks: Sequence[Look]) -> Array:
    """(n,) numbers that are equal where, and all but surely only where, all cells of two rows are equal."""
    key = np.zeros(looks[0].rows if looks else 0, np.uint64)
    for look in looks:
        key = _mixed(key, look.codes)
    return key


def copies(looks: Sequence[Look]) -> Array:
    """(n,) rows that are exact copies of an earlier row."""
    key = row_keys(looks)
    again = np.ones(len(key), bool)
    again[np.unique(key, return_index=True)[1]] = False
    return again


def repeated_rows(looks: Sequence[Look]) -> Iterator[Finding]:
    """Exact copies of rows, and rows that are copies but for their keys; of a single column that says nothing."""
    if len(looks) < 2:
        return
    mask = copies(looks)
    # where nothing is measured, rows are alike by nature
    fine = any(look.column.scale in (Scale.CONTINUOUS, Scale.OPAQUE) for look in looks)
    if mask.any():
        severity = Severity.WARNING if fine and mask.mean() >= 0.001 else Severity.NOTE
        sentence = f"{_told(looks[0], mask)} are exact copies of an earlier row."
        yield Finding(severity, (), "copied rows", sentence)
    others = [look for look in looks if not isinstance(look.column, Identifier)]
    if len(others) < len(looks) and others:
        again = copies(others)
        if again.sum() > mask.sum():
            sentence = f"{_told(looks[0], again)} are copies of an earlier row in everything but their keys."
            yield Finding(Severity.NOTE, (), "copied rows", sentence)


def _told(look: Look, mask: Array) -> str:
    return look.told(mask, "rows").capitalize()


# --- nulls ------------------------------------------------------------------------------------------------------------


def null_patterns(looks: Sequence[Look]) -> tuple[NullPattern, ...]:
    """The commonest sets of columns that are null together; those of too few rows are left out."""
    gaps = [look for look in looks if look.missing.any()]
    if not gaps:
        return ()
    key = np.zeros(looks[0].rows, np.uint64)
    for look in gaps:
        key = _mixed(key, look.missing)
    _, first, codes, counts = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    held = looks[0].support.counts(codes, len(counts)) >= looks[0].support.min_count
    order = [place for place in np.argsort(-counts, kind="stable") if held[place]][:PATTERNS]
    names = [tuple(look.name for look in gaps if look.missing[first[place]]) for place in order]
    rows = [int(counts[place]) for place in order]
    return tuple(NullPattern(*pair, pair[1] / len(key)) for pair in zip(names, rows, strict=True))


def nulls_together(looks: Sequence[Look]) -> Iterator[Finding]:
    """Columns that are null in the same rows, rows that hold nothing."""
    gaps = [look for look in looks if look.missing.any() and not look.missing.all()]
    seen: set[str] = set()
    for place, a in enumerate(gaps):
        same = [b for b in gaps[place + 1 :] if b.name not in seen and _jaccard(a.missing, b.missing) >= TOGETHER]
        if a.name not in seen and same and a.supported(a.missing):
            seen |= {look.name for look in same}
            sentence = f"Missing in the same rows: {percent(float(a.missing.mean()))} of them."
            yield Finding(Severity.NOTE, (a.name, *(look.name for look in same)), "missing together", sentence)
    nothing = np.logical_and.reduce([look.missing for look in looks]) if looks else np.zeros(0, bool)
    if nothing.any() and not nothing.all():
        sentence = f"{_told(looks[0], nothing)} hold nothing at all."
        yield Finding(Severity.WARNING, (), "empty rows", sentence)


def _jaccard(a: Array, b: Array) -> float:
    return float((a & b).sum() / max((a | b).sum(), 1))
