"""How numbers are drawn inside a step: uniform, more often round ones (grains), more often known ones (spikes)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from synthvae.codecs.base import FloatArray, IntArray
from synthvae.codecs.bins import Bins
from synthvae.codecs.grains import Grains
from synthvae.codecs.grid import NumberArray, Units
from synthvae.codecs.spikes import Spikes
from synthvae.codecs.within import Part


@dataclass(frozen=True, eq=False)
class StepLaw:
    """The law of a number given its tokens."""

    bins: Bins
    grains: Grains | None = None
    spikes: Spikes | None = None

    @classmethod
    def learn(cls, bins: Bins, units: Units, min_count: int) -> Self:
        """From the units (n,) of a column."""
        number = units.number[~(units.null | units.nan)]
        without = cls(bins, Grains.learn(bins, number, min_count))
        return cls(bins, without.grains, Spikes.learn(bins, number, min_count, without._slab))

    def draw(self, tokens: IntArray, uniforms: FloatArray, part: Part | None) -> Units:
        """Tokens (n, b) and uniforms (n,) -> units; part: what a wish allows, None: everything."""
        if self.spikes is None:
            return self._drawn(tokens, uniforms, part)
        spikes = self.spikes if part is None else self.spikes.within(part)
        rows, uniforms = np.flatnonzero(self.bins.is_step(tokens)), uniforms.copy()
        spike, uniforms[rows] = spikes.struck(self.bins.step(tokens[rows]), uniforms[rows])
        units = self._drawn(tokens, uniforms, part)
        number, hit = units.number.copy(), spike >= 0
        number[rows[hit]] = spikes.values[spike[hit]]
        return Units(number, units.null, units.nan)

    def log_density(self, units: Units, tokens: IntArray) -> FloatArray:
        """log p(x | tokens (n, b)) of units (n,): of mass for atoms, spikes and integers, of density for the rest."""
        found = self._log_slab(units.number, tokens)
        if self.spikes is None:
            return found
        rows = np.flatnonzero(self.bins.is_step(tokens))
        step = self.bins.step(tokens[rows])
        found[rows] = self.spikes.log_density(units.number[rows], step, found[rows])
        return found

    def shares(self, part: Part) -> FloatArray:
        """(s,) the chance that a draw from a step is as a wish allows."""
        return part.shares if self.spikes is None else self.spikes.within(part).sums

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        """What is to be saved beside the bins."""
        grains = {} if self.grains is None else self.grains.state()
        return grains if self.spikes is None else grains | self.spikes.state()

    @classmethod
    def from_state(cls, bins: Bins, arrays: Mapping[str, Any]) -> Self:
        """The inverse of ``state``."""
        grains = Grains(arrays["grain_units"], arrays["grain_weights"]) if "grain_units" in arrays else None
        spikes = Spikes.of(arrays["spikes"], arrays["spike_chances"], bins) if "spikes" in arrays else None
        return cls(bins, grains, spikes)

    def _drawn(self, tokens: IntArray, uniforms: FloatArray, part: Part | None) -> Units:
        units = (self.bins if part is None else part).decode(tokens, uniforms)
        if self.grains is None:
            return units
        spans = None if part is None else part.intervals.around(units.number)
        return self.grains.redrawn(units, tokens, self.bins, uniforms, spans)

    def _log_slab(self, number: NumberArray, tokens: IntArray) -> FloatArray:
        uniform = self.bins.log_density(tokens)
        return uniform if self.grains is None else uniform + self.grains.log_gain(number, tokens, self.bins)

    def _slab(self, number: NumberArray, tokens: IntArray) -> FloatArray:
        return np.exp(self._log_slab(number, tokens))
