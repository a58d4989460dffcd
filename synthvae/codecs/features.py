"""What the network sees of a token that stands for a number: where it ranks, how large it is, whether it is exact."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from synthvae.codecs.base import BoolArray, FloatArray

PLAIN = 5  # features before the circles: smooth in the value
# Turns of the rank's circle: the coarse block tells bins apart, the fine one steps.
COARSE_TURNS = (1, 2, 4, 8)
FINE_TURNS = (1, 2, 4, 8, 16, 32)
# Turns per factor of ten: columns of one unit look alike on this circle whatever their ranks, so that sums, differences
# and equalities between them are within reach of one layer.
DECADE_TURNS = (0.5, 1.0, 2.0, 4.0, 8.0)
DECADES_BELOW = 1e-3  # of the typical size; what is smaller than that is as good as zero
# Standardised values beyond this say no more than "far out".
FAR = 5.0


@dataclass(frozen=True)
class Scaling:
    """Centre and spread of a column's values, and of their signed logarithm sign(x) log(1 + |x| / scale)."""

    mean: float = 0.0
    std: float = 1.0
    scale: float = 1.0
    log_mean: float = 0.0
    log_std: float = 1.0

    @classmethod
    def of(cls, values: FloatArray, weights: FloatArray, scale: float) -> Self:
        """From values (k,) with weights (k,), both finite; ``scale`` is a typical size (0 or less: 1)."""
        if not weights.sum() > 0:
            return cls()
        scale = scale if scale > 0 else 1.0
        mean, std = _moments(values, weights)
        log_mean, log_std = _moments(_signed_log(values, scale), weights)
        return cls(mean, std, scale, log_mean, log_std)

    def standard(self, values: FloatArray) -> FloatArray:
        """Standardised values, cut at +-5."""
        with np.errstate(over="ignore"):
            return np.asarray(np.clip((values - self.mean) / self.std, -FAR, FAR))

    def standard_log(self, values: FloatArray) -> FloatArray:
        """Standardised signed logarithms, cut at +-5."""
        return np.asarray(np.clip((_signed_log(values, self.scale) - self.log_mean) / self.log_std, -FAR, FAR))

    def decades(self, values: FloatArray) -> FloatArray:
        """Signed powers of ten above a thousandth of the typical size."""
        return _signed_log(values, self.scale * DECADES_BELOW) / np.log(10.0)

    def as_dict(self) -> dict[str, Any]:
        """The numbers by name."""
        return asdict(self)


def number_features(
    values: FloatArray, ranks: FloatArray, exact: BoolArray, scaling: Scaling, turns: tuple[int, ...]
) -> FloatArray:
    """Values, mid-ranks in [0, 1] and atom flags (...) -> features (..., width(turns)) float32.

    is a number, rank in [-1, 1], standardised value, standardised signed log, atom, then sin and cos of 2 pi rank turn
    and of 2 pi decades turn.
    """
    flat = [np.ones_like(ranks), 2.0 * ranks - 1.0, scaling.standard(values), scaling.standard_log(values), exact]
    by_rank = ranks[..., None] * np.asarray(turns, np.float64)  # (..., t)
    by_decade = scaling.decades(values)[..., None] * np.asarray(DECADE_TURNS)  # (..., d)
    angle = 2.0 * np.pi * np.concatenate([by_rank, by_decade], axis=-1)
    parts = [np.stack(np.broadcast_arrays(*flat), axis=-1), np.sin(angle), np.cos(angle)]
    return np.concatenate(parts, axis=-1).astype(np.float32)


def width(turns: tuple[int, ...]) -> int:
    """The number of features ``number_features`` gives."""
    return PLAIN + 2 * (len(turns) + len(DECADE_TURNS))


def _signed_log(values: FloatArray, scale: float) -> FloatArray:
    with np.errstate(over="ignore"):  # a subnormal scale: the logarithm is then infinite and cut
        return np.asarray(np.nan_to_num(np.sign(values) * np.log1p(np.abs(values) / scale), posinf=1e3, neginf=-1e3))


def _moments(values: FloatArray, weights: FloatArray) -> tuple[float, float]:
    """Weighted mean and standard deviation, safe near the largest float; a constant has standard deviation 1."""
    # A power of two divides exactly; the first value is taken off so that a constant has spread 0 to the last bit.
    top = 2.0 ** min(int(np.frexp(np.abs(values).max())[1]), 1023)
    offsets = values / top - values[0] / top
    mean = float(np.average(offsets, weights=weights))
    std = float(np.average((offsets - mean) ** 2, weights=weights) ** 0.5)
    return float(values[0]) + mean * top, std * top or 1.0
