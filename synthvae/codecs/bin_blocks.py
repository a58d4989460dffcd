"""The blocks of a number: which tokens may be drawn, which steps follow which bin, what the network sees of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from synthvae.codecs.base import Block, BoolArray, FloatArray
from synthvae.codecs.bins import Bins
from synthvae.codecs.features import COARSE_TURNS, FINE_TURNS, Scaling, number_features, width
from synthvae.codecs.grid import NumberArray

SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")


@dataclass(frozen=True, eq=False)
class Ranks:
    """Mid-ranks in [0, 1]. atoms: (a,); edges: (s + 1,) the share of rows below each edge, or (0,)."""

    atoms: FloatArray
    edges: FloatArray

    @classmethod
    def of(cls, bins: Bins, ordered: NumberArray) -> Self:
        """The ranks among sorted numbers (n,)."""
        rows = max(len(ordered), 1)
        below, upto = (np.searchsorted(ordered, bins.atoms, side=side) for side in SIDES)
        edges = np.searchsorted(ordered, bins.edges, side="left")
        edges[-1:] = np.searchsorted(ordered, bins.edges[-1:], side="right")
        return cls((below + upto) / 2 / rows, edges / rows)


def bin_blocks(bins: Bins, ranks: Ranks, scaling: Scaling, nullable: bool) -> tuple[Block, ...]:
    """One block, and a fine one where some bin has several steps."""
    sampleable = np.ones(bins.size, bool)
    sampleable[0] = nullable or bins.size == 1
    points = _points(bins, ranks)
    order = np.full(bins.size, -1.0)
    order[1 : 1 + len(points.ranks)] = points.ranks
    coarse = Block(bins.size, sampleable, _coarse_features(bins, points, scaling), ranks=order)
    if not bins.refined:
        return (coarse,)
    fine = Block(
        bins.fine_size,
        np.ones(bins.fine_size, bool),
        _fine_features(bins, ranks, points, scaling),
        child=True,
        compatible=bins.compatible,
        ranks=np.arange(bins.fine_size, dtype=np.float64),
    )
    return coarse, fine


@dataclass(frozen=True, eq=False)
class Points:
    """A value, a rank and an atom flag for each coarse token that is a number: (a + c,), in token order."""

    values: FloatArray
    ranks: FloatArray
    exact: BoolArray


def _points(bins: Bins, ranks: Ranks) -> Points:
    low, high = bins.first[:-1], bins.first[1:]
    middle = low + (high - low) // 2
    single = (high - low) == 1
    values = np.where(single, _step_middles(bins)[low], _as_float(bins.edges)[middle]) if bins.bins else np.zeros(0)
    between = (ranks.edges[low] + ranks.edges[high]) / 2 if bins.bins else np.zeros(0)
    exact = np.arange(len(bins.atoms) + bins.bins) < len(bins.atoms)
    return Points(np.concatenate([_as_float(bins.atoms), values]), np.concatenate([ranks.atoms, between]), exact)


def _coarse_features(bins: Bins, points: Points, scaling: Scaling) -> FloatArray:
    table = np.zeros((bins.size, width(COARSE_TURNS)), np.float32)
    numbers = slice(1, 1 + len(points.values))
    table[numbers] = number_features(points.values, points.ranks, points.exact, scaling, COARSE_TURNS)
    if bins.nan:
        table[-1, 4] = 1.0  # NaN is exact, and no number
    return table


def _fine_features(bins: Bins, ranks: Ranks, points: Points, scaling: Scaling) -> FloatArray:
    """(v, v_fine, f): the step's features and its place in the bin; after an atom the atom's own, place 0."""
    plain, atoms = width(FINE_TURNS), len(bins.atoms)
    table = np.zeros((bins.size, bins.fine_size, plain + 1), np.float32)
    if bins.nan:
        table[-1, 0, 4] = 1.0
    own = number_features(points.values, points.ranks, points.exact, scaling, FINE_TURNS)
    table[1 : 1 + atoms, 0, :plain] = own[:atoms]
    step = np.arange(bins.steps)
    parent = np.searchsorted(bins.first[:-1], step, side="right") - 1
    place = step - bins.first[parent]
    middles = (ranks.edges[:-1] + ranks.edges[1:]) / 2
    exact = np.zeros(bins.steps, bool)
    rows = number_features(_step_middles(bins), middles, exact, scaling, FINE_TURNS)
    table[1 + atoms + parent, 1 + place, :plain] = rows
    table[1 + atoms + parent, 1 + place, plain] = 2 * (place + 0.5) / bins.steps_in_bin[parent] - 1
    return table


def _step_middles(bins: Bins) -> FloatArray:
    edges = _as_float(bins.edges)
    return edges[:-1] / 2 + edges[1:] / 2


def _as_float(number: NumberArray) -> FloatArray:
    """Numbers as float64, infinities as the largest there is."""
    largest = np.finfo(np.float64).max
    return np.clip(number.astype(np.float64), -largest, largest)
