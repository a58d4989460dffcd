"""Gradient steps on rows under a budget: sampled rows, clipped gradients, noise (DP-SGD, Abadi et al. 2016).

The rows stay in a ``PrivateTable``, which samples them, asks ``_Contribution`` for the sum of their clipped gradients,
and adds the noise; what arrives here may be seen by anybody. The number of steps is fixed beforehand, nothing is
evaluated on rows, and no loss is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import pyarrow as pa

from synthvae import backend
from synthvae.networks.layout import Array
from synthvae.networks.taps import Taps, square_norms
from synthvae.networks.vae import VAE
from synthvae.privacy.ledger import Spend
from synthvae.privacy.private_table import PrivateTable

SLOTS = 1024  # rows of which gradients are taken at once; a part of a sample is padded to it


# Rows times epsilon from which there are steps. On Adult (32,561 rows) they cost held-out likelihood at epsilon 8 (from
# -23.44 to -23.47 nats) and at 40 (-23.15 to -23.16), and gained some (-23.26 to -23.22) once noise was an eighth of
# that at 40, as it is for a table some eight times as large; below, counts alone are the better use of a budget.
ENOUGH = 10_000_000
COUNTS = 0.5  # share of the budget (of mu^2) for counts where there are steps
BATCH, COUNT = 65_536, 150  # rows of a step in the mean, about; steps
# With which a row is sampled. Few, since the noisy number of rows decides among them: each keeps the promise by a part
# of delta of its own, whichever is taken.
RATES = (1 / 4, 1 / 16, 1 / 64, 1 / 256, 1 / 1024)
CLIP, RATE = 1.0, 5e-4
EXACT = 0.995  # part of the clip norm that rows are cut to: products on a GPU may have no more than eleven bits


@dataclass(frozen=True)
class Planned:
    """rate: with which a row is sampled for a step; count: of steps; clip: the norm of a row's gradient beyond which
    it is cut; learning_rate: of Adam, at first."""

    rate: float
    count: int
    clip: float
    learning_rate: float


@dataclass(frozen=True)
class PrivatePlan:
    """steps: as planned; noise: of the sum of clipped gradients, in clip norms."""

    steps: Planned
    noise: float

    @property
    def spend(self) -> Spend:
        steps = self.steps
        what = f"training: {steps.count} steps on clipped gradients"
        return Spend(what, steps.clip, self.noise * steps.clip, rate=steps.rate, steps=steps.count)


def planned(rows: float, epsilon: float) -> Planned | None:
    """Steps for about so many rows, or None where noise would undo them; both numbers are public."""
    if rows * epsilon < ENOUGH:
        return None
    rate = next((rate for rate in RATES if rate * rows <= 2 * BATCH), RATES[-1])
    return Planned(rate, COUNT, CLIP, RATE)


def train(
    vae: VAE,
    private: PrivateTable,
    encode: Callable[[pa.Table], Array],
    rows: float,
    plan: PrivatePlan,
    rng: np.random.Generator,
) -> None:
    """Move the weights of ``vae`` by noisy steps on the rows of ``private``, about ``rows`` many, and average them.

    encode: rows -> tokens (n, b), each by itself. rng: of what is asked of each row; the noise is ``private``'s own.
    """
    steps = plan.steps
    optimizer = keras.optimizers.Adam(
        steps.learning_rate, beta_2=0.99, use_ema=True, ema_momentum=1 - 4 / max(steps.count, 8)
    )
    variables = vae.trainable_variables
    optimizer.build(variables)
    sums = private.noisy_sums(encode, _Contribution(vae, steps.clip, rng), plan.spend)
    for step, noisy in enumerate(sums):
        share = 0.5 * (1 + np.cos(np.pi * step / steps.count))
        optimizer.learning_rate.assign(steps.learning_rate * share)
        scale = np.float32(1.0 / (steps.rate * rows))
        optimizer.apply([keras.ops.convert_to_tensor((part * scale).astype("float32")) for part in noisy], variables)
    optimizer.finalize_variable_values(variables)


class _Contribution:
    """Tokens (m, b) of sampled rows -> the sum of their gradients, each clipped: an array per weight.

    A row whose gradient is not finite adds nothing.
    """

    def __init__(self, vae: VAE, clip: float, rng: np.random.Generator) -> None:
        self.vae, self.clip, self.rng = vae, EXACT * clip, rng
        self.summed = backend.clipped_sum(vae, vae.row_losses, Taps, square_norms)

    def __call__(self, tokens: Array) -> list[Array]:
        totals = [np.zeros(v.shape, np.float32) for v in self.vae.trainable_variables]
        for first in range(0, len(tokens), SLOTS):
            part = tokens[first : first + SLOTS]
            mask = (np.arange(SLOTS) < len(part)).astype("float32")
            padded = np.zeros((SLOTS, tokens.shape[1]), "int32")
            padded[: len(part)] = part
            sums = self._finite(mask, padded, *self._asked())
            totals = [total + one for total, one in zip(totals, sums, strict=True)]
        return totals

    def _finite(self, mask: Array, *rows: Array) -> list[Array]:
        sums, norms = self.summed(self.clip, mask, *rows)
        good = np.isfinite(norms)
        if good.all():
            return sums
        if not good.any():
            return [np.zeros_like(part) for part in sums]
        # nought times what is not finite is not nought: a row that is takes its place
        place = np.where(good, np.arange(len(good)), good.argmax())
        return self.summed(self.clip, mask * good, *(part[place] for part in rows))[0]

    def _asked(self) -> tuple[Array, Array, Array]:
        """What ``VAE.row_losses`` asks of each row of a part."""
        uniforms = self.rng.random((SLOTS, 2 * self.vae.layout.b + 2), dtype=np.float32)
        normals = self.rng.standard_normal((SLOTS, self.vae.settings.latent_dim), dtype=np.float32)
        return uniforms, normals, self.rng.random((SLOTS, 1), dtype=np.float32)
