"""Values that come back: inside a step a temperature is 37.94 again and again, and never 37.93.

Converted units, prices and ratios of small counts have values that repeat, on no grid and too rare to be atoms. Such a
*spike* v of a step has a probability of its own, the rest of the step keeps its law p (uniform, or by grains):

    P(x | step) = s_x [x is a spike] + (1 - sum_v s_v) p(x | step),

a spike-and-slab. Every spike has ``min_count`` rows behind it, and more of them than chance would bring: its gain in
likelihood is above the cost of telling where it is and how high. The chances s are those under which spikes come as
often as in training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from synthvae.codecs.base import BoolArray, FloatArray, IntArray
from synthvae.codecs.bins import Bins
from synthvae.codecs.grid import NumberArray, Units
from synthvae.codecs.within import Part

GAIN = 0.02  # nats per row in steps; a column that gains less has no spikes
MOST = 1 << 14  # spikes of a column, the most frequent ones
LEAST_CHANCE, MOST_CHANCE = 2.0**-40, 1.0 - 2.0**-40  # the least is that of one value of a float axis
LARGEST_UNIFORM = 1.0 - 2.0**-53

Slab = Callable[[NumberArray, IntArray], FloatArray]  # numbers (p,) and their tokens (p, b) -> p(x | step) (p,)


@dataclass(frozen=True, eq=False)
class Spikes:
    """values: (p,) increasing. chances: (p,) of each, given its step. first: (s + 1,) the first spike of each step,
    then p. rest: (s,) the chance of anything else; a step sums to 1, or to what a wish leaves of it.
    """

    values: NumberArray
    chances: FloatArray
    first: IntArray
    rest: FloatArray

    @classmethod
    def of(cls, values: NumberArray, chances: FloatArray, bins: Bins) -> Self:
        """Spikes of these bins."""
        first = np.searchsorted(_steps(values, bins), np.arange(bins.steps + 1))
        return cls(values, chances, first, 1.0 - _sums(chances, first))

    @classmethod
    def learn(cls, bins: Bins, number: NumberArray, min_count: int, slab: Slab) -> Self | None:
        """From the numbers (n,) of a column; None where they repeat no more than chance makes them.

        slab: the law of a step without spikes.
        """
        if not bins.steps:
            return None
        values, counts = np.unique(number, return_counts=True)
        tokens = bins.encode(Units.of(values))
        inside = bins.is_step(tokens) & (values >= bins.edges[0]) & (values <= bins.edges[-1])
        values, counts, tokens = values[inside], counts[inside], tokens[inside]
        step = bins.step(tokens)
        of_step = np.bincount(step, counts, minlength=bins.steps)[step] + 1.0  # one more came from the slab
        own = slab(values, tokens) if bins.integer else np.zeros(len(values))
        chance = np.clip(own, LEAST_CHANCE, MOST_CHANCE)
        kept = _proven(counts, of_step, chance, min_count)
        if kept is None:
            return None
        values, step, share, chance = values[kept], step[kept], (counts / of_step)[kept], chance[kept]
        told, met = (np.bincount(step, x, minlength=bins.steps) for x in (share, chance))
        rest = (1.0 - told) / (1.0 - met)
        return cls.of(values, share - rest[step] * chance, bins)  # the slab brings the others by itself

    @property
    def sums(self) -> FloatArray:
        """(s,) the chances of each step together."""
        return _sums(self.chances, self.first) + self.rest

    def within(self, part: Part) -> Spikes:
        """Those that a wish allows, and what it leaves of the rest."""
        allowed = part.intervals.contains(self.values)
        first = np.concatenate([[0], np.cumsum(allowed)])[self.first]
        return Spikes(self.values[allowed], self.chances[allowed], first, self.rest * part.shares)

    def struck(self, step: IntArray, uniforms: FloatArray) -> tuple[IntArray, FloatArray]:
        """Steps and uniforms (m,) -> the spike each draw falls on, -1 where on none, and a uniform for the rest."""
        below, above = self._ends[self.first[step]], self._ends[self.first[step + 1]]
        place = uniforms * (above - below + self.rest[step])
        on_spike = place < above - below
        spike = np.searchsorted(self._ends, below + place, side="right") - 1
        spike = np.clip(spike, self.first[step], self.first[step + 1] - 1)
        rest = (place - (above - below)) / np.maximum(self.rest[step], np.finfo(np.float64).tiny)
        return np.where(on_spike, spike, -1), np.where(on_spike, uniforms, np.clip(rest, 0.0, LARGEST_UNIFORM))

    def log_density(self, number: NumberArray, step: IntArray, log_slab: FloatArray) -> FloatArray:
        """log p(x | step) of numbers (n,): mass for spikes; log_slab: (n,) the law of the rest, mass on integers."""
        place = np.minimum(np.searchsorted(self.values, number), len(self.values) - 1)
        hit = self.values[place] == number
        slab = np.log(np.maximum(self.rest[step], np.finfo(np.float64).tiny)) + log_slab
        spike = np.log(self.chances[place])
        return np.where(hit, np.logaddexp(spike, slab) if number.dtype.kind == "i" else spike, slab)

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        """What is to be saved."""
        return {"spikes": self.values, "spike_chances": self.chances}

    @cached_property
    def _ends(self) -> FloatArray:
        return np.concatenate([[0.0], np.cumsum(self.chances)])


def _steps(number: NumberArray, bins: Bins) -> IntArray:
    return bins.step(bins.encode(Units.of(number)))


def _sums(chances: FloatArray, first: IntArray) -> FloatArray:
    return np.diff(np.concatenate([[0.0], np.cumsum(chances)])[first])


def _proven(counts: IntArray, rows: FloatArray, chance: FloatArray, min_count: int) -> BoolArray | None:
    """(p,) which values are spikes, by their counts among so many rows and the ``chance`` of each without; None where
    they gain too little."""
    share, all_rows = counts / rows, max(float(counts.sum()), 2.0)
    gain = counts * np.log(share / chance) + (rows - counts) * np.log((1 - share) / (1 - chance))
    kept = (counts >= min_count) & (share > chance) & (gain > np.log(all_rows))
    kept &= counts >= np.sort(counts[kept])[-MOST:].min(initial=int(all_rows))
    return np.asarray(kept) if gain[kept].sum() > GAIN * all_rows else None
