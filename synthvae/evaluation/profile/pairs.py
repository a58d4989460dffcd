"""Columns that give each other away."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from synthvae.evaluation.cells import REAL, standard
from synthvae.evaluation.information import Information
from synthvae.evaluation.profile.finding import Finding, Severity
from synthvae.evaluation.profile.look import Look
from synthvae.evaluation.sides import Array
from synthvae.schema.columns import Scale

ROWS = 50_000  # looked at, drawn at random
COLUMNS = 120  # so many make 7,140 pairs
STRONG = 0.95
LISTED = 40


@dataclass(frozen=True)
class Association:
    """How much two columns say about each other: 0 nothing, 1 that one gives the other away.

    The larger of the rank correlation (of two quantities) and the root of the shared information (of the most there
    could be).
    """

    columns: tuple[str, str]
    strength: float


def associations(looks: Sequence[Look], rng: np.random.Generator) -> tuple[Association, ...]:
    """All pairs of columns whose values mean something, the strongest first; of a sample where rows are many."""
    usable = [look for look in looks if look.column.scale is not Scale.OPAQUE and len(look.distinct[1]) > 1][:COLUMNS]
    if len(usable) < 2:
        return ()
    rows = looks[0].rows
    if rows > ROWS:
        chosen = np.sort(rng.choice(rows, ROWS, replace=False))
        usable = [replace(look, values=look.values.take(chosen), support=look.support.where(chosen)) for look in usable]
    codes = [look.cells.groups[REAL].astype(np.int64) for look in usable]
    ranks = [_ranks(look) if look.cells.continuous else None for look in usable]
    found = []
    for i, j in itertools.combinations(range(len(usable)), 2):
        size = usable[i].cells.group_size, usable[j].cells.group_size
        strength = max(_shared(codes[i], codes[j], size), _correlated(ranks[i], ranks[j]))
        found.append(Association((usable[i].name, usable[j].name), round(strength, 3)))
    return tuple(sorted(found, key=lambda pair: -pair.strength))


def _shared(a: Array, b: Array, size: tuple[int, int]) -> float:
    counts = np.bincount(a * size[1] + b, minlength=size[0] * size[1]).reshape(size).astype(np.float64)
    most = min(_entropy(counts.sum(axis=axis)) for axis in (0, 1))
    return float(np.clip(Information.of(counts).nats / most, 0, 1)) ** 0.5 if most > 0 else 0.0


def _entropy(counts: Array) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def _ranks(look: Look) -> Array:
    """(n,) standardised ranks, equal values sharing theirs; NaN where a value is missing."""
    made, cells = np.full(look.rows, np.nan), look.cells
    _, places, counts = np.unique(cells.known(REAL), return_inverse=True, return_counts=True)
    made[~cells.missing[REAL]] = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return made


def _correlated(a: Array | None, b: Array | None) -> float:
    """|Spearman's rho| over the rows where both are known."""
    if a is None or b is None:
        return 0.0
    both = ~(np.isnan(a) | np.isnan(b))
    if np.count_nonzero(both) < 2:
        return 0.0
    x, y = standard(a[both]), standard(b[both])
    return min(float(abs(x @ y) / len(x)), 1.0)


Matrix = tuple[tuple[float, ...], ...]


def matrix(found: Sequence[Association], looks: Sequence[Look]) -> tuple[tuple[str, ...], Matrix]:
    """The columns that were compared, in their order, and the strength of every pair."""
    compared = {name for pair in found for name in pair.columns}
    names = tuple(look.name for look in looks if look.name in compared)
    place = {name: i for i, name in enumerate(names)}
    made = np.eye(len(names))
    for pair in found:
        i, j = (place[name] for name in pair.columns)
        made[i, j] = made[j, i] = pair.strength
    return names, tuple(map(tuple, made.tolist()))


def strong_pairs(found: Sequence[Association], looks: Sequence[Look]) -> Iterator[Finding]:
    """Pairs of columns of which one is nearly superfluous."""
    by_name = {look.name: look for look in looks}
    for pair in found[:LISTED]:
        a, b = (by_name[name] for name in pair.columns)
        if pair.strength < STRONG:
            return
        if a.values.type == b.values.type and a.values.equals(b.values):
            yield Finding(Severity.WARNING, pair.columns, "same column twice", "They hold the same value in every row.")
        else:
            sentence = f"One nearly gives the other away (association {pair.strength:.2f} of 1)."
            yield Finding(Severity.NOTE, pair.columns, "go together", sentence)
