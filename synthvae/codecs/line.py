"""What is learned of numbers on one axis: their bins, where these rank, and how large they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from synthvae.codecs.base import Block, FitReport, FloatArray, State
from synthvae.codecs.bin_blocks import Ranks, bin_blocks
from synthvae.codecs.binning import Learned, learn_bins
from synthvae.codecs.bins import Bins
from synthvae.codecs.features import Scaling
from synthvae.codecs.grid import Grid, Units


@dataclass(frozen=True, eq=False)
class Line:
    """Bins on an axis, their ranks among the values, and the scaling of their features."""

    bins: Bins
    ranks: Ranks
    scaling: Scaling

    @classmethod
    def learn(cls, units: Units, grid: Grid, min_count: int, steps: int | None = None) -> tuple[Self, FitReport]:
        """From units (n,), and what was folded; ``steps``: at most so many, in one block."""
        learned = learn_bins(units, grid, min_count, steps)
        return cls(learned.bins, Ranks.of(learned.bins, learned.ordered), _scaling(learned, min_count)), _report(
            learned
        )

    def blocks(self, nullable: bool) -> tuple[Block, ...]:
        """One block, and a fine one where some bin has several steps."""
        return bin_blocks(self.bins, self.ranks, self.scaling, nullable)

    def state(self) -> State:
        """Everything learned, as JSON and arrays."""
        arrays = {
            "atoms": self.bins.atoms,
            "edges": self.bins.edges,
            "first": self.bins.first,
            "atom_ranks": self.ranks.atoms,
            "edge_ranks": self.ranks.edges,
        }
        return {"nan": self.bins.nan, "scaling": self.scaling.as_dict()}, arrays

    @classmethod
    def from_state(cls, facts: Mapping[str, Any], arrays: Mapping[str, FloatArray], prefix: str = "") -> Self:
        """The inverse of ``state``; its arrays have ``prefix`` before their names."""
        part = {name: arrays[prefix + name] for name in ("atoms", "edges", "first", "atom_ranks", "edge_ranks")}
        bins = Bins(part["atoms"], part["edges"], part["first"].astype(np.int64), bool(facts["nan"]))
        return cls(bins, Ranks(part["atom_ranks"], part["edge_ranks"]), Scaling(**facts["scaling"]))


def _scaling(learned: Learned, min_count: int) -> Scaling:
    """Centre and spread of the values, those beyond the outermost tokens moved to them."""
    ends = np.concatenate([learned.bins.atoms, learned.bins.edges])
    ends = ends[np.isfinite(ends)]
    if not len(ends):
        return Scaling()
    values = np.clip(learned.ordered, ends.min(), ends.max()).astype(np.float64)
    return Scaling.of(values, np.ones(len(values)), _typical_size(values, min_count))


def _typical_size(values: FloatArray, min_count: int) -> float:
    """The mean of the ``min_count`` middle ones among the sizes of values other than 0; 1 where there are too few."""
    sizes = np.abs(values[values != 0])
    if len(sizes) < min_count:
        return 1.0
    start = (len(sizes) - min_count) // 2
    middle = range(start, start + min_count)
    return float((np.partition(sizes, middle)[start : start + min_count] / min_count).sum())


def _report(learned: Learned) -> FitReport:
    notes = []
    if learned.folded:
        tokens = len(learned.bins.atoms) + learned.bins.bins
        notes.append(
            f"rows with values too rare to be kept: {learned.folded}; they count as "
            + ("the nearest kept value" if tokens else "null")
        )
    if learned.lost_nan:
        notes.append(f"rows with NaN, too few to be kept: {learned.lost_nan}; they count as null")
    return FitReport(learned.folded + learned.lost_nan, tuple(notes))
