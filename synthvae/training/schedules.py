"""How long to train and how fast: what follows from the size of a table."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np

from synthvae.networks.layout import Array

WARM_UP = 0.05  # share of all steps in which learning rate and KL weight rise
LEARNING_RATE = 2e-3  # for batches of 512 rows; grows with the square root of the batch
FINAL_SHARE = 0.02  # of the learning rate, left at the end of the cosine
VISITS = 2_000_000  # rows seen in a default fit of a table of 30,000 rows
REFERENCE_ROWS = 30_000
MAX_EPOCHS = 300


@dataclass(frozen=True)
class Plan:
    """A fit as decided beforehand: ``epochs`` passes in batches of ``batch_size`` rows, ``steps`` batches a pass."""

    rows: int
    epochs: int
    batch_size: int

    @property
    def steps(self) -> int:
        return max(1, self.rows // self.batch_size)

    @property
    def total_steps(self) -> int:
        return self.steps * self.epochs


def plan(rows: int, epochs: int | None = None, batch_size: int | None = None) -> Plan:
    """Epochs and batch size for a table of so many training rows.

    Small tables are passed more often (early stopping decides), large ones seldom: visits grow with rows ** 0.4.
    """
    batch = batch_size or int(np.clip(2 ** round(np.log2(max(rows, 1) / 40)), 32, 512))
    visits = VISITS * (max(rows, 1) / REFERENCE_ROWS) ** 0.4
    return Plan(rows, epochs or int(np.clip(round(visits / rows), 2, MAX_EPOCHS)), min(batch, rows))


def optimizer(plan: Plan) -> keras.optimizers.Optimizer:
    """AdamW with linear warm-up, cosine decay, clipping, and a moving average of the weights."""
    peak = LEARNING_RATE * (plan.batch_size / 512) ** 0.5
    warm = max(1, round(WARM_UP * plan.total_steps))
    rate = keras.optimizers.schedules.CosineDecay(
        peak * 0.01, max(1, plan.total_steps - warm), alpha=FINAL_SHARE, warmup_target=peak, warmup_steps=warm
    )
    return keras.optimizers.AdamW(
        rate,
        weight_decay=1e-4,
        beta_2=0.99,
        global_clipnorm=1.0,
        use_ema=True,
        ema_momentum=min(0.998, 1.0 - 10.0 / max(plan.total_steps, 20)),
    )


def kl_weights(plan: Plan, epoch: int) -> Array:
    """Weight of the KL term for each step of an epoch: rises linearly to 1 during warm-up. (steps,) float32"""
    steps = epoch * plan.steps + np.arange(plan.steps)
    return np.minimum(1.0, (steps + 1) / max(1.0, WARM_UP * plan.total_steps)).astype("float32")
