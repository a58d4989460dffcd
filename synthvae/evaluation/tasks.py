"""What there is to predict: classes, or a number. Each task learns from rows and tells how good predictions are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from synthvae.evaluation.learners import TREES, class_odds, regression
from synthvae.evaluation.ranking import auc
from synthvae.evaluation.sides import Array

CLASSES = 8  # told apart; the rarer ones are one class together
SMALLEST = 1e-150  # unit of a log scale: beyond it ratios are infinite
FAR = 1e6  # spreads off the mark: further is no worse
LONG_TAIL = 3.0  # an upper tail so many times as long as the lower one is read on a log scale

Quality = tuple[float, Array]  # a value and the influence of every row, whose squares sum to the value's variance


class Task(Protocol):
    """A target column."""

    @property
    def measure(self) -> str:
        """What its quality is called."""

    def known(self, y: Array) -> Array:
        """(n,) where there is something to learn or to test."""

    def varies(self, y: Array) -> bool:
        """Whether there is anything to tell apart in known targets (n,)."""

    def learned(self, x: Array, y: Array, coded: Array) -> Callable[[Array], Array]:
        """A model of rows with known targets; one that cannot learn says the same for all rows."""

    def quality(self, predicted: Array, y: Array) -> Quality:
        """How good the predictions are on test rows."""


@dataclass(frozen=True)
class Classes:
    """Levels by their frequency among the real rows: ``count`` classes, the last of all others where ``folded``."""

    count: int
    folded: bool

    @property
    def measure(self) -> str:
        return "AUC"

    @classmethod
    def of(cls, y: Array, min_count: int) -> Classes | None:
        """The classes of real rows (n,), ranked, with at least ``min_count`` each; None where there is only one."""
        counts = np.bincount(y[~np.isnan(y)].astype(np.int64))
        alone = min(CLASSES, int((counts >= min_count).sum()))
        folded = bool(counts[alone:].sum() >= min_count)
        return cls(alone + folded, folded) if alone + folded > 1 else None

    @staticmethod
    def ranked(y: Array, real: int) -> Array:
        """(n,) codes with 0 for the level most frequent in the first ``real`` rows."""
        known = ~np.isnan(y)
        levels = y[known].astype(np.int64)
        counts = np.bincount(y[:real][known[:real]].astype(np.int64), minlength=int(levels.max(initial=0)) + 1)
        rank = np.empty(len(counts))
        rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
        made = np.full(len(y), np.nan)
        made[known] = rank[levels]
        return made

    def known(self, y: Array) -> Array:
        return ~np.isnan(y) if self.folded else np.nan_to_num(y, nan=np.inf) < self.count

    def varies(self, y: Array) -> bool:
        return len(np.unique(np.minimum(y, self.count - 1))) > 1

    def learned(self, x: Array, y: Array, coded: Array) -> Callable[[Array], Array]:
        met, classes = np.unique(np.minimum(y, self.count - 1).astype(np.int64), return_inverse=True)
        if len(met) < 2:
            return lambda rows: np.zeros((len(rows), self.count))
        trees = max(TREES * 2 // max(len(met), 2), 30)  # each of which is one per class where there are more than two
        predict = class_odds(x, classes, coded, trees)
        return lambda rows: self._spread(predict(rows), met)

    def _spread(self, odds: Array, met: Array) -> Array:
        """(n, count) chances, 0 for classes that were never met."""
        odds = np.stack([-odds / 2, odds / 2], axis=1) if odds.ndim == 1 else odds
        chances = np.exp(odds - odds.max(axis=1, keepdims=True))
        made = np.zeros((len(odds), self.count))
        made[:, met] = chances / chances.sum(axis=1, keepdims=True)
        return made

    def quality(self, predicted: Array, y: Array) -> Quality:
        """Each class against the rest, weighted by its share of the rows."""
        classes = np.minimum(y, self.count - 1)
        value, influence = 0.0, np.zeros(len(y))
        for place in range(self.count):
            area, moved = auc(predicted[:, place], classes == place)
            share = float(np.mean(classes == place))
            value, influence = value + share * area, influence + share * moved
        return value, influence


@dataclass(frozen=True)
class Number:
    """A quantity or an instant; where its upper tail is long, the logarithm of 1 + value / ``unit``."""

    unit: float | None = None

    @property
    def measure(self) -> str:
        return "R2" if self.unit is None else "R2 on a log scale"

    @classmethod
    def of(cls, y: Array) -> Number | None:
        """The task as the real values (n,) make it; None where they do not vary."""
        y = y[~np.isnan(y)]
        if not len(y) or y.min() == y.max():
            return None
        low, middle, high = np.quantile(y, (0.01, 0.5, 0.99))
        long = y.min() >= 0 and high - middle > LONG_TAIL * (middle - low)
        return cls(max(float(np.median(y[y > 0])), SMALLEST) if long else None)

    def known(self, y: Array) -> Array:
        return ~np.isnan(y)

    def varies(self, y: Array) -> bool:
        scaled = self._scaled(y)
        return bool(scaled.min() < scaled.max())

    def learned(self, x: Array, y: Array, coded: Array) -> Callable[[Array], Array]:
        scaled = self._scaled(y)
        middle, spread = scaled.mean(), scaled.std() or 1.0
        if not self.varies(y):
            return lambda rows: np.full(len(rows), middle)
        predict = regression(x, (scaled - middle) / spread, coded)
        return lambda rows: predict(rows) * spread + middle

    def quality(self, predicted: Array, y: Array) -> Quality:
        """The share of the variance that is explained: 1 - sum (y - f)^2 / sum (y - mean)^2, and no less than 0."""
        scaled = self._scaled(y)
        spread = np.ptp(scaled) or 1.0  # so that no square vanishes or overflows
        apart = ((scaled - scaled.mean()) / spread) ** 2
        total = apart.sum() or 1.0
        missed = np.minimum(np.abs(scaled - predicted) / spread, FAR) ** 2 / total
        left = float(missed.sum())
        return max(1 - left, 0.0), left * apart / total - missed

    def _scaled(self, y: Array) -> Array:
        return y if self.unit is None else np.log1p(np.maximum(y, 0) / self.unit)
