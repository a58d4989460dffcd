"""The time of day of an instant: one block, frequent times as they are, the rest in steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pyarrow as pa

from synthvae.codecs.base import Block, FloatArray, IntArray, State
from synthvae.codecs.grid import Units, WholeGrid
from synthvae.codecs.line import Line

STEPS = 96  # a quarter of an hour each where times are spread evenly
TURNS = (1, 2, 3)  # of the day's circle that the network sees
PREFIX = "clock_"


@dataclass(frozen=True, eq=False)
class Clock:
    """Ticks since midnight as tokens; ``per_day`` ticks are a day."""

    line: Line
    per_day: int

    @classmethod
    def learn(cls, units: Units, per_day: int, min_count: int) -> Self:
        """From the ticks (n,) of instants."""
        times = replace(units, number=units.number % per_day)
        return cls(Line.learn(times, WholeGrid(pa.int64(), 0, per_day - 1, 1), min_count, STEPS)[0], per_day)

    def block(self, nullable: bool) -> Block:
        """A time of day is null where the day is, or is no number."""
        block = self.line.blocks(nullable)[0]
        bins = self.line.bins
        middles = (bins.edges[:-1] + bins.edges[1:]) / 2
        times = np.concatenate([bins.atoms, middles])
        angle = 2 * np.pi * times[:, None] * np.asarray(TURNS) / self.per_day
        circle = np.zeros((block.size, 2 * len(TURNS)), np.float32)
        circle[1 : 1 + len(times)] = np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
        return replace(block, features=np.concatenate([block.features, circle], axis=1))

    def encode(self, units: Units) -> IntArray:
        """Ticks (n,) of instants -> (n, 1)."""
        return self.line.bins.encode(replace(units, number=units.number % self.per_day))

    def at(self, days: IntArray, tokens: IntArray, uniforms: FloatArray, lower: int, upper: int) -> IntArray:
        """The ticks (n,) of times drawn from tokens (n, 1) on days (n,).

        On the day of a bound, a time beyond it is drawn anew from what is left of that day.
        """
        start = days * self.per_day
        drawn = start + np.clip(self.line.bins.decode(tokens, uniforms).number, 0, self.per_day - 1)
        low, high = np.maximum(start, lower), np.minimum(start + self.per_day - 1, upper)
        within = low + (uniforms * np.maximum(high - low + 1, 1)).astype(np.int64)
        return np.where((drawn < low) | (drawn > high), within, drawn)

    def state(self) -> State:
        """Everything learned, as JSON and arrays."""
        facts, arrays = self.line.state()
        return facts | {"per_day": self.per_day}, {PREFIX + name: array for name, array in arrays.items()}

    @classmethod
    def from_state(cls, facts: Mapping[str, Any], arrays: Mapping[str, FloatArray]) -> Self:
        """The inverse of ``state``."""
        return cls(Line.from_state(facts, arrays, PREFIX), int(facts["per_day"]))
